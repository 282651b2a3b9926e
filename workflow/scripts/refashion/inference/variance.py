"""Where the variance of an accuracy comes from: seeds of two kinds, runs and images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion.inference.summaries import LEVEL, ROUNDING, finite_array


@dataclass(frozen=True, kw_only=True)
class VarianceComponent:
    """One source of variance, in the unit squared.

    variance: the estimate, negative set to 0. share: of the total (0..1). f, p: F test that the variance is 0, which a
    residual has not. low, high: its interval.
    """

    variance: float | None = None
    share: float | None = None
    f: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class ImageNoise:
    """Where the variance of a measured accuracy comes from, in pp^2 (see `image_noise`).

    seed_variance = s^2 of the n accuracies. true_seed_variance: of accuracies on endless images, negative set to 0.
    Nothing but n exists below two seeds.
    """

    n: int
    between_images: float | None = None
    within_images: float | None = None
    seed_variance: float | None = None
    true_seed_variance: float | None = None


def variance_components(y: ArrayLike, confidence: float = 1 - LEVEL) -> tuple[VarianceComponent, ...]:
    """Variance components of y [a, b], rows (subset seeds) crossed with columns (initialiser seeds), one run each.

    Returns those of rows, columns and residual; none without two seeds of each kind.

    Method of moments: rows (MS_rows - MS_res) / b, columns (MS_columns - MS_res) / a, residual MS_res, in which the
    interaction and the noise of a single run lie together. Intervals: Tukey-Williams (Williams 1962, Biometrika 49,
    278-281) for rows and columns, chi-squared for the residual.
    """
    y = finite_array(y, 2)
    a, b = y.shape
    if a < 2 or b < 2:
        return ()
    mean, *squares = crossed_mean_squares(y)
    ms_rows, ms_columns, ms_residual = (0.0 if ms <= (ROUNDING * mean) ** 2 else ms for ms in squares)
    df = (a - 1) * (b - 1)
    raw = ((ms_rows - ms_residual) / b, (ms_columns - ms_residual) / a, ms_residual)
    total = sum(max(0.0, value) for value in raw)
    rows = _random_effect(total, ms_rows, ms_residual, a - 1, df, b, confidence)
    columns = _random_effect(total, ms_columns, ms_residual, b - 1, df, a, confidence)
    tail = (1 - confidence) / 2
    residual = VarianceComponent(
        variance=raw[2],
        share=raw[2] / total if total > 0 else None,
        low=float(df * ms_residual / stats.chi2.isf(tail, df)),
        high=float(df * ms_residual / stats.chi2.ppf(tail, df)),
    )
    return rows, columns, residual


def nested_component(cells: Sequence[Sequence[ArrayLike]], confidence: float = 1 - LEVEL) -> VarianceComponent | None:
    """Variance between the groups of each cell: cells of groups of runs [n_cg], cells of any mean.

    Method of moments, (MS_groups - MS_runs) / n0, where n0 = sum_c (n_c - sum_g n_cg^2 / n_c) / df is a group's average
    size (Searle, Casella & McCulloch 1992, Variance Components, chapter 3, of one cell); both mean squares are pooled
    over the cells. The interval is Tukey-Williams', n0 for the size: made for groups of one size, it covers .95 to
    .98 in simulated cells of 4 + 1 and 3 + 2 runs. None without two groups in a cell or without two runs in a group.
    """
    split = [[finite_array(group, 1) for group in cell] for cell in cells]
    df, df_runs = sum(len(cell) - 1 for cell in split), sum(group.size - 1 for cell in split for group in cell)
    if df < 1 or df_runs < 1:
        return None
    means = [np.concatenate(cell).mean() for cell in split]
    between = sum(g.size * (g.mean() - mean) ** 2 for cell, mean in zip(split, means, strict=True) for g in cell)
    within = sum(float(np.square(group - group.mean()).sum()) for cell in split for group in cell)
    sizes = [np.array([group.size for group in cell]) for cell in split]
    size = sum(own.sum() - (own**2).sum() / own.sum() for own in sizes) / df
    ms, ms_runs = between / df, within / df_runs
    total = max(0.0, (ms - ms_runs) / size) + ms_runs
    return _random_effect(total, ms, ms_runs, df, df_runs, size, confidence)


def _random_effect(total, ms, ms_residual, df, df_residual, per_level, confidence) -> VarianceComponent:
    """One crossed factor: F test of variance 0 and the Tukey-Williams interval, cut at 0."""
    f, tail = ms / ms_residual if ms_residual > 0 else None, (1 - confidence) / 2
    shrink = [1 - stats.f.isf(q, df, df_residual) / f if f else float(ms > 0) for q in (tail, 1 - tail)]
    low, high = (
        max(0.0, float(df * ms * factor / (per_level * stats.chi2.isf(q, df))))
        for factor, q in zip(shrink, (tail, 1 - tail), strict=True)
    )
    p = float(stats.f.sf(f, df, df_residual)) if f is not None else float(ms == 0)
    variance = max(0.0, (ms - ms_residual) / per_level)
    share = variance / total if total > 0 else None
    return VarianceComponent(variance=variance, share=share, f=f, p=p, low=low, high=high)


def crossed_mean_squares(y: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, and mean squares of rows, columns and residual, of y [n, m]: two-way layout without replication."""
    n, m = y.shape
    mean = float(y.mean(dtype=float))
    centred = y - mean
    ss_rows = m * float(np.square(centred.mean(1)).sum())
    ss_columns = n * float(np.square(centred.mean(0)).sum())
    ss_residual = max(0.0, float(np.square(centred).sum()) - ss_rows - ss_columns)
    return mean, ss_rows / (n - 1), ss_columns / (m - 1), ss_residual / ((n - 1) * (m - 1))


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
    if n < 2:
        return ImageNoise(n=n)
    q = correct.mean(0)
    within = 1e4 * float((q * (1 - q)).mean()) / m * n / (n - 1)
    seed_variance = 1e4 * float(correct.mean(1).var(ddof=1))
    beyond = (seed_variance - within) * m / (m - 1) if m > 1 else 0.0
    return ImageNoise(
        n=n,
        between_images=max(0.0, 1e4 * float(q.var()) / m - within / n),
        within_images=within,
        seed_variance=seed_variance,
        true_seed_variance=max(0.0, beyond),
    )
