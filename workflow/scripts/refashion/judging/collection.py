"""Run files -> the study's tables: runs.csv, histories.csv.gz and predictions.npz.

Accuracies become percent here, and nowhere else. A run that is broken (see `run_files`) is told in one sentence: it
ends a strict collection, and makes its run, and no other, a failed one in a partial collection.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from refashion import files
from refashion.data import dataset
from refashion.data.split import validation_labels
from refashion.errors import UserError
from refashion.inference.summaries import honest_best
from refashion.judging import columns, tables
from refashion.study.model import AXES, Cell, Run, Study, digest
from refashion.training import run_files, run_state
from refashion.training.run_files import HISTORY_COLUMNS, BrokenRunError, Labels, RunFiles
from refashion.training.run_store import RunStore

#: metrics.json "final" -> runs.csv
_FINAL = {
    "loss": "train_loss",
    "accuracy": "train_accuracy",
    **{name: name for part in ("eval", "val", "clean") for name in (f"{part}_loss", f"{part}_accuracy")},
}
_TIMING = ("seconds", "train_seconds", "images_per_second", "resumed")
_PROVENANCE = ("device", "device_name", "cpu", "threads", "precision", "tensorflow", "commit")

#: A percentage keeps six decimals (one of 60,000 images is 0.0017%), so that .9197 gives 91.97 and no rounding error.
_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted classes of one cell's finished runs, uint8 [n, m], seeds [n] ascending, and labels uint8 [m].

    validated: images augmented as the training images; clean: not augmented.
    """

    seeds: np.ndarray
    validated: np.ndarray
    clean: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Collected:
    """The tables of runs and histories (columns: `columns.COLUMNS`), and the predictions by cell."""

    runs: pd.DataFrame
    histories: pd.DataFrame
    predictions: dict[str, Predictions]


# ------------------------------------------------------------------------------------------------------------- collect


def check_runs(study: Study, runs: pd.DataFrame, path: Path | str) -> None:
    """Raise UserError unless the table at `path` is of the runs that the study wants; it may be an older one."""
    wanted = {run.folder: digest(study.spec(run)) for run in study.runs()}
    rows = runs[[*AXES, "seed", "digest"]].itertuples(index=False)
    found = {Run(Cell(*row[:-2]), int(row[-2])).folder: row[-1] for row in rows}
    other = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if other:
        raise UserError(
            f"{path} is of other runs than the config asks for ({other[0]}, for one); where the config was edited, "
            "start again with --forcerun train: what is trained already is then only copied"
        )


def collect(
    study: Study,
    source: Path | RunStore,
    *,
    strict: bool,
    labels: Labels | None = None,
    published: Collection[str] = frozenset(),
) -> Collected:
    """Read every run that the study wants, from its folder below the path `source`, or from a run store.

    strict: a run that is missing or broken raises UserError. Otherwise it becomes a row with status missing or failed;
    a run without files failed if its state in the store says so. labels: those of the data, against which a run's
    are held. `published`: digests of the published runs.
    """
    order = {cell: position for position, cell in enumerate(study.cells())}
    rows: list[dict[str, Any]] = []
    found: list[tuple[Run, RunFiles]] = []
    for run in sorted(study.runs(), key=lambda run: (order[run.cell], run.seed)):
        name = digest(study.spec(run))
        folder = source.path(name) if isinstance(source, RunStore) else source / run.folder
        row = {**vars(run.cell), "seed": run.seed, "experiments": ";".join(study.experiments_of(run))}
        row |= {"images": study.images(run.cell), "digest": name, "published": False}
        try:
            made = run_files.read(folder, name, labels)
            found.append((run, made))
            row |= _row(made) | {"published": name in published}
        except BrokenRunError as error:
            if strict:
                raise
            row |= _absent(folder, error)
        rows.append(row)
    return Collected(tables.frame(columns.COLUMNS["runs"], rows), _histories(found), _predictions(found))


def labels_of(data: Iterable[Path]) -> Labels:
    """The validation labels of prepared data sets."""
    known: dict[tuple[str, str], np.ndarray] = {}
    for path in data:
        known |= validation_labels(dataset.load(path))
    return known


def _absent(folder: Path, error: BrokenRunError) -> dict[str, Any]:
    """Status and reason of a run that cannot be read: failed if its files are broken or its last job failed."""
    if os.path.lexists(folder / run_files.METRICS):
        return {"status": columns.FAILED, "reason": str(error)}
    state = run_state.read(folder.parent, folder.name)
    if state is None or state.state != run_state.FAILED:
        return {"status": columns.MISSING}
    return {"status": columns.FAILED, "reason": state.reason.replace(f"{Path.cwd()}/", "")}  # not where this study lies


