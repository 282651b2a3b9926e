"""Samples and published data that several tests of the statistics use."""

import numpy as np

from refashion.inference.evidence import Evidence, weigh

# R's data set `sleep` (Cushny & Peebles 1905), extra hours of sleep of the same ten patients under two drugs.
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]


SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


# Ratings of six targets by four judges: Shrout & Fleiss 1979, Psychological Bulletin 86, 420-428, table 2.
RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


def sample(n, mean=0.0, sd=1.0, seed=0):
    """n values with exactly this mean and SD."""
    x = np.random.default_rng(seed).normal(size=n)
    return mean + sd * (x - x.mean()) / x.std(ddof=1)


def one_of_each_verdict() -> list[Evidence]:
    """Evidence on the published 92.00 (margin .5 pp): two reproduced, one not reproduced, then inconclusive ones."""
    return [
        weigh(sample(10, 92.1, 0.15), 92.0, 0.5),
        weigh(sample(10, 91.6, 0.05), 92.0, 0.5),
        weigh(sample(10, 90.5, 0.2), 92.0, 0.5),
        weigh(sample(10, 92.4, 0.3), 92.0, 0.5),
        weigh(sample(10, 91.0, 0.9), 92.0, 0.5),
        weigh([91.9], 92.0, 0.5),
        weigh([], 92.0, 0.5),
        weigh(sample(9, 92.0, 0.1), 92.0, 0.5, diverged=1),
    ]
