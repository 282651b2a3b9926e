"""Learning curves, and what choosing the best epoch is worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import BLUE, INK, MUTED, NARROW, RULE, WIDE
from refashion.telling.words import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def learning_curves(analysis: Analysis) -> Sketch:
    """Accuracy over epochs: median and band over seeds, final and best epoch, published number."""
    title = "Accuracy over the epochs of training"
    wanted = parts.original_cells(analysis)
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
    early = sum(one["best_epoch"] is not None and one["best_epoch"] < one["epochs"][-1] for one in curves)
    title = parts.finding(
        analysis, title, f"Of {fmt.plural(len(curves), 'column')}, {early or 'none'} best before the last epoch"
    )
    caption = (
        "Blue: validation accuracy as the original measured it, median and range over the seeds. Grey: accuracy on the "
        "training images while they train, augmented and with dropout where there is any, as Keras prints it. The ring "
        "is the median of the final epoch (tables and verdicts use means), the triangle the median best epoch; the "
        f"level line is the published validation accuracy.{_cut_told(analysis, curves)}"
        f"{parts.lone_note(one['n'] for one in curves)}"
    )
    alternative = "Learning curves. " + " ".join(
        f"{parts.cell_name(analysis, one['cell'])}: median final validation accuracy "
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
            cut.append(f"{parts.cell_name(analysis, one['cell'])} (from {fmt.percent(least)})")
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
        panel.set_title(parts.wrap(parts.cell_name(analysis, one["cell"]), 34, 2))
        place: dict[str, Any] = {"transform": panel.transAxes, "ha": "right", "va": "bottom"}
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
    x, low, high, middle = parts.known_points(epochs, one["val"]["low"], one["val"]["high"], one["val"]["median"])
    panel.plot(*parts.known_points(epochs, one["train"]["median"]), color=MUTED, linewidth=1.2)
    panel.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
    panel.plot(x, middle, color=BLUE, linewidth=1.8)
    if x:
        panel.plot(x[-1], middle[-1], linestyle="none", clip_on=False, **parts.ring(BLUE, one["n"], 5.5))
    if x and one["best_epoch"] is not None:
        nearest = min(range(len(x)), key=lambda i: abs(x[i] - one["best_epoch"]))
        panel.plot(x[nearest], middle[nearest], "^", color=BLUE, markersize=5.5)


def optimism(analysis: Analysis) -> Sketch:
    """Final, honest best and best epoch: what choosing on the validation images is worth."""
    title = "What picking the best epoch buys"
    rows = [
        one
        for one in analysis["optimism"]
        if one["metric"] == "val" and None not in (one["final"], one["honest_best"], one["best"])
    ]
    rows = [one for one in rows if one["cell"] in parts.original_cells(analysis)] or rows[:8]
    if not rows:
        return Sketch(title, reason="No run has finished, so there is no epoch to choose.")
    data = [
        {key: one[key] for key in ("cell", "n", "final", "honest_best", "best", "optimism", "best_epoch")}
        | dict(zip(("low", "high"), parts.low_high(one["interval"]), strict=True))
        for one in rows
    ]
    gained = span((one["best"] - one["final"] for one in rows), fmt.points)
    title = parts.finding(
        analysis, title, f"Picking the best epoch adds {gained}; part of it is not there on new images"
    )
    caption = (
        "From the final epoch to the best one, as validated. Honest best chooses the epoch on one half of the "
        "validation images and scores it on the other; best chooses and scores on the same images. The last step, "
        "told in each row, is optimism: accuracy that is not there on new images. It is an upper bound."
        f"{' Grey: a single run, which proves little.' if any(one['n'] == 1 for one in rows) else ''}"
    )
    alternative = "Dot plot. " + " ".join(
        f"{parts.cell_name(analysis, one['cell'])}, {fmt.plural(one['n'], 'run')}: final {fmt.percent(one['final'])}, "
        f"honest best {fmt.percent(one['honest_best'])}, best {fmt.percent(one['best'])}."
        for one in rows
    )
    return Sketch(
        title,
        caption,
        alternative,
        data,
        lambda phone: _draw_optimism(analysis, rows, phone),
        True,
    )


#: The three ways to choose an epoch, in the order of what they claim.
_EPOCHS = {"final": "final epoch", "honest_best": "honest best", "best": "best"}


def _optimism_told(one: dict[str, Any]) -> str:
    return f"{fmt.points(one['optimism'], fmt.half_of(one['interval']))}, {fmt.plural(one['n'], 'run')}"


def _draw_optimism(analysis: Analysis, rows: list[dict[str, Any]], phone: bool) -> Figure:
    """A row a network, accuracy to the right; on a phone its words stand above the marks."""
    width, left, right, pitch = (NARROW, 0.05, 0.05, 0.66) if phone else (WIDE, 2.85, 1.75, 0.4)
    figure = parts.blank(width, 0.4 + pitch * len(rows) + 0.5)
    panel = parts.place_axes(figure, left, 0.5, width - left - right, pitch * len(rows))
    names = [parts.cell_name(analysis, one["cell"]) for one in rows]
    parts.name_rows(panel, [""] * len(rows) if phone else names, 44)
    colours = parts.architecture_colours(analysis)
    for y, (name, one) in enumerate(zip(names, rows, strict=True)):
        colour = MUTED if one["n"] == 1 else colours[one["cell"].split("/")[0]]
        level = y + 0.24 if phone else y
        place: dict[str, Any] = {"transform": panel.get_yaxis_transform(), "va": "center", "size": 8.5}
        if phone:
            panel.text(0, y - 0.33, parts.wrap(name, 46, 1), weight="bold", color=colour, **place)
            panel.text(0, y - 0.06, f"optimism {_optimism_told(one)}", **place)
        else:
            panel.text(1.03, y, _optimism_told(one), **place)
        steps = [one[key] for key in _EPOCHS]
        panel.plot([min(steps), max(steps)], [level] * 2, color=RULE)
        (final,) = panel.plot(steps[0], level, linestyle="none", label=_EPOCHS["final"], **parts.ring(colour, one["n"]))
        marks = [final]
        for value, key, marker in zip(steps[1:], ("honest_best", "best"), ("D", "^"), strict=True):
            marks += panel.plot(value, level, marker, label=_EPOCHS[key], color=colour, markersize=6)
    panel.legend(handles=marks, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8.5)
    panel.grid(axis="x")
    panel.set_xlabel("validation accuracy, percent")
    return figure
