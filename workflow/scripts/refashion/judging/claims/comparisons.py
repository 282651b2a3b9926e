"""Claims that one cell is better, worse or faster than others: one-sided tests of stated differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refashion import formatting as fmt
from refashion.inference.contrasts import Contrast, paired_contrast, welch_contrast
from refashion.inference.families import holm
from refashion.inference.looks import Difference, State
from refashion.inference.power import seeds_for_difference
from refashion.inference.seeds import FORECAST_RUNS
from refashion.inference.summaries import LEVEL
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Word
from refashion.judging.claims.exact import equalities
from refashion.judging.claims.published import margin
from refashion.judging.claims.readings import Context, Judged
from refashion.judging.document.claims import Check
from refashion.judging.facts import Facts, pair


@dataclass(frozen=True)
class Stated:
    """A stated difference: the mean of a - b lies above `bound` (or below it), in `unit`."""

    a: str
    b: str
    above: bool = True
    bound: float = 0.0
    unit: str = "pp"

    def p_stated(self, found: Contrast) -> float | None:
        """p of what is stated, of a - b as found."""
        return found.p_above(self.bound) if self.above else found.p_below(self.bound)

    def p_against(self, found: Contrast) -> float | None:
        """p of its opposite."""
        return found.p_below(self.bound) if self.above else found.p_above(self.bound)


def difference(one: Stated, metric: str, facts: Facts) -> Difference:
    """By how much a stated difference exceeds its bound, in the stated direction; see `_differences`."""
    found = contrast(one, metric, facts, facts.share_batches(one.a, one.b))
    excess = None if found.estimate is None else (found.estimate - one.bound) * (1 if one.above else -1)
    return Difference(excess=excess, se=found.se, df=found.df, n=found.n, diverged=_diverged(one, facts))


def contrast(one: Stated, metric: str, facts: Facts, paired: bool) -> Contrast:
    """a - b over the seeds that both have, or as two samples."""
    if paired:
        return paired_contrast(facts.runs.paired((one.a, one.b), metric)[1], [1, -1], facts.confidence)
    samples = [facts.runs.sample(cell, metric).values for cell in (one.a, one.b)]
    return welch_contrast(samples, [1, -1], facts.confidence)


def _diverged(one: Stated, facts: Facts) -> bool:
    return any(facts.runs.counts(cell).diverged for cell in (one.a, one.b))


def _differences(stated: Sequence[Stated], metric: str, facts: Facts, stands: Sequence[Any] = ()) -> list[Check]:
    """One-sided t tests of each stated difference, and of its opposite, Holm over each of the two families.

    Runs are paired by seed where the cells share data and batches, so that a seed is one draw of both; else the cells
    are two samples (Welch): seeds with nothing in common but their number may correlate either way. What the other test
    gives is told beside it.

    stands: where looks at each stand (`claims.looks.Stand`), which then give the runs and the p-values that decide.
    """
    seen = [facts.first(stand.seeds) for stand in stands] or [facts] * len(stated)
    paired = [one.unit == "seconds" or facts.share_batches(one.a, one.b) for one in stated]
    cells = list(zip(stated, seen, paired, strict=True))
    tests = [contrast(one, metric, of, together) for one, of, together in cells]
    beside = [contrast(one, metric, of, not together) for one, of, together in cells]
    p_stated, p_against = _holm_both(stated, tests)
    p_beside = [None if p is None or q is None else min(p, q) for p, q in zip(*_holm_both(stated, beside), strict=True)]
    if stands:
        p_stated = [None if p is None else stand.p_rep for p, stand in zip(p_stated, stands, strict=True)]
        p_against = [None if p is None else stand.p_not for p, stand in zip(p_against, stands, strict=True)]
    several = f" as one of {len(stated)} (Holm)" if len(stated) > 1 else ""
    checks = []
    rows = zip(stated, seen, paired, tests, p_stated, p_against, p_beside, strict=True)
    for one, of, together, found, p, against, other in rows:
        holds = _holds(p, against, _diverged(one, of))
        checks.append(
            Check(
                label=f"{facts.title(one.a)} minus {facts.title(one.b)}",
                expected=f"{'above' if one.above else 'below'} {one.bound:g}",
                found=found.estimate,
                unit=one.unit,
                interval=pair(found),
                p=p,
                p_against=against,
                test=f"one-sided{'' if together else ', Welch'}{several}{_beside_told(one, together, other)}",
                n=found.n,
                holds=holds,
                seeds_needed=_seeds_needed(one, metric, of, len(stated)) if holds is None else None,
                reason=why_no_pair((one.a, one.b), found.n, of, _diverged(one, of), one_machine=one.unit == "seconds"),
            )
        )
    return checks


def _holm_both(stated: Sequence[Stated], found: Sequence[Contrast]) -> tuple[list[float | None], list[float | None]]:
    """p of each stated difference and of its opposite, each Holm over all of them."""
    both = list(zip(stated, found, strict=True))
    return (
        list(holm([one.p_stated(seen) for one, seen in both])),
        list(holm([one.p_against(seen) for one, seen in both])),
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


def why_no_pair(cells: tuple[str, str], n: int, facts: Facts, diverged: bool, one_machine: bool) -> str:
    """Why a difference, of n seeds, cannot be judged, or "". one_machine: only runs of one kind of it were compared."""
    empty = [cell for cell in cells if facts.runs.counts(cell).finished == 0]
    if len(empty) == 2 and not any(facts.runs.counts(cell).wanted for cell in empty):
        return f"cannot say, because {cells[0]} and {cells[1]} are not part of this study"
    if empty:
        return facts.runs.why_empty(empty[0])
    if n < 2:
        both = " and ".join(map(facts.title, cells))
        alike = " that ran on one kind of machine" if one_machine else ""
        return f"cannot say, because {both} have {'only one seed' if n else 'no seed'} in common{alike}"
    for counts, cell in ((facts.runs.counts(cell), cell) for cell in cells if diverged):
        if counts.diverged:
            ended = counts.finished + counts.diverged
            return f"cannot say, because {counts.diverged} of {ended} runs of {facts.title(cell)} diverged"
    return ""


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


def compared(entry: Mapping[str, Any], reading: Mapping[str, Any], context: Context) -> Judged:
    """A reading by the differences that it states; the primary one as looks have judged it, where they have."""
    facts = context.facts
    if reading["metric"] == "work":
        return equalities(_work_checks(reading, facts), [cell for both in reading["pairs"] for cell in both])
    stated = STATED[entry["kind"]](entry, reading, facts)
    looks = context.looks if reading is entry["readings"][0] else None
    stands = [looks.of(entry["id"], one.a, one.b) for one in stated] if looks else []
    stands = [] if None in stands else stands
    checks = _differences(stated, reading["metric"], facts, stands)
    verdict, reason = _verdict_of_checks(checks)
    if stands:
        reason = f"{reason}; {_latest(stands).told}"
    cells = [cell for one in stated for cell in (one.a, one.b)]
    return Judged(verdict, reason, checks, cells, tested=any(check.p is not None for check in checks))


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


def _stated_best(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    """One cell is better than each of the others."""
    return [Stated(reading["best"], other) for other in reading["others"]]


def _stated_order(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    """Cells stand in this order, the best first: each neighbour is better than the next."""
    return [Stated(*neighbours) for neighbours in zip(reading["order"], reading["order"][1:], strict=False)]


def _stated_much_worse(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    """The second of each pair is worse than the first by more than the margin."""
    least = margin(entry, facts)
    return [Stated(better, worse, bound=least) for better, worse in reading["pairs"]]


def _stated_near_best(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    """No other cell is better by the margin or more, and the cell is better than the baseline."""
    most = margin(entry, facts)
    stated = [Stated(other, reading["cell"], above=False, bound=most) for other in reading["others"]]
    return [*stated, Stated(reading["cell"], reading["baseline"])]


def _stated_faster(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    """The first of each pair takes less time than the second; work, which is counted, is in `_work_checks`."""
    return [Stated(slow, fast, unit="seconds") for fast, slow in reading["pairs"]]


#: kind of a claim -> the differences that a reading of it states
STATED: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any], Facts], list[Stated]]] = {
    "best": _stated_best,
    "order": _stated_order,
    "much_worse": _stated_much_worse,
    "near_best": _stated_near_best,
    "faster": _stated_faster,
}
