"""Every figure of the report by name, and its way to the page and to files: SVG, PDF, PNG, CSV.

A figure function (in the modules beside this one, with the functions that draw it below it) takes the analysis (layout:
refashion/judging/document) and gives a `Sketch`: its words, the rows of its CSV, and a function that draws it for a
wide page or for a phone. What the study has not run gives a sketch with a reason instead; there is no empty figure.

Importing this module is cheap on purpose: the Snakefile asks it for `NAMES` in every job.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from refashion import files
from refashion.project import PROJECT
from refashion.telling import markup
from refashion.telling.figures import (
    comparisons,
    experiments,
    forests,
    images,
    interaction,
    learning,
    parts,
    specifications,
    speed,
    style,
    variance,
)
from refashion.telling.figures.parts import Analysis, Figure, Sketch
from refashion.telling.figures.style import MUTED, WIDE

FIGURES: dict[str, Callable[[Analysis], Sketch]] = {
    "verdict_forest": partial(forests.forest, "validation"),
    "training_forest": partial(forests.forest, "training"),
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
    "fractions": experiments.fractions,
    "experiments": experiments.experiments,
    "speed": speed.speed,
}
#: Every figure, in the page's order.
NAMES = tuple(FIGURES)
#: The files of a figure in results/figures/.
KINDS = ("svg", "pdf", "png", "csv")
#: Figures that only a study with one of these experiments can have.
_NEEDS = {
    "interaction": {"factorial", "factorial_published"},
    "specification_curves": {"unstated", "unstated_lenet5"},
    "fractions": {"fractions"},
}


def title_in_a_list(name: str) -> str:
    """The title of a figure in Snakemake's own report, which sorts by it: in the page's order."""
    words = name.replace("_", " ").capitalize()
    return f"{NAMES.index(name) + 1:02d}. {words}"


def possible(name: str, run: Collection[str]) -> bool:
    """Whether a study that runs these experiments can draw the figure."""
    beyond = set(run) - set(experiments.CORE)
    return bool(beyond) if name == "experiments" else not _NEEDS.get(name) or bool(_NEEDS[name] & set(run))


@dataclass(frozen=True)
class Drawing:
    """A figure as text: its words, SVG for a wide page and for a phone, CSV. `reason`: why nothing is drawn."""

    name: str
    title: str
    caption: str
    alternative: str
    svg: str
    phone_svg: str
    csv: str
    reason: str


def draw_all(analysis: Analysis, folder: Path | None = None) -> dict[str, Drawing]:
    """Every figure of the page by name, those of the experiments that run as `experiment-NAME`.

    With `folder` the figures of NAMES are also written there, a file of each of KINDS.
    """
    drawings = {name: draw(analysis, name, folder) for name in NAMES}
    own = [one["name"] for one in experiments.extensions(analysis) if one["enabled"]]
    return drawings | {f"experiment-{name}": draw(analysis, f"experiment-{name}") for name in own}


def draw(analysis: Analysis, name: str, folder: Path | None = None) -> Drawing:
    """Draws one of NAMES, or of `experiment-NAME` for each experiment of the config."""
    if name in FIGURES:
        sketch = FIGURES[name](analysis)
    else:
        sketch = experiments.experiment(analysis, name.removeprefix("experiment-"))
    if sketch.found and analysis["study"]["evidence"]:
        sketch = replace(sketch, title=sketch.found)
    return render(name, sketch, _caption(name, analysis["study"]["confidence"]) + sketch.notes, folder)


def _caption(name: str, confidence: float) -> str:
    """The caption in report/captions: its first paragraph, less the title in bold. Snakemake's own report has all."""
    from jinja2 import Template

    path = PROJECT / "report" / "captions" / f"{name if name in FIGURES else 'experiments'}.rst"
    words = path.read_text(encoding="utf-8").split("\n\n")[0].rpartition("**")[2]
    config = {"analysis": {"confidence": confidence}}
    return " ".join(Template(words).render(snakemake={"config": config}).split())


def render(name: str, sketch: Sketch, caption: str = "", folder: Path | None = None) -> Drawing:
    """A sketch as SVG and CSV. One without anything to draw becomes its reason, as a sentence."""
    with style.style():
        figure = sketch.draw(False) if sketch.draw else _sentence(sketch.reason)
        svg = style.to_svg(figure, name)
        phone = style.to_svg(sketch.draw(True), f"{name}-phone") if sketch.draw else svg
        if folder:
            style.write_pictures(figure, folder / name)
    words = (sketch.title, caption, sketch.alternative)
    drawing = Drawing(name, *words, svg, phone, markup.to_csv(sketch.data), sketch.reason)
    if folder:
        files.write_text(folder / f"{name}.svg", svg)
        files.write_text(folder / f"{name}.csv", drawing.csv)
    return drawing


def write_drawings(drawings: dict[str, Drawing], path: Path) -> None:
    """All drawings in one file, for the rule that makes the page: nothing is drawn twice."""
    files.write_text(path, json.dumps([asdict(one) for one in drawings.values()]))


def read_drawings(path: Path) -> dict[str, Drawing]:
    """What `write_drawings` wrote."""
    return {one["name"]: Drawing(**one) for one in json.loads(path.read_text(encoding="utf-8"))}


def _sentence(reason: str) -> Figure:
    lines = textwrap.wrap(reason, 90)
    figure = parts.blank(WIDE, 0.5 + 0.25 * len(lines))
    figure.text(0.02, 0.5, "\n".join(lines), va="center", color=MUTED, size=11)
    return figure
