"""Samples and published data that several tests of the statistics use."""

import numpy as np

from refashion.inference.distances import Distances
from refashion.inference.evidence import Evidence, weigh
from refashion.inference.verdicts import Cause

# R's data set `sleep` (Cushny & Peebles 1905), extra hours of sleep of the same ten patients under two drugs.
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]

# Differences of the fifteen pairs in the paired example of the R package `equivalence`, function tost.
EQUIVALENCE = np.subtract(
    [2.84, 2.51, 2.41, 2.95, 3.14, 3.79, 4.14, 3.85, 3.02, 3.45, 5.37, 3.81, 4.19, 3.16, 3.84],
    [2.60, 2.82, 2.18, 3.46, 4.01, 3.04, 3.47, 4.06, 2.91, 3.59, 4.51, 3.16, 3.86, 3.31, 3.02],
)

# Ratings of six targets by four judges: Shrout & Fleiss 1979, Psychological Bulletin 86, 420-428, table 2.
RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


def sample(n, mean=0.0, sd=1.0, seed=0):
    """n values with exactly this mean and SD."""
    x = np.random.default_rng(seed).normal(size=n)
    return mean + sd * (x - x.mean()) / x.std(ddof=1)


def cells(n, sd, margin, **others):
    """Cells of k claims [k], as simulations are given them."""
    return Distances(0.0, np.asarray(sd, float), np.asarray(n), np.asarray(margin), **others)


def one_of_each_cause() -> dict[Cause, list[Evidence]]:
    """Families, on a published 92.00 with a margin of .5 pp, of which the first member has this cause."""

    def on(x, **others):
        return weigh(x, 92.0, 0.5, **others)

    others = [on([92.0])] * 6  # one run each, which count in the family and have no p-values
    return {
        Cause.CLOSE: [on(sample(10, 92.1, 0.15))],
        Cause.FAR: [on(sample(10, 90.5, 0.2))],
        Cause.DIVERGED: [on(sample(9, 92.0, 0.1), diverged=1)],
        Cause.NO_TEST: [on([91.9])],
        Cause.CORRECTED: [on(sample(5, 90.49, 0.35)), *others],
        Cause.IMPRECISE: [on(sample(10, 92.4, 0.3))],
        Cause.AT_MARGIN: [on(sample(20, 91.5, 0.2))],
        # two printed runs of SD 1: their mean is known to 0.7 pp, whatever the runs here
        Cause.PRINTED_MEAN: [on(sample(10, 92.0, 0.2), printed_runs=2, printed_sd=1.0)],
        Cause.ONE_RUN: [on(sample(20, 91.3, 0.6))],
        # 2.2 SD off: p_run tends to .028, below .05 but above .05 / 4 with whatever number of seeds
        Cause.NEAR_RUNS: [on(sample(40, 92.0 + 2.2, 1.0)), *others[:3]],
    }
