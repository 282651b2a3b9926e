"""Every printed summary beside the network as built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refashion.judging.claims.exact import LayerRow, align
from refashion.judging.document.beside import Audit, AuditRow, AuditTotal, Layer
from refashion.judging.facts import Facts


def audit(facts: Facts) -> list[Audit]:
    """Every printed summary beside the network as built."""
    return [_audit_network(name, summary, facts) for name, summary in facts.original["summaries"].items()]


def _audit_network(name: str, summary: Mapping[str, Any], facts: Facts) -> Audit:
    """A printed summary beside the network as built, row by row."""
    built = facts.architectures.get(name)
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
