"""Tables of runs -> everything that the report says: analysis.json and the CSV tables of cells, comparisons, claims and
effects.

The document's layout is report/analysis.schema.json, against which it is checked. What cannot be said is None there,
and a `reason` beside it says why; NaN and infinity never get in. The same input gives the same bytes.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd

from refashion import __version__, provenance
from refashion.errors import UserError, first_line
from refashion.inference.summaries import LEVEL
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED
from refashion.judging import claims, effects, side_by_side, spread, tables
from refashion.judging.claims import Facts
from refashion.judging.collection import Predictions
from refashion.judging.tables import RunTable
from refashion.study.config import load_study
from refashion.study.model import AXES, Cell, Experiment, Study
from refashion.study.original import original_dataset
from refashion.telling.reporting import FORMAT
from refashion.upkeep import benchmarking

SCHEMA_FILE = Path(__file__).resolve().parents[4] / "report" / "analysis.schema.json"

#: The CSV tables that are made from analysis.json.
CSV_TABLES = ("cells", "comparisons", "claims", "effects")

#: Metrics of a cell that analysis.json and cells.csv summarise.
METRICS = (
    "val_accuracy",
    "clean_accuracy",
    "train_accuracy",
    "eval_accuracy",
    "best_val_accuracy",
    "honest_best_val_accuracy",
    "best_clean_accuracy",
    "honest_best_clean_accuracy",
    "train_seconds",
    "seconds",
)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What an analysis is made from.

    original: config/original.yaml. runs, histories: see `tables.COLUMNS`. predictions by cell. architectures: as built,
    by name (rows, total, trainable, non_trainable). data: description of each data set, by name. benchmark: rows.
    """

    study: Study
    original: Mapping[str, Any]
    runs: pd.DataFrame
    histories: pd.DataFrame
    predictions: Mapping[str, Predictions] = field(default_factory=dict)
    architectures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    benchmark: Sequence[Mapping[str, Any]] = ()

    @cached_property
    def dataset(self) -> str:
        """The data set of the original's cells."""
        return original_dataset(self.original, self.study)

    @cached_property
    def facts(self) -> Facts:
        """What claims are held against."""
        config = self.study.config
        return Facts(
            original=self.original,
            settings=config["analysis"],
            runs=RunTable(self.runs),
            architectures=self.architectures,
            data=self.data.get(self.dataset),
            validation={cell.name: config["fractions"][cell.fraction]["validation"] for cell in self.study.cells()},
            image_variance=lambda cell: spread.image_variance(cell, self.predictions),
            datasets={cell.name: self.study.dataset(cell) for cell in self.study.cells()},
        )

    @cached_property
    def columns(self) -> list[str]:
        """The cells of the original's table and the padded network, those that this study has."""
        present = {cell.name for cell in self.study.cells()}
        return [column["cell"] for column in self.original["table"]["columns"] if column["cell"] in present]

    @cached_property
    def cells(self) -> list[str]:
        """Every cell, the original's first."""
        return list(dict.fromkeys([*self.columns, *(cell.name for cell in self.study.cells())]))

    @cached_property
    def defined(self) -> tuple[Experiment, ...]:
        """Every experiment of the config, those that do not run included."""
        return load_study({**self.study.config, "run": list(self.study.config["experiments"])}).experiments


@dataclass(frozen=True, eq=False)
class Analysis:
    """analysis.json, and the CSV tables by name."""

    document: dict[str, Any]
    tables: dict[str, pd.DataFrame]


