"""The study's tables: their columns, how they are read and written, and questions to the table of runs.

Accuracies are in percent (0..100), differences in percentage points (pp), times in seconds. An empty field says that
the value does not exist. `COLUMNS` is the one place where columns are named: writers check their header against it, and
it is the documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from refashion.errors import UserError, first_line

TEXT, INTEGER, NUMBER, FLAG = "text", "integer", "number", "flag"

FINISHED, DIVERGED, MISSING, FAILED = "finished", "diverged", "missing", "failed"


class Column(NamedTuple):
    """The type of a column (text, integer, number, flag) and what it holds."""

    kind: str
    holds: str


_AXES = {
    "architecture": Column(TEXT, "name of the architecture"),
    "fraction": Column(TEXT, "name of the fraction"),
    "augmentation": Column(TEXT, "name of the augmentation"),
    "recipe": Column(TEXT, "name of the recipe"),
}

#: Columns of runs.csv that hold accuracies, and so were fractions in the run files.
ACCURACIES = (
    "train_accuracy",
    "eval_accuracy",
    "val_accuracy",
    "clean_accuracy",
    "best_val_accuracy",
    "honest_best_val_accuracy",
    "best_clean_accuracy",
    "honest_best_clean_accuracy",
)

#: Columns of runs.csv that hold times, which depend on the machine, and those that say what it was.
TIMES = ("seconds", "train_seconds", "images_per_second")
_MACHINE = ("device", "device_name", "cpu", "threads", "precision")

COLUMNS: dict[str, dict[str, Column]] = {
    "runs": {
        **_AXES,
        "seed": Column(INTEGER, "seed"),
        "experiments": Column(TEXT, "experiments that want the run, joined by ;"),
        "digest": Column(TEXT, "identity of the run: digest of its spec"),
        "status": Column(TEXT, "finished, diverged, missing or failed"),
        "reason": Column(TEXT, "last line of the log of a failed run"),
        "epochs": Column(INTEGER, "epochs done"),
        "updates": Column(INTEGER, "optimizer steps done"),
        "images": Column(INTEGER, "training images"),
        "diverged_epoch": Column(INTEGER, "epoch whose loss was no finite number"),
        "train_loss": Column(NUMBER, "loss, running mean of the last epoch, training mode"),
        "train_accuracy": Column(NUMBER, "training accuracy in percent, running mean of the last epoch, training mode"),
        "eval_loss": Column(NUMBER, "loss on the training images after the last epoch, evaluation mode, not augmented"),
        "eval_accuracy": Column(NUMBER, "accuracy in percent on the training images, likewise"),
        "val_loss": Column(NUMBER, "loss on the validation images, augmented as the training images, final epoch"),
        "val_accuracy": Column(NUMBER, "validation accuracy in percent, likewise"),
        "clean_loss": Column(NUMBER, "loss on the validation images, not augmented, final epoch"),
        "clean_accuracy": Column(NUMBER, "validation accuracy in percent, likewise"),
        "best_epoch": Column(INTEGER, "epoch with the highest validation accuracy, augmented"),
        "best_val_accuracy": Column(NUMBER, "validation accuracy in percent at that epoch"),
        "honest_best_val_accuracy": Column(NUMBER, "the same, epoch chosen on one half, scored on the other"),
        "best_clean_epoch": Column(INTEGER, "epoch with the highest validation accuracy, not augmented"),
        "best_clean_accuracy": Column(NUMBER, "validation accuracy in percent at that epoch, not augmented"),
        "honest_best_clean_accuracy": Column(NUMBER, "the same, epoch chosen on one half, scored on the other"),
        "seconds": Column(NUMBER, "seconds of the whole job"),
        "train_seconds": Column(NUMBER, "seconds of training"),
        "images_per_second": Column(NUMBER, "training images a second of training"),
        "resumed": Column(INTEGER, "how often it continued from a checkpoint"),
        "device": Column(TEXT, "cpu or gpu"),
        "device_name": Column(TEXT, "name of the device"),
        "cpu": Column(TEXT, "processor"),
        "machines": Column(
            INTEGER, "processors, devices and versions of TensorFlow that it was trained on, one by one"
        ),
        "threads": Column(INTEGER, "threads"),
        "precision": Column(TEXT, "float32 or mixed_bfloat16"),
        "tensorflow": Column(TEXT, "version of TensorFlow"),
        "commit": Column(TEXT, "commit of the code that trained it"),
        "numerics": Column(INTEGER, "version of the numbers that the code gives"),
        "published": Column(FLAG, "the run is one of the published ones"),
    },
    "histories": {
        **_AXES,
        "seed": Column(INTEGER, "seed"),
        "epoch": Column(INTEGER, "epoch, from 1"),
        "updates": Column(INTEGER, "optimizer steps so far"),
        "loss": Column(NUMBER, "running mean over the epoch, training mode"),
        "accuracy": Column(NUMBER, "training accuracy in percent, running mean over the epoch, training mode"),
        "val_loss": Column(NUMBER, "on the validation images, augmented as the training images"),
        "val_accuracy": Column(NUMBER, "in percent, likewise"),
        "val_accuracy_a": Column(NUMBER, "in percent, on the validation images at even positions"),
        "val_accuracy_b": Column(NUMBER, "in percent, on the validation images at odd positions"),
        "clean_loss": Column(NUMBER, "on the validation images, not augmented"),
        "clean_accuracy": Column(NUMBER, "in percent, likewise"),
        "clean_accuracy_a": Column(NUMBER, "in percent, on the validation images at even positions"),
        "clean_accuracy_b": Column(NUMBER, "in percent, on the validation images at odd positions"),
    },
    "cells": {
        **_AXES,
        "experiments": Column(TEXT, "experiments that hold the cell, joined by ;"),
        "validation": Column(TEXT, "test (the test images) or fold (held-out training images)"),
        "images": Column(INTEGER, "training images"),
        "epochs": Column(INTEGER, "epochs"),
        "updates": Column(INTEGER, "optimizer steps"),
        "wanted": Column(INTEGER, "runs that the study wants"),
        "finished": Column(INTEGER, "runs that count"),
        "diverged": Column(INTEGER, "runs whose loss was no finite number; left out"),
        "failed": Column(INTEGER, "runs that failed"),
        "missing": Column(INTEGER, "runs not done"),
        "mixed_machines": Column(FLAG, "the runs were made on different kinds of machine, or in different precision"),
        "metric": Column(TEXT, "column of runs.csv that the next columns summarise"),
        "n": Column(INTEGER, "runs behind them"),
        "mean": Column(NUMBER, "mean over seeds, percent (seconds for times)"),
        "sd": Column(NUMBER, "standard deviation over seeds"),
        "low": Column(NUMBER, "lower end of the t interval of the mean"),
        "high": Column(NUMBER, "upper end of the t interval of the mean"),
        "run_low": Column(NUMBER, "lower end of the interval in which one more run falls"),
        "run_high": Column(NUMBER, "upper end of the interval in which one more run falls"),
        "reason": Column(TEXT, "why something is empty"),
    },
    "comparisons": {
        "family": Column(TEXT, "comparisons that are corrected together"),
        "kind": Column(TEXT, "confirmatory or exploratory"),
        "correction": Column(TEXT, "Holm or Benjamini-Hochberg"),
        "metric": Column(TEXT, "column of runs.csv that is compared"),
        "a": Column(TEXT, "first cell"),
        "b": Column(TEXT, "second cell"),
        "n": Column(INTEGER, "seeds that both have"),
        "mean_a": Column(NUMBER, "percent"),
        "mean_b": Column(NUMBER, "percent"),
        "difference": Column(NUMBER, "mean of a - b over seeds, pp"),
        "sd": Column(NUMBER, "standard deviation of a - b over seeds, pp"),
        "low": Column(NUMBER, "lower end of the paired t interval, pp"),
        "high": Column(NUMBER, "upper end of the paired t interval, pp"),
        "p": Column(NUMBER, "paired t test, two-sided"),
        "p_adjusted": Column(NUMBER, "corrected within the family"),
        "p_sign_flip": Column(NUMBER, "sign-flip test"),
        "p_smallest": Column(NUMBER, "smallest p that the sign-flip test can give"),
        "welch_low": Column(NUMBER, "lower end of Welch's interval, as if unpaired, pp"),
        "welch_high": Column(NUMBER, "upper end of Welch's interval, pp"),
        "welch_p": Column(NUMBER, "Welch's test"),
        "seed_correlation": Column(NUMBER, "Pearson's r of a and b over seeds"),
        "a12": Column(NUMBER, "chance that a run of a beats a run of b"),
        "new_images_low": Column(NUMBER, "lower end of the interval for new seeds and new images, pp"),
        "new_images_high": Column(NUMBER, "upper end of the interval for new seeds and new images, pp"),
        "conclusion": Column(TEXT, "a (is better), b (is better), open or none"),
        "reason": Column(TEXT, "why something is empty"),
    },
    "claims": {
        "claim": Column(TEXT, "id of the claim"),
        "reading": Column(TEXT, "id of the reading"),
        "primary": Column(FLAG, "the reading on which the claim's verdict rests"),
        "quote": Column(TEXT, "the original's words"),
        "statement": Column(TEXT, "what they claim"),
        "reading_title": Column(TEXT, "how they are understood"),
        "verdict": Column(TEXT, "reproduced, not reproduced, inconclusive or not testable"),
        "overall": Column(TEXT, "how the readings of the claim agree"),
        "published": Column(NUMBER, "the published number"),
        "cell": Column(TEXT, "cell that it is held against"),
        "metric": Column(TEXT, "column of runs.csv that it is held against"),
        "n": Column(INTEGER, "runs that count"),
        "mean": Column(NUMBER, "their mean"),
        "sd": Column(NUMBER, "their standard deviation"),
        "low": Column(NUMBER, "lower end of the t interval of the mean"),
        "high": Column(NUMBER, "upper end of the t interval of the mean"),
        "run_low": Column(NUMBER, "lower end of the interval in which one more run falls"),
        "run_high": Column(NUMBER, "upper end of the interval in which one more run falls"),
        "difference": Column(NUMBER, "mean minus published, pp"),
        "margin": Column(NUMBER, "margin, pp"),
        "p_rep": Column(NUMBER, "test of closeness, by itself"),
        "p_not": Column(NUMBER, "test of farness, by itself"),
        "p_rep_adjusted": Column(NUMBER, "closeness after Holm over the claims of its kind: small says reproduced"),
        "p_not_adjusted": Column(NUMBER, "farness after Holm over the claims of its kind: small says not reproduced"),
        "reason": Column(TEXT, "the verdict's reason"),
    },
    "effects": {
        "policy": Column(TEXT, "experiment"),
        "analysis": Column(TEXT, "anova (a term of the analysis of variance) or contrast (of cell means)"),
        "effect": Column(TEXT, "the term, or what is contrasted"),
        "df": Column(NUMBER, "degrees of freedom"),
        "ss": Column(NUMBER, "sum of squares, pp^2"),
        "f": Column(NUMBER, "F"),
        "p": Column(NUMBER, "two-sided"),
        "p_adjusted": Column(NUMBER, "Benjamini-Hochberg over the contrasts of the policy"),
        "partial_omega2": Column(NUMBER, "partial omega squared"),
        "p_hc3": Column(NUMBER, "with HC3 standard errors"),
        "p_logit": Column(NUMBER, "on log odds of accuracy"),
        "estimate": Column(NUMBER, "contrast, pp"),
        "low": Column(NUMBER, "lower end of its interval, pp"),
        "high": Column(NUMBER, "upper end of its interval, pp"),
        "paired_low": Column(NUMBER, "lower end with seeds paired, pp"),
        "paired_high": Column(NUMBER, "upper end with seeds paired, pp"),
        "reason": Column(TEXT, "why something is empty"),
    },
}

_PANDAS = {TEXT: "str", INTEGER: "Int64", NUMBER: "float64", FLAG: "boolean"}


# ----------------------------------------------------------------------------------------------------- reading, writing


def frame(name: str, rows: Sequence[dict]) -> pd.DataFrame:
    """Rows as a table with exactly the columns of `COLUMNS[name]`, None where a value does not exist.

    ValueError for another column and for NaN or infinity, which are programming errors.
    """
    columns = COLUMNS[name]
    for row in rows:
        if row.keys() != columns.keys():
            raise ValueError(f"table {name}: columns {sorted(row.keys() ^ columns.keys())} are not as documented")
    return pd.DataFrame(
        {column: _typed(column, [row[column] for row in rows], kind.kind) for column, kind in columns.items()}
    )


def _typed(name: str, values: list, kind: str) -> pd.Series:
    """Values in a column's documented type."""
    if kind == TEXT:
        return pd.Series(["" if value is None else value for value in values], dtype="str")
    column = pd.Series(values, dtype="object").astype(_PANDAS[kind])
    if kind == NUMBER and not np.isfinite([value for value in values if value is not None]).all():
        raise ValueError(f"column {name} holds NaN or infinity")
    return column


