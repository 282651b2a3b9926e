"""Where the spread between runs comes from, and how many seeds it asks for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import BLUE, INK, NARROW, ORANGE, PAPER, WIDE
from refashion.telling.words import span

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def variance_components(analysis: Analysis) -> Sketch:
    """The spread between runs, taken apart: luck on single images, true differences, subset, initialiser."""
    title = "Where the spread between runs comes from"
    given = analysis["variance"]
    noise = [
        one for one in given["image_noise"] if one["seed_variance"] is not None and one["within_images"] is not None
    ]
    noise = [one for one in noise if one["cell"] in parts.original_cells(analysis)] or noise[:8]
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
    if noise:
        spread = span((math.sqrt(one["seed_variance"]) for one in noise), fmt.number)
        title = parts.finding(analysis, title, f"Runs of one recipe spread by {spread} pp (standard deviation)")
    crossed = " The crossed experiment splits it by what was drawn." if sources and noise else ""
    caption = (
        "Standard deviations in percentage points. Two runs of one recipe differ because they get single images right "
        "or wrong by luck, and because they are truly better or worse networks; the ring is what an author who trains "
        "once cannot see. Of few runs each is rough: the SD of five may be 0.6 to 2.9 times as large. A part of zero "
        f"means that luck alone would give more spread than was seen, not that the networks are equally good.{crossed}"
    )
    alternative = "Dot plot of standard deviations. " + " ".join(
        f"{parts.cell_name(analysis, one['cell'])}: {fmt.number(math.sqrt(one['seed_variance']))} pp between runs."
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
    if noise:
        for (part, key), marker, colour in zip(_NOISE.items(), ("o", "s", "D"), (INK, ORANGE, BLUE), strict=True):
            known = [(math.sqrt(max(0.0, one[key])), y) for y, one in enumerate(noise) if one[key] is not None]
            face = PAPER if key == "seed_variance" else colour
            look: dict[str, Any] = {"color": colour, "markerfacecolor": face, "markersize": 6, "clip_on": False}
            axes[0].plot(*zip(*known, strict=True), marker, label=part, **look)
        axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1, fontsize=8.5)
    if sources:
        axes[-1].set_title("Crossed experiment")
        for y, one in enumerate(sources):
            if one["interval"]:
                ends = [math.sqrt(max(0.0, bound)) for bound in one["interval"]]
                axes[-1].plot(ends, [y, y], color=BLUE, linewidth=1.4)
            axes[-1].plot(one["sd"], y, "o", color=BLUE, markersize=6)
    names = [parts.cell_name(analysis, one["cell"]) for one in noise], [one["source"] for one in sources]
    for panel, own in zip(axes, filter(None, names), strict=True):
        parts.name_rows(panel, own, *((22, 8.5) if phone else ()))
        parts.rule_rows(panel, len(own))
        panel.set_xlim(left=0)
        panel.set_xlabel("standard deviation, pp")
    return figure


def half_widths(analysis: Analysis) -> Sketch:
    """Half-width of the interval against the number of seeds."""
    title = "How many seeds a statement needs"
    given = analysis["half_widths"]
    wanted = parts.original_cells(analysis)
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
    runs, widths = [one["n"] for one in cells], [one["half_width"] for one in cells if one["half_width"] is not None]
    if widths:
        known = f"With {span(runs, fmt.count)} seeds a mean is known to ±{span(widths, fmt.number)} pp"
        title = parts.finding(analysis, title, known)
    caption = (
        "Half the width of the interval of a mean, at the spread seen here, against the number of seeds; rings mark "
        "what this study has. Halving the width takes about four times the seeds. A colour is a network; where two of "
        "its cells are drawn, the second line is dashed."
    )
    alternative = "Line chart. " + " ".join(
        f"{parts.cell_name(analysis, one['cell'])}: half-width {fmt.number(one['half_width'])} pp with "
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
    colours = parts.architecture_colours(analysis)
    ticks = [n for n in (2, 3, 5, 10, 20, 40, 100) if n <= max(given["ns"])]
    panel.set_xscale("log")
    ends = []
    drawn: list[str] = []
    for one in cells:
        network, name = one["cell"].split("/")[0], parts.wrap(parts.cell_name(analysis, one["cell"]), 40, 1)
        x, y = parts.known_points(given["ns"], one["curve"])
        dash = ("-", "--")[drawn.count(network) % 2]
        panel.plot(x, y, color=colours[network], linewidth=1.6, label=name, linestyle=dash)
        if one["half_width"] is not None:
            panel.plot(one["n"], one["half_width"], linestyle="none", **parts.ring(colours[network], one["n"]))
        ends.append((name, y[-1], colours[network]))
        drawn.append(network)
    panel.set_yscale("log")
    shown = [y for one in cells for y in one["curve"] if y is not None]
    low, high = min(shown) * 0.6, min(max(shown) * 1.1, 5)
    panel.set_ylim(low, high)
    if phone:
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1, fontsize=8.5)
    else:
        parts.label_ends(panel, ends, max(given["ns"]) * 1.05, 0.055)
    panel.set_xlim(min(given["ns"]), max(given["ns"]) * (1.1 if phone else 4.6))
    panel.set_xticks(ticks, [str(tick) for tick in ticks])
    marks = [m for m in (0.05, 0.1, 0.2, 0.5, 1, 2, 5) if low <= m <= high]
    panel.set_yticks(marks, [f"{m:g}" for m in marks])
    panel.minorticks_off()
    panel.set_xlabel("seeds")
    panel.set_ylabel("half-width, pp")
    panel.grid()
    return figure
