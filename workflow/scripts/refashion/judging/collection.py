"""Run files -> the study's tables: runs.csv, histories.csv.gz and predictions.npz.

Accuracies become percent here, and nowhere else. A run file that is empty, cut or another run's is told in one
sentence: it ends a strict collection, and makes its run a failed one in a partial collection.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from refashion.errors import UserError
from refashion.inference.epochs import honest_best
from refashion.judging import tables
from refashion.study.model import AXES, Run, Study, digest
from refashion.training import run_log, run_store
from refashion.training.run_store import BrokenRunError, RunStore

#: Columns of history.csv, an epoch a row.
HISTORY = tuple(tables.COLUMNS["histories"])[len(AXES) + 1 :]

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
    """The tables of runs and histories (columns: `tables.COLUMNS`), and the predictions by cell."""

    runs: pd.DataFrame
    histories: pd.DataFrame
    predictions: dict[str, Predictions]


@dataclass(frozen=True)
class _RunFiles:
    """One run as read: the fields of its row, history.csv without its header, and predictions by name."""

    row: dict[str, Any]
    history: bytes
    predictions: dict[str, np.ndarray]


# ------------------------------------------------------------------------------------------------------------- collect


def collect(
    study: Study,
    source: Path | RunStore,
    *,
    strict: bool,
    published: Collection[str] = frozenset(),
    log_of: Callable[[Run], Path] | None = None,
) -> Collected:
    """Read every run that the study wants, from its folder below the path `source`, or from a run store.

    strict: a run that is missing or broken raises UserError. Otherwise it becomes a row with status missing or failed;
    a run without files failed if the log that `log_of` names says so. `published`: digests of the published runs.
    """
    order = {cell: position for position, cell in enumerate(study.cells())}
    rows, found, stacks = [], {}, {}
    for run in sorted(study.runs(), key=lambda run: (order[run.cell], run.seed)):
        row = _wanted(study, run)
        folder = source.path(row["digest"]) if isinstance(source, RunStore) else source / run.folder
        try:
            files = _read_run(folder, row["digest"])
            if files.predictions:
                _stack(stacks.setdefault(run.cell.name, {}), run.seed, files.predictions, folder)
            row |= files.row | {"published": row["digest"] in published}
            found[len(rows)] = files.history
        except BrokenRunError as error:
            if strict:
                raise
            row |= _absent(folder, error, log_of(run) if log_of else None)
        rows.append(row)
    histories = _histories(rows, found)
    _add_best_epochs(rows, found, histories)
    return Collected(tables.frame("runs", rows), histories, {cell: _stacked(runs) for cell, runs in stacks.items()})


def _wanted(study: Study, run: Run) -> dict[str, Any]:
    """The row of a run of which nothing is known yet."""
    return dict.fromkeys(tables.COLUMNS["runs"]) | {
        **vars(run.cell),
        "seed": run.seed,
        "experiments": ";".join(study.experiments_of(run)),
        "digest": digest(study.spec(run)),
        "images": study.images(run.cell),
        "published": False,
    }


def _absent(folder: Path, error: BrokenRunError, log: Path | None) -> dict[str, Any]:
    """Status and reason of a run that cannot be read: failed if its files are broken or its log tells a failure."""
    if (folder / run_store.METRICS).exists():
        return {"status": tables.FAILED, "reason": str(error)}
    reason = _failure(log) if log else ""
    return {"status": tables.FAILED if reason else tables.MISSING, "reason": reason}


def _failure(log: Path) -> str:
    """The last line of a log if it tells a failure, else "". Paths lose what leads to this study."""
    last = run_log.last_line(log)
    if not run_log.failed(last):
        return ""
    return last.replace(f"{Path.cwd()}/", "")


# ------------------------------------------------------------------------------------------------------------- one run


def _read_run(folder: Path, expected: str) -> _RunFiles:
    """Read and check a run's three files. Raises BrokenRunError, in one sentence, for files that are not this run's."""
    metrics = run_store.read_metrics(folder)
    if metrics["digest"] != expected:
        raise BrokenRunError(
            f"{folder / run_store.METRICS} has the digest {metrics['digest']}, expected {expected}: it is another run."
        )
    try:
        row = _row(metrics)
        history = _read_history(folder / run_store.HISTORY)
        predictions = _read_predictions(folder / run_store.PREDICTIONS) if row["status"] == tables.FINISHED else {}
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BrokenRunError(f"The files in {folder} are not those of a run: {error}.") from None
    return _RunFiles(row, history, predictions)


def _row(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of runs.csv that metrics.json holds."""
    final, timing, provenance = metrics["final"], metrics["timing"], metrics["provenance"]
    row = {target: _percent(source, final[source]) for source, target in _FINAL.items()}
    row |= {name: metrics[name] for name in ("status", "epochs", "updates", "diverged_epoch")}
    row |= {name: timing[name] for name in _TIMING} | {name: provenance[name] for name in _PROVENANCE}
    row["machines"] = run_store.machines(metrics)
    return row | {"numerics": metrics["spec"]["numerics"]}