def write(table: pd.DataFrame, name: str, path: Path | str) -> None:
    """Write a table as CSV (compressed if `path` ends in .gz), the same bytes for the same table."""
    if list(table.columns) != list(COLUMNS[name]):
        raise ValueError(f"table {name}: the header is not as documented")
    packed = {"method": "gzip", "compresslevel": 3, "mtime": 0} if str(path).endswith(".gz") else None
    table.to_csv(path, index=False, lineterminator="\n", compression=packed)


def read(name: str, path: Path | str) -> pd.DataFrame:
    """Read a table that `write` wrote. Raises UserError if it is something else."""
    columns = COLUMNS[name]
    numbers = [column for column, kind in columns.items() if kind.kind != TEXT]
    try:
        table = pd.read_csv(
            path,
            dtype={column: _PANDAS[kind.kind] for column, kind in columns.items()},
            keep_default_na=False,
            na_values={column: [""] for column in numbers},
        )
    except (OSError, EOFError, ValueError, pd.errors.ParserError) as error:
        raise UserError(f"{path} cannot be read as the table {name}: {first_line(error)}.") from None
    if list(table.columns) != list(columns):
        raise UserError(f"{path} has other columns than the table {name} of this version; run collect again.")
    return table


# ----------------------------------------------------------------------------------------------- questions to runs.csv


