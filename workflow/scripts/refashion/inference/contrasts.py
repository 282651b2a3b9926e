"""Cells held against each other or against a bound: by Welch's tests, and over seeds that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion.inference.summaries import LEVEL, ROUNDING, Summary, finite, finite_array, summarise, upper_p, welch


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A weighted sum of cell means from n seeds a cell (the fewest), with standard error and degrees of freedom.

    low, high: its t interval. All but estimate and n are None below two seeds.
    """

    estimate: float | None = None
    n: int
    se: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def p_above(self, bound: float = 0.0) -> float | None:
        """One-sided p: small says that the contrast lies above the bound."""
        return self._p(1, bound)

    def p_below(self, bound: float = 0.0) -> float | None:
        """One-sided p: small says that it lies below."""
        return self._p(-1, bound)

    @property
    def p(self) -> float | None:
        """Two-sided p against 0."""
        above, below = self.p_above(), self.p_below()
        return None if above is None or below is None else min(1.0, 2 * min(above, below))

    def _p(self, side: int, bound: float) -> float | None:
        finite(bound)
        if self.estimate is None or self.se is None or self.df is None:
            return None
        return float(upper_p(side * (self.estimate - bound), self.se, self.df))


def welch_contrast(
    samples: Sequence[ArrayLike], weights: Sequence[float] | np.ndarray, confidence: float = 1 - LEVEL
) -> Contrast:
    """A contrast of the means of k independent cells (each [n_c]) with unequal variances, Welch-Satterthwaite df.

    estimate = sum w_c mean_c, se^2 = sum w_c^2 s_c^2 / n_c (Welch 1947, Biometrika 34, 28-35). Cells of weight 0, not
    all, do not enter. It takes cells as independent: where they share seeds, `paired_contrast` is the exact one.
    """
    finite(*weights)
    used = [(summarise(x), w) for x, w in zip(samples, weights, strict=True) if w != 0]
    fewest = min((cell for cell, _ in used), key=lambda cell: cell.n)
    estimate = None if fewest.mean is None else sum(w * (cell.mean or 0.0) for cell, w in used)
    if estimate is None or fewest.sd is None:
        return Contrast(estimate=estimate, n=fewest.n, reason=fewest.reason)
    parts = [(w**2 * (cell.sd or 0.0) ** 2 / cell.n, cell.n - 1) for cell, w in used]
    se, df = map(float, welch(*zip(*parts, strict=True)))
    return _contrast(estimate, fewest.n, se, df, confidence)


def paired_contrast(scores: ArrayLike, weights: ArrayLike, confidence: float = 1 - LEVEL) -> Contrast:
    """A contrast of the means of k cells run with the same seeds, scores [k, n]: the t test of n contrasts.

    Exact for normal runs whatever the cells' variances and the seeds' correlations; df = n - 1.
    """
    scores, weights = finite_array(scores, 2), finite_array(weights, 1)
    size = float((np.abs(weights) @ np.abs(scores)).max(initial=0))
    sample = summarise(weights @ scores, size)
    if sample.mean is None or sample.sd is None:
        return Contrast(estimate=sample.mean, n=sample.n, reason=sample.reason)
    return _contrast(sample.mean, sample.n, sample.sd / np.sqrt(sample.n), sample.n - 1, confidence)


def _contrast(estimate: float, n: int, se: float, df: float, confidence: float) -> Contrast:
    half = float(stats.t.isf((1 - confidence) / 2, df) * se)
    return Contrast(
        estimate=float(estimate), n=n, se=float(se), df=float(df), low=estimate - half, high=estimate + half
    )


