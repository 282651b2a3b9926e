"""What would end an inconclusive claim: more seeds (how many, at what cost), another experiment, or nothing here."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from refashion import formatting as fmt
from refashion.inference.power import POWER
from refashion.inference.seeds import FORECAST_RUNS
from refashion.inference.verdicts import INCONCLUSIVE, Cause
from refashion.judging.claims.looks import Standing
from refashion.judging.document.claims import Ending, Hindrance, Reading
from refashion.judging.facts import Facts
from refashion.study.model import AXES

_AT_MARGIN = Ending(kind="at the margin", words="What was seen lies too near the margin: more seeds will not tell.")


def ending(claim: str, reading: Reading, facts: Facts, standing: Standing | None = None) -> Ending | None:
    """What would end a claim whose primary reading is this one; None where its verdict is another.

    standing: where the study's looks stand, if it has some.
    """
    if reading.verdict != INCONCLUSIVE:
        return None
    if any(facts.runs.counts(cell).diverged for cell in reading.cells):
        words = "Runs diverged, and the others do not stand for them; a recipe that does not diverge would end it."
        return Ending(kind="diverged runs", words=words)
    if not reading.tested or any(facts.runs.counts(cell).finished < 2 for cell in reading.cells):
        return _not_run(reading.cells, facts)
    if standing is not None and (cells := [one for one, claims in standing.wants.items() if claim in claims]):
        return _next_look(cells, standing, facts)
    numbers = reading.numbers
    if numbers and numbers.difference is not None:
        if numbers.cause in (Cause.ONE_RUN, Cause.NEAR_RUNS):
            luck: Hindrance = "a lucky run" if numbers.difference < 0 else "an unlucky run"
            what = luck if numbers.printed_runs == 1 else f"the mean of {luck.split()[1]} runs"
            words = f"The published number may be {what} of this recipe: more seeds will not tell."
            return Ending(kind=luck, words=words)
        if numbers.cause == Cause.AT_MARGIN:
            return _AT_MARGIN
        if numbers.cause == Cause.PRINTED_MEAN:
            words = f"The printed mean of {numbers.printed_runs} runs is known too roughly: more seeds will not tell."
            return Ending(kind="the printed mean", words=words)
        return _more_seeds(numbers.seeds_needed, [numbers.cell], facts)
    open_ = [check for check in reading.checks if check.holds is None and check.p is not None]
    needed = [check.seeds_needed for check in open_ if check.seeds_needed is not None]
    few = any(check.n is not None and check.n < FORECAST_RUNS for check in open_)
    if not open_ or few or len(needed) == len(open_):
        return _more_seeds(None if few or not open_ else max(needed), reading.cells, facts)
    return _AT_MARGIN


def _not_run(cells: Sequence[str], facts: Facts) -> Ending:
    """The experiment that runs the cells that have too few runs."""
    lacking = [cell for cell in cells if facts.runs.counts(cell).finished < 2]
    names = list(dict.fromkeys(facts.experiments[cell] for cell in lacking if cell in facts.experiments))
    if not names:
        return Ending(kind="not run here", words="Nothing in this study's config runs what it is about.")
    outside = [name for name in names if name not in facts.enabled]
    command = f"snakemake --config 'run=[{', '.join([*facts.enabled, *outside])}]'" if outside else "snakemake"
    many = "experiments" if len(names) > 1 else "experiment"
    words = f"The {many} {' and '.join(names)} would test it{'' if outside else ', and is not finished'}."
    return Ending(kind="not run here", words=words, command=command)


def _more_seeds(needed: int | None, cells: Sequence[str], facts: Facts) -> Ending:
    """A new study of so many seeds a cell, and what the runs that it lacks cost."""
    if needed is None:
        words = "More seeds may tell; how many, the runs that there are do not say."
        return Ending(kind="too few seeds", words=words)
    hours = sum(_core_hours(cell, needed, facts) for cell in cells)
    words = (
        f"{needed:,} seeds of each of its cells would decide it in {100 * POWER:.0f} of 100 studies, if mean and "
        f"spread are those seen: {fmt.number(hours, 1)} core-hours more."
    )
    command = _of_its_own(cells, needed, facts)
    return Ending(kind="too few seeds", words=words, seeds=needed, chance=POWER, core_hours=hours, command=command)


def _of_its_own(cells: Sequence[str], seeds: int, facts: Facts) -> str:
    """The command that adds an experiment of these cells alone, since others would cost seeds that nobody asked for.

    JSON is YAML whose names are no numbers.
    """
    name = f"{seeds}_seeds"
    experiment = {
        "title": f"{seeds} seeds",
        "question": "Do so many seeds decide what fewer left open?",
        "seeds": seeds,
        "cells": [dict(zip(AXES, cell.split("/"), strict=True)) for cell in cells],
    }
    run = json.dumps([*facts.enabled, name])
    return f"snakemake --config 'experiments={json.dumps({name: experiment})}' 'run={run}'"


def _next_look(cells: Sequence[str], standing: Standing, facts: Facts) -> Ending:
    """The next look, which the study's rule plans for an open claim, and what the runs that its cells lack cost."""
    rule, held = standing.rule, standing.held + 1
    seeds = rule.looks[standing.held]
    hours = sum(_core_hours(cell, seeds, facts) for cell in cells)
    words = f"It waits for look {held} of {len(rule.looks)}, at {seeds} seeds of {fmt.plural(len(cells), 'cell')}"
    words += f": {fmt.number(hours, 1)} core-hours more." if hours else "; its own runs are there."
    if len(standing.wants) > len(cells):
        all_hours = sum(_core_hours(cell, seeds, facts) for cell in standing.wants)
        together = f"{len(standing.wants)} cells, {fmt.number(all_hours, 1)} core-hours"
        words += f" A look is held for all open claims together, here {together}."
    settings = {"looks": rule.looks, "spend": rule.spend, "held": held}  # of all that have looks: they have the same
    experiments = {one.name: {"seeds": settings} for one in facts.study.looking}
    return Ending(
        kind="too few seeds",
        words=words,
        seeds=seeds,
        core_hours=hours,
        command=f"snakemake --config 'experiments={json.dumps(experiments)}'",
    )


def _core_hours(cell: str, seeds: int, facts: Facts) -> float:
    """Core-hours of the runs that a cell lacks, each as long as its median run."""
    seconds, threads = (facts.runs.sample(cell, name).values for name in ("seconds", "threads"))
    if not seconds.size or seconds.size != threads.size:
        return 0.0
    return float(np.median(seconds * threads) / 3600 * max(0, seeds - seconds.size))
