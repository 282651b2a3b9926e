"""Claims about what was done, which only show in other claims, and claims that nothing here can test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from refashion import formatting as fmt
from refashion.inference.rules import bayes_rule, log_bayes_factor
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED, Word
from refashion.judging.claims.published import evidence_of
from refashion.judging.claims.readings import Context, Judged
from refashion.judging.columns import TIMES
from refashion.judging.document.claims import Check, Claim
from refashion.judging.facts import Facts, sample


def not_testable(entry: Mapping[str, Any], reading: Mapping[str, Any], context: Context) -> Judged:
    """A claim that nothing here can test; what was measured beside it is shown."""
    facts, reason, elsewhere = context.facts, reading["because"], []
    if "dataset" in reading:
        elsewhere = [cell.name for cell in facts.study.cells() if facts.study.dataset(cell) == reading["dataset"]]
        if not elsewhere:
            reason += f", {reading['dataset']}, on which no cell of this study is trained"
    timed = reading.get("times", ())
    checks = [_measured(cell, "seconds", "seconds", facts) for cell in timed]
    checks += [_measured(cell, "clean_accuracy", "percent", facts) for cell in elsewhere]
    return Judged(NOT_TESTABLE, reason, checks, [*timed, *elsewhere], tested=False)


def _measured(cell: str, metric: str, unit: str, facts: Facts) -> Check:
    """A mean that is reported and held against nothing."""
    found = sample(facts, cell, metric)
    ends, reason = found.interval, found.reason
    if metric in TIMES:
        ends = ends and [max(0.0, end) for end in ends]  # no time is negative, whatever a normal distribution says
        if not reason and facts.runs.mixed_machines(cell):
            reason = "the runs may have been made on different kinds of machine"
    label = f"{facts.title(cell)}, mean of {fmt.plural(found.n, 'run')}"
    return Check(label=label, found=found.mean, unit=unit, interval=ends, n=found.n, reason=reason)


def follows_from(entry: Mapping[str, Any], reading: Mapping[str, Any], context: Context) -> Judged:
    """A procedure that shows in published numbers: as stated they are ordinary runs, and not under the alternative.

    A number speaks for the procedure under which it is the likelier run, by a Bayes factor of 3 at least. Reproduced if
    some number speaks for the stated procedure and none for the alternative; not reproduced the other way round; else
    inconclusive.
    """
    claims = [context.judged[claim] for claim in reading["claims"]]
    checks = [_either(claim, reading["stated"], reading["alternative"]) for claim in claims]
    said = {check.holds for check in checks if check.holds is not None}
    verdict: Word = REPRODUCED if said == {True} else NOT_REPRODUCED if said == {False} else INCONCLUSIVE
    reason = "; ".join(f"{check.label}: {check.found}" for check in checks)
    cells = [cell for claim in claims for cell in claim.readings[0].cells]
    return Judged(verdict, reason, checks, cells, tested=any(check.reason == "" for check in checks))


def _either(claim: Claim, stated: str, alternative: str) -> Check:
    """Under which of two readings of a claim its published number is the likelier run (predictive densities)."""
    by_id = {reading.id: reading for reading in claim.readings}
    both = [by_id[name] for name in (stated, alternative)]
    untested = next((one.reason for one in both if not one.tested), "")
    own, other = (one.numbers for one in both)
    factor = log_bayes_factor(evidence_of(own), evidence_of(other)) if own and other and not untested else None
    expected = "likelier as stated"
    if own is None or other is None or factor is None:
        reason = untested or "cannot say, because its runs do not vary"
        return Check(label=claim.id, expected=expected, found="not compared", reason=reason)
    which = "as stated" if factor >= 0 else "otherwise"
    times = np.exp(min(abs(factor), np.log(1e6)))
    more = "more than " if abs(factor) > np.log(1e6) else ""
    holds = bayes_rule(factor)
    unclear = ", too little to tell" * (holds is None)
    found = f"{claim.value:.2f} is {more}{times:,.3g} times likelier {which}, as one more run of the cell{unclear}"
    return Check(label=claim.id, expected=expected, found=found, holds=holds, n=min(own.n, other.n))
