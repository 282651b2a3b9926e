"""What cells and the entries of their names are called in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refashion.study.model import AXES
from refashion.study.names import setting

Analysis = dict[str, Any]


def cell_name(analysis: Analysis, cell: str) -> str:
    """A cell in words: `1 Layer CNN, 60,000 images, augmented, 11,750 updates`; its name if no experiment holds it."""
    words: str = analysis["names"]["cells"].get(cell, cell)
    return words


def names_of_cells(analysis: Analysis, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the names of the study's cells stand for: (name, definition in the config's words), by axis."""
    told = []
    for axis in AXES:
        entries = config[f"{axis}s"]
        for name in dict.fromkeys(cell[axis] for cell in analysis["cells"] if cell[axis] in entries):
            settings = (setting(*pair) for pair in entries[name].items() if pair[1] is not None)
            told.append((name, ", ".join(settings)))
    return told
