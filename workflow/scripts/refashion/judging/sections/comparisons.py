"""Cells against cells, runs paired by seed, corrected in families; and the ranks of the table's cells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from refashion.inference.contrasts import PairedComparison, paired_comparison
from refashion.inference.families import benjamini_hochberg, holm
from refashion.inference.intervals import new_images_interval
from refashion.inference.ranks import order_probability, rank_probabilities
from refashion.inference.summaries import LEVEL
from refashion.judging.document.parts import CellName, Ends, Part, means, reason
from refashion.judging.facts import CLEAN_METRIC, PUBLISHED_METRIC, Facts, pair
from refashion.study.model import AXES, Cell

#: Resamples of the sign-flip test above n = 20, where it is no longer exact: of the confirmatory family, and of others.
CONFIRMATORY_RESAMPLES, EXPLORATORY_RESAMPLES = 99_999, 9_999

Conclusion = Literal["a", "b", "open", "none"]


class Pair(Part):
    """Two cells that ran with the same seeds; difference = a - b."""

    a: CellName
    b: CellName
    n: int = means("seeds that both have")
    mean_a: float | None = means("mean of a", "percent")
    mean_b: float | None = means("mean of b", "percent")
    difference: float | None = means("mean of a - b", "pp")
    sd: float | None = means("SD of the differences", "pp")
    interval: Ends | None = means("paired t interval", "pp")
    p: float | None = means("paired t test, two-sided, not adjusted", "0..1")
    p_adjusted: float | None = means("after Holm or BH within the family", "0..1")
    p_sign_flip: float | None = means("sign-flip test", "0..1")
    p_smallest: float | None = means("smallest p that the sign-flip test can give at this n: 2 / 2^n", "0..1")
    sign_flip_words: str = means('what to say of the sign-flip test where its smallest p exceeds the level, or ""')
    welch_interval: Ends | None = means("as if unpaired", "pp")
    welch_p: float | None = means("as if unpaired", "0..1")
    seed_correlation: float | None = means("Pearson's r of a and b over seeds", "1")
    a12: float | None = means("chance that a run of a beats a run of b, ties half", "0..1")
    new_images_interval: Ends | None = means(
        "covers new seeds and new images; null where predictions on the same images are missing", "pp"
    )
    conclusion: Conclusion = means("a: a is better; b: b is better; open: cannot tell; none: no test possible")
    reason: str = reason()


class ComparisonFamily(Part):
    """Comparisons that are corrected together."""

    id: str = means("unique")
    title: str = means("in words")
    kind: Literal["confirmatory", "exploratory"] = means("confirmatory (Holm) or exploratory (BH)")
    correction: str = means("Holm or Benjamini-Hochberg")
    metric: str = means("column of runs.csv")
    pairs: list[Pair] = means("the pairs")
    reason: str = reason()


class Ranks(Part):
    """Ranks of the cells of the original's table."""

    cells: list[str] = means("cells, in the table's order")
    n: int = means("seeds that all have")
    p_rank: list[list[float]] = means("one row a cell, of the mean over n seeds", "0..1")
    p_rank_one_run: list[list[float]] = means("the same for a study with one run a cell", "0..1")
    p_published_order: float | None = means("chance that a study with one run a cell prints their order", "0..1")
    reason: str = reason()


# ------------------------------------------------------------------------------------------------------------ families


def comparisons(facts: Facts) -> list[ComparisonFamily]:
    """The confirmatory family (all pairs of the table's cells), then one exploratory family an experiment.

    An exploratory family compares cells that differ in one axis and validate on the same images: each with the group's
    reference, which is a cell of the original's table where the group has one, else the group's first.
    """
    columns = [column["cell"] for column in facts.original["table"]["columns"]]
    title = "The columns of the original's table, every pair"
    first = _family("original", title, list(itertools.combinations(columns, 2)), facts, confirmatory=True)
    others = [
        _family(one.name, one.title, list(_one_axis_pairs(one.cells, columns, facts)), facts, confirmatory=False)
        for one in facts.study.experiments
        if one.name != "original"
    ]
    return [first, *others]


def _one_axis_pairs(cells: Sequence[Cell], columns: Sequence[str], facts: Facts) -> Iterator[tuple[str, str]]:
    """(cell, reference) for each group of cells that differ in one axis alone and validate on the same images."""
    for axis in AXES:
        groups: dict[tuple[str, ...], list[str]] = {}
        for cell in cells:
            same = (facts.validation[cell.name], *(getattr(cell, other) for other in AXES if other != axis))
            groups.setdefault(same, []).append(cell.name)
        for group in groups.values():
            reference = next((name for name in group if name in columns), group[0])
            yield from ((name, reference) for name in group if name != reference)


