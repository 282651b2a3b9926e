"""The study as data: experiments, cells, runs, and each run's spec and digest. Knows no TensorFlow."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal

from refashion.networks import architectures, augmentation
from refashion.study.schema import recipe_defaults

#: Raised by hand whenever the same spec would give other numbers. Raising it retrains everything.
NUMERICS = 1

#: The four axes of a cell, in the order of paths and tables.
AXES = ("architecture", "fraction", "augmentation", "recipe")

#: A recipe's options that stand in every spec. Others, which came later, stand there only where they differ from their
#: default, so that a new option changes no existing run.
FIRST_OPTIONS = frozenset(
    {"batch_size", "label_smoothing", "learning_rate", "loss", "momentum", "optimizer", "precision", "schedule"}
)

#: Accuracies of a run on its training images; all others are on validation images.
TRAINING_METRICS = ("train_accuracy", "eval_accuracy")

#: `validation` on held-out training images; see `refashion.data.split`.
FOLD: Final = "fold"
#: What a run is validated on: the test images, or a part of the training images.
Validation = Literal["test", "fold"]

#: The tables of the config in which each axis' names are defined.
TABLES = {axis: axis + "s" for axis in AXES}


@dataclass(frozen=True, order=True)
class Cell:
    """One combination of the four axes, by the names of their entries."""

    architecture: str
    fraction: str
    augmentation: str
    recipe: str

    @property
    def name(self) -> str:
        """The cell as it is written in paths and tables, ``architecture/fraction/augmentation/recipe``."""
        return "/".join((self.architecture, self.fraction, self.augmentation, self.recipe))


@dataclass(frozen=True, order=True)
class Run:
    """A cell and a seed."""

    cell: Cell
    seed: int

    @classmethod
    def of(cls, wildcards: Any) -> Run:
        """The run that a rule's wildcards name."""
        return cls(Cell(*(getattr(wildcards, axis) for axis in AXES)), int(wildcards.seed))

    @property
    def folder(self) -> str:
        """Where Snakemake sees the run, relative to the study's folder."""
        return f"results/runs/{self.cell.name}/seed-{self.seed}"

    @property
    def log(self) -> str:
        """Where rule `train` logs the run, relative to the study's folder."""
        return f"logs/train/{self.cell.name}/seed-{self.seed}.log"


@dataclass(frozen=True)
class Pilot:
    """Seeds that stop by themselves (Stein's two stages): `pilot` seeds first, then what `half_width` asks for."""

    pilot: int
    half_width: float  # percentage points, half of the interval of a cell's mean
    most: int


@dataclass(frozen=True)
class Looks:
    """Seeds that are added while claims are undecided: how many a cell has at each look, and the level it spends.

    The rule is `refashion.inference.looks`; all experiments that have looks have the same. held: how many of them this
    study holds; the others are planned.
    """

    looks: tuple[int, ...]
    spend: tuple[float, ...]
    held: int


@dataclass(frozen=True)
class Experiment:
    """A named set of cells that answers one question."""

    name: str
    title: str
    question: str
    note: str
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...] | Pilot | Looks

    @cached_property
    def cell_set(self) -> frozenset[Cell]:
        """The cells, for questions of membership."""
        return frozenset(self.cells)

    @property
    def first_seeds(self) -> tuple[int, ...]:
        """The seeds that are known before anything has run."""
        match self.seeds:
            case Pilot(pilot=first):
                return tuple(range(first))
            case Looks(looks=looks):
                return tuple(range(looks[0]))
            case seeds:
                return seeds

    @property
    def possible_seeds(self) -> Sequence[int]:
        """The seeds that it may come to want."""
        match self.seeds:
            case Pilot(most=most):
                return range(most)
            case Looks(looks=looks):
                return range(looks[-1])
            case seeds:
                return seeds


