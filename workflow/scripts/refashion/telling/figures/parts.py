"""What the figures share: the sketch of a figure, names of cells, and small parts of drawings.

Accuracies are in percent, differences in percentage points (pp). `Analysis` is analysis.json as read.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures.style import HAIR, MUTED, PAPER, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Analysis = dict[str, Any]

#: Between the parts of a name.
DOT = " \u00b7 "
#: More seeds than this in one row are thinned to every k-th, with a note in the caption.
MOST_SEEDS = 60
#: More rows than this in one panel would be no figure any more; results/cells.csv has them all.
MOST_ROWS = 60


@dataclass(frozen=True)
class Sketch:
    """A figure before it is drawn. `draw(narrow)` draws it; None where `reason` says why there is nothing to draw."""

    title: str
    caption: str = ""
    alternative: str = ""
    data: list[dict[str, Any]] = field(default_factory=list)
    draw: Callable[[bool], Figure] | None = None
    phone: bool = False
    reason: str = ""


# --- Words ------------------------------------------------------------------------------------------------------------


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
        return DOT.join(cell.split("/"))
    same = [name for name, words in told.items() if words == told[cell]]
    return told[cell] if len(same) == 1 else f"{told[cell]} ({_apart(cell, same)})"


def _trained(cell: dict[str, Any], titles: dict[str, str]) -> str:
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
    axes = list(zip(*(name.split("/") for name in same), strict=True))
    return ", ".join(entry for entry, axis in zip(cell.split("/"), axes, strict=True) if len(set(axis)) > 1)


def finding(analysis: Analysis, title: str, found: str | None) -> str:
    """The title of a figure: what was found, where something was and the study is evidence, else what is shown."""
    return found if found and analysis["study"]["evidence"] else title


def original_cells(analysis: Analysis) -> list[str]:
    """The cells of the original's columns, in the table's order."""
    return [column["cell"] for column in analysis["table"]["columns"]]


def validated_on_augmented(analysis: Analysis) -> bool:
    """Whether a column of the original is validated on augmented images: its accuracy on plain ones is another."""
    own = {one["cell"]: one["metrics"] for one in analysis["cells"]}
    known = [own[cell] for cell in original_cells(analysis) if cell in own]
    return any(one["val_accuracy"]["mean"] != one["clean_accuracy"]["mean"] for one in known)


def seeds_note(most: int) -> str:
    """What a caption adds where a row has `most` seeds and only some are drawn."""
    if most <= MOST_SEEDS:
        return ""
    return f" Of {fmt.plural(most, 'seed')}, every {math.ceil(most / MOST_SEEDS)}th is drawn; the data have them all."


#: What a caption says of `ring`.
LONE_RUN = "A thin grey ring is a single run, which has no interval and proves little."


def lone_note(counts: Iterable[int]) -> str:
    """What a caption adds where a mark is a single run."""
    return f" {LONE_RUN}" if 1 in counts else ""


def low_high(interval: list[float] | None) -> tuple[float | None, float | None]:
    """Both ends of an interval, None twice where there is none."""
    return (interval[0], interval[1]) if interval else (None, None)


def sample_columns(sample: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A sample's columns in a CSV."""
    low, high = low_high(sample["interval"])
    values = " ".join(f"{value:.4f}" for value in sample["values"])
    return {
        f"{prefix}n": sample["n"],
        f"{prefix}mean": sample["mean"],
        f"{prefix}sd": sample["sd"],
        f"{prefix}low": low,
        f"{prefix}high": high,
        f"{prefix}values": values,
    }


# --- Parts of drawings ------------------------------------------------------------------------------------------------


def thin(values: Sequence[float], most: int = MOST_SEEDS) -> list[float]:
    """Every k-th value, so that at most `most` remain."""
    return list(values[:: math.ceil(len(values) / most) or 1]) if values else []


