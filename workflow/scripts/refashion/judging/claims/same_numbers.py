"""Claims that two cells are one: the same seed gives the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from refashion.inference.evidence import image_margin, weigh
from refashion.inference.intervals import t_interval
from refashion.inference.verdicts import judge_family
from refashion.judging.claims.comparisons import why_no_pair
from refashion.judging.claims.readings import SAYS, Context, Judged, of_checks
from refashion.judging.document.claims import Check
from refashion.judging.facts import Facts, pair


def same_numbers(entry: Mapping[str, Any], reading: Mapping[str, Any], context: Context) -> Judged:
    """The two cells of each pair give the same number from the same seed; where not, whether they differ on average.

    Equal numbers need no test. Where some differ (rounding grows over an epoch), closeness is tested against the margin
    that the validation images resolve.
    """
    checks = [_same_check(a, b, reading["metric"], context.facts) for a, b in reading["pairs"]]
    verdict, reason = of_checks(checks, lambda check: f"{check.label}: {check.found}")
    cells = [cell for both in reading["pairs"] for cell in both]
    tested = any(check.p is not None or check.holds is not None for check in checks)
    return Judged(verdict, reason, checks, cells, tested)


def _same_check(a: str, b: str, metric: str, facts: Facts) -> Check:
    seeds, scores = facts.runs.paired((a, b), metric, one_machine=True)  # others round in another order
    label, expected = f"in {facts.title(a)} and {facts.title(b)}", "the same numbers"
    if not seeds.size:
        reason = why_no_pair((a, b), 0, facts, one_machine=True)
        return Check(label=label, expected=expected, n=0, reason=reason)
    difference = scores[0] - scores[1]
    largest = float(np.abs(difference).max())
    if largest == 0:
        seen = {1: "the one seed", 2: "both seeds"}.get(seeds.size, f"all {seeds.size} seeds")
        found = f"the same numbers for {seen}"
        return Check(label=label, expected=expected, found=found, n=seeds.size, holds=True)
    allowed = image_margin(float(scores.mean()), facts.original["validation_images"])
    verdict = judge_family([weigh(difference, 0.0, allowed)])[0]
    return Check(
        label=label,
        expected=expected,
        found=f"not the same numbers, the largest difference is {largest:.2f} pp",
        p=verdict.p_rep_adjusted,
        p_against=verdict.p_not_adjusted,
        test="equal within the margin or not",
        interval=pair(t_interval(difference, facts.confidence)),
        n=seeds.size,
        seeds_needed=verdict.seeds_needed,
        holds=SAYS.get(verdict.verdict),
    )
