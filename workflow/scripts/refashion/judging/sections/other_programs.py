"""Accuracies that another program reached, beside the cells of an experiment that train the same network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from refashion.inference.contrasts import welch_contrast
from refashion.judging.document.study import AgainstCell, OtherProgram
from refashion.judging.facts import PUBLISHED_METRIC, Facts, pair
from refashion.study.model import Experiment


def beside(
    experiment: Experiment, title: str, architecture: str, values: Sequence[float], facts: Facts
) -> OtherProgram:
    """Another program's final validation accuracies (percent, one a run) against each cell of its architecture.

    Unpaired, by Welch's test: its runs share no draws with ours.
    """
    cells = [cell.name for cell in experiment.cells if cell.architecture == architecture]
    return OtherProgram(
        title=title,
        values=list(values),
        mean=float(np.mean(values)),
        against=[_against(cell, values, facts) for cell in cells],
    )


def _against(cell: str, values: Sequence[float], facts: Facts) -> AgainstCell:
    own = facts.runs.sample(cell, PUBLISHED_METRIC).values
    found = welch_contrast([values, own], [1, -1], facts.confidence)
    return AgainstCell(cell=cell, n=own.size, difference=found.estimate, interval=pair(found), p=found.p)
