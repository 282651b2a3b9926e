"""Measured speeds: of some finished runs, on machines like this one and others, and of the benchmark."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refashion import files, provenance
from refashion.judging import benchmark_table
from refashion.project import PROJECT
from refashion.study.model import Run, Study
from refashion.training import devices, run_files
from refashion.training.run_store import RunStore
from refashion.training.speeds import Sample, Speed, Speeds, kinds, work
from refashion.upkeep.benchmark import contestants

#: Time to score an image as a part of the time to train on it: one product a layer instead of three (see
#: `architectures.training_flops`). For the benchmark, which measures only both together.
FORWARD_SHARE = 1 / 3
#: Finished runs that are read for each kind of run, and of those of other studies altogether. Digests have no order, so
#: the first so many are a fair sample; reading all 10,000 of a large study would delay its start.
SAMPLE, OTHERS = 9, 300

_HERE = "finished runs on like machines"


@dataclass(frozen=True)
class Places:
    """Where measured speeds are found: the run store, the published runs (a store, too), the benchmark's table."""

    store: Path
    published: Path
    benchmark: Path


#: As the workflow writes them, relative to the study's folder; published/ belongs to the project.
PLACES = Places(
    Path("results/store"),
    PROJECT / "published" / "runs",
    Path("benchmarks/benchmark.csv"),
)


def device_of(study: Study) -> str:
    """What the study's runs compute on here: cpu or gpu."""
    return devices.wanted(study.config["device"], len(devices.usable_gpus()))


def speeds(study: Study, wanted: Mapping[Run, str], places: Places) -> Speeds:
    """Measured speeds from runs on machines like this one, else the benchmark, else runs on all others together.

    wanted: the digests of the study's runs, of which some of each kind are read.
    """
    cpu, device = provenance.machine()["cpu"], device_of(study)
    runs: dict[str, list[Sample]] = {}
    for folder in _some_runs(study, wanted, places):
        found = _measured(folder, study, device, cpu)
        if found is not None:
            runs.setdefault(found[0], []).append(found[1])
    here = {_HERE: runs.pop(_HERE, [])}
    others = {f"runs on {' and '.join(sorted(runs))}": [one for samples in runs.values() for one in samples]}
    return Speeds(study, here | _benchmark(places.benchmark, device, cpu) | (others if runs else {}))


def _measured(folder: Path, study: Study, device: str, cpu: str) -> tuple[str, Sample] | None:
    """Where the run in a folder was trained (cpu: of this machine and those like it), and its speed.

    None for a run on another kind of device, of which no speed here follows, for one that diverged or that used a
    data set unknown here, and for one that cannot be read, or lacks what is asked; its sums are not checked.
    """
    try:
        metrics = json.loads(files.read_plain(folder / run_files.METRICS, run_files.LIMITS[run_files.METRICS]))
        timing, origin = metrics["timing"], metrics["provenance"]
        wanted = (run_files.FORMAT, run_files.FINISHED, device)
        if (metrics["format"], metrics["status"], origin["device"]) != wanted:
            return None
        done = work(metrics["spec"], study)
        rest = timing["seconds"] - timing["train_seconds"] - timing["eval_seconds"]
        speed = Speed(
            timing["train_seconds"] / done.trained,
            timing["eval_seconds"] / done.scored,
            timing["setup_seconds"] if timing["resumed"] else max(0.0, rest),  # what was lost in a kill is no cost
        )
        name = origin["device_name" if device == "gpu" else "cpu"]
        where = _HERE if origin["cpu"] == cpu else f"{name}, {origin['cores']} cores"
        return where, Sample(kinds(metrics["spec"]), done.trained, speed)
    except (OSError, AttributeError, LookupError, TypeError, ValueError, ZeroDivisionError, RecursionError):
        return None  # `train` will set it aside, when its turn comes


def _some_runs(study: Study, wanted: Mapping[Run, str], places: Places) -> Iterator[Path]:
    """The folders of some finished runs: a few of each kind that the study wants, and of what else there is."""
    taken: dict[Any, int] = {}
    seen: set[str] = set()
    kind_of = {cell: kinds(study.spec(Run(cell, 0))) for cell in {run.cell for run in wanted}}
    groups = {name: kind_of[run.cell] for run, name in wanted.items()}
    for folder in (places.store, places.published):
        for name in sorted(set(RunStore(folder).names()) - seen):
            group = groups.get(name)
            if taken.get(group, 0) < (OTHERS if group is None else SAMPLE):
                taken[group] = taken.get(group, 0) + 1
                seen.add(name)
                yield folder / name


def _benchmark(path: Path, device: str, cpu: str) -> dict[str, list[Sample]]:
    """The speeds of this engine in the benchmark's table, if there is one and it was made on the same device."""
    if not path.exists():
        return {}
    found: dict[str, list[Sample]] = {}
    for row in benchmark_table.read(path):
        if row["program"] == benchmark_table.ENGINE and row["device"] == device:
            random = row["augmentation"] != "none"
            scored = (1 + random) / contestants.TRAINING_PER_VALIDATION
            image = row["processes"] / row["images_per_second"] / (1 + scored * FORWARD_SHARE)
            speed = Speed(image, image * FORWARD_SHARE, row["fixed_seconds"])
            name = f"the benchmark on {'this machine' if row['cpu'] == cpu else row['cpu']}"
            found.setdefault(name, []).append(Sample(((row["architecture"], random),), 0, speed))
    return found
