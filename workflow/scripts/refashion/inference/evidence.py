"""What the runs of one cell say about one published number, before any correction for the number of claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np
from numpy.typing import ArrayLike

from refashion.inference.distances import Distances
from refashion.inference.summaries import LEVEL, finite, summarise


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one cell's runs say about one published number, before any correction for the number of claims.

    difference = mean - published. p_rep: TOST, the mean is closer than the margin. p_far: one-sided t test that it is
    farther, in the direction seen. p_run: the published number is one more exchangeable run of this cell. p_not =
    max(p_far, p_run), because "not reproduced" claims both. p_rep and p_far ask for closeness (what the recipe gives on
    average), p_run for typicality (what one run gives). run_low, run_high: the 95% prediction interval in which one
    more run falls. image_variance (unit squared) enters p_run and the prediction interval where the published number
    was validated on other images. n counts finished runs. printed_runs, printed_sd: of which the published number is
    the mean; it is then held against as a second sample, and p_run and the prediction interval are those of another
    such mean (see `Distances.errors`). From p_rep to p_not and of the interval, nothing exists below two runs.
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

    @property
    def distance(self) -> Distances:
        """What decides on the number; what is not known counts as 0."""
        return Distances(
            self.difference or 0.0,
            self.sd or 0.0,
            self.n,
            self.margin,
            self.image_variance,
            self.printed_runs,
            np.nan if self.printed_sd is None else self.printed_sd,
        )


def distances(family: Sequence[Evidence]) -> Distances:
    """The distances of k pieces of evidence, arrays [k]."""
    return Distances(*np.array([e.distance for e in family], float).T)


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
    p = published / 100
    return 100 * 1.96 * float(np.sqrt(p * (1 - p) / images))


def half_error_margin(e: Evidence) -> float | None:
    """Half of a published accuracy's error, where that is a narrower margin than its own; else None.

    Within it, errors differ by less than half. Near 100% a margin that images resolve holds numbers that a reader would
    call different.
    """
    half = (100 - e.published) / 2
    return half if 0 < half < e.margin and e.sd is not None else None


def weigh(
    x: ArrayLike,
    published: float,
    margin: float,
    image_variance: float = 0.0,
    diverged: int = 0,
    printed_runs: int = 1,
    printed_sd: float | None = None,
) -> Evidence:
    """What the runs x [n] of a cell say about one published number; `diverged` runs are left out of x.

    image_variance is 2 between_images of `image_noise` where the cell was validated on other images than the published
    number. A published mean of several runs has an error of its own: closeness is then Welch's two one-sided tests
    (Schuirmann 1987; Gruman, Cribbie & Arpin-Cribbie 2007, Journal of Modern Applied Statistical Methods 6, 133-140).
    """
    finite(published, margin, image_variance, printed_sd or 0.0)
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
    return _with_p_values(bare)


def with_margin(e: Evidence, margin: float) -> Evidence:
    """The same evidence held against another margin."""
    return _with_p_values(replace(e, margin=margin))


def _with_p_values(e: Evidence) -> Evidence:
    """Evidence with its p-values and prediction interval, from its summary; unchanged below two runs."""
    if e.mean is None or e.sd is None:
        return e
    p_rep, p_far, p_run = map(float, e.distance.p_values())
    half = float(e.distance.run_half_width(LEVEL / 2))
    run_low, run_high = e.mean - half, e.mean + half
    p_not = max(p_far, p_run)
    return replace(e, p_rep=p_rep, p_far=p_far, p_run=p_run, p_not=p_not, run_low=run_low, run_high=run_high)
