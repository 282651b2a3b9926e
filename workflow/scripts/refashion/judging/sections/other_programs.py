"""Accuracies that another program reached, beside the cells of an experiment that train the same network."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from refashion.errors import UserError, first_line
from refashion.judging.document.study import AgainstCell, OtherProgram
from refashion.judging.facts import PUBLISHED_METRIC, Facts
from refashion.study.model import Experiment


def beside(experiment: Experiment, given: dict[str, Any], project: Path, facts: Facts) -> OtherProgram:
    """The accuracies of the file that the config names, against each cell of their architecture; unpaired, by Welch."""
    values = read_accuracies(project / given["file"])
    cells = [cell.name for cell in experiment.cells if cell.architecture == given["architecture"]]
    return OtherProgram(
        title=given["title"],
        values=values.tolist(),
        mean=float(values.mean()),
        against=[_against(cell, values, facts) for cell in cells],
    )


def _against(cell: str, values: np.ndarray, facts: Facts) -> AgainstCell:
    own = facts.runs.sample(cell, PUBLISHED_METRIC).values
    if min(own.size, values.size) < 2:
        return AgainstCell(cell=cell, n=own.size, difference=None, interval=None, p=None)
    found = stats.ttest_ind(values, own, equal_var=False)
    low, high = found.confidence_interval(facts.confidence)
    return AgainstCell(
        cell=cell,
        n=own.size,
        difference=float(values.mean() - own.mean()),
        interval=[float(low), float(high)],
        p=float(found.pvalue),
    )


def read_accuracies(path: Path) -> np.ndarray:
    """Accuracies in percent, one a row of a CSV with the column val_accuracy (0 to 1).

    Raises UserError for a file that is not there or holds anything else.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            values = 100 * np.array([float(row["val_accuracy"]) for row in csv.DictReader(file)])
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as accuracies ({first_line(error)}).") from None
    if not values.size or not np.all((values >= 0) & (values <= 100)):
        raise UserError(f"{path}: val_accuracy must be between 0 and 1, in at least one row.")
    return values
