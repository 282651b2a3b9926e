"""Figures of runs: their spread, their learning curves, the choice of an epoch, and what they get wrong.

One function a figure, from the analysis to a `Sketch`; the functions below it draw.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling import figure_style as style
from refashion.telling.figure_parts import (
    Analysis,
    Sketch,
    architecture_colours,
    blank,
    cell_name,
    known_points,
    label_ends,
    lone_note,
    low_high,
    name_rows,
    original_cells,
    place_axes,
    ring,
    spread,
    wrap,
)
from refashion.telling.figure_style import BLUE, HAIR, INK, MUTED, NARROW, ORANGE, PAPER, RULE, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# --- Where the spread comes from --------------------------------------------------------------------------------------


def variance_components(analysis: Analysis) -> Sketch:
    """The spread between runs, taken apart: luck on single images, true differences, subset, initialiser."""
    title = "Where the spread between runs comes from"
    given = analysis["variance"]
    noise = [
        one for one in given["image_noise"] if one["seed_variance"] is not None and one["within_images"] is not None
    ]
    noise = [one for one in noise if one["cell"] in original_cells(analysis)] or noise[:8]
    sources = [one for one in (given["components"] or {"sources": []})["sources"] if one["variance"] is not None]
    if not noise and not sources:
        return Sketch(title, reason=fmt.sentence(given["reason"], "A spread needs at least two runs of a cell."))
    data = [
        {"part": part, "cell": one["cell"], "n": one["n"], "sd": math.sqrt(max(0.0, one[key]))}
        for one in noise
        for part, key in _NOISE.items()
        if one[key] is not None
    ]
    data += [
        {"part": one["source"], "cell": "crossed experiment", "sd": one["sd"], "share": one["share"], "p": one["p"]}
        for one in sources
    ]
    crossed = " The crossed experiment splits it by what was drawn." if sources and noise else ""
    caption = (
        "Standard deviations in percentage points. Two runs of one recipe differ because they get single images right "
        "or wrong by luck, and because they are truly better or worse networks; the ring is what an author who trains "
        "once cannot see. Of few runs each is rough: the SD of five may be 0.6 to 2.9 times as large. A part of zero "
        f"means that luck alone would give more spread than was seen, not that the networks are equally good.{crossed}"
    )
    alternative = "Dot plot of standard deviations. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: {fmt.number(math.sqrt(one['seed_variance']))} pp between runs."
        for one in noise
    )
    alternative += " ".join(
        f" {one['source']}: {fmt.share_of_100(one['share'])} of 100." for one in sources if one["share"] is not None
    )
    return Sketch(
        title, caption, alternative, data, lambda phone: _draw_variance(analysis, noise, sources, phone), True
    )


_NOISE = {
    "between runs, as measured": "seed_variance",
    "luck on single images": "within_images",
    "true differences between runs": "true_seed_variance",
}


def _draw_variance(
    analysis: Analysis, noise: list[dict[str, Any]], sources: list[dict[str, Any]], phone: bool
) -> Figure:
    rows = [len(part) for part in (noise, sources) if part]
    if phone:
        size = (NARROW, sum(1.35 + 0.4 * max(n, 2) for n in rows), len(rows), 1)
        figure, axes = style.new_figure(*size, height_ratios=[max(n, 2) for n in rows])
    else:
        figure, axes = style.new_figure(WIDE, 1.35 + 0.4 * max(*rows, 2), 1, len(rows))
    names = {"width": 22, "size": 8.5} if phone else {}
    remaining = list(axes)
    if noise:
        panel = remaining.pop(0)
        marks = zip(_NOISE.items(), ("o", "s", "D"), (INK, ORANGE, BLUE), strict=True)
        for (part, key), marker, colour in marks:
            known = [(math.sqrt(max(0.0, one[key])), y) for y, one in enumerate(noise) if one[key] is not None]
            face = PAPER if key == "seed_variance" else colour
            look = {"color": colour, "markerfacecolor": face, "markersize": 6, "clip_on": False}
            panel.plot(*zip(*known, strict=True), marker, label=part, **look)
        name_rows(panel, [cell_name(analysis, one["cell"]) for one in noise], **names)
        _rule_rows(panel, len(noise))
        panel.set_xlim(left=0)
        panel.set_xlabel("standard deviation, pp")
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1, fontsize=8.5)
    if sources:
        panel = remaining.pop(0)
        panel.set_title("Crossed experiment")
        for y, one in enumerate(sources):
            if one["interval"]:
                panel.plot([math.sqrt(max(0.0, bound)) for bound in one["interval"]], [y, y], color=BLUE, linewidth=1.4)
            panel.plot(one["sd"], y, "o", color=BLUE, markersize=6)
        name_rows(panel, [one["source"] for one in sources], **names)
        _rule_rows(panel, len(sources))
        panel.set_xlim(left=0)
        panel.set_xlabel("standard deviation, pp")
    return figure


def _rule_rows(panel: Axes, rows: int) -> None:
    panel.grid(axis="x")
    for y in range(rows):
        panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)


# --- How many seeds ---------------------------------------------------------------------------------------------------


def half_widths(analysis: Analysis) -> Sketch:
    """Half-width of the interval against the number of seeds."""
    title = "How many seeds a statement needs"
    given = analysis["half_widths"]
    wanted = original_cells(analysis)
    # Runs that all agree (sd 0) have a width of 0 with any number of seeds, and no place on a logarithmic axis.
    cells = [one for one in given["cells"] if one["sd"] and any(v is not None for v in one["curve"])]
    cells = [one for one in cells if one["cell"] in wanted] or cells[:8]
    if not cells:
        return Sketch(title, reason="A half-width needs at least two runs of a cell that differ.")
    data = [
        {"cell": one["cell"], "sd": one["sd"], "n": n, "half_width": width, "ours": n == one["n"]}
        for one in cells
        for n, width in zip(given["ns"], one["curve"], strict=True)
    ]
    caption = (
        "Half the width of the interval of a mean, at the spread seen here, against the number of seeds; rings mark "
        "what this study has. Halving the width takes about four times the seeds."
    )
    alternative = "Line chart. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: half-width {fmt.number(one['half_width'])} pp with "
        f"{fmt.plural(one['n'], 'seed')}."
        for one in cells
        if one["half_width"] is not None
    )
    return Sketch(
        title, caption, alternative, data, lambda phone: _draw_half_widths(analysis, given, cells, phone), True
    )


def _draw_half_widths(analysis: Analysis, given: dict[str, Any], cells: list[dict[str, Any]], phone: bool) -> Figure:
    """On a phone the names stand in a legend: beside the lines there is no room for them."""
    figure, (panel,) = style.new_figure(*((NARROW, 2.8 + 0.18 * len(cells)) if phone else (WIDE, 3.4)))
    colours = architecture_colours(analysis)
    ticks = [n for n in (2, 3, 5, 10, 20, 40, 100) if n <= max(given["ns"])]
    panel.set_xscale("log")
    ends = []
    for i, one in enumerate(cells):
        colour = colours[one["cell"].split("/")[0]]
        x, y = known_points(given["ns"], one["curve"])
        panel.plot(
            x,
            y,
            color=colour,
            linewidth=1.6,
            label=wrap(cell_name(analysis, one["cell"]), 40, 1),
            linestyle=("-", "--")[sum(c["cell"].split("/")[0] == one["cell"].split("/")[0] for c in cells[:i]) % 2],
        )
        if one["half_width"] is not None:
            panel.plot(
                one["n"],
                one["half_width"],
                "o",
                markerfacecolor=PAPER,
                markeredgecolor=colour,
                markersize=6,
                markeredgewidth=1.8,
            )
        ends.append((wrap(cell_name(analysis, one["cell"]), 40, 1), math.log10(y[-1]), colour))
    panel.set_yscale("log")
    shown = [y for one in cells for y in one["curve"] if y is not None]
    panel.set_ylim(min(shown) * 0.6, min(max(shown) * 1.1, 5))
    low, high = (math.log10(bound) for bound in panel.get_ylim())
    heights = spread([height for _, height, _ in ends], 0.055 * (high - low))
    if phone:
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1, fontsize=8.5)
    else:
        for (name, _, colour), height in zip(ends, heights, strict=True):
            panel.text(max(given["ns"]) * 1.05, 10**height, name, color=colour, va="center", size=8.5, weight="bold")
    panel.set_xlim(min(given["ns"]), max(given["ns"]) * (1.1 if phone else 4.2))
    panel.set_xticks(ticks, [str(tick) for tick in ticks])
    panel.set_yticks(
        marks := [m for m in (0.05, 0.1, 0.2, 0.5, 1, 2, 5) if 10**low <= m <= 10**high], [f"{m:g}" for m in marks]
    )
    panel.minorticks_off()
    panel.set_xlabel("seeds")
    panel.set_ylabel("half-width, pp")
    panel.grid()
    return figure


# --- Learning curves --------------------------------------------------------------------------------------------------


def learning_curves(analysis: Analysis) -> Sketch:
    """Accuracy over epochs: median and band over seeds, final and best epoch, published number."""
    title = "Accuracy over the epochs of training"
    wanted = original_cells(analysis)
    curves = [one for one in analysis["learning_curves"] if one["cell"] in wanted and one["epochs"]]
    curves.sort(key=lambda one: wanted.index(one["cell"]))
    if not curves:
        return Sketch(title, reason="No run of the original's cells has finished, so there is no curve to draw.")
    data = [
        {"cell": one["cell"], "n": one["n"], "epoch": epoch}
        | {
            f"{kind}_{part}": one[kind][part][i]
            for kind in ("train", "val", "clean")
            for part in ("median", "low", "high")
        }
        for one in curves
        for i, epoch in enumerate(one["epochs"])
    ]
    caption = (
        "Blue: validation accuracy as the original measured it, median and range over the seeds. Grey: accuracy on the "
        "training images while they train, augmented and with dropout where there is any, as Keras prints it. The ring "
        "is the median of the final epoch (tables and verdicts use means), the triangle the median best epoch; the "
        f"level line is the published validation accuracy.{_cut_told(analysis, curves)}"
        f"{lone_note(one['n'] for one in curves)}"
    )
    alternative = "Learning curves. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: median final validation accuracy "
        f"{fmt.percent(_last(one['val']['median']))} after {fmt.plural(one['epochs'][-1], 'epoch')}, "
        f"{fmt.plural(one['n'], 'run')}."
        for one in curves
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_curves(analysis, curves, phone), True)


def _last(values: list[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _published(analysis: Analysis, curves: list[dict[str, Any]]) -> list[float | None]:
    """The published validation accuracy of each curve's cell, where there is one."""
    claims = {column["cell"]: column["validation_claim"] for column in analysis["table"]["columns"]}
    values = {claim["id"]: claim["value"] for claim in analysis["claims"]}
    return [values.get(claims.get(one["cell"])) for one in curves]


