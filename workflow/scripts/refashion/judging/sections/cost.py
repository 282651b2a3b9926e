"""What the finished runs cost, and what the missing ones will."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from refashion.judging import columns
from refashion.judging.document.study import CellCost, Cost
from refashion.judging.facts import Facts
from refashion.judging.run_table import distinct


def cost(facts: Facts, cells: Sequence[str]) -> Cost:
    """What the finished runs cost, and what the missing ones will; a run under two names is counted once in the sum."""
    digests = {cell: set(facts.runs.column(cell, "digest")) for cell in cells}
    costs = [_cell_cost(facts, cell, _same_runs(cell, digests)) for cell in cells]
    return Cost(core_hours=core_hours(facts.runs.runs), cells=costs)


def _same_runs(cell: str, digests: Mapping[str, set[str]]) -> str:
    """The first cell that has a cell's runs and more, else the first that has the same; itself where it has none."""
    own = digests[cell]
    if not own:
        return cell
    more = (other for other, theirs in digests.items() if own < theirs)
    return next(more, next(other for other, theirs in digests.items() if own == theirs))


def core_hours(runs: pd.DataFrame) -> float:
    """Seconds x threads of the runs that have ended, in hours; twins (one digest) count once."""
    ended = distinct(runs[runs["status"].isin([columns.FINISHED, columns.DIVERGED])])
    return float((ended["seconds"] * ended["threads"].astype(float)).sum() / 3600)


def _cell_cost(facts: Facts, cell: str, first: str) -> CellCost:
    """`first`: the cell that has the same runs, itself if no cell before it has."""
    times = {name: facts.runs.sample(cell, name).values for name in ("seconds", "train_seconds", "images_per_second")}
    threads = facts.runs.sample(cell, "threads").values
    hours = times["seconds"] * threads / 3600
    counts = facts.runs.counts(cell)
    left = counts.missing + counts.failed
    return CellCost(
        cell=cell,
        same_as=first if first != cell else "",
        n=hours.size,
        **{name: float(np.median(values)) if values.size else None for name, values in times.items()},
        core_hours=float(hours.sum()),
        missing_core_hours=float(np.median(hours) * left) if hours.size else (None if left else 0.0),
    )
