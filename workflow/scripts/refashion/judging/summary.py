"""The short answer, where the numbers come from, experiments, cells, runs that do not count, the data."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from refashion import __version__, provenance
from refashion.inference.summaries import LEVEL
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED
from refashion.judging import columns
from refashion.judging.claims import exact
from refashion.judging.claims import ledger as ledgers
from refashion.judging.claims.looks import hold
from refashion.judging.columns import DIVERGED, FAILED, FINISHED, MISSING
from refashion.judging.document.claims import Claim
from refashion.judging.document.study import (
    AbsentRuns,
    CellSummary,
    CommitRuns,
    DataFacts,
    Device,
    DivergedRun,
    ExperimentRuns,
    FailedRun,
    MissingRuns,
    OtherProgram,
    OverallCounts,
    Provenance,
    SeedRange,
    StudyAnswer,
    TrainingVersion,
    VerdictCounts,
)
from refashion.judging.facts import sample
from refashion.judging.inputs import Inputs
from refashion.judging.run_table import counts, distinct
from refashion.judging.sections.cost import core_hours
from refashion.judging.sections.other_programs import beside
from refashion.study.model import AXES, Cell, Experiment

#: Metrics of a cell that analysis.json and cells.csv summarise.
METRICS = (*columns.ACCURACIES, "train_seconds", "seconds")


def study(inputs: Inputs, ledger: Sequence[Claim]) -> StudyAnswer:
    config, runs = inputs.study.config, inputs.runs
    verdicts = Counter(claim.verdict.replace(" ", "_") for claim in ledger)
    overall = Counter(claim.overall.replace(" ", "_").replace("-", "_") for claim in ledger)
    table = inputs.original["table"]
    printed = {column["cell"] for column in table["columns"][: len(table["rows"][0]["printed"])]}
    seeds = [inputs.facts.runs.counts(cell).finished for cell in inputs.columns if cell in printed]
    return StudyAnswer(
        title=config["title"],
        preset=config["preset"],
        evidence=config["evidence"],
        evidence_reason=_no_evidence(config),
        question=f"Does each number of “{inputs.original['title']}” come out again when its networks are "
        "trained anew, several times?",
        interim=_interim(inputs),
        answer=_answer(ledger, seeds, inputs),
        confidence=inputs.facts.confidence,
        level=LEVEL,
        units="Accuracies are in percent, differences in percentage points (pp).",
        claims=len(ledger),
        verdicts=VerdictCounts(**{name: verdicts[name] for name in VerdictCounts.model_fields}),
        overall=OverallCounts(**{name: overall[name] for name in OverallCounts.model_fields}),
        runs=counts(distinct(runs)["status"]),
        seeds=SeedRange(least=min(seeds, default=0), most=max(seeds, default=0)),
        core_hours=core_hours(runs),
    )


def _no_evidence(config: Mapping[str, Any]) -> str:
    """Why a study is no evidence, or ""."""
    if config["evidence"]:
        return ""
    limits = [f"{value:,} {name}" for name, value in config["limits"].items() if value is not None]
    cut = f", with at most {' and '.join(limits)} a run" if limits else ""
    return f"The preset “{config['preset']}” shows every step and measures nothing{cut}."


def _answer(ledger: Sequence[Claim], seeds: Sequence[int], inputs: Inputs) -> str:
    """The verdicts in a few sentences, and what they rest on. seeds: finished runs of each column of the table."""
    told = f"Of {len(ledger)} claims, {_verdicts_told(ledger)}."
    measured = [claim for claim in ledger if claim.kind == "accuracy"]
    if measured:
        which = "the one published accuracy" if len(measured) == 1 else f"the {len(measured)} published accuracies"
        told += f" Of {which} among them, {_verdicts_told(measured)}."
    otherwise = [claim.id for claim in ledger if claim.verdict == NOT_REPRODUCED and _reproduced_otherwise(claim)]
    if otherwise:
        which = f"claim{'s' * (len(otherwise) > 1)} {', '.join(otherwise)}"
        told += f" Not reproduced as we read the original, but in another reading: {which}."
    basis = "This study runs none of the columns of its table."
    if seeds:
        many = f"{min(seeds)}" if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
        which = "The one column" if len(seeds) == 1 else f"Each of the {len(seeds)} columns"
        basis = f"{which} of its table has {many} finished run{'s' * (many != '1')}."
    return f"{told} {basis} {_no_evidence(inputs.study.config)}".strip()


def _interim(inputs: Inputs) -> str:
    """That seeds are still to be added, or ""."""
    looks = hold(inputs.facts)
    return "" if looks is None or looks.is_through else f"These verdicts are interim. {looks.told}"


def _verdicts_told(ledger: Sequence[Claim]) -> str:
    """How many claims have each verdict, in words; those that none have are left out."""
    counts = Counter(claim.verdict for claim in ledger)
    untested = [claim.readings[0] for claim in ledger if claim.verdict == INCONCLUSIVE]
    untested = [reading for reading in untested if not reading.tested]
    waiting = ledgers.untested_told(untested, "on cells that this study does not run")
    parts = [
        f"{counts[word]} {'is' if counts[word] == 1 else 'are'} {word}" + (waiting if word == INCONCLUSIVE else "")
        for word in (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE, NOT_TESTABLE)
        if counts[word]
    ]
    return ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]


def _reproduced_otherwise(claim: Claim) -> bool:
    return any(reading.verdict == REPRODUCED for reading in claim.readings)


def provenance_of(inputs: Inputs) -> Provenance:
    facts = inputs.facts
    runs = distinct(inputs.runs)
    ended = runs[runs["status"].isin([FINISHED, DIVERGED])]
    devices = Counter(zip(*(ended[name] for name in columns.MACHINE), strict=True))
    versions = provenance.versions("numpy", "scipy", "statsmodels", "pandas")
    return Provenance(
        numerics=sorted({int(value) for value in ended["numerics"]}),
        devices=[
            Device(**dict(zip(columns.MACHINE, machine, strict=True)), runs=count)
            for machine, count in devices.most_common()
        ],
        mixed_machines=[cell for cell in inputs.cells if facts.runs.mixed_machines(cell)],
        training=[
            TrainingVersion(tensorflow=version, runs=count)
            for version, count in Counter(ended["tensorflow"]).most_common()
        ],
        commits=[
            CommitRuns(commit=commit, runs=count)
            for commit, count in Counter(filter(None, ended["commit"])).most_common()
        ],
        published_runs=int(ended["published"].sum()),
        resumed_runs=int((ended["resumed"] > 0).sum()),
        analysis={
            "refashion": __version__,
            "python": platform.python_version(),
            **{name: version for name, version in versions.items() if version},
        },
        data=dict(facts.data["sha256"]) if facts.data else {},
        resamples=facts.settings["resamples"],
    )


def experiment(experiment: Experiment, inputs: Inputs) -> ExperimentRuns:
    """An experiment and its runs. Which runs an experiment wants stands in runs.csv."""
    enabled = experiment.name in {one.name for one in inputs.study.experiments}
    own = inputs.runs[[experiment.name in names.split(";") for names in inputs.runs["experiments"]]]
    found = counts(distinct(own)["status"])
    reason = "" if found.finished else "cannot say, because none of its runs has finished"
    return ExperimentRuns.of(
        experiment,
        enabled=enabled,
        wanted=found.wanted,
        finished=found.finished,
        core_hours=core_hours(own),
        beside=_beside(experiment, inputs),
        reason=reason if enabled else "cannot say, because this study does not run it",
    )


def _beside(experiment: Experiment, inputs: Inputs) -> OtherProgram | None:
    values = inputs.beside.get(experiment.name)
    if values is None:
        return None
    given = inputs.study.config["experiments"][experiment.name]["beside"]
    return beside(experiment, given["title"], given["architecture"], values, inputs.facts)


def cell(name: str, inputs: Inputs) -> CellSummary:
    cell, study, facts = Cell(*name.split("/")), inputs.study, inputs.facts
    found = facts.runs.counts(name)
    epochs = facts.runs.sample(name, "epochs").values
    return CellSummary(
        cell=name,
        **vars(cell),
        **dict(found),
        experiments=[experiment.name for experiment in study.experiments if cell in experiment.cell_set],
        images=study.images(cell),
        epochs=int(epochs[0]) if epochs.size else None,
        updates=study.updates(cell),
        validation=facts.validation[name],
        mixed_machines=facts.runs.mixed_machines(name),
        metrics={metric: sample(facts, name, metric) for metric in METRICS},
        reason="" if found.finished else facts.runs.why_empty(name),
    )


def absent_runs(inputs: Inputs) -> AbsentRuns:
    """The runs that do not count, by why; one that several cells share stands with the first."""
    runs = distinct(inputs.runs)
    runs = runs.assign(cell=runs[list(AXES)].agg("/".join, axis=1))
    missing, failed, diverged = (runs[runs["status"] == status] for status in (MISSING, FAILED, DIVERGED))
    seeds = missing.groupby("cell", sort=False)["seed"].agg(list).rename("seeds").reset_index()
    epochs = diverged.rename(columns={"diverged_epoch": "epoch"})
    return AbsentRuns(
        missing=[MissingRuns.model_validate(row) for row in seeds.to_dict("records")],
        failed=[FailedRun.model_validate(row) for row in failed[["cell", "seed", "reason"]].to_dict("records")],
        diverged=[DivergedRun.model_validate(row) for row in epochs[["cell", "seed", "epoch"]].to_dict("records")],
    )


def data_of(inputs: Inputs) -> DataFacts:
    description = inputs.facts.data
    facts: dict[str, Any] = {}
    if description:
        facts = {**exact.data_facts(description), "rows": description["image_shape"][0]}
        for part in ("train", "test"):
            counts = description[part]["per_class"]
            facts |= {f"{part} images, smallest class": min(counts), f"{part} images, largest class": max(counts)}
        facts |= {
            "training images that repeat an earlier one": description["duplicates"]["train"],
            "test images that repeat an earlier one": description["duplicates"]["test"],
            "test images that are also training images": description["duplicates"]["test_in_train"],
        }
    reason = "" if description else "cannot say, because the data set has not been described"
    name = inputs.dataset
    return DataFacts(name=name, title=inputs.study.config["datasets"][name]["title"], facts=facts, reason=reason)
