"""What an analysis is made from, and reading it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from refashion.errors import UserError, first_line
from refashion.judging import benchmark_table
from refashion.judging.collection import Predictions
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.judging.sections.variance import image_variance
from refashion.project import PROJECT
from refashion.study.config import load_study
from refashion.study.model import Cell, Experiment, Run, Study
from refashion.study.original import original_dataset
from refashion.training.speeds import work


@dataclass(frozen=True, eq=False)
class Inputs:
    """What an analysis is made from.

    original: config/original.yaml. runs, histories: see `columns.COLUMNS`. predictions by cell. architectures: as
    built, by name (rows, total, trainable, non_trainable). data: description of each data set, by name. benchmark:
    rows. beside: another program's accuracies (percent, one a run), by the experiment beside which they stand.
    """

    study: Study
    original: Mapping[str, Any]
    runs: pd.DataFrame
    histories: pd.DataFrame
    predictions: Mapping[str, Predictions] = field(default_factory=dict)
    architectures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    benchmark: Sequence[Mapping[str, Any]] = ()
    beside: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @cached_property
    def dataset(self) -> str:
        """The data set of the original's cells."""
        return original_dataset(self.original, self.study)

    @cached_property
    def facts(self) -> Facts:
        """What claims are held against."""
        config = self.study.config
        return Facts(
            original=self.original,
            settings=config["analysis"],
            runs=RunTable(self.runs),
            architectures=self.architectures,
            data=self.data.get(self.dataset),
            validation={cell.name: config["fractions"][cell.fraction]["validation"] for cell in self.study.cells()},
            image_variance=lambda cell: image_variance(cell, self.predictions),
            datasets={cell.name: self.study.dataset(cell) for cell in self.study.cells()},
            batches={cell.name: self._batches(cell) for cell in self.study.cells()},
            work={cell.name: work(self.study.spec(Run(cell, 0)), self.study).trained for cell in self.study.cells()},
            experiments=self._experiments,
            enabled=tuple(experiment.name for experiment in self.study.experiments),
            looks=self.study.looks,
            looked_at=frozenset(cell.name for experiment in self.study.looking for cell in experiment.cells),
            looking=tuple(experiment.name for experiment in self.study.looking),
        )

    @property
    def _experiments(self) -> dict[str, str]:
        """The first experiment that holds each cell, of those that run where one does."""
        both = [*self.study.experiments, *self.defined]
        return {cell.name: experiment.name for experiment in reversed(both) for cell in experiment.cells}

    def _batches(self, cell: Cell) -> tuple[Any, ...]:
        """What the batches of a cell's runs are made of, besides the seed: its images, and how many make a batch."""
        spec = self.study.spec(Run(cell, 0))
        return json.dumps(spec["fraction"], sort_keys=True), spec["recipe"]["batch_size"]

    @cached_property
    def columns(self) -> list[str]:
        """The cells of the original's table, those that this study has."""
        present = {cell.name for cell in self.study.cells()}
        return [column["cell"] for column in self.original["table"]["columns"] if column["cell"] in present]

    @cached_property
    def cells(self) -> list[str]:
        """Every cell, the original's first."""
        return list(dict.fromkeys([*self.columns, *(cell.name for cell in self.study.cells())]))

    @cached_property
    def defined(self) -> tuple[Experiment, ...]:
        """Every experiment of the config, those that do not run included."""
        return load_study({**self.study.config, "run": list(self.study.config["experiments"])}).experiments


def read(
    study: Study,
    original: Mapping[str, Any],
    given: Any,
    runs: pd.DataFrame,
    histories: pd.DataFrame,
    predictions: Mapping[str, Predictions],
) -> Inputs:
    """What was collected, and what a rule's input names: the files `architectures`, `facts` and `benchmark`, if any."""
    return Inputs(
        study=study,
        original=original,
        runs=runs,
        histories=histories,
        predictions=predictions,
        architectures=read_json(given.architectures),
        data=read_descriptions(given.facts),
        benchmark=benchmark_table.read(Path(given.benchmark)) if given.get("benchmark") else [],
        beside=read_beside(study, PROJECT),
    )


def read_json(path: Path | str) -> dict[str, Any]:
    """A JSON object. Raises UserError for anything else."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON: {first_line(error)}.") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no JSON object; make it anew by deleting it.")
    return content


def read_beside(study: Study, project: Path) -> dict[str, list[float]]:
    """The accuracies that other programs reached (percent), by the experiment that names their file in the project."""
    given = {one.name: study.config["experiments"][one.name].get("beside") for one in study.experiments}
    return {name: read_accuracies(project / one["file"]) for name, one in given.items() if one}


def read_accuracies(path: Path) -> list[float]:
    """Accuracies in percent, one a row of a CSV with the column val_accuracy (0 to 1).

    Raises UserError for a file that is not there or holds anything else.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            values = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as accuracies ({first_line(error)}).") from None
    if not values or not all(0 <= value <= 1 for value in values):
        raise UserError(f"{path}: val_accuracy must be between 0 and 1, in at least one row.")
    return [100 * value for value in values]


def read_descriptions(paths: Iterable[Path | str]) -> dict[str, dict[str, Any]]:
    """The descriptions of the data sets, by name: that of the file."""
    one = [paths] if isinstance(paths, str | Path) else paths
    return {Path(path).stem: read_json(path) for path in one}
