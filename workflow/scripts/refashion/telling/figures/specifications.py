"""The specification curves, and the parameters layer by layer.

One function a figure, from the analysis to a `Sketch`; the functions below it draw.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures import style
from refashion.telling.figures.parts import (
    Analysis,
    Sketch,
    blank,
    name_rows,
    place_axes,
    sample_columns,
    wrap,
)
from refashion.telling.figures.style import BLUE, HAIR, INK, NARROW, ORANGE, PAPER, VERDICT_COLOURS, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def specification_curves(analysis: Analysis) -> Sketch:
    """A published number under every choice that the original left unsaid."""
    title = "One published number, every unstated choice"
    curves = [curve for curve in analysis["specification_curves"] if curve["points"]]
    if not curves:
        return Sketch(title, reason=_no_curve(analysis["specification_curves"]))
    data = [
        {"claim": curve["claim"], "published": curve["published"], "cell": point["cell"], "metric": point["metric"]}
        | {"primary": point["primary"], "verdict": point["verdict"], **sample_columns(point["sample"])}
        | {f"choice: {key}": value for key, value in point["choices"].items()}
        for curve in curves
        for point in curve["points"]
    ]
    caption = (
        "Each column is one way to fill in what the original left unsaid, sorted by the accuracy it gives; the ring "
        "marks our primary choice. The level line is the published number with its margin. Below, what each column "
        "changes. Columns that reach the band are choices under which the number would reproduce."
    )
    alternative = "Specification curve. " + " ".join(
        f"{curve['claim']}, published {fmt.percent(curve['published'])}: "
        f"{fmt.plural(len(curve['points']), 'specification')} from "
        f"{fmt.percent(curve['points'][0]['sample']['mean'])} to {fmt.percent(curve['points'][-1]['sample']['mean'])}, "
        f"of which {curve['within']} reproduce it."
        for curve in curves
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_specifications(curves))


def _no_curve(curves: list[dict[str, Any]]) -> str:
    """Why there is no specification curve, naming the claims that wait for one; each reason once."""
    if not any(curve["reason"] for curve in curves):
        return "The experiment that varies the unstated choices was not run."
    waiting = {reason: [one["claim"] for one in curves if one["reason"] == reason] for reason in _reasons(curves)}
    return " ".join(fmt.sentence(f"{fmt.sentence_list(claims)}: {reason}") for reason, claims in waiting.items())


def _reasons(curves: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(curve["reason"] for curve in curves if curve["reason"]))


def _choices(curve: dict[str, Any]) -> list[tuple[str, Any]]:
    """Every (key, value) that a specification changes, grouped by key."""
    found = dict.fromkeys((key, value) for point in curve["points"] for key, value in point["choices"].items())
    order = list(dict.fromkeys(key for key, _ in found))
    return sorted(found, key=lambda choice: (order.index(choice[0]), str(choice[1])))


def _draw_specifications(curves: list[dict[str, Any]]) -> Figure:
    left, right, top, gap = 2.1, 0.1, 0.35, 0.5
    matrices = [0.19 * max(1, len(_choices(curve))) for curve in curves]
    height = sum(top + 1.9 + 0.1 + matrix + gap for matrix in matrices)
    figure = blank(WIDE, height)
    ceiling = height
    for curve, matrix in zip(curves, matrices, strict=True):
        upper = place_axes(figure, left, ceiling - top - 1.9, WIDE - left - right, 1.9)
        lower = place_axes(figure, left, ceiling - top - 2.0 - matrix, WIDE - left - right, matrix)
        _draw_curve(upper, curve)
        _draw_choices(lower, curve)
        ceiling -= top + 2.0 + matrix + gap
    return figure


def _draw_curve(panel: Axes, curve: dict[str, Any]) -> None:
    points = curve["points"]
    published, margin = curve["published"], curve["margin"]
    panel.axhspan(published - margin, published + margin, color=HAIR, linewidth=0)
    panel.axhline(published, color=INK, linewidth=1.4)
    for x, point in enumerate(points):
        colour = VERDICT_COLOURS[point["verdict"]]
        if point["sample"]["interval"]:
            panel.plot([x, x], point["sample"]["interval"], color=colour, linewidth=1.2)
        face = PAPER if point["primary"] else colour
        panel.plot(
            x,
            point["sample"]["mean"],
            "o",
            color=colour,
            markerfacecolor=face,
            markersize=7 if point["primary"] else 4.5,
            markeredgewidth=1.6,
        )
    panel.set_xlim(-0.8, len(points) - 0.2)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.grid(axis="y")
    panel.set_title(f"{curve['claim']}: published {fmt.percent(published)}")
    panel.text(-0.6, published, "published", va="bottom", size=8.5)


def _draw_choices(panel: Axes, curve: dict[str, Any]) -> None:
    choices = _choices(curve)
    for y, (key, value) in enumerate(choices):
        if y % 2 == 0:
            panel.axhspan(y - 0.5, y + 0.5, color=HAIR, alpha=0.5, linewidth=0)
        chosen = [x for x, point in enumerate(curve["points"]) if point["choices"].get(key) == value]
        panel.plot(chosen, [y] * len(chosen), "s", color=INK, markersize=3.6, markeredgewidth=0)
    name_rows(panel, [wrap(f"{key}: {fmt.text_or_missing(value)}", 34, 1) for key, value in choices], 34, 8)
    panel.set_ylim(max(1, len(choices)) - 0.5, -0.5)
    panel.set_xlim(-0.8, len(curve["points"]) - 0.2)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)


def parameter_audit(analysis: Analysis) -> Sketch:
    """Parameters of every layer, as printed and as built."""
    title = "Every layer, as printed and as built"
    networks = [one for one in analysis["audit"] if one["rows"]]
    data = [
        {"architecture": one["architecture"], "name": row["name"], "agrees": row["agrees"]}
        | {
            f"{side}_{key}": row[side][key]
            for side in ("printed", "built")
            if row[side]
            for key in ("layer", "parameters")
        }
        for one in networks
        for row in one["rows"]
    ]
    if not data:
        return Sketch(title, reason="The networks have not been built, so their parameters cannot be counted.")
    wrong = sum(not row["agrees"] for row in data)
    agree = "Every layer agrees." if not wrong else f"{fmt.plural(wrong, 'layer')} do not agree (crosses)."
    caption = (
        "Parameters of each layer that has any, on a logarithmic scale: squares as printed, dots as built here. "
        f"{agree} {_heaviest(networks)}"
    )
    alternative = f"Dot plots of the parameters of {fmt.plural(len(networks), 'network')}, layer by layer. {agree}"
    return Sketch(title, caption, alternative, data, lambda phone: _draw_audit(networks, phone), True)


def _heaviest(networks: list[dict[str, Any]]) -> str:
    """Where most parameters sit, as a sentence."""
    shares = []
    for one in networks:
        counts = [_parameters(row) for row in one["rows"]]
        if sum(counts):
            shares.append(f"{round(100 * max(counts) / sum(counts))} of 100 in {one['title']}")
    return f"A single layer holds this share of the parameters: {fmt.sentence_list(shares)}."


def _draw_audit(networks: list[dict[str, Any]], phone: bool) -> Figure:
    columns = 1 if phone else min(2, len(networks))
    rows = math.ceil(len(networks) / columns)
    shown = [[row for row in one["rows"] if _parameters(row)] for one in networks]
    most = [max(len(part) for part in shown[r * columns : (r + 1) * columns]) for r in range(rows)]
    width, pitch, size = (NARROW, 0.22, 8.5) if phone else (WIDE, 0.19, 8)
    figure, axes = style.new_figure(width, sum(0.75 + pitch * m for m in most), rows, columns, height_ratios=most)
    ticks = [1e2, 1e4, 1e6] if phone else [1e2, 1e3, 1e4, 1e5, 1e6]
    for panel, one, layers in zip(axes, networks, shown, strict=False):
        panel.set_title(one["title"])
        panel.set_xscale("log")
        for y, row in enumerate(layers):
            panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)
            if row["printed"]:
                panel.plot(
                    row["printed"]["parameters"], y, "s", markerfacecolor="none", markeredgecolor=INK, markersize=7
                )
            if row["built"] and row["built"]["parameters"]:
                panel.plot(
                    row["built"]["parameters"],
                    y,
                    "o" if row["agrees"] else "X",
                    color=BLUE if row["agrees"] else ORANGE,
                    markersize=4,
                )
        name_rows(panel, [row["name"] for row in layers], 26, size)
        panel.set_xlim(50, 6e6)
        panel.set_xticks(ticks, [fmt.count(tick) for tick in ticks], size=size)
        panel.minorticks_off()
    for panel in axes[len(networks) :]:
        panel.set_axis_off()
    return figure


def _parameters(row: dict[str, Any]) -> int:
    return max((row[side]["parameters"] for side in ("printed", "built") if row[side]), default=0)
