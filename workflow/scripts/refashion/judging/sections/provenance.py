"""Where the numbers come from: the published report, the runs and their machines, the data set."""

from __future__ import annotations

import platform
from collections import Counter

from refashion import __version__, provenance
from refashion.judging import columns
from refashion.judging.claims import exact
from refashion.judging.columns import DIVERGED, FINISHED
from refashion.judging.document.parts import Part, means, reason
from refashion.judging.facts import Facts
from refashion.judging.run_table import distinct


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
    mixed_machines: list[str] = means("cells whose runs differ in their kind of machine or in precision")
    training: list[TrainingVersion] = means("most runs first")
    commits: list[CommitRuns] = means("commits of the code that trained the runs; those without one are left out")
    published_runs: int = means("runs whose digest is among those in published/")
    resumed_runs: int = means("runs that continued from a checkpoint")
    analysis: dict[str, str] = means("version of each package that the analysis ran with")
    data: dict[str, str] = means("SHA-256 of each data file as used")
    resamples: int = means("resamplings of seeds")


class DataFacts(Part):
    """Facts about the data set."""

    name: str = means("its name in the config")
    title: str = means("in words")
    facts: dict[str, int | float | str | None] = means("counted in the files", "count")
    reason: str = reason()


def provenance_of(facts: Facts) -> Provenance:
    runs = distinct(facts.runs.runs)
    ended = runs[runs["status"].isin([FINISHED, DIVERGED])]
    devices = Counter(zip(*(ended[name] for name in columns.MACHINE), strict=True)).most_common()
    versions = provenance.versions("numpy", "scipy", "statsmodels", "pandas")
    return Provenance(
        numerics=sorted({int(value) for value in ended["numerics"]}),
        devices=[Device(**dict(zip(columns.MACHINE, machine, strict=True)), runs=n) for machine, n in devices],
        mixed_machines=[cell for cell in facts.cells if facts.runs.mixed_machines(cell)],
        training=[TrainingVersion(tensorflow=one, runs=n) for one, n in Counter(ended["tensorflow"]).most_common()],
        commits=[CommitRuns(commit=one, runs=n) for one, n in Counter(filter(None, ended["commit"])).most_common()],
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


def data_of(facts: Facts) -> DataFacts:
    title = facts.study.config["datasets"][facts.dataset]["title"]
    found = facts.data
    if found is None:
        reason = "cannot say, because the data set has not been described"
        return DataFacts(name=facts.dataset, title=title, facts={}, reason=reason)
    counted = {**exact.data_facts(found), "rows": found["image_shape"][0]}
    for part in ("train", "test"):
        images = found[part]["per_class"]
        counted |= {f"{part} images, smallest class": min(images), f"{part} images, largest class": max(images)}
    repeated = {
        "training images that repeat an earlier one": found["duplicates"]["train"],
        "test images that repeat an earlier one": found["duplicates"]["test"],
        "test images that are also training images": found["duplicates"]["test_in_train"],
    }
    return DataFacts(name=facts.dataset, title=title, facts=counted | repeated)
