"""The claims of the document: readings, their numbers and checks, the verdict."""

from __future__ import annotations

from typing import Literal

from refashion.inference.verdicts import Agreement, Closeness, Typicality, Word
from refashion.judging.document.parts import CellName, Ends, Part, means, reason

Hindrance = Literal[
    "too few seeds",
    "at the margin",
    "the printed mean",
    "not run here",
    "a lucky run",
    "an unlucky run",
    "diverged runs",
]


class Sensitivity(Part):
    """The verdict with another margin."""

    margin: float = means("the margin", "pp")
    verdict: Word = means("verdict")


class Numbers(Part):
    """One published number held against one cell, in percent (for a gap in pp)."""

    cell: CellName
    published: float = means("the published number, percent (pp for a gap)", "percent")
    printed_runs: int = means("runs of which the published number is the mean; 1: it is held to be of one run")
    printed_sd: float | None = means("the SD that is printed of them; null: not printed, ours stands for it", "percent")
    image_variance: float = means("variance of the difference that comes from other images than the original's", "pp2")
    n: int = means("runs that count")
    seeds: list[int] = means("seeds, ascending")
    values: list[float] = means("one value a seed, percent (pp for a gap)", "percent")
    mean: float | None = means("mean over seeds", "percent")
    sd: float | None = means("standard deviation over seeds", "percent")
    interval: Ends | None = means("t interval of the mean", "percent")
    prediction: Ends | None = means("prediction interval of one more run", "percent")
    difference: float | None = means("mean minus published", "pp")
    margin: float = means("the margin: closer than this is reproduced", "pp")
    p_rep: float | None = means("TOST: small says that the mean is within the margin; as it is, not adjusted", "0..1")
    p_not: float | None = means(
        "small says that the mean lies beyond the margin and that the number is no run like ours; not adjusted", "0..1"
    )
    p_rep_adjusted: float | None = means(
        "p_rep after Holm (of primary readings over their family, else over the claim) and, where a look judges it, "
        "over the share of the level that the look spends",
        "0..1",
    )
    p_not_adjusted: float | None = means("p_not after both, likewise", "0..1")
    spent: float = means("the share of the level that the look spends which judges it; 1: no look does", "0..1")
    family_size: int = means("numbers that are judged together with it, itself included")
    closeness: Closeness | None = means("is the number what this recipe gives on average, within the margin")
    typicality: Typicality | None = means("is the number an ordinary run of this recipe")
    cause: str = means("why the verdict is what it is, in a word or two")
    half_error: Sensitivity | None = means("the verdict by half of the published error, where the margin is wider")
    seeds_needed: int | None = means("seeds in all that would decide if mean and spread stayed; null: none can be told")
    break_even_reproduced: float | None = means("smallest margin that would make it reproduced", "pp")
    sensitivity: list[Sensitivity] = means("the same claim judged with other margins")
    reason: str = reason()


class Check(Part):
    """One thing that was checked for a reading that is not a single published accuracy."""

    label: str = means("what is checked, in words")
    expected: int | float | str | None = means("what the original says or implies", "as `unit` says", default=None)
    found: int | float | str | None = means("what was found (null: nothing to show)", "as `unit` says", default=None)
    unit: str = means('of expected and found: percent, pp, parameters, times, seconds, images, ""', default="")
    interval: Ends | None = means("its interval, where it is a mean or a difference", "as `unit` says", default=None)
    p: float | None = means("adjusted p-value of what is claimed", "0..1", default=None)
    p_against: float | None = means("adjusted p-value of its opposite", "0..1", default=None)
    test: str = means("what the tests behind the p-values are, in words; empty where there are none", default="")
    n: int | None = means("seeds (pairs of runs) behind `found`", default=None)
    holds: bool | None = means("true, false, or null: cannot say", default=None)
    seeds_needed: int | None = means("seeds of each cell with which a new study would decide it", default=None)
    reason: str = reason()


class Ending(Part):
    """What would end an inconclusive claim."""

    kind: Hindrance = means("what keeps it open")
    words: str = means("what would end it, one sentence")
    seeds: int | None = means("seeds of each of its cells in a new study, or at the next look", default=None)
    chance: float | None = means("that a new study decides, if mean and spread stay", "0..1", default=None)
    core_hours: float | None = means("of the runs that are lacking", "hours", default=None)
    command: str = means('what to type, or ""', default="")


class Reading(Part):
    """One way to understand a claim, with its own verdict."""

    id: str = means("unique within the claim")
    title: str = means("in words")
    primary: bool = means("true for the first one, on which the claim's verdict rests")
    note: str = means('a remark, or ""')
    cells: list[str] = means("the cells it looks at")
    metric: str = means('column of runs.csv it looks at, or ""')
    verdict: Word = means("of this reading by itself")
    reason: str = means("the verdict's reason in one plain sentence")
    tested: bool = means("false: nothing to test it with (cells not run, too few runs); it is then inconclusive")
    planned: bool = means("false: this study does not run every cell that it looks at, so it will never be tested here")
    numbers: Numbers | None = means("the evidence on a published number, of the nearest cell of several; else null")
    checks: list[Check] = means("what was checked, for all other readings, and for each cell of several")


class Rate(Part):
    """One true shift."""

    shift: float = means("true difference from the published number", "pp")
    reproduced: float = means("rate", "0..1")
    not_reproduced: float = means("rate", "0..1")
    inconclusive: float = means("rate", "0..1")


class Operating(Part):
    """How often the rule says what, by simulation with the SD seen, as if the whole family were off by `shift`."""

    seeds: list[int] = means("seeds of its cell at each look that a simulated study holds; one look: a fixed number")
    sd: float = means("SD used", "percent")
    repetitions: int = means("simulated studies")
    rates: list[Rate] = means("one row a shift, of a published number that runs like these gave")
    exact_rates: list[Rate] = means("the same, of a published number without luck: the true mean of its cell")


class Claim(Part):
    """One checkable statement of the original."""

    id: str = means("its id in original.yaml")
    kind: str = means("how it is judged; a module of judging/claims")
    where: str = means("place in the original")
    quote: str = means("verbatim words")
    statement: str = means("what it claims, in plain words")
    note: str = means('a remark, or ""')
    value: float | None = means("published number, or null", "percent")
    unit: str = means('of value: percent, pp, or ""')
    family: str = means('V or T: judged together (Holm); "" otherwise')
    verdict: Word = means("verdict of the primary reading")
    reason: str = means("why, in one plain sentence")
    overall: Agreement = means(
        "how the readings agree: all alike (robust), but for inconclusive ones or deciding nothing (unsettled), "
        "contradicting each other (specification-dependent)"
    )
    overall_reason: str = means("one sentence on how the readings agree")
    ending: Ending | None = means("what would end it, where its verdict is inconclusive; else null")
    readings: list[Reading] = means("the first is the primary one")
    operating: Operating | None = means("how often the rule says what, for accuracies with two runs at least; or null")
