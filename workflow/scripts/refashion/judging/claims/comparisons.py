"""Claims that one cell is better, worse or faster than others: one-sided tests of stated differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refashion import formatting as fmt
from refashion.inference.evidence import BoundTest, bound_test, welch_bound_test
from refashion.inference.factorial import welch_contrast
from refashion.inference.families import holm
from refashion.inference.intervals import Interval, t_interval
from refashion.inference.looks import Difference, State
from refashion.inference.power import seeds_for_difference
from refashion.inference.seeds import FORECAST_RUNS
from refashion.inference.summaries import LEVEL, summarise, welch
from refashion.inference.verdicts import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    REPRODUCED,
    Word,
)
from refashion.judging.claims.accuracies import margin
from refashion.judging.claims.exact import exact_reading
from refashion.judging.claims.readings import Context, a_reading, primary_first
from refashion.judging.document.claims import Check, Reading
from refashion.judging.facts import Facts, pair


@dataclass(frozen=True)
class Stated:
    """A stated difference: the mean of a - b lies above `bound` (or below it), in `unit`."""

    a: str
    b: str
    above: bool = True
    bound: float = 0.0
    unit: str = "pp"


def difference(one: Stated, metric: str, facts: Facts) -> Difference:
    """By how much a stated difference exceeds its bound, in the stated direction; see `_differences`."""
    diverged = any(facts.runs.counts(cell).diverged for cell in (one.a, one.b))
    sign = 1 if one.above else -1
    if not facts.share_batches(one.a, one.b):
        a, b = (summarise(facts.runs.sample(cell, metric).values) for cell in (one.a, one.b))
        n = min(a.n, b.n)
        if a.mean is None or a.sd is None or b.mean is None or b.sd is None:
            return Difference(n=n, diverged=diverged)
        se, df = welch(a.sd**2 / a.n, b.sd**2 / b.n, a.n - 1, b.n - 1)
        return Difference(excess=sign * (a.mean - b.mean - one.bound), se=se, df=df, n=n, diverged=diverged)
    _, scores = facts.runs.paired((one.a, one.b), metric)
    found = summarise((scores[0] - scores[1] - one.bound) * sign)
    if found.sd is None:
        return Difference(n=found.n, diverged=diverged)
    return Difference(excess=found.mean, se=found.sd / found.n**0.5, df=found.n - 1, n=found.n, diverged=diverged)


def _differences(stated: Sequence[Stated], metric: str, facts: Facts, stands: Sequence[Any] = ()) -> list[Check]:
    """One-sided t tests of each stated difference, and of its opposite, Holm over each of the two families.

    Runs are paired by seed where the cells share data and batches, so that a seed is one draw of both; else the cells
    are two samples (Welch): seeds with nothing in common but their number may correlate either way. What the other test
    gives is told beside it.

    stands: where looks at each stand (`claims.looks.Stand`), which then give the runs and the p-values that decide.
    """
    seen = [facts.first(stand.seeds) for stand in stands] or [facts] * len(stated)
    paired = [one.unit == "seconds" or facts.share_batches(one.a, one.b) for one in stated]
    tests = [_test(one, metric, of, together) for one, of, together in zip(stated, seen, paired, strict=True)]
    beside = [_test(one, metric, of, not together) for one, of, together in zip(stated, seen, paired, strict=True)]
    p_stated, p_against = _holm_both(tests, stated)
    p_beside = [
        min(p for p in both if p is not None) if None not in both else None
        for both in zip(*_holm_both(beside, stated), strict=True)
    ]
    if stands:
        p_stated = [None if p is None else stand.p_rep for p, stand in zip(p_stated, stands, strict=True)]
        p_against = [None if p is None else stand.p_not for p, stand in zip(p_against, stands, strict=True)]
    several = f" as one of {len(stated)} (Holm)" if len(stated) > 1 else ""
    checks = []
    rows = zip(stated, seen, paired, p_stated, p_against, p_beside, strict=True)
    for one, of, together, p, against, other in rows:
        interval = _interval(one, metric, of, together)
        diverged = any(of.runs.counts(cell).diverged for cell in (one.a, one.b))
        checks.append(
            Check(
                label=f"{facts.title(one.a)} minus {facts.title(one.b)}",
                expected=f"{'above' if one.above else 'below'} {one.bound:g}",
                found=interval.mean,
                unit=one.unit,
                interval=pair(interval),
                p=p,
                p_against=against,
                test=f"one-sided{'' if together else ', Welch'}{several}{_beside_told(one, together, other)}",
                n=interval.n,
                holds=_holds(p, against, diverged),
                seeds_needed=_seeds_needed(one, metric, of, len(stated))
                if _holds(p, against, diverged) is None
                else None,
                reason=why_no_pair(one, interval, of, diverged, one_machine=one.unit == "seconds"),
            )
        )
    return checks


def _test(one: Stated, metric: str, facts: Facts, paired: bool) -> BoundTest:
    if paired:
        _, scores = facts.runs.paired((one.a, one.b), metric)
        return bound_test(scores[0] - scores[1], one.bound)
    a, b = (facts.runs.sample(cell, metric).values for cell in (one.a, one.b))
    return welch_bound_test(a, b, one.bound)


def _holm_both(
    tests: Sequence[BoundTest], stated: Sequence[Stated]
) -> tuple[Sequence[float | None], Sequence[float | None]]:
    """p of each stated difference and of its opposite, each Holm over all of them."""
    both = [
        (t.p_above, t.p_below) if one.above else (t.p_below, t.p_above) for t, one in zip(tests, stated, strict=True)
    ]
    return holm([p for p, _ in both]), holm([p for _, p in both])


def _interval(one: Stated, metric: str, facts: Facts, paired: bool) -> Interval:
    """The mean difference with the interval of the test that decides; n: the pairs of runs, or the fewer runs."""
    if paired:
        _, scores = facts.runs.paired((one.a, one.b), metric)
        return t_interval(scores[0] - scores[1], facts.confidence)
    a, b = (facts.runs.sample(cell, metric).values for cell in (one.a, one.b))
    found = welch_contrast([a, b], [1, -1], facts.confidence)
    return Interval(
        mean=found.estimate,
        n=min(a.size, b.size),
        low=found.low,
        high=found.high,
        confidence=facts.confidence,
        reason=found.reason,
    )


def _beside_told(one: Stated, paired: bool, p: float | None) -> str:
    """What the test that does not decide gives, in words."""
    if p is None or one.unit == "seconds":
        return ""
    return f"; {'unpaired (Welch)' if paired else 'paired by seed'} {fmt.p_phrase(p)} for the likelier side"


def _seeds_needed(one: Stated, metric: str, facts: Facts, tests: int) -> int | None:
    """Seeds of each cell with which a new study would decide a difference that is one of so many (Bonferroni)."""
    seen = difference(one, metric, facts)
    if seen.n < FORECAST_RUNS or seen.excess is None or seen.se is None or seen.df is None:
        return None
    return seeds_for_difference(seen.excess, seen.se, seen.df, seen.n, LEVEL / tests)


def _holds(p: float | None, against: float | None, diverged: bool) -> bool | None:
    """True or False where a test decides, None where none does or a run diverged."""
    if p is None or against is None or diverged:
        return None
    return True if p <= LEVEL else False if against <= LEVEL else None


def why_no_pair(one: Stated, interval: Interval, facts: Facts, diverged: bool, one_machine: bool) -> str:
    """Why a difference cannot be judged, or "". one_machine: only runs of one kind of machine were compared."""
    empty = [cell for cell in (one.a, one.b) if facts.runs.counts(cell).finished == 0]
    if len(empty) == 2 and not any(facts.runs.counts(cell).wanted for cell in empty):
        return f"cannot say, because {one.a} and {one.b} are not part of this study"
    if empty:
        return facts.runs.why_empty(empty[0])
    if interval.n < 2:
        both = f"{facts.title(one.a)} and {facts.title(one.b)}"
        alike = " that ran on one kind of machine" if one_machine else ""
        return f"cannot say, because {both} have {'only one seed' if interval.n else 'no seed'} in common{alike}"
    for counts, cell in ((facts.runs.counts(cell), cell) for cell in (one.a, one.b) if diverged):
        if counts.diverged:
            ended = counts.finished + counts.diverged
            return f"cannot say, because {counts.diverged} of {ended} runs of {facts.title(cell)} diverged"
    return ""


def _comparison_reading(
    entry: Mapping[str, Any],
    primary: bool,
    checks: Sequence[Check],
    stated: Sequence[Stated],
    facts: Facts,
    stands: Sequence[Any],
) -> Reading:
    """Reproduced if every check holds, not reproduced if one is contradicted, else inconclusive."""
    verdict, reason = _verdict_of_checks(checks)
    if stands:
        reason = f"{reason}; {_latest(stands).told}"
    return a_reading(
        entry,
        facts,
        primary=primary,
        verdict=verdict,
        reason=reason,
        cells=[cell for one in stated for cell in (one.a, one.b)],
        tested=any(check.p is not None for check in checks),
        checks=checks,
    )


def _latest(stands: Sequence[Any]) -> Any:
    """Of the differences' stands the one that says how the claim stands: open, else stopped, else the last."""
    return min(stands, key=lambda stand: (stand.state != State.OPEN, stand.state != State.STOPPED, -stand.look))


