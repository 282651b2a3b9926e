"""Claims that one cell is better, worse or faster than others: one-sided tests of stated differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from refashion import formatting as fmt
from refashion.inference.contrasts import Contrast
from refashion.inference.families import holm
from refashion.inference.looks import State
from refashion.inference.power import seeds_for_difference
from refashion.inference.seeds import FORECAST_RUNS
from refashion.inference.summaries import LEVEL
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Word
from refashion.judging.claims.exact import equalities
from refashion.judging.claims.looks import Stand
from refashion.judging.claims.readings import Context, Judged
from refashion.judging.claims.stated import Stated, stated
from refashion.judging.document.claims import Check
from refashion.judging.facts import Facts, pair


def compared(entry: Mapping[str, Any], reading: Mapping[str, Any], context: Context) -> Judged:
    """A reading by the differences that it states; the primary one as looks have judged it, where they have."""
    facts = context.facts
    if reading["metric"] == "work":
        return equalities(_work_checks(reading, facts), [cell for both in reading["pairs"] for cell in both])
    differences = stated(entry, reading, facts)
    looks = context.looks if reading is entry["readings"][0] else None
    # looks judge every difference of a claim, or none
    stands = [stand for one in differences if looks and (stand := looks.of(entry["id"], one.a, one.b))]
    checks = checked(differences, reading["metric"], facts, stands)
    verdict, reason = verdict_of(checks)
    if stands:
        reason = f"{reason}; {_latest(stands).told}"
    cells = [cell for one in differences for cell in (one.a, one.b)]
    return Judged(verdict, reason, checks, cells, tested=any(check.p is not None for check in checks))


def checked(differences: Sequence[Stated], metric: str, facts: Facts, stands: Sequence[Stand] = ()) -> list[Check]:
    """One-sided t tests of each stated difference, and of its opposite, Holm over each of the two families.

    What the test that does not decide gives, the paired or the unpaired one, is told beside it. stands: where looks at
    each stand, which then give the runs and the p-values that decide.
    """
    several = len(differences)
    looked: list[Stand | None] = [*stands] or [None] * several
    seen = [facts.first(stand.seeds) if stand else facts for stand in looked]
    both = list(zip(differences, seen, strict=True))
    tests = [one.contrast(metric, of, one.is_paired(of)) for one, of in both]
    others = [one.contrast(metric, of, not one.is_paired(of)) for one, of in both]
    decisive, beside = _holm_both(differences, tests), _holm_both(differences, others)
    among = f" as one of {several}" if several > 1 else ""
    checks = []
    for i, (one, of) in enumerate(both):
        paired, found, stand, (p, against) = one.is_paired(of), tests[i], looked[i], decisive[i]
        if stand and p is not None:
            p, against = stand.p_rep, stand.p_not
        after = fmt.corrections(several, stand.spent if stand else 1.0)
        holds = holds_by(p, against, one.has_diverged(of))
        checks.append(
            Check(
                label=f"{facts.title(one.a)} minus {facts.title(one.b)}",
                expected=f"{'above' if one.above else 'below'} {one.bound:g}",
                found=found.estimate,
                unit=one.unit,
                interval=pair(found),
                p=p,
                p_against=against,
                test=f"one-sided{'' if paired else ', Welch'}{among}{f' ({after})' * bool(after)}"
                f"{_beside_told(one, paired, beside[i])}",
                n=found.n,
                holds=holds,
                seeds_needed=_seeds_needed(one, metric, of, several) if holds is None else None,
                reason=why_no_pair((one.a, one.b), found.n, of, one_machine=one.unit == "seconds"),
            )
        )
    return checks


#: p of a stated difference, and of its opposite.
BothP = tuple[float | None, float | None]


def _holm_both(differences: Sequence[Stated], found: Sequence[Contrast]) -> list[BothP]:
    """Of each stated difference both p, each Holm over all of them."""
    ends = [(seen.p_above(one.bound), seen.p_below(one.bound)) for one, seen in zip(differences, found, strict=True)]
    own = [both if one.above else both[::-1] for one, both in zip(differences, ends, strict=True)]
    return list(zip(*(holm(p) for p in zip(*own, strict=True)), strict=True))


def _beside_told(one: Stated, paired: bool, both: BothP) -> str:
    """What the test that does not decide gives, in words."""
    if None in both or one.unit == "seconds":
        return ""
    likelier = min(p for p in both if p is not None)
    return f"; {'unpaired (Welch)' if paired else 'paired by seed'} {fmt.p_phrase(likelier)} for the likelier side"


def _seeds_needed(one: Stated, metric: str, facts: Facts, tests: int) -> int | None:
    """Seeds of each cell with which a new study would decide a difference that is one of so many (Bonferroni)."""
    seen = one.excess(metric, facts)
    if seen.n < FORECAST_RUNS or seen.se is None:
        return None
    return seeds_for_difference(seen.excess, seen.se, seen.df, seen.n, LEVEL / tests)


def holds_by(p: float | None, against: float | None, diverged: bool = False) -> bool | None:
    """True or False where a test decides, None where none does or a run diverged."""
    if p is None or against is None or diverged:
        return None
    return True if p <= LEVEL else False if against <= LEVEL else None


def why_no_pair(cells: tuple[str, str], n: int, facts: Facts, one_machine: bool) -> str:
    """Why a difference, of n seeds, cannot be judged, or "". one_machine: only runs of one kind of it were compared."""
    empty = [cell for cell in cells if facts.runs.counts(cell).finished == 0]
    if len(empty) == 2 and not any(facts.runs.counts(cell).wanted for cell in empty):
        return f"cannot say, because {' and '.join(map(facts.title, cells))} are not part of this study"
    if empty:
        return facts.why_empty(empty[0])
    if n < 2:
        both = " and ".join(map(facts.title, cells))
        alike = " that ran on one kind of machine" if one_machine else ""
        return f"cannot say, because {both} have {'only one seed' if n else 'no seed'} in common{alike}"
    for cell in cells:
        counts = facts.runs.counts(cell)
        if counts.diverged:
            ended = counts.finished + counts.diverged
            return f"cannot say, because {counts.diverged} of {ended} runs of {facts.title(cell)} diverged"
    return ""


def _latest(stands: Sequence[Stand]) -> Stand:
    """The one that says how the claim stands: open, else stopped, else the last."""
    return min(stands, key=lambda stand: (stand.state != State.OPEN, stand.state != State.STOPPED, -stand.look))


def verdict_of(checks: Sequence[Check]) -> tuple[Word, str]:
    """The verdict on a claim by the differences that it states, and its reason."""
    wrong = [check for check in checks if check.holds is False]
    if wrong:
        some = f"{len(wrong)} of {len(checks)} differences {'contradicts' if len(wrong) == 1 else 'contradict'} it"
        others = f" ({some})" if len(checks) > 1 else ""
        return NOT_REPRODUCED, f"{_told(wrong[0])}{others}"
    if all(check.holds for check in checks):
        closest = max(checks, key=lambda check: check.p or 0.0)
        if len(checks) == 1:
            return REPRODUCED, _told(closest)
        stated = "both differences" if len(checks) == 2 else f"all {len(checks)} differences"
        return REPRODUCED, f"{stated} are as stated; the least clear: {_told(closest)}"
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
    over = f"over {fmt.plural(check.n, 'seed')}{', each on one kind of machine,' * (check.unit == 'seconds')}"
    return (
        f"the mean of {check.label} {over} is {mean}{unit} ({low} to {high}), where the claim "
        f"wants it {check.expected} {check.unit} ({fmt.p_of(check.holds, check.p, check.p_against)}; {check.test})"
    )


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
                reason=f"cannot say, because {facts.title(absent)} is not part of this study" if absent else "",
            )
        )
    return checks