def analyse(inputs: Inputs) -> Analysis:
    """Everything that the runs say. Raises jsonschema.ValidationError if the result has not the documented layout."""
    facts, study = inputs.facts, inputs.study
    ledger = claims.judge(facts)
    config = study.config
    images = {cell.name: study.images(cell) for cell in study.cells()}
    classes = config["datasets"][inputs.dataset]["classes"]
    factorial = effects.policies(facts, study.experiments, images)
    document = {
        "format": FORMAT,
        "study": _study(inputs, ledger),
        "original": {
            key: inputs.original[key] for key in ("title", "citation", "about", "data_citation", "validation_images")
        },
        "provenance": _provenance(inputs),
        "experiments": [_experiment(experiment, inputs) for experiment in inputs.defined],
        "claims": [asdict(claim) for claim in ledger],
        "table": side_by_side.table(facts, study, ledger),
        "audit": side_by_side.audit(facts),
        "inconsistencies": side_by_side.inconsistencies(facts, ledger),
        "assumptions": side_by_side.assumptions(facts, study),
        "cells": [_cell(name, inputs) for name in inputs.cells],
        "comparisons": effects.comparisons(facts, study.experiments, inputs.predictions),
        "effects": {
            "policies": factorial,
            "reason": "" if factorial else "cannot say, because no experiment that runs is a factorial",
        },
        "specification_curves": spread.specification_curves(facts, study),
        "learning_curves": spread.learning_curves(facts, inputs.cells, inputs.histories),
        "optimism": spread.optimism(facts, inputs.cells),
        "ranks": effects.ranks(facts),
        "half_widths": spread.half_widths(facts, inputs.cells, study),
        "variance": spread.variance(facts, inputs.cells, inputs.predictions, study),
        "confusion": spread.confusion(facts, inputs.columns, inputs.predictions, len(classes)),
        "hardest": spread.hardest(facts, inputs.columns, inputs.predictions),
        "classes": classes,
        "cost": spread.cost(facts, inputs.cells),
        "benchmark": {
            "rows": [dict(row) for row in inputs.benchmark],
            "reason": "" if inputs.benchmark else "cannot say, because the benchmark has not been run",
        },
        "runs": _absent_runs(inputs),
        "data": _data(inputs),
    }
    check(document)
    return Analysis(document, _csv_tables(document))


def check(document: Mapping[str, Any]) -> None:
    """Raise jsonschema.ValidationError if a document has not the layout of report/analysis.schema.json."""
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)


