"""Synthetic studies with a known truth: a table of runs, or whole run folders, drawn instead of trained.

Nothing here says anything about networks. An accuracy is its cell's true mean, plus an effect of the seed that all
cells share, plus noise of its own; the analysis must find the truth again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from snakemake.utils import update_config

from refashion.judging import collection, tables
from refashion.study.config import load_study
from refashion.study.model import AXES, NUMERICS, Cell, Run, Study, digest
from refashion.training import run_store

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
    return tables.frame("runs", rows)


def _spread(truth: Truth, shared: float, own: float) -> float:
    return truth.sd * (np.sqrt(truth.shared) * shared + np.sqrt(1 - truth.shared) * own)


def _row(study: Study, truth: Truth, run: Run, noise: float, training_noise: float) -> dict[str, Any]:
    cell = run.cell.name
    row = dict.fromkeys(tables.COLUMNS["runs"]) | vars(run.cell)
    row |= {"seed": run.seed, "digest": hashlib.sha256(f"{cell}{run.seed}".encode()).hexdigest()[:20]}
    row |= {"experiments": ";".join(study.experiments_of(run)), "images": study.images(run.cell), "published": False}
    key = (cell, run.seed)
    if key in truth.missing or key in truth.failed:
        failed = key in truth.failed
        return row | {
            "status": tables.FAILED if failed else tables.MISSING,
            "reason": "out of memory" if failed else "",
        }
    row |= _circumstances(study, run)
    if key in truth.diverged:
        return row | {"status": tables.DIVERGED, "diverged_epoch": 2, "epochs": 1}
    validation = truth.validation.get(cell, VALIDATION) + noise
    clean = truth.clean.get(cell, truth.validation.get(cell, VALIDATION)) + noise
    training = truth.training.get(cell, TRAINING) + training_noise
    return row | {
        "status": tables.FINISHED,
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


# --------------------------------------------------------------------------------------------------------- run folders


@dataclass(frozen=True, eq=False)
class RunFiles:
    """history.csv and predictions.npz of a finished run, and the final numbers that belong to them."""

    history: bytes
    predictions: bytes
    final: dict[str, float]


def run_files(labels: np.ndarray, rng: np.random.Generator, epochs: int) -> RunFiles:
    """One finished run whose final predictions agree with its history's last row."""
    predictions = {"validated": _guess(labels, rng), "clean": _guess(labels, rng), "labels": labels}
    history = _history(predictions, rng, epochs)
    packed = io.BytesIO()
    np.savez_compressed(packed, **predictions)
    text = history.to_csv(index=False, lineterminator="\n")
    return RunFiles(text.encode(), packed.getvalue(), final(history))


def write_runs(
    study: Study, root: Path, seed: int, *, images: int = 1000, epochs: int = 5, variants: int | None = None
) -> None:
    """Write every wanted run, finished, as training does: `images` validation images, `epochs` epochs.

    variants: draw so many different runs and write copies of these, which is what makes a large study quickly.
    """
    rng = np.random.default_rng(seed)
    labels = {kind: rng.integers(0, 10, images, np.uint8) for kind in ("test", "fold")}
    drawn = {kind: [run_files(own, rng, epochs) for _ in range(variants or 0)] for kind, own in labels.items()}
    for run in study.runs():
        kind = study.config["fractions"][run.cell.fraction]["validation"]
        files = drawn[kind][rng.integers(variants)] if variants else run_files(labels[kind], rng, epochs)
        write_run(study.spec(run), root / run.folder, files, epochs)


def write_run(spec: dict[str, Any], folder: Path, files: RunFiles, epochs: int) -> None:
    """One finished run in its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / run_store.HISTORY).write_bytes(files.history)
    (folder / run_store.PREDICTIONS).write_bytes(files.predictions)
    write_metrics(spec, folder, files.final, epochs=epochs)


def _guess(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Predictions of which about nine in ten are right; every tenth image is hard."""
    wrong = rng.random(labels.size) < np.where(np.arange(labels.size) % 10 == 0, 0.8, 0.03)
    return np.where(wrong, rng.integers(0, 10, labels.size, np.uint8), labels).astype(np.uint8)


def _history(predictions: Mapping[str, np.ndarray], rng: np.random.Generator, epochs: int) -> pd.DataFrame:
    rows = pd.DataFrame(0.5, index=range(epochs), columns=list(collection.HISTORY))
    rows["epoch"] = np.arange(1, epochs + 1)
    rows["updates"] = 10 * rows["epoch"]
    rows["accuracy"] = np.linspace(0.8, 0.95, epochs)
    for part, guess in (("val", "validated"), ("clean", "clean")):
        right = predictions[guess] == predictions["labels"]
        last = right.mean(), right[0::2].mean(), right[1::2].mean()
        for half, value in zip(("", "_a", "_b"), last, strict=True):
            earlier = value - 0.01 + 0.01 * rng.standard_normal(epochs - 1)
            rows[f"{part}_accuracy{half}"] = np.append(earlier, value)
        rows.loc[: epochs - 2, f"{part}_accuracy"] = (rows[f"{part}_accuracy_a"] + rows[f"{part}_accuracy_b"]) / 2
    return rows


def final(history: pd.DataFrame) -> dict[str, float]:
    """The "final" of metrics.json that belongs to a history."""
    last = history.iloc[-1].to_dict()
    names = ("loss", "accuracy", "val_loss", "val_accuracy", "clean_loss", "clean_accuracy")
    return {name: last[name] for name in names} | {"eval_loss": 0.4, "eval_accuracy": 0.96}


def write_metrics(spec: dict[str, Any], folder: Path, final: dict[str, Any], **changes: Any) -> None:
    """metrics.json of the run in `folder`, with the digests of its files as they are."""
    sums = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (run_store.HISTORY, run_store.PREDICTIONS)
    }
    metrics = {
        "format": run_store.FORMAT,
        "digest": digest(spec),
        "spec": spec,
        "status": "finished",
        "diverged_epoch": None,
        "epochs": 5,
        "updates": 50,
        "steps_per_epoch": 10,
        "final": final,
        "timing": {
            "started": "2030-01-01T00:00:00+00:00",
            "seconds": 70.0,
            "train_seconds": 60.0,
            "eval_seconds": 5.0,
            "setup_seconds": 4.0,
            "images_per_second": 5000.0,
            "resumed": 0,
        },
        "provenance": {
            "device": "cpu",
            "device_name": "CPU",
            "cpu": "a processor",
            "machines": 1,
            "commit": "0123456789abcdef",
            "threads": 1,
            "precision": spec["recipe"]["precision"],
            "tensorflow": "2.21.0",
        },
        "files": sums,
    }
    (folder / run_store.METRICS).write_text(json.dumps(metrics | changes), encoding="utf-8")


# --------------------------------------------------------------------------------------------------- facts of the study


def architectures(original: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Networks "as built" that agree with every printed summary, in the layout of results/architectures.json."""
    return {
        name: {"rows": [row[1:] for row in summary["rows"]], **summary["printed"]}
        for name, summary in original["summaries"].items()
    }


def description() -> dict[str, Any]:
    """What refashion.data.description.describe says of Fashion-MNIST, as far as the analysis reads it."""
    return {
        "image_shape": [28, 28],
        "sha256": {"train_images": "0" * 64},
        "train": {"images": 60000, "per_class": [6000] * 10},
        "test": {"images": 10000, "per_class": [1000] * 10},
        "duplicates": {"train": 0, "test": 0, "test_in_train": 0},
    }
