"""What the figures share: the sketch of a figure, panels, rows with their words, and marks.

Accuracies are in percent, differences in percentage points (pp). `Analysis` is analysis.json as read.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.cells import Analysis, cell_name
from refashion.telling.figures.style import HAIR, INK, MUTED, NARROW, PAPER, SERIES, WIDE, new_figure, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
else:  # imported late; the modules beside this one have both names from here
    Axes = Figure = Any

#: More seeds than this in one row are thinned to every k-th, with a note in the caption.
MOST_SEEDS = 60
#: More rows than this in one panel would be no figure any more; results/cells.csv has them all.
MOST_ROWS = 60


@dataclass(frozen=True)
class Sketch:
    """A figure before it is drawn: its words, the rows of its CSV, and `draw(phone)`, which draws it.

    `found`: the title where the study is evidence. `notes`: sentences, each after a space, that follow the caption in
    report/captions. `alternative`: what it shows, for who cannot see it. `reason`: why there is nothing to draw.
    """

    title: str
    found: str | None = None
    notes: str = ""
    alternative: str = ""
    data: list[dict[str, Any]] = field(default_factory=list)
    draw: Callable[[bool], Figure] | None = None
    reason: str = ""


# --- What is shown ----------------------------------------------------------------------------------------------------


def told(kind: str, shown: Iterable[str]) -> str:
    """A figure in words: what kind it is, and what each of its marks shows."""
    return f"{kind}. {' '.join(shown)}"


def original_cells(analysis: Analysis) -> list[str]:
    """The cells of the original's columns, in the table's order."""
    return [column["cell"] for column in analysis["table"]["columns"]]


def named(analysis: Analysis, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each with its cell's name in words."""
    return [one | {"name": cell_name(analysis, one["cell"])} for one in rows]


