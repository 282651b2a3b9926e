"""From the evidence on a family of claims to a verdict on each: the rule that decides, its margins and its readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from scipy import stats

from refashion.inference.evidence import Evidence, Tested, tested
from refashion.inference.families import holm, holm_level
from refashion.inference.power import MOST_SEEDS, POWER, chance_of_far_mean, seeds_for_power
from refashion.inference.seeds import FORECAST_RUNS
from refashion.inference.summaries import LEVEL

#: The words of a verdict, of its two parts, and of how a claim's readings agree.
Word = Literal["reproduced", "not reproduced", "inconclusive", "not testable"]
Closeness = Literal["close", "open", "far"]
Typicality = Literal["typical", "atypical"]
Agreement = Literal["robust", "unsettled", "specification-dependent", "one reading", "not testable"]

REPRODUCED: Final = "reproduced"
NOT_REPRODUCED: Final = "not reproduced"
INCONCLUSIVE: Final = "inconclusive"
NOT_TESTABLE: Final = "not testable"


class Cause(StrEnum):
    """Why a verdict is what it is; all but the first two are causes of "inconclusive"."""

    CLOSE = "close"  # reproduced: closer than the margin
    FAR = "far"  # not reproduced: farther than the margin, and no run of this cell
    DIVERGED = "diverged"  # a run diverged, and the rest do not stand for it
    NO_TEST = "no test"  # fewer than two runs
    CORRECTED = "corrected"  # decided by its own tests, not as one of its family; more seeds would decide
    IMPRECISE = "imprecise"  # more seeds would decide
    AT_MARGIN = "at the margin"  # the mean lies too near the margin for any number of seeds
    PRINTED_MEAN = "printed mean"  # the published mean is of so few runs that no number of ours would decide
    ONE_RUN = "one run"  # far, but the published number is an ordinary run of this cell
    NEAR_RUNS = "near single runs"  # far and no ordinary run, but not surely enough for one of several claims


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one published number within its family of `family_size` claims, and its cause.

    closeness: is the published number, within the margin, what this recipe gives on average? By the Holm-adjusted p_rep
    and, for "far", by the level that Holm leaves to the claim. typicality: is it an ordinary run, inside the 95%
    prediction interval? Reproduced means close, whether typical or not; not reproduced means far and no ordinary run.
    p_rep_adjusted, p_not_adjusted: by Holm, and over `spent`, the share of the level that a look spends. seeds_needed:
    seeds of a new study that would decide in POWER of studies if mean and SD were those seen (None: decided, or no
    number would, or there are fewer than FORECAST_RUNS runs, whose spread forecasts nothing).
    break_even_reproduced: the smallest margin that makes it "reproduced". break_even_not_reproduced: it is "not
    reproduced" at any margin up to this one (None: at no margin). Both with the other claims as they are.
    """

    verdict: Word
    cause: Cause
    family_size: int
    spent: float = 1.0
    closeness: Closeness | None = None
    typicality: Typicality | None = None
    p_rep_adjusted: float | None = None
    p_not_adjusted: float | None = None
    seeds_needed: int | None = None
    break_even_reproduced: float | None = None
    break_even_not_reproduced: float | None = None


def judge_family(family: Sequence[Evidence]) -> tuple[Verdict, ...]:
    """The verdicts on a family of claims, in order: Holm over p_rep and, separately, over p_not, then the rule.

    reproduced: adjusted p_rep <= LEVEL; not reproduced: adjusted p_not <= LEVEL; else inconclusive. A cell with a
    diverged run gets at most inconclusive. It and a claim without p-values count in the size of the family, as p = 1.
    """
    p_rep, p_not = ([None if e.diverged else getattr(e, name) for e in family] for name in ("p_rep", "p_not"))
    adjusted = zip(holm(p_rep), holm(p_not), strict=True)
    return tuple(
        judge_one(e, *pair, holm_level(p_rep, i, LEVEL), holm_level(p_not, i, LEVEL), len(family))
        for i, (e, pair) in enumerate(zip(family, adjusted, strict=True))
    )


