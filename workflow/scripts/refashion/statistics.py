"""Intervals, tests, effect sizes and verdicts: pure functions of arrays.

Conventions
    Accuracies are in percent (0..100), differences in percentage points (pp); nothing below depends on that unit, except
    where a docstring says so. `n` counts seeds, `m` images, `k` cells or claims, `e` epochs.
    Arrays hold no NaN and no infinity; one that does is a programming error (ValueError).
    Runs of two cells are paired by position: column j of every array belongs to the same seed.

What does not exist is None
    A quantity that the data cannot give (an interval from one seed) is None, and `reason` says why in one sentence that
    begins "cannot say, because"; where everything exists `reason` is "". Nothing here returns NaN.

All values equal (SD 0, two seeds or more)
    The limit SD -> 0 of each formula: intervals have zero width; a test whose hypothesis the constant contradicts has
    p = 0, any other p = 1, the boundary counting as not contradicted. Values that differ by less than 1e-12 of their size
    are equal: that is rounding, not variation (one image in 10,000 is 0.01 pp).

Randomness
    Functions that resample or simulate take an explicit integer `seed` and build their own generator: the same input gives
    the same output to the bit, whatever was called before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

#: Level of every test, and 1 - LEVEL of every interval, unless a call says otherwise.
LEVEL = 0.05

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"
NOT_TESTABLE = "not testable"


# --- Results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval:
    """A mean with an interval (of the mean, or for one more run). `confidence` is 0.95 for a 95% interval."""

    mean: float | None
    sd: float | None
    n: int
    low: float | None
    high: float | None
    confidence: float
    reason: str = ""

    @property
    def half_width(self) -> float | None:
        """Half of high - low, in the unit of the data."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests: is |mean - target| < margin? `low`, `high`: the 1 - 2 level interval of the difference."""

    difference: float | None
    margin: float
    n: int
    p: float | None
    p_above_low: float | None
    p_below_high: float | None
    low: float | None
    high: float | None
    reason: str = ""


@dataclass(frozen=True)
class BoundTest:
    """One-sided t tests of a mean against a bound: p_above small = the mean lies above it, p_below small = below it."""

    mean: float | None
    bound: float
    n: int
    p_above: float | None
    p_below: float | None
    reason: str = ""


@dataclass(frozen=True)
class Evidence:
    """What one cell's runs say about one published number, before any correction for the number of claims.

    difference = mean - published. p_rep: the mean is closer than the margin (TOST). p_not = max(p_far, p_run): p_far: the
    mean is farther than the margin; p_run: the published number is not one more run of this cell. run_low, run_high: the
    prediction interval in which one more run falls. image_variance: added to the variance of p_run and of the prediction
    interval when the published number was validated on other images (unit of the data, squared).
    """

    published: float
    margin: float
    n: int
    mean: float | None
    sd: float | None
    difference: float | None
    p_rep: float | None
    p_far: float | None
    p_run: float | None
    p_not: float | None
    run_low: float | None
    run_high: float | None
    image_variance: float = 0.0
    diverged: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """The verdict on one published number within its family of claims.

    p_rep, p_not are adjusted (Holm). distinguishable: the published number lies outside the prediction interval.
    seeds_needed: total seeds that would decide, if mean and SD stayed as they are (None: decided, or no number would).
    break_even_reproduced: the smallest margin that would make it "reproduced"; break_even_not_reproduced: margins below it
    leave it "not reproduced" (None where no margin would); both with the other claims of the family as they are.
    """

    verdict: str
    distinguishable: bool | None
    reason: str
    p_rep: float | None
    p_not: float | None
    seeds_needed: int | None
    break_even_reproduced: float | None
    break_even_not_reproduced: float | None


@dataclass(frozen=True)
class PairedComparison:
    """Two cells run with the same seeds; difference = mean(a - b).

    low, high, p: paired t (confirmatory). p_sign_flip: sign-flip test, exact where sign_flip_exact; p_smallest = 2 / 2^n is
    the smallest p it can give. welch_*: the two cells as if unpaired (sensitivity). seed_correlation: Pearson's r of a and b.
    a12: the chance that a run of a beats a run of b, ties counting half.
    """

    n: int
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    sd: float | None
    low: float | None
    high: float | None
    p: float | None
    p_sign_flip: float | None
    sign_flip_exact: bool | None
    p_smallest: float | None
    welch_low: float | None
    welch_high: float | None
    welch_p: float | None
    seed_correlation: float | None
    a12: float | None
    confidence: float
    reason: str = ""