def _percent(name: str, value: float | None) -> float | None:
    """An accuracy (a name that says so) as a percentage; another number, or None, as it is."""
    return round(100 * value, _DECIMALS) if value is not None and "accuracy" in name else value


def _read_history(path: Path) -> bytes:
    """history.csv without its header, ending in a newline unless empty."""
    header, _, body = path.read_bytes().partition(b"\n")
    if header.decode("utf-8", "replace").strip() != ",".join(HISTORY):
        raise ValueError(f"{path} has other columns than {', '.join(HISTORY)}")
    return body if body.endswith(b"\n") or not body else body + b"\n"


def _read_predictions(path: Path) -> dict[str, np.ndarray]:
    """predictions.npz of a finished run: validated, clean and labels, uint8 [m] each."""
    with np.load(path, allow_pickle=False) as file:
        found = {name: file[name] for name in _PREDICTIONS[1:]}
    if len({array.shape for array in found.values()}) > 1 or found["labels"].ndim != 1:
        raise ValueError(f"{path} holds arrays of different shapes")
    return found


def _stack(cell: dict[str, list], seed: int, predictions: Mapping[str, np.ndarray], folder: Path) -> None:
    """Add one run's predictions to those of its cell, which must have the same labels."""
    if cell and not np.array_equal(cell["labels"][0], predictions["labels"]):
        raise BrokenRunError(f"{folder / run_store.PREDICTIONS} has other labels than the runs of the same cell.")
    for name, value in {"seeds": seed, **predictions}.items():
        cell.setdefault(name, []).append(value)


def _stacked(cell: Mapping[str, list]) -> Predictions:
    validated, clean = (np.stack(cell[name]).astype(np.uint8) for name in ("validated", "clean"))
    return Predictions(np.array(cell["seeds"]), validated, clean, cell["labels"][0].astype(np.uint8))


# ----------------------------------------------------------------------------------------------------------- histories


def _histories(rows: list[dict[str, Any]], found: Mapping[int, bytes]) -> pd.DataFrame:
    """All histories (row number -> text) as one table, accuracies in percent (one parse, which is fast)."""
    text = io.BytesIO(b"".join([",".join(HISTORY).encode() + b"\n", *found.values()]))
    numbers = {name: tables.COLUMNS["histories"][name].kind for name in HISTORY}
    try:
        table = pd.read_csv(text, dtype={n: "int64" if k == tables.INTEGER else "float64" for n, k in numbers.items()})
    except ValueError as error:
        raise UserError(f"A history.csv of the study does not hold numbers: {error}.") from None
    for name in HISTORY:
        if "accuracy" in name:
            table[name] = (100 * table[name]).round(_DECIMALS)
    lengths = [body.count(b"\n") for body in found.values()]
    for position, name in enumerate((*AXES, "seed")):
        values = pd.Series([rows[row][name] for row in found], dtype="int64" if name == "seed" else "category")
        table.insert(position, name, values.repeat(lengths).to_numpy() if name == "seed" else _repeat(values, lengths))
    return table


def _repeat(values: pd.Series, lengths: list[int]) -> pd.Categorical:
    """Each value of a categorical series, so many times."""
    return pd.Categorical.from_codes(np.repeat(values.cat.codes.to_numpy(), lengths), dtype=values.dtype)


def _add_best_epochs(rows: list[dict[str, Any]], found: Mapping[int, bytes], histories: pd.DataFrame) -> None:
    """Write best epoch, best and honest best accuracy into the rows of finished runs, in place."""
    series = {name: histories[name].to_numpy() for name in HISTORY}
    end = 0
    for row, body in found.items():
        begin, end = end, end + body.count(b"\n")
        if rows[row]["status"] != tables.FINISHED:
            continue
        for part, epoch in (("val", "best_epoch"), ("clean", "best_clean_epoch")):
            whole, a, b = (series[f"{part}_accuracy{half}"][begin:end] for half in ("", "_a", "_b"))
            best = honest_best(whole, a, b)
            rows[row] |= {epoch: best.best_epoch, f"best_{part}_accuracy": best.best}
            rows[row][f"honest_best_{part}_accuracy"] = best.honest_best


# --------------------------------------------------------------------------------------------------------- predictions


def write_predictions(predictions: Mapping[str, Predictions], path: Path | str) -> None:
    """Write predictions as .npz, arrays "{cell}|seeds", "|validated", "|clean", "|labels"; same input, same bytes.

    Not compressed: that would halve the file and take most of the time of a large collection.
    """
    arrays = {f"{cell}|{name}": getattr(found, name) for cell, found in predictions.items() for name in _PREDICTIONS}
    with open(path, "wb") as file:
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
