"""Where the spread between runs comes from, and how many seeds it asks for."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Figure, Row, Sketch
from refashion.telling.figures.style import BLUE, INK, NARROW, ORANGE, PAPER, WIDE
from refashion.telling.words import span

#: The parts of a spread: words -> the variance of the document, colour, mark and its face.
_PARTS = {
    "between runs, as measured": ("seed_variance", INK, "o", PAPER),
    "luck on single images": ("within_images", ORANGE, "s", ORANGE),
    "true differences between runs": ("true_seed_variance", BLUE, "D", BLUE),
}


def variance_components(analysis: Analysis) -> Sketch:
    """The spread between runs, taken apart: luck on single images, true differences, subset, initialiser."""
    title = "Where the spread between runs comes from"
    given = analysis["variance"]
    noise = parts.of_original(analysis, [one for one in given["image_noise"] if one["n"] > 1])
    sources = given["components"]["sources"] if given["components"] else []
    if not noise and not sources:
        return Sketch(title, reason=fmt.sentence(given["reason"], "A spread needs at least two runs of a cell."))
    spread = span((_sd(one["seed_variance"]) for one in noise), fmt.number) if noise else ""
    return Sketch(
        title,
        found=f"Runs of one recipe spread by {spread} pp (standard deviation)" if noise else None,
        alternative=parts.told(
            "Dot plot of standard deviations",
            [f"{one['name']}: {fmt.number(_sd(one['seed_variance']))} pp between runs." for one in noise]
            + [
                f"{one['source']}: {fmt.share_of_100(one['share'])} of 100."
                for one in sources
                if fmt.exists(one["share"])
            ],
        ),
        data=[
            {"part": part, "cell": one["cell"], "n": one["n"], "sd": _sd(one[key])}
            for one in noise
            for part, (key, *_) in _PARTS.items()
        ]
        + [
            {"part": one["source"], "cell": "crossed experiment", "sd": one["sd"], "share": one["share"], "p": one["p"]}
            for one in sources
        ],
        draw=partial(_draw_variance, noise, sources),
    )


def _sd(variance: float) -> float:
    """The root of an estimated variance, which may lie below zero."""
    return math.sqrt(max(0.0, variance))


def _draw_variance(noise: list[dict[str, Any]], sources: list[dict[str, Any]], phone: bool) -> Figure:
    luck = [Row(one["name"], right=fmt.plural(one["n"], "run")) for one in noise]
    crossed = [Row(one["source"], right=f"{fmt.share_of_100(one['share'])} of 100") for one in sources]
    panels = [(title, rows) for title, rows in (("", luck), ("Crossed experiment", crossed)) if rows]
    figure, axes = parts.row_panels(panels, phone, "standard deviation, pp", 0.65 if phone else 0.5)
    for y, one in enumerate(noise):
        for part, (key, colour, marker, face) in _PARTS.items():
            look: dict[str, Any] = {"markerfacecolor": face, "markersize": 6, "clip_on": False}
            axes[0].plot(_sd(one[key]), y, marker, color=colour, label=part, **look)
    for y, one in enumerate(sources):
        axes[-1].plot([_sd(bound) for bound in one["interval"]], [y, y], color=BLUE, linewidth=1.4)
        axes[-1].plot(one["sd"], y, "o", color=BLUE, markersize=6)
    if noise:
        parts.legend(axes[0], 1 if phone else 2)
    for panel in axes:
        panel.set_xlim(left=0)
    return figure


def half_widths(analysis: Analysis) -> Sketch:
    """Half-width of the interval against the number of seeds."""
    title = "How many seeds a statement needs"
    given = analysis["half_widths"]
    # Runs that all agree (sd 0) have a width of 0 with any number of seeds, and no place on a logarithmic axis.
    cells = parts.of_original(analysis, [one for one in given["cells"] if one["sd"]])
    if not cells:
        return Sketch(title, reason="A half-width needs at least two runs of a cell that differ.")
    runs, widths = span((one["n"] for one in cells), fmt.count), span((one["half_width"] for one in cells), fmt.number)
    return Sketch(
        title,
        found=f"With {runs} seeds a mean is known to ±{widths} pp",
        alternative=parts.told(
            "Line chart",
            (
                f"{one['name']}: half-width {fmt.number(one['half_width'])} pp with {fmt.plural(one['n'], 'seed')}."
                for one in cells
            ),
        ),
        data=[
            {"cell": one["cell"], "sd": one["sd"], "n": n, "half_width": width, "ours": n == one["n"]}
            for one in cells
            for n, width in zip(given["ns"], one["curve"], strict=True)
        ],
        draw=partial(_draw_half_widths, parts.architecture_colours(analysis), given["ns"], cells),
    )


def _draw_half_widths(colours: dict[str, str], ns: list[int], cells: list[dict[str, Any]], phone: bool) -> Figure:
    """On a phone the names stand in a legend: beside the lines there is no room for them."""
    figure, (panel,) = style.new_figure(*((NARROW, 2.8 + 0.18 * len(cells)) if phone else (WIDE, 3.4)))
    panel.set_xscale("log")
    panel.set_yscale("log")
    ends = []
    drawn: list[str] = []
    for one in cells:
        network, name = one["cell"].split("/")[0], parts.wrap(one["name"], 40, 1)
        dash = ("-", "--")[drawn.count(network) % 2]
        panel.plot(ns, one["curve"], color=colours[network], linewidth=1.6, label=name, linestyle=dash)
        panel.plot(one["n"], one["half_width"], **parts.ring(colours[network], one["n"]))
        ends.append((name, one["curve"][-1], colours[network]))
        drawn.append(network)
    shown = [y for one in cells for y in one["curve"]]
    low, high = min(shown) * 0.6, min(max(shown) * 1.1, 5)
    panel.set_ylim(low, high)
    if phone:
        parts.legend(panel, 1)
    else:
        parts.label_ends(panel, ends, max(ns) * 1.05, 0.055)
    panel.set_xlim(min(ns), max(ns) * (1.1 if phone else 4.6))
    ticks = [n for n in (2, 3, 5, 10, 20, 40, 100) if n <= max(ns)]
    panel.set_xticks(ticks, [str(tick) for tick in ticks])
    marks = [m for m in (0.05, 0.1, 0.2, 0.5, 1, 2, 5) if low <= m <= high]
    panel.set_yticks(marks, [f"{m:g}" for m in marks])
    panel.minorticks_off()
    panel.set_xlabel("seeds")
    panel.set_ylabel("half-width, pp")
    panel.grid()
    return figure