def distinct(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows of runs.csv without twins: one run under two cells' names (one digest) is kept under the first."""
    return runs.drop_duplicates("digest")


@dataclass(frozen=True, eq=False)
class Sample:
    """One metric of one cell: seeds [n] ascending and values [n] of the runs that count."""

    cell: str
    metric: str
    seeds: np.ndarray
    values: np.ndarray
    diverged: int = 0

    @property
    def n(self) -> int:
        """Runs that count."""
        return self.values.size


@dataclass(frozen=True)
class Counts:
    """How many runs of a cell there are of each kind; `finished` ones count."""

    wanted: int = 0
    finished: int = 0
    diverged: int = 0
    failed: int = 0
    missing: int = 0


@dataclass(frozen=True, eq=False)
class RunTable:
    """Questions to runs.csv. A cell is written architecture/fraction/augmentation/recipe."""

    runs: pd.DataFrame
    _samples: dict[tuple[str, str], Sample] = field(default_factory=dict)

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        """Row numbers of each cell, by ascending seed."""
        names = self.runs["architecture"].str.cat([self.runs[axis] for axis in list(_AXES)[1:]], sep="/").to_numpy(str)
        seeds = self.runs["seed"].to_numpy(np.int64)
        order = np.argsort(seeds, kind="stable")
        found: dict[str, list[int]] = {name: [] for name in names}
        for row in order:
            found[names[row]].append(row)
        return {name: np.array(rows) for name, rows in found.items()}

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        return {
            name: self.runs[name].to_numpy(np.float64, na_value=np.nan)
            if COLUMNS["runs"][name].kind in (INTEGER, NUMBER)
            else self.runs[name].to_numpy(object)
            for name in COLUMNS["runs"]
        }

    @property
    def cells(self) -> tuple[str, ...]:
        """Every cell, in the order of the table."""
        return tuple(self._rows)

    def column(self, cell: str, name: str) -> np.ndarray:
        """A column of all runs of a cell, by ascending seed (empty for an unknown cell)."""
        return self._columns[name][self._rows.get(cell, np.zeros(0, int))]

    def counts(self, cell: str) -> Counts:
        """How many runs of each status a cell has."""
        status = self.column(cell, "status")
        kinds = {kind: int((status == kind).sum()) for kind in (FINISHED, DIVERGED, FAILED, MISSING)}
        return Counts(wanted=status.size, **kinds)

    def sample(self, cell: str, metric: str) -> Sample:
        """The finished runs' values of a metric (those that exist)."""
        key = (cell, metric)
        if key not in self._samples:
            values, status = self.column(cell, metric).astype(float), self.column(cell, "status")
            used = (status == FINISHED) & np.isfinite(values)
            seeds = self.column(cell, "seed")[used].astype(int)
            self._samples[key] = Sample(cell, metric, seeds, values[used], int((status == DIVERGED).sum()))
        return self._samples[key]

    def paired(self, cells: Sequence[str], metric: str, one_machine: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The seeds [n] that every one of the k cells has, and their scores [k, n].

        one_machine: leave out seeds whose runs were not all made on one kind of machine; so it is with times, always.
        """
        samples = [self.sample(cell, metric) for cell in cells]
        seeds = samples[0].seeds
        for other in samples[1:]:
            seeds = np.intersect1d(seeds, other.seeds, assume_unique=True)
        if one_machine or metric in TIMES:
            machines = [self._machines(cell) for cell in cells]
            alike = [
                len({own.get(seed, cell) for own, cell in zip(machines, cells, strict=True)}) == 1 for seed in seeds
            ]
            seeds = seeds[np.array(alike, bool)]
        rows = [sample.values[np.searchsorted(sample.seeds, seeds)] for sample in samples]
        return seeds, np.stack(rows)

    def _machines(self, cell: str) -> dict[int, tuple[str, ...]]:
        """The machine of each run of a cell, by seed; runs that moved from one to another are left out."""
        machines = zip(*(map(str, self.column(cell, name)) for name in _MACHINE), strict=True)
        moved = self.column(cell, "machines").astype(float) > 1
        seeds = self.column(cell, "seed").astype(int)
        return {seed: machine for seed, machine, gone in zip(seeds, machines, moved, strict=True) if not gone}

    def mixed_machines(self, cell: str) -> bool:
        """Whether a cell's finished runs, or parts of one, ran on different machines or in different precision."""
        finished = self.column(cell, "status") == FINISHED
        columns = [self.column(cell, name)[finished] for name in _MACHINE]
        moved = self.column(cell, "machines")[finished].astype(float) > 1
        return len(set(zip(*columns, strict=True))) > 1 or bool(moved.any())

    def why_empty(self, cell: str) -> str:
        """Why a cell has no run that counts: a sentence that begins "cannot say, because"."""
        counts = self.counts(cell)
        if counts.wanted == 0:
            return f"cannot say, because {cell} is not part of this study"
        if counts.finished == 0 and counts.diverged:
            return f"cannot say, because all {counts.diverged} finished runs of {cell} diverged"
        return f"cannot say, because no run of {cell} has finished"
