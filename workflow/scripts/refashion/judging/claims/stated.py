"""What a claim of better, worse or faster states: differences of two cells, and what their runs say of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from refashion.inference.contrasts import Contrast, paired_contrast, welch_contrast
from refashion.inference.looks import Difference
from refashion.judging.claims.published import margin
from refashion.judging.facts import Facts

#: The kinds of claims that state differences.
KINDS = ("best", "order", "much_worse", "near_best", "faster")


@dataclass(frozen=True)
class Stated:
    """A stated difference: the mean of a - b lies above `bound` (or below it), in `unit`."""

    a: str
    b: str
    above: bool = True
    bound: float = 0.0
    unit: str = "pp"

    def contrast(self, metric: str, facts: Facts, paired: bool) -> Contrast:
        """a - b over the seeds that both have, or as two samples."""
        if paired:
            return paired_contrast(facts.runs.paired((self.a, self.b), metric)[1], [1, -1], facts.confidence)
        samples = [facts.runs.sample(cell, metric).values for cell in (self.a, self.b)]
        return welch_contrast(samples, [1, -1], facts.confidence)

    def is_paired(self, facts: Facts) -> bool:
        """Whether runs are paired by seed: where the cells share data and batches, so that a seed is one draw of both.

        Else the cells are two samples (Welch): seeds with nothing in common but their number may correlate either way.
        """
        return self.unit == "seconds" or facts.share_batches(self.a, self.b)

    def has_diverged(self, facts: Facts) -> bool:
        return any(facts.runs.counts(cell).diverged for cell in (self.a, self.b))

    def excess(self, metric: str, facts: Facts) -> Difference:
        """By how much the difference exceeds its bound, in the stated direction."""
        found = self.contrast(metric, facts, self.is_paired(facts))
        excess = None if found.estimate is None else (found.estimate - self.bound) * (1 if self.above else -1)
        return Difference(excess, found.se, found.df, found.n, self.has_diverged(facts))


def stated(entry: Mapping[str, Any], reading: Mapping[str, Any], facts: Facts) -> list[Stated]:
    """The differences that a reading of a claim states; none for claims of other kinds."""
    match entry["kind"]:
        case "best":
            return [Stated(reading["best"], other) for other in reading["others"]]
        case "order":  # the best first
            return [Stated(*neighbours) for neighbours in pairwise(reading["order"])]
        case "much_worse":  # the second of each pair is worse by more than the margin
            return [Stated(better, worse, bound=margin(entry, facts)) for better, worse in reading["pairs"]]
        case "near_best":  # no other cell is better by the margin or more, and the cell is better than the baseline
            cell, most = reading["cell"], margin(entry, facts)
            others = [Stated(other, cell, above=False, bound=most) for other in reading["others"]]
            return [*others, Stated(cell, reading["baseline"])]
        case "faster":  # the first of each pair takes less time than the second
            return [Stated(slow, fast, unit="seconds") for fast, slow in reading["pairs"]]
    return []
