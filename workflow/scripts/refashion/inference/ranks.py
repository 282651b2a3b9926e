"""Which cell is best, and in which order a study of one run a cell would print them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion.inference.summaries import finite_array


def rank_probabilities(
    scores: ArrayLike, *, seed: int, resamples: int = 10_000, one_run: bool = False
) -> list[list[float]]:
    """P(rank) of k cells from scores [k, n], by resampling seeds, with replacement.

    Returns [i][r], the chance (0..1) that cell i has rank r + 1 (rank 1 = highest mean); nothing without two seeds. Of
    the means seen here: all n seeds, jointly, which understates the variance of the means by (n - 1) / n. one_run: of a
    study with one run a cell, each cell's any of its n, as in `order_probability`. Tied cells share their ranks alike.
    """
    scores, rng = finite_array(scores, 2), np.random.default_rng(seed)
    k, n = scores.shape
    if n < 2:
        return []
    if one_run:
        drawn = scores[np.arange(k), rng.integers(n, size=(resamples, k))]
    else:
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples) @ scores.T / n
    drawn = np.round(drawn, 9)  # [resamples, k]; rounded, so that equal means tie
    first, last = (stats.rankdata(-drawn, method=end, axis=1)[..., None] for end in ("min", "max"))
    ranks = np.arange(1, k + 1)
    shares = ((first <= ranks) & (ranks <= last)) / (last - first + 1)  # t tied cells have 1/t of each of their ranks
    return shares.mean(0).tolist()


def order_probability(scores: ArrayLike) -> float | None:
    """The chance that a one-run study prints the rows of scores [k, n] in this strict order, the first the highest.

    Each cell's run is any of its n runs. Exact: one pass down the rows, each run weighted by the share of the row above
    that beats it. None without a run.
    """
    scores = finite_array(scores, 2)
    if not scores.size:
        return None
    n = scores.shape[1]
    weight = np.ones(n)  # of each run in a row: the chance that the rows above are in order and above it
    for above, row in pairwise(scores):
        order = np.argsort(above)
        tail = np.append(np.cumsum(weight[order][::-1])[::-1], 0.0)
        weight = tail[np.searchsorted(above[order], row, side="right")] / n
    return float(weight.mean())
