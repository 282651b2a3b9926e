"""Every figure of the report by name, and its way to files: SVG, SVG for a phone, CSV.

A figure function (in figure_claims, figure_networks, figure_runs) takes the analysis (layout:
report/analysis.schema.json) and gives a `Sketch`: the words, the rows of its CSV, and a function that draws it. What
the study has not run gives a sketch with a reason instead; there is no empty figure.

Importing this module is cheap on purpose: the Snakefile asks it for `NAMES` in every job.
"""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from refashion.telling import figure_claims, figure_networks, figure_runs, figure_style
from refashion.telling.figure_parts import Analysis, Sketch
from refashion.telling.figure_style import MUTED, WIDE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: dict[str, Callable[[Analysis], Sketch]] = {
    "verdict_forest": figure_claims.verdict_forest,
    "training_forest": figure_claims.training_forest,
    "published_vs_reproduced": figure_claims.published_vs_reproduced,
    "paired_differences": figure_networks.paired_differences,
    "ranks": figure_networks.ranks,
    "interaction": figure_networks.interaction,
    "variance_components": figure_runs.variance_components,
    "specification_curves": figure_claims.specification_curves,
    "learning_curves": figure_runs.learning_curves,
    "optimism": figure_runs.optimism,
    "half_widths": figure_runs.half_widths,
    "confusion": figure_runs.confusion,
    "image_difficulty": figure_runs.image_difficulty,
    "parameter_audit": figure_claims.parameter_audit,
    "fractions": figure_networks.fractions,
    "experiments": figure_networks.experiments,
    "speed": figure_runs.speed,
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
    return render(f"experiment-{name}", figure_networks.experiment(analysis, name))


def render(name: str, sketch: Sketch) -> Drawing:
    """A sketch as SVG and CSV. One without anything to draw becomes its reason, as a sentence."""
    with figure_style.style():
        svg = figure_style.to_svg(sketch.draw(False) if sketch.draw else _sentence(sketch.reason), name)
        phone = figure_style.to_svg(sketch.draw(True), f"{name}-phone") if sketch.draw and sketch.phone else None
    return Drawing(
        name=name,
        title=sketch.title,
        caption=sketch.caption,
        alternative=sketch.alternative,
        svg=svg,
        phone_svg=phone,
        csv=to_csv(sketch.data),
        reason=sketch.reason,
    )


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV; a column that a row lacks, and what is None, stays empty."""
    if not rows:
        return "reason\n"
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    return stream.getvalue()


def _plain(value: Any) -> Any:
    """A value as CSV readers of any language know it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else value


def _sentence(reason: str) -> Figure:
    from matplotlib.figure import Figure

    lines = textwrap.wrap(reason, 90)
    figure = Figure(figsize=(WIDE, 0.5 + 0.25 * len(lines)))
    figure.text(0.02, 0.5, "\n".join(lines), va="center", color=MUTED, size=11)
    return figure
