"""The claims of the document: readings, their numbers and checks, the verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """The verdict with another margin (pp)."""

    margin: float
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """One published number held against one cell. Fields as in report/analysis.schema.json."""

    cell: str
    published: float
    n: int
    diverged: int
    seeds: list[int]
    values: list[float]
    mean: float | None
    sd: float | None
    interval: list[float] | None
    prediction: list[float] | None
    difference: float | None
    margin: float
    p_rep: float | None
    p_not: float | None
    p_far: float | None
    p_run: float | None
    p_rep_adjusted: float | None
    p_not_adjusted: float | None
    image_variance: float
    distinguishable: bool | None
    seeds_needed: int | None
    break_even_reproduced: float | None
    break_even_not_reproduced: float | None
    sensitivity: list[Sensitivity]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was checked. holds: None where it cannot be said.

    p, p_against: of the tests that speak for it and against it; test: what they are, in words.
    """

    label: str
    expected: float | str | None = None
    found: float | str | None = None
    unit: str = ""
    interval: list[float] | None = None
    p: float | None = None
    p_against: float | None = None
    test: str = ""
    n: int | None = None
    holds: bool | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to understand a claim, and its verdict."""

    id: str
    title: str
    primary: bool
    note: str
    cells: list[str]
    metric: str
    verdict: str
    reason: str
    tested: bool
    planned: bool
    flags: list[str]
    numbers: Numbers | None
    checks: list[Check]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """How often a true shift (pp) gets each verdict, 0..1."""

    shift: float
    reproduced: float
    not_reproduced: float
    inconclusive: float


@dataclass(frozen=True, kw_only=True)
class Operating:
    """Operating characteristics of the rule for one claim."""

    n: int
    sd: float
    margin: float
    repetitions: int
    monte_carlo_error: float
    rates: list[Rate]
    published_is_a_run: bool


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim of the original, judged; readings[0] is the primary one."""

    id: str
    kind: str
    where: str
    quote: str
    statement: str
    note: str
    value: float | None
    unit: str
    family: str
    verdict: str
    reason: str
    overall: str
    overall_reason: str
    readings: list[Reading]
    operating: Operating | None
