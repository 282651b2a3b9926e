"""How far cells lie from published numbers, and how surely: the tests behind a verdict, elementwise over arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.optimize import elementwise

from refashion.inference.summaries import NO_DISTANCE, upper_p, welch

#: One number, or an array of them.
Values = float | np.ndarray


class Distances(NamedTuple):
    """Cells and the published numbers that they are held against: numbers, or arrays that broadcast.

    difference: mean - published. sd, n: of the cells' runs, at least 2; df: of sd, nan: n - 1. image_variance (unit
    squared): of a published number that was validated on other images. runs: of which the published number is the
    mean; spread: their SD, nan where none is printed.
    """

    difference: Values
    sd: Values
    n: Values
    margin: Values
    image_variance: Values = 0.0
    runs: Values = 1
    spread: Values = np.nan
    df: Values = np.nan

    @property
    def errors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What a mean may be off its published number: se, df; and what such a number may be: scale, df.

        A published number of one run is a number by itself, against which the mean is held as it is, and which is one
        more run if it is typical. The mean of several is a second sample (Welch's error; typical is what the published
        study's own spread predicts for another mean, t with runs - 1: Spence & Stanley 2016, PLoS ONE 11, e0162874);
        where its SD is not printed, it is that of this cell.
        """
        sd, n, runs, spread = (np.asarray(value, float) for value in (self.sd, self.n, self.runs, self.spread))
        own_df = np.where(np.isnan(self.df), n - 1, self.df)
        several = runs > 1
        printed = several & ~np.isnan(spread)
        theirs = np.where(printed, spread, sd)
        more = np.where(printed, runs - 1, own_df)
        se, both = welch((sd**2 / n, np.where(several, theirs**2 / runs, 0.0)), (own_df, more))
        df = np.where(printed, both, own_df) if printed.any() else own_df  # no larger than need be: quantiles cost
        return se, df, theirs * np.sqrt(1 / runs + 1 / n), more

    def run_half_width(self, tail: Values) -> np.ndarray:
        """Half-width of the prediction interval that leaves `tail` on each side.

        sqrt(t(df)^2 scale^2 + z^2 image_variance): Howe's interval for the sum of an estimated and a known variance
        (Howe 1974, JASA 69, 789-794). Simulated, it never covers less than .95: .96 to .97 at n = 5, where t(n - 1) on
        the whole sum covers .975 to .994 and Satterthwaite's degrees of freedom .94 to .95 (.89 at n = 2).
        """
        *_, scale, df = self.errors
        return np.sqrt(stats.t.isf(tail, df) ** 2 * scale**2 + stats.norm.isf(tail) ** 2 * self.image_variance)

    def p_values(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """p_rep, p_far and p_run, see `evidence.Evidence`."""
        distance = np.abs(self.difference)
        se, df, scale, scale_df = self.errors
        p_rep = upper_p(self.margin - distance, se, df)  # the larger of TOST's two is that on the difference's side
        p_far = upper_p(distance - self.margin, se, df)
        if np.any(self.image_variance):
            return p_rep, p_far, _howe_p(distance, scale**2, scale_df, self.image_variance)
        return p_rep, p_far, np.minimum(1, 2 * upper_p(distance, scale, scale_df))

    def bounds(self, level_rep: Values, level_not: Values) -> tuple[np.ndarray, np.ndarray]:
        """The |difference| below which p_rep <= level_rep, and above which p_not <= level_not.

        By NO_DISTANCE narrower, since nothing is decided at the margin itself.
        """
        se, df, *_ = self.errors
        near = self.margin - stats.t.isf(level_rep, df) * se
        far = np.maximum(self.margin + stats.t.isf(level_not, df) * se, self.run_half_width(np.asarray(level_not) / 2))
        return near - NO_DISTANCE, far + NO_DISTANCE

    def chance_to_decide(self, level_rep: Values, level_not: Values, spread: Values, df: Values) -> np.ndarray:
        """The chance that one of them decides, were the difference as it is + spread t(df)."""
        near, far = self.bounds(level_rep, level_not)
        within = np.where(near > 0, chance_between(-near, near, self.difference, spread, df), 0.0)
        return within + 1 - chance_between(-far, far, self.difference, spread, df)


def chance_between(low: Values, high: Values, centre: Values, spread: Values, df: Values) -> np.ndarray:
    """The chance that centre + spread t(df) lies between low and high; spread 0: whether centre does."""

    def chance_below(end: Values) -> np.ndarray:
        away = np.asarray(end - centre, float)
        limit = np.where(away > 0, np.inf, -np.inf)
        return stats.t.cdf(np.divide(away, spread, out=limit, where=np.asarray(spread) > 0), df)

    return chance_below(high) - chance_below(low)


def _howe_p(distance: Values, estimated: Values, df: Values, known: Values) -> np.ndarray:
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
