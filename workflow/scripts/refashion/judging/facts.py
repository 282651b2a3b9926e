"""What a study's claims are held against and its document is made from; a cell's metric with its interval."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from refashion.inference.intervals import prediction_interval, t_interval
from refashion.inference.variance import image_noise
from refashion.judging import tables
from refashion.judging.collection import Predictions
from refashion.judging.columns import COLUMNS
from refashion.judging.document.parts import MetricSummary
from refashion.judging.run_table import RunTable, Sample
from refashion.study.config import load_study
from refashion.study.model import Cell, Experiment, Run, Study, Validation
from refashion.study.names import Names
from refashion.study.original import original_dataset
from refashion.training.speeds import work

#: Metric of the confirmatory family: what the original printed.
PUBLISHED_METRIC = "val_accuracy"

#: Metric of exploratory families: images not augmented, so that cells with different augmentations see the same images.
CLEAN_METRIC = "clean_accuracy"


@dataclass(frozen=True, eq=False)
class Facts:
    """All that a study's claims are held against, and its document is made from. Cells go by their names.

    original: config/original.yaml. histories: see `columns.COLUMNS`. predictions: by cell. architectures: as built, by
    name (rows, total, trainable, non_trainable). descriptions: of each data set, by name. benchmark: rows. beside:
    another program's accuracies (percent, one a run), by the experiment beside which they stand.
    """

    study: Study
    original: Mapping[str, Any]
    runs: RunTable
    histories: pd.DataFrame = field(default_factory=lambda: tables.frame(COLUMNS["histories"], []))
    predictions: Mapping[str, Predictions] = field(default_factory=dict)
    architectures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    descriptions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    benchmark: Sequence[Mapping[str, Any]] = ()
    beside: Mapping[str, Sequence[float]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------------ the config

    @property
    def settings(self) -> Mapping[str, Any]:
        """`analysis` of the config."""
        return self.study.config["analysis"]

    @property
    def confidence(self) -> float:
        """Of the intervals that are shown; verdicts have a level of their own, `LEVEL`."""
        return self.settings["confidence"]

    def stream(self, *purpose: str) -> int:
        """The seed of one resampling or simulation: its own for each purpose, whatever else is drawn, and when."""
        text = "/".join((str(self.settings["seed"]), *purpose))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    @cached_property
    def dataset(self) -> str:
        """The data set of the original's cells."""
        return original_dataset(self.original, self.study)

    @property
    def classes(self) -> list[str]:
        """The names of its classes, in the order of labels."""
        return self.study.config["datasets"][self.dataset]["classes"]

    @cached_property
    def data(self) -> Mapping[str, Any] | None:
        """Its description."""
        return self.descriptions.get(self.dataset)

    # ----------------------------------------------------------------------------------------------------- experiments

    @property
    def enabled(self) -> tuple[str, ...]:
        """The experiments that run."""
        return tuple(experiment.name for experiment in self.study.experiments)

    @cached_property
    def defined(self) -> tuple[Experiment, ...]:
        """Every experiment of the config, those that do not run included."""
        return load_study({**self.study.config, "run": list(self.study.config["experiments"])}).experiments

    @cached_property
    def experiments(self) -> dict[str, str]:
        """The first experiment that holds each cell, of those that run where one does."""
        both = [*self.study.experiments, *self.defined]
        return {cell.name: experiment.name for experiment in reversed(both) for cell in experiment.cells}

    @cached_property
    def looked_at(self) -> frozenset[str]:
        """The cells to which seeds are added, by the rule `study.looks`."""
        return frozenset(cell.name for experiment in self.study.looking for cell in experiment.cells)

    def first(self, seeds: int) -> Facts:
        """These facts with the first so many seeds of each cell alone, as a look sees them."""
        if seeds not in self._first:
            self._first[seeds] = replace(self, runs=self.runs.first(seeds))
        return self._first[seeds]

    @cached_property
    def _first(self) -> dict[int, Facts]:
        return {}

    # ----------------------------------------------------------------------------------------------------------- cells

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
    def names(self) -> Names:
        """What cells and networks are called in words."""
        defined = tuple(cell for experiment in self.defined for cell in experiment.cells)
        return Names(self.study, self.original, defined)

    def title(self, cell: str) -> str:
        """A cell in words."""
        return self.names.cell(Cell(*cell.split("/")))

    def spec(self, cell: str) -> dict[str, Any]:
        """What the runs of a cell of names in the config are defined by, but for their seed."""
        return self.study.spec(Run(Cell(*cell.split("/")), 0))

    def why_empty(self, cell: str) -> str:
        """Why a cell has no run that counts: a sentence that begins "cannot say, because"."""
        counts = self.runs.counts(cell)
        if counts.wanted == 0:
            return f"cannot say, because {self.title(cell)} is not part of this study"
        if counts.finished == 0 and counts.diverged:
            return f"cannot say, because all {counts.diverged} finished runs of {self.title(cell)} diverged"
        return f"cannot say, because no run of {self.title(cell)} has finished"

    @cached_property
    def validation(self) -> dict[str, Validation]:
        """What each cell is validated on."""
        fractions = self.study.config["fractions"]
        return {cell.name: fractions[cell.fraction]["validation"] for cell in self.study.cells()}

    def share_batches(self, a: str, b: str) -> bool:
        """Whether two cells are trained on the same images in the same batches, by seed."""
        one, other = map(self.spec, (a, b))
        return one["fraction"] == other["fraction"] and one["recipe"]["batch_size"] == other["recipe"]["batch_size"]

    @cached_property
    def work(self) -> dict[str, int]:
        """Training images that a run of each cell sees, over all epochs."""
        return {cell: work(self.spec(cell), self.study).trained for cell in self.cells}

    def image_variance(self, cell: str) -> float:
        """pp^2 that other validation images than the original's add to a difference: twice that of one set."""
        found = self.predictions.get(cell)
        between = None if found is None else image_noise(found.validated == found.labels).between_images
        return 0.0 if between is None else 2 * between


def sample(facts: Facts, cell: str, metric: str) -> MetricSummary:
    """A metric of a cell with its intervals."""
    found = facts.runs.sample(cell, metric)
    interval = t_interval(found.values, facts.confidence)
    prediction = prediction_interval(found.values, facts.confidence)
    return MetricSummary.of(
        interval,
        seeds=found.seeds.tolist(),
        values=found.values.tolist(),
        interval=pair(interval),
        prediction=pair(prediction),
        reason=why(found, facts, interval.reason),
    )


def pair(interval: Any) -> list[float] | None:
    """The ends of anything with `low` and `high`, or None."""
    return None if interval.low is None else [interval.low, interval.high]


def why(sample: Sample, facts: Facts, reason: str) -> str:
    """The reason why a sample gives no interval, with its cell where it has no run at all."""
    return facts.why_empty(sample.cell) if sample.n == 0 else reason
