"""What another machine does: the same seed and function on two, and cells whose runs come from several.

A network that is trained on another kind of processor adds up in another order, and ends elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from refashion import formatting as fmt
from refashion.inference.variance import nested_component
from refashion.judging.document.within import Machines, VarianceSource
from refashion.judging.facts import PUBLISHED_METRIC, Facts, pair
from refashion.study.model import Run, Study, digest


def machines(facts: Facts, cells: Sequence[str], study: Study) -> Machines:
    """Gaps between runs that differ in their machine alone, and the variance between machines within cells."""
    gaps = [(names, *found) for names in _same_functions(study) for found in _gaps(facts, names)]
    apart = np.array([gap for _, alike, gap in gaps if not alike])
    alike = np.array([gap for _, alike, gap in gaps if alike])
    paired = dict.fromkeys(cell for names, alike, _ in gaps if not alike for cell in names)
    split = {cell: groups for cell, groups in _split(facts, cells) if len(groups) > 1}
    component = nested_component(list(split.values()), facts.confidence)
    found = Machines(
        pairs=apart.size,
        largest=float(apart.max()) if apart.size else None,
        rms=float(np.sqrt(np.square(apart).mean())) if apart.size else None,
        seed_sd=_pooled_sd([facts.runs.sample(cell, PUBLISHED_METRIC).values for cell in paired]),
        alike=alike.size,
        alike_largest=float(alike.max()) if alike.size else None,
        cells=list(split),
        component=None
        if component is None
        else VarianceSource.of(
            component, source="machine", sd=float(np.sqrt(component.variance or 0.0)), interval=pair(component)
        ),
        words="",
    )
    return found.model_copy(update={"words": f"{_pairs_told(found)} {_component_told(found)}".strip()})


def _same_functions(study: Study) -> list[tuple[str, str]]:
    """Pairs of cells that train the same function, whose loss goes by two names in two recipes."""
    cells: dict[str, dict[str, str]] = {}
    for cell in study.cells():
        spec = study.spec(Run(cell, 0))
        recipe = {key: value for key, value in spec["recipe"].items() if key != "loss"}
        cells.setdefault(digest({**spec, "recipe": recipe}), {}).setdefault(spec["recipe"]["loss"], cell.name)
    return [(names["categorical"], names["sparse"]) for names in cells.values() if len(names) == 2]


def _gaps(facts: Facts, names: tuple[str, str]) -> Iterator[tuple[bool, float]]:
    """Of each seed that both cells have: whether both runs were made on one kind of machine, and their gap."""
    first, second = (facts.runs.machines(cell) for cell in names)
    seeds, (a, b) = facts.runs.paired(names, PUBLISHED_METRIC)
    for seed, gap in zip(seeds, np.abs(a - b), strict=True):
        if seed in first and seed in second:
            yield first[seed] == second[seed], float(gap)


def _split(facts: Facts, cells: Sequence[str]) -> Iterator[tuple[str, list[list[float]]]]:
    """Validation accuracies of each cell by kind of machine; a cell whose runs another before it has is left out."""
    known: set[str] = set()
    for cell in cells:
        own = set(facts.runs.column(cell, "digest"))
        found, kinds = facts.runs.sample(cell, PUBLISHED_METRIC), facts.runs.machines(cell)
        groups: dict[tuple[str, ...], list[float]] = {}
        for seed, value in zip(found.seeds, found.values, strict=True):
            if seed in kinds:
                groups.setdefault(kinds[seed], []).append(float(value))
        if not own & known:
            yield cell, list(groups.values())
        known |= own


def _pooled_sd(samples: Sequence[np.ndarray]) -> float | None:
    df = sum(max(0, values.size - 1) for values in samples)
    squares = sum(float(np.square(values - values.mean()).sum()) for values in samples if values.size)
    return float(np.sqrt(squares / df)) if df else None


def _pairs_told(found: Machines) -> str:
    if not found.pairs:
        return ""
    told = (
        f"The same seed on another kind of machine gives another number: {fmt.plural(found.pairs, 'pair')} of runs, of "
        f"one function under two names of its loss, end {fmt.number(found.rms)} pp apart (root mean square), "
        f"{fmt.number(found.largest)} pp at most; their cells have an SD of {fmt.number(found.seed_sd)} pp over seeds."
    )
    if not found.alike:
        return told
    equal = "equal" if found.alike_largest == 0 else f"at most {fmt.number(found.alike_largest)} pp apart"
    alike = "1 such pair is" if found.alike == 1 else f"{found.alike} such pairs are"
    return f"{told} On one kind of machine, {alike} {equal}."


def _component_told(found: Machines) -> str:
    if found.component is None or found.component.interval is None:
        return ""
    low, high = (fmt.number(float(np.sqrt(end))) for end in found.component.interval)
    return (
        f"In {fmt.plural(len(found.cells), 'cell')} whose runs come from several kinds of machine, machines differ by "
        f"an SD of {fmt.number(found.component.sd)} pp beyond what seeds explain (interval {low} to {high})."
    )
