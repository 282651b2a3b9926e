"""The study's tables: their columns and how they are read and written.

Accuracies are in percent (0..100), differences in percentage points (pp), times in seconds. An empty field says that
the value does not exist. `COLUMNS` is the one place where columns are named: writers check their header against it, and
it is the documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from refashion.errors import UserError, first_line

TEXT, INTEGER, NUMBER, FLAG = "text", "integer", "number", "flag"

FINISHED, DIVERGED, MISSING, FAILED = "finished", "diverged", "missing", "failed"


class Column(NamedTuple):
    """The type of a column (text, integer, number, flag) and what it holds."""

    kind: str
    holds: str


AXES = {
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
MACHINE = ("device", "device_name", "cpu", "threads", "precision")

COLUMNS: dict[str, dict[str, Column]] = {
    "runs": {
        **AXES,
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
        **AXES,
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
        **AXES,
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

_PANDAS: dict[str, Any] = {TEXT: "str", INTEGER: "Int64", NUMBER: "float64", FLAG: "boolean"}


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
