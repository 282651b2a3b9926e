"""Looks: claims judged while seeds are added, at a level that is spent look by look.

The rule, fixed before the runs
    At look j every member of a family that is still open has n_j seeds. Holm's procedure is applied at the level that
    look j spends, once over closeness (p_rep) and once over farness (p_not). A member that is decided stays decided: in
    later looks it counts as a rejected hypothesis in its own direction and as p = 1 in the other. The levels of all
    looks add up to the level of the whole.

Why that keeps the level, whatever the dependence
    Before the first false rejection only false hypotheses have been rejected. So at look j that takes a p-value of at
    most spend_j / k0 among the k0 true ones, which happens in at most spend_j of studies; the looks add up (Bonferroni;
    Jennison & Turnbull 2000, Group Sequential Methods, chapter 7).

Futility
    An open member stops where the chance to decide at the last look is below FUTILE: its runs stay, the seeds that are
    to come are drawn from what the present ones predict (Spiegelhalter, Freedman & Blackburn 1986, Controlled Clinical
    Trials 7, 8-17: predictive power). Stopping for futility can only take rejections away, so it needs no level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refashion.inference.distances import Distances, Values, chance_between
from refashion.inference.evidence import Evidence, distances
from refashion.inference.families import holm_along
from refashion.inference.summaries import upper_p

#: The chance to decide at the last look below which a member stops.
FUTILE = 0.05


class State(IntEnum):
    """Where a member of a family stands after a look."""

    OPEN = 0
    REPRODUCED = 1
    NOT_REPRODUCED = 2
    #: More seeds will hardly decide it (futility), or cannot, because a run diverged.
    STOPPED = 3
    #: Its claim was decided by another member.
    SETTLED = 4


@dataclass(frozen=True, eq=False)
class Look:
    """What the k members of a family show at one look: own p-values [..., k], nan where there is none.

    chance: from the levels that Holm will ask of each member at the last look, for p_rep and p_not [..., k], the chance
    that the last look decides it (1 where nothing is known).
    """

    p_rep: np.ndarray
    p_not: np.ndarray
    chance: Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Course:
    """Where each member stands after the looks that were held; arrays [..., k].

    look: position of the look at which it ended, or of the last one held. p_rep, p_not: its p-values at that look after
    Holm, times the whole level / the level of that look, at most 1: at most the whole level where it was decided.
    """

    state: np.ndarray
    look: np.ndarray
    p_rep: np.ndarray
    p_not: np.ndarray


def follow(
    held: Sequence[Look], spend: Sequence[float], claims: Sequence[int] | None = None, settles: State = State.REPRODUCED
) -> Course:
    """Apply the rule to the looks that were held, in order. At least one; `spend` has a level for each planned look.

    claims [k]: members with equal numbers are of one claim, and the first that gets the state `settles` ends the others
    (a number is held against several cells: reproduced in one of them; several differences are stated: one is wrong).
    """
    shape = np.shape(held[0].p_rep)
    state, look = np.full(shape, State.OPEN, np.int8), np.zeros(shape, np.int8)
    p_rep, p_not = np.ones(shape), np.ones(shape)
    for position, (seen, level) in enumerate(zip(held, spend, strict=False)):
        was_open = state == State.OPEN
        adjusted_rep = _holm(seen.p_rep, state, State.REPRODUCED)
        adjusted_not = _holm(seen.p_not, state, State.NOT_REPRODUCED)
        state = np.where(was_open & (adjusted_rep <= level), State.REPRODUCED, state)
        state = np.where((state == State.OPEN) & (adjusted_not <= level), State.NOT_REPRODUCED, state)
        if claims is not None:
            state = _settle(state, np.asarray(claims), settles)
        if position < len(spend) - 1:
            state = _stop(state, seen, spend[-1])
        scale = sum(spend) / level
        look = np.where(was_open, position, look)
        p_rep = np.where(was_open, np.minimum(1, adjusted_rep * scale), p_rep)
        p_not = np.where(was_open, np.minimum(1, adjusted_not * scale), p_not)
    return Course(state, look, p_rep, p_not)


def _holm(p: np.ndarray, state: np.ndarray, own: State) -> np.ndarray:
    """Holm's adjusted p-values, members decided before in their own direction being rejected and all others not."""
    carried = np.where(state == own, 0.0, 1.0)
    return holm_along(np.where(state == State.OPEN, np.where(np.isnan(p), 1.0, p), carried))


