"""How long a run takes here: measured speeds by kind of run, and the images that a run trains on and scores.

A job's seconds are a fixed cost, plus a time for each training image, plus a time for each scored image (validation
every epoch, twice where augmentation is random, and the training images once at the end). All three are medians over
finished runs, or come from the benchmark; nothing is assumed.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refashion import files, provenance
from refashion.networks import augmentation
from refashion.project import PROJECT
from refashion.study.model import FOLD, Cell, Run, Study, fold_size, steps_per_epoch
from refashion.training import run_files
from refashion.upkeep.benchmark import contestants
from refashion.upkeep.benchmark import table as benchmark_table

#: Time to score an image as a part of the time to train on it: one product a layer instead of three (see
#: `architectures.training_flops`). For the benchmark, which measures only both together.
FORWARD_SHARE = 1 / 3
#: Finished runs that are read for each kind of run, and of those of other studies altogether. Digests have no order, so
#: the first so many are a fair sample; reading all 10,000 of a large study would delay its start.
SAMPLE, OTHERS = 9, 300

_DIGEST = re.compile(r"[0-9a-f]{20}")


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


@dataclass(frozen=True)
class Work:
    """What a run computes: images trained on and images scored, each counted as often as it is used."""

    trained: int
    scored: int


@dataclass(frozen=True)
class Speed:
    """Seconds of one job: for a training image, for a scored image, and whatever its images."""

    image: float
    score: float
    fixed: float

    def seconds(self, work: Work) -> float:
        """Seconds of a job that does this work."""
        return self.fixed + work.trained * self.image + work.scored * self.score


@dataclass(frozen=True)
class Sample:
    """A measured speed, and the number of images trained on when it was."""

    trained: int
    speed: Speed


@dataclass(frozen=True)
class Kind:
    """What a run's speed depends on: definitions as JSON, so that they can be compared."""

    builder: str
    random: bool
    architecture: str
    augmentation: str
    batch_size: int
    precision: str

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Kind:
        """The kind of the run with this spec."""
        recipe = spec["recipe"]
        return cls(
            spec["architecture"]["builder"],
            augmentation.is_random(spec["augmentation"]),
            json.dumps(spec["architecture"], sort_keys=True),
            json.dumps(spec["augmentation"], sort_keys=True),
            recipe["batch_size"],
            recipe["precision"],
        )

    @property
    def levels(self) -> tuple[tuple, tuple, tuple]:
        """Exactly this kind; with any batch size and precision; the same builder, augmented at random or not."""
        same = (self.architecture, self.augmentation)
        return (*same, self.batch_size, self.precision), same, (self.builder, self.random)


def work(images: int, validation: int, batch_size: int, updates: int, random: bool) -> Work:
    """The work of a run with so many training and validation images; the last batch of an epoch may be short."""
    epochs, rest = divmod(updates, steps_per_epoch(images, batch_size))
    trained = epochs * images + min(rest * batch_size, images)
    return Work(trained, (epochs + (rest > 0)) * validation * (1 + random) + images)


