"""Intervals of one cell: of its mean, for one more run, and of its accuracy on new images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion.inference.distances import Distances
from refashion.inference.summaries import LEVEL, NO_SEED, ONE_SEED, finite, finite_array, summarise
from refashion.inference.variance import crossed_mean_squares


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean with an interval (of the mean, or for one more run)."""

    mean: float | None = None
    sd: float | None = None
    n: int
    low: float | None = None
    high: float | None = None
    reason: str = ""

    @property
    def half_width(self) -> float | None:
        """Half of high - low, in the unit of the data."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def t_interval(x: ArrayLike, confidence: float = 1 - LEVEL, pilot: int | None = None) -> Interval:
    """Student's t interval of the mean of x [n]: mean +- t(n - 1) s / sqrt(n).

    pilot: how many of x, the first, planned n by Stein's rule (see `seeds.stein_seeds`); s and its degrees of freedom
    are then theirs. Coverage is exact for normal runs, n being bounded or not, because n depends on that s alone.
    """
    sample = summarise(x)
    first = sample if pilot is None else summarise(sample.values[:pilot])
    if sample.mean is None or first.sd is None:
        return Interval(mean=sample.mean, n=sample.n, reason=first.reason)
    return _around(sample.mean, first.sd, sample.n, half_width(first.sd, sample.n, first.n - 1, confidence))


def half_width(sd: float, n: int, df: int, confidence: float) -> float:
    """Half-width t(df) sd / sqrt(n) of the interval of a mean of n runs."""
    return float(stats.t.isf((1 - confidence) / 2, df) * sd / np.sqrt(n))


def _around(mean: float, sd: float, n: int, half: float) -> Interval:
    return Interval(mean=mean, sd=sd, n=n, low=mean - half, high=mean + half)


def prediction_interval(
    x: ArrayLike,
    confidence: float = 1 - LEVEL,
    image_variance: float = 0.0,
    runs: int = 1,
    spread: float | None = None,
) -> Interval:
    """The interval in which one more run of the cell x [n] falls: mean +- t(n - 1) s sqrt(1 + 1/n).

    image_variance (unit squared): where that run is validated on other images (see `Distances.run_half_width`). runs,
    spread: in which the mean of so many more falls, with their SD where it is known (see `Distances.errors`).
    """
    finite(image_variance)
    sample = summarise(x)
    if sample.mean is None or sample.sd is None:
        return Interval(mean=sample.mean, n=sample.n, reason=sample.reason)
    more = Distances(0.0, sample.sd, sample.n, 0.0, image_variance, runs, np.nan if spread is None else spread)
    return _around(sample.mean, sample.sd, sample.n, float(more.run_half_width((1 - confidence) / 2)))


def new_images_interval(scores: ArrayLike, confidence: float = 1 - LEVEL) -> Interval:
    """Interval in pp for the mean of scores [n, m] over new seeds and new images, both crossed and random.

    scores: 0/1 (image right or wrong) for an accuracy; the difference of two such arrays (-1, 0, 1) for a comparison.
    With mean squares MS_s, MS_i, MS_r of seeds, images and residual, V = (MS_s + MS_i - MS_r) / (n m), which is
    s_d^2 / n + s_D^2 / m - s_res^2 / (n m), unbiased for the variance of the mean; negative components count as 0.
    Half-width sqrt(t(n - 1)^2 MS_s + t(m - 1)^2 (MS_i - MS_r)) / sqrt(n m): Howe's form (1974, JASA 69, 789-794), each
    part with its own degrees of freedom, so that it is never shorter than the seeds' own interval. Satterthwaite's,
    from all three mean squares, can be: many images lend few seeds degrees of freedom that they do not have.
    """
    scores = np.asarray(scores)
    n, m = finite_array(scores, 2, np.float32).shape
    if n < 2 or m < 2:
        mean = float(100 * scores.mean()) if n and m else None
        reason = (NO_SEED, ONE_SEED)[n] if n < 2 else "cannot say, because there are fewer than two images"
        return Interval(mean=mean, n=n, reason=reason)
    mean, *squares = crossed_mean_squares(scores)
    ms_seed, ms_image, ms_residual = (1e4 * ms for ms in squares)
    parts = np.array([max(ms_seed, ms_residual), max(0.0, ms_image - ms_residual)]) / (n * m)
    t = stats.t.isf((1 - confidence) / 2, [n - 1, m - 1])
    return _around(100 * mean, float(np.sqrt(ms_seed / m)), n, float(np.sqrt((t**2 * parts).sum())))
