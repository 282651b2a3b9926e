"""The study as data: config -> experiments, cells, runs, and each run's spec and digest. Knows no TensorFlow."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from refashion import violations
from refashion.errors import UserError
from refashion.networks import architectures, augmentation

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

#: `validation` on held-out training images; see `refashion.data.dataset.split`.
FOLD = "fold"

SCHEMA_FILE = Path(__file__).resolve().parents[4] / "config" / "schema.yaml"

#: The keys of a source of data; `refashion.data.dataset` has a function for each.
SOURCES = ({"folder"}, {"url"}, {"url", "suffix"}, {"debian", "folder"})

# The tables of the config in which each axis' names are defined.
_TABLES = {axis: axis + "s" for axis in AXES}


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


@dataclass(frozen=True)
class Pilot:
    """Seeds that stop by themselves (Stein's two stages): `pilot` seeds first, then what `half_width` asks for."""

    pilot: int
    half_width: float  # percentage points, half of the interval of a cell's mean
    most: int


@dataclass(frozen=True)
class Experiment:
    """A named set of cells that answers one question."""

    name: str
    title: str
    question: str
    note: str
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...] | Pilot

    @cached_property
    def cell_set(self) -> frozenset[Cell]:
        """The cells, for questions of membership."""
        return frozenset(self.cells)

    @property
    def first_seeds(self) -> tuple[int, ...]:
        """The seeds that are known before anything has run."""
        return tuple(range(self.seeds.pilot)) if isinstance(self.seeds, Pilot) else self.seeds


