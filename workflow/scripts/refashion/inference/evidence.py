"""What the runs of one cell say about one published number, before any correction for the number of claims."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import elementwise

from refashion.inference.intervals import errors, predicted_half_width
from refashion.inference.summaries import LEVEL, NO_DISTANCE, finite, summarise, upper_p


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one cell's runs say about one published number, before any correction for the number of claims.

    difference = mean - published. p_rep: the mean is closer than the margin (TOST). p_not = max(p_far, p_run). p_far:
    the mean is farther than the margin. p_run: the published number is not one more run of this cell. run_low,
    run_high: the 95% prediction interval in which one more run falls. image_variance (unit squared) enters p_run and
    the prediction interval where the published number was validated on other images. n counts finished runs.
    printed_runs, printed_sd: of which the published number is the mean; it is then held against as a second sample, and
    p_run and the prediction interval are those of another such mean (see `intervals.errors`).
    """

    published: float
    margin: float
    n: int
    printed_runs: int = 1
    printed_sd: float | None = None
    mean: float | None = None
    sd: float | None = None
    difference: float | None = None
    p_rep: float | None = None
    p_far: float | None = None
    p_run: float | None = None
    p_not: float | None = None
    run_low: float | None = None
    run_high: float | None = None
    image_variance: float = 0.0
    diverged: int = 0
    reason: str = ""


class Tested(Evidence):
    """What a type checker knows of evidence that is `tested`: nothing of it is None. It is never made."""

    mean: float
    sd: float
    difference: float
    p_rep: float
    p_far: float
    p_run: float
    p_not: float
    run_low: float
    run_high: float


def tested(e: Evidence) -> TypeGuard[Tested]:
    """Whether there are p-values: two runs or more."""
    return e.p_not is not None


def image_margin(published: float, images: int) -> float:
    """The margin in pp that `images` test images resolve around an accuracy in percent: 1.96 sqrt(p (1 - p) / m)."""
    if not 0 <= published <= 100 or images < 1:
        raise ValueError(f"expected a percentage and at least one image, got {published} and {images}")
    p = published / 100
    return 100 * 1.96 * float(np.sqrt(p * (1 - p) / images))


def half_error(published: float) -> float:
    """The margin in pp that is half of a published accuracy's error: within it, errors differ by less than half.

    Near 100% a margin that images resolve exceeds it, and then holds numbers that a reader would call different.
    """
    finite(published)
    return (100 - published) / 2


def weigh(
    x: ArrayLike,
    published: float,
    margin: float,
    image_variance: float = 0.0,
    diverged: int = 0,
    printed_runs: int = 1,
    printed_sd: float | None = None,
) -> Evidence:
    """What the runs x [n] of a cell say about one published number, uncorrected; `diverged` runs are left out of x.

    p_rep: TOST. p_far: one-sided t test that |mean - published| > margin, in the direction seen. p_run: is the
    published number one more exchangeable run (prediction interval, see `prediction_interval` for image_variance)?
    p_rep and p_far ask for closeness (what the recipe gives on average), p_run for typicality (what one run gives).
    p_not = max of p_far and p_run, because "not reproduced" claims both. image_variance is 2 between_images of
    `image_noise` where the cell was validated on other images than the published number.

    A published mean of several runs has an error of its own: closeness is then Welch's two one-sided tests (Schuirmann
    1987; Gruman, Cribbie & Arpin-Cribbie 2007, Journal of Modern Applied Statistical Methods 6, 133-140).
    """
    finite(published, margin, image_variance, printed_sd or 0.0)
    if image_variance < 0 or margin < 0:
        raise ValueError(f"a margin and a variance are not negative: {margin}, {image_variance}")
    if printed_runs < 1 or (printed_sd is not None and (printed_sd < 0 or printed_runs < 2)):
        raise ValueError(f"expected printed runs, and no negative spread: {printed_runs}, {printed_sd}")
    sample = summarise(x)
    bare = Evidence(
        published=published,
        margin=margin,
        n=sample.n,
        printed_runs=printed_runs,
        printed_sd=printed_sd,
        mean=sample.mean,
        sd=sample.sd,
        difference=None if sample.mean is None else sample.mean - published,
        image_variance=image_variance,
        diverged=diverged,
        reason=sample.reason,
    )
    return with_p_values(bare)


def with_margin(e: Evidence, margin: float) -> Evidence:
    """The same evidence held against another margin."""
    return with_p_values(replace(e, margin=margin))


def decision_bounds(
    sd, n, margin, image_variance, level_rep, level_not, runs=1, spread=np.nan
) -> tuple[np.ndarray, np.ndarray]:
    """The |mean - published| below which p_rep <= level_rep, and above which p_not <= level_not; elementwise.

    By NO_DISTANCE narrower, since nothing is decided at the margin itself.
    """
    se, df, scale, scale_df = errors(sd, n, runs, spread)
    near = margin - stats.t.isf(level_rep, df) * se
    one_run = predicted_half_width(scale, scale_df, image_variance, np.asarray(level_not) / 2)
    far = np.maximum(margin + stats.t.isf(level_not, df) * se, one_run)
    return near - NO_DISTANCE, far + NO_DISTANCE


def with_p_values(e: Evidence) -> Evidence:
    """Evidence with its p-values and prediction interval, from its summary; unchanged below two runs."""
    if e.mean is None or e.sd is None:
        return e
    printed = e.printed_runs, e.printed_sd
    p_rep, p_far, p_run = map(float, claim_p_values(e.difference, e.sd, e.n, e.margin, e.image_variance, *printed))
    *_, scale, df = errors(e.sd, e.n, *printed)
    half = float(predicted_half_width(scale, df, e.image_variance, LEVEL / 2))
    run_low, run_high = e.mean - half, e.mean + half
    p_not = max(p_far, p_run)
    return replace(e, p_rep=p_rep, p_far=p_far, p_run=p_run, p_not=p_not, run_low=run_low, run_high=run_high)


def claim_p_values(
    difference, sd, n, margin, image_variance=0.0, runs=1, spread=np.nan, df=None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p_rep, p_far, p_run of `weigh`, elementwise over broadcast arrays; see `intervals.errors`, every n at least 2."""
    distance = np.abs(difference)
    se, df, scale, scale_df = errors(sd, n, runs, spread, df)
    p_rep = upper_p(margin - distance, se, df)  # the larger of TOST's two is the one on the side of the difference
    p_far = upper_p(distance - margin, se, df)
    if np.any(image_variance):
        p_run = _howe_p(distance, scale**2, scale_df, image_variance)
    else:
        p_run = np.minimum(1, 2 * upper_p(distance, scale, scale_df))
    return p_rep, p_far, p_run


def _howe_p(distance, estimated, df, known) -> np.ndarray:
    """The two-sided p at which distance^2 = t(df)^2 estimated + z^2 known (Howe 1974), by root finding in log p."""

    def excess(log_p, distance, estimated, df, known):
        tail = np.exp(log_p) / 2
        return stats.t.isf(tail, df) ** 2 * estimated + stats.norm.isf(tail) ** 2 * known - distance**2

    smallest = -300.0  # p = 1e-130; beyond it the quantiles of t(1) overflow when squared
    arguments = np.broadcast_arrays(*(np.asarray(a, float) for a in (distance, estimated, df, known)))
    beyond = excess(smallest, *arguments) <= 0
    near = np.where(beyond, 0.0, arguments[0])
    root = elementwise.find_root(excess, (smallest, 0.0), args=(near, *arguments[1:]))
    return np.exp(np.where(beyond, smallest, root.x))