def _verdict_of_checks(checks: Sequence[Check]) -> tuple[Word, str]:
    wrong = [check for check in checks if check.holds is False]
    if wrong:
        some = f"{len(wrong)} of {len(checks)} differences {'contradicts' if len(wrong) == 1 else 'contradict'} it"
        others = f" ({some})" if len(checks) > 1 else ""
        return NOT_REPRODUCED, f"{_told(wrong[0])}{others}"
    if all(check.holds for check in checks):
        closest = max(checks, key=lambda check: check.p or 0.0)
        if len(checks) == 1:
            return REPRODUCED, _told(closest)
        return REPRODUCED, f"all {len(checks)} differences are as stated; the least clear: {_told(closest)}"
    unknown = next((check for check in checks if check.reason), None)
    if unknown:
        return INCONCLUSIVE, unknown.reason
    unclear = [check for check in checks if check.holds is None]
    count = f"{len(unclear)} of {len(checks)} differences {'is' if len(unclear) == 1 else 'are'} not clear"
    return INCONCLUSIVE, f"imprecise: {count}; {_told(unclear[0])}"


def _told(check: Check) -> str:
    """A checked difference in words, with the p that decides it, or both where none does."""
    words, unit = (fmt.duration, "") if check.unit == "seconds" else (fmt.number, f" {check.unit}")
    numbers = (check.found, *(check.interval or (None, None)))
    mean, low, high = (words(number) if fmt.exists(number) else fmt.MISSING for number in numbers)
    return (
        f"the mean of {check.label} is {mean}{unit} ({low} to {high}), where the claim "
        f"wants it {check.expected} {check.unit} ({fmt.p_of(check.holds, check.p, check.p_against)}; {check.test})"
    )