def digest(spec: Mapping[str, Any]) -> str:
    """The identity of a run: the first 20 hexadecimal digits of the SHA-256 of the spec's canonical JSON."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Study:
    """A checked config, and what it asks for. Make one with `load`."""

    config: dict[str, Any]
    experiments: tuple[Experiment, ...]  # the enabled ones, in the order of the config's `run`
    planned: Mapping[Cell, int] = field(default_factory=dict)  # Stein's second stage: seeds of each cell, once known

    @property
    def pilots(self) -> tuple[Experiment, ...]:
        """The experiments whose number of seeds is decided by their first runs."""
        return tuple(experiment for experiment in self.experiments if isinstance(experiment.seeds, Pilot))

    def with_plan(self, planned: Mapping[Cell, int]) -> Study:
        """This study with the seeds of Stein's second stage: how many each cell of a pilot experiment gets in all."""
        return replace(self, planned=dict(planned))

    def seeds(self, experiment: Experiment, cell: Cell) -> tuple[int, ...]:
        """The seeds of a cell in an experiment, the planned ones included once they are known."""
        first = experiment.first_seeds
        if isinstance(experiment.seeds, Pilot):
            return tuple(range(max(len(first), self.planned.get(cell, 0))))
        return first

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
        return {cell.architecture: self._architecture(cell) for cell in self.cells()}

    def augmentations(self) -> dict[str, dict[str, Any]]:
        """{name: operations that are on} of the augmentations that the cells name."""
        return {cell.augmentation: self._augmentation(cell) for cell in self.cells()}

    def _architecture(self, cell: Cell) -> dict[str, Any]:
        entry = self.config["architectures"][cell.architecture]
        return {"builder": entry["builder"], **architectures.options(entry["builder"]), **entry}

    def _augmentation(self, cell: Cell) -> dict[str, Any]:
        return _switched_on(self.config["augmentations"][cell.augmentation])

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
            alike.setdefault(self._definition(cell), []).append(cell)
        return alike

    def _definition(self, cell: Cell) -> str:
        return digest(self.spec(Run(cell, 0)))

    def _may_want(self, run: Run) -> bool:
        """Whether an experiment wants a run, or its second stage may."""
        for experiment in self.experiments:
            if run.cell in experiment.cell_set:
                seeds = experiment.seeds
                if run.seed in (range(seeds.most) if isinstance(seeds, Pilot) else seeds):
                    return True
        return False

    def twin(self, run: Run) -> Run | None:
        """The run under another name that has the same spec and comes first, or None.

        Two names can define the same (fifty epochs here, the same number of updates there): it is trained once. Runs of
        the seeds' second stage have twins before it is planned, so that the jobs of one run are the same throughout.
        """
        for cell in self._alike.get(self._definition(run.cell), ()):
            if cell == run.cell:
                return None
            if self._may_want(Run(cell, run.seed)):
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
                "architecture": self._architecture(cell),
                "augmentation": self._augmentation(cell),
                "recipe": {**_said(self.config["recipes"][cell.recipe]), "updates": self.updates(cell)},
            }
        )

    def constraints(self) -> dict[str, str]:
        """A regular expression for each wildcard of a path: the names that the config defines, and a seed."""
        names = {axis: "|".join(map(_escape, sorted(self.config[_TABLES[axis]]))) for axis in AXES}
        return {**names, "seed": r"\d+", "dataset": "|".join(map(_escape, sorted(self.config["datasets"])))}


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Optimizer steps in an epoch; the last batch may be short, as in Keras."""
    return -(-images // batch_size)


def load(config: Mapping[str, Any]) -> Study:
    """Check a config (as read from YAML) and turn it into a study.

    Raises UserError with one sentence for the first mistake found.
    """
    checked = _plain(config)
    _check_schema(checked)
    checked = _completed(checked, _schema())
    _lower_hashes(checked["datasets"])
    _check_tables(checked)
    experiments = tuple(_experiment(name, entry, checked) for name, entry in checked["experiments"].items())
    enabled = _enabled(checked["run"], experiments)
    return Study(config=checked, experiments=enabled)


# --------------------------------------------------------------------------------------------------------- plain types

#: Tables and lists within one another, far more than the six that a list of names in a cell is deep.
DEPTH = 30


def _plain(value: Any, path: tuple[str | int, ...] = (), above: tuple[int, ...] = ()) -> Any:
    """A deep copy of the types that JSON has; keys, and what YAML has beyond them (dates), become text.

    Raises UserError for what no such copy can hold: an entry within itself (an alias in YAML can do that), one that is
    too deep, two keys that are one as text, and text that no file can hold.
    """
    if isinstance(value, Mapping | list | tuple):
        _check_nesting(value, path, above)
        above = (*above, id(value))
    if isinstance(value, Mapping):
        copy = {}
        for name, entry in value.items():
            key = _key(name, path)
            if key in copy:
                raise UserError(f"config: {violations.place(path)} has the key {key!r} twice; each key may stand once.")
            copy[key] = _plain(entry, (*path, key), above)
        return copy
    if isinstance(value, list | tuple):
        return [_plain(entry, (*path, position), above) for position, entry in enumerate(value)]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**300 else math.inf  # what is beyond floats is refused as they are
    return _text(str(value), f"{violations.path(path)} is")


def _check_nesting(value: Any, path: tuple[str | int, ...], above: tuple[int, ...]) -> None:
    if id(value) in above:
        where = violations.path(path)
        raise UserError(f"config: {where} is a YAML alias of an entry that it stands in; none may hold itself.")
    if len(above) == DEPTH:
        raise UserError(
            f"config: {path[0]} has tables or lists within one another more than {DEPTH} deep; no key needs as many."
        )


def _key(name: Any, path: tuple[str | int, ...]) -> str:
    text = json.dumps(name) if name is None or isinstance(name, bool | int | float) else str(name)
    return _text(text, f"{violations.place(path)} has the key")


def _text(text: str, where: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"config: {where} {violations.short(text)}; allowed are characters of UTF-8, so none of \\ud800 to \\udfff."
        ) from error
    return text


# ----------------------------------------------------------------------------------------------- mistakes, in sentences


@cache
def _schema() -> dict[str, Any]:
    """The schema, with every `$ref` replaced by what it names and by the keys beside it."""
    root = yaml.safe_load(SCHEMA_FILE.read_text(encoding="utf-8"))

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(item) for item in part]
        if not isinstance(part, dict):
            return part
        named = root["$defs"][part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else {}
        return {key: resolved(value) for key, value in {**named, **part}.items() if key not in ("$ref", "$defs")}

    return resolved(root)


def _is_finite(checker: jsonschema.TypeChecker, value: Any) -> bool:
    """Whether a value is a number; to JSON Schema nan and the infinities are, and nan passes every bound."""
    return jsonschema.Draft202012Validator.TYPE_CHECKER.is_type(value, "number") and math.isfinite(value)


_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("number", _is_finite),
)


def _check_schema(config: dict[str, Any]) -> None:
    """Raises UserError for the first of the violations that are least deep in the config."""
    error = min(_Validator(_schema()).iter_errors(config), key=lambda error: len(error.absolute_path), default=None)
    if error is not None:
        raise UserError(violations.sentence("config", _telling(error)))


def _telling(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """The violation that tells most: of the alternatives of an `anyOf`, that of the one which has the value's type."""
    of_its_type = [part for part in error.context or () if part.validator != "type" or part.path]
    described = [
        part
        for part in of_its_type
        if part.validator in ("required", "additionalProperties") or violations.allowed(part)
    ]
    return described[0] if described else error