class Speeds:
    """Measured speeds by kind of run, from runs on this machine, else the benchmark, else runs elsewhere."""

    def __init__(self, study: Study, wanted: Mapping[str, Cell], places: Places, device: str) -> None:
        """wanted: the cell of each digest that the study wants; device: cpu or gpu, what its runs will compute on."""
        self.study, self.device = study, device
        self.machine = provenance.machine()
        every = (one["files"] for one in study.config["datasets"].values())
        #: Training and test images of each data set, by the SHA-256 of its training images.
        self._sizes = {
            one["train_images"]["sha256"]: (one["train_images"]["shape"][0], one["test_images"]["shape"][0])
            for one in every
        }
        self._kinds: dict[Cell, Kind] = {}
        self._found: dict[Kind, tuple[Speed, str] | None] = {}
        here: dict[str, dict[tuple, list[Sample]]] = {}
        elsewhere: dict[str, dict[tuple, list[Sample]]] = {}
        for metrics in self._sample(wanted, places):
            found = self._measured(metrics)
            if found is not None:
                sample, kind, local, name = found
                table = (here if local else elsewhere).setdefault(name, {})
                for key in kind.levels:
                    table.setdefault(key, []).append(sample)
        self._sources = here | self._benchmark(places.benchmark) | elsewhere

    def kind(self, cell: Cell) -> Kind:
        """The kind of a cell's runs."""
        if cell not in self._kinds:
            self._kinds[cell] = Kind.of(self.study.spec(Run(cell, 0)))
        return self._kinds[cell]

    def of(self, cell: Cell) -> tuple[Speed, str] | None:
        """The speed of a cell's runs and where it was measured; None if nothing like it was."""
        kind = self.kind(cell)
        if kind not in self._found:
            like = ((table, key, name) for name, table in self._sources.items() for key in kind.levels if key in table)
            self._found[kind] = next(((_median(table[key]), name) for table, key, name in like), None)
        return self._found[kind]

    def seconds(self, cell: Cell) -> float | None:
        """The estimated seconds of one run of a cell, None if nothing like it was measured."""
        found = self.of(cell)
        return None if found is None else found[0].seconds(self.work(cell))

    def work(self, cell: Cell) -> Work:
        """The work of one run of a cell."""
        study, kind = self.study, self.kind(cell)
        fraction = study.config["fractions"][cell.fraction]
        train = study.config["datasets"][fraction["dataset"]]["files"]["train_images"]["sha256"]
        validation = self._validation(train, fraction["validation"])
        return work(study.images(cell), validation, kind.batch_size, study.updates(cell), kind.random)

    def _validation(self, train_images: str, validation: str) -> int:
        """Validation images of a run, by the SHA-256 of its training images. KeyError for a data set unknown here."""
        train, test = self._sizes[train_images]
        return fold_size(train) if validation == FOLD else test

    def _measured(self, metrics: Mapping[str, Any]) -> tuple[Sample, Kind, bool, str] | None:
        """The speed of a finished run, its kind, whether it was trained on this machine, and the name of where.

        None for a run on another kind of device, of which no speed here follows, for one that diverged or that used a
        data set unknown here, and for one that lacks what is asked.
        """
        try:
            spec, timing, origin = metrics["spec"], metrics["timing"], metrics["provenance"]
            if origin["device"] != self.device or metrics["status"] != "finished":
                return None
            kind = Kind.of(spec)
            validation = self._validation(spec["dataset"]["train_images"], spec["fraction"]["validation"])
            done = work(spec["fraction"]["images"], validation, kind.batch_size, metrics["updates"], kind.random)
            rest = timing["seconds"] - timing["train_seconds"] - timing["eval_seconds"]
            speed = Speed(
                timing["train_seconds"] / done.trained,
                timing["eval_seconds"] / done.scored,
                timing["setup_seconds"] if timing["resumed"] else max(0.0, rest),  # what was lost in a kill is no cost
            )
            local = origin["cpu"] == self.machine["cpu"]
            name = "finished runs on this machine" if local else f"runs on {_hardware(origin)}"
            return Sample(done.trained, speed), kind, local, name
        except (AttributeError, LookupError, TypeError, ValueError, ZeroDivisionError):
            return None  # `train` will set it aside, when its turn comes

    def _sample(self, wanted: Mapping[str, Cell], places: Places) -> Iterator[dict[str, Any]]:
        """Metrics of some finished runs: a few of each kind that the study wants, and of what else there is."""
        taken: dict[Any, int] = {}
        seen: set[str] = set()
        for folder in (places.store, places.published):
            for name in sorted(finished(folder) - seen):
                cell = wanted.get(name)
                group, most = (None, OTHERS) if cell is None else (self.kind(cell), SAMPLE)
                if taken.get(group, 0) < most:
                    taken[group] = taken.get(group, 0) + 1
                    seen.add(name)
                    metrics = _read(folder / name)
                    if metrics is not None:
                        yield metrics

    def _benchmark(self, path: Path) -> dict[str, dict[tuple, list[Sample]]]:
        """The speeds of this engine in the benchmark's table, if there is one and it was made on the same device."""
        if not path.exists():
            return {}
        table: dict[tuple, list[Sample]] = {}
        cpu = ""
        for row in benchmark_table.read(path):
            if row["program"] == benchmark_table.ENGINE and row["device"] == self.device:
                random = row["augmentation"] != "none"
                scored = (1 + random) / contestants.TRAINING_PER_VALIDATION
                image = row["processes"] / row["images_per_second"] / (1 + scored * FORWARD_SHARE)
                speed = Speed(image, image * FORWARD_SHARE, row["fixed_seconds"])
                table.setdefault((row["architecture"], random), []).append(Sample(0, speed))
                cpu = row["cpu"]
        return {f"the benchmark on {'this machine' if cpu == self.machine['cpu'] else cpu}": table} if table else {}


def _median(samples: Sequence[Sample]) -> Speed:
    """The median of each part, over runs of at least half the length of the longest: short ones are mostly tracing."""
    most = max(sample.trained for sample in samples)
    speeds = [sample.speed for sample in samples if 2 * sample.trained >= most]
    return Speed(*(statistics.median(getattr(speed, part) for speed in speeds) for part in ("image", "score", "fixed")))


def _hardware(provenance_of_run: Mapping[str, Any]) -> str:
    name = provenance_of_run["device_name" if provenance_of_run["device"] == "gpu" else "cpu"]
    return f"{name}, {provenance_of_run['cores']} cores"


def _read(folder: Path) -> dict[str, Any] | None:
    """metrics.json of a finished run, None if it is not one; `train` checks its sums before it uses a run."""
    try:
        metrics = json.loads(files.read_plain(folder / run_files.METRICS, run_files.LIMITS[run_files.METRICS]))
        return metrics if metrics["format"] == run_files.FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def finished(folder: Path) -> set[str]:
    """The digests of the finished runs in a store: those with their metrics, which `train` then checks."""
    try:
        return {
            path.name
            for path in folder.iterdir()
            if _DIGEST.fullmatch(path.name) and (path / run_files.METRICS).is_file()
        }
    except OSError:
        return set()
