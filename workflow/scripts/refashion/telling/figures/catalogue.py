"""Every figure of the report by name, and its way to files: SVG, SVG for a phone, CSV.

A figure function (in the modules beside this one) takes the analysis (layout:
report/analysis.schema.json) and gives a `Sketch`: the words, the rows of its CSV, and a function that draws it. What
the study has not run gives a sketch with a reason instead; there is no empty figure.

Importing this module is cheap on purpose: the Snakefile asks it for `NAMES` in every job.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from refashion.telling import formats
from refashion.telling.figures import (
    comparisons,
    experiments,
    forests,
    images,
    interaction,
    learning,
    specifications,
    speed,
    style,
    variance,
)
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import MUTED, WIDE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: dict[str, Callable[[Analysis], Sketch]] = {
    "verdict_forest": forests.verdict_forest,
    "training_forest": forests.training_forest,
    "published_vs_reproduced": forests.published_vs_reproduced,
    "paired_differences": comparisons.paired_differences,
    "ranks": comparisons.ranks,
    "interaction": interaction.interaction,
    "variance_components": variance.variance_components,
    "specification_curves": specifications.specification_curves,
    "learning_curves": learning.learning_curves,
    "optimism": learning.optimism,
    "half_widths": variance.half_widths,
    "confusion": images.confusion,
    "image_difficulty": images.image_difficulty,
    "parameter_audit": specifications.parameter_audit,
    "fractions": experiments.fractions,
    "experiments": experiments.experiments,
    "speed": speed.speed,
}
#: Every figure: results/figures/{name}.svg and results/figures/{name}.csv.
NAMES = tuple(FIGURES)


@dataclass(frozen=True)
class Drawing:
    """A figure as files: SVG for a wide page, SVG for a phone (None: the wide one serves), CSV."""

    name: str
    title: str
    caption: str
    alternative: str
    svg: str
    phone_svg: str | None
    csv: str
    reason: str


def draw(analysis: Analysis, name: str) -> Drawing:
    """Draws the figure `name` (one of NAMES)."""
    return render(name, FIGURES[name](analysis))


def draw_experiment(analysis: Analysis, name: str) -> Drawing:
    """Draws the cells of one experiment of the config."""
    return render(f"experiment-{name}", experiments.experiment(analysis, name))


def render(name: str, sketch: Sketch) -> Drawing:
    """A sketch as SVG and CSV. One without anything to draw becomes its reason, as a sentence."""
    with style.style():
        svg = style.to_svg(sketch.draw(False) if sketch.draw else _sentence(sketch.reason), name)
        phone = style.to_svg(sketch.draw(True), f"{name}-phone") if sketch.draw and sketch.phone else None
    return Drawing(
        name=name,
        title=sketch.title,
        caption=sketch.caption,
        alternative=sketch.alternative,
        svg=svg,
        phone_svg=phone,
        csv=formats.to_csv(sketch.data),
        reason=sketch.reason,
    )


def _sentence(reason: str) -> Figure:
    from matplotlib.figure import Figure

    lines = textwrap.wrap(reason, 90)
    figure = Figure(figsize=(WIDE, 0.5 + 0.25 * len(lines)))
    figure.text(0.02, 0.5, "\n".join(lines), va="center", color=MUTED, size=11)
    return figure