@dataclass(frozen=True)
class NewImagesInterval:
    """An interval that covers new seeds and new images at once, in pp; df: Satterthwaite degrees of freedom.

    seed_variance, image_variance, residual_variance: the three mean squares' components in pp^2 (negative ones set to 0).
    """

    mean: float | None
    n: int
    m: int
    low: float | None
    high: float | None
    variance: float | None
    df: float | None
    seed_variance: float | None
    image_variance: float | None
    residual_variance: float | None
    confidence: float
    reason: str = ""


@dataclass(frozen=True)
class McNemar:
    """Two runs on the same images: only_a images only run a has right, only_b only run b; exact two-sided p."""

    only_a: int
    only_b: int
    p: float


@dataclass(frozen=True)
class McNemarShare:
    """What authors with one run of each cell would have found: shares (0..1) over the n seed pairs.

    a_ahead, b_ahead, tied: whose accuracy is higher; a_significant, b_significant: ahead with McNemar's p <= level.
    tests: one McNemar a seed pair, in the order of the seeds.
    """

    n: int
    a_ahead: float | None
    b_ahead: float | None
    tied: float | None
    a_significant: float | None
    b_significant: float | None
    tests: tuple[McNemar, ...]
    reason: str = ""


@dataclass(frozen=True)
class RankProbabilities:
    """p_rank[i][r]: chance (0..1) that cell i has rank r + 1 (rank 1 = highest mean); p_best[i] = p_rank[i][0]."""

    k: int
    n: int
    draws: int
    resamples: int
    p_best: tuple[float, ...]
    p_rank: tuple[tuple[float, ...], ...]
    reason: str = ""


@dataclass(frozen=True)
class OrderProbability:
    """The chance (0..1) that a study with one run a cell prints a given strict order of the cells.

    independent: each cell's run is any of its runs; same_seed: all runs share one seed (the share of seeds that do).
    """

    independent: float | None
    same_seed: float | None
    reason: str = ""


@dataclass(frozen=True)
class AnovaEffect:
    """One term of an analysis of variance. partial_omega2 may be slightly negative for an effect of nothing."""

    name: str
    ss: float
    df: int
    f: float | None
    p: float | None
    partial_omega2: float | None


@dataclass(frozen=True)
class Anova:
    """Type II analysis of variance; effects in the order main effects, two-way, three-way, ...; the block is last."""

    effects: tuple[AnovaEffect, ...]
    n: int
    residual_ss: float | None
    residual_df: int | None
    residual_sd: float | None
    r2: float | None
    reason: str = ""


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of cell means with standard error, degrees of freedom, interval and two-sided p (against 0)."""

    estimate: float | None
    se: float | None
    df: float | None
    low: float | None
    high: float | None
    p: float | None
    confidence: float
    reason: str = ""


@dataclass(frozen=True)
class VarianceComponent:
    """One source of variance: estimate (unit squared, negative set to 0), raw estimate, share of the total (0..1), F, p,
    and an interval of the estimate (None where the method gives none)."""

    name: str
    variance: float | None
    raw: float | None
    share: float | None
    f: float | None
    p: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class VarianceComponents:
    """Rows x columns, one run each: components `rows`, `columns`, `residual` (interaction included), and their total."""

    rows: VarianceComponent
    columns: VarianceComponent
    residual: VarianceComponent
    total: float | None
    mean: float | None
    reason: str = ""


@dataclass(frozen=True)
class ImageNoise:
    """Where the variance of a measured accuracy comes from, in pp^2 (see `image_noise`).

    binomial = p (1 - p) / m = between_images + within_images up to the debiasing; seed_variance = s^2 of the accuracies;
    true_seed_variance = s^2 - within_images (negative set to 0; `true_seed_variance_raw` is not).
    """

    n: int
    m: int
    accuracy: float | None
    binomial: float | None
    between_images: float | None
    within_images: float | None
    seed_variance: float | None
    true_seed_variance: float | None
    true_seed_variance_raw: float | None
    reason: str = ""


@dataclass(frozen=True)
class SteinPlan:
    """Stein's second stage: n seeds in all for a half-width of at most `half_width`; wanted: n before the cap."""

    pilot: int
    sd: float | None
    half_width: float
    wanted: int | None
    n: int | None
    capped: bool
    reason: str = ""


