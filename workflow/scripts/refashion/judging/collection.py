"""Run files -> the study's tables: runs.csv, histories.csv.gz and predictions.npz.

Accuracies become percent here, and nowhere else. A run that is broken (see `run_files`) is told in one sentence: it
ends a strict collection, and makes its run, and no other, a failed one in a partial collection.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from refashion import files
from refashion.data import dataset
from refashion.data.split import validation_labels
from refashion.errors import UserError
from refashion.inference.epochs import honest_best
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

_PREDICTIONS = ("seeds", "validated", "clean", "labels")


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
    found: dict[int, RunFiles] = {}
    for run in sorted(study.runs(), key=lambda run: (order[run.cell], run.seed)):
        row = _wanted(study, run)
        folder = source.path(row["digest"]) if isinstance(source, RunStore) else source / run.folder
        try:
            found[len(rows)] = files = run_files.read(folder, row["digest"], labels)
            row |= _row(files) | {"published": row["digest"] in published}
        except BrokenRunError as error:
            if strict:
                raise
            row |= _absent(folder, error)
        rows.append(row)
    runs = tables.frame("runs", rows)
    return Collected(runs, _histories(rows, found), _predictions(rows, found))


def labels_of(data: Iterable[Path]) -> Labels:
    """The validation labels of prepared data sets."""
    known: dict[tuple[str, str], np.ndarray] = {}
    for path in data:
        known |= validation_labels(dataset.load(path))
    return known


def _wanted(study: Study, run: Run) -> dict[str, Any]:
    """The row of a run of which nothing is known yet."""
    return dict.fromkeys(columns.COLUMNS["runs"]) | {
        **vars(run.cell),
        "seed": run.seed,
        "experiments": ";".join(study.experiments_of(run)),
        "digest": digest(study.spec(run)),
        "images": study.images(run.cell),
        "published": False,
    }


def _absent(folder: Path, error: BrokenRunError) -> dict[str, Any]:
    """Status and reason of a run that cannot be read: failed if its files are broken or its last job failed."""
    if os.path.lexists(folder / run_files.METRICS):
        return {"status": columns.FAILED, "reason": str(error)}
    state = run_state.read(folder.parent, folder.name)
    if state is None or state.state != run_state.FAILED:
        return {"status": columns.MISSING, "reason": ""}
    return {"status": columns.FAILED, "reason": state.reason.replace(f"{Path.cwd()}/", "")}  # not where this study lies


# ------------------------------------------------------------------------------------------------------------- one run


def _row(files: RunFiles) -> dict[str, Any]:
    """The fields of runs.csv that a run's files give."""
    metrics = files.metrics
    final, timing, provenance = metrics["final"], metrics["timing"], metrics["provenance"]
    row = {target: _percent(source, final[source]) for source, target in _FINAL.items()}
    row |= {name: metrics[name] for name in ("status", "epochs", "updates", "diverged_epoch")}
    row |= {name: timing[name] for name in _TIMING} | {name: provenance.get(name) for name in _PROVENANCE}
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


def _histories(rows: Sequence[Mapping[str, Any]], found: Mapping[int, RunFiles]) -> pd.DataFrame:
    """All histories (by row number) as one table, accuracies in percent."""
    lengths = [len(files.history) for files in found.values()]
    table = pd.DataFrame()
    for axis in AXES:
        table[axis] = pd.Categorical([rows[row][axis] for row in found]).repeat(lengths)
    table["seed"] = np.repeat(np.array([rows[row]["seed"] for row in found], int), lengths)
    numbers = np.concatenate([np.zeros((0, len(HISTORY_COLUMNS))), *(files.history for files in found.values())])
    for name, column in zip(HISTORY_COLUMNS, numbers.T, strict=True):
        whole = columns.COLUMNS["histories"][name].kind == columns.INTEGER
        table[name] = column.astype("int64") if whole else _percent(name, column)
    return table


def _predictions(rows: Sequence[Mapping[str, Any]], found: Mapping[int, RunFiles]) -> dict[str, Predictions]:
    """The predictions of each cell's finished runs, whose labels are equal, since each has those of its data set."""
    cells: dict[str, list[int]] = {}
    for row in found:
        if rows[row]["status"] == columns.FINISHED:
            cells.setdefault("/".join(rows[row][axis] for axis in AXES), []).append(row)
    return {
        cell: Predictions(
            seeds=np.array([rows[row]["seed"] for row in own]),
            validated=np.stack([found[row].predictions["validated"] for row in own]),
            clean=np.stack([found[row].predictions["clean"] for row in own]),
            labels=found[own[0]].predictions["labels"],
        )
        for cell, own in cells.items()
    }


def write_predictions(predictions: Mapping[str, Predictions], path: Path | str) -> None:
    """Write predictions as .npz, arrays "{cell}|seeds", "|validated", "|clean", "|labels"; same input, same bytes.

    Not compressed: that would halve the file and take most of the time of a large collection.
    """
    arrays = {f"{cell}|{name}": getattr(found, name) for cell, found in predictions.items() for name in _PREDICTIONS}
    with files.whole_file(Path(path)) as file:
        np.savez(file, **arrays)


class PredictionsFile(Mapping):
    """Predictions by cell, read from a file of `write_predictions` when they are asked for. A context manager."""

    def __init__(self, path: Path | str) -> None:
        try:
            self._file = np.load(path, allow_pickle=False)
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise UserError(f"{path} cannot be read as predictions: {error}.") from None
        self._cells = tuple(name.removesuffix("|seeds") for name in self._file.files if name.endswith("|seeds"))

    def __enter__(self) -> PredictionsFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getitem__(self, cell: str) -> Predictions:
        if cell not in self._cells:
            raise KeyError(cell)
        return Predictions(*(self._file[f"{cell}|{name}"] for name in _PREDICTIONS))

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)
