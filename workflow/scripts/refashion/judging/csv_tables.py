"""The CSV tables that are made from the document: cells, comparisons, claims, effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from refashion.judging import tables

#: The CSV tables that are made from analysis.json.
CSV_TABLES = ("cells", "comparisons", "claims", "effects")


def csv_tables(document: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    rows = (
        [row for cell in document["cells"] for row in _cell_rows(cell)],
        [_pair_row(family, one) for family in document["comparisons"] for one in family["pairs"]],
        [_reading_row(claim, one) for claim in document["claims"] for one in claim["readings"]],
        [row for policy in document["effects"]["policies"] for row in _effect_rows(policy)],
    )
    return {name: tables.frame(name, own) for name, own in zip(CSV_TABLES, rows, strict=True)}


def _ends(interval: Sequence[float] | None, low: str = "low", high: str = "high") -> dict[str, float | None]:
    return dict(zip((low, high), interval or (None, None), strict=True))


def _cell_rows(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [name for name in tables.COLUMNS["cells"] if name in cell and name != "reason"]
    shared = {name: cell[name] for name in names} | {"experiments": ";".join(cell["experiments"])}
    return [
        {
            **shared,
            "metric": metric,
            **{name: found[name] for name in ("n", "mean", "sd", "reason")},
            **_ends(found["interval"]),
            **_ends(found["prediction"], "run_low", "run_high"),
        }
        for metric, found in cell["metrics"].items()
    ]


def _pair_row(family: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    names = [name for name in tables.COLUMNS["comparisons"] if name in one]
    return {
        "family": family["id"],
        "kind": family["kind"],
        "correction": family["correction"],
        **{name: one[name] for name in names},
        **_ends(one["interval"]),
        **_ends(one["welch_interval"], "welch_low", "welch_high"),
        **_ends(one["new_images_interval"], "new_images_low", "new_images_high"),
    }


def _reading_row(claim: Mapping[str, Any], reading: Mapping[str, Any]) -> dict[str, Any]:
    found = reading["numbers"] or {}
    names = ("published", "n", "mean", "sd", "difference", "margin")
    return {
        "claim": claim["id"],
        "reading": reading["id"],
        "primary": reading["primary"],
        "quote": claim["quote"],
        "statement": claim["statement"],
        "reading_title": reading["title"],
        "verdict": reading["verdict"],
        "overall": claim["overall"],
        "cell": found.get("cell", ";".join(reading["cells"])),
        "metric": reading["metric"],
        **{name: found.get(name) for name in names},
        **_ends(found.get("interval")),
        **_ends(found.get("prediction"), "run_low", "run_high"),
        **{name: found.get(name) for name in ("p_rep", "p_not", "p_rep_adjusted", "p_not_adjusted")},
        "reason": reading["reason"],
    }


def _effect_rows(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    empty = dict.fromkeys(tables.COLUMNS["effects"]) | {"policy": policy["id"], "reason": policy["reason"]}
    terms = [
        empty
        | {name: term[name] for name in ("df", "ss", "f", "p", "partial_omega2", "p_hc3", "p_logit")}
        | {"analysis": "anova", "effect": term["term"]}
        for term in policy["anova"]
    ]
    contrasts = [
        empty
        | {name: contrast[name] for name in ("df", "p", "p_adjusted", "estimate", "reason")}
        | _ends(contrast["interval"])
        | _ends(contrast["paired_interval"], "paired_low", "paired_high")
        | {"analysis": "contrast", "effect": contrast["label"]}
        for contrast in policy["contrasts"]
    ]
    return terms + contrasts or [empty | {"analysis": "anova", "effect": ""}]