def best(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """One cell is better than each of the others."""
    return _readings(entry, context)


def order(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """Cells stand in this order, the best first: each neighbour is better than the next."""
    return _readings(entry, context)


def much_worse(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """The second of each pair is worse than the first by more than the margin."""
    return _readings(entry, context)


def near_best(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """No other cell is better by the margin or more, and the cell is better than the baseline."""
    return _readings(entry, context)


def faster(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """The first of each pair takes less time than the second, or less work: training images seen, which are counted."""
    return _readings(entry, context)


def _work_checks(reading: Mapping[str, Any], facts: Facts) -> list[Check]:
    """Training images that a run of each pair's cells sees; no test, since nothing varies."""
    checks = []
    for fast, slow in reading["pairs"]:
        mine, other = (facts.work.get(cell) for cell in (fast, slow))
        absent = next((cell for cell in (fast, slow) if cell not in facts.work), None)
        checks.append(
            Check(
                label=f"training images seen in {facts.title(fast)}, against {other or 0:,} in {facts.title(slow)}",
                expected=None if absent else f"fewer than {other:,}",
                found=mine,
                unit="images",
                holds=None if mine is None or other is None else mine < other,
                reason=f"cannot say, because {absent} is not part of this study" if absent else "",
            )
        )
    return checks


def _readings(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """Each reading by the differences that it states; the primary one as looks have judged it, where they have."""
    readings = []
    for reading, primary in primary_first(entry):
        if reading["metric"] == "work":
            checks, cells = _work_checks(reading, context.facts), [cell for both in reading["pairs"] for cell in both]
            readings.append(exact_reading(reading, primary, checks, context.facts, cells))
            continue
        stated = STATED[entry["kind"]](entry, reading, context.facts)
        stands = [context.looks.of(entry["id"], one.a, one.b) for one in stated] if primary and context.looks else []
        stands = [] if None in stands else stands
        checks = _differences(stated, reading["metric"], context.facts, stands)
        readings.append(_comparison_reading(reading, primary, checks, stated, context.facts, stands))
    return readings


def _stated_best(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    return [Stated(reading["best"], other) for other in reading["others"]]


def _stated_order(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    return [Stated(*neighbours) for neighbours in zip(reading["order"], reading["order"][1:], strict=False)]


def _stated_much_worse(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    least = margin(entry, facts)
    return [Stated(better, worse, bound=least) for better, worse in reading["pairs"]]


def _stated_near_best(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    most = margin(entry, facts)
    stated = [Stated(other, reading["cell"], above=False, bound=most) for other in reading["others"]]
    return [*stated, Stated(reading["cell"], reading["baseline"])]


def _stated_faster(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    return [Stated(slow, fast, unit="seconds") for fast, slow in reading["pairs"]]


#: kind of a claim -> the differences that a reading of it states
STATED: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any], Facts], list[Stated]]] = {
    "best": _stated_best,
    "order": _stated_order,
    "much_worse": _stated_much_worse,
    "near_best": _stated_near_best,
    "faster": _stated_faster,
}
