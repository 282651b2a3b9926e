"""The experiments that a study defines and does not run: what each asks, and about what it would take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refashion import yaml_files
from refashion.project import PROJECT
from refashion.study.config import load_study
from refashion.study.model import AXES, Run, Study, digest
from refashion.telling.cells import Analysis
from refashion.training.speeds import Sample, Speed, Speeds, kinds, work


@dataclass(frozen=True)
class Waiting:
    """An experiment that waits. `core_hours`: of the runs that the study has not; None: no run tells its speed."""

    name: str
    question: str
    runs: int
    core_hours: float | None


def experiments(analysis: Analysis, config: Mapping[str, Any]) -> list[Waiting]:
    """The study's own experiments that do not run. Another report inherits the config's, which ask nothing of it."""
    study = load_study(config)
    known = study.config["experiments"].keys() - _foreign(study)
    names = [one["name"] for one in analysis["experiments"] if not one["enabled"] and one["name"] in known]
    idle = load_study({**config, "run": names or list(config["run"])}).experiments if names else ()
    own = {digest(study.spec(run)) for run in study.runs()}
    measured = list(_samples(analysis, study))
    found = []
    for one in idle:
        alone = study.alone((one,))
        runs = [run for run in alone.runs() if digest(alone.spec(run)) not in own]
        speeds = Speeds(alone, {"this study": measured})
        seconds = [speeds.seconds(run.cell) for run in runs]
        hours = None if None in seconds else sum(filter(None, seconds)) / 3600
        found.append(Waiting(one.name, one.question, len(runs), hours))
    return found


def _samples(analysis: Analysis, study: Study) -> Iterator[Sample]:
    """Core-seconds of an image trained on, of each cell of the study that has finished runs."""
    cells = {cell.name: cell for cell in study.cells()}
    for row in analysis["cost"]["cells"]:
        if row["n"] and row["cell"] in cells:
            spec = study.spec(Run(cells[row["cell"]], 0))
            trained = work(spec, study).trained
            yield Sample(kinds(spec), trained, Speed(3600 * row["core_hours"] / row["n"] / trained, 0.0, 0.0))


def without_others(config: Mapping[str, Any], idle: Sequence[Waiting]) -> dict[str, Any]:
    """The config with just the experiments that run or wait, and the entries that their cells name."""
    told = list(dict.fromkeys((*config["run"], *(one.name for one in idle))))
    cells = load_study({**config, "run": told}).cells()
    kept = {"experiments": set(told)} | {f"{axis}s": {getattr(cell, axis) for cell in cells} for axis in AXES}
    tables = {key: {name: entry for name, entry in config[key].items() if name in kept[key]} for key in kept}
    return {**config, **tables}


def _foreign(study: Study) -> set[str]:
    """The experiments that a study of another report has from config/config.yaml alone; none where it is its own."""
    base = load_study(yaml_files.read(PROJECT / "config" / "config.yaml")).config["experiments"]
    own = study.config["experiments"]
    if own.get("original", {}).get("cells") == base["original"]["cells"]:
        return set()
    return {name for name, entry in own.items() if entry == base.get(name)}
