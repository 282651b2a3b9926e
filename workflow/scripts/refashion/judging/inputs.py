"""Reading what an analysis is made from."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refashion.errors import UserError, first_line
from refashion.judging import benchmark_table
from refashion.judging.collection import Collected
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.project import PROJECT
from refashion.study.model import Study


def read(study: Study, original: Mapping[str, Any], collected: Collected, given: Any) -> Facts:
    """The facts of a study. given: a rule's input, which names the files `architectures`, `facts` and `benchmark`."""
    return Facts(
        study=study,
        original=original,
        runs=RunTable(collected.runs),
        histories=collected.histories,
        predictions=collected.predictions,
        architectures=read_json(given.architectures),
        descriptions={Path(path).stem: read_json(path) for path in given.facts},
        benchmark=benchmark_table.read(Path(given.benchmark)) if given.get("benchmark") else [],
        beside=_beside(study),
    )


def read_json(path: Path | str) -> dict[str, Any]:
    """A JSON object. Raises UserError for anything else."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON: {first_line(error)}.") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no JSON object; make it anew by deleting it.")
    return content


def _beside(study: Study) -> dict[str, list[float]]:
    """The accuracies that other programs reached (percent), by the experiment that names their file in the project."""
    given = {one.name: study.config["experiments"][one.name].get("beside") for one in study.experiments}
    return {name: read_accuracies(PROJECT / one["file"]) for name, one in given.items() if one}


def read_accuracies(path: Path) -> list[float]:
    """Accuracies in percent, one a row of a CSV with the column val_accuracy (0 to 1).

    Raises UserError for a file that is not there or holds anything else.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            values = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as accuracies ({first_line(error)}).") from None
    if not values or not all(0 <= value <= 1 for value in values):
        raise UserError(f"{path}: val_accuracy must be between 0 and 1, in at least one row.")
    return [100 * value for value in values]
