"""Finished runs, drawn instead of trained: what training gives the store, or whole folders, in accord with their specs.

Their labels are none of a real data set's, so readers are told of them (`known`), or a spec names their SHA-256.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from refashion.data import idx
from refashion.study.model import FOLD, NUMERICS, Study, digest, images_seen, steps_per_epoch
from refashion.training import run_files
from refashion.training.run_files import FINAL, HISTORY, HISTORY_COLUMNS, METRICS, PREDICTIONS

#: Validation images of a run that `spec` describes.
IMAGES = 20


@dataclass(frozen=True, eq=False)
class Parts:
    """What `RunStore.publish` is given beside the spec."""

    metrics: dict[str, Any]
    history: str
    predictions: dict[str, np.ndarray]


def labels(images: int, kind: str = "test") -> np.ndarray:
    """Validation labels of ten classes, uint8 [images], always the same."""
    return np.random.default_rng([images, kind == FOLD]).integers(0, 10, images, np.uint8)


def sha256(values: np.ndarray) -> str:
    """The SHA-256 of labels as their file would have it."""
    return hashlib.sha256(idx.header(values.shape) + values.tobytes()).hexdigest()


def known(study: Study, images: int) -> dict[tuple[str, str], np.ndarray]:
    """The labels of a study's runs, as `run_files.read` is told of them."""
    files = [dataset["files"] for dataset in study.config["datasets"].values()]
    test = {(one["test_labels"]["sha256"], "test"): labels(images) for one in files}
    return test | {(one["train_labels"]["sha256"], FOLD): labels(images, FOLD) for one in files}


