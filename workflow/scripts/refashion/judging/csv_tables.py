"""The CSV tables that are made from the document: cells, comparisons, claims, effects. Their columns are its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pandas as pd

from refashion.judging import columns, tables
from refashion.judging.columns import FLAG, INTEGER, NUMBER, TEXT, Column
from refashion.judging.document.claims import Claim, Numbers, Reading
from refashion.judging.document.parts import Ends, MetricSummary, Part
from refashion.judging.sections.comparisons import ComparisonFamily, Pair
from refashion.judging.sections.effects import AnovaTerm, ContrastOfCells, Policy
from refashion.judging.sections.runs import CellSummary

#: What stands in a row: a class, or columns of the table's own, and the names of its fields, `column=field` where the
#: table has another name for one. An interval gives two columns.
Source = tuple[type[Part] | dict[str, Column], str]
SOURCES: dict[str, tuple[Source, ...]] = {
    "cells": (
        (
            CellSummary,
            "architecture fraction augmentation recipe experiments validation images epochs updates wanted finished "
            "diverged failed missing mixed_machines",
        ),
        ({"metric": Column(TEXT, "column of runs.csv that the next columns summarise")}, "metric"),
        (MetricSummary, "n mean sd interval run_interval=prediction reason"),
    ),
    "comparisons": (
        (ComparisonFamily, "family=id kind correction metric"),
        (
            Pair,
            "a b n mean_a mean_b difference sd interval p p_adjusted p_sign_flip p_smallest welch_interval welch_p "
            "seed_correlation a12 new_images_interval conclusion reason",
        ),
    ),
    "claims": (
        (Claim, "claim=id quote statement overall"),
        (Reading, "reading=id primary reading_title=title verdict metric reason"),
        (
            Numbers,
            "published cell n mean sd interval run_interval=prediction difference margin p_rep p_not p_rep_adjusted "
            "p_not_adjusted",
        ),
    ),
    "effects": (
        (Policy, "policy=id"),
        (
            {
                "analysis": Column(TEXT, "anova (a term of the analysis of variance) or contrast (of cell means)"),
                "effect": Column(TEXT, "the term, or what is contrasted"),
            },
            "analysis effect",
        ),
        (AnovaTerm, "ss f partial_omega2 p_hc3 p_logit"),
        (ContrastOfCells, "df p p_adjusted estimate interval paired_interval reason"),
    ),
}
_KINDS = {str: TEXT, int: INTEGER, float: NUMBER, bool: FLAG}


def csv_tables(document: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    rows = {
        "cells": [
            _row("cells", cell, {"metric": metric}, found)
            for cell in document["cells"]
            for metric, found in cell["metrics"].items()
        ],
        "comparisons": [
            _row("comparisons", family, one) for family in document["comparisons"] for one in family["pairs"]
        ],
        "claims": [
            _row("claims", claim, one, one["numbers"] or {"cell": one["cells"]})
            for claim in document["claims"]
            for one in claim["readings"]
        ],
        "effects": [row for policy in document["effects"]["policies"] for row in _effects(policy)],
    }
    return {name: tables.frame(COLUMNS[name], own) for name, own in rows.items()}


def _effects(policy: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for term in policy["anova"]:
        yield _row("effects", policy, {"analysis": "anova", "effect": term["term"]}, term, {**term, "reason": ""})
    for one in policy["contrasts"]:
        yield _row("effects", policy, {"analysis": "contrast", "effect": one["label"]}, {}, one)
    if not policy["anova"] and not policy["contrasts"]:
        yield _row("effects", policy, {"analysis": "anova"}, {}, {"reason": policy["reason"]})


def _row(table: str, *parts: Mapping[str, Any]) -> dict[str, Any]:
    """A row: the fields of one part a source; empty where a part lacks one."""
    row: dict[str, Any] = {}
    for part, (_, fields) in zip(parts, SOURCES[table], strict=True):
        for column, field in _names(fields):
            value = part.get(field)
            if column.endswith("interval"):
                row |= zip(_ends(column), value or (None, None), strict=True)
            else:
                row[column] = ";".join(value) if isinstance(value, list) else value
    return row


# ------------------------------------------------------------------------------------------------------------- columns


def _names(fields: str) -> list[tuple[str, str]]:
    """The columns of one source, as (column, field)."""
    return [(column, field or column) for column, _, field in (one.partition("=") for one in fields.split())]


def _ends(column: str) -> tuple[str, str]:
    """The two columns of an interval."""
    prefix = column.removesuffix("interval")
    return f"{prefix}low", f"{prefix}high"


def _columns(source: type[Part] | dict[str, Column], fields: str) -> dict[str, Column]:
    """The columns of one source, with the type and meaning of its fields."""
    if isinstance(source, dict):
        return source
    found: dict[str, Column] = {}
    for column, field in _names(fields):
        known = source.model_fields[field]
        unit: Any = (known.json_schema_extra or {}).get("unit")  # type: ignore[union-attr]
        holds = f"{known.description}{f', in {unit}' if unit in ('percent', 'pp', 'pp^2') else ''}"
        kinds = get_args(known.annotation) or (known.annotation,)
        if Ends in kinds:
            low, high = _ends(column)
            found |= {low: Column(NUMBER, f"lower end: {holds}"), high: Column(NUMBER, f"upper end: {holds}")}
        else:
            found[column] = Column(next((_KINDS[kind] for kind in kinds if kind in _KINDS), TEXT), holds)
    return found


#: The columns of every table, those of the collected ones too.
COLUMNS: dict[str, dict[str, Column]] = columns.COLUMNS | {
    table: {name: column for source in sources for name, column in _columns(*source).items()}
    for table, sources in SOURCES.items()
}
