"""Synthetic studies with a known truth: a table of runs, drawn instead of trained.

Nothing here says anything about networks. An accuracy is its cell's true mean, plus an effect of the seed that all
cells share, plus noise of its own; the analysis must find the truth again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from snakemake.utils import update_config

from refashion.judging import columns, tables
from refashion.study.config import load_study
from refashion.study.model import AXES, NUMERICS, Cell, Run, Study

ROOT = Path(__file__).parents[2]

#: Means in percent of cells that a truth does not name.
VALIDATION, TRAINING = 90.0, 95.0


def original() -> dict[str, Any]:
    """config/original.yaml."""
    return yaml.safe_load((ROOT / "config" / "original.yaml").read_text(encoding="utf-8"))


def config(run: Iterable[str] = ("original",), seeds: Any = 10, **changes: Any) -> dict[str, Any]:
    """config/config.yaml, the experiments as wide as in full.yaml, with these of them and the same seeds for all."""
    whole, wide = (yaml.safe_load((ROOT / "config" / name).read_text("utf-8")) for name in ("config.yaml", "full.yaml"))
    update_config(whole, {"experiments": wide["experiments"]})
    for experiment in whole["experiments"].values():
        experiment.pop("seeds", None)
    return {**whole, "run": list(run), "seeds": seeds, **changes}


def study(run: Iterable[str] = ("original",), seeds: Any = 10, **changes: Any) -> Study:
    """The study of that config."""
    return load_study(config(run, seeds, **changes))


@dataclass(frozen=True)
class Truth:
    """True means in percent by cell name, for validation (both kinds, unless `clean` names another) and training.

    sd: of a cell's runs, in pp; shared: the part of that variance (0..1) that is the seed's and equal in all cells.
    diverged, failed, missing: runs as (cell name, seed).
    """

    validation: Mapping[str, float] = field(default_factory=dict)
    clean: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, float] = field(default_factory=dict)
    sd: float = 0.2
    shared: float = 0.0
    diverged: frozenset[tuple[str, int]] = frozenset()
    failed: frozenset[tuple[str, int]] = frozenset()
    missing: frozenset[tuple[str, int]] = frozenset()


def published(original: Mapping[str, Any], shift: float = 0.0) -> Truth:
    """The truth that lies `shift` pp above every primary validation and training accuracy that the original prints."""
    validation, training = {}, {}
    for column in original["table"]["columns"]:
        for kind, means in (("validation", validation), ("training", training)):
            claim = next((claim for claim in original["claims"] if claim["id"] == column.get(kind)), None)
            if claim:
                means[column["cell"]] = claim["value"] + shift
    return Truth(validation=validation, training=training)


# ----------------------------------------------------------------------------------------------------- a table of runs


def runs(study: Study, truth: Truth, seed: int) -> pd.DataFrame:
    """runs.csv of a study whose truth this is, drawn with this seed."""
    rng = np.random.default_rng(seed)
    wanted = study.runs()
    seed_effect = {number: rng.standard_normal() for number in sorted({run.seed for run in wanted})}
    noise = rng.standard_normal((len(wanted), 2))
    order = {cell: position for position, cell in enumerate(study.cells())}
    rows = [
        _row(study, truth, run, *(_spread(truth, seed_effect[run.seed], own) for own in noise[i]))
        for i, run in enumerate(wanted)
    ]
    rows.sort(key=lambda row: (order[Cell(*(row[axis] for axis in AXES))], row["seed"]))
    return tables.frame(columns.COLUMNS["runs"], rows)


def names(table: pd.DataFrame) -> pd.Series:
    """The cell of each row of a table."""
    return table[list(AXES)].astype(str).agg("/".join, axis=1)


def rows_of(table: pd.DataFrame, cell: str) -> pd.Series:
    """Whether each row of a table is of a cell."""
    return names(table) == cell


def _spread(truth: Truth, shared: float, own: float) -> float:
    return truth.sd * (np.sqrt(truth.shared) * shared + np.sqrt(1 - truth.shared) * own)


def _row(study: Study, truth: Truth, run: Run, noise: float, training_noise: float) -> dict[str, Any]:
    cell = run.cell.name
    row = {**vars(run.cell), "seed": run.seed, "digest": hashlib.sha256(f"{cell}{run.seed}".encode()).hexdigest()[:20]}
    row |= {"experiments": ";".join(study.experiments_of(run)), "images": study.images(run.cell), "published": False}
    key = (cell, run.seed)
    if key in truth.missing or key in truth.failed:
        failed = key in truth.failed
        return row | {
            "status": columns.FAILED if failed else columns.MISSING,
            "reason": "out of memory" if failed else "",
        }
    row |= _circumstances(study, run)
    if key in truth.diverged:
        return row | {"status": columns.DIVERGED, "diverged_epoch": 2, "epochs": 1}
    validation = truth.validation.get(cell, VALIDATION) + noise
    clean = truth.clean.get(cell, truth.validation.get(cell, VALIDATION)) + noise
    training = truth.training.get(cell, TRAINING) + training_noise
    return row | {
        "status": columns.FINISHED,
        **dict.fromkeys(("train_loss", "eval_loss", "val_loss", "clean_loss"), 0.3),
        "train_accuracy": training,
        "eval_accuracy": training + 0.5,
        "val_accuracy": validation,
        "clean_accuracy": clean,
        "best_epoch": 9,
        "best_val_accuracy": validation + 0.3,
        "honest_best_val_accuracy": validation + 0.1,
        "best_clean_epoch": 9,
        "best_clean_accuracy": clean + 0.3,
        "honest_best_clean_accuracy": clean + 0.1,
    }


def _circumstances(study: Study, run: Run) -> dict[str, Any]:
    updates = study.updates(run.cell)
    seconds = 60.0 + updates / 100
    return {
        "epochs": 10,
        "updates": updates,
        "seconds": seconds + 5,
        "train_seconds": seconds,
        "images_per_second": 5000.0,
        "resumed": 0,
        "device": "cpu",
        "device_name": "CPU",
        "cpu": "a processor",
        "machines": 1,
        "commit": "0123456789abcdef",
        "threads": 1,
        "precision": "float32",
        "tensorflow": "2.21.0",
        "numerics": NUMERICS,
    }


# --------------------------------------------------------------------------------------------------- facts of the study


def architectures(original: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Networks "as built" that agree with every printed summary, in the layout of results/architectures.json."""
    return {
        name: {"rows": [row[1:] for row in summary["rows"]], **summary["printed"]}
        for name, summary in original["summaries"].items()
    }


def description() -> dict[str, Any]:
    """What refashion.data.dataset.describe says of Fashion-MNIST, as far as the analysis reads it."""
    return {
        "image_shape": [28, 28],
        "sha256": {"train_images": "0" * 64},
        "train": {"images": 60000, "per_class": [6000] * 10},
        "test": {"images": 10000, "per_class": [1000] * 10},
        "duplicates": {"train": 0, "test": 0, "test_in_train": 0},
    }
