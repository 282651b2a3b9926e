"""What every function of this room takes and promises, and the pieces that they share.

Conventions
    Accuracies are in percent (0..100), differences in percentage points (pp); nothing here depends on that unit,
    except where a docstring says so. `n` counts seeds, `m` images, `k` cells or claims, `e` epochs.
    Arrays hold no NaN and no infinity; one that does is a programming error (ValueError).
    Runs of two cells are paired by position: column j of every array belongs to the same seed.

What does not exist is None
    A quantity that the data cannot give (an interval from one seed) is None. Where a result has a `reason`, it says why
    in one sentence that begins "cannot say", and is "" where everything exists. Nothing here returns NaN.

All values equal (SD 0, two seeds or more)
    The limit SD -> 0 of each formula: intervals have zero width; a test whose hypothesis the constant contradicts has
    p = 0, any other p = 1, the boundary counting as not contradicted. Values that differ by less than 1e-12 of their
    size are equal: that is rounding, not variation (one image in 10,000 is 0.01 pp).

Randomness
    Functions that resample or simulate take an explicit integer `seed` and build their own generator: the same input
    gives the same output to the bit, whatever was called before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion import LEVEL as LEVEL  # which every module of the room takes from here

#: Values closer than this share of their size are equal; see the module's docstring.
ROUNDING = 1e-12
#: With SD 0, a distance below this (pp) is none. One image in 10,000 is 0.01 pp.
NO_DISTANCE = 1e-9
NO_SEED = "cannot say, because there is no finished run"
ONE_SEED = "cannot say, because one seed gives no interval"


class Summary(NamedTuple):
    """n, mean and SD (ddof 1) of a sample; mean None below one value, sd None below two."""

    values: np.ndarray
    n: int
    mean: float | None
    sd: float | None

    @property
    def reason(self) -> str:
        return (NO_SEED, ONE_SEED, "")[min(self.n, 2)]


def finite_array(x: ArrayLike, dimensions: int, dtype: type = float) -> np.ndarray:
    """x as an array of so many dimensions; ValueError for another shape, NaN or infinity."""
    array: np.ndarray = np.asarray(x, dtype=dtype)
    if array.ndim != dimensions:
        raise ValueError(f"expected an array of {dimensions} dimensions, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("expected finite numbers, got NaN or infinity; leave out diverged and missing runs first")
    return array


def finite(*numbers: float) -> None:
    """ValueError unless all numbers are finite."""
    if not np.isfinite(numbers).all():
        raise ValueError(f"expected finite numbers, got {', '.join(map(str, numbers))}")


def summarise(x: ArrayLike, size: float | None = None) -> Summary:
    """Summarise x [n]. Equal values give exactly their value and SD 0, not the rounding error of a sum.

    size: of the numbers of which x are sums, and by whose rounding x may vary; that of x by default.
    """
    values = finite_array(x, 1)
    n = values.size
    if n == 0:
        return Summary(values, 0, None, None)
    if np.ptp(values) <= ROUNDING * (np.abs(values).max() if size is None else size):
        return Summary(values, n, float(values[0]), 0.0 if n > 1 else None)
    return Summary(values, n, float(values.mean()), float(values.std(ddof=1)))


def upper_p(excess: ArrayLike, scale: ArrayLike, df: ArrayLike) -> np.ndarray:
    """P(T_df > excess / scale), elementwise; scale 0 gives 0 where excess is positive, else 1."""
    excess, scale = np.broadcast_arrays(np.asarray(excess, float), np.asarray(scale, float))
    limit = np.where(excess > NO_DISTANCE, np.inf, -np.inf)
    return stats.t.sf(np.divide(excess, scale, out=limit, where=scale > 0), df)


def welch(variances, dfs) -> tuple[np.ndarray, np.ndarray]:
    """Standard error of a sum of means with these squared standard errors, and its degrees of freedom; elementwise.

    Welch-Satterthwaite; where nothing varies, the error is 0 and the degrees of freedom, which then do not matter, 1.
    """
    total = np.asarray(sum(variances), float)
    parts = np.asarray(sum(variance**2 / df for variance, df in zip(variances, dfs, strict=True)), float)
    return np.sqrt(total), np.divide(total**2, parts, out=np.ones(np.shape(parts)), where=parts > 0)


class BestEpoch(NamedTuple):
    """Best and honest best accuracy of one run, and the best epoch, from 1; None where no epoch has finished."""

    best: float | None = None
    best_epoch: int | None = None
    honest_best: float | None = None


def honest_best(accuracy: ArrayLike, half_a: ArrayLike, half_b: ArrayLike) -> BestEpoch:
    """Best epoch of one run, and what it is worth when chosen on one half of the images and scored on the other.

    accuracy, half_a, half_b: [e], accuracy after each epoch on all images and on two fixed halves of equal size (any
    unit). honest_best = (b[argmax a] + a[argmax b]) / 2, the first epoch winning a tie. The optimism, best -
    honest_best, is an upper bound in expectation: choosing on half the images picks a worse epoch than choosing on all.
    It is never negative, because best >= (a + b) / 2 at both chosen epochs.
    """
    accuracy, a, b = finite_array(accuracy, 1), finite_array(half_a, 1), finite_array(half_b, 1)
    if accuracy.size == 0:
        return BestEpoch()
    best = int(accuracy.argmax())
    return BestEpoch(float(accuracy[best]), best + 1, float(b[a.argmax()] + a[b.argmax()]) / 2)