def _floor(analysis: Analysis, curves: list[dict[str, Any]]) -> int:
    """Where the axis starts, in percent: below all but the first tenth of the epochs, which would take all the room."""
    late = [value for one in curves for value in one["val"]["low"][len(one["epochs"]) // 10 :] if value is not None]
    lines = [line for line in _published(analysis, curves) if line is not None]
    return max(0, math.floor(min([*late, *lines], default=1) - 1))


def _cut_told(analysis: Analysis, curves: list[dict[str, Any]]) -> str:
    """What the axis cuts off, by network; an axis that hides something has to say so."""
    floor = _floor(analysis, curves)
    cut = []
    for one in curves:
        drawn = [*one["val"]["low"], *one["val"]["median"], *one["train"]["median"]]
        least = min((value for value in drawn if value is not None), default=floor)
        if least < floor:
            cut.append(f"{cell_name(analysis, one['cell'])} (from {fmt.percent(least)})")
    if not cut:
        return ""
    return (
        f" The axis starts at {fmt.count(floor)}%; below it lie, not drawn, first epochs of {fmt.sentence_list(cut)}."
    )


def _draw_curves(analysis: Analysis, curves: list[dict[str, Any]], phone: bool) -> Figure:
    columns = 1 if phone else min(3, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure, axes = style.new_figure(
        NARROW if phone else WIDE, (1.9 if phone else 2.35) * rows + 0.2, rows, columns, sharey=True
    )
    for panel, one, line in zip(axes, curves, _published(analysis, curves), strict=False):
        panel.set_title(wrap(cell_name(analysis, one["cell"]), 34, 2))
        place = {"transform": panel.transAxes, "ha": "right", "va": "bottom"}
        panel.text(0.98, 0.06, fmt.plural(one["n"], "run"), color=MUTED, size=8.5, **place)
        _draw_learning(panel, one)
        if line is not None:
            panel.axhline(line, color=INK, linewidth=1.1)
        panel.grid(axis="y")
    for panel in axes[len(curves) :]:
        panel.set_axis_off()
    axes[0].set_ylim(_floor(analysis, curves), None)
    for panel in axes[max(0, len(curves) - columns) : len(curves)]:
        panel.set_xlabel("epoch")
    for row in range(rows):
        axes[row * columns].set_ylabel("percent")
    return figure


def _draw_learning(panel: Axes, one: dict[str, Any]) -> None:
    epochs = one["epochs"]
    x, low, high, middle = known_points(epochs, one["val"]["low"], one["val"]["high"], one["val"]["median"])
    panel.plot(*known_points(epochs, one["train"]["median"]), color=MUTED, linewidth=1.2)
    panel.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
    panel.plot(x, middle, color=BLUE, linewidth=1.8)
    if x:
        panel.plot(x[-1], middle[-1], linestyle="none", clip_on=False, **ring(BLUE, one["n"], 5.5))
    if x and one["best_epoch"] is not None:
        nearest = min(range(len(x)), key=lambda i: abs(x[i] - one["best_epoch"]))
        panel.plot(x[nearest], middle[nearest], "^", color=BLUE, markersize=5.5)


# --- The best epoch ---------------------------------------------------------------------------------------------------


def optimism(analysis: Analysis) -> Sketch:
    """Final, honest best and best epoch: what choosing on the validation images is worth."""
    title = "What picking the best epoch buys"
    rows = [
        one
        for one in analysis["optimism"]
        if one["metric"] == "val" and None not in (one["final"], one["honest_best"], one["best"])
    ]
    rows = [one for one in rows if one["cell"] in original_cells(analysis)] or rows[:8]
    if not rows:
        return Sketch(title, reason="No run has finished, so there is no epoch to choose.")
    data = [
        {key: one[key] for key in ("cell", "n", "final", "honest_best", "best", "optimism", "best_epoch")}
        | dict(zip(("low", "high"), low_high(one["interval"]), strict=True))
        for one in rows
    ]
    caption = (
        "From the final epoch to the best one, as validated. Honest best chooses the epoch on one half of the "
        "validation images and scores it on the other; best chooses and scores on the same images. The last step, "
        "given beside each name, is optimism: accuracy that is not there on new images. It is an upper bound."
        f"{' Grey: a single run, which proves little.' if any(one['n'] == 1 for one in rows) else ''}"
    )
    alternative = "Slope chart. " + " ".join(
        f"{cell_name(analysis, one['cell'])}, {fmt.plural(one['n'], 'run')}: final {fmt.percent(one['final'])}, honest "
        f"best {fmt.percent(one['honest_best'])}, best {fmt.percent(one['best'])}."
        for one in rows
    )
    return Sketch(
        title,
        caption,
        alternative,
        data,
        lambda phone: (_list_optimism if phone else _draw_optimism)(analysis, rows),
        True,
    )


#: The three ways to choose an epoch, in the order of what they claim.
_EPOCHS = {"final": "final epoch", "honest_best": "honest best", "best": "best"}


def _optimism_told(one: dict[str, Any]) -> str:
    return f"{fmt.points(one['optimism'], fmt.half_of(one['interval']))}, {fmt.plural(one['n'], 'run')}"


def _draw_optimism(analysis: Analysis, rows: list[dict[str, Any]]) -> Figure:
    figure, (panel,) = style.new_figure(WIDE, 3.6)
    colours = architecture_colours(analysis)
    ends = []
    for one in rows:
        colour = MUTED if one["n"] == 1 else colours[one["cell"].split("/")[0]]
        heights = [one[key] for key in _EPOCHS]
        panel.plot(range(3), heights, color=colour, linewidth=0.9 if one["n"] == 1 else 1.6)
        panel.plot(range(3), heights, linestyle="none", **ring(colour, one["n"], 5.5))
        ends.append((wrap(f"{_optimism_told(one)}: {cell_name(analysis, one['cell'])}", 66, 1), one["best"], colour))
    panel.set_xticks(range(3), list(_EPOCHS.values()))
    panel.set_xlim(-0.15, 4.2)  # the right half is for the names, the longest of which must fit
    panel.set_ylabel("validation accuracy, percent")
    panel.grid(axis="y")
    label_ends(panel, ends, 2.08, 0.06)
    return figure


def _list_optimism(analysis: Analysis, rows: list[dict[str, Any]]) -> Figure:
    """The same for a phone: a block a network, accuracy to the right."""
    pitch, top, bottom = 0.66, 0.4, 0.5
    figure = blank(NARROW, top + pitch * len(rows) + bottom)
    panel = place_axes(figure, 0.05, bottom, NARROW - 0.1, pitch * len(rows))
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_yticks([])
    colours = architecture_colours(analysis)
    for y, one in enumerate(rows):
        colour = MUTED if one["n"] == 1 else colours[one["cell"].split("/")[0]]
        place = {"transform": panel.get_yaxis_transform(), "va": "center", "size": 8.5}
        panel.text(0, y - 0.33, wrap(cell_name(analysis, one["cell"]), 46, 1), weight="bold", color=colour, **place)
        panel.text(0, y - 0.06, f"optimism {_optimism_told(one)}", **place)
        panel.plot([min(one[key] for key in _EPOCHS), max(one[key] for key in _EPOCHS)], [y + 0.24] * 2, color=RULE)
        for key, marker in zip(_EPOCHS, ("o", "D", "^"), strict=True):
            look = {"color": colour, "markerfacecolor": PAPER if key == "final" else colour, "markersize": 6}
            panel.plot(one[key], y + 0.24, marker, label=_EPOCHS[key], **look)
    handles = panel.lines[1:4]
    panel.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8.5)
    panel.grid(axis="x")
    panel.set_xlabel("validation accuracy, percent")
    return figure


# --- Mistakes ---------------------------------------------------------------------------------------------------------


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
        f"{fmt.plural(round(worst['images']), 'image')} a run, in {cell_name(analysis, worst['cell'])} "
        f"({fmt.plural(worst['n'], 'run')})."
    )
    caption = (
        "Images as validated (augmented where the original augments them). "
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
    short = [wrap(name, 12, 1) for name in names]
    for panel, one in zip(axes, cells, strict=False):
        panel.set_title(wrap(f"{cell_name(analysis, one['cell'])}, {fmt.plural(one['n'], 'run')}", 34, 2))
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
        name_rows(axes[row * columns], short, 12, 8.5 if phone else 8)
    below = {"rotation": 90, "rotation_mode": "anchor", "ha": "right", "size": 8.5 if phone else 8}
    for panel in axes[: len(cells)] if phone else axes[max(0, len(cells) - columns) : len(cells)]:
        for x, name in enumerate(short):
            place = {"xycoords": panel.get_xaxis_transform(), "textcoords": "offset points", "annotation_clip": False}
            panel.annotate(name, (x, 0), (0, -4), va="center", **place, **below)
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


# --- Speed ------------------------------------------------------------------------------------------------------------


def speed(analysis: Analysis) -> Sketch:
    """Images a second of this engine and of the usual programs, as `snakemake benchmark` measured them."""
    title = "Images a second, beside the usual programs"
    needed = ("architecture", "augmentation", "program", "images_per_second")
    rows = [row for row in analysis["benchmark"]["rows"] if all(row.get(key) not in (None, "") for key in needed)]
    if not rows:
        reason = fmt.sentence(analysis["benchmark"]["reason"], "the benchmark was not run on this machine")
        return Sketch(title, reason=reason)
    programs = list(dict.fromkeys(row["program"] for row in rows))
    caption = (
        "Whole jobs, the validation of each epoch included, on a logarithmic scale: marks are medians, lines run from "
        "the slowest to the fastest repetition. All programs were measured in one session on one machine, in turn."
    )
    alternative = "Dot plot. " + " ".join(
        f"{row['architecture']}, {row['augmentation']}, {row['program']}: "
        f"{fmt.significant(row['images_per_second'], 2)} images a second."
        for row in rows
    )
    data = [{key: row.get(key) for key in (*needed, "slowest", "fastest", "speedup", "peak_share")} for row in rows]
    return Sketch(title, caption, alternative, data, lambda phone: _draw_speed(rows, programs, phone), True)


def _draw_speed(rows: list[dict[str, Any]], programs: list[str], phone: bool) -> Figure:
    tasks = list(dict.fromkeys((row["architecture"], row["augmentation"]) for row in rows))
    figure, (panel,) = style.new_figure(
        *((NARROW, 1.4 + 0.42 * len(tasks)) if phone else (WIDE, 1.1 + 0.32 * len(tasks)))
    )
    panel.set_xscale("log")
    for program, colour, marker in zip(programs, _cycle(style.SERIES), _cycle(style.MARKERS), strict=False):
        mine = [row for row in rows if row["program"] == program]
        heights = [tasks.index((row["architecture"], row["augmentation"])) for row in mine]
        for row, y in zip(mine, heights, strict=True):
            if fmt.exists(row.get("slowest")) and fmt.exists(row.get("fastest")):
                panel.plot([row["slowest"], row["fastest"]], [y, y], color=colour, linewidth=1.6)
        panel.plot(
            [row["images_per_second"] for row in mine], heights, marker, color=colour, markersize=6, label=program
        )
    names = [f"{architecture}, {augmentation}" for architecture, augmentation in tasks]
    name_rows(panel, names, *((12, 8.5) if phone else ()))
    _rule_rows(panel, len(tasks))
    low, high = panel.get_xlim()
    steps = (1, 3) if phone else (1, 2, 5)
    ticks = [m * 10**e for e in range(1, 7) for m in steps if low <= m * 10**e <= high]
    panel.set_xticks(ticks, [fmt.count(tick) for tick in ticks])
    panel.minorticks_off()
    panel.set_xlabel("training images a second")
    panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=min(2 if phone else 4, len(programs)), fontsize=8.5)
    return figure


def _cycle(values: tuple[str, ...]) -> tuple[str, ...]:
    """The values again and again, for more programs than there are colours."""
    return values * 8
