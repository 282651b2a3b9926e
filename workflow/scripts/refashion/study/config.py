"""The config, read and checked: `load_study` makes a study of it, or says the first mistake in one sentence."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jsonschema.exceptions import best_match

from refashion import LEVEL, violations, yaml_files
from refashion.errors import UserError
from refashion.networks import architectures, augmentation
from refashion.study.model import AXES, FOLD, TABLES, Cell, Experiment, Looks, Pilot, Study, fold_size
from refashion.study.schema import Validator, completed, config_schema

#: The keys of a source of data; `refashion.data.sources` has a function for each.
SOURCES = ({"folder"}, {"url"}, {"url", "suffix"}, {"debian", "folder"})


def read_config(files: Iterable[Path], settings: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The config of a file and its overlays, in their order, and of settings over them.

    Raises UserError for a file that is none.
    """
    config: dict[str, Any] = {}
    for path in files:
        layer = yaml_files.read(path)
        if not isinstance(layer, dict):
            raise UserError(f"{path} holds no config; it must be a YAML file of keys and values.")
        lay_over(config, layer)
    lay_over(config, settings)
    return config


def lay_over(config: dict[str, Any], overlay: Mapping[str, Any]) -> None:
    """Lay an overlay over a config, in place: tables are merged, all else is replaced.

    Seeds are replaced as a whole, since looks and a pilot do not mix.
    """
    for key, value in overlay.items():
        below = config.get(key)
        if key != "seeds" and isinstance(below, dict) and isinstance(value, Mapping):
            lay_over(below, value)
        else:
            config[key] = value


def load_study(config: Mapping[str, Any]) -> Study:
    """Check a config (as read from YAML) and turn it into a study.

    Raises UserError with one sentence for the first mistake found.
    """
    checked = _plain(config)
    error = best_match(Validator(config_schema()).iter_errors(checked))
    if error is not None:
        raise UserError(violations.sentence("config", error))
    checked = completed(checked, config_schema())
    for dataset in checked["datasets"].values():
        for file in dataset["files"].values():
            file["sha256"] = file["sha256"].lower()  # as specs have it; PowerShell writes capitals
    for mistake in _mistakes(checked):
        raise UserError(f"config: {mistake}.")
    experiments = {name: _experiment(name, entry, checked) for name, entry in checked["experiments"].items()}
    enabled = tuple(experiments[name] for name in checked["run"])
    _check_same_looks(enabled)
    return Study(config=checked, experiments=enabled)


def _plain(value: Any, path: tuple[str | int, ...] = ()) -> Any:
    """A deep copy of the types that JSON has; keys, and what YAML has beyond them (dates), become text.

    Raises UserError for two keys that are one as text.
    """
    if isinstance(value, Mapping):
        copy = {}
        for name, entry in value.items():
            key = json.dumps(name) if name is None or isinstance(name, bool | int | float) else str(name)
            if key in copy:
                raise UserError(f"config: {violations.place(path)} has the key {key!r} twice; each key may stand once.")
            copy[key] = _plain(entry, (*path, key))
        return copy
    if isinstance(value, list | tuple):
        return [_plain(entry, (*path, position)) for position, entry in enumerate(value)]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


# ------------------------------------------------------------------------------------------------------ semantic checks


def _mistakes(config: dict[str, Any]) -> Iterator[str]:
    for table in ("datasets", *TABLES.values(), "experiments"):
        yield from _mistakes_of_case(table, config[table])
    for name, dataset in config["datasets"].items():
        yield from _mistakes_of_a_dataset(f"datasets.{name}", dataset)
    for name, entry in config["architectures"].items():
        architectures.check(entry, f"config: architectures.{name}")
    if "originals" in config["augmentations"]:
        yield "augmentations.originals: the report shows the images as they are under this name"
    for name, entry in config["augmentations"].items():
        augmentation.check(entry, f"config: augmentations.{name}")
    for name, entry in config["fractions"].items():
        yield from _mistakes_of_a_fraction(f"fractions.{name}", entry, config["datasets"])
    for name, entry in config["recipes"].items():
        yield from _mistakes_of_a_recipe(f"recipes.{name}", entry)
    for position, name in enumerate(config["run"]):
        if name not in config["experiments"]:
            yield f"run[{position}] is {name!r}; allowed are {', '.join(config['experiments'])}"


def _mistakes_of_case(table: str, entries: Mapping[str, Any]) -> Iterator[str]:
    """Names that differ only in case would be one folder on some systems."""
    seen: dict[str, str] = {}
    for name in entries:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            yield f"{table} has the names {other!r} and {name!r}; names must differ in more than case"


def _mistakes_of_a_dataset(where: str, dataset: Mapping[str, Any]) -> Iterator[str]:
    shapes = {key: file["shape"] for key, file in dataset["files"].items()}
    for part in ("train", "test"):
        images, labels = shapes[f"{part}_images"][0], shapes[f"{part}_labels"][0]
        if images != labels:
            yield f"{where} has {images} {part} images and {labels} {part} labels; there must be as many of each"
    if shapes["train_images"][1:] != shapes["test_images"][1:]:
        yield f"{where} has training and test images of different shapes; they must be alike"
    for position, source in enumerate(dataset["sources"]):
        if set(source) not in SOURCES:
            allowed = "a folder, a url, a url and its suffix, or a debian package and its folder"
            yield f"{where}.sources[{position}] has {' and '.join(source) or 'nothing'}; allowed are {allowed}"
        if "@" in source.get("url", "").partition("://")[2].partition("/")[0]:
            yield (
                f"{where}.sources[{position}].url holds a user's name or password, which the log and the page would "
                "show; name the address without them, or a folder"
            )


