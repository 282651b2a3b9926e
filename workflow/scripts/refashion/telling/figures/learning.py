"""Learning curves, and what choosing the best epoch is worth."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from refashion import formatting as fmt
from refashion.telling.cells import cell_name
from refashion.telling.figures import parts
from refashion.telling.figures.parts import Analysis, Axes, Figure, Row, Sketch
from refashion.telling.figures.style import BLUE, INK, MUTED, RULE
from refashion.telling.words import span


def learning_curves(analysis: Analysis) -> Sketch:
    """Accuracy over epochs: median and band over seeds, final and best epoch, published number."""
    title = "Accuracy over the epochs of training"
    values = {claim["id"]: claim["value"] for claim in analysis["claims"]}
    known = {one["cell"]: one for one in analysis["learning_curves"] if one["epochs"]}
    curves = [
        known[column["cell"]]
        | {"name": cell_name(analysis, column["cell"]), "published": values.get(column["validation_claim"])}
        for column in analysis["table"]["columns"]
        if column["cell"] in known
    ]
    if not curves:
        return Sketch(title, reason="No run of the original's cells has finished, so there is no curve to draw.")
    early = sum(one["best_epoch"] is not None and one["best_epoch"] < one["epochs"][-1] for one in curves)
    return Sketch(
        title,
        found=f"Best before the last epoch: {early or 'none'} of {fmt.plural(len(curves), 'column')}",
        notes=_cut_told(curves) + parts.runs_note(one["n"] for one in curves),
        alternative=parts.told(
            "Learning curves",
            (
                f"{one['name']}: median final validation accuracy {fmt.percent(one['val']['median'][-1])} "
                f"after {fmt.plural(one['epochs'][-1], 'epoch')}, {fmt.plural(one['n'], 'run')}."
                for one in curves
            ),
        ),
        data=[
            {"cell": one["cell"], "n": one["n"], "epoch": epoch}
            | {
                f"{kind}_{part}": one[kind][part][i]
                for kind in ("train", "val", "clean")
                for part in ("median", "low", "high")
            }
            for one in curves
            for i, epoch in enumerate(one["epochs"])
        ],
        draw=partial(_draw_curves, curves),
    )


def _floor(curves: list[dict[str, Any]]) -> int:
    """Where the axis starts, in percent: below all but the first tenth of the epochs, which would take all the room."""
    shown = [value for one in curves for value in one["val"]["low"][len(one["epochs"]) // 10 :]]
    shown += [one["published"] for one in curves if one["published"] is not None]
    return max(0, math.floor(min(shown) - 1))


def _cut_told(curves: list[dict[str, Any]]) -> str:
    """What the axis cuts off, by network; an axis that hides something has to say so."""
    floor = _floor(curves)
    cut = []
    for one in curves:
        least = min(*one["val"]["low"], *one["val"]["median"], *one["train"]["median"])
        if least < floor:
            cut.append(f"{one['name']} (from {fmt.percent(least)})")
    if not cut:
        return ""
    return (
        f" The axis starts at {fmt.count(floor)}%; below it lie, not drawn, first epochs of {fmt.sentence_list(cut)}."
    )


def _draw_curves(curves: list[dict[str, Any]], phone: bool) -> Figure:
    figure, axes = parts.grid(len(curves), phone, 1.9 if phone else 2.35, sharey=True)
    for panel, one in zip(axes, curves, strict=True):
        panel.set_title(parts.wrap(one["name"], 34, 2))
        place: dict[str, Any] = {"transform": panel.transAxes, "ha": "right", "va": "bottom"}
        panel.text(0.98, 0.06, fmt.plural(one["n"], "run"), color=MUTED, size=8.5, **place)
        _draw_learning(panel, one)
        if one["published"] is not None:
            panel.axhline(one["published"], color=INK, linewidth=1.1)
        panel.grid(axis="y")
    axes[0].set_ylim(_floor(curves), None)
    figure.supxlabel("epoch", size=9.5, color=MUTED)
    figure.supylabel("percent", size=9.5, color=MUTED)
    return figure


def _draw_learning(panel: Axes, one: dict[str, Any]) -> None:
    epochs, middle = one["epochs"], one["val"]["median"]
    panel.plot(epochs, one["train"]["median"], color=MUTED, linewidth=1.2)
    panel.fill_between(epochs, one["val"]["low"], one["val"]["high"], color=BLUE, alpha=0.2, linewidth=0)
    panel.plot(epochs, middle, color=BLUE, linewidth=1.8)
    panel.plot(epochs[-1], middle[-1], clip_on=False, **parts.ring(BLUE, one["n"], 5.5))
    if one["best_epoch"] is not None:
        nearest = min(range(len(epochs)), key=lambda i: abs(epochs[i] - one["best_epoch"]))
        panel.plot(epochs[nearest], middle[nearest], "^", color=BLUE, markersize=5.5)


#: The three ways to choose an epoch, in the order of what they claim: words and mark.
_EPOCHS = {"final": ("final epoch", "o"), "honest_best": ("honest best", "D"), "best": ("best", "^")}


def optimism(analysis: Analysis) -> Sketch:
    """Final, honest best and best epoch: what choosing on the validation images is worth."""
    title = "What picking the best epoch buys"
    known = [one for one in analysis["optimism"] if one["metric"] == "val" and None not in map(one.get, _EPOCHS)]
    rows = parts.of_original(analysis, known)
    if not rows:
        return Sketch(title, reason="No run has finished, so there is no epoch to choose.")
    gained = span((one["best"] - one["final"] for one in rows), fmt.points)
    return Sketch(
        title,
        found=f"Picking the best epoch adds {gained}; part of it is not there on new images",
        notes=parts.runs_note(one["n"] for one in rows),
        alternative=parts.told(
            "Dot plot",
            (
                f"{one['name']}, {fmt.plural(one['n'], 'run')}: final {fmt.percent(one['final'])}, "
                f"honest best {fmt.percent(one['honest_best'])}, best {fmt.percent(one['best'])}."
                for one in rows
            ),
        ),
        data=[
            {key: one[key] for key in ("cell", "n", *_EPOCHS, "optimism", "best_epoch")} | parts.ends(one["interval"])
            for one in rows
        ],
        draw=partial(_draw_optimism, parts.architecture_colours(analysis), rows),
    )


def _draw_optimism(colours: dict[str, str], rows: list[dict[str, Any]], phone: bool) -> Figure:
    labels = [
        Row(
            one["name"],
            right=f"{fmt.points(one['optimism'], fmt.half_of(one['interval']))}, {fmt.plural(one['n'], 'run')}",
        )
        for one in rows
    ]
    figure, (panel,) = parts.row_panels([("", labels)], phone, "validation accuracy, percent", head=0.3)
    for y, one in enumerate(rows):
        colour = MUTED if one["n"] == 1 else colours[one["cell"].split("/")[0]]
        steps = [one[key] for key in _EPOCHS]
        panel.plot([min(steps), max(steps)], [y, y], color=RULE)
        for value, (words, marker) in zip(steps, _EPOCHS.values(), strict=True):
            look = parts.ring(colour, one["n"]) if marker == "o" else {"color": colour, "linestyle": "none"}
            panel.plot(value, y, **look | {"marker": marker, "label": words})
    parts.legend(panel, 3)
    return figure
