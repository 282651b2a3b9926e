"""The papers that one run of each network would have made: for each seed the table, and its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from refashion import formatting as fmt
from refashion.telling import words
from refashion.telling.cells import Analysis, cell_name


@dataclass(frozen=True)
class Column:
    """A column of the original with a printed validation accuracy and finished runs."""

    name: str
    printed: float
    margin: float
    runs: dict[int, float]  # validation accuracy by seed, as validated


@dataclass(frozen=True)
class Paper:
    """What an author would have printed from the runs of one seed."""

    seed: int
    values: tuple[float, ...]
    within: tuple[bool, ...]  # the printed number lies within the margin of this run
    best: str
    as_printed: bool  # the columns stand in the order of the original's print
    told: str


def columns(analysis: Analysis) -> list[Column]:
    """The columns that can be compared run by run."""
    claims = {claim["id"]: claim for claim in analysis["claims"]}
    found = []
    for column in analysis["table"]["columns"]:
        claim = claims.get(column["validation_claim"]) if column["printed"] else None
        if claim and (numbers := words.numbers_of(claim))["n"]:
            runs = dict(zip(numbers["seeds"], numbers["values"], strict=True))
            name = cell_name(analysis, column["cell"])
            found.append(Column(name, numbers["published"], numbers["margin"], runs))
    return found


def papers(analysis: Analysis) -> list[Paper]:
    """A paper a seed that every column has; none where there is one column, or one such seed."""
    own = columns(analysis)
    seeds = sorted(set.intersection(*(set(column.runs) for column in own))) if own else []
    return [_paper(seed, own) for seed in seeds] if len(own) > 1 and len(seeds) > 1 else []


def _paper(seed: int, own: list[Column]) -> Paper:
    values = tuple(column.runs[seed] for column in own)
    within = tuple(abs(value - one.printed) <= one.margin for value, one in zip(values, own, strict=True))
    order = _order(values)
    best, as_printed = own[order[0]].name, order == _order([column.printed for column in own])
    table = fmt.sentence_list(
        f"{fmt.percent(value)} for {one.name} (in place of {fmt.percent(one.printed)})"
        for value, one in zip(values, own, strict=True)
    )
    which = "in the order that was printed" if as_printed else "in another order than was printed"
    told = (
        f"With seed {seed} the author would have printed {table}: {sum(within)} of {len(own)} "
        f"within the margin of what was printed, {which}, and {best} as the best."
    )
    return Paper(seed, values, within, best, as_printed, told)


def _order(values: Sequence[float]) -> list[int]:
    """The columns, the highest value first."""
    return sorted(range(len(values)), key=lambda i: -values[i])


def summary(analysis: Analysis) -> str:
    """All of these papers in two sentences."""
    made = papers(analysis)
    if not made:
        return ""
    ordered = sum(one.as_printed for one in made)
    near, all_of = sum(sum(one.within) for one in made), len(made) * len(made[0].within)
    bests = {one.best for one in made}
    best = f"All name {made[0].best}" if len(bests) == 1 else f"They name {len(bests)} different columns"
    return (
        f"Of {fmt.count(len(made))} papers with one run of each network, {fmt.count(ordered) if ordered else 'none'} "
        f"would have printed the columns in the original's order. {best} as the best. Of their {fmt.count(all_of)} "
        f"numbers, {fmt.count(near)} lie within the margin of the printed one."
    )
