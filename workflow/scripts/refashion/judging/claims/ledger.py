"""The ledger: each claim of the original -> verdict, numbers, reason.

`judge` reads the claims of config/original.yaml. A claim has a kind and readings; `KINDS` says how the readings
of each kind are judged, mostly each by itself. The first is the primary one, on which the claim's verdict rests.
Published accuracies are the exception: their primary readings are judged together, in families (Holm).

Accuracies are in percent, differences in percentage points (pp), times in seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Agreement, overall_verdict
from refashion.judging.claims import accuracies, comparisons, exact, looks, procedure, same_numbers, stated
from refashion.judging.claims.ending import ending
from refashion.judging.claims.families import families_of
from refashion.judging.claims.published import published
from refashion.judging.claims.readings import Context, Judged, a_reading
from refashion.judging.document.claims import Claim, Reading
from refashion.judging.facts import Facts

Judge = Callable[[Mapping[str, Any], Context], list[Reading]]


def _each(judge: Callable[[Mapping[str, Any], Mapping[str, Any], Context], Judged]) -> Judge:
    """Readings judged each by itself."""
    return lambda entry, context: [
        a_reading(reading, position == 0, judge(entry, reading, context), context.facts)
        for position, reading in enumerate(entry["readings"])
    ]


#: kind of a claim in original.yaml -> what judges its readings
KINDS: dict[str, Judge] = {
    "accuracy": accuracies.readings,
    "gap": accuracies.readings,
    **dict.fromkeys(stated.KINDS, _each(comparisons.compared)),
    "same_numbers": _each(same_numbers.same_numbers),
    "fact": _each(exact.fact),
    "parameters": _each(exact.parameters),
    "parameter_ratio": _each(exact.parameter_ratio),
    "layers": _each(exact.layers),
    "not_testable": _each(procedure.not_testable),
    "follows_from": _each(procedure.follows_from),
}


def judge(facts: Facts) -> list[Claim]:
    """Every claim of the original, in its order."""
    standing = looks.hold(facts)
    context = Context(facts, families_of(facts, standing), {}, standing)
    for entry in facts.original["claims"]:
        context.judged[entry["id"]] = _claim(entry, context)
    return list(context.judged.values())


def _claim(entry: Mapping[str, Any], context: Context) -> Claim:
    facts, family = context.facts, context.families.get(entry["id"])
    readings = KINDS[entry["kind"]](entry, context)
    overall, overall_reason = _overall(readings)
    number = published(entry, facts)
    value = number.value if number else entry.get("value")
    return Claim.of(
        entry,
        note=entry.get("note", ""),
        value=value,
        ending=ending(entry["id"], readings[0], facts, context.looks),
        unit="" if value is None else "pp" if entry["kind"] == "gap" else "percent",
        family=family.name if family else "",
        verdict=readings[0].verdict,
        reason=readings[0].reason,
        overall=overall,
        overall_reason=overall_reason,
        readings=readings,
        operating=family.operating(entry["id"]) if family else None,
    )


def _overall(readings: Sequence[Reading]) -> tuple[Agreement, str]:
    """How the readings agree, and one sentence on it."""
    verdicts = [reading.verdict for reading in readings]
    overall = overall_verdict(verdicts)
    if len(readings) == 1:
        return overall, "There is one reading."
    counts = Counter(verdicts)
    told = ", ".join(f"{counts[word]} {word}" for word in (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE) if counts[word])
    left = untested_told(readings, "not run in this study")
    return overall, f"Of {len(readings)} readings: {told}{left}."


def untested_told(readings: Sequence[Reading], outside: str) -> str:
    """How many of these readings wait for runs, and how many will stay `outside`, in brackets; "" for none."""
    untested = [reading for reading in readings if not reading.tested]
    waiting = sum(reading.planned for reading in untested)
    counts = {"not tested yet": waiting, outside: len(untested) - waiting}
    told = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    return f" ({told})" if told else ""
