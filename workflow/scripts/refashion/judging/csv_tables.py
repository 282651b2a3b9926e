"""The rows of the CSV tables that are made from the document: cells, comparisons, claims, effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from refashion.judging import columns, tables

#: The CSV tables that are made from analysis.json.
CSV_TABLES = tuple(columns.SOURCES)


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
    return {name: tables.frame(name, own) for name, own in rows.items()}


def _effects(policy: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for term in policy["anova"]:
        yield _row("effects", policy, {"analysis": "anova", "effect": term["term"]}, term, {**term, "reason": ""})
    for one in policy["contrasts"]:
        yield _row("effects", policy, {"analysis": "contrast", "effect": one["label"]}, {}, one)
    if not policy["anova"] and not policy["contrasts"]:
        yield _row("effects", policy, {"analysis": "anova"}, {}, {"reason": policy["reason"]})


def _row(table: str, *parts: Mapping[str, Any]) -> dict[str, Any]:
    """A row: the fields of one part a source, empty where a part lacks one."""
    row: dict[str, Any] = {}
    for part, (_, fields) in zip(parts, columns.SOURCES[table], strict=True):
        for column, field in columns.names(fields):
            value = part.get(field)
            if column.endswith("interval"):
                row |= zip(columns.ends(column), value or (None, None), strict=True)
            else:
                row[column] = ";".join(value) if isinstance(value, list) else value
    return row