def digest(spec: Mapping[str, Any]) -> str:
    """The identity of a run: the first 20 hexadecimal digits of the SHA-256 of the spec's canonical JSON."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Study:
    """A checked config, and what it asks for. Make one with `refashion.study.config.load_study`."""

    config: dict[str, Any]
    experiments: tuple[Experiment, ...]  # the enabled ones, in the order of the config's `run`
    #: How many seeds a cell gets in an experiment that began without knowing it (by its name), once that is known.
    planned: Mapping[tuple[str, Cell], int] = field(default_factory=dict)

    @property
    def pilots(self) -> dict[Experiment, Pilot]:
        """The experiments whose number of seeds is decided by their first runs, and how."""
        return {experiment: experiment.seeds for experiment in self.experiments if isinstance(experiment.seeds, Pilot)}

    @property
    def awaits_plan(self) -> bool:
        """Whether pilot runs or a first look will ask for seeds that no plan has told yet."""
        growing = (*self.pilots, *self.looking)
        return any((one.name, cell) not in self.planned for one in growing for cell in one.cells)

    @property
    def looking(self) -> tuple[Experiment, ...]:
        """The experiments to which seeds are added while claims are undecided."""
        return tuple(experiment for experiment in self.experiments if isinstance(experiment.seeds, Looks))

    @property
    def looks(self) -> Looks | None:
        """The looks of the experiments that have some, None where none has."""
        return next((one.seeds for one in self.looking if isinstance(one.seeds, Looks)), None)

    @property
    def with_every_look(self) -> Study:
        """This study with all its looks held, those that are only planned included."""
        held = [
            replace(one, seeds=replace(one.seeds, held=len(one.seeds.looks))) if isinstance(one.seeds, Looks) else one
            for one in self.experiments
        ]
        return replace(self, experiments=tuple(held))

    def alone(self, experiments: tuple[Experiment, ...]) -> Study:
        """This study with some of its experiments alone."""
        return replace(self, experiments=experiments)

    def with_plan(self, planned: Mapping[tuple[str, Cell], int]) -> Study:
        """This study with seeds that were not known at first: how many a cell of an experiment gets in all."""
        return replace(self, planned={**self.planned, **planned})

    def seeds(self, experiment: Experiment, cell: Cell) -> tuple[int, ...]:
        """The seeds of a cell in an experiment, the planned ones included once they are known."""
        first, planned = experiment.first_seeds, self.planned.get((experiment.name, cell), 0)
        return tuple(range(planned)) if planned > len(first) else first

    def cells(self) -> tuple[Cell, ...]:
        """Every cell once, in the order of the experiments."""
        return tuple(dict.fromkeys(cell for experiment in self.experiments for cell in experiment.cells))

    def runs(self) -> tuple[Run, ...]:
        """Every run once. Seeds come first, so that all cells grow evenly."""
        wanted = {
            Run(cell, seed): None
            for experiment in self.experiments
            for cell in experiment.cells
            for seed in self.seeds(experiment, cell)
        }
        return tuple(sorted(wanted, key=lambda run: run.seed))

    def architectures(self) -> dict[str, dict[str, Any]]:
        """{name: builder and every option, defaults included} of the networks that the cells name."""
        return {cell.architecture: self.spec(Run(cell, 0))["architecture"] for cell in self.cells()}

    def augmentations(self) -> dict[str, dict[str, Any]]:
        """{name: operations that are on} of the augmentations that the cells name."""
        return {cell.augmentation: self.spec(Run(cell, 0))["augmentation"] for cell in self.cells()}

    def experiments_of(self, run: Run) -> tuple[str, ...]:
        """The names of the experiments that want a run."""
        return tuple(
            experiment.name
            for experiment in self.experiments
            if run.cell in experiment.cell_set and run.seed in self.seeds(experiment, run.cell)
        )

    def pilot_runs(self) -> tuple[Run, ...]:
        """The runs that the second stage of the seeds is planned from."""
        return tuple(
            Run(cell, seed)
            for experiment in self.pilots
            for cell in experiment.cells
            for seed in experiment.first_seeds
        )

    @cached_property
    def _alike(self) -> dict[str, list[Cell]]:
        """The study's cells, in order, by what their runs share."""
        alike: dict[str, list[Cell]] = {}
        for cell in self.cells():
            alike.setdefault(digest(self.spec(Run(cell, 0))), []).append(cell)
        return alike

    def twin(self, run: Run) -> Run | None:
        """The run under another name that has the same spec and comes first, or None.

        Two names can define the same (fifty epochs here, the same number of updates there): it is trained once. Runs
        that are not planned yet have twins, too, so that the jobs of one run are the same throughout.
        """
        for cell in self._alike.get(digest(self.spec(Run(run.cell, 0))), ()):
            if cell == run.cell:
                return None
            if any(cell in one.cell_set and run.seed in one.possible_seeds for one in self.experiments):
                return Run(cell, run.seed)
        return None

    def images(self, cell: Cell) -> int:
        """The number of training images of a cell, limits applied."""
        return _at_most(self.config["fractions"][cell.fraction]["images"], self.config["limits"]["images"])

    def updates(self, cell: Cell) -> int:
        """The number of optimizer steps of a cell, limits applied."""
        recipe = self.config["recipes"][cell.recipe]
        steps = steps_per_epoch(self.images(cell), recipe["batch_size"])
        limits = self.config["limits"]
        updates = recipe["updates"] if "updates" in recipe else recipe["epochs"] * steps
        if limits["epochs"] is not None:
            updates = min(updates, limits["epochs"] * steps)
        return _at_most(updates, limits["updates"])

    def dataset(self, cell: Cell) -> str:
        """The name of a cell's data set."""
        return self.config["fractions"][cell.fraction]["dataset"]

    def spec(self, run: Run) -> dict[str, Any]:
        """Everything that can change a run's numbers, as a key-sorted dict of plain types.

        Epochs become updates, so that fifty epochs and the same number of updates are one run.
        """
        if run.cell not in self._cell_specs:
            self._cell_specs[run.cell] = self._cell_spec(run.cell)
        return {**self._cell_specs[run.cell], "seed": run.seed}  # the last key in order

    @cached_property
    def _cell_specs(self) -> dict[Cell, dict[str, Any]]:
        """What the runs of a cell share, filled as it is asked for: a study may have ten thousand runs."""
        return {}

    def _cell_spec(self, cell: Cell) -> dict[str, Any]:
        dataset = self.config["datasets"][self.dataset(cell)]
        fraction = self.config["fractions"][cell.fraction]
        return _canonical(
            {
                "numerics": NUMERICS,
                "dataset": {
                    "classes": len(dataset["classes"]),
                    "shape": dataset["files"]["train_images"]["shape"][1:],
                    **{role: entry["sha256"] for role, entry in dataset["files"].items()},
                },
                "fraction": {
                    "images": self.images(cell),
                    "validation": fraction["validation"],
                    "subset_seed": fraction["subset_seed"],
                },
                "architecture": architectures.definition(self.config["architectures"][cell.architecture]),
                "augmentation": _switched_on(self.config["augmentations"][cell.augmentation]),
                "recipe": {**_said(self.config["recipes"][cell.recipe]), "updates": self.updates(cell)},
            }
        )

    def constraints(self) -> dict[str, str]:
        """A regular expression for each wildcard of a path: the names that the config defines, and a seed."""
        names = {axis: "|".join(map(re.escape, sorted(self.config[TABLES[axis]]))) for axis in AXES}
        return {**names, "seed": r"\d+", "dataset": "|".join(map(re.escape, sorted(self.config["datasets"])))}


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Optimizer steps in an epoch; the last batch may be short, as in Keras."""
    return -(-images // batch_size)


def images_seen(images: int, batch_size: int, updates: int) -> int:
    """Images that so many optimizer steps have seen, each as often as it was used."""
    epochs, rest = divmod(updates, steps_per_epoch(images, batch_size))
    return epochs * images + min(rest * batch_size, images)


def fold_size(train_images: int) -> int:
    """How many training images the held-out fold takes: 10,000, or a sixth where there are fewer than 60,000.

    None of fewer than six, which cannot be validated so.
    """
    return min(10_000, train_images // 6)


# ---------------------------------------------------------------------------------------------------------- small tools


def _at_most(value: int, bound: int | None) -> int:
    return value if bound is None else min(value, bound)


def _switched_on(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An augmentation without what is off, so that an operation invented later changes no existing run."""
    whole = {**augmentation.DEFAULTS, **entry}
    return {
        name: value for name, value in whole.items() if name == "rescale" or augmentation.OPERATIONS[name].is_on(value)
    }


def _said(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe as it stands in a spec: without its length, and without later options that are at their default."""
    default = recipe_defaults()
    return {
        name: value
        for name, value in recipe.items()
        if name in FIRST_OPTIONS or (name not in ("epochs", "updates") and value != default[name])
    }


def _canonical(value: Any) -> Any:
    """A copy with every dict's keys in order and 8.0 written as 8, so that equal specs are equal to the letter."""
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
