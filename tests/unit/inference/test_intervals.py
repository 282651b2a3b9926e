"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from refashion.inference.intervals import new_images_interval, prediction_interval, t_interval
from refashion.inference.summaries import NO_SEED, ONE_SEED
from worked_examples import RATINGS, sample


def test_t_interval_closed_form():
    # t(.975, 2) = sqrt(2) (2 p - 1) / sqrt(1 - (2 p - 1)^2), the quantile of t with 2 df in closed form
    quantile = math.sqrt(2) * 0.95 / math.sqrt(1 - 0.95**2)
    interval = t_interval([1, 2, 3])
    assert (interval.mean, interval.sd, interval.n, interval.reason) == (2, 1, 3, "")
    assert interval.half_width == pytest.approx(quantile / math.sqrt(3), rel=1e-12)
    assert interval.low == pytest.approx(2 - quantile / math.sqrt(3), rel=1e-12)


@pytest.mark.parametrize(("n", "confidence"), [(2, 0.95), (6, 0.9), (30, 0.99)])
def test_t_interval_is_scipys(n, confidence):
    x = sample(n, 91, 0.2)
    expected = stats.ttest_1samp(x, 0).confidence_interval(confidence)
    interval = t_interval(x, confidence)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-12)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_prediction_interval_is_that_of_regression_on_a_constant(confidence):
    x = sample(7, 91, 0.3)
    fit = sm.OLS(x, np.ones(7)).fit()
    low, high = fit.get_prediction([[1.0]]).conf_int(obs=True, alpha=1 - confidence)[0]
    interval = prediction_interval(x, confidence)
    assert interval.low == pytest.approx(low, rel=1e-12)
    assert interval.high == pytest.approx(high, rel=1e-12)


def test_prediction_interval_on_other_images_has_the_right_limits():
    x = sample(5, 91, 0.2)
    assert prediction_interval(x, image_variance=0.0) == prediction_interval(x)
    known = prediction_interval([91.0] * 5, image_variance=0.04)  # no variation of seeds: the normal interval
    assert known.half_width == pytest.approx(1.959963984540054 * 0.2, rel=1e-12)
    both = prediction_interval(x, image_variance=0.04)  # Pythagoras of the two
    assert both.half_width == pytest.approx(math.hypot(prediction_interval(x).half_width, known.half_width))


def test_new_images_interval_by_shrout_and_fleiss():
    # Mean squares 11.24 (targets), 32.49 (judges), 1.02 (residual): variance of the mean = (11.24 + 32.49 - 1.02) / 24
    result = new_images_interval(RATINGS / 100)
    assert result.mean == pytest.approx(RATINGS.mean())
    # Howe's form: each part with its own degrees of freedom
    half = math.sqrt((stats.t.ppf(0.975, 5) ** 2 * 11.2417 + stats.t.ppf(0.975, 3) ** 2 * (32.4861 - 1.0194)) / 24)
    assert result.high - result.mean == pytest.approx(half, rel=1e-4)


@pytest.mark.parametrize(("seed_sd", "negative"), [(0.2, False), (0.0, True)])
def test_new_images_interval_of_many_seeds_has_the_designs_variance(seed_sd, negative):
    # With many degrees of freedom t is normal and the half-width z sqrt(V), V = s_d^2 / n + s_D^2 / m - s_res^2 / (n m)
    rng = np.random.default_rng(1)
    n = m = 400
    difference = rng.normal(0, seed_sd, (n, 1)) + rng.normal(0, 0.3, m) + rng.normal(0, 1, (n, m))
    rows, columns = difference.mean(1), difference.mean(0)
    if negative:  # seeds that differ less than chance: their component counts as 0
        difference = difference - 0.9 * (rows[:, None] - rows.mean())
        rows = difference.mean(1)
    residual = difference - rows[:, None] - columns + difference.mean()
    s_res = (residual**2).sum() / ((n - 1) * (m - 1))
    seeds, images = rows.var(ddof=1) / n, columns.var(ddof=1) / m
    assert (m * rows.var(ddof=1) < s_res) == negative
    expected = images if negative else seeds + images - s_res / (n * m)
    result = new_images_interval(difference)
    assert result.high - result.mean == pytest.approx(1e2 * 1.96 * math.sqrt(expected), rel=5e-3)
    assert result.mean == pytest.approx(100 * difference.mean())


@pytest.mark.parametrize("n", [2, 3, 8])
@pytest.mark.parametrize("seed_sd", [0.0, 0.003, 0.05])
def test_new_images_interval_is_wider_than_that_of_the_seeds(n, seed_sd):
    """Few seeds that differ much are where Satterthwaite's degrees of freedom would make it narrower."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        correct = rng.random((n, 2_000)) < rng.beta(9, 1, 2_000) + rng.normal(0, seed_sd, (n, 1))
        seeds = t_interval(100 * correct.mean(1))
        both = new_images_interval(correct)
        assert both.high - both.low > seeds.high - seeds.low
        assert both.mean == pytest.approx(seeds.mean)


def test_what_has_no_interval_keeps_its_mean_its_count_and_a_reason():
    one = prediction_interval([91.0])
    assert (one.mean, one.n, one.low, one.reason) == (91.0, 1, None, ONE_SEED)
    one = new_images_interval([[1, 0, 1, 1]])
    assert (one.mean, one.n, one.low, one.reason) == (75.0, 1, None, ONE_SEED)
    none = new_images_interval(np.zeros((0, 4)))
    assert (none.mean, none.n, none.reason) == (None, 0, NO_SEED)
    single = new_images_interval([[1], [0]])
    assert (single.mean, single.n) == (50.0, 2)
    assert single.reason == "cannot say, because there are fewer than two images"


def test_new_images_interval_of_two_seeds_and_two_images_by_hand():
    """All the spread is residual: mean square 1, which counts for the seeds, whose own is smaller; none for images."""
    result = new_images_interval([[1, 0], [0, 1]])
    assert (result.mean, result.sd, result.n) == (50.0, 0.0, 2)
    assert result.half_width == pytest.approx(stats.t.ppf(0.975, 1) * 100 / 2)
    scores = np.array([[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]])
    assert new_images_interval(scores).sd == pytest.approx(100 * scores.mean(1).std(ddof=1))
