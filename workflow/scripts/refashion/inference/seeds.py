"""How many seeds an interval of a given width needs: Stein's two stages."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion.inference.summaries import LEVEL, ROUNDING, finite, summarise

#: A spread of fewer runs forecasts no number of seeds: its own interval spans a factor of more than six.
FORECAST_RUNS = 5


def stein_seeds(pilot: ArrayLike, half_width: float, confidence: float = 1 - LEVEL) -> int | None:
    """Stein's number of seeds in all, from the pilot runs [n0]; None without an SD, that is, below two runs.

    N = max(n0, ceil((t(n0 - 1) s0 / h)^2)); Stein 1945, Annals of Mathematical Statistics 16, 243-258. The interval
    mean +- h of all N runs covers at least `confidence`, whatever the true SD.
    """
    finite(half_width)
    sample = summarise(pilot)
    if sample.sd is None:
        return None
    exact = (stats.t.isf((1 - confidence) / 2, sample.n - 1) * sample.sd / half_width) ** 2
    return max(sample.n, int(np.ceil(exact * (1 - ROUNDING))))
