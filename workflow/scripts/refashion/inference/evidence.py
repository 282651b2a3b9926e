"""What the runs of one cell say about one published number, before any correction for the number of claims."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import elementwise

from refashion.inference.intervals import run_half_width
from refashion.inference.summaries import LEVEL, NO_SEED, ONE_SEED, finite, summarise, two_sided_p, upper_p, welch


@dataclass(frozen=True, kw_only=True)
class BoundTest:
    """One-sided t tests of a mean against a bound: p_above small = the mean lies above it, p_below small = below it."""

    mean: float | None = None
    bound: float
    n: int
    p_above: float | None = None
    p_below: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one cell's runs say about one published number, before any correction for the number of claims.

    difference = mean - published. p_rep: the mean is closer than the margin (TOST). p_not = max(p_far, p_run). p_far:
    the mean is farther than the margin. p_run: the published number is not one more run of this cell. run_low,
    run_high: the 95% prediction interval in which one more run falls. image_variance (unit squared) enters p_run and
    the prediction interval where the published number was validated on other images. n counts finished runs.
    """

    published: float
    margin: float
    n: int
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


@dataclass(frozen=True, kw_only=True)
class MeansEvidence:
    """What one cell's runs say about a published mean of published_n runs with SD published_sd.

    difference = mean - published. p_rep, p_far: the true means are closer than the margin, or farther (Welch).
    study_low, study_high: the 95% prediction interval for the mean of n runs like the published ones; p_study: this
    mean is none of those. n counts the runs of this study.
    """

    published: float
    published_sd: float
    published_n: int
    margin: float
    n: int
    mean: float | None = None
    sd: float | None = None
    difference: float | None = None
    p_rep: float | None = None
    p_far: float | None = None
    p_study: float | None = None
    study_low: float | None = None
    study_high: float | None = None
    reason: str = ""


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


def bound_test(x: ArrayLike, bound: float) -> BoundTest:
    """One-sided one-sample t tests of x [n] against a bound, in both directions."""
    finite(bound)
    sample = summarise(x)
    if sample.mean is None or sample.sd is None:
        return BoundTest(mean=sample.mean, bound=bound, n=sample.n, reason=sample.reason)
    excess, se = sample.mean - bound, sample.sd / np.sqrt(sample.n)
    above, below = (float(upper_p(sign * excess, se, sample.n - 1)) for sign in (1, -1))
    return BoundTest(mean=sample.mean, bound=bound, n=sample.n, p_above=above, p_below=below)


def welch_bound_test(a: ArrayLike, b: ArrayLike, bound: float) -> BoundTest:
    """One-sided Welch tests of mean(a) - mean(b), cells [n_a] and [n_b] that share no seeds, in both directions.

    `mean` is the difference and n the smaller number of runs. Welch 1947, Biometrika 34, 28-35.
    """
    finite(bound)
    first, second = summarise(a), summarise(b)
    n = min(first.n, second.n)
    if first.mean is None or second.mean is None:
        return BoundTest(bound=bound, n=n, reason=NO_SEED)
    difference = first.mean - second.mean
    if first.sd is None or second.sd is None:
        return BoundTest(mean=difference, bound=bound, n=n, reason=ONE_SEED)
    se, df = welch(first.sd**2 / first.n, second.sd**2 / second.n, first.n - 1, second.n - 1)
    above, below = (float(upper_p(sign * (difference - bound), se, df)) for sign in (1, -1))
    return BoundTest(mean=difference, bound=bound, n=n, p_above=above, p_below=below)


def weigh(x: ArrayLike, published: float, margin: float, image_variance: float = 0.0, diverged: int = 0) -> Evidence:
    """What the runs x [n] of a cell say about one published number, uncorrected; `diverged` runs are left out of x.

    p_rep: TOST. p_far: one-sided t test that |mean - published| > margin, in the direction seen. p_run: is the
    published number one more exchangeable run (prediction interval, see `prediction_interval` for image_variance)?
    p_rep and p_far ask for closeness (what the recipe gives on average), p_run for typicality (what one run gives).
    p_not = max of p_far and p_run, because "not reproduced" claims both. image_variance is 2 between_images of
    `image_noise` where the cell was validated on other images than the published number.
    """
    finite(published, margin, image_variance)
    if image_variance < 0 or margin < 0:
        raise ValueError(f"a margin and a variance are not negative: {margin}, {image_variance}")
    sample = summarise(x)
    bare = Evidence(
        published=published,
        margin=margin,
        n=sample.n,
        mean=sample.mean,
        sd=sample.sd,
        difference=None if sample.mean is None else sample.mean - published,
        image_variance=image_variance,
        diverged=diverged,
        reason=sample.reason,
    )
    return with_p_values(bare)


