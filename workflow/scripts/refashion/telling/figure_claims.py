"""Figures of claims: the published numbers held against our runs, specifications, and layers.

One function a figure, from the analysis to a `Sketch`; the functions below it draw.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.study.model import TRAINING_METRICS
from refashion.telling import figure_style as style
from refashion.telling.figure_parts import (
    Analysis,
    Sketch,
    architecture_colours,
    blank,
    cell_name,
    lone_note,
    low_high,
    name_rows,
    place_axes,
    ring,
    sample_columns,
    seeds_note,
    thin,
    wrap,
)
from refashion.telling.figure_style import BLUE, HAIR, INK, MUTED, NARROW, ORANGE, PAPER, VERDICT_COLOURS, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# --- Verdicts ---------------------------------------------------------------------------------------------------------


def verdict_forest(analysis: Analysis) -> Sketch:
    """Published validation accuracies: every seed, interval, prediction interval, margin, verdict."""
    return _forest(analysis, False, "Published validation accuracies, held against our runs")


def training_forest(analysis: Analysis) -> Sketch:
    """The same for the published training accuracies."""
    return _forest(analysis, True, "Published training accuracies, held against our runs")


def _forest(analysis: Analysis, training: bool, title: str) -> Sketch:
    """training: the published accuracies on training images, else those on validation images."""
    rows = [
        _forest_row(analysis, claim)
        for claim in analysis["claims"]
        if claim["kind"] == "accuracy" and (claim["readings"][0]["metric"] in TRAINING_METRICS) == training
    ]
    if not any(row["values"] for row in rows):
        return Sketch(title, reason="No run that bears on these numbers has finished, so there is nothing to compare.")
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICT_COLOURS}
    told = fmt.sentence_list(f"{count} {verdict}" for verdict, count in counts.items() if count)
    caption = (
        "Each row is one published number, at zero. Ticks are our runs, the ring their mean, the thick line its "
        f"{analysis['study']['confidence']:.0%} interval, the thin line where one more run would fall. The shaded band "
        "is the margin within which a number counts as reproduced. A published number (the upright line) outside "
        "the thin one would be an unusual run of ours, taken by itself; the verdict allows for the number of claims."
        f"{lone_note(row['n'] for row in rows)}{seeds_note(max(len(row['values']) for row in rows))}"
    )
    alternative = f"Forest plot of {len(rows)} published numbers: {told}. " + " ".join(
        _forest_told(row) for row in rows
    )
    return Sketch(
        title, caption, alternative, [_forest_csv(row) for row in rows], lambda phone: _draw_forest(rows, phone), True
    )


def _forest_told(row: dict[str, Any]) -> str:
    """One row for who cannot see it."""
    ours = "no finished run"
    if row["mean"] is not None:
        ours = f"ours {fmt.percent(row['mean'], fmt.half_width(row['low'], row['high']))}"
        ours += f" over {fmt.plural(row['n'], 'run')}" if row["n"] > 1 else ", one run"
    if row["low"] is not None:
        ours += f", interval {fmt.percent_interval(row['low'], row['high'])}"
    published = f"published {fmt.percent(row['published'])}{row['where']}"
    return f"{row['label']}, {row['detail']}: {published}, {ours}; {row['verdict']}."


def _forest_row(analysis: Analysis, claim: dict[str, Any]) -> dict[str, Any]:
    numbers = claim["readings"][0]["numbers"] or {}
    columns = analysis["table"]["columns"]
    own = [column for column in columns if claim["id"] in (column["training_claim"], column["validation_claim"])]
    cells = claim["readings"][0]["cells"]
    cell = numbers.get("cell") or (cells[0] if cells else "")
    low, high = low_high(numbers.get("interval"))
    run_low, run_high = low_high(numbers.get("prediction"))
    return {
        "label": claim["id"],
        "detail": cell_name(analysis, cell),
        "where": "" if own else " (in the text)",
        "cell": cell,
        "published": claim["value"],
        "margin": numbers.get("margin"),
        "n": numbers.get("n", 0),
        "values": numbers.get("values", []),
        "mean": numbers.get("mean"),
        "low": low,
        "high": high,
        "run_low": run_low,
        "run_high": run_high,
        "verdict": claim["verdict"],
    }


def _forest_csv(row: dict[str, Any]) -> dict[str, Any]:
    return {"claim": row["label"], **{key: row[key] for key in row if key not in ("label", "where", "values")}} | {
        "values": " ".join(f"{value:.4f}" for value in row["values"])
    }


def _draw_forest(rows: list[dict[str, Any]], phone: bool) -> Figure:
    width = NARROW if phone else WIDE
    pitch, top, bottom = (0.86 if phone else 0.44), 0.1, 0.5
    left, right = (0.05, 0.05) if phone else (2.85, 1.35)
    figure = blank(width, top + bottom + pitch * len(rows))
    axes = place_axes(figure, left, bottom, width - left - right, pitch * len(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    for y, row in enumerate(rows):
        colour = VERDICT_COLOURS[row["verdict"]]
        _draw_forest_row(axes, y + (0.24 if phone else 0), row, colour, 0.22 if phone else 0.32)
        _label_forest_row(axes, y, row, colour, phone, left / (width - left - right))
    axes.set_xlabel("ours minus published, pp" if phone else "ours minus published, percentage points")
    axes.grid(axis="x")
    # On the line of the axis' own name: which side is which needs no sum in the reader's head.
    for x, side, end in ((0, "left", "ours lower"), (1, "right", "ours higher")):
        place = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
        axes.annotate(end, (x, 0), (0, -24), ha=side, va="center", color=MUTED, size=9.5, **place)
    return figure


def _draw_forest_row(axes: Axes, y: float, row: dict[str, Any], colour: str, half: float) -> None:
    """One published number: margin, runs, interval and mean, within `half` a row's height of `y`."""
    zero = row["published"]
    if row["margin"] is not None:
        axes.fill_between([-row["margin"], row["margin"]], y - half, y + half, color=HAIR, linewidth=0, zorder=0)
    axes.plot([0, 0], [y - half, y + half], color=INK, linewidth=1.4, zorder=1)
    if row["run_low"] is not None:
        axes.plot([row["run_low"] - zero, row["run_high"] - zero], [y, y], color=colour, linewidth=1, zorder=2)
    if row["low"] is not None:
        axes.plot([row["low"] - zero, row["high"] - zero], [y, y], color=colour, linewidth=4.5, zorder=3)
    if row["mean"] is None:
        place = axes.get_yaxis_transform()
        axes.text(0.01, y, "no finished run", transform=place, va="center", size=8.5, color=MUTED)
        return
    if row["n"] > 1:
        seeds = [value - zero for value in thin(row["values"])]
        axes.plot(seeds, [y + 0.62 * half] * len(seeds), "|", color=colour, markersize=5, markeredgewidth=0.9, zorder=2)
    axes.plot(row["mean"] - zero, y, linestyle="none", zorder=4, **ring(colour, row["n"]))