def pushed_apart(positions: Sequence[float], gap: float) -> list[float]:
    """Positions for labels, in the given order, moved as little as needed to lie at least `gap` apart."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    groups: list[list[int]] = []

    def bounds(group: list[int]) -> tuple[float, float]:
        middle, half = fmean(positions[i] for i in group), gap * (len(group) - 1) / 2
        return middle - half, middle + half

    for index in order:
        groups.append([index])
        while len(groups) > 1 and bounds(groups[-2])[1] + gap > bounds(groups[-1])[0]:
            groups[-2:] = [groups[-2] + groups[-1]]
    result = [0.0] * len(positions)
    for group in groups:
        start = bounds(group)[0]
        for rank, index in enumerate(group):
            result[index] = start + gap * rank
    return result


def known_points(x: Sequence[float], *series: Sequence[float | None]) -> list[tuple[float, ...]]:
    """Columns of x and series without the places where a series has no value."""
    rows = [row for row in zip(x, *series, strict=True) if None not in row]
    return list(zip(*rows, strict=True)) if rows else [()] * (1 + len(series))


def _colours(names: Iterable[str]) -> dict[str, str]:
    """A colour a name, in order of appearance; they repeat after six."""
    return {name: SERIES[i % len(SERIES)] for i, name in enumerate(dict.fromkeys(names))}


def architecture_colours(analysis: Analysis) -> dict[str, str]:
    cells = [*original_cells(analysis), *(row["cell"] for row in analysis["cells"])]
    return _colours(cell.split("/")[0] for cell in cells)


def ring(colour: str, n: int, size: float = 6) -> dict[str, Any]:
    """The look of a mean of `n` runs: a ring in its colour; of a single run: a thin grey one."""
    edge, width = (MUTED, 1.0) if n == 1 else (colour, 1.8)
    return {"marker": "o", "markerfacecolor": PAPER, "markeredgecolor": edge, "markersize": size} | {
        "markeredgewidth": width
    }


def wrap(text: str, width: int, lines: int = 3) -> str:
    """Text in at most so many lines; what is cut ends in an ellipsis."""
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" \u2026"))


def text_lines(axes: Axes, text: str, xy: tuple[float, float], offset: tuple[float, float], **options: Any) -> None:
    """Text line by line beside a point of the data: an SVG viewer with another font keeps each line's alignment.

    `offset` is in points from the point to the middle of the text.
    """
    lines = text.split("\n")
    pitch = 1.25 * options.get("size", 9.5)
    for i, line in enumerate(lines):
        place = (offset[0], offset[1] + pitch * ((len(lines) - 1) / 2 - i))
        axes.annotate(line, xy, place, textcoords="offset points", va="center", annotation_clip=False, **options)


def name_rows(axes: Axes, names: Sequence[str], width: int = 24, size: float = 9.5) -> None:
    """Names of rows 0, 1, ... left of the axes, at most two lines each, the first row on top."""
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    for y, name in enumerate(names):
        place = {"xycoords": axes.get_yaxis_transform(), "ha": "right", "size": size}
        text_lines(axes, wrap(name, width, 2), (0, y), (-6, 0), **place)


def label_ends(panel: Axes, ends: list[tuple[str, float, str]], x: float, gap: float, size: float = 8.5) -> None:
    """Names at `x`, beside the ends of lines, kept apart by `gap` of the panel's height (its limits must be final)."""
    low, high = panel.transLimits.inverted(), panel.transLimits
    heights = [high.transform(panel.transScale.transform((1, value)))[1] for _, value, _ in ends]
    for (name, _, colour), height in zip(ends, pushed_apart(heights, gap * (len(ends) > 1)), strict=True):
        at = panel.transScale.inverted().transform(low.transform((0, height)))[1]
        panel.text(x, at, name, color=colour, va="center", size=size, weight="bold")


def rule_rows(panel: Axes, rows: int) -> None:
    panel.grid(axis="x")
    for y in range(rows):
        panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)


def place_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes placed in inches from the figure's lower left corner."""
    w, h = figure.get_size_inches()
    return figure.add_axes((left / w, bottom / h, width / w, height / h))


def blank(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))
