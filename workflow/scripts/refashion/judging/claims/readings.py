"""What every kind of claim shares: what its function is given, and how a reading is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refashion.inference.verdicts import Word
from refashion.judging.document.claims import Check, Claim, Numbers, Reading
from refashion.judging.facts import Facts


@dataclass(frozen=True, eq=False)
class Context:
    """What a kind's function gets: the facts, the families judged together, the claims judged before, the looks."""

    facts: Facts
    families: Mapping[str, Any]
    judged: Mapping[str, Claim]
    looks: Any = None


def a_reading(
    entry: Mapping[str, Any],
    facts: Facts,
    *,
    primary: bool,
    verdict: Word,
    reason: str,
    cells: Sequence[str] = (),
    tested: bool = True,
    numbers: Numbers | None = None,
    checks: Sequence[Check] = (),
) -> Reading:
    return Reading(
        id=entry["id"],
        title=entry["title"],
        primary=primary,
        note=entry.get("note", ""),
        cells=list(dict.fromkeys(cells)),
        metric=entry.get("metric", ""),
        verdict=verdict,
        reason=sentence(reason),
        tested=tested,
        planned=all(facts.runs.counts(cell).wanted for cell in cells),
        numbers=numbers,
        checks=list(checks),
    )


def sentence(text: str) -> str:
    """A clause as a sentence: a capital first, a full stop last."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def primary_first(entry: Mapping[str, Any]) -> Iterable[tuple[Mapping[str, Any], bool]]:
    return ((reading, position == 0) for position, reading in enumerate(entry["readings"]))