def of_original(analysis: Analysis, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the original's cells, with their names; where none of these is known, the first eight of all."""
    wanted = original_cells(analysis)
    return named(analysis, [one for one in rows if one["cell"] in wanted] or rows[:8])


def validated_on_augmented(analysis: Analysis) -> bool:
    """Whether a column of the original is validated on augmented images: its accuracy on plain ones is another."""
    own = {one["cell"]: one["metrics"] for one in analysis["cells"]}
    known = [own[cell] for cell in original_cells(analysis) if cell in own]
    return any(one["val_accuracy"]["mean"] != one["clean_accuracy"]["mean"] for one in known)


def runs_note(counts: Iterable[int]) -> str:
    """What a caption adds of marks that stand for so many runs: single ones, and ones that are not all drawn."""
    counts = set(counts)
    most = max(counts, default=0)
    note = " A thin grey ring is a single run, which has no interval and proves little." if 1 in counts else ""
    if most > MOST_SEEDS:
        note += (
            f" Of {fmt.plural(most, 'seed')}, every {math.ceil(most / MOST_SEEDS)}th is drawn; the data have them all."
        )
    return note


def ends(interval: Sequence[float] | None, low: str = "low", high: str = "high") -> dict[str, float | None]:
    """Both ends of an interval as columns of a CSV, empty where there is none."""
    return dict(zip((low, high), interval or (None, None), strict=True))


def sample_columns(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A sample's columns in a CSV."""
    values = " ".join(f"{value:.4f}" for value in sample["values"])
    return (
        {"n": sample["n"], "mean": sample["mean"], "sd": sample["sd"]} | ends(sample["interval"]) | {"values": values}
    )


def thin(values: Sequence[float]) -> list[float]:
    """Every k-th value, so that at most MOST_SEEDS remain."""
    return list(values[:: math.ceil(len(values) / MOST_SEEDS) or 1])


def architecture_colours(analysis: Analysis) -> dict[str, str]:
    """A colour a network, those of the original first; they repeat after six."""
    cells = [*original_cells(analysis), *(row["cell"] for row in analysis["cells"])]
    names = dict.fromkeys(cell.split("/")[0] for cell in cells)
    return {name: SERIES[i % len(SERIES)] for i, name in enumerate(names)}


# --- Panels and rows --------------------------------------------------------------------------------------------------


def grid(count: int, phone: bool, height: float, columns: int = 3, **options: Any) -> tuple[Figure, list[Axes]]:
    """So many panels of `height` inches, side by side on a wide page, one below the other on a phone."""
    columns = 1 if phone else min(columns, count)
    rows = math.ceil(count / columns)
    figure, axes = new_figure(NARROW if phone else WIDE, height * rows + 0.3, rows, columns, **options)
    for spare in axes[count:]:
        spare.set_axis_off()
    return figure, axes[:count]


@dataclass(frozen=True)
class Row:
    """The words of a row of marks: its name, what stands below it, what stands at the right, and where it leads."""

    name: str
    below: str = ""
    right: str = ""
    colour: str = INK  # of what stands at the right
    address: str | None = None


#: Inches: a line of words, and below them the marks of a row on a phone; below a panel, its axis.
_LINE, _MARKS, _FOOT = 0.175, 0.36, 0.5


def row_panels(
    panels: Sequence[tuple[str, Sequence[Row]]], phone: bool, xlabel: str, head: float = 0.1
) -> tuple[Figure, list[Axes]]:
    """Titled panels one below the other, in which the marks of row i are drawn at height i.

    The words of a row stand beside its marks, on a phone above them. `head`: inches above each panel, for a legend.
    """
    width, left, right = (NARROW, 0.12, 0.12) if phone else (WIDE, 2.95, 1.6)
    across = width - left - right
    edge = 0.0 if phone else -left / across  # where words begin, as a share of the panel's width
    lines = 1 + any(row.below for _, rows in panels for row in rows)
    pitch = _LINE * lines + (_MARKS if phone else 0.04)
    below = _MARKS / 2 / pitch if phone else 0.5  # of a row, below the middle of its marks
    heads = [head + (0.2 if title else 0) for title, _ in panels]
    ceiling = sum(above + pitch * len(rows) + _FOOT for above, (_, rows) in zip(heads, panels, strict=True))
    figure, axes = blank(width, ceiling), []
    for above, (title, rows) in zip(heads, panels, strict=True):
        bottom = ceiling - above - pitch * len(rows)
        panel = place_axes(figure, left, bottom, across, pitch * len(rows))
        panel.set_ylim(len(rows) - 1 + below, below - 1)
        panel.set_yticks([])
        panel.grid(axis="x")
        panel.set_xlabel(xlabel)
        heading = wrap(title, 44 if phone else 60, 1)
        panel.text(edge, 1, heading, transform=panel.transAxes, weight="bold", va="bottom")
        for y, row in enumerate(rows):
            panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)
            _write(panel, y, row, edge, phone)
        axes.append(panel)
        ceiling = bottom - _FOOT
    return figure, axes


def _write(panel: Axes, y: float, row: Row, edge: float, phone: bool) -> None:
    """The words of the row at height y, beside its marks or, on a phone, above them."""
    line, two = 72 * _LINE, bool(row.below)
    up = 36 * _MARKS + line * (two + 0.5) if phone else line * two / 2  # points from the marks to the name
    place: dict[str, Any] = {"xycoords": panel.get_yaxis_transform(), "textcoords": "offset points", "va": "center"}
    place |= {"annotation_clip": False, "size": 8.5}
    name = wrap(row.name, 57 - len(row.right) if phone else 48, 1)
    panel.annotate(name, (edge, y), (0, up), url=row.address, weight="bold" if two else "normal", **place)
    panel.annotate(wrap(row.below, 60 if phone else 50, 1), (edge, y), (0, up - line), color=MUTED, **place)
    place |= {"xytext": (0, up), "ha": "right"} if phone else {"xytext": (9, 0)}
    panel.annotate(row.right, (1, y), color=row.colour, weight="normal" if row.colour == INK else "bold", **place)


def blank(width: float, height: float) -> Figure:
    """A figure of so many inches, without axes."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def place_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes placed in inches from the figure's lower left corner."""
    w, h = figure.get_size_inches()
    return figure.add_axes((left / w, bottom / h, width / w, height / h))


def legend(panel: Axes, columns: int) -> None:
    """A legend above the panel, of each label once."""
    marks = dict(zip(*panel.get_legend_handles_labels()[::-1], strict=True))
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": columns, "fontsize": 8.5}
    panel.legend(list(marks.values()), list(marks), **place)


# --- Marks and labels -------------------------------------------------------------------------------------------------


def ring(colour: str, n: int, size: float = 6) -> dict[str, Any]:
    """The look of a mean of `n` runs: a ring in its colour; of a single run: a thin grey one."""
    look = {"linestyle": "none", "marker": "o", "markerfacecolor": PAPER, "markersize": size}
    return look | (
        {"markeredgecolor": MUTED, "markeredgewidth": 1.0}
        if n == 1
        else {"markeredgecolor": colour, "markeredgewidth": 1.8}
    )


def mark_runs(panel: Axes, y: float, sample: Mapping[str, Any], colour: str, told: str, zero: float = 0.0) -> None:
    """The runs of row y as ticks, the interval of their mean as a line, the mean as a ring; `zero` is taken off all."""
    for value in thin(sample["values"]) if sample["n"] > 1 else ():
        (tick,) = panel.plot(value - zero, y + 0.2, "|", color=colour, markersize=5, markeredgewidth=0.9)
        tell(tick, f"a run: {fmt.percent(value)}")
    if sample["interval"]:
        panel.plot([end - zero for end in sample["interval"]], [y, y], color=colour, linewidth=3)
    (mark,) = panel.plot(sample["mean"] - zero, y, zorder=4, **ring(colour, sample["n"]))
    tell(mark, told)


def mark_mean(panel: Axes, x: float, sample: Mapping[str, Any], colour: str) -> None:
    """A mean at x as a ring, with its interval upright."""
    if sample["interval"]:
        panel.plot([x, x], sample["interval"], color=colour, linewidth=1.3)
    panel.plot(x, sample["mean"], **ring(colour, sample["n"], 5.5))


def tile(panel: Axes, x: float, y: float, colour: str, alpha: float, text: str, size: float) -> None:
    """A tile of a matrix with a number on it. The layout takes no note of it: it would measure a thousand of them."""
    from matplotlib.patches import Rectangle

    look: dict[str, Any] = {"facecolor": colour, "alpha": alpha, "linewidth": 0, "in_layout": False}
    panel.add_patch(Rectangle((x - 0.48, y - 0.47), 0.96, 0.94, **look))
    panel.text(x, y, text, ha="center", va="center", size=size, in_layout=False)


def wrap(text: str, width: int, lines: int = 3) -> str:
    """Text in at most so many lines; what is cut ends in an ellipsis."""
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" \u2026"))