def weigh_means(x: ArrayLike, published: float, published_sd: float, published_n: int, margin: float) -> MeansEvidence:
    """What the runs x [n] say about a published mean of `published_n` runs, which has an error of its own.

    Closeness by Welch's two one-sided tests (Schuirmann 1987; Gruman, Cribbie & Arpin-Cribbie 2007, Journal of Modern
    Applied Statistical Methods 6, 133-140). Typicality by the published study's prediction interval for another mean:
    published +- t(published_n - 1) published_sd sqrt(1 / published_n + 1 / n) (Spence & Stanley 2016, PLoS ONE 11,
    e0162874).
    """
    finite(published, published_sd, margin)
    if published_n < 2 or published_sd < 0 or margin < 0:
        raise ValueError(f"expected 2 runs, a spread and a margin, got {published_n}, {published_sd} and {margin}")
    sample, df = summarise(x), published_n - 1
    bare = MeansEvidence(
        published=published,
        published_sd=published_sd,
        published_n=published_n,
        margin=margin,
        n=sample.n,
        mean=sample.mean,
        sd=sample.sd,
        difference=None if sample.mean is None else sample.mean - published,
        reason=sample.reason,
    )
    if sample.mean is None or sample.sd is None:
        return bare
    distance = abs(sample.mean - published)
    se, both = welch(sample.sd**2 / sample.n, published_sd**2 / published_n, sample.n - 1, df)
    another = published_sd * np.sqrt(1 / published_n + 1 / sample.n)
    half = float(stats.t.isf(LEVEL / 2, df) * another)
    return replace(
        bare,
        p_rep=float(upper_p(margin - distance, se, both)),
        p_far=float(upper_p(distance - margin, se, both)),
        p_study=two_sided_p(distance, another, df),
        study_low=published - half,
        study_high=published + half,
    )


def with_margin(e: Evidence, margin: float) -> Evidence:
    """The same evidence held against another margin."""
    return with_p_values(replace(e, margin=margin))


def decision_bounds(sd, n, margin, image_variance, level_rep, level_not) -> tuple[np.ndarray, np.ndarray]:
    """The |mean - published| up to which p_rep <= level_rep, and from which p_not <= level_not; elementwise."""
    n = np.asarray(n)
    se, df = sd / np.sqrt(n), n - 1
    near = margin - stats.t.isf(level_rep, df) * se
    return near, np.maximum(
        margin + stats.t.isf(level_not, df) * se, run_half_width(sd, n, image_variance, level_not / 2)
    )


def with_p_values(e: Evidence) -> Evidence:
    """Evidence with its p-values and prediction interval, from its summary; unchanged below two runs."""
    if e.mean is None or e.sd is None:
        return e
    p_rep, p_far, p_run = map(float, claim_p_values(e.difference, e.sd, e.n, e.margin, e.image_variance))
    half = float(run_half_width(e.sd, e.n, e.image_variance, LEVEL / 2))
    run_low, run_high = e.mean - half, e.mean + half
    p_not = max(p_far, p_run)
    return replace(e, p_rep=p_rep, p_far=p_far, p_run=p_run, p_not=p_not, run_low=run_low, run_high=run_high)


def claim_p_values(difference, sd, n, margin, image_variance=0.0, df=None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p_rep, p_far, p_run of `weigh`, elementwise over broadcast arrays; df None: n - 1, every n at least 2."""
    distance, n = np.abs(difference), np.asarray(n)
    se, df = sd / np.sqrt(n), n - 1 if df is None else df
    p_rep = upper_p(margin - distance, se, df)  # the larger of TOST's two is the one on the side of the difference
    p_far = upper_p(distance - margin, se, df)
    if np.any(image_variance):
        p_run = _howe_p(distance, sd**2 * (1 + 1 / n), df, image_variance)
    else:
        p_run = np.minimum(1, 2 * upper_p(distance, sd * np.sqrt(1 + 1 / n), df))
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
