"""The report's tables for other documents: CSV, Markdown and LaTeX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from refashion import formatting as fmt
from refashion.telling import formats, words
from refashion.telling.redaction import redact

Analysis = dict[str, Any]

#: Files that the report's rule writes beside the page.
TABLES = tuple(
    f"results/tables/{name}"
    for name in (
        *(f"{table}.{kind}" for table in ("original_vs_ours", "claims") for kind in ("csv", "md", "tex")),
        *(f"{table}.csv" for table in ("readings", "audit", "inconsistencies", "assumptions", "cost")),
    )
)


def write_tables(analysis: Analysis, folder: Path) -> None:
    """Every file of TABLES, into `folder`."""
    analysis = redact(analysis)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("original_vs_ours", original_rows(analysis)), ("claims", claim_rows(analysis))):
        _write(folder / f"{name}.csv", formats.to_csv(rows))
        _write(folder / f"{name}.md", formats.to_markdown(rows))
        _write(folder / f"{name}.tex", formats.to_latex(rows))
    _write(folder / "readings.csv", formats.to_csv(_reading_rows(analysis)))
    _write(folder / "audit.csv", formats.to_csv(_audit_rows(analysis)))
    _write(folder / "inconsistencies.csv", formats.to_csv(_inconsistency_rows(analysis)))
    _write(folder / "assumptions.csv", formats.to_csv(analysis["assumptions"]))
    _write(folder / "cost.csv", formats.to_csv(analysis["cost"]["cells"]))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def original_rows(analysis: Analysis) -> list[dict[str, str]]:
    """The original's accuracies beside ours, a row a network and accuracy, as words."""
    rows = []
    for entry in words.entries(analysis):
        for value in entry["measured"]:
            sample = value["sample"]
            rows.append(
                {
                    "network": entry["column"]["title"],
                    "data": entry["column"]["data"],
                    "measure": value["name"],
                    "published": value["printed"] or fmt.MISSING,
                    "ours": words.amount(sample["mean"], "percent", sample["interval"]) if sample else fmt.MISSING,
                    "interval": words.interval_told(sample["interval"], "percent") if sample else "",
                    "seeds": fmt.count(sample["n"]) if sample else "0",
                    "verdict": value["verdict"] or "",
                }
            )
    return rows


def claim_rows(analysis: Analysis) -> list[dict[str, str]]:
    """The ledger, a row a claim, as words."""
    rows = []
    for claim in analysis["claims"]:
        primary = claim["readings"][0]
        told = dict(words.numbers_told(primary["numbers"], claim["unit"]))
        rows.append(
            {
                "claim": claim["id"],
                "words": claim["quote"],
                "published": words.amount(claim["value"], claim["unit"]) if claim["value"] is not None else "",
                "ours": told.get("ours", ""),
                "difference": told.get("difference", ""),
                "verdict": claim["verdict"],
                "readings": claim["overall"],
                "reason": claim["reason"],
            }
        )
    return rows


def _reading_rows(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {"claim": claim["id"], "reading": reading["id"], "title": reading["title"], "primary": reading["primary"]}
        | {"verdict": reading["verdict"], "reason": reading["reason"]}
        | {key: (reading["numbers"] or {}).get(key) for key in ("cell", "n", "published", "mean", "sd", "difference")}
        for claim in analysis["claims"]
        for reading in claim["readings"]
    ]


def _audit_rows(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {"architecture": network["architecture"], "name": row["name"], "agrees": row["agrees"]}
        | {
            f"{side}_{key}": (row[side] or {}).get(key)
            for side in ("printed", "built")
            for key in ("layer", "shape", "parameters")
        }
        for network in analysis["audit"]
        for row in network["rows"]
    ]


def _inconsistency_rows(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {"id": one["id"], "title": one["title"], "said": one["said"]}
        | {key: number[key] for key in ("label", "value", "unit", "text", "n", "reason")}
        for one in analysis["inconsistencies"]
        for number in one["numbers"] or [dict.fromkeys(("label", "value", "unit", "text", "n", "reason"))]
    ]
