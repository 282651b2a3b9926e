"""The runs that there are: by experiment, by cell, what they cost, and those that do not count."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from refashion.inference.contrasts import welch_contrast
from refashion.judging.columns import ACCURACIES, DIVERGED, FAILED, FINISHED, MISSING, TIMES
from refashion.judging.document.parts import CellName, Ends, MetricSummary, Part, RunCounts, means, reason
from refashion.judging.facts import PUBLISHED_METRIC, Facts, pair, sample
from refashion.judging.run_table import counts, distinct
from refashion.study.model import AXES, Cell, Experiment, Validation

#: Metrics of a cell that analysis.json and cells.csv summarise.
METRICS = (*ACCURACIES, "train_seconds", "seconds")


class AgainstCell(Part):
    """Another program's mean minus that of a cell."""

    cell: CellName
    n: int = means("runs of the cell that count")
    difference: float | None = means("of mean final validation accuracies; null without a run of the cell", "pp")
    interval: Ends | None = means("Welch's interval of the difference; null below two runs of either", "pp")
    p: float | None = means("of Welch's t test, two-sided, not corrected", "0..1")


class OtherProgram(Part):
    """What another program reached with the network of an experiment, beside the experiment's cells."""

    title: str = means("what it is")
    values: list[float] = means("final validation accuracy, one a run", "percent")
    mean: float = means("of the values", "percent")
    against: list[AgainstCell] = means("the cells of its architecture")


class ExperimentRuns(Part):
    """An experiment of the config."""

    name: str = means("of it")
    title: str = means("in words")
    question: str = means("what it asks")
    note: str = means('a remark, or ""')
    enabled: bool = means("false: defined, not run in this study")
    wanted: int = means("runs")
    finished: int = means("runs")
    core_hours: float = means("measured, of its finished runs", "hours")
    variants: dict[CellName, str] = means('its cells by what sets each apart in its network, "" for the only one')
    beside: OtherProgram | None = means("another program's accuracies, where the config names them", default=None)
    reason: str = means('"", or why it says nothing: cannot say, because ...')


class CellSummary(RunCounts):
    """A cell, and how many runs it has."""

    cell: CellName
    architecture: str = means("its name")
    fraction: str = means("its name")
    augmentation: str = means("its name")
    recipe: str = means("its name")
    experiments: list[str] = means("names")
    images: int | None = means("training images")
    epochs: int | None = means("epochs")
    updates: int | None = means("optimizer steps")
    validation: Validation = means("test or fold")
    mixed_machines: bool = means("its runs were made on different kinds of machine or in different precision")
    metrics: dict[str, MetricSummary] = means("by column of runs.csv: percent for accuracies, seconds for times")


class WordsOfNames(Part):
    """What cells and networks are called in words, those of experiments that do not run included."""

    cells: dict[CellName, str] = means("by name")
    networks: dict[str, str] = means("by the architecture's name")


class CellCost(Part):
    cell: CellName
    same_as: str = means('the cell before it that has the same runs, "" where none has')
    n: int = means("runs with a time")
    seconds: float | None = means("median whole job", "seconds")
    train_seconds: float | None = means("median", "seconds")
    images_per_second: float | None = means("median", "images a second")
    core_hours: float = means("of its finished runs", "hours")
    missing_core_hours: float | None = means("estimate for runs not yet done", "hours")


class Cost(Part):
    core_hours: float = means("all finished runs", "hours")
    cells: list[CellCost] = means("every cell")


class Benchmark(Part):
    """The table of snakemake benchmark, as it was written."""

    rows: list[dict[str, bool | int | float | str | None]] = means("a row a measurement", "as benchmark.csv")
    reason: str = reason()


class MissingRuns(Part):
    cell: CellName
    seeds: list[int] = means("seeds")


class FailedRun(Part):
    cell: CellName
    seed: int = means("of the run")
    reason: str = means("last line of its log")


class DivergedRun(Part):
    cell: CellName
    seed: int = means("of the run")
    epoch: int | None = means("epoch of the first NaN or infinite loss")


class AbsentRuns(Part):
    """Runs that do not count."""

    missing: list[MissingRuns] = means("by cell")
    failed: list[FailedRun] = means("each")
    diverged: list[DivergedRun] = means("each")


# ----------------------------------------------------------------------------------------------- experiments and cells


def experiments(facts: Facts) -> list[ExperimentRuns]:
    """Every experiment of the config and its runs. Which runs an experiment wants stands in runs.csv."""
    return [_experiment(experiment, facts) for experiment in facts.defined]


def _experiment(experiment: Experiment, facts: Facts) -> ExperimentRuns:
    runs = facts.runs.runs
    own = runs[[experiment.name in names.split(";") for names in runs["experiments"]]]
    found = counts(distinct(own)["status"])
    enabled = experiment.name in facts.enabled
    reason = "" if found.finished else "cannot say, because none of its runs has finished"
    return ExperimentRuns.of(
        experiment,
        enabled=enabled,
        wanted=found.wanted,
        finished=found.finished,
        core_hours=core_hours(own),
        variants={cell.name: words for cell, words in facts.names.variants(experiment.cells).items()},
        beside=other_program(experiment, facts),
        reason=reason if enabled else "cannot say, because this study does not run it",
    )


