"""Cells against cells: comparisons, factorial effects, ranks."""

from __future__ import annotations

from typing import Literal

from refashion.judging.document.parts import Ends, MetricSummary, Part, means, reason

Conclusion = Literal["a", "b", "open", "none"]


class OneRun(Part):
    """Shares over the n seed pairs, 0..1."""

    a_ahead: float = means("a has the higher accuracy", "0..1")


class Pair(Part):
    """Two cells that ran with the same seeds; difference = a - b."""

    a: str = means("cell, architecture/fraction/augmentation/recipe")
    b: str = means("cell, architecture/fraction/augmentation/recipe")
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
    one_run: OneRun | None = means(
        "what authors with one run of each cell would have said; null without predictions on the same images"
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
    """Residual of the analysis of variance."""

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

    cell: str = means("cell, architecture/fraction/augmentation/recipe")
    architecture: str = means("its name")
    fraction: str = means("its name")
    augmentation: str = means("its name")
    images: int = means("training images")
    sample: MetricSummary = means("of `metric`")


class Levels(Part):
    architecture: list[str] = means("names")
    fraction: list[str] = means("names")
    augmentation: list[str] = means("names")


class Policy(Part):
    """A complete architecture x fraction x augmentation grid under one rule for the training length."""

    id: str = means("experiment")
    title: str = means("in words")
    question: str = means("of the experiment")
    metric: str = means("column of runs.csv")
    n_seeds: int = means("seeds that every cell has")
    formula: str = means("the model")
    levels: Levels = means("factor levels")
    anova: list[AnovaTerm] = means("type II table; the seed block is last")
    residual: Residual | None = means("residual line; null where there is none")
    contrasts: list[ContrastOfCells] = means("main effects and interactions as contrasts")
    cells: list[InteractionPoint] = means("cell means")
    reason: str = reason()


class Effects(Part):
    policies: list[Policy] = means("equal updates, published epochs")
    reason: str = reason()


class Ranks(Part):
    """Ranks of the cells of the original's table."""

    cells: list[str] = means("cells, in the table's order")
    n: int = means("seeds that all have")
    p_rank: list[list[float]] = means("one row a cell, of the mean over n seeds", "0..1")
    p_rank_one_run: list[list[float]] = means("the same for a study with one run a cell", "0..1")
    p_published_order: float | None = means(
        "chance that a study with one run a cell prints this order, seeds drawn separately", "0..1"
    )
    reason: str = reason()