def _completed(value: Any, schema: Mapping[str, Any]) -> Any:
    """A checked value with the schema's defaults and, where whole numbers are meant, 3 for 3.0; at every depth."""
    for alternative in schema.get("anyOf", ()):
        value = _completed(value, alternative)
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
        missing = {name: entry["default"] for name, entry in known.items() if "default" in entry and name not in value}
        return {name: _completed(entry, known.get(name, others)) for name, entry in {**value, **missing}.items()}
    if isinstance(value, list):
        return [_completed(item, schema.get("items", {})) for item in value]
    if isinstance(value, float) and "integer" in _types(schema):
        return int(value)
    return value


def _types(schema: Mapping[str, Any]) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else types


# ------------------------------------------------------------------------------------------------------ semantic checks


def _check_tables(config: dict[str, Any]) -> None:
    for table in ("datasets", *_TABLES.values(), "experiments"):
        _check_case(table, config[table])
    for name, dataset in config["datasets"].items():
        _check_dataset(name, dataset)
        _check_sources(name, dataset["sources"])
    for name, entry in config["architectures"].items():
        options = {key: value for key, value in entry.items() if key != "builder"}
        architectures.check(entry["builder"], options, f"config: architectures.{name}")
        _check_finite(options, f"architectures.{name}")
    for name, entry in config["augmentations"].items():
        augmentation.check(entry, f"config: augmentations.{name}")
        _check_finite(entry, f"augmentations.{name}")
    for name, entry in config["fractions"].items():
        _check_fraction(name, entry, config["datasets"])
    for name, entry in config["recipes"].items():
        _check_recipe(name, entry)


def _check_finite(value: Any, where: str) -> None:
    """For what the schema leaves to the registries, where nan may pass an operation's or an option's own check."""
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"config: {where} is {value}; allowed are finite numbers.")
    for key, item in value.items() if isinstance(value, dict) else ():
        _check_finite(item, f"{where}.{key}")
    for position, item in enumerate(value) if isinstance(value, list) else ():
        _check_finite(item, f"{where}[{position}]")


def _check_case(table: str, entries: Mapping[str, Any]) -> None:
    """Names that differ only in case would be one folder on some systems."""
    seen: dict[str, str] = {}
    for name in entries:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise UserError(
                f"config: {table} has the names {other!r} and {name!r}; names must differ in more than case."
            )


def _check_dataset(name: str, dataset: Mapping[str, Any]) -> None:
    files = dataset["files"]
    for part in ("train", "test"):
        images, labels = files[f"{part}_images"]["shape"], files[f"{part}_labels"]["shape"]
        if images[0] != labels[0]:
            raise UserError(
                f"config: datasets.{name} has {images[0]} {part} images and {labels[0]} {part} labels; "
                "there must be as many of each."
            )
    if files["train_images"]["shape"][1:] != files["test_images"]["shape"][1:]:
        raise UserError(
            f"config: datasets.{name} has training and test images of different shapes; they must be alike."
        )


def _check_sources(name: str, sources: Iterable[Mapping[str, Any]]) -> None:
    for position, source in enumerate(sources):
        if set(source) not in SOURCES:
            raise UserError(
                f"config: datasets.{name}.sources[{position}] has {' and '.join(source) or 'nothing'}; allowed are "
                "a folder, a url, a url and its suffix, or a debian package and its folder."
            )


def _lower_hashes(datasets: Mapping[str, Any]) -> None:
    """SHA-256 in lower case, as specs have them, however they are written (PowerShell writes capitals)."""
    for dataset in datasets.values():
        for file in dataset["files"].values():
            file["sha256"] = file["sha256"].lower()


