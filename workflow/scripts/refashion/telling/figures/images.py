"""What the networks get wrong: by class, and image by image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import BLUE, HAIR, NARROW, ORANGE, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_AS_VALIDATED = "Images as validated (augmented where the original augments them). "


def confusion(analysis: Analysis) -> Sketch:
    """Which class is taken for which, mean over runs."""
    title = "What is taken for what"
    cells = [one for one in analysis["confusion"] if one["counts"]]
    names = analysis["classes"]
    if not cells:
        reasons = [one["reason"] for one in analysis["confusion"] if one["reason"]]
        return Sketch(title, reason=fmt.sentence(reasons[0] if reasons else "", "No predictions are there to count."))
    data = [
        {"cell": one["cell"], "n": one["n"], "true": names[i], "predicted": names[j], "images": value}
        for one in cells
        for i, row in enumerate(one["counts"])
        for j, value in enumerate(row)
    ]
    mistakes = [row for row in data if row["true"] != row["predicted"]]
    worst = max(mistakes, key=lambda row: row["images"])
    most = (
        f"The most frequent mistake of all panels is {worst['true']} taken for {worst['predicted']}, "
        f"{fmt.plural(round(worst['images']), 'image')} a run, in {parts.cell_name(analysis, worst['cell'])} "
        f"({fmt.plural(worst['n'], 'run')})."
    )
    title = parts.finding(analysis, title, f"The most frequent mistake: {worst['true']} taken for {worst['predicted']}")
    caption = (
        f"{_AS_VALIDATED if parts.validated_on_augmented(analysis) else ''}"
        "Rows are what a garment is, columns what the network says; numbers are images a run, mean over runs, mistakes "
        f"only (right answers are grey). Numbers below {_WRITTEN} are not written, those below {_COLOURED} not "
        f"coloured. {most}"
    )
    alternative = f"Confusion matrices of {fmt.plural(len(cells), 'cell')}. {most}"
    return Sketch(title, caption, alternative, data, lambda phone: _draw_confusion(analysis, cells, names, phone), True)


#: Mistakes a run from which a tile has a colour, and a number (after rounding): smaller ones would be noise to the eye.
_COLOURED, _WRITTEN = 1, 10


def _draw_confusion(analysis: Analysis, cells: list[dict[str, Any]], names: list[str], phone: bool) -> Figure:
    """A panel a cell. On a phone they stand in one column, each with names of its own."""
    columns = 1 if phone else min(3, len(cells))
    rows = math.ceil(len(cells) / columns)
    size = (NARROW, 4.1 * rows) if phone else (WIDE, 0.7 + 2.75 * rows + 0.5)
    figure, axes = style.new_figure(*size, rows, columns, sharey=True, sharex=True)
    top = max(v for one in cells for i, row in enumerate(one["counts"]) for j, v in enumerate(row) if i != j) or 1
    short = [parts.wrap(name, 12, 1) for name in names]
    for panel, one in zip(axes, cells, strict=False):
        panel.set_title(parts.wrap(f"{parts.cell_name(analysis, one['cell'])}, {fmt.plural(one['n'], 'run')}", 34, 2))
        for i, row in enumerate(one["counts"]):
            for j, value in enumerate(row):
                _mistake(panel, i, j, value, top, 7.5 if phone else 6.5)
        panel.spines["bottom"].set_visible(False)
        panel.tick_params(length=0)
    for panel in axes[len(cells) :]:
        panel.set_axis_off()
    axes[0].set_xlim(-0.5, len(names) - 0.5)
    axes[0].set_xticks([])
    for row in range(rows):
        parts.name_rows(axes[row * columns], short, 12, 8.5 if phone else 8)
    below: dict[str, Any] = {"rotation": 90, "rotation_mode": "anchor", "ha": "right", "size": 8.5 if phone else 8}
    below |= {"textcoords": "offset points", "va": "center", "annotation_clip": False}
    for panel in axes[: len(cells)] if phone else axes[max(0, len(cells) - columns) : len(cells)]:
        for x, name in enumerate(short):
            panel.annotate(name, (x, 0), (0, -4), xycoords=panel.get_xaxis_transform(), **below)
    return figure


def _mistake(panel: Axes, i: int, j: int, value: float, top: float, size: float) -> None:
    """A tile of a confusion matrix. It takes no part in the layout, which would measure a thousand of them."""
    from matplotlib.patches import Rectangle

    if i == j or value >= _COLOURED:
        look = {"facecolor": HAIR} if i == j else {"facecolor": ORANGE, "alpha": 0.55 * value / top}
        panel.add_patch(Rectangle((j - 0.48, i - 0.48), 0.96, 0.96, linewidth=0, in_layout=False, **look))
    if i != j and round(value) >= _WRITTEN:
        panel.text(j, i, fmt.count(value), ha="center", va="center", size=size, in_layout=False)


def image_difficulty(analysis: Analysis) -> Sketch:
    """How many images are right in which share of the runs."""
    title = "How many runs are right about each garment"
    given = analysis["hardest"]
    bins = given["histogram"]
    if not bins or not sum(one["images"] for one in bins):
        return Sketch(title, reason=fmt.sentence(given["reason"], "No predictions are there to count."))
    total = sum(one["images"] for one in bins)
    tall = _too_tall(bins)
    left_out = ""
    if tall:
        left_out = (
            f" The bar of the {fmt.count(tall['images'])} images that {_bin_told(tall)} are right about is left out: "
            "beside it the others could not be seen."
        )
    right = f"{fmt.count(given['always_right'])} of {fmt.plural(total, 'garment')}"
    title = parts.finding(
        analysis, title, f"{right} are right in every run, {fmt.count(given['always_wrong'])} in none"
    )
    caption = (
        f"Test images, not augmented, by how many of {fmt.plural(given['n'], 'run')} of the original's networks are "
        f"right about them. {fmt.count(given['always_right'])} of {fmt.count(total)} are right in every run, "
        f"{fmt.count(given['always_wrong'])} wrong in every run; runs disagree only about the others.{left_out}"
    )
    alternative = f"Histogram. {caption}"
    return Sketch(title, caption, alternative, list(bins), lambda phone: _draw_difficulty(bins, tall, phone), True)


#: A bar this many times the next one would flatten all others; a logarithmic scale would lie about their heights.
_TALL = 4


def _too_tall(bins: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The one bar that has to be told in words, if there is one."""
    ordered = sorted(bins, key=lambda one: one["images"])
    if len(ordered) < 2 or not ordered[-2]["images"] or ordered[-1]["images"] < _TALL * ordered[-2]["images"]:
        return None
    return ordered[-1]


