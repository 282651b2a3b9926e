"""The factorial experiment: what network, images and augmentation do, each at each level of the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

from refashion import formatting as fmt
from refashion.telling.figures import parts
from refashion.telling.figures.parts import Analysis, Axes, Figure, Sketch
from refashion.telling.figures.style import MUTED
from refashion.telling.words import span


@dataclass(frozen=True)
class _Panel:
    """A grid at one number of images: its levels of augmentation, and a network's cells with runs in their order."""

    title: str
    levels: list[str]
    lines: dict[str, list[dict[str, Any]]]


def interaction(analysis: Analysis) -> Sketch:
    """Augmentation's effect by network and number of images, at equal updates and as published."""
    title = "Network, images and augmentation, taken apart"
    policies = analysis["effects"]["policies"]
    if not policies:
        reason = fmt.sentence(analysis["effects"]["reason"], "The factorial experiment has not been run.")
        return Sketch(title, reason=reason)
    possible = [panel for policy in policies for panel in _panels(analysis, policy)]
    panels = [panel for panel in possible if any(len(line) > 1 for line in panel.lines.values())]
    if not panels:
        reason = (
            "No network has finished runs both without and with augmentation at the same number of images, so there is "
            "no effect of augmentation to draw."
        )
        return Sketch(title, reason=reason)
    lines = [line for panel in panels for line in panel.lines.values()]
    moves = [line[-1]["sample"]["mean"] - line[0]["sample"]["mean"] for line in lines if len(line) > 1]
    alone = " A ring without a line is a network of which the other end has not been run."
    left_out = " Numbers of images at which no network has both ends are left out."
    return Sketch(
        title,
        found=f"With augmentation, means differ by {span(moves, fmt.points)}, by network, images and updates",
        notes=f"{alone if any(len(line) == 1 for line in lines) else ''}"
        f"{left_out if len(panels) < len(possible) else ''}"
        f"{parts.runs_note(cell['sample']['n'] for line in lines for cell in line)}",
        alternative=parts.told(
            "Interaction plot",
            (
                f"{panel.title}, {network}, {cell['augmentation']}: "
                f"{fmt.percent(cell['sample']['mean'])}, {fmt.plural(cell['sample']['n'], 'run')}."
                for panel in panels
                for network, line in panel.lines.items()
                for cell in line
            ),
        ),
        data=[
            {"policy": policy["title"], "metric": policy["metric"]}
            | {key: cell[key] for key in ("cell", "architecture", "fraction", "augmentation", "images")}
            | parts.sample_columns(cell["sample"])
            for policy in policies
            for cell in policy["cells"]
        ],
        draw=partial(_draw_interaction, parts.architecture_colours(analysis), panels),
    )


def _panels(analysis: Analysis, policy: dict[str, Any]) -> list[_Panel]:
    """A panel a number of images; its lines are empty where nothing was run."""
    levels = policy["levels"]["augmentation"]
    # What tells one grid from the other: the words in brackets at the end of its title, or all of it.
    found = re.search(r"\(([^()]+)\)$", policy["title"])
    panels = []
    for fraction in dict.fromkeys(cell["fraction"] for cell in policy["cells"]):
        own = [cell for cell in policy["cells"] if cell["fraction"] == fraction]
        lines: dict[str, list[dict[str, Any]]] = {}
        for cell in sorted(own, key=lambda cell: levels.index(cell["augmentation"])):
            if cell["sample"]["n"]:
                lines.setdefault(analysis["names"]["networks"][cell["architecture"]], []).append(cell)
        runs = span([cell["sample"]["n"] for line in lines.values() for cell in line] or [0], fmt.count)
        images = fmt.count(own[0]["images"])
        title = f"{found[1] if found else policy['title']}, {images} images, n = {runs}"
        panels.append(_Panel(title, levels, lines))
    return panels


def _draw_interaction(colours: dict[str, str], panels: list[_Panel], phone: bool) -> Figure:
    figure, axes = parts.grid(len(panels), phone, 2.5, columns=2, sharey=True)
    for panel, given in zip(axes, panels, strict=True):
        panel.set_title(parts.wrap(given.title, 46, 2), size=9)
        panel.set_xlim(-0.35, len(given.levels) - 1 + 0.75)
        panel.set_xticks(range(len(given.levels)), given.levels)
        panel.grid(axis="y")
        for line in given.lines.values():
            x = [given.levels.index(cell["augmentation"]) for cell in line]
            colour = colours[line[0]["architecture"]]
            panel.plot(x, [cell["sample"]["mean"] for cell in line], color=colour, linewidth=1.8)
            for at, cell in zip(x, line, strict=True):
                parts.mark_mean(panel, at, cell["sample"], colour)
    figure.supylabel("accuracy, percent", size=9.5, color=MUTED)
    for panel, given in zip(axes, panels, strict=True):  # the limits, which the panels share, are final only now
        _name_lines(panel, given, colours)
    return figure


def _name_lines(panel: Axes, given: _Panel, colours: dict[str, str]) -> None:
    """The network's name beside the last run of each line."""
    for x, level in enumerate(given.levels):
        last = {name: line[-1] for name, line in given.lines.items() if line[-1]["augmentation"] == level}
        ends = [(name, cell["sample"]["mean"], colours[cell["architecture"]]) for name, cell in last.items()]
        if ends:
            parts.label_ends(panel, ends, x + 0.1, 0.075)
