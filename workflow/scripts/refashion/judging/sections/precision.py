"""Number of seeds against the half-width of an interval, at each cell's spread."""

from __future__ import annotations

import numpy as np

from refashion.inference.intervals import half_width, t_interval
from refashion.inference.power import MOST_SEEDS
from refashion.inference.seeds import FORECAST_RUNS, stein_seeds
from refashion.judging.document.parts import CellName, Part, means
from refashion.judging.facts import PUBLISHED_METRIC, Facts
from refashion.study.model import Pilot

NUMBERS_OF_SEEDS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50)

HALF_WIDTHS = (0.1, 0.15, 0.2, 0.3, 0.5)


class CellPrecision(Part):
    cell: CellName
    n: int = means("runs")
    sd: float | None = means("sd", "percent")
    half_width: float | None = means("of the interval at n", "pp")
    curve: list[float | None] = means("half-width at each of `ns`", "pp")
    needed: list[int | None] = means("seeds for each of `targets`; null above 1,000, and of fewer than five runs")
    stein: str = means('Stein\'s two stages, where seeds stop by themselves: stopped or capped, one sentence; else ""')


class HalfWidths(Part):
    """Number of seeds against precision."""

    ns: list[int] = means("numbers of seeds")
    targets: list[float] = means("half-widths", "pp")
    cells: list[CellPrecision] = means("cells of the original first")


def half_widths(facts: Facts) -> HalfWidths:
    """Number of seeds against the half-width of the interval, at each cell's SD."""
    pilots = {cell.name: pilot for experiment, pilot in facts.study.pilots.items() for cell in experiment.cells}
    return HalfWidths(
        ns=list(NUMBERS_OF_SEEDS),
        targets=list(HALF_WIDTHS),
        cells=[_precision(cell, pilots.get(cell), facts) for cell in facts.cells],
    )


def _precision(cell: str, pilot: Pilot | None, facts: Facts) -> CellPrecision:
    values = facts.runs.sample(cell, PUBLISHED_METRIC).values
    interval = t_interval(values, facts.confidence)
    sd = interval.sd
    return CellPrecision.of(
        interval,
        cell=cell,
        curve=[] if sd is None else [half_width(sd, n, n - 1, facts.confidence) for n in NUMBERS_OF_SEEDS],
        needed=[] if sd is None else [_needed(values, width, facts.confidence) for width in HALF_WIDTHS],
        stein="" if pilot is None else _stein(cell, pilot, facts),
    )


def _needed(values: np.ndarray, width: float, confidence: float) -> int | None:
    """Seeds in all for a half-width in pp, by Stein's rule with these runs as pilot; None: too many, or few runs."""
    wanted = stein_seeds(values, width, confidence) if values.size >= FORECAST_RUNS else None
    return None if wanted is None or wanted > MOST_SEEDS else wanted


def _stein(cell: str, pilot: Pilot, facts: Facts) -> str:
    """Stein's two stages: what the pilot seeds asked for, and whether the maximum bound them."""
    found = facts.runs.sample(cell, PUBLISHED_METRIC)
    first = found.values[np.isin(found.seeds, range(pilot.pilot))]
    wanted = stein_seeds(first, pilot.half_width, facts.confidence)
    interval = t_interval(found.values, facts.confidence, pilot=first.size)
    if wanted is None:
        words = f"{interval.reason[:1].upper()}{interval.reason[1:]}."
    elif wanted > pilot.most:
        words = f"Capped: the pilot asks for {wanted} seeds, and {pilot.most} is the most allowed."
    else:
        words = f"Stopped: {wanted} seeds are enough for a half-width of {pilot.half_width:g} pp."
        if interval.half_width is not None and found.n >= wanted:
            words += f" Stein's own interval has {interval.half_width:.2f} pp; others of this cell say a little less."
    return words
