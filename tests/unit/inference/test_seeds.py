"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import math

import numpy as np
import pytest
from scipy import stats

from refashion.inference import intervals
from refashion.inference.seeds import stein_seeds
from worked_examples import sample


@pytest.mark.parametrize(
    ("sd", "half_width", "n"),
    # design table: half-widths .1, .15, .2, .3 pp at SD .2 and .3; found here by counting up
    [(0.2, 0.1, 18), (0.2, 0.15, 10), (0.2, 0.2, 7), (0.2, 0.3, 5), (0.3, 0.1, 38), (0.3, 0.15, 18), (0.3, 0.2, 12)],
)
def test_half_widths_against_the_number_of_seeds(sd, half_width, n):
    before, at = (intervals.half_width(sd, seeds, seeds - 1, 0.95) for seeds in (n - 1, n))
    assert at <= half_width < before


def test_half_widths_equal_the_t_interval():
    half_width = intervals.half_width(0.2, 6, 5, 0.95)
    assert half_width == pytest.approx(intervals.t_interval(sample(6, 91, 0.2)).half_width)


# Mukhopadhyay 2000, Probability and Statistical Inference, table 13.2.1 (5,000 replications, true SD 5): pilot,
# half-width d, mean N and its standard error, coverage of mean +- d and its standard error. The coverages printed for a
# pilot of 5 (.98 to .99) are left out: they contradict the integral below and the standard errors printed beside them,
# which such a share in 5,000 replications cannot have.
MUKHOPADHYAY = [
    (5, 1.789, 62.32, 0.825, None, None),
    (5, 1.386, 103.03, 1.023, None, None),
    (5, 0.980, 199.20, 1.765, None, None),
    (10, 1.789, 40.48, 0.264, 0.9577, 0.0029),
    (10, 1.386, 67.22, 0.416, 0.9458, 0.0037),
    (10, 0.980, 135.16, 0.915, 0.9524, 0.0032),
]


@pytest.mark.parametrize(("pilot", "d", "mean_n", "se_n", "coverage", "se_coverage"), MUKHOPADHYAY)
def test_stein_seeds_against_mukhopadhyay(pilot, d, mean_n, se_n, coverage, se_coverage):
    # E(N) and coverage by integrating over the pilot's SD at 1,000 equally likely values
    chi2 = stats.chi2.ppf((np.arange(1_000) + 0.5) / 1_000, pilot - 1)
    shape = sample(pilot)
    n = np.array([stein_seeds(shape * sd, d) for sd in 5 * np.sqrt(chi2 / (pilot - 1))])
    exact = (2 * stats.norm.cdf(d * np.sqrt(n) / 5) - 1).mean()
    assert n.mean() == pytest.approx(mean_n, abs=3 * se_n)
    assert exact >= 0.95
    if coverage is not None:
        assert exact == pytest.approx(coverage, abs=3 * se_coverage)


def test_stein_seeds_by_hand():
    pilot = sample(10, 91, 0.3)  # (t(.975, 9) .3 / .15)^2 = (2.262157 * 2)^2 = 20.47
    assert stein_seeds(pilot, 0.15) == 21
    assert stein_seeds(pilot, 5.0) == 10  # never fewer than the pilot
    # (t(.975, 4) .3631 / .15)^2 = (2.776445 * 2.42067)^2 = 45.17, where 25 would do if the SD were known to be .3631
    assert stein_seeds(sample(5, 88.86, 0.3631), 0.15) == 46
    assert stein_seeds([91.0], 0.15) is None


def test_stein_interval_uses_the_pilots_sd():
    x = np.concatenate([sample(10, 91, 0.3), sample(11, 91.2, 1.0)])
    interval = intervals.t_interval(x, pilot=10)
    assert interval.half_width == pytest.approx(2.2621571628 * 0.3 / math.sqrt(21), rel=1e-9)
    assert (interval.mean, interval.n) == (pytest.approx(x.mean()), 21)


def test_stein_interval_of_a_pilot_of_one_keeps_mean_count_and_reason():
    interval = intervals.t_interval([91.0, 92.0], pilot=1)
    assert (interval.mean, interval.n, interval.low) == (91.5, 2, None)
    assert interval.reason == intervals.t_interval([91.0]).reason
