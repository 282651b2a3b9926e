"""Intervals, tests, effect sizes and verdicts: pure functions of arrays.

Conventions
    Accuracies are in percent (0..100), differences in percentage points (pp); nothing below depends on that unit,
    except where a docstring says so. `n` counts seeds, `m` images, `k` cells or claims, `e` epochs.
    Arrays hold no NaN and no infinity; one that does is a programming error (ValueError).
    Runs of two cells are paired by position: column j of every array belongs to the same seed.

What does not exist is None
    A quantity that the data cannot give (an interval from one seed) is None, and `reason` says why in one sentence that
    begins "cannot say"; where everything exists `reason` is "". Nothing here returns NaN. (A verdict's reason explains
    the verdict, so it is never empty.)

All values equal (SD 0, two seeds or more)
    The limit SD -> 0 of each formula: intervals have zero width; a test whose hypothesis the constant contradicts has
    p = 0, any other p = 1, the boundary counting as not contradicted. Values that differ by less than 1e-12 of their
    size are equal: that is rounding, not variation (one image in 10,000 is 0.01 pp).

Randomness
    Functions that resample or simulate take an explicit integer `seed` and build their own generator: the same input
    gives the same output to the bit, whatever was called before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats
from scipy.optimize import elementwise

#: Level of every test, and 1 - LEVEL of every interval, unless a call says otherwise.
LEVEL = 0.05

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"
NOT_TESTABLE = "not testable"


# --- Results ----------------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one published number within its family of claims.

    p_rep, p_not: Holm-adjusted. distinguishable: the published number lies outside the prediction interval.
    seeds_needed: seeds in all that would decide, if mean and SD stayed as they are (None: decided, or no number would,
    or there are fewer than FORECAST_RUNS runs, whose spread forecasts nothing).
    break_even_reproduced: the smallest margin that makes it "reproduced". break_even_not_reproduced: it is "not
    reproduced" at any margin up to this one (None: at no margin). Both with the other claims as they are.
    """

    verdict: str
    distinguishable: bool | None = None
    reason: str
    p_rep: float | None = None
    p_not: float | None = None
    seeds_needed: int | None = None
    break_even_reproduced: float | None = None
    break_even_not_reproduced: float | None = None


@dataclass(frozen=True, kw_only=True)
class PairedComparison:
    """Two cells run with the same seeds; difference = mean(a - b), sd that of the n differences.

    low, high, p: paired t (confirmatory). p_sign_flip: sign-flip test, exact where sign_flip_exact; p_smallest =
    2 / 2^n is the smallest p that it can give. welch_*: the two cells as if unpaired (sensitivity). seed_correlation:
    Pearson's r of a and b over the seeds. a12: the chance that a run of a beats a run of b, ties counting half.
    """

    n: int
    mean_a: float | None = None
    mean_b: float | None = None
    difference: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_sign_flip: float | None = None
    sign_flip_exact: bool | None = None
    p_smallest: float | None = None
    welch_low: float | None = None
    welch_high: float | None = None
    welch_p: float | None = None
    seed_correlation: float | None = None
    a12: float | None = None
    confidence: float
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class NewImagesInterval:
    """An interval in pp that covers new seeds and new images at once.

    variance: of the mean. seed_variance, image_variance, residual_variance: components in pp^2, negative ones set to 0.
    """

    mean: float | None = None
    n: int
    m: int
    low: float | None = None
    high: float | None = None
    variance: float | None = None
    seed_variance: float | None = None
    image_variance: float | None = None
    residual_variance: float | None = None
    confidence: float
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """Two runs on the same images: only_a images only run a has right, only_b only run b; exact two-sided p."""

    only_a: int
    only_b: int
    p: float


@dataclass(frozen=True, kw_only=True)
class McNemarShare:
    """What authors with one run of each cell would have found: shares (0..1) over the n seed pairs.

    a_ahead, b_ahead, tied: whose accuracy is higher; a_significant, b_significant: ahead with McNemar's p <= level.
    tests: one McNemar a seed pair, in the order of the seeds.
    """

    n: int
    a_ahead: float | None = None
    b_ahead: float | None = None
    tied: float | None = None
    a_significant: float | None = None
    b_significant: float | None = None
    tests: tuple[McNemar, ...]
    reason: str = ""


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


@dataclass(frozen=True, kw_only=True)
class AnovaEffect:
    """One term of an analysis of variance. partial_omega2 is slightly negative where F < 1."""

    name: str
    ss: float
    df: int
    f: float | None = None
    p: float | None = None
    partial_omega2: float | None = None


@dataclass(frozen=True, kw_only=True)
class Anova:
    """Type II analysis of variance; effects: main effects, then two-way, three-way, ...; the block last."""

    effects: tuple[AnovaEffect, ...]
    n: int
    residual_ss: float | None = None
    residual_df: int | None = None
    residual_sd: float | None = None
    r2: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A weighted sum of cell means with standard error, degrees of freedom, interval and two-sided p (against 0)."""

    estimate: float | None = None
    se: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    confidence: float
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class VarianceComponent:
    """One source of variance, in the unit squared.

    name: rows, columns or residual (which has neither f nor p). variance: the estimate, negative set to 0; raw: not so.
    share: of the total (0..1). f, p: F test that the variance is 0. low, high: its interval.
    """

    name: str
    variance: float | None = None
    raw: float | None = None
    share: float | None = None
    f: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class VarianceComponents:
    """Rows x columns, one run each: components rows, columns and residual (with the interaction); their total."""

    rows: VarianceComponent | None = None
    columns: VarianceComponent | None = None
    residual: VarianceComponent | None = None
    total: float | None = None
    mean: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageNoise:
    """Where the variance of a measured accuracy comes from, in pp^2 (see `image_noise`).

    binomial = p (1 - p) / m = between_images + within_images. seed_variance = s^2 of the n accuracies.
    true_seed_variance: of accuracies on endless images, negative set to 0 (not so in true_seed_variance_raw).
    """

    n: int
    m: int
    accuracy: float | None = None
    binomial: float | None = None
    between_images: float | None = None
    within_images: float | None = None
    seed_variance: float | None = None
    true_seed_variance: float | None = None
    true_seed_variance_raw: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class SteinPlan:
    """Stein's second stage: n seeds in all for a half-width of at most `half_width`; wanted: n before the cap."""

    pilot: int
    sd: float | None = None
    half_width: float
    wanted: int | None = None
    n: int | None = None
    capped: bool
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class BestEpoch:
    """Final, best and honest best accuracy of one run; epochs count from 1. optimism = best - honest_best >= 0."""

    final: float | None = None
    best: float | None = None
    best_epoch: int | None = None
    honest_best: float | None = None
    optimism: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class OperatingCharacteristics:
    """How often (0..1) a true shift gets each verdict; [shift][claim], as in `shifts` and the input.

    monte_carlo_error: half-width of the 95% interval of a rate, at its largest (a rate of one half).
    """

    shifts: tuple[float, ...]
    repetitions: int
    reproduced: tuple[tuple[float, ...], ...]
    not_reproduced: tuple[tuple[float, ...], ...]
    inconclusive: tuple[tuple[float, ...], ...]
    monte_carlo_error: float


