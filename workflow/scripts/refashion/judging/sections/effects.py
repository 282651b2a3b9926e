"""Factorial effects: analysis of variance, and contrasts of cell means."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from refashion.inference.contrasts import paired_contrast, welch_contrast
from refashion.inference.factorial import anova, logit_percent
from refashion.inference.families import benjamini_hochberg
from refashion.judging.document.parts import CellName, Ends, MetricSummary, Part, means, reason
from refashion.judging.facts import CLEAN_METRIC, Facts, pair, sample
from refashion.study.model import AXES, Cell, Experiment

#: The factors of an analysis of variance; the recipe goes with them.
FACTORS = AXES[:3]


class AnovaTerm(Part):
    """One term of the analysis of variance."""

    term: str = means("e.g. architecture x fraction")
    ss: float = means("sum of squares", "pp^2")
    df: int = means("degrees of freedom")
    f: float | None = means("F", "1")
    p: float | None = means("p, two-sided", "0..1")
    partial_omega2: float | None = means("partial omega squared (may be slightly negative)", "1")
    p_hc3: float | None = means("p with HC3 standard errors (sensitivity)", "0..1")
    p_logit: float | None = means("p on log odds of accuracy (sensitivity)", "0..1")


class Residual(Part):
    df: int = means("degrees of freedom")
    sd: float = means("sd", "pp")


class ContrastOfCells(Part):
    """An effect as a contrast of cell means."""

    label: str = means("in words")
    estimate: float | None = means("of the contrast", "pp")
    df: float | None = means("degrees of freedom", "1")
    interval: Ends | None = means("t interval", "pp")
    p: float | None = means("two-sided, not adjusted", "0..1")
    p_adjusted: float | None = means("BH over the contrasts of this policy", "0..1")
    paired_interval: Ends | None = means("the same contrast with seeds paired", "pp")
    reason: str = reason()


class InteractionPoint(Part):
    """A point of the interaction plot."""

    cell: CellName
    architecture: str = means("its name")
    fraction: str = means("its name")
    augmentation: str = means("its name")
    images: int = means("training images")
    sample: MetricSummary = means("of `metric`")


class Policy(Part):
    """A complete architecture x fraction x augmentation grid under one rule for the training length."""

    id: str = means("experiment")
    title: str = means("in words")
    question: str = means("of the experiment")
    metric: str = means("column of runs.csv")
    n_seeds: int = means("seeds that every cell has")
    levels: dict[str, list[str]] = means("the names of each factor's levels")
    anova: list[AnovaTerm] = means("type II table; the seed block is last")
    residual: Residual | None = means("residual line; null where there is none")
    contrasts: list[ContrastOfCells] = means("main effects and interactions as contrasts")
    cells: list[InteractionPoint] = means("cell means")
    reason: str = reason()


class Effects(Part):
    policies: list[Policy] = means("equal updates, published epochs")
    reason: str = reason()


def effects(facts: Facts) -> Effects:
    """The effects of each experiment of the study that is a factorial."""
    policies = [_policy(experiment, facts) for experiment in facts.study.experiments if is_factorial(experiment.cells)]
    reason = "" if policies else "cannot say, because no experiment that runs is a factorial"
    return Effects(policies=policies, reason=reason)


def is_factorial(cells: Sequence[Cell]) -> bool:
    """Whether cells cross architecture, fraction and augmentation completely, each at two levels or more, each once."""
    levels = _levels(cells)
    combinations = {tuple(getattr(cell, factor) for factor in FACTORS) for cell in cells}
    complete = len(combinations) == len(cells) == math.prod(len(names) for names in levels.values())
    return complete and min(len(names) for names in levels.values()) > 1


def _levels(cells: Sequence[Cell]) -> dict[str, list[str]]:
    """The levels of each factor, in the order of their first appearance."""
    return {factor: list(dict.fromkeys(getattr(cell, factor) for cell in cells)) for factor in FACTORS}


def _policy(experiment: Experiment, facts: Facts) -> Policy:
    levels = _levels(experiment.cells)
    at = {tuple(getattr(cell, factor) for factor in FACTORS): cell for cell in experiment.cells}
    cells = [at[combination] for combination in itertools.product(*levels.values())]
    seeds, scores = facts.runs.paired([cell.name for cell in cells], CLEAN_METRIC)
    reason = _why_no_effects(cells, seeds.size, facts)
    contrasts = [] if reason else _contrasts(levels, _words(cells, facts), scores, facts.confidence)
    terms, residual, reason = ([], None, reason) if reason else _anova(cells, seeds, scores)
    return Policy.of(
        experiment,
        id=experiment.name,
        metric=CLEAN_METRIC,
        n_seeds=seeds.size,
        levels=levels,
        anova=terms,
        residual=residual,
        contrasts=contrasts,
        cells=[
            InteractionPoint.of(
                cell, cell=cell.name, images=facts.study.images(cell), sample=sample(facts, cell.name, CLEAN_METRIC)
            )
            for cell in cells
        ],
        reason=reason,
    )


def _words(cells: Sequence[Cell], facts: Facts) -> dict[str, dict[str, str]]:
    """The words of each factor's levels; with the level's own name where two read the same."""
    told = {factor: {getattr(cell, factor): facts.names.level(factor, cell) for cell in cells} for factor in FACTORS}
    for words in told.values():
        if len({*words.values()}) < len(words):
            words |= {name: f"{one} ({name})" for name, one in words.items()}
    return told


def _why_no_effects(cells: Sequence[Cell], shared: int, facts: Facts) -> str:
    if shared >= 2:
        return ""
    empty = [facts.names.cell(cell) for cell in cells if facts.runs.counts(cell.name).finished == 0]
    if empty:
        return f"cannot say, because {len(empty)} of {len(cells)} cells have no finished run, such as {empty[0]}"
    return f"cannot say, because its cells share {'one seed' if shared else 'no seed'}, and effects need two"


def _anova(
    cells: Sequence[Cell], seeds: np.ndarray, scores: np.ndarray
) -> tuple[list[AnovaTerm], Residual | None, str]:
    """Type II analysis of variance of scores [k, n], with its sensitivities: terms, residual line, reason."""
    k, n = scores.shape
    factors = {factor: np.repeat([getattr(cell, factor) for cell in cells], n) for factor in FACTORS}
    y, block = scores.ravel(), np.tile(seeds, k)
    plain = anova(y, factors, block)
    if plain.residual_df is None or plain.residual_sd is None:
        return [], None, plain.reason
    robust = {effect.name: effect.p for effect in anova(y, factors, block, hc3=True).effects}
    inside = ((y > 0) & (y < 100)).all()
    odds = {effect.name: effect.p for effect in anova(logit_percent(y), factors, block).effects} if inside else {}
    terms = [
        AnovaTerm.of(
            effect,
            term=effect.name.replace(":", " x ").replace("block", "seed"),
            p_hc3=robust.get(effect.name),
            p_logit=odds.get(effect.name),
        )
        for effect in plain.effects
    ]
    return terms, Residual(df=plain.residual_df, sd=plain.residual_sd), ""


def _contrasts(
    levels: Mapping[str, list[str]], words: Mapping[str, Mapping[str, str]], scores: np.ndarray, confidence: float
) -> list[ContrastOfCells]:
    """Every main effect and interaction as contrasts of cell means, scores [k, n] in the order of the factors' product.

    words: of each factor's levels.
    A contrast multiplies, over the factors that take part, (a level minus the first level), and averages over the
    others. Welch-Satterthwaite, because variances differ between cells; paired by seed beside it.
    """
    contrasts = []
    for size in range(1, len(levels) + 1):
        for factors in itertools.combinations(levels, size):
            for chosen in itertools.product(*(levels[factor][1:] for factor in factors)):
                own = dict(zip(factors, chosen, strict=True))
                labels = [f"{words[one][name]} minus {words[one][levels[one][0]]}" for one, name in own.items()]
                contrasts.append(_contrast(labels, _weights(levels, own), scores, confidence))
    adjusted = benjamini_hochberg([contrast.p for contrast in contrasts])
    return [one.model_copy(update={"p_adjusted": p}) for one, p in zip(contrasts, adjusted, strict=True)]


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


def _contrast(labels: list[str], weights: np.ndarray, scores: np.ndarray, confidence: float) -> ContrastOfCells:
    welch = welch_contrast(list(scores), weights, confidence)
    return ContrastOfCells.of(
        welch,
        label=labels[0] if len(labels) == 1 else " x ".join(f"({label})" for label in labels),
        interval=pair(welch),
        p_adjusted=None,
        paired_interval=pair(paired_contrast(scores, weights, confidence)),
    )
