"""What every kind of claim shares: what its function is given, what it says of a reading, and how a reading is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from refashion.formatting import sentence
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Word
from refashion.judging.claims.families import Family
from refashion.judging.claims.looks import Standing
from refashion.judging.document.claims import Check, Claim, Numbers, Reading
from refashion.judging.facts import Facts

#: A verdict as yes or no.
SAYS: Mapping[Word, bool] = {REPRODUCED: True, NOT_REPRODUCED: False}


@dataclass(frozen=True, eq=False)
class Context:
    """What a kind's function gets: the facts, the families judged together, the claims judged before, the looks."""

    facts: Facts
    families: Mapping[str, Family]
    judged: dict[str, Claim]
    looks: Standing | None = None


class Judged(NamedTuple):
    """What a kind's function says of one reading, see `document.claims.Reading`; the reason is a clause."""

    verdict: Word
    reason: str
    checks: Sequence[Check] = ()
    cells: Sequence[str] = ()
    tested: bool = True
    numbers: Numbers | None = None


def a_reading(reading: Mapping[str, Any], primary: bool, judged: Judged, facts: Facts) -> Reading:
    return Reading(
        id=reading["id"],
        title=reading["title"],
        primary=primary,
        note=reading.get("note", ""),
        cells=list(dict.fromkeys(judged.cells)),
        metric=reading.get("metric", ""),
        verdict=judged.verdict,
        reason=sentence(judged.reason),
        tested=judged.tested,
        planned=all(facts.runs.counts(cell).wanted for cell in judged.cells),
        numbers=judged.numbers,
        checks=list(judged.checks),
    )


def of_checks(checks: Sequence[Check], told: Callable[[Check], str]) -> tuple[Word, str]:
    """Reproduced if every check holds, not reproduced if one does not; the reason by what is `told` of a check."""
    wrong = next((check for check in checks if check.holds is False), None)
    if wrong:
        return NOT_REPRODUCED, told(wrong)
    unknown = next((check for check in checks if check.holds is None), None)
    if unknown:
        return INCONCLUSIVE, unknown.reason or told(unknown)
    return REPRODUCED, "; ".join(map(told, checks))
