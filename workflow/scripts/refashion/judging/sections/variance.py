"""Where the spread comes from: luck on images, subsets, initialisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from refashion.inference.variance import image_noise, variance_components
from refashion.judging.collection import Predictions
from refashion.judging.document.within import CellNoise, Components, Variance, VarianceSource
from refashion.judging.facts import PUBLISHED_METRIC, Facts, pair
from refashion.judging.sections.machines import machines
from refashion.study.model import AXES, Cell, Experiment, Study


def variance(facts: Facts, cells: Sequence[str], predictions: Mapping[str, Predictions], study: Study) -> Variance:
    """Luck on images within each cell, and variance components where subsets and initialisers are crossed."""
    crossed = [experiment for experiment in study.experiments if len(_subsets(experiment, study)) > 1]
    return Variance(
        machines=machines(facts, cells, study),
        image_noise=[_image_noise(facts, cell, predictions) for cell in cells],
        components=_components(facts, crossed[0], study) if crossed else None,
        reason="" if crossed else "cannot say, because no experiment of this study crosses subsets and initialisers",
    )


def _image_noise(facts: Facts, cell: str, predictions: Mapping[str, Predictions]) -> CellNoise:
    found = predictions.get(cell)
    right = found.validated == found.labels if found else np.zeros((0, 0), bool)
    noise = image_noise(right)
    return CellNoise.of(noise, cell=cell, reason=noise.reason if noise.n else facts.runs.why_empty(cell))


def image_variance(cell: str, predictions: Mapping[str, Predictions]) -> float:
    """pp^2 that other validation images than the original's add to a difference: twice that of one set of images."""
    found = predictions.get(cell)
    if found is None:
        return 0.0
    between = image_noise(found.validated == found.labels).between_images
    return 0.0 if between is None else 2 * between


def _subsets(experiment: Experiment, study: Study) -> list[Cell]:
    """The cells of an experiment that fix the subset and differ in nothing else, by subset seed."""
    fractions = study.config["fractions"]
    fixed = [cell for cell in experiment.cells if fractions[cell.fraction]["subset_seed"] is not None]
    alike = len({tuple(getattr(cell, axis) for axis in AXES if axis != "fraction") for cell in fixed}) == 1
    return sorted(fixed, key=lambda cell: fractions[cell.fraction]["subset_seed"]) if alike else []


def _components(facts: Facts, experiment: Experiment, study: Study) -> Components:
    """Variance of subset, of initialiser and order, and what is left, from one run each."""
    cells = [cell.name for cell in _subsets(experiment, study)]
    _, scores = facts.runs.paired(cells, PUBLISHED_METRIC)
    found = variance_components(scores, facts.confidence)
    names = {"subset": found.rows, "initialiser and order": found.columns, "residual": found.residual}
    return Components.of(
        found,
        cells=cells,
        sources=[
            VarianceSource.of(
                part,
                source=name,
                sd=None if part.variance is None else float(np.sqrt(part.variance)),
                interval=pair(part),
            )
            for name, part in names.items()
            if part is not None
        ],
    )
