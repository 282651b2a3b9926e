"""Cells against cells, runs paired by seed, corrected in families.

Differences are in pp. Cells are written architecture/fraction/augmentation/recipe.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from refashion.inference.contrasts import PairedComparison, paired_comparison
from refashion.inference.families import benjamini_hochberg, holm
from refashion.inference.intervals import new_images_interval
from refashion.inference.summaries import LEVEL
from refashion.judging.collection import Predictions
from refashion.judging.document.between import ComparisonFamily, Conclusion, OneRun, Pair
from refashion.judging.facts import CLEAN_METRIC, PUBLISHED_METRIC, Facts, pair
from refashion.study.model import AXES, Cell, Experiment

#: Resamples of the sign-flip test above n = 20, where it is no longer exact: of the confirmatory family, and of others.
CONFIRMATORY_RESAMPLES, EXPLORATORY_RESAMPLES = 99_999, 9_999


@dataclass(frozen=True)
class Family:
    """Pairs of cells that are corrected together."""

    id: str
    title: str
    pairs: tuple[tuple[str, str], ...]
    confirmatory: bool = False

    @property
    def metric(self) -> str:
        """What is compared."""
        return PUBLISHED_METRIC if self.confirmatory else CLEAN_METRIC


def families(facts: Facts, experiments: Sequence[Experiment]) -> list[Family]:
    """The confirmatory family (all pairs of the table's cells), then one exploratory family an experiment.

    An exploratory family compares cells that differ in one axis and validate on the same images: each with the group's
    reference, which is a cell of the original's table where the group has one, else the group's first.
    """
    columns = [column["cell"] for column in facts.original["table"]["columns"]]
    title = "The columns of the original's table, every pair"
    first = Family("original", title, tuple(itertools.combinations(columns, 2)), confirmatory=True)
    others = [
        Family(
            experiment.name,
            experiment.title,
            tuple(one for axis in AXES for one in _one_axis_pairs(experiment.cells, axis, columns, facts.validation)),
        )
        for experiment in experiments
        if experiment.name != "original"
    ]
    return [first, *others]


def _one_axis_pairs(
    cells: Sequence[Cell], axis: str, columns: Sequence[str], validation: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """(cell, reference) for each group of cells that differ in this axis alone and validate on the same images."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for cell in cells:
        same = (validation[cell.name], *(getattr(cell, other) for other in AXES if other != axis))
        groups.setdefault(same, []).append(cell.name)
    for group in groups.values():
        reference = next((name for name in group if name in columns), group[0])
        yield from ((name, reference) for name in group if name != reference)


def comparisons(
    facts: Facts, experiments: Sequence[Experiment], predictions: Mapping[str, Predictions]
) -> list[ComparisonFamily]:
    """Every family with its pairs compared and corrected."""
    return [_compare_family(family, facts, predictions) for family in families(facts, experiments)]


def _compare_family(family: Family, facts: Facts, predictions: Mapping[str, Predictions]) -> ComparisonFamily:
    right = _right_images(predictions, "validated" if family.confirmatory else "clean")
    compared = [_compare(a, b, family, facts) for a, b in family.pairs]
    adjust = holm if family.confirmatory else benjamini_hochberg
    adjusted = adjust([one.paired.p for _, one in compared])
    pairs = [
        _pair(names, one, p, facts, _on_images(right, names, seeds, facts.confidence))
        for names, (seeds, one), p in zip(family.pairs, compared, adjusted, strict=True)
    ]
    reason = "" if pairs else "cannot say, because no two of its cells differ in one axis alone"
    if pairs and all(one.p is None for one in pairs):
        reason = "cannot say, because no two of its cells share two seeds yet"
    return ComparisonFamily.of(
        family,
        kind="confirmatory" if family.confirmatory else "exploratory",
        correction="Holm" if family.confirmatory else "Benjamini-Hochberg",
        pairs=pairs,
        reason=reason,
    )


def _compare(a: str, b: str, family: Family, facts: Facts) -> tuple[np.ndarray, PairedComparison]:
    seeds, (first, second) = facts.runs.paired((a, b), family.metric)
    return seeds, paired_comparison(
        first,
        second,
        seed=facts.stream("sign flips", family.id, a, b),
        resamples=CONFIRMATORY_RESAMPLES if family.confirmatory else EXPLORATORY_RESAMPLES,
        confidence=facts.confidence,
    )


def _pair(
    names: tuple[str, str], one: PairedComparison, p_adjusted: float | None, facts: Facts, on_images: Mapping[str, Any]
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
        **on_images,
        conclusion=conclusion,
        reason=_why_not(names, one, facts),
    )


def _why_not(names: tuple[str, str], one: PairedComparison, facts: Facts) -> str:
    """Why a comparison lacks something, or ""."""
    for cell in names:
        if facts.runs.counts(cell).finished == 0:
            return facts.runs.why_empty(cell)
    if one.paired.n < 2:
        return f"cannot say, because the two cells share {'one seed' if one.paired.n else 'no seed'}"
    return one.reason


def _sign_flip_words(one: PairedComparison) -> str:
    if one.p_smallest is None or one.p_smallest <= LEVEL:
        return ""
    return (
        f"with {one.paired.n} seeds the sign-flip test cannot give less than {one.p_smallest:.4g}, so it cannot decide"
    )


#: Which images the runs of a cell have right, and more: seeds [n], right [n, m], labels [m]; None without predictions.
Right = Callable[[str], tuple[np.ndarray, np.ndarray, np.ndarray] | None]


def _right_images(predictions: Mapping[str, Predictions], kind: str) -> Right:
    """Remembers as many cells as the confirmatory family compares with each other, because pairs share cells."""

    @functools.lru_cache(maxsize=6)
    def right(cell: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        found = predictions.get(cell)
        return None if found is None else (found.seeds, getattr(found, kind) == found.labels, found.labels)

    return right


def _on_images(right: Right, names: tuple[str, str], seeds: np.ndarray, confidence: float) -> dict[str, Any]:
    """What shared seeds say of new images and of single runs; nothing without predictions on the same images."""
    both = [found for found in map(right, names) if found is not None]
    if len(both) < 2 or not seeds.size or not np.array_equal(both[0][2], both[1][2]):
        return {"new_images_interval": None, "one_run": None}
    if not all(np.isin(seeds, own).all() for own, _, _ in both):
        return {"new_images_interval": None, "one_run": None}
    a, b = (correct[np.searchsorted(own, seeds)] for own, correct, _ in both)
    ahead = OneRun(a_ahead=float((a.sum(axis=1) > b.sum(axis=1)).mean()))
    interval = new_images_interval(a.astype(np.int8) - b.astype(np.int8), confidence)
    return {"new_images_interval": pair(interval), "one_run": ahead}
