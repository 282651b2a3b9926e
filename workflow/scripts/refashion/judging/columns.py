"""The columns of the study's tables: their kind and what they hold.

Accuracies are in percent (0..100), differences in percentage points (pp), times in seconds. An empty field says that
the value does not exist. Here alone columns are named: writers check their header against it, and it is the
documentation. Tables that are made from the document have columns that are fields of its classes.
"""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

from refashion.judging.document.between import AnovaTerm, ComparisonFamily, ContrastOfCells, Pair, Policy
from refashion.judging.document.claims import Claim, Numbers, Reading
from refashion.judging.document.parts import Ends, MetricSummary, Part
from refashion.judging.document.study import CellSummary

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
    "val_accuracy",
    "clean_accuracy",
    "train_accuracy",
    "eval_accuracy",
    "best_val_accuracy",
    "honest_best_val_accuracy",
    "best_clean_accuracy",
    "honest_best_clean_accuracy",
)

#: Columns of runs.csv that hold times, which depend on the machine, and those that say what it was.
TIMES = ("seconds", "train_seconds", "images_per_second")
MACHINE = ("device", "device_name", "cpu", "threads", "precision")

_COLLECTED: dict[str, dict[str, Column]] = {
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
}

#: What stands in a row of a table that is made from the document: a class, or columns of the table's own, and the names
#: of its fields, `column=field` where the table has another name for one. An interval gives two columns.
Source = tuple[type[Part] | dict[str, Column], str]
SOURCES: dict[str, tuple[Source, ...]] = {
    "cells": (
        (
            CellSummary,
            "architecture fraction augmentation recipe experiments validation images epochs updates wanted finished "
            "diverged failed missing mixed_machines",
        ),
        ({"metric": Column(TEXT, "column of runs.csv that the next columns summarise")}, "metric"),
        (MetricSummary, "n mean sd interval run_interval=prediction reason"),
    ),
    "comparisons": (
        (ComparisonFamily, "family=id kind correction metric"),
        (
            Pair,
            "a b n mean_a mean_b difference sd interval p p_adjusted p_sign_flip p_smallest welch_interval welch_p "
            "seed_correlation a12 new_images_interval conclusion reason",
        ),
    ),
    "claims": (
        (Claim, "claim=id quote statement overall"),
        (Reading, "reading=id primary reading_title=title verdict metric reason"),
        (
            Numbers,
            "published cell n mean sd interval run_interval=prediction difference margin p_rep p_not p_rep_adjusted "
            "p_not_adjusted",
        ),
    ),
    "effects": (
        (Policy, "policy=id"),
        (
            {
                "analysis": Column(TEXT, "anova (a term of the analysis of variance) or contrast (of cell means)"),
                "effect": Column(TEXT, "the term, or what is contrasted"),
            },
            "analysis effect",
        ),
        (AnovaTerm, "ss f partial_omega2 p_hc3 p_logit"),
        (ContrastOfCells, "df p p_adjusted estimate interval paired_interval reason"),
    ),
}
_KINDS = {str: TEXT, int: INTEGER, float: NUMBER, bool: FLAG}


def names(fields: str) -> list[tuple[str, str]]:
    """The columns of one source, as (column, field)."""
    return [(column, field or column) for column, _, field in (one.partition("=") for one in fields.split())]


def ends(column: str) -> tuple[str, str]:
    """The two columns of an interval."""
    prefix = column.removesuffix("interval")
    return f"{prefix}low", f"{prefix}high"


def _of_fields(source: type[Part] | dict[str, Column], fields: str) -> dict[str, Column]:
    """The columns of one source, with the kind and meaning of its fields."""
    if isinstance(source, dict):
        return source
    found: dict[str, Column] = {}
    for column, field in names(fields):
        known = source.model_fields[field]
        unit: Any = (known.json_schema_extra or {}).get("unit")  # type: ignore[union-attr]
        holds = f"{known.description}{f', in {unit}' if unit in ('percent', 'pp', 'pp^2') else ''}"
        kinds = get_args(known.annotation) or (known.annotation,)
        if Ends in kinds:
            low, high = ends(column)
            found |= {low: Column(NUMBER, f"lower end: {holds}"), high: Column(NUMBER, f"upper end: {holds}")}
        else:
            found[column] = Column(next((_KINDS[kind] for kind in kinds if kind in _KINDS), TEXT), holds)
    return found


COLUMNS: dict[str, dict[str, Column]] = _COLLECTED | {
    table: {name: column for source in sources for name, column in _of_fields(*source).items()}
    for table, sources in SOURCES.items()
}