def write(analysis: Analysis, document: Path | str, csv: Mapping[str, Path | str]) -> None:
    """Write analysis.json, and each CSV table to its path."""
    for name, path in csv.items():
        tables.write(analysis.tables[name], name, path)
    text = json.dumps(analysis.document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    Path(document).write_text(text + "\n", encoding="utf-8")


# ------------------------------------------------------------------------------------------------------- reading files


def read_json(path: Path | str) -> dict[str, Any]:
    """A JSON object. Raises UserError for anything else."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON: {first_line(error)}.") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no JSON object; make it anew by deleting it.")
    return content


def read_descriptions(paths: Iterable[Path | str]) -> dict[str, dict[str, Any]]:
    """The descriptions of the data sets, by name: that of the file."""
    one = [paths] if isinstance(paths, str | Path) else paths
    return {Path(path).stem: read_json(path) for path in one}


def read_benchmark(path: Path | str | None) -> list[dict[str, Any]]:
    """The rows of the benchmark's table, [] where there is none. Raises UserError for another file."""
    return benchmarking.read(Path(path)) if path else []


# ----------------------------------------------------------------------------------------------------- the short answer


def _study(inputs: Inputs, ledger: Sequence[claims.Claim]) -> dict[str, Any]:
    config, runs = inputs.study.config, inputs.runs
    verdicts = Counter(claim.verdict.replace(" ", "_") for claim in ledger)
    overall = Counter(claim.overall.replace(" ", "_").replace("-", "_") for claim in ledger)
    table = inputs.original["table"]
    printed = {column["cell"] for column in table["columns"][: len(table["rows"][0]["printed"])]}
    seeds = [inputs.facts.runs.counts(cell).finished for cell in inputs.columns if cell in printed]
    counted = {name: verdicts[name] for name in ("reproduced", "not_reproduced", "inconclusive", "not_testable")}
    states = ("robust", "unsettled", "specification_dependent", "one_reading", "not_testable")
    return {
        "title": config["title"],
        "preset": config["preset"],
        "evidence": config["evidence"],
        "evidence_reason": _no_evidence(config),
        "question": f"Does each number of “{inputs.original['title']}” come out again when its networks are "
        "trained anew, several times?",
        "answer": _answer(ledger, seeds, inputs),
        "confidence": inputs.facts.confidence,
        "level": LEVEL,
        "units": "Accuracies are in percent, differences in percentage points (pp).",
        "claims": len(ledger),
        "verdicts": counted,
        "overall": {name: overall[name] for name in states},
        "runs": _run_counts(runs),
        "seeds": {"least": min(seeds, default=0), "most": max(seeds, default=0)},
        "core_hours": spread.core_hours(runs),
    }


def _no_evidence(config: Mapping[str, Any]) -> str:
    """Why a study is no evidence, or ""."""
    if config["evidence"]:
        return ""
    limits = [f"{value:,} {name}" for name, value in config["limits"].items() if value is not None]
    cut = f", with at most {' and '.join(limits)} a run" if limits else ""
    return f"The preset “{config['preset']}” shows every step and measures nothing{cut}."


def _answer(ledger: Sequence[claims.Claim], seeds: Sequence[int], inputs: Inputs) -> str:
    """The verdicts in a few sentences, and what they rest on. seeds: finished runs of each column of the table."""
    told = f"Of {len(ledger)} claims, {_verdicts_told(ledger)}."
    measured = [claim for claim in ledger if claim.kind == "accuracy"]
    if measured:
        told += f" Of the {len(measured)} published accuracies among them, {_verdicts_told(measured)}."
    otherwise = [claim.id for claim in ledger if claim.verdict == NOT_REPRODUCED and _reproduced_otherwise(claim)]
    if otherwise:
        which = f"claim{'s' * (len(otherwise) > 1)} {', '.join(otherwise)}"
        told += f" Not reproduced as we read the original, but in another reading: {which}."
    basis = "This study runs none of the columns of its table."
    if seeds:
        many = f"{min(seeds)}" if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
        basis = f"Each of the {len(seeds)} columns of its table has {many} finished run{'s' * (many != '1')}."
    return f"{told} {basis} {_no_evidence(inputs.study.config)}".strip()


def _verdicts_told(ledger: Sequence[claims.Claim]) -> str:
    """How many claims have each verdict, in words; those that none have are left out."""
    counts = Counter(claim.verdict for claim in ledger)
    untested = [claim.readings[0] for claim in ledger if claim.verdict == INCONCLUSIVE]
    untested = [reading for reading in untested if not reading.tested]
    waiting = claims.untested_told(untested, "on cells that this study does not run")
    parts = [
        f"{counts[word]} {'is' if counts[word] == 1 else 'are'} {word}" + (waiting if word == INCONCLUSIVE else "")
        for word in (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE, NOT_TESTABLE)
        if counts[word]
    ]
    return ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]


def _reproduced_otherwise(claim: claims.Claim) -> bool:
    return any(reading.verdict == REPRODUCED for reading in claim.readings)


def _run_counts(runs: pd.DataFrame) -> dict[str, int]:
    counts = Counter(tables.distinct(runs)["status"])
    kinds = (tables.FINISHED, tables.DIVERGED, tables.FAILED, tables.MISSING)
    return {"wanted": counts.total(), **{kind: counts[kind] for kind in kinds}}


def _provenance(inputs: Inputs) -> dict[str, Any]:
    facts = inputs.facts
    runs = tables.distinct(inputs.runs)
    ended = runs[runs["status"].isin([tables.FINISHED, tables.DIVERGED])]
    columns = ("device", "device_name", "cpu", "threads", "precision")
    devices = Counter(zip(*(ended[name] for name in columns), strict=True))
    versions = provenance.versions("numpy", "scipy", "statsmodels", "pandas")
    return {
        "numerics": sorted({int(value) for value in ended["numerics"]}),
        "devices": [
            {
                "device": kind,
                "device_name": name,
                "cpu": cpu,
                "threads": int(threads),
                "precision": precision,
                "runs": count,
            }
            for (kind, name, cpu, threads, precision), count in devices.most_common()
        ],
        "mixed_machines": [cell for cell in inputs.cells if facts.runs.mixed_machines(cell)],
        "training": [
            {"tensorflow": version, "runs": count} for version, count in Counter(ended["tensorflow"]).most_common()
        ],
        "commits": [
            {"commit": commit, "runs": count} for commit, count in Counter(filter(None, ended["commit"])).most_common()
        ],
        "published_runs": int(ended["published"].sum()),
        "resumed_runs": int((ended["resumed"] > 0).sum()),
        "analysis": {
            "refashion": __version__,
            "python": platform.python_version(),
            **{name: version for name, version in versions.items() if version},
        },
        "data": dict(facts.data["sha256"]) if facts.data else {},
        "resamples": facts.settings["resamples"],
        "seed": facts.settings["seed"],
    }


