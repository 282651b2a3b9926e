"""Where a study's looks stand by the runs that there are, and the seeds that they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refashion.inference.looks import State
from refashion.judging import collection
from refashion.judging.claims.looks import Standing, hold
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.study.model import Cell, Study
from refashion.training import seeds
from refashion.training.run_store import RunStore


def of_runs(
    study: Study, original: Mapping[str, Any], source: Path | RunStore, *, strict: bool, most: int | None = None
) -> Standing | None:
    """Where the looks of a study stand by the runs in a folder or a store (see `collection.collect`).

    most: hold so many looks at most. None for a study without looks.
    """
    if not study.looking:
        return None
    alone = study.alone(study.looking)
    found = collection.collect(alone, source, strict=strict)
    return hold(Facts(alone, original, RunTable(found.runs), predictions=found.predictions), most)


def grown(study: Study, original: Mapping[str, Any], store: RunStore) -> tuple[Study, Standing | None]:
    """The study with the seeds of every look that the runs in a store allow to be held, and where its looks stand.

    Whatever tables of looks there are: restored runs have none. None for a study without looks.
    """
    while True:
        standing = of_runs(study, original, store, strict=False)
        wanted = study if standing is None else study.with_plan(plan(study, standing))
        if wanted == study:
            return study, standing
        study = wanted


def plan(study: Study, standing: Standing) -> dict[tuple[str, Cell], int]:
    """How many seeds each cell gets in all, by experiment and cell; no more after the last look that is held."""
    planned = standing.cells if standing.held == standing.rule.held else standing.planned
    return {(one.name, cell): planned[cell.name] for one in study.looking for cell in one.cells}


def rows(study: Study, standing: Standing) -> list[dict[str, Any]]:
    """The last look that was held as a table, a row of `seeds.LOOK_COLUMNS` for each cell of each experiment."""
    return [
        {
            **vars(cell),
            "experiment": experiment.name,
            "look": standing.held,
            "seeds": standing.cells[cell.name],
            "planned": standing.planned[cell.name],
            "claims": ";".join(standing.wants.get(cell.name, ())),
            "states": "; ".join(
                f"{member.claim} {word(stand.state)} at look {stand.look}"
                for member, stand in standing.members.items()
                if cell.name in member.cells
            ),
            "rule": seeds.rule_of(standing.rule),
        }
        for experiment in study.looking
        for cell in experiment.cells
    ]


def word(state: State) -> str:
    """A state as tables and logs write it."""
    return state.name.lower().replace("_", " ")
