"""The specification curves."""

from __future__ import annotations

from functools import partial
from typing import Any

from refashion import formatting as fmt
from refashion.study.names import setting
from refashion.telling.figures import parts
from refashion.telling.figures.parts import Analysis, Axes, Figure, Sketch
from refashion.telling.figures.style import HAIR, INK, NARROW, PAPER, VERDICT_COLOURS, WIDE


def specification_curves(analysis: Analysis) -> Sketch:
    """A published number under every choice that the original left unsaid."""
    title = "One published number, every unstated choice"
    curves = [curve for curve in analysis["specification_curves"] if curve["points"]]
    if not curves:
        return Sketch(title, reason=_no_curve(analysis["specification_curves"]))
    within, points = sum(curve["within"] for curve in curves), sum(len(curve["points"]) for curve in curves)
    return Sketch(
        title,
        found=f"Of {fmt.plural(points, 'specification')}, {within or 'none'} within the margin",
        alternative=parts.told("Specification curve", map(_curve_told, curves)),
        data=[
            {"claim": curve["claim"], "published": curve["published"], "cell": point["cell"], "metric": point["metric"]}
            | {"primary": point["primary"], "verdict": point["verdict"], **parts.sample_columns(point["sample"])}
            | {f"choice: {key}": value for key, value in point["choices"].items()}
            for curve in curves
            for point in curve["points"]
        ],
        draw=partial(_draw_specifications, analysis["names"]["networks"], curves),
    )


def _curve_told(curve: dict[str, Any]) -> str:
    least, most = (fmt.percent(curve["points"][i]["sample"]["mean"]) for i in (0, -1))
    count = fmt.plural(len(curve["points"]), "specification")
    printed = f"{curve['claim']}, published {fmt.percent(curve['published'])}"
    return f"{printed}: {count} from {least} to {most}, of which {curve['within']} lie within the margin."


def _no_curve(curves: list[dict[str, Any]]) -> str:
    """Why there is no specification curve, naming the claims that wait for one; each reason once."""
    waiting: dict[str, list[str]] = {}
    for curve in curves:
        waiting.setdefault(curve["reason"], []).append(curve["claim"])
    told = [fmt.sentence(f"{fmt.sentence_list(claims)}: {reason}") for reason, claims in waiting.items() if reason]
    return " ".join(told) or "The experiment that varies the unstated choices was not run."


def _choices(curve: dict[str, Any]) -> list[tuple[str, Any]]:
    """Every (key, value) that a specification changes, grouped by key."""
    found = dict.fromkeys((key, value) for point in curve["points"] for key, value in point["choices"].items())
    order = list(dict.fromkeys(key for key, _ in found))
    return sorted(found, key=lambda choice: (order.index(choice[0]), str(choice[1])))


def _choice_told(key: str, value: Any, networks: dict[str, str]) -> str:
    """A choice in words: `RMSprop`, `without dropout`, `the best epoch`, a network that is a list of layers."""
    if key == "architecture":
        return networks.get(value, value)
    if key == "metric":
        return f"{'the best' if value.startswith('best_') else 'the final'} epoch{', clean' * ('clean' in value)}"
    option = key.rpartition(".")[2]
    return setting(option, value) if value else f"without {option.replace('_', ' ')}"


def _draw_specifications(networks: dict[str, str], curves: list[dict[str, Any]], phone: bool) -> Figure:
    """A curve and its matrix of choices below each other, inches: title, curve, gap, matrix, room below."""
    width, left = (NARROW, 1.3) if phone else (WIDE, 2.1)
    across, title, curve_height, gap, room = width - left - 0.1, 0.35, 1.9, 0.1, 0.5
    matrices = [0.19 * max(1, len(_choices(curve))) for curve in curves]
    ceiling = sum(title + curve_height + gap + matrix + room for matrix in matrices)
    figure = parts.blank(width, ceiling)
    for curve, matrix in zip(curves, matrices, strict=True):
        bottom = ceiling - title - curve_height
        _draw_curve(parts.place_axes(figure, left, bottom, across, curve_height), curve)
        _draw_choices(parts.place_axes(figure, left, bottom - gap - matrix, across, matrix), curve, networks, phone)
        ceiling = bottom - gap - matrix - room
    return figure


def _draw_curve(panel: Axes, curve: dict[str, Any]) -> None:
    points, published, margin = curve["points"], curve["published"], curve["margin"]
    panel.axhspan(published - margin, published + margin, color=HAIR, linewidth=0)
    panel.axhline(published, color=INK, linewidth=1.4)
    for x, point in enumerate(points):
        colour = VERDICT_COLOURS[point["verdict"]]
        if point["sample"]["interval"]:
            panel.plot([x, x], point["sample"]["interval"], color=colour, linewidth=1.2)
        face, size = (PAPER, 7) if point["primary"] else (colour, 4.5)
        look: dict[str, Any] = {"markerfacecolor": face, "markersize": size, "markeredgewidth": 1.6}
        panel.plot(x, point["sample"]["mean"], "o", color=colour, **look)
    panel.set_xlim(-0.8, len(points) - 0.2)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.grid(axis="y")
    panel.set_title(f"{curve['claim']}: published {fmt.percent(published)}")
    panel.text(-0.6, published, "published", va="bottom", size=8.5)


def _draw_choices(panel: Axes, curve: dict[str, Any], networks: dict[str, str], phone: bool) -> None:
    choices, width = _choices(curve), 22 if phone else 34
    names = [parts.wrap(_choice_told(key, value, networks), width, 1) for key, value in choices]
    parts.name_rows(panel, names or [""], width, 7.5 if phone else 8)
    for y, (key, value) in enumerate(choices):
        if y % 2 == 0:
            panel.axhspan(y - 0.5, y + 0.5, color=HAIR, alpha=0.5, linewidth=0)
        chosen = [x for x, point in enumerate(curve["points"]) if point["choices"].get(key) == value]
        panel.plot(chosen, [y] * len(chosen), "s", color=INK, markersize=3.6, markeredgewidth=0)
    panel.set_xlim(-0.8, len(curve["points"]) - 0.2)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
