"""Questions to the table of runs: samples, counts, pairs by seed, and why something is empty."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from refashion.judging import columns
from refashion.judging.document.parts import RunCounts
from refashion.study.model import AXES


def distinct(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows of runs.csv without twins: one run under two cells' names (one digest) is kept under the first."""
    return runs.drop_duplicates("digest")


def counts(status: Iterable[str]) -> RunCounts:
    """How many runs there are of each status."""
    found = Counter(status)
    kinds = (columns.FINISHED, columns.DIVERGED, columns.FAILED, columns.MISSING)
    return RunCounts(wanted=found.total(), **{kind: found[kind] for kind in kinds})


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
        return self.values.size


@dataclass(frozen=True, eq=False)
class RunTable:
    """Questions to runs.csv. A cell is written architecture/fraction/augmentation/recipe."""

    runs: pd.DataFrame
    _samples: dict[tuple[str, str], Sample] = field(default_factory=dict)

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        """Row numbers of each cell, by ascending seed."""
        names = self.runs["architecture"].str.cat(self.runs[list(AXES[1:])], sep="/").to_numpy(str)
        order = np.argsort(self.runs["seed"].to_numpy(np.int64), kind="stable")
        return {name: order[names[order] == name] for name in dict.fromkeys(names.tolist())}

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        return {
            name: self.runs[name].to_numpy(np.float64, na_value=np.nan)
            if columns.COLUMNS["runs"][name].kind in (columns.INTEGER, columns.NUMBER)
            else self.runs[name].to_numpy(object)
            for name in columns.COLUMNS["runs"]
        }

    def column(self, cell: str, name: str) -> np.ndarray:
        """A column of all runs of a cell, by ascending seed (empty for an unknown cell)."""
        return self._columns[name][self._rows.get(cell, np.zeros(0, int))]

    def first(self, seeds: int) -> RunTable:
        """The runs with a seed below `seeds` alone."""
        return RunTable(self.runs[self.runs["seed"] < seeds])

    def counts(self, cell: str) -> RunCounts:
        """How many runs of each status a cell has."""
        return counts(self.column(cell, "status"))

    def sample(self, cell: str, metric: str) -> Sample:
        """The finished runs' values of a metric (those that exist)."""
        key = (cell, metric)
        if key not in self._samples:
            values, status = self.column(cell, metric).astype(float), self.column(cell, "status")
            used = (status == columns.FINISHED) & np.isfinite(values)
            seeds = self.column(cell, "seed")[used].astype(int)
            self._samples[key] = Sample(cell, metric, seeds, values[used], int((status == columns.DIVERGED).sum()))
        return self._samples[key]

    def paired(self, cells: Sequence[str], metric: str, one_machine: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The seeds [n] that every one of the k cells has, and their scores [k, n].

        one_machine: leave out seeds whose runs were not all made on one kind of machine; so it is with times, always.
        """
        samples = [self.sample(cell, metric) for cell in cells]
        seeds = functools.reduce(np.intersect1d, [sample.seeds for sample in samples])
        if one_machine or metric in columns.TIMES:
            machines = [self.machines(cell) for cell in cells]
            kinds = ({own.get(seed, cell) for own, cell in zip(machines, cells, strict=True)} for seed in seeds)
            seeds = seeds[np.array([len(kind) == 1 for kind in kinds], bool)]
        rows = [sample.values[np.searchsorted(sample.seeds, seeds)] for sample in samples]
        return seeds, np.stack(rows)

    def machines(self, cell: str) -> dict[int, tuple[str, ...]]:
        """The machine of each run of a cell, by seed; runs that moved from one to another are left out."""
        kinds = zip(*(map(str, self.column(cell, name)) for name in columns.MACHINE), strict=True)
        seeds, moved = self.column(cell, "seed").astype(int), self.column(cell, "machines").astype(float) > 1
        return {seed: kind for seed, kind, gone in zip(seeds, kinds, moved, strict=True) if not gone}

    def mixed_machines(self, cell: str) -> bool:
        """Whether a cell's finished runs, or parts of one, ran on different machines or in different precision."""
        finished = self.column(cell, "seed")[self.column(cell, "status") == columns.FINISHED].astype(int)
        kinds = set(map(self.machines(cell).get, finished))
        return len(kinds) > 1 or None in kinds
