"""The short answer, where numbers come from, experiments, cells, their cost, runs that do not count, the data."""

from __future__ import annotations

from refashion.judging.document.parts import Ends, MetricSummary, Part, means, reason
from refashion.study.model import Validation


class VerdictCounts(Part):
    """Number of claims with each verdict."""

    reproduced: int = means("count")
    not_reproduced: int = means("count")
    inconclusive: int = means("count")
    not_testable: int = means("count")


class OverallCounts(Part):
    """Number of claims whose readings."""

    robust: int = means("agree")
    unsettled: int = means("differ by inconclusive ones only")
    specification_dependent: int = means("contradict each other")
    one_reading: int = means("are only one")
    not_testable: int = means("cannot be tested")


class RunCounts(Part):
    """How many runs there are of each kind."""

    wanted: int = means("runs that the study wants")
    finished: int = means("runs that count")
    diverged: int = means("runs whose loss was no finite number; left out")
    failed: int = means("runs that failed")
    missing: int = means("runs not done")


class SeedRange(Part):
    """Seeds of the original's cells that count."""

    least: int = means("fewest runs of a cell")
    most: int = means("most runs of a cell")


class StudyAnswer(Part):
    """What was asked, and the short answer."""

    title: str = means("heading")
    preset: str = means("name of the configuration")
    evidence: bool = means("false: the report wears a banner")
    evidence_reason: str = means('"", or why this is no evidence, one sentence')
    question: str = means("what the study asks, one sentence")
    interim: str = means('that seeds are still to be added, one sentence or two, or ""')
    answer: str = means("the count of verdicts and what limits them, one paragraph")
    confidence: float = means("of every interval, e.g. 0.95", "0..1")
    level: float = means("of every test, e.g. 0.05", "0..1")
    units: str = means("a sentence on units")
    claims: int = means("number of claims")
    verdicts: VerdictCounts = means("number of claims with each verdict")
    overall: OverallCounts = means("number of claims whose readings")
    runs: RunCounts = means("counts over all runs of the study")
    seeds: SeedRange = means("seeds of the original's cells that count")
    core_hours: float = means("measured, over finished runs: seconds x threads / 3600", "hours")


class Registration(Part):
    """What was fixed before the first run, in the report's own file; "" where nothing is said."""

    readings: str = means("how and when the primary readings were named", default="")
    margins: str = means("how and when margins and tests were fixed", default="")


class Deviation(Part):
    """What was decided after results had been seen."""

    id: str = means("unique")
    what: str = means("what was decided")
    when: str = means("the day, as in 2026-11-27")
    commit: str = means('the commit of this project, or ""', default="")
    why: str = means("why so")
    otherwise: str = means("what the verdict would have been otherwise")


class Original(Part):
    """The published report."""

    title: str = means("in words")
    citation: str = means("of the report")
    about: str = means("what it is about")
    data_citation: str = means("of the data set")
    validation_images: int = means("images behind each published validation accuracy")
    registration: Registration = means("what was fixed before the first run")
    deviations: list[Deviation] = means("in order")


class Device(Part):
    """Runs by device."""

    device: str = means("cpu or gpu")
    device_name: str = means("name of the device")
    cpu: str = means("processor")
    threads: int | None = means("threads a run")
    precision: str = means("float32 or mixed_bfloat16")
    runs: int = means("count")


class TrainingVersion(Part):
    tensorflow: str = means("version")
    runs: int = means("count")


class CommitRuns(Part):
    commit: str = means("of the code")
    runs: int = means("count")


class Provenance(Part):
    """Where the numbers come from."""

    numerics: list[int] = means("numerics of the runs; more than one is a mixture")
    devices: list[Device] = means("most runs first")
    mixed_machines: list[str] = means(
        "cells whose runs were made on different kinds of machine or in different precision"
    )
    training: list[TrainingVersion] = means("most runs first")
    commits: list[CommitRuns] = means("commits of the code that trained the runs; those without one are left out")
    published_runs: int = means("runs whose digest is among those in published/")
    resumed_runs: int = means("runs that continued from a checkpoint")
    analysis: dict[str, str] = means("version of each package that the analysis ran with")
    data: dict[str, str] = means("SHA-256 of each data file as used")
    resamples: int = means("resamplings of seeds")


class AgainstCell(Part):
    """Another program's mean minus that of a cell."""

    cell: str = means("cell, architecture/fraction/augmentation/recipe")
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
    beside: OtherProgram | None = means("another program's accuracies, where the config names them", default=None)
    reason: str = means('"", or why it says nothing: cannot say, because ...')


class CellSummary(RunCounts):
    """A cell, and how many runs it has."""

    cell: str = means("cell, architecture/fraction/augmentation/recipe")
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
    reason: str = reason()


class CellCost(Part):
    cell: str = means("cell, architecture/fraction/augmentation/recipe")
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
    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    seeds: list[int] = means("seeds")


class FailedRun(Part):
    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    seed: int = means("of the run")
    reason: str = means("last line of its log")


class DivergedRun(Part):
    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    seed: int = means("of the run")
    epoch: int | None = means("epoch of the first NaN or infinite loss")


class AbsentRuns(Part):
    """Runs that do not count."""

    missing: list[MissingRuns] = means("by cell")
    failed: list[FailedRun] = means("each")
    diverged: list[DivergedRun] = means("each")


class DataFacts(Part):
    """Facts about the data set."""

    name: str = means("its name in the config")
    title: str = means("in words")
    facts: dict[str, int | float | str | None] = means("counted in the files", "count")
    reason: str = reason()
