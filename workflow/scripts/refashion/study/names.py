"""What networks, cells and their settings are called in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from refashion import formatting as fmt
from refashion.networks import architectures
from refashion.study.model import AXES, FOLD, TABLES, Cell, Study
from refashion.study.schema import recipe_defaults

#: A setting in words, where its key and value alone are none.
_TOLD: dict[str, Callable[[Any], str]] = {
    "activation": lambda value: f"{value} activation",
    "batch_size": lambda value: f"batches of {fmt.count(value)}",
    "epochs": lambda value: fmt.plural(value, "epoch"),
    "images": lambda value: fmt.plural(value, "image"),
    "input": lambda value: {"pad": "padded input", "resize": "resized input"}.get(value, f"input {value}"),
    "loss": lambda value: f"{value} loss",
    "optimizer": lambda value: {"adam": "Adam", "rmsprop": "RMSprop", "sgd": "SGD"}.get(value, value),
    "pooling": lambda value: f"{value} pooling",
    "precision": lambda value: value.replace("_", " "),
    "schedule": lambda value: f"{value} schedule",
    "shuffle": lambda value: {"once": "one order for all epochs", "each_epoch": "a new order each epoch"}[value],
    "updates": lambda value: fmt.plural(value, "update"),
    "validation": lambda value: f"validated on {'held-out' if value == FOLD else value} images",
}


def setting(key: str, value: Any) -> str:
    """One setting in words: `RMSprop`, `learning rate 0.0003`, and a switch that is on by its name alone."""
    if key in _TOLD:
        return _TOLD[key](value)
    words = key.replace("_", " ")
    return words if value is True else f"{words} {value}"


def unlike(entry: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> list[str]:
    """The settings of an entry of the config in which it differs from any of the others, in words.

    What is off (None, false or 0, of a seed None alone) has no words. Nor have `layers`, which are a network and no
    setting.
    """
    others = list(others)
    after_optimizer = sorted(entry.items(), key=lambda one: one[0] in ("learning_rate", "momentum"))
    return [
        setting(key, value)
        for key, value in after_optimizer
        if (value or (key == "subset_seed" and value == 0))
        and key != "layers"
        and any(other.get(key) != value for other in others)
    ]


@dataclass(frozen=True)
class Names:
    """The words of a study's cells. `original`: config/original.yaml, whose own words come first.

    beside: cells that the study does not run, from which its own are told apart, too.
    """

    study: Study
    original: Mapping[str, Any]
    beside: tuple[Cell, ...] = ()

    @cached_property
    def _titles(self) -> dict[str, str]:
        """The networks that the original names, by architecture; where two have one name, with the architecture's."""
        summaries = {name: summary["title"] for name, summary in self.original["summaries"].items()}
        columns = {
            column["cell"].split("/")[0]: column["title"] for column in reversed(self.original["table"]["columns"])
        }
        titles = summaries | columns
        often = Counter(titles.values())
        return {name: f"{title} ({name})" if often[title] > 1 else title for name, title in titles.items()}

    @cached_property
    def columns(self) -> dict[str, str]:
        """The columns of the original's table, by cell: `1 Layer CNN, 1 fold`."""
        return {
            column["cell"]: f"{column['title']}, {_inside_a_sentence(column['data'])}"
            for column in self.original["table"]["columns"]
        }

    def network(self, architecture: str) -> str:
        """A network: the original's own name, with what is unlike in one that is built by the same builder."""
        if architecture in self._titles:
            return self._titles[architecture]
        entries = self.study.config["architectures"]
        own = architectures.definition(entries[architecture])
        for name, title in self._titles.items():
            if "layers" not in own and name in entries and entries[name]["builder"] == own["builder"]:
                base = architectures.definition(entries[name])
                off = [f"no {key.replace('_', ' ')}" for key in base if base[key] and not own[key]]
                words = ", ".join([title, *off, *unlike(own, [base])])
                return words if words != title else f"{title} ({architecture})"
        return architecture.replace("_", " ")

    def level(self, factor: str, cell: Cell) -> str:
        """What a cell is in a factor: its network, its images or its augmentation."""
        if factor == "architecture":
            return self.network(cell.architecture)
        return self._images(cell) if factor == "fraction" else augmentation(cell.augmentation)

    def _images(self, cell: Cell) -> str:
        held_out = self._entry("fraction", cell.fraction)["validation"] == FOLD
        return fmt.plural(self.study.images(cell), "image") + (", validated on held-out ones" if held_out else "")

    def cell(self, cell: Cell) -> str:
        """A cell: `1 Layer CNN, 60,000 images, augmented, 11,750 updates`.

        Where others read the same, with the settings that differ and are not the default.
        """
        if cell.name in self.columns:
            return self.columns[cell.name]
        words = self._trained(cell)
        same = [other for other in self._alike.get(words, ()) if other != cell]
        apart = self._apart(cell, same, but=recipe_defaults() | {"updates": self.study.updates(cell)})
        return f"{words}, {apart}" if apart else words

    @cached_property
    def _alike(self) -> dict[str, list[Cell]]:
        """The cells by what their runs train."""
        alike: dict[str, list[Cell]] = {}
        for cell in dict.fromkeys([*self.study.cells(), *self.beside]):
            alike.setdefault(self._trained(cell), []).append(cell)
        return alike

    def _trained(self, cell: Cell) -> str:
        augmented = {"none": "", "affine": "augmented"}.get(cell.augmentation, cell.augmentation.replace("_", " "))
        parts = [
            self.network(cell.architecture),
            self._images(cell),
            augmented,
            fmt.plural(self.study.updates(cell), "update"),
        ]
        return ", ".join(part for part in parts if part)

    def variants(self, cells: Iterable[Cell]) -> dict[Cell, str]:
        """What each cell is among those of its network; "" for the only one."""
        cells = list(cells)
        networks: dict[str, list[Cell]] = {}
        for cell in cells:
            networks.setdefault(cell.architecture, []).append(cell)
        return {cell: self._apart(cell, networks[cell.architecture]) for cell in cells}

    def _apart(self, cell: Cell, others: Sequence[Cell], but: Mapping[str, Any] = MappingProxyType({})) -> str:
        """The settings in which a cell differs from others, those of `but` left out; augmentations go by name."""
        parts = []
        for axis in AXES[1:]:
            own, there = getattr(cell, axis), {getattr(other, axis) for other in others}
            if there <= {own}:
                continue
            if axis == "augmentation":
                parts.append(augmentation(own))
                continue
            told = {key: value for key, value in self._entry(axis, own).items() if key not in but or but[key] != value}
            parts += unlike(told, [self._entry(axis, name) for name in there])
        return ", ".join(parts)

    def _entry(self, axis: str, name: str) -> Mapping[str, Any]:
        """What the config says of a name on an axis."""
        entry: Mapping[str, Any] = self.study.config[TABLES[axis]][name]
        return entry


def _inside_a_sentence(text: str) -> str:
    """A text without the capital with which it begins, unless that is an acronym's."""
    return text[0].lower() + text[1:] if text[1:2].islower() else text


def augmentation(name: str) -> str:
    """An augmentation by its name."""
    return "no augmentation" if name == "none" else name.replace("_", " ")