def name_rows(axes: Axes, names: Sequence[str], width: int = 24, size: float = 8.5) -> None:
    """Names of rows 0, 1, ... left of the axes, at most two lines each, the first row on top.

    Each line is a text of its own: an SVG viewer with another font keeps its alignment.
    """
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "ha": "right"}
    for y, name in enumerate(names):
        lines = wrap(name, width, 2).split("\n")
        for i, line in enumerate(lines):
            up = 1.25 * size * ((len(lines) - 1) / 2 - i)
            axes.annotate(line, (0, y), (-6, up), va="center", size=size, annotation_clip=False, **place)


def label_ends(panel: Axes, ends: list[tuple[str, float, str]], x: float, gap: float) -> None:
    """Names at `x`, beside the ends of lines, kept apart by `gap` of the panel's height (its limits must be final)."""
    low, high = panel.transLimits.inverted(), panel.transLimits
    heights = [high.transform(panel.transScale.transform((1, value)))[1] for _, value, _ in ends]
    for (name, _, colour), height in zip(ends, pushed_apart(heights, gap * (len(ends) > 1)), strict=True):
        at = panel.transScale.inverted().transform(low.transform((0, height)))[1]
        panel.text(x, at, name, color=colour, va="center", size=8.5, weight="bold")


def pushed_apart(positions: Sequence[float], gap: float) -> list[float]:
    """Positions for labels, in the given order, moved as little as needed (least squares) to lie `gap` apart."""
    import numpy as np
    from scipy.optimize import isotonic_regression

    order, steps = np.argsort(positions, kind="stable"), gap * np.arange(len(positions))
    moved = np.empty(len(positions))
    moved[order] = isotonic_regression(np.asarray(positions)[order] - steps).x + steps
    return moved.tolist()
