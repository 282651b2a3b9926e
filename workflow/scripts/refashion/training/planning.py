"""Seeds that stop by themselves: Stein's second stage for the experiments whose seeds are a pilot.

The interval of each cell's validation accuracy (final epoch, as the original validated) decides; a p-value never does.
"""

from __future__ import annotations

import csv
from pathlib import Path

from refashion.errors import UserError
from refashion.study.model import AXES, Cell, Experiment, Run, Study
from refashion.training import run_store

#: A row a cell: pilot runs asked for and finished, their SD (pp), the half-width asked for (pp), the seeds it wants,
#: the most allowed, the seeds planned, and whether the most was binding. `reason` says why a plan could not be made.
COLUMNS = (
    *AXES,
    "experiment",
    "pilot",
    "finished",
    "sd",
    "half_width",
    "wanted",
    "most",
    "planned",
    "capped",
    "reason",
)


def plan(study: Study, root: Path) -> list[dict]:
    """The second stage of every pilot cell, from the finished pilot runs below `root`, a row of COLUMNS each.

    A cell whose spread cannot be known (fewer than two runs that did not diverge) keeps its pilot seeds and says why.
    """
    return [_row(study, experiment, cell, root) for experiment in study.pilots for cell in experiment.cells]


def _row(study: Study, experiment: Experiment, cell: Cell, root: Path) -> dict:
    from refashion.inference.seeds import stein_plan

    settings = experiment.seeds
    runs = [run_store.read_metrics(root / Run(cell, seed).folder) for seed in experiment.first_seeds]
    accuracies = [100 * metrics["final"]["val_accuracy"] for metrics in runs if metrics["status"] == "finished"]
    confidence = study.config["analysis"]["confidence"]
    found = stein_plan(accuracies, settings.half_width, settings.most, confidence)
    return {
        **vars(cell),
        "experiment": experiment.name,
        "pilot": settings.pilot,
        "finished": len(accuracies),
        "sd": found.sd,
        "half_width": settings.half_width,
        "wanted": found.wanted,
        "most": settings.most,
        "planned": max(settings.pilot, found.n or 0),
        "capped": found.capped,
        "reason": found.reason,
    }


def write(rows: list[dict], path: Path) -> None:
    """Write a plan as CSV with the columns COLUMNS."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def with_plan(study: Study, path: Path | str | None) -> Study:
    """The study with the seeds of a plan written by `write`; unchanged where there is none (yet), or no pilot.

    A cell that was planned with other settings (pilot, half-width, most) than the study's keeps its pilot seeds.
    A study without pilots does not look at the plan that another one left.
    """
    if not study.pilots or not path or not Path(path).exists():
        return study
    asked = {(experiment.name, cell): experiment.seeds for experiment in study.pilots for cell in experiment.cells}
    planned: dict[Cell, int] = {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ValueError("its columns are others")
            for row in reader:
                cell = Cell(*(row[axis] for axis in AXES))
                seeds, settings = int(row["planned"]), asked.get((row["experiment"], cell))
                made_for = (int(row["pilot"]), float(row["half_width"]), int(row["most"]))
                if settings is None or made_for != (settings.pilot, settings.half_width, settings.most):
                    continue  # of other settings than those of now; the rule plan_seeds makes it anew
                planned[cell] = max(planned.get(cell, 0), seeds)
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise UserError(f"{path} is no plan of seeds ({error}); delete it and run again.") from None
    return study.with_plan(planned)