def _settle(state: np.ndarray, claims: np.ndarray, settles: State) -> np.ndarray:
    """End the open members of claims that another of their members has settled."""
    alike = claims[:, None] == claims  # [k, k]
    settled = ((state == settles)[..., None, :] & alike).any(-1)
    return np.where((state == State.OPEN) & settled, State.SETTLED, state)


def _stop(state: np.ndarray, seen: Look, last: float) -> np.ndarray:
    """Stop the open members that the last look will hardly decide, the decided ones being as they are."""
    left = state.shape[-1] - np.stack([(state == s).sum(-1) for s in (State.REPRODUCED, State.NOT_REPRODUCED)])
    level_rep, level_not = (np.broadcast_to((last / many)[..., None], state.shape) for many in np.maximum(left, 1))
    return np.where((state == State.OPEN) & (seen.chance(level_rep, level_not) < FUTILE), State.STOPPED, state)


# ----------------------------------------------------------------------------------------- what a member can be


def look_at(known: np.ndarray, hopeless: ArrayLike, p_rep: np.ndarray, p_not: np.ndarray, chance: Callable) -> Look:
    """A look that shows something of the `known` members alone: of others no p-values, and no chance if hopeless."""

    def of_all(level_rep: np.ndarray, level_not: np.ndarray) -> np.ndarray:
        return np.where(known, chance(level_rep, level_not), np.where(hopeless, 0.0, 1.0))

    return Look(np.where(known, p_rep, np.nan), np.where(known, p_not, np.nan), of_all)


def numbers(family: Sequence[Evidence], most: int) -> Look:
    """A look at published numbers, from their evidence; `most`: the seeds of the last look.

    A cell with a diverged run gets at most "inconclusive", so that its chance is 0.
    """
    known = np.array([e.sd is not None and not e.diverged for e in family])
    diverged = np.array([e.diverged > 0 for e in family])
    seen = distances(family)
    chance = partial(chance_for_number, seen._replace(n=np.maximum(seen.n, 2)), most)
    p_rep, p_not = (np.array([getattr(e, p) for e in family], float) for p in ("p_rep", "p_not"))
    return look_at(known, diverged, p_rep, p_not, chance)


def chance_for_number(seen: Distances, most: int, level_rep: Values, level_not: Values) -> np.ndarray:
    """The chance (0..1) that a published number is decided with `most` runs, after those seen; elementwise.

    The mean of all runs differs from that of the first n by s sqrt(1/n - 1/most) t(n - 1); their SD is taken as it is.
    """
    to_come = seen.sd * np.sqrt(np.maximum(0.0, 1 / seen.n - 1 / most))
    return seen._replace(n=most).chance_to_decide(level_rep, level_not, to_come, seen.n - 1)


class Difference(NamedTuple):
    """A stated difference, or arrays of such: the mean by which it exceeds its bound in the stated direction.

    se, df: standard error and degrees of freedom of that mean, from n seeds; None or nan where there is no test yet.
    """

    excess: Any = None
    se: Any = None
    df: Any = None
    n: Any = 0
    diverged: Any = False


def stated(family: Sequence[Difference], most: int) -> Look:
    """A look at k stated differences; `most`: the seeds of the last look."""
    return differences(Difference(*np.array(family, float).T), most)


def differences(seen: Difference, most: int) -> Look:
    """A look at arrays of differences, elementwise. One with a diverged run has no chance.

    With more seeds the standard error shrinks as their root grows, and degrees of freedom grow in proportion.
    """
    excess, se, df, n, diverged = np.broadcast_arrays(*(np.asarray(value, float) for value in seen))
    known, count = (n >= 2) & (diverged == 0), np.maximum(n, 2)
    mean, error, freedom = (np.where(known, value, fill) for value, fill in ((excess, 0.0), (se, 0.0), (df, 1.0)))

    def chance(level_rep: np.ndarray, level_not: np.ndarray) -> np.ndarray:
        last, last_df = error * np.sqrt(count / most), freedom * (most - 1) / (count - 1)
        to_come = error * np.sqrt(np.maximum(0.0, 1 - count / most))
        low, high = -stats.t.isf(level_not, last_df) * last, stats.t.isf(level_rep, last_df) * last
        return 1 - chance_between(low, high, mean, to_come, freedom)

    p_rep, p_not = (upper_p(sign * mean, error, freedom) for sign in (1, -1))
    return look_at(known, diverged > 0, p_rep, p_not, chance)
