"""Intervals of one cell: of its mean, for one more run, and of its accuracy on new images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion.inference.summaries import LEVEL, NO_SEED, ONE_SEED, finite, finite_array, summarise
from refashion.inference.variance import crossed_mean_squares


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean with an interval (of the mean, or for one more run). `confidence` is 0.95 for a 95% interval."""

    mean: float | None = None
    sd: float | None = None
    n: int
    low: float | None = None
    high: float | None = None
    confidence: float
    reason: str = ""

    @property
    def half_width(self) -> float | None:
        """Half of high - low, in the unit of the data."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


@dataclass(frozen=True, kw_only=True)
class NewImagesInterval:
    """An interval in pp that covers new seeds and new images at once."""

    mean: float | None = None
    n: int
    m: int
    low: float | None = None
    high: float | None = None
    confidence: float
    reason: str = ""


def t_interval(x: ArrayLike, confidence: float = 1 - LEVEL) -> Interval:
    """Student's t interval of the mean of x [n]: mean +- t(n - 1) s / sqrt(n)."""
    sample = summarise(x)
    if sample.mean is None or sample.sd is None:
        return Interval(mean=sample.mean, n=sample.n, confidence=confidence, reason=sample.reason)
    half = float(stats.t.isf((1 - confidence) / 2, sample.n - 1) * sample.sd / np.sqrt(sample.n))
    return around(sample.mean, sample.sd, sample.n, half, confidence)


def around(mean: float, sd: float, n: int, half: float, confidence: float) -> Interval:
    return Interval(mean=mean, sd=sd, n=n, low=mean - half, high=mean + half, confidence=confidence)


def prediction_interval(x: ArrayLike, confidence: float = 1 - LEVEL, image_variance: float = 0.0) -> Interval:
    """The interval in which one more run of the cell x [n] falls: mean +- t(n - 1) s sqrt(1 + 1/n).

    image_variance v (unit squared) is added where that run is validated on other images: half-width
    sqrt(t(n - 1)^2 s^2 (1 + 1/n) + z^2 v), Howe's interval for the sum of an estimated and a known variance (Howe 1974,
    JASA 69, 789-794). Simulated, it never covers less than .95: .96 to .97 at n = 5, where t(n - 1) on the whole sum
    covers .975 to .994 and Satterthwaite's degrees of freedom .94 to .95 (.89 at n = 2).
    """
    finite(image_variance)
    sample = summarise(x)
    if sample.mean is None or sample.sd is None:
        return Interval(mean=sample.mean, n=sample.n, confidence=confidence, reason=sample.reason)
    half = float(run_half_width(sample.sd, sample.n, image_variance, (1 - confidence) / 2))
    return around(sample.mean, sample.sd, sample.n, half, confidence)


def run_half_width(sd, n, image_variance, tail) -> np.ndarray:
    """Half-width of the prediction interval that leaves `tail` on each side; elementwise."""
    seeds = stats.t.isf(tail, n - 1) ** 2 * sd**2 * (1 + 1 / n)
    return np.sqrt(seeds + stats.norm.isf(tail) ** 2 * image_variance)


def new_images_interval(scores: ArrayLike, confidence: float = 1 - LEVEL) -> NewImagesInterval:
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
        return NewImagesInterval(mean=mean, n=n, m=m, confidence=confidence, reason=reason)
    mean, *squares = crossed_mean_squares(scores)
    mean, ms_seed, ms_image, ms_residual = 100 * mean, *(1e4 * ms for ms in squares)
    parts = np.array([max(ms_seed, ms_residual), max(0.0, ms_image - ms_residual)]) / (n * m)
    t = stats.t.isf((1 - confidence) / 2, [n - 1, m - 1])
    half = float(np.sqrt((t**2 * parts).sum()))
    return NewImagesInterval(
        mean=mean,
        n=n,
        m=m,
        low=mean - half,
        high=mean + half,
        confidence=confidence,
    )