def _bin_told(one: dict[str, Any]) -> str:
    if one["low"] == one["high"]:
        return fmt.plural(one["high"], "run")
    return f"{fmt.count(one['low'])} to {fmt.plural(one['high'], 'run')}"


def _draw_difficulty(bins: list[dict[str, Any]], tall: dict[str, Any] | None, phone: bool) -> Figure:
    figure, (panel,) = style.new_figure(NARROW if phone else WIDE, 2.6)
    drawn = [one for one in bins if one is not tall]
    top = max(one["images"] for one in drawn)
    most = bins[-1]["high"]
    named = not phone and len(bins) <= 25  # more numbers than that would run into each other
    for one in drawn:
        middle = (one["low"] + one["high"]) / 2
        panel.bar(middle, one["images"], width=one["high"] - one["low"] + 0.9, color=BLUE, alpha=0.75)
        if named:
            panel.text(middle, one["images"] + 0.02 * top, fmt.count(one["images"]), ha="center", va="bottom", size=8.5)
    if tall:
        words = f"{fmt.count(tall['images'])},\nnot drawn"
        side = "right" if tall["high"] == most else "left" if tall["low"] == 0 else "center"
        edge = {"right": tall["high"] + 0.45, "left": tall["low"] - 0.45}.get(side, (tall["low"] + tall["high"]) / 2)
        for line, text in enumerate(words.split("\n")):
            panel.text(
                edge, top * (1.25 - 0.09 * line), text, ha=side, va="center", size=8.5, weight="bold", color=BLUE
            )
    panel.set_ylim(0, top * (1.3 if tall else 1.1))
    panel.set_xlim(-0.7, most + 0.7)
    step = next(size * 10**e for e in range(9) for size in (1, 2, 5) if most <= 10 * size * 10**e)
    ticks = range(0, most + 1, step)
    panel.set_xticks(ticks, [fmt.count(tick) for tick in ticks])
    panel.yaxis.set_major_formatter(lambda value, _: fmt.count(value))
    panel.grid(axis="y")
    panel.set_ylabel("images")
    panel.set_xlabel(f"runs that are right, of {fmt.count(most)}")
    return figure