# --- Shared pieces ----------------------------------------------------------------------------------------------------

#: Values closer than this share of their size are equal; see the module's docstring.
_ROUNDING = 1e-12
#: With SD 0, a distance below this (pp) is none. One image in 10,000 is 0.01 pp.
_NO_DISTANCE = 1e-9
#: The number of seeds beyond which the rule says "more than" instead of searching on.
_MOST_SEEDS = 1_000
#: A spread of fewer runs forecasts no number of seeds: its own interval spans a factor of more than six.
FORECAST_RUNS = 5
#: Sign flips are enumerated up to this n (2^20 sums take 20 ms), and drawn at random above it.
_EXACT_SIGN_FLIPS = 20

_NO_SEED = "cannot say, because there is no finished run"
_ONE_SEED = "cannot say, because one seed gives no interval"
_NO_DF = "cannot say how many degrees of freedom, because nothing varies"


class _Sample(NamedTuple):
    """n, mean and SD (ddof 1) of a sample; mean None below one value, sd None below two."""

    values: np.ndarray
    n: int
    mean: float | None
    sd: float | None

    @property
    def reason(self) -> str:
        return (_NO_SEED, _ONE_SEED, "")[min(self.n, 2)]


def _array(x: ArrayLike, dimensions: int, dtype: type = float) -> np.ndarray:
    """x as an array of so many dimensions; ValueError for another shape, NaN or infinity."""
    array = np.asarray(x, dtype=dtype)
    if array.ndim != dimensions:
        raise ValueError(f"expected an array of {dimensions} dimensions, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("expected finite numbers, got NaN or infinity; leave out diverged and missing runs first")
    return array


def _sample(x: ArrayLike) -> _Sample:
    """Summarise x [n]. Equal values give exactly their value and SD 0, not the rounding error of a sum."""
    values = _array(x, 1)
    n = values.size
    if n == 0:
        return _Sample(values, 0, None, None)
    if np.ptp(values) <= _ROUNDING * np.abs(values).max():
        return _Sample(values, n, float(values[0]), 0.0 if n > 1 else None)
    return _Sample(values, n, float(values.mean()), float(values.std(ddof=1)))


def _upper_p(excess: ArrayLike, scale: ArrayLike, df: ArrayLike) -> np.ndarray:
    """P(T_df > excess / scale), elementwise; scale 0 gives 0 where excess is positive, else 1."""
    excess, scale = np.broadcast_arrays(np.asarray(excess, float), np.asarray(scale, float))
    limit = np.where(excess > _NO_DISTANCE, np.inf, -np.inf)
    return stats.t.sf(np.divide(excess, scale, out=limit, where=scale > 0), df)


# --- One cell ---------------------------------------------------------------------------------------------------------


def t_interval(x: ArrayLike, confidence: float = 1 - LEVEL) -> Interval:
    """Student's t interval of the mean of x [n]: mean +- t(n - 1) s / sqrt(n)."""
    sample = _sample(x)
    if sample.sd is None:
        return Interval(mean=sample.mean, n=sample.n, confidence=confidence, reason=sample.reason)
    half = float(stats.t.isf((1 - confidence) / 2, sample.n - 1) * sample.sd / np.sqrt(sample.n))
    return _around(sample.mean, sample.sd, sample.n, half, confidence)


def _around(mean: float, sd: float, n: int, half: float, confidence: float) -> Interval:
    return Interval(mean=mean, sd=sd, n=n, low=mean - half, high=mean + half, confidence=confidence)


def prediction_interval(x: ArrayLike, confidence: float = 1 - LEVEL, image_variance: float = 0.0) -> Interval:
    """The interval in which one more run of the cell x [n] falls: mean +- t(n - 1) s sqrt(1 + 1/n).

    image_variance v (unit squared) is added where that run is validated on other images: half-width
    sqrt(t(n - 1)^2 s^2 (1 + 1/n) + z^2 v), Howe's interval for the sum of an estimated and a known variance (Howe 1974,
    JASA 69, 789-794). Simulated, it never covers less than .95: .96 to .97 at n = 5, where t(n - 1) on the whole sum
    covers .975 to .994 and Satterthwaite's degrees of freedom .94 to .95 (.89 at n = 2).
    """
    sample = _sample(x)
    if sample.sd is None:
        return Interval(mean=sample.mean, n=sample.n, confidence=confidence, reason=sample.reason)
    half = _run_half_width(sample.sd, sample.n, image_variance, (1 - confidence) / 2)
    return _around(sample.mean, sample.sd, sample.n, half, confidence)


def _run_half_width(sd: float, n: int, image_variance: float, tail: float) -> float:
    """Half-width of the prediction interval that leaves `tail` on each side."""
    seeds = stats.t.isf(tail, n - 1) ** 2 * sd**2 * (1 + 1 / n)
    return float(np.sqrt(seeds + stats.norm.isf(tail) ** 2 * image_variance))


def half_widths(sd: float, ns: Sequence[int], confidence: float = 1 - LEVEL) -> tuple[float | None, ...]:
    """Half-width t(n - 1) sd / sqrt(n) of the t interval for each number of seeds n in `ns` (None below two)."""
    tail = (1 - confidence) / 2
    return tuple(float(stats.t.isf(tail, n - 1) * sd / np.sqrt(n)) if n >= 2 else None for n in ns)


def seeds_for_half_width(
    sd: float, half_width: float, confidence: float = 1 - LEVEL, most: int = 100_000
) -> int | None:
    """The smallest n >= 2 whose t interval at SD `sd` is at most +-half_width; None if that takes more than `most`."""
    ns = np.arange(2, most + 1)
    enough = stats.t.isf((1 - confidence) / 2, ns - 1) * sd / np.sqrt(ns) <= half_width
    return int(ns[enough.argmax()]) if enough.any() else None


def stein_plan(
    pilot: ArrayLike, half_width: float, most: int | None = None, confidence: float = 1 - LEVEL
) -> SteinPlan:
    """Stein's two-stage number of seeds from the pilot runs [n0], at most `most` (then capped).

    N = max(n0, ceil((t(n0 - 1) s0 / h)^2)); Stein 1945, Annals of Mathematical Statistics 16, 243-258. The interval
    mean +- h of all N runs covers at least `confidence`, whatever the true SD.
    """
    if half_width <= 0:
        raise ValueError(f"a half-width is positive: {half_width}")
    sample = _sample(pilot)
    if sample.sd is None:
        return SteinPlan(pilot=sample.n, half_width=half_width, capped=False, reason=sample.reason)
    exact = (stats.t.isf((1 - confidence) / 2, sample.n - 1) * sample.sd / half_width) ** 2
    wanted = max(sample.n, int(np.ceil(exact * (1 - _ROUNDING))))
    n = wanted if most is None else max(sample.n, min(wanted, most))
    return SteinPlan(pilot=sample.n, sd=sample.sd, half_width=half_width, wanted=wanted, n=n, capped=n < wanted)


def stein_interval(x: ArrayLike, pilot: int, confidence: float = 1 - LEVEL) -> Interval:
    """Stein's interval from all runs x [N], the first `pilot` of which planned N: mean +- t(n0 - 1) s0 / sqrt(N).

    `sd` is the pilot's s0. Coverage is exact for normal runs, capped or not, because N depends on s0 alone.
    """
    sample, first = _sample(x), _sample(np.asarray(x, float)[:pilot])
    if sample.n < pilot:
        raise ValueError(f"{sample.n} runs cannot contain a pilot of {pilot}")
    if first.sd is None:
        return Interval(mean=sample.mean, n=sample.n, confidence=confidence, reason=first.reason)
    half = float(stats.t.isf((1 - confidence) / 2, pilot - 1) * first.sd / np.sqrt(sample.n))
    return _around(sample.mean, first.sd, sample.n, half, confidence)


# --- A published number -----------------------------------------------------------------------------------------------


def image_margin(published: float, images: int) -> float:
    """The margin in pp that `images` test images resolve around an accuracy in percent: 1.96 sqrt(p (1 - p) / m)."""
    if not 0 <= published <= 100 or images < 1:
        raise ValueError(f"expected a percentage and at least one image, got {published} and {images}")
    p = published / 100
    return 100 * 1.96 * float(np.sqrt(p * (1 - p) / images))


def bound_test(x: ArrayLike, bound: float) -> BoundTest:
    """One-sided one-sample t tests of x [n] against a bound, in both directions."""
    sample = _sample(x)
    if sample.sd is None:
        return BoundTest(mean=sample.mean, bound=bound, n=sample.n, reason=sample.reason)
    excess, se = sample.mean - bound, sample.sd / np.sqrt(sample.n)
    above, below = (float(_upper_p(sign * excess, se, sample.n - 1)) for sign in (1, -1))
    return BoundTest(mean=sample.mean, bound=bound, n=sample.n, p_above=above, p_below=below)


def evidence(x: ArrayLike, published: float, margin: float, image_variance: float = 0.0, diverged: int = 0) -> Evidence:
    """What the runs x [n] of a cell say about one published number, uncorrected; `diverged` runs are left out of x.

    p_rep: TOST. p_far: one-sided t test that |mean - published| > margin, in the direction seen. p_run: is the
    published number one more exchangeable run (prediction interval, see `prediction_interval` for image_variance)?
    p_not = max of p_far and p_run, because "not reproduced" claims both. image_variance is 2 between_images of
    `image_noise` where the cell was validated on other images than the published number.
    """
    if image_variance < 0 or margin < 0:
        raise ValueError(f"a margin and a variance are not negative: {margin}, {image_variance}")
    sample = _sample(x)
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
    return _weigh(bare)


def _weigh(e: Evidence) -> Evidence:
    """Evidence with its p-values and prediction interval, from its summary; unchanged below two runs."""
    if e.sd is None:
        return e
    p_rep, p_far, p_run = map(float, _claim_p_values(e.difference, e.sd, e.n, e.margin, e.image_variance))
    half = _run_half_width(e.sd, e.n, e.image_variance, LEVEL / 2)
    run_low, run_high = e.mean - half, e.mean + half
    p_not = max(p_far, p_run)
    return replace(e, p_rep=p_rep, p_far=p_far, p_run=p_run, p_not=p_not, run_low=run_low, run_high=run_high)


def _claim_p_values(difference, sd, n, margin, image_variance=0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p_rep, p_far, p_run of `evidence`, elementwise over broadcast arrays; every n at least 2."""
    distance, n = np.abs(difference), np.asarray(n)
    se, df = sd / np.sqrt(n), n - 1
    p_rep = _upper_p(margin - distance, se, df)  # the larger of TOST's two is the one on the side of the difference
    p_far = _upper_p(distance - margin, se, df)
    if np.any(image_variance):
        p_run = _howe_p(distance, sd**2 * (1 + 1 / n), df, image_variance)
    else:
        p_run = np.minimum(1, 2 * _upper_p(distance, sd * np.sqrt(1 + 1 / n), df))
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


def judge_family(family: Sequence[Evidence], level: float = LEVEL) -> tuple[Verdict, ...]:
    """The verdicts on a family of claims, in order: Holm over p_rep and, separately, over p_not, then the rule.

    reproduced: adjusted p_rep <= level; not reproduced: adjusted p_not <= level; else inconclusive. A cell with a
    diverged run gets at most inconclusive. It and a claim without p-values count in the size of the family, as p = 1.
    """
    p_rep, p_not = ([None if e.diverged else getattr(e, name) for e in family] for name in ("p_rep", "p_not"))
    adjusted = zip(holm(p_rep), holm(p_not), strict=True)
    return tuple(
        _judge(e, *pair, _holm_level(p_rep, i, level), _holm_level(p_not, i, level), level, len(family))
        for i, (e, pair) in enumerate(zip(family, adjusted, strict=True))
    )


def _judge(e: Evidence, p_rep, p_not, level_rep: float, level_not: float, level: float, tests: int) -> Verdict:
    """One verdict from adjusted p-values of a family of so many tests.

    level_rep and level_not are what Holm asks of this claim's own p-values.
    """
    distinguishable = None if e.p_run is None else e.p_run <= LEVEL
    if e.diverged:
        reason = f"{e.diverged} of {e.n + e.diverged} runs diverged, and the rest do not stand for them"
        return Verdict(verdict=INCONCLUSIVE, distinguishable=distinguishable, reason=reason)
    if e.p_rep is None:
        return Verdict(verdict=INCONCLUSIVE, reason=e.reason)
    word = REPRODUCED if p_rep <= level else NOT_REPRODUCED if p_not <= level else INCONCLUSIVE
    seeds = _seeds_needed(e, level_rep, level_not) if word == INCONCLUSIVE else None
    reproduced, not_reproduced = _break_even(e, level_rep, level_not)
    if word != INCONCLUSIVE:
        reason = _decided_reason(e, word)
    elif seeds is not None and min(e.p_rep, e.p_not) <= level:
        reason = _corrected_reason(e, p_rep, p_not, seeds, tests)
    else:
        reason = _inconclusive_reason(e, seeds, level_not)
    return Verdict(
        verdict=word,
        distinguishable=distinguishable,
        reason=reason,
        p_rep=p_rep,
        p_not=p_not,
        seeds_needed=seeds if e.n >= FORECAST_RUNS else None,
        break_even_reproduced=reproduced,
        break_even_not_reproduced=not_reproduced,
    )


def _holm_level(p: Sequence[float | None], i: int, level: float) -> float:
    """The largest own p-value at which Holm still rejects hypothesis i, the others being as they are.

    Holm rejects the r others that it would reject even if i had p = 1; then i is compared with level / (k - r).
    """
    others = sorted(1.0 if q is None else q for j, q in enumerate(p) if j != i)
    rejected = 0
    while rejected < len(others) and others[rejected] * (len(p) - rejected) <= level:
        rejected += 1
    return level / (len(p) - rejected)


def _seeds_needed(e: Evidence, level_rep: float, level_not: float) -> int | None:
    """The smallest number of seeds in all that would decide, if mean and SD stayed; None if 1,000 would not."""
    ns = np.arange(e.n + 1, _MOST_SEEDS + 1)
    p_rep, p_far, p_run = _claim_p_values(e.difference, e.sd, ns, e.margin, e.image_variance)
    decided = (p_rep <= level_rep) | (np.maximum(p_far, p_run) <= level_not)
    return int(ns[decided.argmax()]) if decided.any() else None


def _break_even(e: Evidence, level_rep: float, level_not: float) -> tuple[float | None, float | None]:
    """The smallest margin that gives "reproduced", the largest that leaves "not reproduced" (None: no margin does)."""
    distance, se = abs(e.difference), e.sd / np.sqrt(e.n)
    reproduced = distance + float(stats.t.isf(level_rep, e.n - 1) * se)
    not_reproduced = distance - float(stats.t.isf(level_not, e.n - 1) * se)
    return reproduced, not_reproduced if e.p_run <= level_not and not_reproduced > 0 else None


def _decided_reason(e: Evidence, word: str) -> str:
    """Why a claim is reproduced or not, in one plain sentence, in pp."""
    outside = f"the published number lies outside {_single_runs(e)}"
    if word == NOT_REPRODUCED:
        return f"{_where(e)}, farther than the margin of {e.margin:.2f} pp, and {outside}"
    return f"{_where(e)}, closer than the margin of {e.margin:.2f} pp{f', though {outside}' * (e.p_run <= LEVEL)}"


def _corrected_reason(e: Evidence, p_rep: float, p_not: float, seeds: int, tests: int) -> str:
    """Why a claim that its own tests would decide stays open as one of several."""
    far = e.p_not <= e.p_rep
    side, alone, together = ("farther", e.p_not, p_not) if far else ("closer", e.p_rep, p_rep)
    return (
        f"{_where(e)}, by itself {side} than the margin of {e.margin:.2f} pp (p = {alone:.2g}), but not as one of "
        f"{tests} tests of its kind (p = {together:.2g}){_would_decide(e, seeds)}"
    )


def _would_decide(e: Evidence, seeds: int) -> str:
    """How many seeds would decide, as the end of a sentence; nothing of a spread that few runs have shown.

    Of a study planned with so many: seeds added until a test decides make its p-value too small.
    """
    return "" if e.n < FORECAST_RUNS else f"; a study planned with {seeds} seeds would decide if mean and SD stayed"


def _inconclusive_reason(e: Evidence, seeds: int | None, level_not: float) -> str:
    """Why neither can be said: too few seeds, or one lucky run would explain it, or the mean lies at the margin."""
    if seeds is not None:
        return f"imprecise: {_where(e)}, against a margin of {e.margin:.2f} pp{_would_decide(e, seeds)}"
    p_far = _claim_p_values(e.difference, e.sd, _MOST_SEEDS, e.margin, e.image_variance)[1]
    if p_far > level_not:
        return f"{_where(e)}, too near the margin of {e.margin:.2f} pp for {_MOST_SEEDS:,} seeds to decide"
    sure = ", yet" if e.p_far <= LEVEL else " though not surely, and"
    far = f"{_where(e)}, farther than the margin of {e.margin:.2f} pp{sure}"
    if e.p_run <= LEVEL:
        return f"{far}, for one of several claims, too near {_single_runs(e)}"
    return f"{far} one {'lucky' if e.difference < 0 else 'unlucky'} run would give it: it lies {_single_runs(e)}"


def _where(e: Evidence) -> str:
    """The mean beside the published number, in words."""
    apart = f"{abs(e.difference):.2f} pp {'above' if e.difference > 0 else 'below'}"
    if abs(e.difference) < 0.005:
        apart = "within 0.01 pp of"
    return f"the mean of {e.n} runs is {apart} the published {e.published:.2f}"


def _single_runs(e: Evidence) -> str:
    return f"where single runs fall ({e.run_low:.2f} to {min(e.run_high, 100.0):.2f})"  # no accuracy lies above 100


def margin_sensitivity(
    family: Sequence[Evidence], margins: Sequence[float], level: float = LEVEL
) -> dict[float, tuple[Verdict, ...]]:
    """The family judged again with each margin in place of the claims' own: margin -> verdicts in order."""
    return {margin: judge_family([_weigh(replace(e, margin=margin)) for e in family], level) for margin in margins}


def overall_verdict(verdicts: Sequence[str]) -> str:
    """How the readings of one claim agree (Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4, 1208-1214).

    "robust": all the same; "unsettled": they differ only by "inconclusive"; else "specification-dependent". Readings
    that are not testable do not vote; fewer than two votes give "one reading" or "not testable".
    """
    votes = [verdict for verdict in verdicts if verdict != NOT_TESTABLE]
    if len(votes) < 2:
        return "one reading" if votes else NOT_TESTABLE
    if len(set(votes)) == 1:
        return "robust"
    return "unsettled" if INCONCLUSIVE in votes and len(set(votes)) == 2 else "specification-dependent"


def operating_characteristics(
    n: Sequence[int],
    sd: Sequence[float],
    margin: Sequence[float],
    shifts: Sequence[float],
    *,
    seed: int,
    repetitions: int = 2_000,
    published_is_a_run: bool = True,
    level: float = LEVEL,
) -> OperatingCharacteristics:
    """How often a family of k claims gets each verdict when every cell truly lies `shift` above its original.

    n, sd, margin: [k], seeds, true SD and margin of each claim. Runs are normal, so mean and SD are drawn directly.
    published_is_a_run: the published number is one run of the original's cell (same SD); False: it is that cell's mean.
    """
    n, sd, margin = np.asarray(n), _array(sd, 1), _array(margin, 1)
    rng = np.random.default_rng(seed)
    shape = (repetitions, n.size)
    mean = rng.standard_normal(shape) * sd / np.sqrt(np.maximum(n, 1))
    spread = sd * np.sqrt(rng.chisquare(np.maximum(n - 1, 1), shape) / np.maximum(n - 1, 1))
    published = rng.standard_normal(shape) * sd * published_is_a_run
    rates = np.array([_verdict_rates(mean + shift - published, spread, n, margin, level) for shift in shifts])
    reproduced, not_reproduced, inconclusive = np.moveaxis(rates.reshape(len(shifts), 3, n.size), 1, 0)
    return OperatingCharacteristics(
        shifts=tuple(map(float, shifts)),
        repetitions=repetitions,
        reproduced=_rows(reproduced),
        not_reproduced=_rows(not_reproduced),
        inconclusive=_rows(inconclusive),
        monte_carlo_error=float(stats.norm.isf(0.025) * np.sqrt(0.25 / repetitions)),
    )


def _rows(table: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """A two-dimensional array as tuples of floats."""
    return tuple(tuple(map(float, row)) for row in table)


def _verdict_rates(difference, sd, n, margin, level) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares [k] of reproduced, not reproduced, inconclusive over the repetitions of difference and sd [R, k]."""
    p_rep, p_far, p_run = _claim_p_values(difference, sd, np.maximum(n, 2), margin)
    untestable = np.asarray(n) < 2  # stays in the family, as in `judge_family`
    reproduced = _holm(np.where(untestable, 1.0, p_rep)) <= level
    not_reproduced = _holm(np.where(untestable, 1.0, np.maximum(p_far, p_run))) <= level
    return reproduced.mean(0), not_reproduced.mean(0), (~reproduced & ~not_reproduced).mean(0)


# --- Two cells --------------------------------------------------------------------------------------------------------


def paired_comparison(
    a: ArrayLike, b: ArrayLike, *, seed: int, resamples: int = 99_999, confidence: float = 1 - LEVEL
) -> PairedComparison:
    """Compare cells a [n] and b [n] that ran with the same seeds, in the same order; see `PairedComparison`.

    The sign-flip test enumerates all 2^n flips to n = 20 and draws `resamples` of them (by `seed`) above.
    """
    first, second = _sample(a), _sample(b)
    if first.n != second.n:
        raise ValueError(f"paired cells have the same seeds, got {first.n} and {second.n} runs")
    n, size = first.n, max(np.abs([*first.values, *second.values]), default=0.0)
    d = _combination(first.values - second.values, size)
    shared = {"n": n, "mean_a": first.mean, "mean_b": second.mean, "a12": a12(a, b), "confidence": confidence}
    if n < 2:
        return PairedComparison(difference=d.mean, reason=d.reason, **shared)
    interval = t_interval(d.values, confidence)
    p_sign_flip, exact = _sign_flip_p(d.values, seed, resamples)
    welch = welch_contrast([first.values, second.values], [1, -1], confidence)
    correlation, reason = _seed_correlation(first, second)
    return PairedComparison(
        difference=d.mean,
        sd=d.sd,
        low=interval.low,
        high=interval.high,
        p=_two_sided_p(d.mean, d.sd / np.sqrt(n), n - 1),
        p_sign_flip=p_sign_flip,
        sign_flip_exact=exact,
        p_smallest=2.0 ** (1 - n),
        welch_low=welch.low,
        welch_high=welch.high,
        welch_p=welch.p,
        seed_correlation=correlation,
        reason=reason,
        **shared,
    )


def _combination(values: np.ndarray, size: float) -> _Sample:
    """A sample of sums of numbers up to `size`; it is constant if it varies by no more than those numbers' rounding."""
    constant = values.size > 0 and np.ptp(values) <= _ROUNDING * size
    return _sample(np.full_like(values, values[0]) if constant else values)


def _two_sided_p(estimate: float, se: float, df: float) -> float:
    """Two-sided p of a t statistic; with se 0 it is 0 for an estimate off 0, else 1."""
    return float(min(1.0, 2 * _upper_p(abs(estimate), se, df)))


def _sign_flip_p(d: np.ndarray, seed: int, resamples: int) -> tuple[float, bool]:
    """Two-sided sign-flip p of mean(d) = 0, and whether it is exact.

    The same test as `scipy.stats.permutation_test((d,), mean, permutation_type='samples')`, which takes 0.3 s at n = 16
    where this takes a millisecond; a study compares hundreds of pairs. At random, p = (hits + 1) / (draws + 1) (Phipson
    & Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9, 39).
    """
    exact = d.size <= _EXACT_SIGN_FLIPS
    sums = _all_signed_sums(d) if exact else _random_signed_sums(d, seed, resamples)
    hits = int(np.count_nonzero(np.abs(sums) >= abs(d.sum()) - 1e-9 * np.abs(d).sum()))  # ties despite rounding
    return (hits / sums.size, True) if exact else ((hits + 1) / (sums.size + 1), False)


def _all_signed_sums(d: np.ndarray) -> np.ndarray:
    """The sums of d under half of all sign patterns [2^(n - 1)]; the other half only changes the sign of the sum."""
    sums = d[:1]
    for value in d[1:]:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def _random_signed_sums(d: np.ndarray, seed: int, resamples: int) -> np.ndarray:
    """Sums of d [n] under random signs [resamples], one bit a sign, in blocks that fit the processor's cache."""
    rng, bytes_a_row, sums = np.random.default_rng(seed), -(-d.size // 8), []
    for start in range(0, resamples, 2_000):
        rows = min(2_000, resamples - start)
        packed = np.frombuffer(rng.bytes(rows * bytes_a_row), np.uint8).reshape(rows, bytes_a_row)
        positive = np.unpackbits(packed, axis=1, count=d.size)
        sums.append(2 * (positive.astype(float) @ d) - d.sum())
    return np.concatenate(sums)


def _seed_correlation(a: _Sample, b: _Sample) -> tuple[float | None, str]:
    """Pearson's r over the seeds, or None and why."""
    if a.n < 3:
        return None, "cannot say how seeds correlate, because two seeds always lie on a line"
    if a.sd == 0 or b.sd == 0:
        return None, "cannot say how seeds correlate, because all runs of a cell are equal"
    return float(np.corrcoef(a.values, b.values)[0, 1]), ""


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
    n, m = _array(scores, 2, np.float32).shape
    if n < 2 or m < 2:
        mean = float(100 * scores.mean()) if n and m else None
        reason = (_NO_SEED, _ONE_SEED)[n] if n < 2 else "cannot say, because there are fewer than two images"
        return NewImagesInterval(mean=mean, n=n, m=m, confidence=confidence, reason=reason)
    mean, *squares = _crossed_mean_squares(scores)
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
        variance=float(parts.sum()),
        seed_variance=max(0.0, ms_seed - ms_residual) / m,
        image_variance=max(0.0, ms_image - ms_residual) / n,
        residual_variance=ms_residual,
        confidence=confidence,
    )


def _crossed_mean_squares(y: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, and mean squares of rows, columns and residual, of y [n, m]: two-way layout without replication."""
    n, m = y.shape
    mean = float(y.mean(dtype=float))
    centred = y - mean
    ss_rows = m * float(np.square(centred.mean(1)).sum())
    ss_columns = n * float(np.square(centred.mean(0)).sum())
    ss_residual = max(0.0, float(np.square(centred).sum()) - ss_rows - ss_columns)
    return mean, ss_rows / (n - 1), ss_columns / (m - 1), ss_residual / ((n - 1) * (m - 1))


def mcnemar_share(correct_a: ArrayLike, correct_b: ArrayLike, level: float = LEVEL) -> McNemarShare:
    """McNemar for each seed pair of correct_a [n, m] and correct_b [n, m] (bool), and what shares of authors would say.

    Exact two-sided p = binomtest(min(b, c), b + c), for all seeds in one call; no discordant image gives p = 1.
    """
    a, b = np.asarray(correct_a, bool), np.asarray(correct_b, bool)
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"expected two arrays [n, m] of the same seeds and images, got {a.shape} and {b.shape}")
    only_a, only_b = (a & ~b).sum(1), (b & ~a).sum(1)
    p = np.minimum(1, 2 * stats.binom.cdf(np.minimum(only_a, only_b), only_a + only_b, 0.5))
    counts = zip(only_a, only_b, p, strict=True)
    tests = tuple(McNemar(only_a=int(x), only_b=int(y), p=float(z)) for x, y, z in counts)
    if not tests:
        return McNemarShare(n=0, tests=(), reason=_NO_SEED)
    return McNemarShare(
        n=len(tests),
        a_ahead=float((only_a > only_b).mean()),
        b_ahead=float((only_a < only_b).mean()),
        tied=float((only_a == only_b).mean()),
        a_significant=float(((only_a > only_b) & (p <= level)).mean()),
        b_significant=float(((only_a < only_b) & (p <= level)).mean()),
        tests=tests,
    )


def a12(a: ArrayLike, b: ArrayLike) -> float | None:
    """Vargha & Delaney's A12 = U / (n_a n_b): the chance that a value of a [n_a] exceeds one of b [n_b], ties half.

    Vargha & Delaney 2000, J. Educational and Behavioral Statistics 25, 101-132. None if either is empty.
    """
    a, b = _array(a, 1), _array(b, 1)
    if not a.size or not b.size:
        return None
    ranks = stats.rankdata(np.concatenate([a, b]))[: a.size].sum()  # U without the p-value of mannwhitneyu
    return float((ranks - a.size * (a.size + 1) / 2) / (a.size * b.size))


# --- Many cells -------------------------------------------------------------------------------------------------------


def holm(p: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's adjusted p-values (1979, Scandinavian Journal of Statistics 6, 65-70).

    None (no test possible) stays None and still counts in the size of the family, as p = 1 would.
    """
    return _adjusted(p, _holm)


def benjamini_hochberg(p: Sequence[float | None]) -> tuple[float | None, ...]:
    """Benjamini & Hochberg's adjusted p-values (false discovery rate); None as in `holm`."""
    return _adjusted(p, stats.false_discovery_control)


def _adjusted(p: Sequence[float | None], adjust) -> tuple[float | None, ...]:
    if not len(p):
        return ()
    adjusted = adjust(_array([1.0 if q is None else q for q in p], 1))
    return tuple(None if q is None else float(new) for q, new in zip(p, adjusted, strict=True))


def _holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values along the last axis [..., k]; statsmodels' `multipletests` knows one family a call."""
    order = np.argsort(p, axis=-1)
    stepped = np.take_along_axis(p, order, -1) * np.arange(p.shape[-1], 0, -1)
    adjusted = np.empty_like(stepped)
    np.put_along_axis(adjusted, order, np.minimum(1, np.maximum.accumulate(stepped, axis=-1)), -1)
    return adjusted


def rank_probabilities(
    scores: ArrayLike, *, seed: int, resamples: int = 10_000, draws: int | None = None
) -> RankProbabilities:
    """P(best) and P(rank) of k cells from scores [k, n], by resampling seeds jointly, with replacement.

    draws: seeds in each resample (None: n, the ranks of the means seen here; 1: what a one-run study prints). Tied
    cells share their ranks equally. Resampling n seeds understates the variance of the means by (n - 1) / n.
    """
    scores = _array(scores, 2)
    k, n = scores.shape
    draws = n if draws is None else draws
    shared = {"k": k, "n": n, "draws": draws, "resamples": resamples}
    if k == 0 or n < 2:
        why = "there is no cell" if k == 0 else "ranks need at least two seeds that all cells share"
        return RankProbabilities(reason=f"cannot say, because {why}", **shared)
    counts = np.random.default_rng(seed).multinomial(draws, np.full(n, 1 / n), size=resamples)
    means = np.round(counts @ scores.T / draws, 9)  # [resamples, k]; rounded, so that equal means tie
    p_rank = _rows(_rank_shares(means))
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
    scores = _array(scores, 2)
    k, n = scores.shape
    if k == 0 or n == 0:
        return OrderProbability(reason=_NO_SEED)
    weight = np.ones(n)  # of each run in a row: the chance that the rows above are in order and above it
    for above, row in pairwise(scores):
        order = np.argsort(above)
        tail = np.append(np.cumsum(weight[order][::-1])[::-1], 0.0)
        weight = tail[np.searchsorted(above[order], row, side="right")] / n
    same_seed = (np.diff(scores, axis=0) < 0).all(0).mean()
    return OrderProbability(independent=float(weight.mean()), same_seed=float(same_seed))


def anova(y: ArrayLike, factors: Mapping[str, Sequence], block: Sequence | None = None, *, hc3: bool = False) -> Anova:
    """Type II analysis of variance of y [N] over all interactions of the factors (name -> [N] labels), block additive.

    Partial omega^2 = (SS - df MSE) / (SS + (N - df) MSE) (Olejnik & Algina 2003, Psychological Methods 8, 434-447).
    hc3: F tests with MacKinnon & White's HC3 covariance, a sensitivity; omega^2 is then that of F,
    df (F - 1) / (df (F - 1) + N), the same expression.
    """
    y = _array(y, 1)
    columns = {name: np.asarray(labels).astype(str) for name, labels in factors.items()}
    if block is not None:
        columns["block"] = np.asarray(block).astype(str)
    reason = _anova_obstacle(y.size, columns, list(factors))
    if reason:
        return Anova(effects=(), n=y.size, reason=reason)
    return _fit_anova(y, columns, list(factors), "hc3" if hc3 else None)


def _anova_obstacle(size: int, columns: Mapping[str, np.ndarray], factors: list[str]) -> str:
    """Why no analysis of variance is possible, or ""."""
    if size == 0:
        return _NO_SEED
    flat = [name for name in columns if np.unique(columns[name]).size < 2 and name in factors]
    if flat or not factors:
        return f"cannot say, because {flat[0] if flat else 'no factor'} does not vary"
    combinations = np.prod([np.unique(columns[name]).size for name in factors])
    seen = np.unique(np.stack([columns[name] for name in factors]), axis=1).shape[1]
    if seen < combinations:
        return f"cannot say, because {combinations - seen} of {combinations} cells have no run"
    blocks = np.unique(columns["block"]).size - 1 if "block" in columns else 0
    return "" if size > combinations + blocks else "cannot say, because one seed leaves nothing to measure noise by"


def _fit_anova(y: np.ndarray, columns: Mapping[str, np.ndarray], factors: list[str], robust: str | None) -> Anova:
    """Fit by statsmodels under neutral column names, so that no name is read as formula; name the effects again."""
    import pandas as pd  # these three late: importing them takes a second, and only this function needs them
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    safe = {name: f"column{i}" for i, name in enumerate(columns)}
    names = {f"C({code})": name for name, code in safe.items()}
    interactions = "*".join(f"C({safe[name]})" for name in factors)
    formula = f"y ~ {interactions}" + (f" + C({safe['block']})" if "block" in columns else "")
    data = pd.DataFrame({"y": y, **{safe[name]: labels for name, labels in columns.items()}})
    model = ols(formula, data).fit()
    if model.ssr <= _ROUNDING * float(np.square(y).sum()):
        return Anova(effects=(), n=y.size, reason="cannot say, because nothing varies between runs of a cell")
    table = anova_lm(model, typ=2, robust=robust).drop("Residual")
    effects = [
        _anova_effect(":".join(names[part] for part in term.split(":")), row, float(model.mse_resid), y.size)
        for term, row in table.iterrows()
    ]
    return Anova(
        effects=tuple(sorted(effects, key=lambda effect: (effect.name == "block", effect.name.count(":")))),
        n=y.size,
        residual_ss=float(model.ssr),
        residual_df=int(model.df_resid),
        residual_sd=float(np.sqrt(model.mse_resid)),
        r2=float(model.rsquared),
    )


def _anova_effect(name: str, row: Mapping[str, float], mse: float, size: int) -> AnovaEffect:
    """One row of statsmodels' table, with partial omega^2."""
    ss, df = float(row["sum_sq"]), int(row["df"])
    omega2 = (ss - df * mse) / (ss + (size - df) * mse)
    return AnovaEffect(name=name, ss=ss, df=df, f=float(row["F"]), p=float(row["PR(>F)"]), partial_omega2=omega2)


def logit_percent(accuracy: ArrayLike) -> np.ndarray:
    """The log odds of accuracies in percent (0 < accuracy < 100), the scale of the sensitivity analysis."""
    accuracy = np.asarray(accuracy, float)
    if not ((accuracy > 0) & (accuracy < 100)).all():
        raise ValueError("log odds exist between 0 and 100 percent, both excluded")
    return special.logit(accuracy / 100)


def welch_contrast(samples: Sequence[ArrayLike], weights: Sequence[float], confidence: float = 1 - LEVEL) -> Contrast:
    """A contrast of the means of k independent cells (each [n_c]) with unequal variances, Welch-Satterthwaite df.

    estimate = sum w_c mean_c, se^2 = sum w_c^2 s_c^2 / n_c, df = se^4 / sum((w_c^2 s_c^2 / n_c)^2 / (n_c - 1)) (Welch
    1947, Biometrika 34, 28-35). Cells of weight 0 do not enter. It takes cells as independent: where they share seeds,
    `paired_contrast` is the exact one.
    """
    used = [(_sample(x), w) for x, w in zip(samples, weights, strict=True) if w != 0]
    reasons = [cell.reason for cell, _ in used if cell.reason]
    if reasons or not used:
        return Contrast(
            confidence=confidence, reason=reasons[0] if reasons else "cannot say, because no cell has weight"
        )
    estimate = sum(w * cell.mean for cell, w in used)
    parts = [w**2 * cell.sd**2 / cell.n for cell, w in used]
    df = None
    if sum(parts) > 0:
        df = sum(parts) ** 2 / sum(part**2 / (cell.n - 1) for part, (cell, _) in zip(parts, used, strict=True))
    return _contrast(estimate, float(np.sqrt(sum(parts))), df, confidence)


def paired_contrast(scores: ArrayLike, weights: Sequence[float], confidence: float = 1 - LEVEL) -> Contrast:
    """A contrast of the means of k cells run with the same seeds, scores [k, n]: the t interval of n contrasts.

    Exact for normal runs whatever the cells' variances and the seeds' correlations; df = n - 1.
    """
    scores, weights = _array(scores, 2), _array(weights, 1)
    size = float((np.abs(weights) @ np.abs(scores)).max(initial=0))
    sample = _combination(weights @ scores, size)
    if sample.sd is None:
        return Contrast(estimate=sample.mean, confidence=confidence, reason=sample.reason)
    return _contrast(sample.mean, sample.sd / np.sqrt(sample.n), sample.n - 1, confidence)


def _contrast(estimate: float, se: float, df: float | None, confidence: float) -> Contrast:
    half = float(stats.t.isf((1 - confidence) / 2, df) * se) if se > 0 else 0.0
    p = _two_sided_p(estimate, se, df or 1)
    return Contrast(
        estimate=float(estimate),
        se=float(se),
        df=df,
        low=float(estimate - half),
        high=float(estimate + half),
        p=p,
        confidence=confidence,
        reason="" if df else _NO_DF,
    )


def variance_components(y: ArrayLike, confidence: float = 1 - LEVEL) -> VarianceComponents:
    """Variance components of y [a, b], rows (subset seeds) crossed with columns (initialiser seeds), one run each.

    Method of moments: rows (MS_rows - MS_res) / b, columns (MS_columns - MS_res) / a, residual MS_res, in which the
    interaction and the noise of a single run lie together. Intervals: Tukey-Williams (Williams 1962, Biometrika 49,
    278-281) for rows and columns, chi-squared for the residual.
    """
    y = _array(y, 2)
    a, b = y.shape
    if a < 2 or b < 2:
        return VarianceComponents(
            mean=float(y.mean()) if y.size else None,
            reason="cannot say, because components need two seeds of each kind, all combinations run",
        )
    mean, *squares = _crossed_mean_squares(y)
    ms_rows, ms_columns, ms_residual = (0.0 if ms <= (_ROUNDING * mean) ** 2 else ms for ms in squares)
    df = (a - 1) * (b - 1)
    raw = ((ms_rows - ms_residual) / b, (ms_columns - ms_residual) / a, ms_residual)
    total = sum(max(0.0, value) for value in raw)
    rows = _random_effect("rows", raw[0], total, ms_rows, ms_residual, a - 1, df, b, confidence)
    columns = _random_effect("columns", raw[1], total, ms_columns, ms_residual, b - 1, df, a, confidence)
    tail = (1 - confidence) / 2
    residual = VarianceComponent(
        name="residual",
        variance=raw[2],
        raw=raw[2],
        share=raw[2] / total if total > 0 else None,
        low=float(df * ms_residual / stats.chi2.isf(tail, df)),
        high=float(df * ms_residual / stats.chi2.ppf(tail, df)),
    )
    return VarianceComponents(rows=rows, columns=columns, residual=residual, total=total, mean=mean)


def _random_effect(name, raw, total, ms, ms_residual, df, df_residual, per_level, confidence) -> VarianceComponent:
    """One crossed factor: F test of variance 0 and the Tukey-Williams interval, cut at 0."""
    f, tail = ms / ms_residual if ms_residual > 0 else None, (1 - confidence) / 2
    shrink = [1 - stats.f.isf(q, df, df_residual) / f if f else float(ms > 0) for q in (tail, 1 - tail)]
    low, high = (
        max(0.0, float(df * ms * factor / (per_level * stats.chi2.isf(q, df))))
        for factor, q in zip(shrink, (tail, 1 - tail), strict=True)
    )
    p = float(stats.f.sf(f, df, df_residual)) if f is not None else float(ms == 0)
    share = max(0.0, raw) / total if total > 0 else None
    return VarianceComponent(name=name, variance=max(0.0, raw), raw=raw, share=share, f=f, p=p, low=low, high=high)


# --- Images and epochs ------------------------------------------------------------------------------------------------


def share_right(correct: ArrayLike) -> np.ndarray:
    """q [m]: the share (0..1) of the n seeds that are right on each image, from correct [n, m] (bool), n at least 1."""
    correct = np.asarray(correct, bool)
    if correct.ndim != 2 or not correct.size:
        raise ValueError(f"expected an array [n, m] of at least one seed and image, got shape {correct.shape}")
    return correct.mean(0)


def image_noise(correct: ArrayLike) -> ImageNoise:
    """Split the variance of an accuracy, from correct [n, m] (bool: seed j right on image i), in pp^2.

    With q_i the share of seeds right on image i: p (1 - p) / m = Var_i(q_i) / m (which images were drawn) + mean(q_i
    (1 - q_i)) / m (luck of a run on fixed images). The second term is debiased by n / (n - 1), and 1/n of it is taken
    from the first, which keeps the identity. m / (m - 1) times what s^2 has beyond the second term is the variance that
    seeds would show on endless images (Jordan 2023, arXiv 2304.01910), without bias: s^2 on m images has expectation
    (m - 1) / m of it plus the second term. Twice the first term is the `image_variance` of `evidence`.
    """
    correct = np.asarray(correct, bool)
    n, m = correct.shape
    if n == 0 or m == 0:
        return ImageNoise(n=n, m=m, reason=_NO_SEED)
    q = share_right(correct)
    p = float(q.mean())
    shared = {"n": n, "m": m, "accuracy": 100 * p, "binomial": 1e4 * p * (1 - p) / m}
    if n < 2:
        return ImageNoise(reason="cannot say, because one seed does not show its luck", **shared)
    within = 1e4 * float((q * (1 - q)).mean()) / m * n / (n - 1)
    seed_variance = 1e4 * float(correct.mean(1).var(ddof=1))
    beyond = (seed_variance - within) * m / (m - 1) if m > 1 else 0.0
    return ImageNoise(
        between_images=max(0.0, 1e4 * float(q.var()) / m - within / n),
        within_images=within,
        seed_variance=seed_variance,
        true_seed_variance=max(0.0, beyond),
        true_seed_variance_raw=beyond,
        **shared,
    )


def honest_best(accuracy: ArrayLike, half_a: ArrayLike, half_b: ArrayLike) -> BestEpoch:
    """Best epoch of one run, and what it is worth when chosen on one half of the images and scored on the other.

    accuracy, half_a, half_b: [e], accuracy after each epoch on all images and on two fixed halves of equal size (any
    unit). honest_best = (b[argmax a] + a[argmax b]) / 2, the first epoch winning a tie. optimism = best - honest_best
    is an upper bound in expectation: choosing on half the images picks a worse epoch than choosing on all. It is never
    negative, because best >= (a + b) / 2 at both chosen epochs.
    """
    accuracy, a, b = _array(accuracy, 1), _array(half_a, 1), _array(half_b, 1)
    if not accuracy.size == a.size == b.size:
        raise ValueError(f"expected as many epochs of each, got {accuracy.size}, {a.size} and {b.size}")
    if accuracy.size == 0:
        return BestEpoch(reason="cannot say, because no epoch has finished")
    best = int(accuracy.argmax())
    honest = float(b[a.argmax()] + a[b.argmax()]) / 2
    return BestEpoch(
        final=float(accuracy[-1]),
        best=float(accuracy[best]),
        best_epoch=best + 1,
        honest_best=honest,
        optimism=float(accuracy[best]) - honest,
    )
