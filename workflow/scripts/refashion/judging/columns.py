"""The columns of the tables that are collected from runs, runs.csv and histories.csv.gz: their type and what they hold.

Accuracies are in percent (0..100), differences in percentage points (pp), times in seconds. An empty field says that
the value does not exist.
"""

from __future__ import annotations

from typing import NamedTuple

from refashion.study.model import AXES

#: Types of columns, as pandas names them.
TEXT, INTEGER, NUMBER, FLAG = "str", "Int64", "float64", "boolean"

FINISHED, DIVERGED, MISSING, FAILED = "finished", "diverged", "missing", "failed"

#: The layout of analysis.json that this version writes and reads.
FORMAT = 4


class Column(NamedTuple):
    """The type of a column and what it holds."""

    kind: str
    holds: str


_RUN = {axis: Column(TEXT, f"name of the {axis}") for axis in AXES} | {"seed": Column(INTEGER, "seed")}

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

COLUMNS: dict[str, dict[str, Column]] = {
    "runs": {
        **_RUN,
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
        "commit": Column(TEXT, "commit of the code that trained it; -dirty where files differed from it"),
        "numerics": Column(INTEGER, "version of the numbers that the code gives"),
        "published": Column(FLAG, "the run is one of the published ones"),
    },
    "histories": {
        **_RUN,
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
