"""Cells against cells: paired comparisons, factorial effects, ranks.

Everything as plain dicts in the layout of report/analysis.schema.json.

Differences are in pp. Cells are written architecture/fraction/augmentation/recipe; runs are paired by seed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from refashion.inference.factorial import anova, logit_percent, paired_contrast, welch_contrast
from refashion.inference.families import benjamini_hochberg, holm
from refashion.inference.intervals import new_images_interval, prediction_interval, t_interval
from refashion.inference.pairs import PairedComparison, mcnemar_share, paired_comparison
from refashion.inference.ranks import order_probability, rank_probabilities
from refashion.inference.summaries import LEVEL
from refashion.judging.claims import Facts, pair
from refashion.judging.collection import Predictions
from refashion.study.model import AXES, Cell, Experiment

#: Metric of the confirmatory family: what the original printed.
PUBLISHED_METRIC = "val_accuracy"
#: Metric of exploratory families: images not augmented, so that cells with different augmentations see the same images.
CLEAN_METRIC = "clean_accuracy"

#: Resamples of the sign-flip test above n = 20, where it is no longer exact: of the confirmatory family, and of others.
CONFIRMATORY_RESAMPLES, EXPLORATORY_RESAMPLES = 99_999, 9_999

#: The factors of an analysis of variance; the recipe goes with them.
FACTORS = AXES[:3]

# -------------------------------------------------------------------------------------------------- paired comparisons


@dataclass(frozen=True)
class Family:
    """Pairs of cells that are corrected together."""

    id: str
    title: str
    experiment: str
    confirmatory: bool
    metric: str
    axes: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]


def families(facts: Facts, experiments: Sequence[Experiment]) -> list[Family]:
    """The confirmatory family (all pairs of the table's cells), then one exploratory family an experiment.

    An exploratory family compares cells that differ in one axis and validate on the same images: each with the group's
    reference, which is a cell of the original's table where the group has one, else the group's first.
    """
    columns = [column["cell"] for column in facts.original["table"]["columns"]]
    first = Family(
        id="original",
        title="The original's columns and the padded network, every pair",
        experiment="original",
        confirmatory=True,
        metric=PUBLISHED_METRIC,
        axes=(),
        pairs=tuple(itertools.combinations(columns, 2)),
    )
    others = (experiment for experiment in experiments if experiment.name != "original")
    return [first, *(_exploratory(experiment, columns, facts.validation) for experiment in others)]


def _exploratory(experiment: Experiment, columns: Sequence[str], validation: Mapping[str, str]) -> Family:
    found = {axis: list(_one_axis_pairs(experiment.cells, axis, columns, validation)) for axis in AXES}
    return Family(
        id=experiment.name,
        title=experiment.title,
        experiment=experiment.name,
        confirmatory=False,
        metric=CLEAN_METRIC,
        axes=tuple(axis for axis in AXES if found[axis]),
        pairs=tuple(one for axis in AXES for one in found[axis]),
    )


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
) -> list[dict[str, Any]]:
    """Every family with its pairs compared and corrected."""
    return [_compare_family(family, facts, predictions) for family in families(facts, experiments)]


def _compare_family(family: Family, facts: Facts, predictions: Mapping[str, Predictions]) -> dict[str, Any]:
    correct = _Correct(predictions, "validated" if family.metric == PUBLISHED_METRIC else "clean")
    compared = [_compare(a, b, family, facts) for a, b in family.pairs]
    adjust = holm if family.confirmatory else benjamini_hochberg
    adjusted = adjust([one.p for _, one in compared])
    pairs = [
        _pair(names, seeds, one, p, family, facts, correct)
        for names, (seeds, one), p in zip(family.pairs, compared, adjusted, strict=True)
    ]
    reason = "" if pairs else "cannot say, because no two of its cells differ in one axis alone"
    if pairs and all(one["p"] is None for one in pairs):
        reason = "cannot say, because no two of its cells share two seeds yet"
    return {
        "id": family.id,
        "title": family.title,
        "experiment": family.experiment,
        "kind": "confirmatory" if family.confirmatory else "exploratory",
        "correction": "Holm" if family.confirmatory else "Benjamini-Hochberg",
        "metric": family.metric,
        "axis": ", ".join(family.axes),
        "pairs": pairs,
        "reason": reason,
    }


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
    names: tuple[str, str],
    seeds: np.ndarray,
    one: PairedComparison,
    p_adjusted: float | None,
    family: Family,
    facts: Facts,
    correct: _Correct,
) -> dict[str, Any]:
    a, b = names
    reason = _why_not(names, one, facts)
    conclusion = "none" if p_adjusted is None else "open"
    if p_adjusted is not None and p_adjusted <= LEVEL:
        conclusion = "a" if one.difference > 0 else "b"
    same_images = correct.both(a, b, seeds)
    return {
        "a": a,
        "b": b,
        "metric": family.metric,
        "n": one.n,
        "mean_a": one.mean_a,
        "mean_b": one.mean_b,
        "difference": one.difference,
        "sd": one.sd,
        "interval": pair(one),
        "p": one.p,
        "p_adjusted": p_adjusted,
        "p_sign_flip": one.p_sign_flip,
        "sign_flip_exact": one.sign_flip_exact,
        "p_smallest": one.p_smallest,
        "sign_flip_words": _sign_flip_words(one),
        "welch_interval": None if one.welch_low is None else [one.welch_low, one.welch_high],
        "welch_p": one.welch_p,
        "seed_correlation": one.seed_correlation,
        "a12": one.a12,
        "a12_words": "" if one.a12 is None else f"a run of {a} beats a run of {b} in {100 * one.a12:.0f} of 100",
        "new_images_interval": _new_images(same_images, facts.confidence),
        "one_run": _one_run(same_images),
        "conclusion": conclusion,
        "words": _words(names, one, conclusion, reason),
        "reason": reason,
    }


def _why_not(names: tuple[str, str], one: PairedComparison, facts: Facts) -> str:
    """Why a comparison lacks something, or ""."""
    for cell in names:
        if facts.runs.counts(cell).finished == 0:
            return facts.runs.why_empty(cell)
    if one.n < 2:
        return f"cannot say, because the two cells share {'one seed' if one.n else 'no seed'}"
    return one.reason


def _sign_flip_words(one: PairedComparison) -> str:
    if one.p_smallest is None or one.p_smallest <= LEVEL:
        return ""
    return f"with {one.n} seeds the sign-flip test cannot give less than {one.p_smallest:.4g}, so it cannot decide"


def _words(names: tuple[str, str], one: PairedComparison, conclusion: str, reason: str) -> str:
    a, b = names
    if conclusion == "none":
        return f"{reason[:1].upper()}{reason[1:]}."
    if conclusion == "open":
        return f"{a} and {b} cannot be told apart after correction."
    better, worse = (a, b) if conclusion == "a" else (b, a)
    return f"{better} is {abs(one.difference):.2f} pp better than {worse}."


class _Correct:
    """Which images each run has right, bool [n, m], by cell. Keeps the cells used last, because pairs share cells."""

    #: As many cells as the confirmatory family compares with each other.
    KEPT = 6

    def __init__(self, predictions: Mapping[str, Predictions], kind: str) -> None:
        self.predictions, self.kind = predictions, kind
        self.kept: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def both(self, a: str, b: str, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The right images of two cells' shared seeds, or None where they lack predictions on the same images."""
        first, second = self._cell(a), self._cell(b)
        if first is None or second is None or not np.array_equal(first[2], second[2]):
            return None
        if not (np.isin(seeds, first[0]).all() and np.isin(seeds, second[0]).all()) or not seeds.size:
            return None
        return tuple(right[np.searchsorted(own, seeds)] for own, right, _ in (first, second))

    def _cell(self, cell: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Seeds [n], right [n, m] and labels [m] of a cell, or None without predictions."""
        if cell not in self.predictions:
            return None
        if cell not in self.kept:
            while len(self.kept) >= self.KEPT:
                self.kept.pop(next(iter(self.kept)))
            found = self.predictions[cell]
            self.kept[cell] = (found.seeds, getattr(found, self.kind) == found.labels, found.labels)
        return self.kept[cell]


def _new_images(both: tuple[np.ndarray, np.ndarray] | None, confidence: float) -> list[float] | None:
    if both is None:
        return None
    scores = both[0].astype(np.int8) - both[1].astype(np.int8)
    return pair(new_images_interval(scores, confidence))


def _one_run(both: tuple[np.ndarray, np.ndarray] | None) -> dict[str, float] | None:
    if both is None:
        return None
    share = mcnemar_share(*both)
    names = ("a_ahead", "b_ahead", "tied", "a_significant", "b_significant")
    return {name: getattr(share, name) for name in names}


# --------------------------------------------------------------------------------------------------- factorial effects


def is_factorial(cells: Sequence[Cell]) -> bool:
    """Whether cells cross architecture, fraction and augmentation completely, each at two levels or more, each once."""
    levels = _levels(cells)
    combinations = {tuple(getattr(cell, factor) for factor in FACTORS) for cell in cells}
    complete = len(combinations) == len(cells) == math.prod(len(names) for names in levels.values())
    return complete and min(len(names) for names in levels.values()) > 1


def _levels(cells: Sequence[Cell]) -> dict[str, list[str]]:
    """The levels of each factor, in the order of their first appearance."""
    return {factor: list(dict.fromkeys(getattr(cell, factor) for cell in cells)) for factor in FACTORS}


def policies(facts: Facts, experiments: Sequence[Experiment], images: Mapping[str, int]) -> list[dict[str, Any]]:
    """The factorial effects of each enabled experiment that is a factorial. images: training images by cell."""
    return [_policy(experiment, facts, images) for experiment in experiments if is_factorial(experiment.cells)]


def _policy(experiment: Experiment, facts: Facts, images: Mapping[str, int]) -> dict[str, Any]:
    levels = _levels(experiment.cells)
    at = {tuple(getattr(cell, factor) for factor in FACTORS): cell for cell in experiment.cells}
    cells = [at[combination] for combination in itertools.product(*levels.values())]
    seeds, scores = facts.runs.paired([cell.name for cell in cells], CLEAN_METRIC)
    reason = _why_no_effects(cells, seeds.size, facts)
    anova, residual, contrasts = [], None, []
    if seeds.size >= 2:
        anova, residual, reason = _anova(cells, seeds, scores)
        contrasts = _contrasts(levels, scores, facts.confidence)
    return {
        "id": experiment.name,
        "title": experiment.title,
        "question": experiment.question,
        "metric": CLEAN_METRIC,
        "n_seeds": seeds.size,
        "complete": seeds.size >= 2,
        "formula": "accuracy ~ architecture * fraction * augmentation + seed, type II",
        "levels": levels,
        "anova": anova,
        "residual": residual,
        "contrasts": contrasts,
        "cells": [_plot_point(cell, facts, images) for cell in cells],
        "reason": reason,
    }


def _why_no_effects(cells: Sequence[Cell], shared: int, facts: Facts) -> str:
    if shared >= 2:
        return ""
    empty = [cell.name for cell in cells if facts.runs.counts(cell.name).finished == 0]
    if empty:
        return f"cannot say, because {len(empty)} of {len(cells)} cells have no finished run, such as {empty[0]}"
    return f"cannot say, because its cells share {'one seed' if shared else 'no seed'}, and effects need two"


def _plot_point(cell: Cell, facts: Facts, images: Mapping[str, int]) -> dict[str, Any]:
    names = {factor: getattr(cell, factor) for factor in FACTORS}
    return {
        "cell": cell.name,
        **names,
        "images": images[cell.name],
        "sample": sample(facts, cell.name, CLEAN_METRIC),
    }


def sample(facts: Facts, cell: str, metric: str) -> dict[str, Any]:
    """A metric of a cell with its interval (schema: sample)."""
    found = facts.runs.sample(cell, metric)
    interval = t_interval(found.values, facts.confidence)
    prediction = prediction_interval(found.values, facts.confidence)
    return {
        "n": found.n,
        "seeds": found.seeds.tolist(),
        "values": found.values.tolist(),
        "mean": interval.mean,
        "sd": interval.sd,
        "interval": pair(interval),
        "prediction": pair(prediction),
        "reason": facts.runs.why_empty(cell) if found.n == 0 else interval.reason,
    }


def _anova(
    cells: Sequence[Cell], seeds: np.ndarray, scores: np.ndarray
) -> tuple[list[dict[str, Any]], dict[str, Any] | None, str]:
    """Type II analysis of variance of scores [k, n], with its sensitivities: terms, residual line, reason."""
    k, n = scores.shape
    factors = {factor: np.repeat([getattr(cell, factor) for cell in cells], n) for factor in FACTORS}
    y, block = scores.ravel(), np.tile(seeds, k)
    plain = anova(y, factors, block)
    if plain.reason:
        return [], None, plain.reason
    robust = {effect.name: effect for effect in anova(y, factors, block, hc3=True).effects}
    inside = ((y > 0) & (y < 100)).all()
    logit = anova(logit_percent(y), factors, block).effects if inside else ()
    odds = {effect.name: effect for effect in logit}
    terms = [
        {
            "term": effect.name.replace(":", " x ").replace("block", "seed"),
            "ss": effect.ss,
            "df": effect.df,
            "f": effect.f,
            "p": effect.p,
            "partial_omega2": effect.partial_omega2,
            "p_hc3": robust[effect.name].p if effect.name in robust else None,
            "p_logit": odds[effect.name].p if effect.name in odds else None,
            "partial_omega2_logit": odds[effect.name].partial_omega2 if effect.name in odds else None,
        }
        for effect in plain.effects
    ]
    residual = {"ss": plain.residual_ss, "df": plain.residual_df, "sd": plain.residual_sd, "r2": plain.r2}
    return terms, residual, ""


def _contrasts(levels: Mapping[str, list[str]], scores: np.ndarray, confidence: float) -> list[dict[str, Any]]:
    """Every main effect and interaction as contrasts of cell means, scores [k, n] in the order of the factors' product.

    A contrast multiplies, over the factors that take part, (a level minus the first level), and averages over the
    others. Welch-Satterthwaite, because variances differ between cells; paired by seed beside it.
    """
    contrasts = []
    for size in range(1, len(levels) + 1):
        for factors in itertools.combinations(levels, size):
            for chosen in itertools.product(*(levels[factor][1:] for factor in factors)):
                weights = _weights(levels, dict(zip(factors, chosen, strict=True)))
                labels = [f"{c} minus {levels[f][0]}" for f, c in zip(factors, chosen, strict=True)]
                contrasts.append(_contrast(labels, factors, weights, scores, confidence))
    for contrast, p in zip(contrasts, benjamini_hochberg([c["p"] for c in contrasts]), strict=True):
        contrast["p_adjusted"] = p
    return contrasts


def _weights(levels: Mapping[str, list[str]], chosen: Mapping[str, str]) -> np.ndarray:
    """Weights [k] of a contrast over the product of the factors' levels."""
    weights = np.ones(1)
    for factor, names in levels.items():
        if factor in chosen:
            own = np.array([(name == chosen[factor]) - (name == names[0]) for name in names], float)
        else:
            own = np.full(len(names), 1 / len(names))
        weights = np.outer(weights, own).ravel()
    return weights


def _contrast(
    labels: list[str], factors: tuple[str, ...], weights: np.ndarray, scores: np.ndarray, confidence: float
) -> dict[str, Any]:
    welch = welch_contrast(list(scores), weights, confidence)
    paired = paired_contrast(scores, weights, confidence)
    return {
        "label": labels[0] if len(labels) == 1 else " x ".join(f"({label})" for label in labels),
        "factor": " x ".join(factors),
        "estimate": welch.estimate,
        "se": welch.se,
        "df": welch.df,
        "interval": pair(welch),
        "p": welch.p,
        "p_adjusted": None,
        "paired_interval": pair(paired),
        "reason": welch.reason,
    }


# --------------------------------------------------------------------------------------------------------------- ranks


def ranks(facts: Facts) -> dict[str, Any]:
    """Ranks of the table's cells, and the chance that a study with one run a cell prints the published order."""
    columns = facts.original["table"]["columns"]
    cells = [column["cell"] for column in columns]
    order = published_order(facts)
    seeds, scores = facts.runs.paired(cells, PUBLISHED_METRIC)
    resamples = facts.settings["resamples"]
    of_means = rank_probabilities(scores, seed=facts.stream("ranks", "means"), resamples=resamples)
    of_runs = rank_probabilities(scores, seed=facts.stream("ranks", "runs"), resamples=resamples, draws=1)
    _, ordered = facts.runs.paired(order, PUBLISHED_METRIC)
    chance = order_probability(ordered)
    empty = [cell for cell in cells if facts.runs.counts(cell).finished == 0]
    return {
        "metric": PUBLISHED_METRIC,
        "cells": cells,
        "n": seeds.size,
        "p_best": list(of_means.p_best or ()),
        "p_rank": [list(row) for row in of_means.p_rank or ()],
        "p_rank_one_run": [list(row) for row in of_runs.p_rank or ()],
        "published_order": order,
        "p_published_order": chance.independent,
        "p_published_order_same_seed": chance.same_seed,
        "resamples": resamples,
        "reason": facts.runs.why_empty(empty[0]) if empty else of_means.reason,
    }


def published_order(facts: Facts) -> list[str]:
    """The printed columns' cells, the highest published validation accuracy first."""
    values = {claim["id"]: claim.get("value") for claim in facts.original["claims"]}
    printed = [column for column in facts.original["table"]["columns"] if column.get("validation")]
    return [column["cell"] for column in sorted(printed, key=lambda column: -values[column["validation"]])]
