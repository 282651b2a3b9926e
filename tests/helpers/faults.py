"""What the tests of faults share: a small study, its undisturbed runs, and the processes that train at this moment."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from project import PROJECT
from refashion.data import dataset as data
from refashion.study import model
from refashion.study.config import lay_over, load_study
from refashion.study.model import digest
from refashion.training import run_files
from tiny_data import as_idx_files
from tiny_study import TINY, Study, environment

#: Trains specs without Snakemake: python -c TRAIN data.npz store device checkpoint_seconds < list of specs as JSON
TRAIN = """
import json, sys
from pathlib import Path
from refashion.training.run import train
from refashion.training.run_store import RunStore
dataset, store, device, seconds = sys.argv[1:]
for spec in json.load(sys.stdin):
    train(spec, Path(dataset), RunStore(store), device=device, threads=1, checkpoint_seconds=float(seconds))
"""

CELL = {"architecture": "cnn1", "fraction": "small", "augmentation": "affine", "recipe": "b256_e100"}


#: Every Snakemake and training that a test has started; none may outlive its test.
STARTED: list[subprocess.Popen] = []


def kill_started() -> None:
    """End what is still running when a test ends, which is only so after a failure."""
    for process in STARTED:
        if process.poll() is None:
            process.kill()
    STARTED.clear()


class SmallStudy(Study):
    """A study of 3,000 real images with a folder of its own; `cells` as in the config, `limits` likewise."""

    def __init__(self, folder: Path, dataset: Path, cells: list[dict] | None = None, seeds: Any = 1, **limits: int):
        overlay = TINY | {
            "seeds": seeds,
            "limits": limits,
            "checkpoint_seconds": 0.5,
            "datasets": {"small": _as_idx_files(dataset)},
            "fractions": {"small": {"dataset": "small", "images": 3000}},
            "experiments": {"tiny": TINY["experiments"]["tiny"] | {"cells": cells or [CELL]}},
        }
        super().__init__(folder, overlay=overlay)

    @property
    def plan(self) -> model.Study:
        """The study as the project's own code understands it."""
        config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
        lay_over(config, self.overlay)
        return load_study(config)

    @property
    def store(self) -> Path:
        """The folder of its run store."""
        return self.folder / "results" / "store"

    def specs(self) -> list[dict[str, Any]]:
        """The spec of each run."""
        plan = self.plan
        return [plan.spec(run) for run in plan.runs()]

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake and do not wait; what it says goes into snakemake.log beside the study."""
        with open(self.said, "w") as said:
            STARTED.append(subprocess.Popen(self.command(*arguments), stdout=said, stderr=said, env=environment()))
        return STARTED[-1]

    @property
    def said(self) -> Path:
        """The file with what a started Snakemake has said."""
        return self.folder / "snakemake.log"

    def assert_undisturbed(self, undisturbed: Path) -> None:
        """Every run is there, in the store and in view, with the very numbers of the runs in another store."""
        plan = self.plan
        for run in plan.runs():
            name = digest(plan.spec(run))
            for folder in (self.store / name, self.folder / run.folder):
                assert_same(folder, undisturbed / name)
        assert not list(self.store.glob("checkpoints/*")), "a checkpoint was left behind"
        assert not list(self.store.glob("*.tmp-*")), "an unfinished run was left behind"


def assert_same(one: Path, other: Path) -> None:
    """Two finished runs with the same numbers: history and predictions bit by bit, and the final values."""
    for name in (run_files.HISTORY, run_files.PREDICTIONS):
        assert (one / name).read_bytes() == (other / name).read_bytes(), f"{one / name} differs from {other / name}"
    assert run_files.read(one).metrics["final"] == run_files.read(other).metrics["final"]


def train(
    specs: list[dict],
    dataset: Path,
    store: Path,
    checkpoint_seconds: float = 1e9,
    device: str = "cpu",
    variables: Mapping[str, str] | None = None,
    **options,
) -> subprocess.Popen:
    """Start a process that trains these specs one after another, into a store, without Snakemake."""
    ours = {"PYTHONPATH": str(PROJECT / "workflow" / "scripts"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(dataset), str(store), device, str(checkpoint_seconds)],
        stdin=subprocess.PIPE,
        env={**environment(), **ours, **(variables or {})},
        text=True,
        **options,
    )
    STARTED.append(process)
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(json.dumps(specs))
    process.stdin = None
    return process


def undisturbed(study: SmallStudy, dataset: Path) -> Path:
    """A store with the study's runs, trained without Snakemake and without disturbance."""
    store = study.folder.parent / f"{study.folder.name}-undisturbed"
    assert train(study.specs(), dataset, store, stdout=subprocess.DEVNULL).wait(900) == 0
    return store


def _as_idx_files(dataset: Path) -> dict[str, Any]:
    """Write a prepared data set as IDX files beside it, and describe it as the config does."""
    folder = dataset.with_suffix(".idx")
    folder.mkdir(exist_ok=True)
    whole = data.load(dataset)
    classes = [f"class {number}" for number in np.unique(whole.train_labels)]
    return {"title": "Small", "classes": classes} | as_idx_files(folder, vars(whole))


# ----------------------------------------------------------------------------------------------------------- processes


@dataclass(frozen=True)
class Process:
    """A process of this machine."""

    pid: int
    environment: dict[str, str]
    output: str  # what its standard output is; "" if it has none


@dataclass(frozen=True)
class Training:
    """A process that trains a run at this moment."""

    pid: int
    log: Path
    node: str  # "" where there is no SLURM
    job: str

    @property
    def seed(self) -> int:
        """The seed of the run that it trains."""
        return int(self.log.stem.removeprefix("seed-"))

    def epoch(self) -> int:
        """How many epochs its log tells of."""
        return self.log.read_text(encoding="utf-8", errors="replace").count("\nepoch ")


def processes() -> list[Process]:
    """The processes of this machine that we may look at."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            pairs = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            known = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            output = folder / "fd" / "1"
            found.append(Process(int(folder.name), known, os.readlink(output) if output.is_symlink() else ""))
    return found


def trainings(study: Study) -> list[Training]:
    """The processes that train a run of a study: their output goes into a log of the rule train."""
    logs = f"{study.folder.resolve()}/logs/train/"
    return [
        Training(
            process.pid,
            Path(process.output),
            process.environment.get("SLURMD_NODENAME", ""),
            process.environment.get("SLURM_JOB_ID", ""),
        )
        for process in processes()
        if process.output.startswith(logs) and process.output.endswith(".log")
    ]


def wait_for(what: str, answer: Callable[[], Any], seconds: float = 300) -> Any:
    """Ask until the answer is true, and return it; fail after a while with what was waited for."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := answer():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


# --------------------------------------------------------------------------------------------------------------- table


class Table:
    """The table of faults that a test module prints at its end: what was done, what happened, what was lost."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []

    def add(self, done: str, happened: str, lost: str = "nothing") -> None:
        """One fault, once the test has seen that nothing was lost."""
        self.rows.append((done, happened, lost))

    def text(self) -> str:
        """The rows, in three aligned columns."""
        rows = [("what was done", "what happened", "what was lost"), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        return "\n".join(f"{done:<{widths[0]}} | {happened:<{widths[1]}} | {lost}" for done, happened, lost in rows)