def _experiment(experiment: Experiment, inputs: Inputs) -> dict[str, Any]:
    """An experiment and its runs. Which runs an experiment wants stands in runs.csv."""
    enabled = experiment.name in {one.name for one in inputs.study.experiments}
    own = inputs.runs[[experiment.name in names.split(";") for names in inputs.runs["experiments"]]]
    counts = _run_counts(own)
    reason = "" if counts["finished"] else "cannot say, because none of its runs has finished"
    return {
        **{name: getattr(experiment, name) for name in ("name", "title", "question", "note")},
        "enabled": enabled,
        "cells": [cell.name for cell in experiment.cells],
        **counts,
        "core_hours": spread.core_hours(own),
        "reason": reason if enabled else "cannot say, because this study does not run it",
    }


# ---------------------------------------------------------------------------------------------------- cells, runs, data


def _cell(name: str, inputs: Inputs) -> dict[str, Any]:
    cell, study, facts = Cell(*name.split("/")), inputs.study, inputs.facts
    counts = facts.runs.counts(name)
    epochs = facts.runs.sample(name, "epochs").values
    return {
        "cell": name,
        **vars(cell),
        "experiments": [experiment.name for experiment in study.experiments if cell in experiment.cell_set],
        "images": study.images(cell),
        "epochs": int(epochs[0]) if epochs.size else None,
        "updates": study.updates(cell),
        "validation": facts.validation[name],
        "published": name in inputs.columns,
        **vars(counts),
        "mixed_machines": facts.runs.mixed_machines(name),
        "metrics": {metric: effects.sample(facts, name, metric) for metric in METRICS},
        "reason": "" if counts.finished else facts.runs.why_empty(name),
    }


def _absent_runs(inputs: Inputs) -> dict[str, Any]:
    """The runs that do not count, by why; one that several cells share stands with the first."""
    runs = tables.distinct(inputs.runs)
    names = ["/".join(row) for row in runs[list(AXES)].itertuples(index=False)]
    by_status = {status: [] for status in (tables.MISSING, tables.FAILED, tables.DIVERGED)}
    columns = zip(names, runs["seed"], runs["status"], runs["reason"], runs["diverged_epoch"], strict=True)
    for cell, seed, status, reason, epoch in columns:
        if status in by_status:
            by_status[status].append((cell, int(seed), reason, None if pd.isna(epoch) else int(epoch)))
    missing: dict[str, list[int]] = {}
    for cell, seed, _, _ in by_status[tables.MISSING]:
        missing.setdefault(cell, []).append(seed)
    return {
        "missing": [{"cell": cell, "seeds": seeds} for cell, seeds in missing.items()],
        "failed": [{"cell": c, "seed": seed, "reason": reason} for c, seed, reason, _ in by_status[tables.FAILED]],
        "diverged": [{"cell": c, "seed": seed, "epoch": epoch} for c, seed, _, epoch in by_status[tables.DIVERGED]],
    }


def _data(inputs: Inputs) -> dict[str, Any]:
    name, description = inputs.dataset, inputs.facts.data
    facts: dict[str, Any] = {}
    if description:
        facts = {**claims.data_facts(description), "rows": description["image_shape"][0]}
        for part in ("train", "test"):
            counts = description[part]["per_class"]
            facts |= {f"{part} images, smallest class": min(counts), f"{part} images, largest class": max(counts)}
        facts |= {
            "training images that repeat an earlier one": description["duplicates"]["train"],
            "test images that repeat an earlier one": description["duplicates"]["test"],
            "test images that are also training images": description["duplicates"]["test_in_train"],
        }
    reason = "" if description else "cannot say, because the data set has not been described"
    return {"name": name, "title": inputs.study.config["datasets"][name]["title"], "facts": facts, "reason": reason}


# ----------------------------------------------------------------------------------------------------------- CSV tables


def _csv_tables(document: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
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
