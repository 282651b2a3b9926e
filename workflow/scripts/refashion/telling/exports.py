"""The report's tables for other documents: CSV, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from refashion import files
from refashion import formatting as fmt
from refashion.telling import markup, words
from refashion.telling.cells import Analysis
from refashion.telling.figures.parts import ends
from refashion.telling.redaction import redact

#: Files that the report's rule writes beside the page.
TABLES = tuple(
    f"results/tables/{name}"
    for name in (
        *(f"{table}.{kind}" for table in ("original_vs_ours", "claims") for kind in ("md", "tex")),
        *(f"{table}.csv" for table in ("original_vs_ours", "audit", "inconsistencies", "assumptions", "cost")),
        "numbers.tex",
        "README.md",
    )
)

#: What each column of the CSV files means; `key` writes those that occur.
_KEY = {
    "claim": "identifier of the claim, as on the page",
    "network": "column of the original's table",
    "data": "the original's name of the training images",
    "measure": "which accuracy",
    "published": "the original's number, in the claim's unit",
    "unit": "percent, or pp (percentage points)",
    "ours": "mean over the seeds",
    "low": "lower end of the confidence interval of the mean",
    "high": "upper end of the confidence interval of the mean",
    "seeds": "runs behind the mean",
    "n": "runs behind the mean",
    "verdict": "reproduced, not reproduced, inconclusive or not testable",
    "title": "in words",
    "reason": "why the verdict, or why there is no number",
    "cell": "network / training images / augmentation / recipe",
    "agrees": "whether the printed row is that of the network as built",
    "said": "what the original says",
    "seconds": "median wall time of a run",
    "train_seconds": "median time of a run's training alone",
    "images_per_second": "median speed of training",
    "core_hours": "processor time of all finished runs",
    "missing_core_hours": "what the missing runs will take at this cost",
}


def write_tables(analysis: Analysis, folder: Path) -> None:
    """Every file of TABLES, into `folder`."""
    analysis = redact(analysis)
    csv_files = {
        "original_vs_ours": _original_numbers(analysis),
        "audit": _audit_rows(analysis),
        "inconsistencies": _inconsistency_rows(analysis),
        "assumptions": analysis["assumptions"],
        "cost": analysis["cost"]["cells"],
    }
    for name, rows in csv_files.items():
        files.write_text(folder / f"{name}.csv", markup.to_csv(rows))
    for name, told, columns in (
        ("original_vs_ours", original_rows(analysis), _TABLE_COLUMNS),
        ("claims", claim_rows(analysis), _CLAIM_COLUMNS),
    ):
        files.write_text(folder / f"{name}.md", markup.to_markdown(told))
        files.write_text(folder / f"{name}.tex", markup.to_latex(told, columns))
    files.write_text(folder / "numbers.tex", markup.to_macros(single_numbers(analysis)))
    files.write_text(folder / "README.md", _key_of(csv_files))


def _key_of(tables: dict[str, list[dict[str, Any]]]) -> str:
    """What the columns of the CSV files mean, a table a file."""
    parts = ["# Key to the tables\n\nText that a spreadsheet would compute begins with an apostrophe.\n"]
    for name, rows in tables.items():
        if columns := [{"column": key, "meaning": _KEY[key]} for row in rows[:1] for key in row if key in _KEY]:
            parts.append(f"## {name}.csv\n\n{markup.to_markdown(columns)}")
    return "\n".join(parts)


def single_numbers(analysis: Analysis) -> dict[str, str]:
    """Every judged accuracy by name: `V1.published`, `V1.ours`, `V1.interval`, `V1.difference`, `V1.verdict`."""
    numbers: dict[str, str] = {}
    for claim in analysis["claims"]:
        name, own = words.slug(claim["id"]), words.numbers_of(claim)
        told = dict(words.numbers_told(own, claim["unit"]))
        found = {"verdict": claim["verdict"]}
        found |= {key: told[key] for key in ("published", "interval", "difference", "margin") if key in told}
        if own and fmt.exists(own["mean"]):
            found["ours"] = words.amount(own["mean"], claim["unit"], own["interval"])
            found["seeds"] = fmt.count(own["n"])
        numbers |= {f"{name}.{key}": value for key, value in found.items()}
    return numbers


def original_rows(analysis: Analysis) -> list[dict[str, str]]:
    """The original's accuracies beside ours, a row a network and accuracy, as words."""
    return [
        {
            **named,
            "published": value["printed"] or fmt.MISSING,
            "ours": words.amount(ours["mean"], "percent", ours["interval"]),
            "interval": words.interval_told(ours["interval"], "percent"),
            "seeds": fmt.count(ours["n"]),
            "verdict": value["verdict"] or "",
        }
        for named, value, ours in _accuracies(analysis)
    ]


def _original_numbers(analysis: Analysis) -> list[dict[str, Any]]:
    """The original's accuracies beside ours, a row a network and accuracy, as numbers in percent."""
    return [
        {**named, "published": value["printed"], "unit": "percent", "ours": ours["mean"]}
        | ends(ours["interval"])
        | {"seeds": ours["n"], "verdict": value["verdict"], "claim": value["claim"]}
        for named, value, ours in _accuracies(analysis)
    ]


def _accuracies(analysis: Analysis) -> Iterator[tuple[dict[str, str], dict[str, Any], dict[str, Any]]]:
    """Each accuracy of the main table: what it is of, its entry, and our sample."""
    for column, value in words.accuracies(analysis):
        yield {"network": column["title"], "data": column["data"], "measure": value["name"]}, value, value["sample"]


#: Column types of original_vs_ours.tex, as below.
_TABLE_COLUMNS = (
    r">{\raggedright\arraybackslash}p{0.13\textwidth}>{\raggedright\arraybackslash}p{0.08\textwidth}"
    r">{\raggedright\arraybackslash}p{0.15\textwidth}rr>{\raggedright\arraybackslash}p{0.11\textwidth}"
    r"r>{\raggedright\arraybackslash}p{0.12\textwidth}"
)
#: Column types of claims.tex: with them it fits a page of A4 at 10 pt.
_CLAIM_COLUMNS = (
    r"l>{\raggedright\arraybackslash}p{0.35\textwidth}rr>{\raggedright\arraybackslash}p{0.11\textwidth}"
    r">{\raggedright\arraybackslash}p{0.15\textwidth}"
)


def claim_rows(analysis: Analysis) -> list[dict[str, str]]:
    """The ledger, a row a claim, as words."""
    rows = []
    for claim in analysis["claims"]:
        own = words.numbers_of(claim)
        rows.append(
            {
                "claim": claim["id"],
                "statement": claim["statement"],
                "published": words.amount(claim["value"], claim["unit"]) if claim["value"] is not None else "",
                "ours": words.amount(own["mean"], claim["unit"], own["interval"]) if own and own["n"] else "",
                "difference": dict(words.numbers_told(own, claim["unit"])).get("difference", ""),
                "verdict": claim["verdict"],
            }
        )
    return rows


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
    shown = ("label", "value", "unit", "text", "n", "reason")
    return [
        {key: one[key] for key in ("id", "title", "said")} | {key: number.get(key) for key in shown}
        for one in analysis["inconsistencies"]
        for number in one["numbers"] or [{}]
    ]
