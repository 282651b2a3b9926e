"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import math

import numpy as np
import pytest
from scipy import stats

from refashion.inference import contrasts
from refashion.inference.contrasts import _sign_flip_p, a12, paired_comparison, paired_contrast, welch_contrast
from worked_examples import SLEEP_1, SLEEP_2, sample


def test_welch_contrast_of_two_cells_is_r_sleep():
    result = welch_contrast([SLEEP_1, SLEEP_2], [1, -1])
    # R: t = -1.8608, df = 17.776
    assert result.estimate / result.se == pytest.approx(-1.8608, abs=5e-5)
    assert result.df == pytest.approx(17.776, abs=5e-4)
    assert result.p == pytest.approx(0.07939, abs=5e-6)


def test_welch_contrast_of_an_interaction():
    cells = [sample(5, 91, 0.2), sample(5, 91.5, 0.2), sample(5, 92, 0.2), sample(5, 93, 0.2)]
    result = welch_contrast(cells, [1, -1, -1, 1])
    # equal variances and sizes: df = k (n - 1), se = sqrt(4 s^2 / n)
    assert (result.estimate, result.se, result.df) == pytest.approx((0.5, math.sqrt(4 * 0.04 / 5), 16))
    assert result.high - result.low == pytest.approx(2 * 2.1199052992 * result.se, rel=1e-9)  # t(.975, 16)
    ignored = welch_contrast([*cells, [1.0]], [1, -1, -1, 1, 0])
    assert ignored == result


def test_paired_contrast_is_a_t_test_of_the_seeds_contrasts():
    rng = np.random.default_rng(0)
    scores = rng.normal(91, 0.2, (4, 7)) + rng.normal(0, 0.3, 7)
    weights = [1, -1, -1, 1]
    values = scores[0] - scores[1] - scores[2] + scores[3]
    expected = stats.ttest_1samp(values, 0)
    result = paired_contrast(scores, weights)
    assert (result.estimate, result.df) == pytest.approx((values.mean(), 6))
    assert result.p == pytest.approx(expected.pvalue, rel=1e-10)
    assert (result.low, result.high) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_tests_against_a_bound_are_scipys(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(92.3, 0.1, 6), rng.normal(91.0, 0.5, 6)
    for found, expected in (
        (welch_contrast([a, b], [1, -1]), lambda side: stats.ttest_ind(a - 1.0, b, equal_var=False, alternative=side)),
        (paired_contrast([a, b], [1, -1]), lambda side: stats.ttest_rel(a - 1.0, b, alternative=side)),
    ):
        assert found.p_above(1.0) == pytest.approx(expected("greater").pvalue, rel=1e-9)
        assert found.p_below(1.0) == pytest.approx(expected("less").pvalue, rel=1e-9)
        assert (found.estimate, found.n) == (pytest.approx(a.mean() - b.mean()), 6)


def test_contrasts_of_too_few_runs_say_what_there_is():
    two = welch_contrast([[91.0], [90.0, 90.5]], [1, -1])
    assert (two.estimate, two.n, two.p_above(0.5), two.p) == (0.75, 1, None, None)
    assert two.reason == "cannot say, because one seed gives no interval"
    none = welch_contrast([[], [90.0, 90.5]], [1, -1])
    assert (none.estimate, none.n, none.reason) == (None, 0, "cannot say, because there is no finished run")
    one = paired_contrast([[91.0], [90.0]], [1, -1])
    assert (one.estimate, one.n, one.p_below(0.5), one.reason) == (1.0, 1, None, two.reason)


def test_paired_comparison_of_r_sleep():
    result = paired_comparison(SLEEP_1, SLEEP_2, seed=0)
    paired, welch = result.paired, result.welch
    assert paired.estimate / paired.se == pytest.approx(-4.0621, abs=5e-5)
    assert result.sd == pytest.approx(np.subtract(SLEEP_1, SLEEP_2).std(ddof=1))
    assert paired.p == pytest.approx(0.002833, abs=5e-7)
    assert (round(paired.low, 4), round(paired.high, 4)) == (-2.4599, -0.7001)
    assert (result.p_sign_flip, result.p_smallest) == (0.00390625, 2 / 2**10)
    # R: t.test(extra ~ group, data = sleep): p = 0.07939, interval -3.3654832 to 0.2054832
    assert welch.p == pytest.approx(0.07939, abs=5e-6)
    assert (welch.low, welch.high) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)
    assert result.seed_correlation == pytest.approx(stats.pearsonr(SLEEP_1, SLEEP_2).statistic)
    assert (result.mean_a, result.mean_b) == pytest.approx((0.75, 2.33))


