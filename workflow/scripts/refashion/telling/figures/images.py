"""What the networks get wrong: by class, and image by image."""

from __future__ import annotations

from functools import partial
from typing import Any

from refashion import formatting as fmt
from refashion.telling.cells import cell_name
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Figure, Sketch
from refashion.telling.figures.style import BLUE, HAIR, NARROW, ORANGE, WIDE

_AS_VALIDATED = "Images as validated (augmented where the original augments them). "
#: Mistakes a run from which a tile has a colour, and a number (after rounding), as the caption says: smaller ones would
#: be noise to the eye.
_COLOURED, _WRITTEN = 1, 10


def confusion(analysis: Analysis) -> Sketch:
    """Which class is taken for which, mean over runs."""
    title = "What is taken for what"
    cells = parts.named(analysis, (one for one in analysis["confusion"] if one["counts"]))
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
    worst = max((row for row in data if row["true"] != row["predicted"]), key=lambda row: row["images"])
    taken = f"{worst['true']} taken for {worst['predicted']}"
    most = (
        f"The most frequent mistake of all panels is {taken}, {fmt.plural(round(worst['images']), 'image')} a run, in "
        f"{cell_name(analysis, worst['cell'])} ({fmt.plural(worst['n'], 'run')})."
    )
    return Sketch(
        title,
        found=f"The most frequent mistake: {taken}",
        notes=f" {_AS_VALIDATED if parts.validated_on_augmented(analysis) else ''}{most}",
        alternative=f"Confusion matrices of {fmt.plural(len(cells), 'cell')}. {most}",
        data=data,
        draw=partial(_draw_confusion, cells, names, worst["images"] or 1),
    )


def _draw_confusion(cells: list[dict[str, Any]], names: list[str], top: float, phone: bool) -> Figure:
    """A panel a cell. On a phone they stand in one column, each with names of its own."""
    figure, axes = parts.grid(len(cells), phone, 4.1 if phone else 3, sharey=True)
    size, columns = (8.5, 1) if phone else (8.0, 3)
    short = [parts.wrap(name, 12, 1) for name in names]
    for k, (panel, one) in enumerate(zip(axes, cells, strict=True)):
        panel.set_title(parts.wrap(f"{one['name']}, {fmt.plural(one['n'], 'run')}", 34, 2))
        for i, row in enumerate(one["counts"]):
            for j, value in enumerate(row):
                if i == j:
                    parts.tile(panel, j, i, HAIR, 1, "", size)
                elif value >= _COLOURED:
                    told = fmt.count(value) if round(value) >= _WRITTEN else ""
                    parts.tile(panel, j, i, ORANGE, 0.55 * value / top, told, size - 1)
        panel.set_xlim(-0.5, len(names) - 0.5)
        panel.spines["bottom"].set_visible(False)
        panel.tick_params(length=0)
        lowest = phone or k + columns >= len(cells)
        panel.set_xticks(range(len(names)), short if lowest else [""] * len(names), rotation=90, size=size)
        if k % columns == 0:
            parts.name_rows(panel, short, 12, size)
    return figure


def image_difficulty(analysis: Analysis) -> Sketch:
    """How many images are right in which share of the runs."""
    title = "How many runs are right about each garment"
    given = analysis["hardest"]
    bins, total = given["histogram"], sum(one["images"] for one in given["histogram"])
    if not total:
        return Sketch(title, reason=fmt.sentence(given["reason"], "No predictions are there to count."))
    right, wrong = fmt.count(given["always_right"]), fmt.count(given["always_wrong"])
    runs = fmt.plural(given["n"], "run")
    counted = f"Of {fmt.plural(total, 'garment')} {right} are right in each of {runs}, {wrong} in none."
    return Sketch(
        title,
        found=f"{right} of {fmt.plural(total, 'garment')} are right in every run, {wrong} in none",
        notes=f" {counted}",
        alternative=f"Histogram. {counted}",
        data=list(bins),
        draw=partial(_draw_difficulty, bins),
    )


#: A bar this many times the next one would flatten all others; a logarithmic scale would lie about their heights.
_TALL = 4


def _draw_difficulty(bins: list[dict[str, Any]], phone: bool) -> Figure:
    figure, (panel,) = style.new_figure(NARROW if phone else WIDE, 2.6)
    second = sorted(one["images"] for one in bins)[-2:][0] or max(one["images"] for one in bins)
    low = [one for one in bins if one["images"] < _TALL * second]
    top, most = max(one["images"] for one in low), bins[-1]["high"]
    for one in bins:
        middle, words = (one["low"] + one["high"]) / 2, fmt.count(one["images"])
        place: dict[str, Any] = {"va": "bottom", "size": 8.5, "clip_on": False}
        if one not in low:
            side = "right" if one["high"] == most else "left" if one["low"] == 0 else "center"
            panel.text(middle, 1.12 * top, f"{words}, not drawn", ha=side, weight="bold", color=BLUE, **place)
            continue
        panel.bar(middle, one["images"], width=one["high"] - one["low"] + 0.9, color=BLUE, alpha=0.75)
        if not phone and len(bins) <= 25:  # more numbers than that would run into each other
            panel.text(middle, one["images"] + 0.02 * top, words, ha="center", **place)
    panel.set_ylim(0, 1.25 * top)
    panel.set_xlim(-0.7, most + 0.7)
    panel.locator_params(axis="x", integer=True)
    panel.xaxis.set_major_formatter(lambda value, _: fmt.count(value))
    panel.yaxis.set_major_formatter(lambda value, _: fmt.count(value))
    panel.grid(axis="y")
    panel.set_ylabel("images")
    panel.set_xlabel(f"runs that are right, of {fmt.count(most)}")
    return figure
