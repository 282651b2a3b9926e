"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from refashion.inference.evidence import half_error_margin, image_margin, weigh
from refashion.inference.intervals import prediction_interval
from worked_examples import EQUIVALENCE, sample


@pytest.mark.parametrize(
    ("published", "margin"),
    # 1.96 sqrt(p (1 - p) / 10000) by hand; the design gives .52 to .59 for the six published accuracies
    [(91.97, 0.5326), (90.29, 0.5803), (89.92, 0.5901), (92.51, 0.5159), (92.11, 0.5284), (91.39, 0.5498)],
)
def test_image_margin(published, margin):
    assert image_margin(published, 10_000) == pytest.approx(margin, abs=5e-5)


def test_image_margin_by_hand():
    assert image_margin(0, 1) == image_margin(100, 1) == 0
    assert image_margin(50, 1) == pytest.approx(98)  # 1.96 sqrt(.5 * .5)


def test_tost_of_the_r_package_equivalence():
    assert weigh(EQUIVALENCE, 0, 0.6).p_rep == pytest.approx(0.003166881489265175, rel=1e-12)


def test_half_of_a_published_error_is_a_margin_where_its_own_is_wider():
    assert half_error_margin(weigh(sample(5, 99.2, 0.1), 99.13, 1.0)) == pytest.approx(0.435)
    assert half_error_margin(weigh(sample(5, 99.2, 0.1), 99.13, 0.435)) is None
    assert half_error_margin(weigh([99.2], 99.13, 1.0)) is None  # no spread
    assert half_error_margin(weigh(sample(5, 99.8, 0.1), 100.0, 1.0)) is None  # no error, of which there is no half


@pytest.mark.parametrize("mean", [90.5, 91.9, 92.0, 93.2])
def test_evidence_is_made_of_scipys_t_tests(mean):
    x, published, margin = sample(5, mean, 0.25), 91.97, 0.53
    e = weigh(x, published, margin)
    inside = [
        stats.ttest_1samp(x, published - margin, alternative="greater").pvalue,
        stats.ttest_1samp(x, published + margin, alternative="less").pvalue,
    ]
    outside = [
        stats.ttest_1samp(x, published + margin, alternative="greater").pvalue,
        stats.ttest_1samp(x, published - margin, alternative="less").pvalue,
    ]
    assert e.difference == pytest.approx(mean - published)
    assert e.p_rep == pytest.approx(max(inside), rel=1e-9)
    assert e.p_far == pytest.approx(min(outside), rel=1e-9)
    # one more run: the regression t test that the last of n + 1 values shifts the mean of the others
    design = np.column_stack([np.ones(6), [0, 0, 0, 0, 0, 1]])
    assert e.p_run == pytest.approx(sm.OLS([*x, published], design).fit().pvalues[1], rel=1e-9)
    assert e.p_not == max(e.p_far, e.p_run)


@pytest.mark.parametrize("n", [2, 5, 40])
@pytest.mark.parametrize("image_variance", [0.0, 0.01, 0.2])
def test_evidence_p_run_is_the_prediction_interval_turned_round(n, image_variance):
    x = sample(n, 91, 0.25)
    for confidence in (0.5, 0.95, 0.999):
        edge = prediction_interval(x, confidence, image_variance).high
        assert weigh(x, edge, 0.5, image_variance).p_run == pytest.approx(1 - confidence, rel=1e-6)
    e = weigh(x, 91, 0.5, image_variance)
    assert e.p_run == pytest.approx(1, abs=1e-6)
    interval = prediction_interval(x, 0.95, image_variance)
    assert (e.run_low, e.run_high) == pytest.approx((interval.low, interval.high), rel=1e-14)


def test_evidence_far_beyond_any_prediction_interval_stays_a_probability():
    e = weigh(sample(2, 0, 1e-6), 1e12, 0.5, image_variance=1e-6)
    assert 0 <= e.p_run <= 1e-9
    beyond_any_quantile = weigh(sample(50, 0, 1e-6), 1e12, 0.5, image_variance=1e-6)
    assert beyond_any_quantile.p_run == pytest.approx(math.exp(-300))


def test_closeness_of_two_means_of_a_published_replication():
    # Moral judgements after organic food, replication by Moery & Calin-Jageman (2016, Social Psychological and
    # Personality Science): 5.25 (SD .95, n 95) and 5.22 (SD .83, n 89). Lakens (2017, ibid. 8, 355-362, and the
    # examples of his package TOSTER) tests d = .48 by pooled variance: t(182) = 3.48, -3.03. Welch's are near.
    margin = 0.48 * np.sqrt((0.95**2 + 0.83**2) / 2)
    e = weigh(sample(95, 5.25, 0.95), 5.22, margin, printed_runs=89, printed_sd=0.83)
    assert e.p_rep == pytest.approx(stats.t.sf(3.03, 182), rel=0.02)


@pytest.mark.parametrize("mean", [91.3, 92.1, 92.6])
def test_a_published_mean_with_its_sd_is_a_second_sample(mean):
    x, other = sample(5, mean, 0.3), sample(10, 91.97, 0.2, seed=1)
    e = weigh(x, 91.97, 0.5, printed_runs=10, printed_sd=0.2)
    above, below = (
        stats.ttest_ind(x + shift, other, equal_var=False, alternative=side).pvalue
        for shift, side in ((0.5, "greater"), (-0.5, "less"))
    )
    assert e.p_rep == pytest.approx(max(above, below), rel=1e-9)
    assert e.p_far == pytest.approx(1 - max(above, below), rel=1e-9)
    # another mean of five runs like the published ten: t(.975, 9) = 2.262157163
    half = 2.262157163 * 0.2 * np.sqrt(0.1 + 0.2)
    assert (e.run_low, e.run_high) == pytest.approx((mean - half, mean + half), rel=1e-9)
    at_the_edge = weigh(sample(5, 91.97 + half, 0.3), 91.97, 0.5, printed_runs=10, printed_sd=0.2)
    assert at_the_edge.p_run == pytest.approx(0.05, rel=1e-6)


def test_a_published_mean_without_its_sd_has_ours():
    """Two samples of one spread, which ours estimates: t(4) with s sqrt(1/5 + 1/10)."""
    e = weigh(sample(5, 92.1, 0.3), 91.97, 0.5, printed_runs=10)
    se = 0.3 * np.sqrt(1 / 5 + 1 / 10)
    assert e.p_rep == pytest.approx(stats.t.sf(0.37 / se, 4), rel=1e-9)
    assert e.p_run == pytest.approx(2 * stats.t.sf(0.13 / se, 4), rel=1e-9)
    one = weigh(sample(5, 92.1, 0.3), 91.97, 0.5)
    assert one.p_rep < e.p_rep
    assert one.p_run > e.p_run  # a mean of ten strays less than one run


def test_a_published_mean_of_equal_runs_has_no_error():
    assert weigh([91.0], 91.97, 0.5, printed_runs=10, printed_sd=0.2).difference == pytest.approx(-0.97)
    assert weigh([91.0, 92.0], 91.97, 0.0, printed_runs=2, printed_sd=0.0).p_run == 0