def _label_forest_row(axes: Axes, y: float, row: dict[str, Any], colour: str, phone: bool, left: float) -> None:
    place = {"transform": axes.get_yaxis_transform(), "va": "center"}
    published = f"published {fmt.percent(row['published'])}{row['where']}, {fmt.plural(row['n'], 'run')}"
    if phone:
        axes.text(0, y - 0.34, f"{row['label']}  {wrap(row['detail'], 38, 1)}", size=8.5, **place)
        axes.text(1, y - 0.34, row["verdict"], color=colour, weight="bold", ha="right", size=8.5, **place)
        axes.text(0, y - 0.12, published, color=MUTED, size=8.5, **place)
        return
    axes.text(-left, y, row["label"], weight="bold", **place)
    axes.text(-left * 0.86, y - 0.14, wrap(row["detail"], 40, 1), **place)
    axes.text(-left * 0.86, y + 0.2, published, color=MUTED, size=8.5, **place)
    axes.text(1.03, y, row["verdict"], color=colour, weight="bold", **place)


# --- Published against reproduced -------------------------------------------------------------------------------------


def published_vs_reproduced(analysis: Analysis) -> Sketch:
    """The accuracies of the original's table on their own scale, all seeds visible."""
    title = "The original's table, published and run again"
    values = {claim["id"]: claim["value"] for claim in analysis["claims"]}
    panels = []
    for row in analysis["table"]["rows"]:
        if row["kind"] == "accuracy" and any(value["printed"] for value in row["values"]):
            points = [
                {
                    "row": row["name"],
                    "column": column["id"],
                    "cell": column["cell"],
                    "name": cell_name(analysis, column["cell"]),
                    "published": values.get(entry["claim"]),
                    "sample": entry["sample"],
                    "verdict": entry["verdict"],
                }
                for column, entry in zip(analysis["table"]["columns"], row["values"], strict=True)
            ]
            panels.append((row["name"], points))
    flat = [point for _, points in panels for point in points]
    if not any(point["sample"] and point["sample"]["n"] for point in flat):
        return Sketch(title, reason="No run of the original's cells has finished, so there is nothing to show.")
    data = [
        {key: point[key] for key in ("row", "column", "cell", "published", "verdict")}
        | (sample_columns(point["sample"]) if point["sample"] else {})
        for point in flat
    ]
    caption = (
        "Diamonds are the published numbers, dots single runs of ours, upright lines their means where there are "
        "several. A diamond outside a few dots proves nothing: intervals and verdicts judge it."
        f"{seeds_note(max(point['sample']['n'] if point['sample'] else 0 for point in flat))}"
    )
    alternative = "Dot plot. " + " ".join(_told(point) for point in flat if point["sample"] and point["sample"]["n"])
    return Sketch(title, caption, alternative, data, lambda phone: _draw_published(analysis, panels, phone), True)


