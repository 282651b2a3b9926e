"""Seeds that are not known at first: what pilot runs and looks ask for, as tables in one folder.

pilots.csv: Stein's second stage. The interval of each cell's validation accuracy (final epoch, as the original
validated) decides; a p-value never does. look-1.csv, look-2.csv, ...: what each look at the claims asks for, by
the rule of `refashion.inference.looks`, which spends a level for it.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from refashion.errors import UserError
from refashion.study.model import AXES, Cell, Experiment, Looks, Pilot, Run, Study
from refashion.training import run_files

#: A row a cell: pilot runs asked for and finished, their SD (pp), the half-width asked for (pp), the seeds it wants,
#: the most allowed, the seeds planned, and whether the most was binding. `reason` says why a plan could not be made.
PILOT_COLUMNS = (
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

#: A row a cell: the look (from 1), the seeds that it had, those planned for the next (as many where it stops), the
#: claims that want more of it, and how each claim that it bears on stands. `rule` is that of all looks.
LOOK_COLUMNS = (*AXES, "experiment", "look", "seeds", "planned", "claims", "states", "rule")

#: The rows of a plan by experiment and cell.
Rows = dict[tuple[str, Cell], dict[str, str]]


def pilots_table(folder: Path | str) -> Path:
    """Where the plan of the pilots' second stage is written."""
    return Path(folder) / "pilots.csv"


def look_table(folder: Path | str, look: int) -> Path:
    """Where a look (from 1) is written."""
    return Path(folder) / f"look-{look}.csv"


def plan_pilots(study: Study, root: Path) -> list[dict]:
    """The second stage of every pilot cell, from the finished pilot runs below `root`, a row of PILOT_COLUMNS each.

    A cell whose spread cannot be known (fewer than two runs that did not diverge) keeps its pilot seeds and says why.
    Runs that diverged are replaced, since Stein's number is of runs that count.
    """
    return [
        _pilot_row(study, experiment, pilot, cell, root)
        for experiment, pilot in study.pilots.items()
        for cell in experiment.cells
    ]


def _pilot_row(study: Study, experiment: Experiment, settings: Pilot, cell: Cell, root: Path) -> dict:
    from refashion.inference import seeds, summaries  # they import SciPy, which the Snakefile has no use for

    runs = [run_files.read(root / Run(cell, seed).folder).metrics for seed in experiment.first_seeds]
    accuracies = [100 * metrics["final"]["val_accuracy"] for metrics in runs if metrics["status"] == "finished"]
    confidence = study.config["analysis"]["confidence"]
    found, wanted = summaries.summarise(accuracies), seeds.stein_seeds(accuracies, settings.half_width, confidence)
    enough = max(settings.pilot, (wanted or 0) + len(runs) - len(accuracies))
    return {
        **vars(cell),
        "experiment": experiment.name,
        "pilot": settings.pilot,
        "finished": len(accuracies),
        "sd": found.sd,
        "half_width": settings.half_width,
        "wanted": wanted,
        "most": settings.most,
        "planned": min(enough, settings.most),
        "capped": enough > settings.most,
        "reason": found.reason,
    }


def rule_of(looks: Looks) -> str:
    """The rule of the looks as a table tells it: seeds at the level that their look spends."""
    return " ".join(f"{seeds}@{level:g}" for seeds, level in zip(looks.looks, looks.spend, strict=True))


def with_plans(study: Study, folder: Path | str, looks: int | None = None) -> Study:
    """The study with the seeds of the plans in a folder; unchanged where there is none yet.

    looks: of so many looks at most. The last that the study holds asks for no more.
    A plan that was made with other settings than the study's counts as none. A study without pilots or looks does not
    look at the plans that another one left.
    """
    grown = study
    if study.pilots and pilots_table(folder).exists():
        grown = grown.with_plan(_seeds(_rows(pilots_table(folder), PILOT_COLUMNS, _is_of_pilots(study))))
    for look, rows in itertools.islice(_held(study, folder), looks):
        is_last = study.looks is not None and look == study.looks.held
        grown = grown.with_plan(_seeds(rows, "seeds" if is_last else "planned"))
    return grown


def _held(study: Study, folder: Path | str) -> Iterator[tuple[int, Rows]]:
    """The looks (from 1) that were held by the study's rule, those after a look that wants no more excepted."""
    for look in range(1, study.looks.held + 1 if study.looks else 1):
        rows = read_look(study, folder, look)
        if rows:
            yield look, rows
        if not any(row["claims"] for row in rows.values()):
            return


def read_look(study: Study, folder: Path | str, look: int) -> Rows:
    """The rows of a look by experiment and cell; none where it was not held, or by another rule."""
    path = look_table(folder, look)
    if study.looks is None or not path.exists():
        return {}
    rule, known = rule_of(study.looks), {(one.name, cell) for one in study.looking for cell in one.cells}
    rows = _rows(path, LOOK_COLUMNS, lambda key, row: row["rule"] == rule and key in known)
    return rows if len(rows) == len(known) else {}


def told(study: Study, folder: Path | str) -> str:
    """Where the looks of a study stand, by their tables; nothing of a study without looks."""
    if study.looks is None:
        return ""
    nothing: Rows = {}
    count, rows = [(0, nothing), *_held(study, folder)][-1]
    cells = {cell for experiment in study.looking for cell in experiment.cells}
    wants = {cell: row["claims"].split(";") for (_, cell), row in rows.items() if row["claims"]}
    return looks_told(study.looks, count, len(cells), wants)


def looks_told(rule: Looks, held: int, cells: int, wants: Mapping[Any, Sequence[str]]) -> str:
    """Where looks stand, in a sentence. held: how many were held of so many cells; wants: cell -> claims."""
    looks = len(rule.looks)
    if not held:
        return f"Look 1 of {looks}, at {rule.looks[0]} seeds of {cells} cells, is to come."
    if not wants:
        return f"The looks are through: {held} of {looks} were held."
    claims = ", ".join(sorted({claim for wanting in wants.values() for claim in wanting}))
    so_far = f"{held} {'was' if held == 1 else 'were'} held"
    wanted = f"to {rule.looks[held]} seeds in {len(wants)} of {cells} cells"
    return f"Of {looks} planned looks at the claims, {so_far}; the next goes on {wanted}, for {claims}."


def _is_of_pilots(study: Study) -> Callable[[tuple[str, Cell], Mapping[str, str]], bool]:
    asked = {(one.name, cell): pilot for one, pilot in study.pilots.items() for cell in one.cells}
    return lambda key, row: asked.get(key) == Pilot(int(row["pilot"]), float(row["half_width"]), int(row["most"]))


def _seeds(rows: Rows, column: str = "planned") -> dict[tuple[str, Cell], int]:
    return {key: int(row[column]) for key, row in rows.items()}


def _rows(path: Path, columns: Sequence[str], is_ours: Callable) -> Rows:
    """The rows of a plan by experiment and cell, those that `is_ours` (key, row) does not refuse."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != tuple(columns):
                raise ValueError("its columns are others")
            keyed = (((row["experiment"], Cell(*(row[axis] for axis in AXES))), row) for row in reader)
            return {key: row for key, row in keyed if int(row["planned"]) and is_ours(key, row)}
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise UserError(f"{path} is no plan of seeds ({error}); delete it and run again.") from None
