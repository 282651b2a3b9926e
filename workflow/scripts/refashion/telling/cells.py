"""What cells and the entries of their names are called in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from refashion import formatting as fmt
from refashion.study.model import AXES

Analysis = dict[str, Any]


def cell_name(analysis: Analysis, cell: str) -> str:
    """A cell in words: the original's own for its columns ('1 Layer CNN, Full dataset'), else what is trained.

    '1 Layer CNN, 60,000 images, affine, 11,750 updates'; the recipe's name is added where another cell reads the same.
    """
    for column in analysis["table"]["columns"]:
        if column["cell"] == cell:
            return f"{column['title']}, {column['data']}"
    titles = {one["architecture"]: one["title"] for one in analysis["audit"]}
    titles |= {column["cell"].split("/")[0]: column["title"] for column in reversed(analysis["table"]["columns"])}
    told = {one["cell"]: _trained(one, titles) for one in analysis["cells"]}
    if cell not in told:
        return " \u00b7 ".join(cell.split("/"))
    same = [name for name, words in told.items() if words == told[cell]]
    return told[cell] if len(same) == 1 else f"{told[cell]} ({_apart(cell, same)})"


def _trained(cell: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """What a run of the cell trains, in words."""
    validation = "" if cell["validation"] in (None, "test") else ", held-out images"
    augmented = {"none": "", "affine": "augmented"}.get(cell["augmentation"], cell["augmentation"].replace("_", " "))
    parts = [
        titles.get(cell["architecture"], cell["architecture"]),
        f"{fmt.plural(cell['images'], 'image')}{validation}",
        augmented,
        fmt.plural(cell["updates"], "update"),
    ]
    return ", ".join(part for part in parts if part)


def _apart(cell: str, same: Sequence[str]) -> str:
    """The entries of a cell's name in which it differs from the others that read the same."""
    axes = zip(*(name.split("/") for name in same), strict=True)
    return ", ".join(entry for entry, axis in zip(cell.split("/"), axes, strict=True) if len(set(axis)) > 1)


def names_of_cells(analysis: Analysis, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the names of the study's cells stand for: (name, definition in the config's words), by axis."""
    told = []
    for axis in AXES:
        entries = config[f"{axis}s"]
        for name in dict.fromkeys(cell[axis] for cell in analysis["cells"] if cell[axis] in entries):
            settings = (setting_told(*setting) for setting in entries[name].items() if setting[1] is not None)
            told.append((name, ", ".join(settings)))
    return told


def setting_told(key: str, value: Any) -> str:
    """One setting in words: `rotation 8`, and a switch that is on by its name alone."""
    words = key.replace("_", " ")
    return words if value is True else f"{words} {value}"
