"""Figures of runs: their spread, their learning curves, the choice of an epoch, and what they get wrong.

One function a figure, from the analysis to a `Sketch`; the functions below it draw.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from refashion import figure_style as style
from refashion import formatting as fmt
from refashion.figure_parts import (
    Analysis,
    Sketch,
    architecture_colours,
    cell_name,
    known_points,
    label_ends,
    low_high,
    name_rows,
    original_cells,
    spread,
    wrap,
)
from refashion.figure_style import BLUE, HAIR, INK, MUTED, NARROW, ORANGE, PAPER, WIDE

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
    crossed = " Right: the crossed experiment splits it by what was drawn." if sources and noise else ""
    caption = (
        "Standard deviations in percentage points. Two runs of one recipe differ because they get single images right "
        "or wrong by luck, and because they are truly better or worse networks; the ring is what an author who trains "
        f"once cannot see.{crossed}"
    )
    alternative = "Dot plot of standard deviations. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: {fmt.number(math.sqrt(one['seed_variance']))} pp between runs."
        for one in noise
    )
    alternative += " ".join(
        f" {one['source']}: {fmt.share_of_100(one['share'])} of 100." for one in sources if one["share"] is not None
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_variance(analysis, noise, sources))


_NOISE = {
    "between runs, as measured": "seed_variance",
    "luck on single images": "within_images",
    "true differences between runs": "true_seed_variance",
}


def _draw_variance(analysis: Analysis, noise: list[dict[str, Any]], sources: list[dict[str, Any]]) -> Figure:
    parts = [bool(noise), bool(sources)]
    rows = max(len(noise), len(sources), 2)
    figure, axes = style.new_figure(WIDE, 1.35 + 0.4 * rows, 1, sum(parts))
    remaining = list(axes)
    if noise:
        panel = remaining.pop(0)
        marks = zip(_NOISE.items(), ("o", "s", "D"), (INK, ORANGE, BLUE), strict=True)
        for (part, key), marker, colour in marks:
            known = [(math.sqrt(max(0.0, one[key])), y) for y, one in enumerate(noise) if one[key] is not None]
            face = PAPER if key == "seed_variance" else colour
            look = {"color": colour, "markerfacecolor": face, "markersize": 6, "clip_on": False}
            panel.plot(*zip(*known, strict=True), marker, label=part, **look)
        name_rows(panel, [cell_name(analysis, one["cell"]) for one in noise])
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
        name_rows(panel, [one["source"] for one in sources])
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
    return Sketch(title, caption, alternative, data, lambda phone: _draw_half_widths(analysis, given, cells))


def _draw_half_widths(analysis: Analysis, given: dict[str, Any], cells: list[dict[str, Any]]) -> Figure:
    figure, (panel,) = style.new_figure(WIDE, 3.4)
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
    for (name, _, colour), height in zip(ends, heights, strict=True):
        panel.text(max(given["ns"]) * 1.05, 10**height, name, color=colour, va="center", size=8.5, weight="bold")
    panel.set_xlim(min(given["ns"]), max(given["ns"]) * 4.2)
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
        "is the final epoch, the triangle the median best one; the level line is the published validation accuracy."
    )
    alternative = "Learning curves. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: final validation accuracy {fmt.percent(_last(one['val']['median']))} "
        f"after {fmt.plural(one['epochs'][-1], 'epoch')}."
        for one in curves
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_curves(analysis, curves, phone), True)


def _last(values: list[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _draw_curves(analysis: Analysis, curves: list[dict[str, Any]], phone: bool) -> Figure:
    columns = 1 if phone else min(3, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure, axes = style.new_figure(
        NARROW if phone else WIDE, (1.9 if phone else 2.35) * rows + 0.2, rows, columns, sharey=True
    )
    published = {column["cell"]: column["validation_claim"] for column in analysis["table"]["columns"]}
    values = {claim["id"]: claim["value"] for claim in analysis["claims"]}
    lines = [values.get(published.get(one["cell"])) for one in curves]
    for panel, one, line in zip(axes, curves, lines, strict=False):
        panel.set_title(wrap(cell_name(analysis, one["cell"]), 34, 2))
        _draw_learning(panel, one)
        if line is not None:
            panel.axhline(line, color=INK, linewidth=1.1)
        panel.grid(axis="y")
    for panel in axes[len(curves) :]:
        panel.set_axis_off()
    late = [value for one in curves for value in one["val"]["low"][len(one["epochs"]) // 10 :] if value is not None]
    low = min([*late, *(line for line in lines if line is not None)], default=0)
    axes[0].set_ylim(low - 1, None)
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
        panel.plot(
            x[-1],
            middle[-1],
            "o",
            markerfacecolor=PAPER,
            markeredgecolor=BLUE,
            markersize=5.5,
            markeredgewidth=1.6,
            clip_on=False,
        )
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
        "From the final epoch to the best one. Honest best chooses the epoch on one half of the validation images and "
        "scores it on the other; best chooses and scores on the same images. The last step, given beside each name, is "
        "optimism: accuracy that is not there on new images. It is an upper bound."
    )
    alternative = "Slope chart. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: final {fmt.percent(one['final'])}, honest best "
        f"{fmt.percent(one['honest_best'])}, best {fmt.percent(one['best'])}."
        for one in rows
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_optimism(analysis, rows))


def _draw_optimism(analysis: Analysis, rows: list[dict[str, Any]]) -> Figure:
    figure, (panel,) = style.new_figure(WIDE, 3.6)
    colours = architecture_colours(analysis)
    ends = []
    for one in rows:
        colour = colours[one["cell"].split("/")[0]]
        heights = [one["final"], one["honest_best"], one["best"]]
        panel.plot([0, 1, 2], heights, color=colour, linewidth=1.6)
        panel.plot(
            [0, 1, 2], heights, "o", markerfacecolor=PAPER, markeredgecolor=colour, markersize=5.5, markeredgewidth=1.6
        )
        name = f"{fmt.points(one['optimism'], fmt.half_of(one['interval']))}  {cell_name(analysis, one['cell'])}"
        ends.append((wrap(name, 46, 1), one["best"], colour))
    panel.set_xticks([0, 1, 2], ["final epoch", "honest best", "best"])
    panel.set_xlim(-0.15, 3.7)
    panel.set_ylabel("validation accuracy, percent")
    panel.grid(axis="y")
    label_ends(panel, ends, 2.08, 0.06)
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
    mistakes = [row for row in data if row["true"] != row["predicted"] and row["cell"] == cells[0]["cell"]]
    worst = max(mistakes, key=lambda row: row["images"])
    mistake = f"{worst['true']} taken for {worst['predicted']}, {fmt.plural(round(worst['images']), 'image')} a run"
    caption = (
        "Images as validated (augmented where the original augments them). "
        "Rows are what a garment is, columns what the network says; numbers are images a run, mean over runs, mistakes "
        f"only (right answers are grey). The most frequent one of {cell_name(analysis, worst['cell'])} is {mistake}."
    )
    alternative = (
        f"Confusion matrices of {fmt.plural(len(cells), 'cell')}. The most frequent mistake of "
        f"{cell_name(analysis, worst['cell'])} is {mistake}."
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_confusion(analysis, cells, names))


def _draw_confusion(analysis: Analysis, cells: list[dict[str, Any]], names: list[str]) -> Figure:
    columns = min(3, len(cells))
    rows = math.ceil(len(cells) / columns)
    figure, axes = style.new_figure(WIDE, 0.7 + 2.75 * rows + 0.5, rows, columns, sharey=True, sharex=True)
    top = max(v for one in cells for i, row in enumerate(one["counts"]) for j, v in enumerate(row) if i != j) or 1
    short = [wrap(name, 12, 1) for name in names]
    for panel, one in zip(axes, cells, strict=False):
        panel.set_title(wrap(cell_name(analysis, one["cell"]), 34, 2))
        for i, row in enumerate(one["counts"]):
            for j, value in enumerate(row):
                _mistake(panel, i, j, value, top)
        panel.spines["bottom"].set_visible(False)
        panel.tick_params(length=0)
    for panel in axes[len(cells) :]:
        panel.set_axis_off()
    axes[0].set_xlim(-0.5, len(names) - 0.5)
    axes[0].set_xticks([])
    for row in range(rows):
        name_rows(axes[row * columns], short, 12, 8)
    below = {"rotation": 90, "rotation_mode": "anchor", "ha": "right", "size": 8}
    for panel in axes[max(0, len(cells) - columns) : len(cells)]:
        for x, name in enumerate(short):
            place = {"xycoords": panel.get_xaxis_transform(), "textcoords": "offset points", "annotation_clip": False}
            panel.annotate(name, (x, 0), (0, -4), va="center", **place, **below)
    return figure


def _mistake(panel: Axes, i: int, j: int, value: float, top: float) -> None:
    """A tile of a confusion matrix. It takes no part in the layout, which would measure a thousand of them."""
    from matplotlib.patches import Rectangle

    if i == j or value >= 1:
        look = {"facecolor": HAIR} if i == j else {"facecolor": ORANGE, "alpha": 0.55 * value / top}
        panel.add_patch(Rectangle((j - 0.48, i - 0.48), 0.96, 0.96, linewidth=0, in_layout=False, **look))
    if i != j and value >= 9.5:
        panel.text(j, i, f"{value:.0f}", ha="center", va="center", size=6.5, in_layout=False)


def image_difficulty(analysis: Analysis) -> Sketch:
    """How many images are right in which share of the runs."""
    title = "How many runs are right about each garment"
    given = analysis["hardest"]
    bins = given["histogram"]
    if not bins or not sum(one["images"] for one in bins):
        return Sketch(title, reason=fmt.sentence(given["reason"], "No predictions are there to count."))
    total = sum(one["images"] for one in bins)
    caption = (
        f"Test images, not augmented, by how many of {fmt.plural(given['n'], 'run')} of the original's networks are "
        "right about them (logarithmic scale). "
        f"{fmt.count(given['always_right'])} of {fmt.count(total)} are right in every run, "
        f"{fmt.count(given['always_wrong'])} wrong in every run; runs disagree only about the others."
    )
    return Sketch(title, caption, f"Histogram. {caption}", list(bins), lambda phone: _draw_difficulty(bins))


def _draw_difficulty(bins: list[dict[str, Any]]) -> Figure:
    figure, (panel,) = style.new_figure(WIDE, 2.6)
    panel.set_yscale("log")
    counts = [one["images"] for one in bins]
    most = bins[-1]["high"]
    size = 8.5 if len(bins) <= 16 else 6
    for one in bins:
        if one["images"]:
            middle = (one["low"] + one["high"]) / 2
            panel.bar(middle, one["images"], width=one["high"] - one["low"] + 0.9, color=BLUE, alpha=0.75)
            place = {"ha": "center", "va": "bottom", "size": size, "rotation": 0 if len(bins) <= 16 else 90}
            panel.text(middle, one["images"] * 1.12, fmt.count(one["images"]), **place)
    panel.set_ylim(max(0.5, min(count for count in counts if count) * 0.5), max(counts) * 2.2)
    panel.set_xlim(-0.7, most + 0.7)
    ticks = sorted({round(most * part / 4) for part in range(5)})
    panel.set_xticks(ticks, [fmt.count(tick) for tick in ticks])
    panel.set_yticks([])
    panel.minorticks_off()
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
    return Sketch(title, caption, alternative, data, lambda phone: _draw_speed(rows, programs))


def _draw_speed(rows: list[dict[str, Any]], programs: list[str]) -> Figure:
    tasks = list(dict.fromkeys((row["architecture"], row["augmentation"]) for row in rows))
    figure, (panel,) = style.new_figure(WIDE, 1.1 + 0.32 * len(tasks))
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
    name_rows(panel, [f"{architecture}, {augmentation}" for architecture, augmentation in tasks])
    _rule_rows(panel, len(tasks))
    low, high = panel.get_xlim()
    ticks = [m * 10**e for e in range(1, 7) for m in (1, 2, 5) if low <= m * 10**e <= high]
    panel.set_xticks(ticks, [fmt.count(tick) for tick in ticks])
    panel.minorticks_off()
    panel.set_xlabel("training images a second")
    panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=min(4, len(programs)), fontsize=8.5)
    return figure


def _cycle(values: tuple[str, ...]) -> tuple[str, ...]:
    """The values again and again, for more programs than there are colours."""
    return values * 8
