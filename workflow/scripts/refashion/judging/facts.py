"""What claims are held against, and a cell's metric with its interval."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from refashion.inference.intervals import prediction_interval, t_interval
from refashion.judging.document.parts import MetricSummary
from refashion.judging.run_table import RunTable, Sample
from refashion.study.model import Looks, Validation

#: Metric of the confirmatory family: what the original printed.
PUBLISHED_METRIC = "val_accuracy"

#: Metric of exploratory families: images not augmented, so that cells with different augmentations see the same images.
CLEAN_METRIC = "clean_accuracy"


@dataclass(frozen=True, eq=False)
class Facts:
    """All that claims are held against.

    original: config/original.yaml. settings: `analysis` of the config. architectures: name -> rows, total, trainable,
    non_trainable, as built. data: description of the data set. validation: cell -> "test" or "fold". image_variance:
    cell -> pp^2 that other validation images than the original's add to a difference. datasets: cell -> its data set.
    looks: the rule by which seeds are added, to the cells looked_at, of the experiments looking. batches: cell -> what
    its batches are made of. work: cell -> training images that a run sees, over all epochs. experiments: cell -> the
    first experiment that holds it. enabled: the experiments that run.
    """

    original: Mapping[str, Any]
    settings: Mapping[str, Any]
    runs: RunTable
    architectures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: Mapping[str, Any] | None = None
    validation: Mapping[str, Validation] = field(default_factory=dict)
    image_variance: Callable[[str], float] = lambda cell: 0.0
    datasets: Mapping[str, str] = field(default_factory=dict)
    looks: Looks | None = None
    looked_at: frozenset[str] = frozenset()
    looking: tuple[str, ...] = ()
    batches: Mapping[str, Any] = field(default_factory=dict)
    work: Mapping[str, int] = field(default_factory=dict)
    experiments: Mapping[str, str] = field(default_factory=dict)
    enabled: tuple[str, ...] = ()

    def share_batches(self, a: str, b: str) -> bool:
        """Whether two cells are trained on the same images in the same batches, seed by seed."""
        return self.batches.get(a) == self.batches.get(b)

    def first(self, seeds: int) -> Facts:
        """These facts with the first so many seeds of each cell alone, as a look sees them."""
        if seeds not in self._first:
            self._first[seeds] = replace(self, runs=self.runs.first(seeds))
        return self._first[seeds]

    @cached_property
    def _first(self) -> dict[int, Facts]:
        return {}

    @cached_property
    def titles(self) -> dict[str, str]:
        """The columns of the original's table in words, by cell."""
        return {
            column["cell"]: f"{column['title']}, {column['data'][0].lower()}{column['data'][1:]}"
            for column in self.original["table"]["columns"]
        }

    def title(self, cell: str) -> str:
        """A cell in words: its column in the original's table, else its name."""
        return self.titles.get(cell, cell)

    def stream(self, *purpose: str) -> int:
        """The seed of one resampling or simulation: its own for each purpose, whatever else is drawn, and when."""
        text = "/".join((str(self.settings["seed"]), *purpose))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    @property
    def confidence(self) -> float:
        """Of the intervals that are shown; verdicts have a level of their own, `LEVEL`."""
        return self.settings["confidence"]


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
        reason=facts.runs.why_empty(cell) if found.n == 0 else interval.reason,
    )


def pair(interval: Any) -> list[float] | None:
    """The ends of anything with `low` and `high`, or None."""
    return None if interval.low is None else [interval.low, interval.high]


def why(sample: Sample, runs: RunTable, reason: str) -> str:
    """The reason why a sample gives no interval, with its cell where it has no run at all."""
    return runs.why_empty(sample.cell) if sample.n == 0 else reason
