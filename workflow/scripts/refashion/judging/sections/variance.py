"""Where the spread comes from: luck on images, subsets, initialisers, machines.

A network that is trained on another kind of processor adds up in another order, and ends elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from refashion import formatting as fmt
from refashion.inference.rules import pooled_spread
from refashion.inference.variance import VarianceComponent, image_noise, nested_component, variance_components
from refashion.judging.document.parts import CellName, Ends, Part, means, reason
from refashion.judging.facts import PUBLISHED_METRIC, Facts, pair
from refashion.study.model import AXES, Cell, Experiment, Study, digest


class CellNoise(Part):
    """One cell's spread taken apart."""

    cell: CellName
    n: int = means("runs")
    within_images: float | None = means("part from luck on each image", "pp^2")
    seed_variance: float | None = means("of the accuracies", "pp^2")
    true_seed_variance: float | None = means("seed variance less luck on images, at least 0", "pp^2")


class VarianceSource(Part):
    source: str = means("what it is")
    variance: float | None = means("at least 0", "pp^2")
    sd: float | None = means("sd", "pp")
    share: float | None = means("of the total", "0..1")
    interval: Ends | None = means("of the variance", "pp^2")
    p: float | None = means("F test", "0..1")

    @classmethod
    def named(cls, source: str, found: VarianceComponent) -> VarianceSource:
        sd = None if found.variance is None else float(np.sqrt(found.variance))
        return cls.of(found, source=source, sd=sd, interval=pair(found))


class Components(Part):
    cells: list[str] = means("cells")
    sources: list[VarianceSource] = means("subset, initialiser and order, residual")


class Variance(Part):
    """Where the spread comes from."""

    machines: str = means('what another machine does to a run, in a few sentences, or ""')
    image_noise: list[CellNoise] = means("cells of the original first")
    components: Components | None = means("from the experiment that crosses subsets and initialisers; null without it")
    reason: str = reason()


def variance(facts: Facts) -> Variance:
    """Luck on images within each cell, machines, and components where subsets and initialisers are crossed."""
    crossed = [cells for cells in (_subsets(one, facts.study) for one in facts.study.experiments) if len(cells) > 1]
    return Variance(
        machines=_machines(facts),
        image_noise=[_image_noise(cell, facts) for cell in facts.cells],
        components=_components(crossed[0], facts) if crossed else None,
        reason="" if crossed else "cannot say, because no experiment of this study crosses subsets and initialisers",
    )


def _image_noise(cell: str, facts: Facts) -> CellNoise:
    found = facts.predictions.get(cell)
    return CellNoise.of(image_noise(found.validated == found.labels if found else np.zeros((0, 0), bool)), cell=cell)


# ------------------------------------------------------------------------------------------- subsets and initialisers


def _subsets(experiment: Experiment, study: Study) -> list[Cell]:
    """The cells of an experiment that fix the subset and differ in nothing else, by subset seed."""
    fractions = study.config["fractions"]
    fixed = [cell for cell in experiment.cells if fractions[cell.fraction]["subset_seed"] is not None]
    alike = len({tuple(getattr(cell, axis) for axis in AXES if axis != "fraction") for cell in fixed}) == 1
    return sorted(fixed, key=lambda cell: fractions[cell.fraction]["subset_seed"]) if alike else []


def _components(cells: Sequence[Cell], facts: Facts) -> Components:
    """Variance of subset, of initialiser and order, and what is left, from one run each."""
    names = [cell.name for cell in cells]
    found = variance_components(facts.runs.paired(names, PUBLISHED_METRIC)[1], facts.confidence)
    sources = zip(("subset", "initialiser and order", "residual"), found, strict=False)
    return Components(cells=names, sources=[VarianceSource.named(name, part) for name, part in sources])


# ------------------------------------------------------------------------------------------------------------ machines


def _machines(facts: Facts) -> str:
    """Gaps between runs that differ in their machine alone, and what machines add within cells, in words."""
    gaps = [(names, *found) for names in _same_functions(facts) for found in _gaps(facts, names)]
    apart = np.array([gap for _, alike, gap in gaps if not alike])
    alike = np.array([gap for _, alike, gap in gaps if alike])
    told = []
    if apart.size:
        rms = fmt.number(float(np.sqrt(np.square(apart).mean())))
        paired = dict.fromkeys(cell for names, alike, _ in gaps if not alike for cell in names)
        spread = pooled_spread([facts.runs.sample(cell, PUBLISHED_METRIC).values for cell in paired])
        told.append(
            f"The same seed on another kind of machine gives another number: {fmt.plural(apart.size, 'pair')} of runs, "
            f"of one function under two names of its loss, end {rms} pp apart (root mean square), "
            f"{fmt.number(float(apart.max()))} pp at most; their cells have an SD of {fmt.number(spread.sd)} pp over "
            "seeds."
        )
    if apart.size and alike.size:
        equal = f"at most {fmt.number(float(alike.max()))} pp apart" if alike.any() else "equal"
        pairs = "1 such pair is" if alike.size == 1 else f"{alike.size} such pairs are"
        told.append(f"On one kind of machine, {pairs} {equal}.")
    split = [groups for groups in _split(facts) if len(groups) > 1]
    component = nested_component(split, facts.confidence)
    if component is not None:
        variances = np.array([component.variance, component.low, component.high], float)
        sd, low, high = map(fmt.number, np.sqrt(variances).tolist())
        told.append(
            f"In {fmt.plural(len(split), 'cell')} whose runs come from several kinds of machine, machines differ by an "
            f"SD of {sd} pp beyond what seeds explain (interval {low} to {high})."
        )
    return " ".join(told)


def _same_functions(facts: Facts) -> list[tuple[str, str]]:
    """Pairs of cells that train the same function, whose loss goes by two names in two recipes."""
    cells: dict[str, dict[str, str]] = {}
    for cell in (cell.name for cell in facts.study.cells()):
        spec = facts.spec(cell)
        recipe = {key: value for key, value in spec["recipe"].items() if key != "loss"}
        cells.setdefault(digest({**spec, "recipe": recipe}), {}).setdefault(spec["recipe"]["loss"], cell)
    return [(names["categorical"], names["sparse"]) for names in cells.values() if len(names) == 2]


def _gaps(facts: Facts, names: tuple[str, str]) -> Iterator[tuple[bool, float]]:
    """Of each seed that both cells have: whether both runs were made on one kind of machine, and their gap."""
    first, second = (facts.runs.machines(cell) for cell in names)
    seeds, (a, b) = facts.runs.paired(names, PUBLISHED_METRIC)
    for seed, gap in zip(seeds, np.abs(a - b), strict=True):
        if seed in first and seed in second:
            yield first[seed] == second[seed], float(gap)


def _split(facts: Facts) -> Iterator[list[list[float]]]:
    """Validation accuracies of each cell by kind of machine; a cell whose runs another before it has is left out."""
    known: set[str] = set()
    for cell in facts.cells:
        own = set(facts.runs.column(cell, "digest"))
        found, kinds = facts.runs.sample(cell, PUBLISHED_METRIC), facts.runs.machines(cell)
        groups: dict[tuple[str, ...], list[float]] = {}
        for seed, value in zip(found.seeds, found.values, strict=True):
            if seed in kinds:
                groups.setdefault(kinds[seed], []).append(float(value))
        if not own & known:
            yield list(groups.values())
        known |= own
