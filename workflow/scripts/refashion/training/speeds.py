"""How long a run takes, from the speeds of runs like it.

A job's seconds are a fixed cost, plus a time for each training image, plus a time for each scored image (validation
every epoch, twice where augmentation is random, and the training images once at the end). All three are medians over
what was measured; nothing is assumed.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refashion.networks import augmentation
from refashion.study.model import FOLD, Cell, Run, Study, fold_size, images_seen, steps_per_epoch


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
    """A measured speed, the kinds of run that it holds for (see `kinds`), and the images trained on when it was."""

    kinds: tuple[tuple, ...]
    trained: int
    speed: Speed


def kinds(spec: Mapping[str, Any]) -> tuple[tuple, ...]:
    """What the speed of the run with this spec depends on, from near to far.

    Network, augmentation, batch size and precision; network and augmentation; builder, and whether augmented at random.
    """
    recipe = spec["recipe"]
    same = tuple(json.dumps(spec[axis], sort_keys=True) for axis in ("architecture", "augmentation"))
    like = (spec["architecture"]["builder"], augmentation.is_random(spec["augmentation"]))
    return (*same, recipe["batch_size"], recipe["precision"]), same, like


def work(spec: Mapping[str, Any], study: Study) -> Work:
    """The work of the run with this spec.

    Raises KeyError for a data set that the study's config does not define.
    """
    images, batch_size, updates = spec["fraction"]["images"], spec["recipe"]["batch_size"], spec["recipe"]["updates"]
    every = (one["files"] for one in study.config["datasets"].values())
    tests = {files["train_images"]["sha256"]: files for files in every}[spec["dataset"]["train_images"]]
    train, test = (tests[part]["shape"][0] for part in ("train_images", "test_images"))
    validation = fold_size(train) if spec["fraction"]["validation"] == FOLD else test
    epochs = -(-updates // steps_per_epoch(images, batch_size))  # the last may be cut, and is validated, too
    times = 1 + augmentation.is_random(spec["augmentation"])
    return Work(images_seen(images, batch_size, updates), epochs * validation * times + images)


class Speeds:
    """The speeds of a study's runs, each that of the nearest kind that was measured."""

    def __init__(self, study: Study, sources: Mapping[str, Iterable[Sample]]) -> None:
        """sources: samples by the name of where they come from; the first source with any of a kind is taken."""
        self.study = study
        self._tables: dict[str, dict[tuple, list[Sample]]] = {}
        for name, samples in sources.items():
            table = self._tables.setdefault(name, {})
            for sample in samples:
                for kind in sample.kinds:
                    table.setdefault(kind, []).append(sample)

    def of(self, cell: Cell) -> tuple[Speed, str] | None:
        """The speed of a cell's runs and where it was measured; None if nothing like it was."""
        wanted = kinds(self.study.spec(Run(cell, 0)))
        like = ((table[kind], name) for name, table in self._tables.items() for kind in wanted if kind in table)
        return next(((_median(samples), name) for samples, name in like), None)

    def seconds(self, cell: Cell) -> float | None:
        """The estimated seconds of one run of a cell, None if nothing like it was measured."""
        found = self.of(cell)
        return None if found is None else found[0].seconds(work(self.study.spec(Run(cell, 0)), self.study))


def _median(samples: Sequence[Sample]) -> Speed:
    """The median of each part, over runs of at least half the length of the longest: short ones are mostly tracing."""
    most = max(sample.trained for sample in samples)
    speeds = [sample.speed for sample in samples if 2 * sample.trained >= most]
    return Speed(*(statistics.median(getattr(speed, part) for speed in speeds) for part in ("image", "score", "fixed")))