@dataclass(frozen=True, kw_only=True)
class PairedComparison:
    """Two cells run with the same seeds: the difference of a and b, by seed (confirmatory) and as if unpaired.

    p_sign_flip: sign-flip test; p_smallest = 2 / 2^n is the smallest p that it can give. seed_correlation: Pearson's r
    of a and b over the seeds. a12: the chance that a run of a beats a run of b, ties counting half.
    """

    mean_a: float | None = None
    mean_b: float | None = None
    paired: Contrast
    welch: Contrast
    p_sign_flip: float | None = None
    p_smallest: float | None = None
    seed_correlation: float | None = None
    a12: float | None = None
    reason: str = ""

    @property
    def sd(self) -> float | None:
        """SD of the n differences."""
        return None if self.paired.se is None else float(self.paired.se * np.sqrt(self.paired.n))


#: Sign flips are enumerated up to this n (2^20 sums take 20 ms), and drawn at random above it.
_EXACT_SIGN_FLIPS = 20


def paired_comparison(
    a: ArrayLike, b: ArrayLike, *, seed: int, resamples: int = 99_999, confidence: float = 1 - LEVEL
) -> PairedComparison:
    """Compare cells a [n] and b [n] that ran with the same seeds, in the same order; see `PairedComparison`.

    The sign-flip test enumerates all 2^n flips to n = 20 and draws `resamples` of them (by `seed`) above.
    """
    first, second = summarise(a), summarise(b)
    several = first.n > 1
    correlation, reason = _seed_correlation(first, second)
    return PairedComparison(
        mean_a=first.mean,
        mean_b=second.mean,
        paired=paired_contrast([first.values, second.values], [1, -1], confidence),
        welch=welch_contrast([first.values, second.values], [1, -1], confidence),
        p_sign_flip=_sign_flip_p(first.values - second.values, seed, resamples) if several else None,
        p_smallest=2.0 ** (1 - first.n) if several else None,
        seed_correlation=correlation,
        a12=a12(a, b),
        reason=reason,
    )


def _sign_flip_p(d: np.ndarray, seed: int, resamples: int) -> float:
    """Two-sided sign-flip p of mean(d) = 0.

    The same test as `scipy.stats.permutation_test((d,), mean, permutation_type='samples')`, which takes 0.3 s at n = 16
    where this takes a millisecond; a study compares hundreds of pairs. At random, p = (hits + 1) / (draws + 1) (Phipson
    & Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9, 39).
    """
    exact = d.size <= _EXACT_SIGN_FLIPS
    if exact:  # half of all sign patterns; the other half only changes the sign of the sum
        sums = d[:1]
        for value in d[1:]:
            sums = np.concatenate([sums + value, sums - value])
    else:
        sums = np.random.default_rng(seed).choice([-1.0, 1.0], (resamples, d.size)) @ d
    hits = int(np.count_nonzero(np.abs(sums) >= abs(d.sum()) - 1e-9 * np.abs(d).sum()))  # ties despite rounding
    return hits / sums.size if exact else (hits + 1) / (sums.size + 1)


def _seed_correlation(a: Summary, b: Summary) -> tuple[float | None, str]:
    """Pearson's r over the seeds, or None and why."""
    if a.n < 2:
        return None, a.reason
    if a.n < 3:
        return None, "cannot say how seeds correlate, because two seeds always lie on a line"
    if a.sd == 0 or b.sd == 0:
        return None, "cannot say how seeds correlate, because all runs of a cell are equal"
    return float(np.corrcoef(a.values, b.values)[0, 1]), ""


def a12(a: ArrayLike, b: ArrayLike) -> float | None:
    """Vargha & Delaney's A12 = U / (n_a n_b): the chance that a value of a [n_a] exceeds one of b [n_b], ties half.

    Vargha & Delaney 2000, J. Educational and Behavioral Statistics 25, 101-132. Values that only rounding separates
    (1e-12 of their size) tie. None if either is empty.
    """
    a, b = finite_array(a, 1), finite_array(b, 1)
    if not a.size or not b.size:
        return None
    ahead = a[:, None] - b
    tied = np.abs(ahead) <= ROUNDING * max(np.abs(a).max(), np.abs(b).max())
    return float((np.where(tied, 0.5, ahead > 0)).mean())
