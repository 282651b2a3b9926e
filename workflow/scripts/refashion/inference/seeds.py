"""How many seeds an interval of a given width needs: by a known SD, and by Stein's two stages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion.inference.intervals import Interval, around, half_width
from refashion.inference.summaries import LEVEL, ROUNDING, finite, summarise

#: A spread of fewer runs forecasts no number of seeds: its own interval spans a factor of more than six.
FORECAST_RUNS = 5


@dataclass(frozen=True, kw_only=True)
class SteinPlan:
    """Stein's second stage: n seeds in all, at most those wanted for the half-width; the pilot's SD."""

    sd: float | None = None
    wanted: int | None = None
    n: int | None = None
    reason: str = ""

    @property
    def capped(self) -> bool:
        return self.n != self.wanted


def stein_plan(
    pilot: ArrayLike, half_width: float, most: int | None = None, confidence: float = 1 - LEVEL
) -> SteinPlan:
    """Stein's two-stage number of seeds from the pilot runs [n0], at most `most` (then capped).

    N = max(n0, ceil((t(n0 - 1) s0 / h)^2)); Stein 1945, Annals of Mathematical Statistics 16, 243-258. The interval
    mean +- h of all N runs covers at least `confidence`, whatever the true SD.
    """
    finite(half_width)
    sample = summarise(pilot)
    if sample.sd is None:
        return SteinPlan(reason=sample.reason)
    exact = (stats.t.isf((1 - confidence) / 2, sample.n - 1) * sample.sd / half_width) ** 2
    wanted = max(sample.n, int(np.ceil(exact * (1 - ROUNDING))))
    n = wanted if most is None else max(sample.n, min(wanted, most))
    return SteinPlan(sd=sample.sd, wanted=wanted, n=n)


def stein_interval(x: ArrayLike, pilot: int, confidence: float = 1 - LEVEL) -> Interval:
    """Stein's interval from all runs x [N], the first `pilot` of which planned N: mean +- t(n0 - 1) s0 / sqrt(N).

    `sd` is the pilot's s0. Coverage is exact for normal runs, capped or not, because N depends on s0 alone.
    """
    sample, first = summarise(x), summarise(np.asarray(x, float)[:pilot])
    if sample.mean is None or first.sd is None:
        return Interval(mean=sample.mean, n=sample.n, reason=first.reason)
    return around(sample.mean, first.sd, sample.n, half_width(first.sd, sample.n, pilot - 1, confidence))
