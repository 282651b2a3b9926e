"""The factorial experiment: what network, images and augmentation do, each at each level of the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import INK, NARROW, WIDE
from refashion.telling.words import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def interaction(analysis: Analysis) -> Sketch:
    """Augmentation's effect by network and number of images, at equal updates and as published."""
    title = "Network, images and augmentation, taken apart"
    policies = analysis["effects"]["policies"]
    if not policies:
        return Sketch(
            title, reason=fmt.sentence(analysis["effects"]["reason"], "The factorial experiment has not been run.")
        )
    panels = [panel for policy in policies for panel in _panels(policy)]
    if not panels:
        return Sketch(
            title,
            reason="No network has finished runs both without and with augmentation at the same number of images, so "
            "there is no effect of augmentation to draw.",
        )
    data = [
        {"policy": policy["title"], "metric": policy["metric"]}
        | {key: cell[key] for key in ("cell", "architecture", "fraction", "augmentation", "images")}
        | parts.sample_columns(cell["sample"])
        for policy in policies
        for cell in policy["cells"]
    ]
    title = parts.finding(analysis, title, _moved(panels))
    shown = [(name, cell) for name, cells, _ in panels for cell in cells]
    alone = any(len(line) == 1 for _, cells, _ in panels for line in _lines(cells).values())
    wanted = sum(len({cell["fraction"] for cell in policy["cells"]}) for policy in policies)
    notes = [
        "A ring without a line is a network of which the other end has not been run." if alone else "",
        "Numbers of images at which no network has both ends are left out." if len(panels) < wanted else "",
    ]
    caption = (
        "Each line joins the same network without and with augmentation; whiskers are "
        f"{analysis['study']['confidence']:.0%} intervals of the mean. Parallel lines would mean that augmentation "
        "does the same for every network. Compare the panels: with few images, and with all of them. "
        "Accuracy is that on images not augmented, so that both ends of a line are judged alike."
        f"{''.join(f' {note}' for note in notes if note)}{parts.lone_note(cell['sample']['n'] for _, cell in shown)}"
    )
    alternative = "Interaction plot. " + " ".join(
        f"{name}, {cell['architecture']}, {cell['augmentation']}: {fmt.percent(cell['sample']['mean'])}, "
        f"{fmt.plural(cell['sample']['n'], 'run')}."
        for name, cell in shown
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_interaction(analysis, panels, phone), True)


def _moved(panels: list[tuple[str, list[dict[str, Any]], list[str]]]) -> str:
    """How far the mean moves from the first level of augmentation to the last, over networks and numbers of images."""
    moves = []
    for _, cells, levels in panels:
        for line in _lines(cells).values():
            ends = sorted(line, key=lambda cell: levels.index(cell["augmentation"]))
            if len(ends) > 1:
                moves.append(ends[-1]["sample"]["mean"] - ends[0]["sample"]["mean"])
    return f"Augmentation moves accuracy by {span(moves, fmt.points)}, by network, images and updates"


def _panels(policy: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]], list[str]]]:
    """(title, cells that have runs, levels of augmentation) a number of images at which some network has both ends."""
    known = [cell for cell in policy["cells"] if cell["sample"]["mean"] is not None]
    panels = []
    for fraction in dict.fromkeys(cell["fraction"] for cell in policy["cells"]):
        cells = [cell for cell in known if cell["fraction"] == fraction]
        if any(len(line) > 1 for line in _lines(cells).values()):
            runs = span((cell["sample"]["n"] for cell in cells), fmt.count)
            name = f"{_short(policy['title'])}, {fmt.count(cells[0]['images'])} images, n = {runs}"
            panels.append((name, cells, policy["levels"]["augmentation"]))
    return panels


def _short(title: str) -> str:
    """What tells one grid from the other: the words in brackets at the end of its title, or all of it."""
    found = re.search(r"\(([^()]+)\)$", title)
    return found.group(1) if found else title


def _lines(cells: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Cells by network."""
    names = dict.fromkeys(cell["architecture"] for cell in cells)
    return {name: [cell for cell in cells if cell["architecture"] == name] for name in names}


def _draw_interaction(
    analysis: Analysis, panels: list[tuple[str, list[dict[str, Any]], list[str]]], phone: bool
) -> Figure:
    columns = 1 if phone else min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = style.new_figure(NARROW if phone else WIDE, 0.3 + 2.5 * rows, rows, columns, sharey=True)
    colours = parts.architecture_colours(analysis)
    ends = [_draw_lines(panel, cells, levels, colours) for panel, (_, cells, levels) in zip(axes, panels, strict=False)]
    for panel, (name, _, _), found in zip(axes, panels, ends, strict=False):
        panel.set_title(parts.wrap(name, 46, 2), size=9)
        for x in dict.fromkeys(end[0] for end in found):  # the limits, which the panels share, are final only now
            parts.label_ends(panel, [end[1:] for end in found if end[0] == x], x + 0.1, 0.075)
    for panel in axes[len(panels) :]:
        panel.set_axis_off()
    for row in range(rows):
        axes[row * columns].set_ylabel("accuracy, percent")
    return figure


def _draw_lines(
    panel: Axes, cells: list[dict[str, Any]], levels: list[str], colours: dict[str, str]
) -> list[tuple[int, str, float, str]]:
    """A line a network; where each ends, for its label: (level, name, height, colour)."""
    panel.set_xlim(-0.35, len(levels) - 1 + 0.75)
    panel.set_xticks(range(len(levels)), levels)
    panel.grid(axis="y")
    ends = []
    for name, line in _lines(cells).items():
        points = sorted((levels.index(cell["augmentation"]), cell["sample"]["mean"]) for cell in line)
        colour = colours.get(name, INK)
        panel.plot(*zip(*points, strict=True), color=colour, linewidth=1.8)
        for cell in line:
            x, sample = levels.index(cell["augmentation"]), cell["sample"]
            if sample["interval"]:
                panel.plot([x, x], sample["interval"], color=colour, linewidth=1.2)
            panel.plot(x, sample["mean"], linestyle="none", **parts.ring(colour, sample["n"], 5.5))
        ends.append((points[-1][0], name, points[-1][1], colour))
    return ends
