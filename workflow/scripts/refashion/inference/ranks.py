"""Which cell is best, and in which order a study of one run a cell would print them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion.inference.summaries import NO_SEED, as_tuples, finite_array


@dataclass(frozen=True, kw_only=True)
class RankProbabilities:
    """p_rank[i][r]: the chance (0..1) that cell i has rank r + 1 (rank 1 = highest mean); p_best[i] = p_rank[i][0]."""

    k: int
    n: int
    draws: int
    resamples: int
    p_best: tuple[float, ...] | None = None
    p_rank: tuple[tuple[float, ...], ...] | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderProbability:
    """The chance (0..1) that a study with one run a cell prints a given strict order of the cells.

    independent: each cell's run is any of its runs; same_seed: all runs share one seed (the share of seeds that do).
    """

    independent: float | None = None
    same_seed: float | None = None
    reason: str = ""


def rank_probabilities(
    scores: ArrayLike, *, seed: int, resamples: int = 10_000, draws: int | None = None
) -> RankProbabilities:
    """P(best) and P(rank) of k cells from scores [k, n], by resampling seeds jointly, with replacement.

    draws: seeds in each resample (None: n, the ranks of the means seen here; 1: what a one-run study prints). Tied
    cells share their ranks equally. Resampling n seeds understates the variance of the means by (n - 1) / n.
    """
    scores = finite_array(scores, 2)
    k, n = scores.shape
    draws = n if draws is None else draws
    shared = {"k": k, "n": n, "draws": draws, "resamples": resamples}
    if k == 0 or n < 2:
        why = "there is no cell" if k == 0 else "ranks need at least two seeds that all cells share"
        return RankProbabilities(reason=f"cannot say, because {why}", **shared)
    counts = np.random.default_rng(seed).multinomial(draws, np.full(n, 1 / n), size=resamples)
    means = np.round(counts @ scores.T / draws, 9)  # [resamples, k]; rounded, so that equal means tie
    p_rank = as_tuples(_rank_shares(means))
    return RankProbabilities(p_best=tuple(row[0] for row in p_rank), p_rank=p_rank, **shared)


def _rank_shares(means: np.ndarray) -> np.ndarray:
    """Shares [k, k] (cell, rank) over rows of means [R, k]; t tied cells have 1/t of each of their ranks."""
    resamples, k = means.shape
    first = stats.rankdata(-means, method="min", axis=1).astype(int) - 1
    last = stats.rankdata(-means, method="max", axis=1).astype(int) - 1
    weight = 1 / (last - first + 1)
    steps = np.zeros((k, k + 1))  # a cell's weight begins at its first rank and ends after its last
    cells = np.broadcast_to(np.arange(k), means.shape)
    np.add.at(steps, (cells, first), weight)
    np.add.at(steps, (cells, last + 1), -weight)
    return np.clip(steps.cumsum(1)[:, :k] / resamples, 0, 1)


def order_probability(scores: ArrayLike) -> OrderProbability:
    """The chance that a one-run study prints the rows of scores [k, n] in this strict order, the first the highest.

    Exact: one pass down the rows, each run weighted by the share of the row above that beats it.
    """
    scores = finite_array(scores, 2)
    k, n = scores.shape
    if k == 0 or n == 0:
        return OrderProbability(reason=NO_SEED)
    weight = np.ones(n)  # of each run in a row: the chance that the rows above are in order and above it
    for above, row in pairwise(scores):
        order = np.argsort(above)
        tail = np.append(np.cumsum(weight[order][::-1])[::-1], 0.0)
        weight = tail[np.searchsorted(above[order], row, side="right")] / n
    same_seed = (np.diff(scores, axis=0) < 0).all(0).mean()
    return OrderProbability(independent=float(weight.mean()), same_seed=float(same_seed))
