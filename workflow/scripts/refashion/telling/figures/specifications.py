"""The specification curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures import parts
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import HAIR, INK, PAPER, VERDICT_COLOURS, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def specification_curves(analysis: Analysis) -> Sketch:
    """A published number under every choice that the original left unsaid."""
    title = "One published number, every unstated choice"
    curves = [curve for curve in analysis["specification_curves"] if curve["points"]]
    if not curves:
        return Sketch(title, reason=_no_curve(analysis["specification_curves"]))
    within, points = sum(curve["within"] for curve in curves), sum(len(curve["points"]) for curve in curves)
    found = f"Of {fmt.plural(points, 'unstated choice')}, {within or 'none'} within the margin"
    title = parts.finding(analysis, title, found)
    data = [
        {"claim": curve["claim"], "published": curve["published"], "cell": point["cell"], "metric": point["metric"]}
        | {"primary": point["primary"], "verdict": point["verdict"], **parts.sample_columns(point["sample"])}
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
    figure = parts.blank(WIDE, height)
    ceiling = height
    for curve, matrix in zip(curves, matrices, strict=True):
        upper = parts.place_axes(figure, left, ceiling - top - 1.9, WIDE - left - right, 1.9)
        lower = parts.place_axes(figure, left, ceiling - top - 2.0 - matrix, WIDE - left - right, matrix)
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
    parts.name_rows(panel, [parts.wrap(f"{key}: {fmt.text_or_missing(value)}", 34, 1) for key, value in choices], 34, 8)
    panel.set_ylim(max(1, len(choices)) - 0.5, -0.5)
    panel.set_xlim(-0.8, len(curve["points"]) - 0.2)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