def test_sign_flip_of_darwins_maize():
    # Fisher 1935, The Design of Experiments, section 21: 863 of 32,768 sign patterns in each tail; t test p = .0497.
    # Differences of Darwin's fifteen pairs in eighths of an inch.
    d = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    result = paired_comparison(d, np.zeros(15), seed=0)
    assert result.p_sign_flip == 2 * 863 / 32_768
    assert result.paired.p == pytest.approx(0.0497, abs=5e-5)


@pytest.mark.parametrize("n", [2, 5, 11])
def test_exact_sign_flip_is_scipys(n):
    rng = np.random.default_rng(n)
    a, b = np.round(rng.normal(91, 0.3, (2, n)), 2)  # two decimals, as accuracies have: many ties
    d = np.round(a - b, 2)
    expected = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    ).pvalue
    result = paired_comparison(a, b, seed=0)
    assert result.p_sign_flip == pytest.approx(expected, rel=1e-12)


def test_sign_flip_counts_ties_that_only_rounding_separates():
    # 0.1 + 0.2 != 0.3 in floating point; the patterns (+ + -) and (- - +) tie with nothing, |.1 + .2 - .3| = 0 does
    result = paired_comparison([91.1, 91.2, 90.7], [91.0, 91.0, 91.0], seed=0)
    assert result.p_sign_flip == 1.0


def test_random_sign_flips_agree_with_all_of_them(monkeypatch):
    d = sample(20, 0.3, 1.0)
    exact = _sign_flip_p(d, seed=0, resamples=0)
    monkeypatch.setattr(contrasts, "_EXACT_SIGN_FLIPS", 19)
    drawn = _sign_flip_p(d, seed=5, resamples=99_999)
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 99_999))
    assert drawn != exact
    assert drawn * 100_000 == pytest.approx(round(drawn * 100_000), abs=1e-6)  # (hits + 1) / (draws + 1)


def test_a12_of_hogarty_and_kromrey():
    a, b = [10, 10, 20, 20, 20, 30, 30, 30, 40, 50], [10, 20, 30, 40, 40, 50]
    assert a12(a, b) == 0.375  # Cliff's delta -.25
    assert a12(b, a) == 0.625
    assert a12([1, 2], [3, 4]) == 0
    assert a12([], [1]) is None


def test_a12_ties_what_only_rounding_separates():
    assert 0.1 + 0.2 > 0.3
    assert a12([0.1 + 0.2], [0.3]) == a12([0.3], [0.1 + 0.2]) == 0.5
    assert a12([0.3 + 1e-9], [0.3]) == 1


def test_constant_differences_are_recognised_through_rounding():
    a, better = np.array([64.00, 64.01, 91.23]), np.array([64.01, 64.02, 91.24])
    assert np.ptp(better - a) > 1e-12 * 0.01  # the same hundredth three times, but for the rounding of 64.01
    result = paired_comparison(better, a, seed=0)
    paired = result.paired
    assert (result.sd, paired.p, paired.low, paired.high) == (0.0, 0.0, paired.estimate, paired.estimate)
    assert paired_contrast([better, a], [1, -1]).se == 0
    equal = paired_comparison(a, a, seed=0)
    assert (equal.paired.estimate, equal.paired.p, equal.p_sign_flip, equal.a12) == (0.0, 1.0, 1.0, 0.5)


def test_two_seeds_give_numbers():
    result = paired_comparison([91.0, 92.0], [90.0, 90.5], seed=0)
    assert result.paired.p == pytest.approx(stats.ttest_rel([91.0, 92.0], [90.0, 90.5]).pvalue)
    assert result.p_smallest == 0.5  # nothing can be significant by sign flips
    assert result.p_sign_flip == 0.5
    assert result.seed_correlation is None
