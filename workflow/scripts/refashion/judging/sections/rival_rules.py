"""What other people's rules would have said of the published accuracies, and how often each contradicts ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from refashion.inference import rules
from refashion.inference.verdicts import NOT_REPRODUCED, REPRODUCED, Word
from refashion.judging.claims import accuracies
from refashion.judging.document.claims import Claim, Numbers
from refashion.judging.document.rules import RivalRules, RivalVerdicts, Rule
from refashion.judging.facts import Facts

#: Margins of the closeness rule, in pp.
MARGINS = (0.25, 0.5, 1.0)
SAYS = {REPRODUCED: True, NOT_REPRODUCED: False}


def rival_rules(facts: Facts, ledger: Sequence[Claim]) -> RivalRules:
    """Every published accuracy in its primary reading, in the cell that its verdict shows, by each rule."""
    entries = {entry["id"]: entry for entry in facts.original["claims"]}
    families: dict[str, list[tuple[Claim, Numbers]]] = {}
    for claim in ledger:
        if claim.kind == "accuracy" and (numbers := claim.readings[0].numbers):
            families.setdefault(claim.family, []).append((claim, numbers))
    rows, spread = [], None
    for own in families.values():
        metric = own[0][0].readings[0].metric
        cells = dict.fromkeys(seen.cell for _, seen in own)
        pooled = rules.pooled_spread([facts.runs.sample(cell, metric).values for cell in cells])
        spread = spread or pooled
        weighed = [accuracies.primary_evidence(entries[claim.id], seen.cell, facts) for claim, seen in own]
        said = rules.pooled_rule(weighed, pooled)
        rows += [_row(*one, word, e.image_variance) for one, word, e in zip(own, said, weighed, strict=True)]
    return RivalRules(
        margins=list(MARGINS),
        rules=[_rule(name, source, rows, verdict) for name, source, verdict in RULES],
        claims=rows,
        pooled_sd=spread.sd if spread else None,
        equal_spreads_p=spread.p if spread else None,
        reason=spread.reason if spread else "cannot say, because the original prints no accuracy",
    )


def _row(claim: Claim, seen: Numbers, pooled: Word | None, image_variance: float) -> RivalVerdicts:
    values, published = seen.values, seen.published
    rival = _rival(claim, seen)
    single = rules.single_run_rule(values, published, seen.margin)
    factor = rules.log_bayes_factor(values, rival[1].values, published, image_variance) if rival else None
    return RivalVerdicts(
        claim=claim.id,
        cell=seen.cell,
        ours=claim.verdict,
        interval=rules.interval_rule(values, published),
        run=rules.run_rule(values, published, image_variance),
        closeness=[rules.closeness_rule(values, published, margin) for margin in MARGINS],
        pooled=pooled,
        bayes=rules.bayes_rule(factor),
        rival=rival[0] if rival else "",
        single_runs=float(np.mean(single)) if single else None,
    )


def _rival(claim: Claim, seen: Numbers) -> tuple[str, Numbers] | None:
    """Title and numbers of the other reading, with other runs or another metric, that lies nearest the number."""
    others = [(r.title, r.numbers) for r in claim.readings[1:] if r.numbers and r.numbers.sd]
    others = [(title, numbers) for title, numbers in others if numbers.values != seen.values]
    return min(others, key=lambda other: abs(other[1].difference or 0.0), default=None)


#: Name of each rule, its source, and what it says of a row: true, false, or None where it says neither.
RULES: tuple[tuple[str, str, Any], ...] = (
    ("our interval holds the published number", "Open Science Collaboration 2015", lambda row: row.interval),
    ("one more run's interval holds it", "Patil, Peng & Leek 2016", lambda row: row.run),
    *(
        (f"the mean is within {margin:g} pp", "Schuirmann 1987", lambda row, i=i: row.closeness[i])
        for i, margin in enumerate(MARGINS)
    ),
    ("ours, with one pooled spread", "Bartlett 1937", lambda row: SAYS.get(row.pooled)),
    ("a Bayes factor against the nearest other reading", "Verhagen & Wagenmakers 2014", lambda row: row.bayes),
    (
        "most single runs lie within our margin",
        "Bouthillier, Laurent & Vincent 2019",
        lambda row: None if row.single_runs is None else row.single_runs > 0.5,
    ),
)


def _rule(name: str, source: str, rows: Sequence[RivalVerdicts], verdict: Any) -> Rule:
    pairs = [(SAYS.get(row.ours), verdict(row)) for row in rows]
    pairs = [(ours, theirs) for ours, theirs in pairs if ours is not None and theirs is not None]
    wrong = sum(ours != theirs for ours, theirs in pairs)
    return Rule(name=name, source=source, compared=len(pairs), disagreements=wrong)
