"""Where the spread comes from: luck on images, subsets, initialisers, machines.

A network that is trained on another kind of processor adds up in another order, and ends elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from refashion import formatting as fmt
from refashion.inference.variance import VarianceComponent, image_noise, nested_component, variance_components
from refashion.judging.document.parts import CellName, Ends, Part, means, reason
from refashion.judging.facts import PUBLISHED_METRIC, Facts, pair
from refashion.study.model import AXES, Cell, Experiment, Run, Study, digest


class CellNoise(Part):
    """One cell's spread taken apart."""

    cell: CellName
    n: int = means("runs")
    within_images: float | None = means("part from luck on each image", "pp^2")
    seed_variance: float | None = means("of the accuracies", "pp^2")
    true_seed_variance: float | None = means("seed variance less luck on images, at least 0", "pp^2")
    reason: str = reason()


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
    total: float | None = means("total", "pp^2")
    reason: str = reason()


class Machines(Part):
    """What another machine does to a run, and to cells whose runs come from several."""

    pairs: int = means("pairs of runs, one seed and one function, that were trained on different kinds of machine")
    largest: float | None = means("the largest gap of validation accuracy in a pair", "pp")
    rms: float | None = means("root mean square of these gaps", "pp")
    seed_sd: float | None = means("SD over seeds in the cells of the pairs, pooled", "pp")
    alike: int = means("such pairs that were trained on one kind of machine")
    alike_largest: float | None = means("the largest gap in one of these", "pp")
    cells: list[str] = means("cells whose runs come from several kinds of machine")
    component: VarianceSource | None = means("variance between machines within these cells; null if none can be told")
    words: str = means('all that in a few sentences, or ""')


class Variance(Part):
    """Where the spread comes from."""

    machines: Machines = means("the same seed on other machines")
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
    noise = image_noise(found.validated == found.labels if found else np.zeros((0, 0), bool))
    return CellNoise.of(noise, cell=cell, reason=noise.reason if noise.n else facts.why_empty(cell))


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
    parts = {"subset": found.rows, "initialiser and order": found.columns, "residual": found.residual}
    sources = [VarianceSource.named(name, part) for name, part in parts.items() if part is not None]
    return Components.of(found, cells=names, sources=sources)


# ------------------------------------------------------------------------------------------------------------ machines


def _machines(facts: Facts) -> Machines:
    """Gaps between runs that differ in their machine alone, and the variance between machines within cells."""
    gaps = [(names, *found) for names in _same_functions(facts.study) for found in _gaps(facts, names)]
    apart = np.array([gap for _, alike, gap in gaps if not alike])
    alike = np.array([gap for _, alike, gap in gaps if alike])
    paired = dict.fromkeys(cell for names, alike, _ in gaps if not alike for cell in names)
    split = {cell: groups for cell, groups in _split(facts) if len(groups) > 1}
    component = nested_component(list(split.values()), facts.confidence)
    found = Machines(
        pairs=apart.size,
        largest=float(apart.max()) if apart.size else None,
        rms=float(np.sqrt(np.square(apart).mean())) if apart.size else None,
        seed_sd=_pooled_sd([facts.runs.sample(cell, PUBLISHED_METRIC).values for cell in paired]),
        alike=alike.size,
        alike_largest=float(alike.max()) if alike.size else None,
        cells=list(split),
        component=None if component is None else VarianceSource.named("machine", component),
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


def _split(facts: Facts) -> Iterator[tuple[str, list[list[float]]]]:
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
