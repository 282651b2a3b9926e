"""The programs that are compared, the networks that they train, and how each is started on a machine."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from refashion import yaml_files
from refashion.data import dataset as data
from refashion.judging.benchmark_table import ENGINE, PLAIN, PLAIN_ONEDNN, TORCH
from refashion.project import PROJECT
from refashion.study.config import load_study
from refashion.study.model import Cell, Run, Study

#: Training images for each validation image, as 60,000 for 10,000.
TRAINING_PER_VALIDATION = 6
#: More epochs, and more updates, than any measurement waits for.
ENDLESS = 1_000_000


@dataclass(frozen=True)
class Task:
    """What is trained, by the config's names of the original's entries.

    images: training images of an epoch here, few enough for several epochs in a measurement.
    """

    architecture: str
    augmentation: str
    recipe: str
    images: int

    @property
    def batch_size(self) -> int:
        """Images an update."""
        return _committed_study().config["recipes"][self.recipe]["batch_size"]

    @property
    def words(self) -> str:
        """What sets it apart from the other tasks."""
        return f"{self.architecture} {self.augmentation}"


#: The original's networks with and without augmentation.
TASKS = tuple(
    Task(architecture, augmentation, recipe, images)
    for architecture, recipe, images in (
        ("cnn1", "b256_e50", 18_000),
        ("lenet5", "b32_e20_sparse", 18_000),
        ("cnn4", "b256_e50", 4_500),
        ("cnn4_same", "b256_e50", 2_400),
    )
    for augmentation in ("none", "affine")
)


@dataclass(frozen=True)
class Arrangement:
    """How a program is run. images: how it is given them (arrays, rescaled by ImageDataGenerator, affine)."""

    program: str
    images: str
    processes: int
    threads: int

    @property
    def words(self) -> str:
        """What sets it apart from the other arrangements of its program."""
        if self.program in (PLAIN, PLAIN_ONEDNN):
            given = {"arrays": "arrays", "rescaled": "ImageDataGenerator(rescale)", "affine": "ImageDataGenerator"}
            return given[self.images]
        return f"{self.processes} x {self.threads} thread{'s' if self.threads > 1 else ''}"


@dataclass(frozen=True)
class Machine:
    """What the programs may use. device: cpu or gpu."""

    cores: int
    device: str

    def arrangements(self, task: Task) -> list[Arrangement]:
        """Every way in which the programs are tried on a task (see `measuring`); on a GPU each is one process."""
        plain = ("affine",) if task.augmentation == "affine" else ("arrays", "rescaled")
        images = plain[0]
        whole, one_a_core = (1, self.cores), (self.cores, 1)
        torch = {whole, one_a_core} if self.device == "cpu" else {whole}
        return [
            Arrangement(ENGINE, images, *(one_a_core if self.device == "cpu" else whole)),
            *(Arrangement(PLAIN, kind, *whole) for kind in plain),
            *([Arrangement(PLAIN_ONEDNN, images, *whole)] if self.device == "cpu" else []),
            *(Arrangement(TORCH, images, *shape) for shape in sorted(torch) if has_torch()),
        ]


def has_torch() -> bool:
    """Whether PyTorch is installed."""
    return importlib.util.find_spec("torch") is not None


def python(module: str, **options: object) -> list[str]:
    """The command line of one of this package's scripts; an option may be a list."""
    words = [sys.executable, "-m", f"refashion.upkeep.benchmark.{module}"]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, list) else [value])]
    return words


@cache
def _committed_study() -> Study:
    return load_study(yaml_files.read(PROJECT / "config" / "config.yaml"))


def spec(task: Task, hashes: Mapping[str, str], images: int, updates: int, seed: int) -> dict[str, Any]:
    """The spec of an engine's run, as the study makes it. hashes: of the data, as `data.hashes_of` gives them."""
    made = _committed_study().spec(Run(Cell(task.architecture, "60k", task.augmentation, task.recipe), seed))
    return made | {
        "dataset": made["dataset"] | hashes,
        "fraction": made["fraction"] | {"images": images},
        "recipe": made["recipe"] | {"updates": updates},
    }


@dataclass(frozen=True)
class Workshop:
    """Makes command lines. folder: for runs and parts of dataset, the data; checkpoint_seconds: the study's."""

    folder: Path
    dataset: Path
    machine: Machine
    checkpoint_seconds: float

    def part(self, images: int) -> Path:
        """A data file with the first `images` training images, and validation images in proportion."""
        path = self.folder / f"{images}.npz"
        if not path.exists():
            data.write(path, data.load(self.dataset).first(images, images // TRAINING_PER_VALIDATION))
        return path

    def engine(self, run: dict[str, Any], dataset: Path, threads: int) -> list[str]:
        """A job of this engine: the run of a spec."""
        how = {"device": self.machine.device, "threads": threads, "checkpoint_seconds": self.checkpoint_seconds}
        job = {"spec": run, "data": str(dataset), "store": str(self.folder / "store"), **how}
        return [*python("engine_script"), json.dumps(job)]

    def commands(self, task: Task, arrangement: Arrangement) -> list[list[str]]:
        """The processes of an arrangement, none of which ends by itself."""
        part, threads = self.part(task.images), arrangement.threads
        if arrangement.program == ENGINE:
            hashes = data.hashes_of(data.load(part))
            runs = (spec(task, hashes, task.images, ENDLESS, seed) for seed in range(arrangement.processes))
            return [self.engine(run, part, threads) for run in runs]
        options = {
            "data": part,
            "network": task.architecture,
            "images": arrangement.images,
            "batch": task.batch_size,
            "epochs": ENDLESS,
            "threads": threads,
        }
        if arrangement.program == TORCH:
            options["device"] = "cuda" if self.machine.device == "gpu" else "cpu"
        script = "torch_script" if arrangement.program == TORCH else "plain_script"
        switch = ["env", "TF_ENABLE_ONEDNN_OPTS=1"] if arrangement.program == PLAIN_ONEDNN else []
        return [[*switch, *python(script, **options)]] * arrangement.processes

    def peak(self, networks: list[str]) -> list[list[str]]:
        """Matrix products, as many processes as the engine has."""
        processes, threads = (self.machine.cores, 1) if self.machine.device == "cpu" else (1, self.machine.cores)
        return [python("peak_script", networks=networks, threads=threads, epochs=ENDLESS)] * processes