def spec(seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A run of three epochs on 100 images, whose data set has `labels(IMAGES)` as its test labels."""
    hashes = {f"{part}_{kind}": "0" * 64 for part in ("train", "test") for kind in ("images", "labels")}
    recipe = {"batch_size": 32, "updates": 11, "precision": "float32", "schedule": "constant"}
    return {
        "numerics": NUMERICS,
        "dataset": {"classes": 10, "shape": [28, 28], **hashes, "test_labels": sha256(labels(IMAGES))},
        "fraction": {"images": 100, "validation": "test", "subset_seed": None},
        "architecture": {"builder": "cnn1"},
        "augmentation": {"rescale": "unit"},
        "recipe": recipe,
        "seed": seed,
        **changes,
    }


def parts(spec: Mapping[str, Any], images: int = IMAGES, *, seed: int = 0, diverged_epoch: int | None = None) -> Parts:
    """A run of this spec whose numbers agree with one another; finished, or diverged in an epoch."""
    rng = np.random.default_rng(seed)
    own = labels(images, spec["fraction"]["validation"])
    guesses = {"validated": _guess(own, rng), "clean": _guess(own, rng)}
    steps = steps_per_epoch(spec["fraction"]["images"], spec["recipe"]["batch_size"])
    planned = -(-spec["recipe"]["updates"] // steps)
    epochs = planned if diverged_epoch is None else diverged_epoch - 1
    history = _history(guesses, own, rng, planned)[:epochs]
    history[:, 1] = np.minimum(history[:, 0] * steps, spec["recipe"]["updates"])
    last = dict(zip(HISTORY_COLUMNS, history[-1], strict=True)) if epochs else {}
    final = {name: last.get(name) for name in FINAL} | {"eval_loss": 0.4, "eval_accuracy": 0.96}
    if diverged_epoch is not None:
        final = dict.fromkeys(FINAL)
        guesses = dict.fromkeys(guesses, np.zeros(0, np.uint8))
    outcome = {"status": "finished" if diverged_epoch is None else "diverged", "diverged_epoch": diverged_epoch}
    metrics = outcome | {
        "epochs": epochs,
        "updates": int(last.get("updates", 0)),
        "steps_per_epoch": steps,
        "final": final,
    }
    return Parts(metrics | _circumstances(spec, metrics), _csv(history), guesses | {"labels": own})


def _circumstances(spec: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    images, seconds = spec["fraction"]["images"], 60.0
    seen = images_seen(images, spec["recipe"]["batch_size"], metrics["updates"])
    timing = {"started": "2030-01-01T00:00:00+00:00", "resumed": 0, "seconds": 70.0, "train_seconds": seconds}
    timing |= {"eval_seconds": 5.0, "setup_seconds": 4.0, "images_per_second": seen / seconds}
    provenance = {
        "device": "cpu",
        "device_name": "CPU",
        "cpu": "a processor",
        "threads": 1,
        "cores": 2,
        "machines": 1,
        "platform": "Linux x86_64",
        "precision": spec["recipe"]["precision"],
        "commit": "0123456789abcdef",
        "dirty": False,
        "tensorflow": "2.21.0",
        "keras": "3.15.1",
        "numpy": "2.4.6",
        "python": "3.11.7",
    }
    return {"timing": timing, "provenance": provenance}


def _guess(own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Predictions of which about nine in ten are right; every tenth image is hard."""
    wrong = rng.random(own.size) < np.where(np.arange(own.size) % 10 == 0, 0.8, 0.03)
    return np.where(wrong, rng.integers(0, 10, own.size, np.uint8), own).astype(np.uint8)


def _history(guesses: Mapping[str, np.ndarray], own: np.ndarray, rng: np.random.Generator, epochs: int) -> np.ndarray:
    """The history that ends with these predictions, float64 [epochs, columns]; its updates are still to be filled."""
    columns = {name: np.full(epochs, 0.5) for name in HISTORY_COLUMNS}
    columns |= {"epoch": np.arange(1.0, epochs + 1), "accuracy": np.linspace(0.8, 0.95, epochs)}
    halves = len(own[0::2]), len(own[1::2])
    for part, guess in (("val", guesses["validated"]), ("clean", guesses["clean"])):
        right = guess == own
        earlier = [
            value - 0.01 + 0.01 * rng.standard_normal(epochs) for value in (right[0::2].mean(), right[1::2].mean())
        ]
        a, b = (np.clip(values, 0, 1) for values in earlier)
        a[-1], b[-1] = right[0::2].mean(), right[1::2].mean()
        whole = (a * halves[0] + b * halves[1]) / len(own)
        whole[-1] = right.mean()
        columns |= {f"{part}_accuracy": whole, f"{part}_accuracy_a": a, f"{part}_accuracy_b": b}
    return np.stack([columns[name] for name in HISTORY_COLUMNS], axis=1)


def _csv(history: np.ndarray) -> str:
    rows = [[int(row[0]), int(row[1]), *map(float, row[2:])] for row in history]
    return "".join(",".join(map(str, row)) + "\n" for row in [HISTORY_COLUMNS, *rows])


def with_values(history: str, row: int, **values: str) -> str:
    """history.csv with other values in a row (from 1; -1: the last), by their columns."""
    lines = history.splitlines()
    fields = dict(zip(HISTORY_COLUMNS, lines[row].split(","), strict=True)) | values
    lines[row] = ",".join(fields.values())
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------------------------------------------------- folders


def write_runs(study: Study, root: Path, seed: int, *, images: int = 1000, variants: int | None = None) -> None:
    """Write every wanted run, finished, as training does, with so many validation images.

    variants: draw so many different runs of a kind and write these again and again, which makes a large study quickly.
    """
    rng, drawn = np.random.default_rng(seed), {}
    for run in study.runs():
        wanted = study.spec(run)
        number = int(rng.integers(variants)) if variants else int(rng.integers(2**31))
        kind = json.dumps([wanted["fraction"], wanted["recipe"], number], sort_keys=True)
        files = drawn.get(kind) or _packed(parts(wanted, images, seed=number))
        if variants:
            drawn[kind] = files
        _write(wanted, root / run.folder, *files)


def write(spec: Mapping[str, Any], folder: Path, made: Parts) -> None:
    """One run in its folder."""
    _write(spec, folder, *_packed(made))


def publish(folder: Path, seed: int = 0, **changes: Any) -> Path:
    """The run of `spec` among those that are published in `folder`; its own folder."""
    wanted = spec(seed, **changes)
    place = folder / "runs" / digest(wanted)
    write(wanted, place, parts(wanted))
    return place


def _packed(made: Parts) -> tuple[dict[str, Any], dict[str, bytes]]:
    packed = io.BytesIO()
    np.savez_compressed(packed, **made.predictions)
    return made.metrics, {HISTORY: made.history.encode(), PREDICTIONS: packed.getvalue()}


def _write(spec: Mapping[str, Any], folder: Path, metrics: Mapping[str, Any], contents: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    write_metrics(folder, {"format": run_files.FORMAT, "digest": digest(spec), "spec": spec, **metrics})


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """metrics.json of the run in `folder`, with the digests of its files as they are."""
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (HISTORY, PREDICTIONS)}
    (folder / METRICS).write_text(json.dumps({**metrics, "files": sums}), encoding="utf-8")


def edit(folder: Path, **changes: Any) -> None:
    """Change values in metrics.json by their dotted names (dots as double underscores), and let the sums fit."""
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    for name, value in changes.items():
        *tables, key = name.split("__")
        place = metrics
        for table in tables:
            place = place[table]
        place[key] = value
    write_metrics(folder, metrics)