# ------------------------------------------------------------------------------------------------------------- one run


def _row(files: RunFiles) -> dict[str, Any]:
    """The fields of runs.csv that a run's files give."""
    metrics = files.metrics
    final, timing, provenance = metrics["final"], metrics["timing"], metrics["provenance"]
    row = {target: _percent(source, final[source]) for source, target in _FINAL.items()}
    row |= {name: metrics[name] for name in ("status", "epochs", "updates", "diverged_epoch")}
    row |= {name: timing[name] for name in _TIMING} | {name: provenance.get(name) for name in _PROVENANCE}
    if row["commit"] and provenance.get("dirty"):
        row["commit"] += "-dirty"  # as `git describe` has it
    row |= {"machines": run_files.machines(metrics), "numerics": metrics["spec"]["numerics"]}
    return row | (_best_epochs(files) if row["status"] == columns.FINISHED else {})


def _best_epochs(files: RunFiles) -> dict[str, Any]:
    """Best epoch, best and honest best accuracy of a finished run, on each kind of validation images."""
    row: dict[str, Any] = {}
    for part, epoch in (("val", "best_epoch"), ("clean", "best_clean_epoch")):
        names = [f"{part}_accuracy{half}" for half in ("", "_a", "_b")]
        best = honest_best(*(_percent(name, files.column(name)) for name in names))
        row |= {epoch: best.best_epoch, f"best_{part}_accuracy": best.best}
        row[f"honest_best_{part}_accuracy"] = best.honest_best
    return row


def _percent(name: str, value: Any) -> Any:
    """Accuracies (a name that says so) as percentages; other numbers, or None, as they are."""
    if value is None or "accuracy" not in name:
        return value
    return (100 * value).round(_DECIMALS) if isinstance(value, np.ndarray) else round(100 * value, _DECIMALS)


# ---------------------------------------------------------------------------------------------- histories, predictions


def _histories(found: Sequence[tuple[Run, RunFiles]]) -> pd.DataFrame:
    """All histories as one table, accuracies in percent."""
    lengths = [len(made.history) for _, made in found]
    table = pd.DataFrame()
    for axis in AXES:
        table[axis] = pd.Categorical([getattr(run.cell, axis) for run, _ in found]).repeat(lengths)
    table["seed"] = np.repeat(np.array([run.seed for run, _ in found], int), lengths)
    numbers = np.concatenate([np.zeros((0, len(HISTORY_COLUMNS))), *(made.history for _, made in found)])
    for name, column in zip(HISTORY_COLUMNS, numbers.T, strict=True):
        whole = columns.COLUMNS["histories"][name].kind == columns.INTEGER
        table[name] = column.astype("int64") if whole else _percent(name, column)
    return table


def _predictions(found: Sequence[tuple[Run, RunFiles]]) -> dict[str, Predictions]:
    """The predictions of each cell's finished runs, whose labels are equal, since each has those of its data set."""
    cells: dict[str, list[tuple[int, Mapping[str, np.ndarray]]]] = {}
    for run, made in found:
        if made.metrics["status"] == columns.FINISHED:
            cells.setdefault(run.cell.name, []).append((run.seed, made.predictions))
    return {
        cell: Predictions(
            seeds=np.array([seed for seed, _ in own]),
            validated=np.stack([said["validated"] for _, said in own]),
            clean=np.stack([said["clean"] for _, said in own]),
            labels=own[0][1]["labels"],
        )
        for cell, own in cells.items()
    }


def write_predictions(predictions: Mapping[str, Predictions], path: Path | str) -> None:
    """Write predictions as .npz, arrays "{cell}|seeds", "|validated", "|clean", "|labels"; same input, same bytes.

    Not compressed: that would halve the file and take most of the time of a large collection.
    """
    arrays = {f"{cell}|{name}": array for cell, found in predictions.items() for name, array in vars(found).items()}
    with files.whole_file(Path(path)) as file:
        np.savez(file, **arrays)


def read_predictions(path: Path | str) -> dict[str, Predictions]:
    """Predictions by cell, from a file of `write_predictions`. Raises UserError for anything else."""
    cells: dict[str, dict[str, np.ndarray]] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for key in file.files:
                cell, name = key.split("|")
                cells.setdefault(cell, {})[name] = file[key]
        return {cell: Predictions(**arrays) for cell, arrays in cells.items()}
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile) as error:  # TypeError: one array, or others
        raise UserError(f"{path} cannot be read as predictions: {error}.") from None