def _told(point: dict[str, Any]) -> str:
    published = f"published {fmt.percent(point['published'])}, " if point["published"] is not None else ""
    ours = f"ours {fmt.percent(point['sample']['mean'])}, {fmt.plural(point['sample']['n'], 'run')}"
    return f"{point['name']}, {point['row'].lower()}: {published}{ours}."


def _draw_published(analysis: Analysis, panels: list[tuple[str, list[dict[str, Any]]]], phone: bool) -> Figure:
    count = len(analysis["table"]["columns"])
    height = (0.85 + 0.42 * count) * (len(panels) if phone else 1)
    shape = (len(panels), 1) if phone else (1, len(panels))
    figure, axes = style.new_figure(NARROW if phone else WIDE, height, *shape, sharey=True)
    colours = architecture_colours(analysis)
    for panel, (name, points) in zip(axes, panels, strict=True):
        panel.set_title(name)
        for y, point in enumerate(points):
            colour = colours[point["cell"].split("/")[0]]
            panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)
            sample = point["sample"] or {"n": 0, "values": []}
            seeds = thin(sample["values"])
            panel.plot(seeds, [y] * len(seeds), "o", color=colour, alpha=0.45, markersize=5, markeredgewidth=0)
            if sample["n"] > 1:
                panel.plot([sample["mean"]] * 2, [y - 0.22, y + 0.22], color=colour, linewidth=2.4)
            if point["published"] is not None:
                panel.plot(
                    point["published"], y, "D", markerfacecolor=PAPER, markeredgecolor=INK, markersize=6.5, zorder=5
                )
        panel.grid(axis="x")
        panel.set_xlabel("percent")
    for panel in axes if phone else axes[:1]:
        name_rows(panel, [point["name"] for point in panels[0][1]], 22 if phone else 24, 8.5 if phone else 9.5)
    return figure


# --- Specification curves ---------------------------------------------------------------------------------------------


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


# --- Parameters -------------------------------------------------------------------------------------------------------


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
