"""What other people's rules would have said of the published accuracies, and how often each contradicts ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from refashion.inference import rules
from refashion.inference.evidence import Evidence, with_margin
from refashion.inference.intervals import t_interval
from refashion.inference.summaries import NO_DISTANCE
from refashion.inference.verdicts import INCONCLUSIVE, Word
from refashion.judging.claims.comparisons import holds_by
from refashion.judging.claims.published import evidence_of
from refashion.judging.claims.readings import SAYS
from refashion.judging.document.claims import Claim, Numbers
from refashion.judging.document.parts import Part, means, reason
from refashion.judging.facts import Facts

#: Margins of the closeness rule, in pp.
MARGINS = (0.25, 0.5, 1.0)
#: Yes or no as a verdict.
WORDS: dict[bool | None, str] = {yes: word for word, yes in SAYS.items()}

#: Name and source of each rule, in the order of `RivalVerdicts.says`.
RULES = (
    ("our interval holds the published number", "Open Science Collaboration 2015"),
    ("one more run's interval holds it", "Patil, Peng & Leek 2016"),
    *((f"the mean is within {margin:g} pp", "Schuirmann 1987") for margin in MARGINS),
    ("ours, with one pooled spread", "Bartlett 1937"),
    ("a Bayes factor against the nearest other reading", "Verhagen & Wagenmakers 2014"),
    ("most single runs lie within our margin", "Bouthillier, Laurent & Vincent 2019"),
)


class RivalVerdicts(Part):
    """One published accuracy by each rule."""

    claim: str = means("id of the claim")
    ours: Word = means("our verdict")
    says: list[str] = means('what each rule says, in their order; "" where there is nothing to ask it with')


class Rule(Part):
    """A rule, and how often it contradicts ours."""

    name: str = means("what it asks")
    source: str = means("who uses it")
    compared: int = means("claims that it and ours decide")
    disagreements: int = means("claims that they decide otherwise")


class RivalRules(Part):
    """The published accuracies by rivals of our rule, none of which decides anything here."""

    rules: list[Rule] = means("every rule, with how often it contradicts ours")
    claims: list[RivalVerdicts] = means("every published accuracy")
    pooled_sd: float | None = means("the pooled spread of validation accuracies", "pp")
    equal_spreads_p: float | None = means("Bartlett's test that the cells have one spread", "0..1")
    reason: str = reason()


def rival_rules(facts: Facts, ledger: Sequence[Claim]) -> RivalRules:
    """Every published accuracy in its primary reading, in the cell that its verdict shows, by each rule."""
    families: dict[str, list[tuple[Claim, Numbers]]] = {}
    for claim in ledger:
        if claim.kind == "accuracy" and (numbers := claim.readings[0].numbers):
            families.setdefault(claim.family, []).append((claim, numbers))
    rows, spread = [], None
    for own in families.values():
        metric = own[0][0].readings[0].metric
        pooled = rules.pooled_spread(list({seen.cell: seen.values for _, seen in own}.values()))
        spread = spread or pooled
        weighed = [evidence_of(seen, facts.runs.sample(seen.cell, metric).diverged) for _, seen in own]
        said = rules.pooled_rule(weighed, pooled)
        rows += [_row(*one, word, e) for one, word, e in zip(own, said, weighed, strict=True)]
    return RivalRules(
        rules=[_rule(i, rows) for i in range(len(RULES))],
        claims=rows,
        pooled_sd=spread.sd if spread else None,
        equal_spreads_p=spread.p if spread else None,
        reason=spread.reason if spread else "cannot say, because the original prints no accuracy",
    )


def _row(claim: Claim, seen: Numbers, pooled: Word | None, e: Evidence) -> RivalVerdicts:
    interval, rival = t_interval(seen.values), _rival(claim, seen)
    if interval.low is None:
        return RivalVerdicts(claim=claim.id, ours=claim.verdict, says=[""] * len(RULES))
    factor = rules.log_bayes_factor(e, evidence_of(rival)) if rival else None
    at_margins = [with_margin(e, margin) for margin in MARGINS]
    within = np.abs(np.array(seen.values) - e.published) <= e.margin + NO_DISTANCE
    says = [
        WORDS.get(_holds(interval.low, interval.high, e.published), ""),
        WORDS.get(_holds(e.run_low, e.run_high, e.published), ""),
        *(WORDS.get(holds_by(one.p_rep, one.p_far), INCONCLUSIVE) for one in at_margins),
        pooled or "",
        WORDS.get(rules.bayes_rule(factor), INCONCLUSIVE if rival else ""),
        WORDS[bool(within.mean() > 0.5)],
    ]
    return RivalVerdicts(claim=claim.id, ours=claim.verdict, says=says)


def _holds(low: float | None, high: float | None, published: float) -> bool | None:
    return None if low is None or high is None else low <= published <= high


def _rival(claim: Claim, seen: Numbers) -> Numbers | None:
    """The numbers of the other reading, with other runs or another metric, that lies nearest the published one."""
    others = [r.numbers for r in claim.readings[1:] if r.numbers and r.numbers.sd and r.numbers.values != seen.values]
    return min(others, key=lambda other: abs(other.difference or 0.0), default=None)


def _rule(position: int, rows: Sequence[RivalVerdicts]) -> Rule:
    name, source = RULES[position]
    pairs = [(row.ours, row.says[position]) for row in rows if row.ours in SAYS and row.says[position] in SAYS]
    return Rule(name=name, source=source, compared=len(pairs), disagreements=sum(ours != says for ours, says in pairs))