@dataclass(frozen=True)
class BestEpoch:
    """Final, best and honest best accuracy of one run; epochs count from 1. optimism = best - honest_best >= 0."""

    final: float | None
    best: float | None
    best_epoch: int | None
    honest_best: float | None
    optimism: float | None
    reason: str = ""


@dataclass(frozen=True)
class OperatingCharacteristics:
    """How often (0..1) a true shift gets each verdict. Index 0: shift, index 1: claim, as in `shifts` and the input."""

    shifts: tuple[float, ...]
    repetitions: int
    reproduced: tuple[tuple[float, ...], ...]
    not_reproduced: tuple[tuple[float, ...], ...]
    inconclusive: tuple[tuple[float, ...], ...]
    monte_carlo_error: float
    reason: str = ""


# --- One cell ---------------------------------------------------------------------------------------------------------


def t_interval(x: ArrayLike, confidence: float = 1 - LEVEL) -> Interval:
    """Student's t interval of the mean of x [n]."""
    raise NotImplementedError


def prediction_interval(x: ArrayLike, confidence: float = 1 - LEVEL, image_variance: float = 0.0) -> Interval:
    """The interval in which one more run of the cell x [n] falls: mean +- t(n - 1) s sqrt(1 + 1/n).

    image_variance (unit squared) is added where that run is validated on other images; see `evidence`.
    """
    raise NotImplementedError


def half_widths(sd: float, ns: Sequence[int], confidence: float = 1 - LEVEL) -> tuple[float | None, ...]:
    """Half-width of the t interval at SD `sd` for each number of seeds in `ns` (None below two)."""
    raise NotImplementedError


def seeds_for_half_width(
    sd: float, half_width: float, confidence: float = 1 - LEVEL, most: int = 100_000
) -> int | None:
    """The smallest n >= 2 whose t interval has at most this half-width at SD `sd`; None if that takes more than `most`."""
    raise NotImplementedError


def stein_plan(
    pilot: ArrayLike, half_width: float, most: int | None = None, confidence: float = 1 - LEVEL
) -> SteinPlan:
    """Stein's two-stage number of seeds from the pilot runs [n0], at most `most` (then capped)."""
    raise NotImplementedError


def stein_interval(x: ArrayLike, pilot: int, confidence: float = 1 - LEVEL) -> Interval:
    """Stein's interval from all runs x [N], the first `pilot` of which planned N; sd is the pilot's."""
    raise NotImplementedError


# --- A published number -----------------------------------------------------------------------------------------------


def image_margin(published: float, images: int) -> float:
    """The margin in pp that a test set of `images` images resolves around an accuracy in percent."""
    raise NotImplementedError


def tost(x: ArrayLike, target: float, margin: float, level: float = LEVEL) -> Equivalence:
    """Two one-sided t tests that the mean of x [n] is within +-margin of target (Schuirmann 1987)."""
    raise NotImplementedError


def bound_test(x: ArrayLike, bound: float) -> BoundTest:
    """One-sided one-sample t tests of x [n] against a bound, in both directions."""
    raise NotImplementedError


def evidence(x: ArrayLike, published: float, margin: float, image_variance: float = 0.0, diverged: int = 0) -> Evidence:
    """What the runs x [n] of a cell say about one published number, uncorrected."""
    raise NotImplementedError


def judge_family(family: Sequence[Evidence], level: float = LEVEL) -> tuple[Verdict, ...]:
    """The verdicts on a family of claims: Holm over p_rep and over p_not, then the rule, one verdict a claim, in order."""
    raise NotImplementedError


def margin_sensitivity(
    family: Sequence[Evidence], margins: Sequence[float], level: float = LEVEL
) -> dict[float, tuple[Verdict, ...]]:
    """The family judged again with each margin in place of the claims' own: margin -> verdicts in order."""
    raise NotImplementedError


def overall_verdict(verdicts: Sequence[str]) -> str:
    """How readings of one claim agree: "robust", "unsettled" or "specification-dependent"."""
    raise NotImplementedError


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
    """How often a family of k claims (n, sd, margin: one each) gets each verdict when all are truly off by each shift."""
    raise NotImplementedError


# --- Two cells --------------------------------------------------------------------------------------------------------


def paired_comparison(
    a: ArrayLike, b: ArrayLike, *, seed: int, resamples: int = 99_999, confidence: float = 1 - LEVEL
) -> PairedComparison:
    """Compare cells a [n] and b [n] that ran with the same seeds, in the same order."""
    raise NotImplementedError