def _family(
    id_: str, title: str, names: Sequence[tuple[str, str]], facts: Facts, *, confirmatory: bool
) -> ComparisonFamily:
    """A family with its pairs compared and corrected."""
    metric = PUBLISHED_METRIC if confirmatory else CLEAN_METRIC
    resamples = CONFIRMATORY_RESAMPLES if confirmatory else EXPLORATORY_RESAMPLES
    compared = []
    for a, b in names:
        seeds, (first, second) = facts.runs.paired((a, b), metric)
        stream = facts.stream("sign flips", id_, a, b)
        one = paired_comparison(first, second, seed=stream, resamples=resamples, confidence=facts.confidence)
        compared.append((seeds, one))
    adjusted = (holm if confirmatory else benjamini_hochberg)([one.paired.p for _, one in compared])
    kind = "validated" if confirmatory else "clean"
    pairs = [
        _pair(both, one, p, facts, _new_images(facts, kind, both, seeds))
        for both, (seeds, one), p in zip(names, compared, adjusted, strict=True)
    ]
    reason = "" if pairs else "cannot say, because no two of its cells differ in one axis alone"
    if pairs and all(one.p is None for one in pairs):
        reason = "cannot say, because no two of its cells share two seeds yet"
    return ComparisonFamily(
        id=id_,
        title=title,
        kind="confirmatory" if confirmatory else "exploratory",
        correction="Holm" if confirmatory else "Benjamini-Hochberg",
        metric=metric,
        pairs=pairs,
        reason=reason,
    )


def _pair(
    names: tuple[str, str],
    one: PairedComparison,
    p_adjusted: float | None,
    facts: Facts,
    new_images: list[float] | None,
) -> Pair:
    conclusion: Conclusion = "none" if p_adjusted is None else "open"
    if p_adjusted is not None and p_adjusted <= LEVEL and one.paired.estimate is not None:
        conclusion = "a" if one.paired.estimate > 0 else "b"
    return Pair.of(
        one,
        a=names[0],
        b=names[1],
        n=one.paired.n,
        difference=one.paired.estimate,
        interval=pair(one.paired),
        p=one.paired.p,
        p_adjusted=p_adjusted,
        sign_flip_words=_sign_flip_words(one),
        welch_interval=pair(one.welch),
        welch_p=one.welch.p,
        new_images_interval=new_images,
        conclusion=conclusion,
        reason=_why_not(names, one, facts),
    )


def _why_not(names: tuple[str, str], one: PairedComparison, facts: Facts) -> str:
    """Why a comparison lacks something, or ""."""
    for cell in names:
        if facts.runs.counts(cell).finished == 0:
            return facts.why_empty(cell)
    if one.paired.n < 2:
        return f"cannot say, because the two cells share {'one seed' if one.paired.n else 'no seed'}"
    return one.reason


def _sign_flip_words(one: PairedComparison) -> str:
    if one.p_smallest is None or one.p_smallest <= LEVEL:
        return ""
    return (
        f"with {one.paired.n} seeds the sign-flip test cannot give less than {one.p_smallest:.4g}, so it cannot decide"
    )


def _new_images(facts: Facts, kind: str, names: tuple[str, str], seeds: np.ndarray) -> list[float] | None:
    """The interval for new seeds and new images; None without predictions on the same images."""
    a, b = (facts.predictions.get(cell) for cell in names)
    if a is None or b is None or not seeds.size or not np.array_equal(a.labels, b.labels):
        return None
    right = [(getattr(one, kind)[np.searchsorted(one.seeds, seeds)] == one.labels).astype(np.int8) for one in (a, b)]
    return pair(new_images_interval(right[0] - right[1], facts.confidence))


# --------------------------------------------------------------------------------------------------------------- ranks


def ranks(facts: Facts) -> Ranks:
    """Ranks of the table's cells, and the chance that a study with one run a cell prints the published order."""
    cells = [column["cell"] for column in facts.original["table"]["columns"]]
    order = _published_order(facts)
    seeds, scores = facts.runs.paired(cells, PUBLISHED_METRIC)
    if len(cells) < 2:
        reason = "cannot say, because ranks take two columns"
        return Ranks(cells=cells, n=seeds.size, p_rank=[], p_rank_one_run=[], p_published_order=None, reason=reason)
    resamples = facts.settings["resamples"]
    of_means = rank_probabilities(scores, seed=facts.stream("ranks", "means"), resamples=resamples)
    of_runs = rank_probabilities(scores, seed=facts.stream("ranks", "runs"), resamples=resamples, one_run=True)
    empty = next((cell for cell in cells if facts.runs.counts(cell).finished == 0), None)
    few = "" if of_means else "cannot say, because ranks need at least two seeds that all cells share"
    return Ranks(
        cells=cells,
        n=seeds.size,
        p_rank=of_means,
        p_rank_one_run=of_runs,
        p_published_order=order_probability(facts.runs.paired(order, PUBLISHED_METRIC)[1]) if order else None,
        reason=facts.why_empty(empty) if empty else few,
    )


def _published_order(facts: Facts) -> list[str]:
    """The printed columns' cells, the highest published validation accuracy first."""
    values = {claim["id"]: claim.get("value") for claim in facts.original["claims"]}
    printed = [column for column in facts.original["table"]["columns"] if column.get("validation")]
    return [column["cell"] for column in sorted(printed, key=lambda column: -values[column["validation"]])]
