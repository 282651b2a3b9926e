"""Every printed summary beside the network as built, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refashion.judging.claims.exact import LayerRow, align
from refashion.judging.document.parts import Part, means, reason
from refashion.judging.facts import Facts


class Layer(Part):
    """A row of a summary."""

    layer: str = means("kind of layer")
    shape: list[int | None] = means("output shape without the batch")
    parameters: int = means("count")


class AuditRow(Part):
    name: str = means("as printed")
    printed: Layer | None = means("as printed; null: only ours has it")
    built: Layer | None = means("as built; null: only the original has it")
    agrees: bool = means("equal")


class AuditTotal(Part):
    count: str = means("total, trainable or non_trainable")
    printed: int = means("as printed")
    built: int | None = means("as built")
    sum: int | None = means("sum of the printed rows, for total")
    agrees: bool = means("equal")


class Audit(Part):
    """Parameters of one network, layer by layer."""

    architecture: str = means("its name")
    title: str = means("in words")
    note: str = means('a remark, or ""')
    rows: list[AuditRow] = means("in order")
    totals: list[AuditTotal] = means("three")
    agrees: bool = means("all rows and totals")
    reason: str = reason()


def audit(facts: Facts) -> list[Audit]:
    """Every printed summary beside the network as built."""
    return [
        _network(name, summary, facts.architectures.get(name)) for name, summary in facts.original["summaries"].items()
    ]


def _network(name: str, summary: Mapping[str, Any], built: Mapping[str, Any] | None) -> Audit:
    rows = [
        AuditRow(name=printed_name, printed=_layer(printed), built=_layer(ours), agrees=printed == ours)
        for printed_name, printed, ours in align(summary["rows"], built["rows"] if built else [])
    ]
    totals = [
        AuditTotal(
            count=count,
            printed=printed,
            built=built[count] if built else None,
            sum=sum(row[3] for row in summary["rows"]) if count == "total" else None,
            agrees=built is not None and built[count] == printed,
        )
        for count, printed in summary["printed"].items()
    ]
    return Audit(
        architecture=name,
        title=summary["title"],
        note=summary["note"],
        rows=rows,
        totals=totals,
        agrees=all(row.agrees for row in rows) and all(total.agrees for total in totals),
        reason="" if built else f"cannot say, because {name} was not built in this study",
    )


def _layer(row: LayerRow | None) -> Layer | None:
    return None if row is None else Layer(layer=row[0], shape=list(row[1]), parameters=row[2])
