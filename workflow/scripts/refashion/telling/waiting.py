"""The experiments that a study defines and does not run: what each asks, and about what it would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from refashion import yaml_files
from refashion.project import PROJECT
from refashion.study.config import load_study
from refashion.study.model import AXES, Cell, Run, Study, digest

Analysis = dict[str, Any]


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
    hours = _hours_an_image(analysis, study)
    found = []
    for one in idle:
        alone = study.alone((one,))
        runs = [run for run in alone.runs() if digest(alone.spec(run)) not in own]
        found.append(Waiting(one.name, one.question, len(runs), _taken(runs, alone, hours)))
    return found


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


def _hours_an_image(analysis: Analysis, study: Study) -> dict[tuple[str, ...], float]:
    """Core-hours for an image trained on, of the study's finished runs, by each of their kinds."""
    seen: dict[tuple[str, ...], list[float]] = {}
    cells = {cell.name: cell for cell in study.cells()}
    for row in analysis["cost"]["cells"]:
        if row["n"] and row["cell"] in cells:
            cell = cells[row["cell"]]
            for kind in _kinds(cell, study):
                seen.setdefault(kind, []).append(row["core_hours"] / row["n"] / _images(cell, study))
    return {kind: median(values) for kind, values in seen.items()}


def _kinds(cell: Cell, study: Study) -> list[tuple[str, ...]]:
    """What a run's speed depends on, from near to far: network and augmentation, network, builder."""
    builder = study.config["architectures"][cell.architecture]["builder"]
    kinds = [("network", cell.architecture, cell.augmentation), ("network", cell.architecture)]
    return kinds if builder == "layers" else [*kinds, ("builder", builder)]  # other layers are another network


def _images(cell: Cell, study: Study) -> int:
    """Images that a run of the cell trains on, each counted as often as it is used."""
    return study.updates(cell) * study.config["recipes"][cell.recipe]["batch_size"]


def _taken(runs: Sequence[Run], study: Study, hours: Mapping[tuple[str, ...], float]) -> float | None:
    total = 0.0
    for run in runs:
        known = [hours[kind] for kind in _kinds(run.cell, study) if kind in hours]
        if not known:
            return None
        total += known[0] * _images(run.cell, study)
    return total
