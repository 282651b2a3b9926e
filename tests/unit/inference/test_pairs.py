"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from refashion.inference.factorial import paired_contrast
from refashion.inference.pairs import (
    _random_signed_sums,
    _sign_flip_p,
    a12,
    mcnemar_p,
    mcnemar_share,
    paired_comparison,
)
from worked_examples import SLEEP_1, SLEEP_2, sample


def test_paired_comparison_of_r_sleep():
    result = paired_comparison(SLEEP_1, SLEEP_2, seed=0)
    assert result.difference / (result.sd / math.sqrt(10)) == pytest.approx(-4.0621, abs=5e-5)
    assert result.p == pytest.approx(0.002833, abs=5e-7)
    assert (round(result.low, 4), round(result.high, 4)) == (-2.4599, -0.7001)
    assert (result.p_sign_flip, result.sign_flip_exact, result.p_smallest) == (0.00390625, True, 2 / 2**10)
    # R: t.test(extra ~ group, data = sleep): p = 0.07939, interval -3.3654832 to 0.2054832
    assert result.welch_p == pytest.approx(0.07939, abs=5e-6)
    assert (result.welch_low, result.welch_high) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)
    assert result.seed_correlation == pytest.approx(stats.pearsonr(SLEEP_1, SLEEP_2).statistic)
    assert (result.mean_a, result.mean_b) == pytest.approx((0.75, 2.33))


def test_sign_flip_of_darwins_maize():
    # Fisher 1935, The Design of Experiments, section 21: 863 of 32,768 sign patterns in each tail; t test p = .0497.
    # Differences of Darwin's fifteen pairs in eighths of an inch.
    d = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    result = paired_comparison(d, np.zeros(15), seed=0)
    assert result.p_sign_flip == 2 * 863 / 32_768
    assert result.p == pytest.approx(0.0497, abs=5e-5)


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
    assert result.sign_flip_exact


def test_sign_flip_counts_ties_that_only_rounding_separates():
    # 0.1 + 0.2 != 0.3 in floating point; the patterns (+ + -) and (- - +) tie with nothing, |.1 + .2 - .3| = 0 does
    result = paired_comparison([91.1, 91.2, 90.7], [91.0, 91.0, 91.0], seed=0)
    assert result.p_sign_flip == 1.0


def test_random_sign_flip_agrees_with_the_exact_test():
    d = sample(20, 0.3, 1.0)
    exact = _sign_flip_p(d, seed=0, resamples=0)
    assert exact[1]
    sums = _random_signed_sums(d, seed=5, resamples=99_999)
    share = np.mean(np.abs(sums) >= abs(d.sum()) - 1e-9)
    assert sums.size == 99_999
    assert share == pytest.approx(exact[0], abs=4 * math.sqrt(exact[0] * (1 - exact[0]) / 99_999))
    large = paired_comparison(sample(25, 0.3, 1.0), np.zeros(25), seed=5)
    assert not large.sign_flip_exact
    assert large.p_sign_flip == pytest.approx(large.p, abs=0.02)
    assert (large.p_sign_flip * 100_000) == pytest.approx(round(large.p_sign_flip * 100_000), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_welch_inside_the_comparison_is_scipys(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(91, 0.1, 6), rng.normal(91.2, 0.4, 6)
    welch = stats.ttest_ind(a, b, equal_var=False)
    result = paired_comparison(a, b, seed=0)
    assert result.welch_p == pytest.approx(welch.pvalue, rel=1e-10)
    assert (result.welch_low, result.welch_high) == pytest.approx(tuple(welch.confidence_interval()), rel=1e-10)


def test_comparison_needs_equal_lengths():
    with pytest.raises(ValueError, match="same seeds, got 3 and 2 runs"):
        paired_comparison([1, 2, 3], [1, 2], seed=0)


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


def test_a12_is_the_mann_whitney_statistic():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 12), rng.integers(0, 9, 7)
    assert a12(a, b) == pytest.approx(stats.mannwhitneyu(a, b).statistic / (12 * 7), rel=1e-12)


def test_mcnemar_published_table():
    # [[101, 121], [59, 33]]: exact p 4.43445e-6 (mlxtend's and statsmodels' documentation use this table)
    assert mcnemar_p(121, 59) == pytest.approx(4.43445e-6, rel=2e-6)
    assert mcnemar_p(59, 121) == pytest.approx(statsmodels_mcnemar([[101, 121], [59, 33]]).pvalue, rel=1e-10)


def test_mcnemar_is_scipys_binomial_test():
    counts = [(0, 0), (0, 5), (6, 0), (3, 3), (12, 30)]
    expected = [stats.binomtest(min(b, c), b + c).pvalue if b + c else 1.0 for b, c in counts]
    assert mcnemar_p(*np.transpose(counts)) == pytest.approx(expected, rel=1e-10)


def test_mcnemar_share_counts_the_authors():
    # of 20 images that differ, 15 to 5 is significant (p = .041) and 14 to 6 is not (p = .115)
    pattern = {"a sure": (15, 5), "a ahead": (14, 6), "tied": (10, 10), "b ahead": (6, 14), "b sure": (5, 15)}
    authors = ["a sure", "a ahead", "a ahead", "tied", "b ahead", "b sure", "b sure", "b sure"]
    a = np.array([[1] * pattern[one][0] + [0] * pattern[one][1] + [1] for one in authors], bool)
    b = np.array([[0] * pattern[one][0] + [1] * pattern[one][1] + [1] for one in authors], bool)
    share = mcnemar_share(a, b)
    assert (share.n, share.a_ahead, share.tied, share.b_ahead) == (8, 3 / 8, 1 / 8, 4 / 8)
    assert (share.a_significant, share.b_significant) == (1 / 8, 3 / 8)
    assert mcnemar_share(a, b, level=0.2).a_significant == 3 / 8
    with pytest.raises(ValueError, match="same seeds and images"):
        mcnemar_share(a, b[:, :10])


def test_constant_differences_are_recognised_through_rounding():
    a, better = np.array([64.00, 64.01, 91.23]), np.array([64.01, 64.02, 91.24])
    assert np.ptp(better - a) > 1e-12 * 0.01  # the same hundredth three times, but for the rounding of 64.01
    result = paired_comparison(better, a, seed=0)
    assert (result.sd, result.p, result.low, result.high) == (0.0, 0.0, result.difference, result.difference)
    assert paired_contrast([better, a], [1, -1]).se == 0
    equal = paired_comparison(a, a, seed=0)
    assert (equal.difference, equal.p, equal.p_sign_flip, equal.a12) == (0.0, 1.0, 1.0, 0.5)


def test_two_seeds_give_numbers():
    result = paired_comparison([91.0, 92.0], [90.0, 90.5], seed=0)
    assert result.p == pytest.approx(stats.ttest_rel([91.0, 92.0], [90.0, 90.5]).pvalue)
    assert result.p_smallest == 0.5  # nothing can be significant by sign flips
    assert result.p_sign_flip == 0.5
    assert result.seed_correlation is None