_DECIDED: Final = {REPRODUCED: Cause.CLOSE, NOT_REPRODUCED: Cause.FAR}


def judge_one(e: Evidence, p_rep, p_not, level_rep: float, level_not: float, size: int, spent: float = 1.0) -> Verdict:
    """One verdict from adjusted p-values of a family of so many claims.

    level_rep and level_not are what Holm asks of this claim's own p-values at the whole level, of which a look spends
    the share `spent`. A new study, planned with a number of seeds, has the whole.
    """
    bare = Verdict(
        verdict=INCONCLUSIVE,
        cause=Cause.DIVERGED if e.diverged else Cause.NO_TEST,
        family_size=size,
        spent=spent,
        typicality=None if e.p_run is None else "typical" if e.p_run > LEVEL else "atypical",
    )
    if e.diverged or not tested(e):
        return bare
    word: Word = REPRODUCED if p_rep <= LEVEL else NOT_REPRODUCED if p_not <= LEVEL else INCONCLUSIVE
    closeness: Closeness = "close" if p_rep <= LEVEL else "far" if e.p_far <= level_not * spent else "open"
    seeds = seeds_for_power(e, level_rep, level_not) if word == INCONCLUSIVE else None
    reproduced, not_reproduced = _break_even(e, level_rep * spent, level_not * spent)
    return replace(
        bare,
        verdict=word,
        cause=_DECIDED.get(word) or _open_cause(e, seeds, level_rep, level_not),
        closeness=closeness,
        p_rep_adjusted=p_rep,
        p_not_adjusted=p_not,
        seeds_needed=seeds if e.n >= FORECAST_RUNS else None,
        break_even_reproduced=reproduced,
        break_even_not_reproduced=not_reproduced,
    )


def _open_cause(e: Tested, seeds: int | None, level_rep: float, level_not: float) -> Cause:
    """Why neither can be said, given the number of seeds that would decide."""
    if seeds is not None:
        return Cause.CORRECTED if min(e.p_rep, e.p_not) <= LEVEL else Cause.IMPRECISE
    if chance_of_far_mean(e, MOST_SEEDS, level_not) < POWER:
        exact = replace(e, printed_runs=1, printed_sd=None)
        by_print = e.printed_runs > 1 and seeds_for_power(exact, level_rep, level_not) is not None
        return Cause.PRINTED_MEAN if by_print else Cause.AT_MARGIN
    return Cause.NEAR_RUNS if e.p_run <= LEVEL else Cause.ONE_RUN


def _break_even(e: Tested, level_rep: float, level_not: float) -> tuple[float | None, float | None]:
    """The smallest margin that gives "reproduced", the largest that leaves "not reproduced" (None: no margin does)."""
    distance = abs(e.difference)
    se, df, *_ = e.distance.errors
    reproduced = distance + float(stats.t.isf(level_rep, df) * se)
    not_reproduced = distance - float(stats.t.isf(level_not, df) * se)
    return reproduced, not_reproduced if e.p_run <= level_not and not_reproduced > 0 else None


def overall_verdict(verdicts: Sequence[Word]) -> Agreement:
    """How the readings of one claim agree (Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4, 1208-1214).

    "robust": all the same; "unsettled": they differ only by "inconclusive", or all do, which agree on nothing; else
    "specification-dependent". Readings that are not testable do not vote; fewer than two votes give "one reading" or
    "not testable".
    """
    votes = [verdict for verdict in verdicts if verdict != NOT_TESTABLE]
    if len(votes) < 2:
        return "one reading" if votes else NOT_TESTABLE
    decided = set(votes) - {INCONCLUSIVE}
    if len(decided) == 2:
        return "specification-dependent"
    return "unsettled" if INCONCLUSIVE in votes else "robust"