def _mistakes_of_a_fraction(where: str, fraction: Mapping[str, Any], datasets: Mapping[str, Any]) -> Iterator[str]:
    named, validation = fraction["dataset"], fraction["validation"]
    if named not in datasets:
        yield f"{where}.dataset is {named!r}; allowed are {', '.join(datasets)}"
    train = datasets[named]["files"]["train_images"]["shape"][0]
    held_out = fold_size(train) if validation == FOLD else 0
    if validation == FOLD and not held_out:
        why = f"a held-out fold is a sixth of the training images, at least 6, and {named} has {train}"
        yield f"{where}.validation is fold; allowed is test, since {why}"
    if fraction["images"] > train - held_out:
        of = f"the training images of {named} with validation: {validation}"
        yield f"{where}.images is {fraction['images']}; allowed are 1 to {train - held_out}, {of}"


def _mistakes_of_a_recipe(where: str, recipe: Mapping[str, Any]) -> Iterator[str]:
    momentum, decay, optimizer, schedule = (recipe[key] for key in ("momentum", "decay", "optimizer", "schedule"))
    if ("epochs" in recipe) == ("updates" in recipe):
        found = "both epochs and updates" if "epochs" in recipe else "neither epochs nor updates"
        yield f"{where} has {found}; it needs exactly one of them"
    if momentum and optimizer != "sgd":
        yield f"{where}.momentum is {momentum} with the optimizer {optimizer}; it is allowed with sgd only"
    if recipe["nesterov"] and not momentum:
        yield f"{where}.nesterov is true without momentum; it is allowed with momentum only"
    if decay and schedule != "constant":
        yield f"{where}.decay is {decay} with the schedule {schedule}; it is allowed with the schedule constant only"
    if recipe["label_smoothing"] and recipe["loss"] == "sparse":
        yield f"{where}.label_smoothing is allowed with the loss categorical only"


def _experiment(name: str, entry: Mapping[str, Any], config: Mapping[str, Any]) -> Experiment:
    cells: list[Cell] = []
    for position, lists in enumerate(entry["cells"]):
        where = f"experiments.{name}.cells[{position}]"
        for cell in _expand(lists, where, config):
            if cell in cells:
                raise UserError(f"config: {where} names the cell {cell.name} a second time; each cell may stand once.")
            cells.append(cell)
    other, known = entry.get("beside"), {cell.architecture for cell in cells}
    if other and other["architecture"] not in known:
        raise UserError(
            f"config: experiments.{name}.beside.architecture is {other['architecture']!r}; allowed are those of its "
            f"cells: {', '.join(sorted(known))}."
        )
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
            if one not in config[TABLES[axis]]:
                raise UserError(
                    f"config: {where}.{axis} is {one!r}; allowed are {', '.join(sorted(config[TABLES[axis]]))}."
                )
    return (Cell(*combination) for combination in itertools.product(*names))


def _seeds(value: Any, where: str) -> tuple[int, ...] | Pilot | Looks:
    if isinstance(value, int):
        return tuple(range(value))
    if isinstance(value, dict) and "looks" in value:
        return _looks(value, where)
    if isinstance(value, dict):
        if value["most"] < value["pilot"]:
            raise UserError(f"config: {where}.most is {value['most']}; it must be at least pilot, {value['pilot']}.")
        return Pilot(**value)
    return tuple(value)


def _looks(value: Mapping[str, Any], where: str) -> Looks:
    if "pilot" in value:
        raise UserError(
            f"config: {where} has both looks and pilot, perhaps from two files laid over each other; allowed is one."
        )
    looks, spend = tuple(value["looks"]), tuple(value["spend"])
    if any(later <= earlier for earlier, later in itertools.pairwise(looks)):
        raise UserError(f"config: {where}.looks is {list(looks)}; each look must have more seeds than the one before.")
    if len(spend) != len(looks):
        raise UserError(f"config: {where}.spend has {len(spend)} levels for {len(looks)} looks; each look needs one.")
    if not math.isclose(sum(spend), LEVEL):
        raise UserError(f"config: {where}.spend adds up to {sum(spend):g}; it must add up to {LEVEL}.")
    held = value.get("held", len(looks))
    if held > len(looks):
        raise UserError(f"config: {where}.held is {held}; there are {len(looks)} looks.")
    return Looks(looks, spend, held)


def _check_same_looks(experiments: Iterable[Experiment]) -> None:
    """The claims of a family are judged together, and so at the same looks."""
    looking = [one for one in experiments if isinstance(one.seeds, Looks)]
    for other in looking[1:]:
        if other.seeds != looking[0].seeds:
            raise UserError(
                f"config: the experiments {looking[0].name} and {other.name} have different looks; all that have looks "
                "must have the same, since their claims are judged together."
            )
