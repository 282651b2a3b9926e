"""Several tests at once: Holm's family-wise error rate, and Benjamini and Hochberg's false discovery rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from refashion.inference.summaries import finite_array


def holm(p: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's adjusted p-values (1979, Scandinavian Journal of Statistics 6, 65-70).

    None (no test possible) stays None and still counts in the size of the family, as p = 1 would.
    """
    return _adjusted(p, holm_along)


def benjamini_hochberg(p: Sequence[float | None]) -> tuple[float | None, ...]:
    """Benjamini & Hochberg's adjusted p-values (false discovery rate); None as in `holm`."""
    return _adjusted(p, stats.false_discovery_control)


def _adjusted(p: Sequence[float | None], adjust) -> tuple[float | None, ...]:
    if not len(p):
        return ()
    values = finite_array([1.0 if q is None else q for q in p], 1)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(f"a p-value lies between 0 and 1, got {values.min()} to {values.max()}")
    adjusted = adjust(values)
    return tuple(None if q is None else float(new) for q, new in zip(p, adjusted, strict=True))


def holm_along(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values along the last axis [..., k]; statsmodels' `multipletests` knows one family a call."""
    order = np.argsort(p, axis=-1)
    stepped = np.take_along_axis(p, order, -1) * np.arange(p.shape[-1], 0, -1)
    adjusted = np.empty_like(stepped)
    np.put_along_axis(adjusted, order, np.minimum(1, np.maximum.accumulate(stepped, axis=-1)), -1)
    return adjusted


def holm_level(p: Sequence[float | None], i: int, level: float) -> float:
    """The largest own p-value at which Holm still rejects hypothesis i, the others being as they are.

    Holm rejects the r others that it would reject even if i had p = 1; then i is compared with level / (k - r).
    """
    others = sorted(1.0 if q is None else q for j, q in enumerate(p) if j != i)
    rejected = 0
    while rejected < len(others) and others[rejected] * (len(p) - rejected) <= level:
        rejected += 1
    return level / (len(p) - rejected)