def fold_size(train_images: int) -> int:
    """How many training images the held-out fold takes: 10,000, or a sixth where there are fewer than 60,000.

    None of fewer than six, which cannot be validated so.
    """
    return min(10_000, train_images // 6)


def _check_fraction(name: str, fraction: Mapping[str, Any], datasets: Mapping[str, Any]) -> None:
    if fraction["dataset"] not in datasets:
        raise UserError(
            f"config: fractions.{name}.dataset is {fraction['dataset']!r}; allowed are {', '.join(datasets)}."
        )
    train = datasets[fraction["dataset"]]["files"]["train_images"]["shape"][0]
    if fraction["validation"] == FOLD and not fold_size(train):
        raise UserError(
            f"config: fractions.{name}.validation is fold; allowed is test, since a held-out fold is a sixth of the "
            f"training images, at least 6, and {fraction['dataset']} has {train}."
        )
    available = train - fold_size(train) if fraction["validation"] == FOLD else train
    if fraction["images"] > available:
        raise UserError(
            f"config: fractions.{name}.images is {fraction['images']}; allowed are 1 to {available}, "
            f"the training images of {fraction['dataset']} with validation: {fraction['validation']}."
        )


def _check_recipe(name: str, recipe: Mapping[str, Any]) -> None:
    if ("epochs" in recipe) == ("updates" in recipe):
        found = "both epochs and updates" if "epochs" in recipe else "neither epochs nor updates"
        raise UserError(f"config: recipes.{name} has {found}; it needs exactly one of them.")
    if recipe["momentum"] and recipe["optimizer"] != "sgd":
        raise UserError(
            f"config: recipes.{name}.momentum is {recipe['momentum']} with the optimizer {recipe['optimizer']}; "
            "it is allowed with sgd only."
        )
    if recipe["label_smoothing"] and recipe["loss"] == "sparse":
        raise UserError(f"config: recipes.{name}.label_smoothing is allowed with the loss categorical only.")


def _experiment(name: str, entry: Mapping[str, Any], config: Mapping[str, Any]) -> Experiment:
    cells: list[Cell] = []
    for position, lists in enumerate(entry["cells"]):
        where = f"experiments.{name}.cells[{position}]"
        for cell in _expand(lists, where, config):
            if cell in cells:
                raise UserError(f"config: {where} names the cell {cell.name} a second time; each cell may stand once.")
            cells.append(cell)
    where = f"experiments.{name}.seeds" if "seeds" in entry else "seeds"
    return Experiment(
        name=name,
        title=entry["title"],
        question=entry["question"],
        note=entry["note"],
        cells=tuple(cells),
        seeds=_seeds(entry.get("seeds", config["seeds"]), where),
    )


def _expand(lists: Mapping[str, Any], where: str, config: Mapping[str, Any]) -> Iterator[Cell]:
    names = []
    for axis in AXES:
        value = lists[axis]
        names.append([value] if isinstance(value, str) else value)
        for one in names[-1]:
            if one not in config[_TABLES[axis]]:
                raise UserError(
                    f"config: {where}.{axis} is {one!r}; allowed are {', '.join(sorted(config[_TABLES[axis]]))}."
                )
    return (Cell(*combination) for combination in itertools.product(*names))


def _seeds(value: Any, where: str) -> tuple[int, ...] | Pilot:
    if isinstance(value, int):
        return tuple(range(value))
    if isinstance(value, dict):
        if value["most"] < value["pilot"]:
            raise UserError(f"config: {where}.most is {value['most']}; it must be at least pilot, {value['pilot']}.")
        return Pilot(**value)
    return tuple(value)


def _enabled(names: list[str], experiments: tuple[Experiment, ...]) -> tuple[Experiment, ...]:
    by_name = {experiment.name: experiment for experiment in experiments}
    for position, name in enumerate(names):
        if name not in by_name:
            raise UserError(f"config: run[{position}] is {name!r}; allowed are {', '.join(by_name)}.")
    return tuple(by_name[name] for name in names)


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
    known = _schema()["properties"]["recipes"]["additionalProperties"]["properties"]
    return {
        name: value
        for name, value in recipe.items()
        if name in FIRST_OPTIONS or (name not in ("epochs", "updates") and value != known[name]["default"])
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


def _escape(name: str) -> str:
    """A name as a regular expression; of the characters that names may hold, only . and + are special."""
    return name.replace(".", r"\.").replace("+", r"\+")