def new_images_interval(scores: ArrayLike, confidence: float = 1 - LEVEL) -> NewImagesInterval:
    """Interval in pp for the mean of scores [n, m] over new seeds and new images.

    scores: 0/1 (image right or wrong) for an accuracy, or the difference of two such arrays (-1, 0, 1) for a comparison.
    """
    raise NotImplementedError


def mcnemar(correct_a: ArrayLike, correct_b: ArrayLike) -> McNemar:
    """McNemar's exact test of two runs [m] (bool: image right) on the same images."""
    raise NotImplementedError


def mcnemar_share(correct_a: ArrayLike, correct_b: ArrayLike, level: float = LEVEL) -> McNemarShare:
    """McNemar for each seed pair of correct_a [n, m] and correct_b [n, m] (bool), and what shares of authors would say."""
    raise NotImplementedError


def a12(a: ArrayLike, b: ArrayLike) -> float | None:
    """Vargha & Delaney's A12: the chance that a value of a [n_a] exceeds one of b [n_b], ties counting half."""
    raise NotImplementedError


# --- Many cells -------------------------------------------------------------------------------------------------------


def holm(p: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's adjusted p-values. None (no test possible) stays None and still counts in the size of the family."""
    raise NotImplementedError


def benjamini_hochberg(p: Sequence[float | None]) -> tuple[float | None, ...]:
    """Benjamini & Hochberg's adjusted p-values (false discovery rate); None as in `holm`."""
    raise NotImplementedError


def rank_probabilities(
    scores: ArrayLike, *, seed: int, resamples: int = 10_000, draws: int | None = None
) -> RankProbabilities:
    """P(best) and P(rank) of k cells from scores [k, n], by resampling seeds jointly, with replacement.

    draws: seeds in each resample (None: n, the ranks of the means seen here; 1: what a one-run study prints).
    """
    raise NotImplementedError


def order_probability(scores: ArrayLike) -> OrderProbability:
    """The chance that a one-run study prints the rows of scores [k, n] in this order, the first the highest. Exact."""
    raise NotImplementedError


def anova(y: ArrayLike, factors: Mapping[str, Sequence], block: Sequence | None = None, *, hc3: bool = False) -> Anova:
    """Type II analysis of variance of y [N] over all interactions of the factors (name -> [N] labels), block additive.

    hc3: heteroscedasticity-consistent F tests (MacKinnon & White's HC3), a sensitivity.
    """
    raise NotImplementedError


def logit_percent(accuracy: ArrayLike) -> np.ndarray:
    """The log odds of accuracies in percent (0 < accuracy < 100), the scale of the sensitivity analysis."""
    raise NotImplementedError


def welch_contrast(samples: Sequence[ArrayLike], weights: Sequence[float], confidence: float = 1 - LEVEL) -> Contrast:
    """A contrast of the means of k independent cells (each [n_c]) with unequal variances, Welch-Satterthwaite df."""
    raise NotImplementedError


def paired_contrast(scores: ArrayLike, weights: Sequence[float], confidence: float = 1 - LEVEL) -> Contrast:
    """A contrast of the means of k cells run with the same seeds, scores [k, n]: a t interval of the n seeds' contrasts."""
    raise NotImplementedError


def variance_components(y: ArrayLike, confidence: float = 1 - LEVEL) -> VarianceComponents:
    """Variance components of y [a, b], rows (subset seeds) crossed with columns (initialiser seeds), one run each."""
    raise NotImplementedError


# --- Images and epochs ------------------------------------------------------------------------------------------------


def share_right(correct: ArrayLike) -> np.ndarray:
    """q [m]: the share (0..1) of the n seeds that are right on each image, from correct [n, m] (bool)."""
    raise NotImplementedError


def image_noise(correct: ArrayLike) -> ImageNoise:
    """Split the variance of an accuracy into images, luck on images and true differences of seeds, correct [n, m]."""
    raise NotImplementedError


def honest_best(accuracy: ArrayLike, half_a: ArrayLike, half_b: ArrayLike) -> BestEpoch:
    """Best epoch of one run, and what it is worth when chosen on one half of the images and scored on the other.

    accuracy, half_a, half_b: [e], accuracy after each epoch on all images and on the two fixed halves.
    """
    raise NotImplementedError