def other_program(experiment: Experiment, facts: Facts) -> OtherProgram | None:
    """Another program's final validation accuracies against each of the experiment's cells of its architecture.

    Unpaired, by Welch's test: its runs share no draws with ours. None where the config names none.
    """
    values = facts.beside.get(experiment.name)
    if values is None:
        return None
    given = facts.study.config["experiments"][experiment.name]["beside"]
    against = []
    for cell in (cell.name for cell in experiment.cells if cell.architecture == given["architecture"]):
        own = facts.runs.sample(cell, PUBLISHED_METRIC).values
        found = welch_contrast([values, own], [1, -1], facts.confidence)
        against.append(AgainstCell(cell=cell, n=own.size, difference=found.estimate, interval=pair(found), p=found.p))
    return OtherProgram(title=given["title"], values=list(values), mean=float(np.mean(values)), against=against)


def cells(facts: Facts) -> list[CellSummary]:
    """Every cell, the original's first."""
    return [_cell(Cell(*name.split("/")), facts) for name in facts.cells]


def _cell(cell: Cell, facts: Facts) -> CellSummary:
    found = facts.runs.counts(cell.name)
    epochs = facts.runs.sample(cell.name, "epochs").values
    return CellSummary(
        cell=cell.name,
        **vars(cell),
        **dict(found),
        experiments=[experiment.name for experiment in facts.study.experiments if cell in experiment.cell_set],
        images=facts.study.images(cell),
        epochs=int(epochs[0]) if epochs.size else None,
        updates=facts.study.updates(cell),
        validation=facts.validation[cell.name],
        mixed_machines=facts.runs.mixed_machines(cell.name),
        metrics={metric: sample(facts, cell.name, metric) for metric in METRICS},
    )


def words_of_names(facts: Facts) -> WordsOfNames:
    """The words of every cell that an experiment of the config holds or a claim is read in."""
    readings = (reading for claim in facts.original["claims"] for reading in claim.get("readings", ()))
    named = (Cell(*name.split("/")) for reading in readings for name in reading.get("cells", ()))
    every = dict.fromkeys([*facts.study.cells(), *facts.names.beside, *named])
    return WordsOfNames(
        cells={cell.name: facts.names.cell(cell) for cell in every},
        networks={cell.architecture: facts.names.network(cell.architecture) for cell in every},
    )


def absent(facts: Facts) -> AbsentRuns:
    """The runs that do not count, by why; one that several cells share stands with the first."""
    runs = distinct(facts.runs.runs)
    runs = runs.assign(cell=runs[list(AXES)].agg("/".join, axis=1), epoch=runs["diverged_epoch"])
    missing, failed, diverged = (runs[runs["status"] == status] for status in (MISSING, FAILED, DIVERGED))
    seeds = missing.groupby("cell", sort=False)["seed"].agg(list)
    return AbsentRuns(
        missing=[MissingRuns(cell=str(cell), seeds=own) for cell, own in seeds.items()],
        failed=[FailedRun.model_validate(row) for row in failed[["cell", "seed", "reason"]].to_dict("records")],
        diverged=[DivergedRun.model_validate(row) for row in diverged[["cell", "seed", "epoch"]].to_dict("records")],
    )


# ---------------------------------------------------------------------------------------------------------------- cost


def cost(facts: Facts) -> Cost:
    """What the finished runs cost, and what the missing ones will; a run under two names is counted once in the sum."""
    digests = {cell: set(facts.runs.column(cell, "digest")) for cell in facts.cells}
    costs = [_cell_cost(cell, _same_runs(cell, digests), facts) for cell in facts.cells]
    return Cost(core_hours=core_hours(facts.runs.runs), cells=costs)


def _same_runs(cell: str, digests: Mapping[str, set[str]]) -> str:
    """The first cell that has a cell's runs and more, else the first that has the same; "" where that is itself."""
    own = digests[cell]
    if not own:
        return ""
    more = (other for other, theirs in digests.items() if own < theirs)
    first = next(more, next(other for other, theirs in digests.items() if own == theirs))
    return "" if first == cell else first


def core_hours(runs: pd.DataFrame) -> float:
    """Seconds x threads of the runs that have ended, in hours; twins (one digest) count once."""
    ended = distinct(runs[runs["status"].isin([FINISHED, DIVERGED])])
    return float((ended["seconds"] * ended["threads"].astype(float)).sum() / 3600)


def _cell_cost(cell: str, same_as: str, facts: Facts) -> CellCost:
    times = {name: facts.runs.sample(cell, name).values for name in TIMES}
    hours = times["seconds"] * facts.runs.sample(cell, "threads").values / 3600
    found = facts.runs.counts(cell)
    left = found.missing + found.failed
    return CellCost(
        cell=cell,
        same_as=same_as,
        n=hours.size,
        **{name: float(np.median(values)) if values.size else None for name, values in times.items()},
        core_hours=float(hours.sum()),
        missing_core_hours=float(np.median(hours) * left) if hours.size else (None if left else 0.0),
    )


def benchmark(facts: Facts) -> Benchmark:
    reason = "" if facts.benchmark else "cannot say, because the benchmark has not been run"
    return Benchmark(rows=[dict(row) for row in facts.benchmark], reason=reason)
