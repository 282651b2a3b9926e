"""Published numbers judged together (Holm), with other margins, and how often the rule would be right about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from refashion.inference.evidence import Evidence, distances, half_error_margin, with_margin
from refashion.inference.power import Schedule, operating_characteristics
from refashion.inference.verdicts import Verdict, judge_family
from refashion.judging.claims.looks import Stand, Standing
from refashion.judging.claims.published import Published, numbers_by_family
from refashion.judging.document.claims import Operating, Rate, Sensitivity
from refashion.judging.facts import Facts

#: True shifts (pp) for which the report says how often the rule gives each verdict.
SHIFTS = (0.0, 0.6, 1.2)
REPETITIONS = 2_000


@dataclass(frozen=True, eq=False)
class Together:
    """Pieces of evidence that are judged as one family; margins: others, by which they are judged as well."""

    evidence: Sequence[Evidence]
    margins: Sequence[float]

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        return judge_family(self.evidence)

    @cached_property
    def _by_margin(self) -> Mapping[float, tuple[Verdict, ...]]:
        return {margin: judge_family([with_margin(e, margin) for e in self.evidence]) for margin in self.margins}

    def sensitivity(self, position: int) -> list[Sensitivity]:
        """The verdict on one of them with the other margins."""
        return [Sensitivity(margin=m, verdict=found[position].verdict) for m, found in self._by_margin.items()]

    def half_error(self, position: int) -> Sensitivity | None:
        """The verdict on one of them with half its error as margin; None where its own margin is not wider."""
        half = half_error_margin(self.evidence[position])
        if half is None:
            return None
        changed = [with_margin(e, half) if i == position else e for i, e in enumerate(self.evidence)]
        return Sensitivity(margin=half, verdict=judge_family(changed)[position].verdict)


@dataclass(frozen=True, eq=False)
class Family:
    """Published numbers judged together, each in the cells of its primary reading.

    A gap is alone, in a family without a name: it is no finding of its own. looks: where the study's looks stand.
    """

    name: str
    numbers: Sequence[Published]
    facts: Facts
    looks: Standing | None

    @cached_property
    def members(self) -> list[tuple[str, str]]:
        """(claim id, cell) of each piece of evidence, in order."""
        return [(one.claim, cell) for one in self.numbers for cell in one.cells]

    def stand(self, claim: str, cell: str) -> Stand | None:
        """Where the looks at a claim's number in a cell stand; None where none has judged it."""
        return self.looks.of(claim, cell) if self.looks else None

    @cached_property
    def together(self) -> Together:
        """What decides on each member: what its last look saw, else all runs."""
        own = [one.primary_evidence(cell, self.facts) for one in self.numbers for cell in one.cells]
        stands = [self.stand(*member) for member in self.members]
        decisive = [stand.evidence if stand else e for stand, e in zip(stands, own, strict=True)]
        return Together(decisive, self.facts.settings["sensitivity_margins"])

    def operating(self, claim: str) -> Operating | None:
        """Operating characteristics of a claim: at the n and SD of each of its cells, by the rule that joins them."""
        ids = [one.claim for one in self.numbers]
        seen = self.together.evidence[[member[0] for member in self.members].index(claim)]
        if seen.sd is None or not self.name:
            return None
        rates, exact = (
            [
                Rate(shift=shift, reproduced=reproduced, not_reproduced=not_reproduced, inconclusive=inconclusive)
                for shift, (reproduced, not_reproduced, inconclusive) in zip(
                    SHIFTS, found[:, ids.index(claim)].tolist(), strict=True
                )
            ]
            for found in self._characteristics
        )
        seeds = self._schedule.seeds if self._schedule else [seen.n]
        most = [int(np.max(n)) for n in seeds]
        return Operating(seeds=most, sd=seen.sd, repetitions=REPETITIONS, rates=rates, exact_rates=exact)

    @cached_property
    def _schedule(self) -> Schedule | None:
        """The looks that the study holds, at which a cell without looks shows nothing; None where none judges these."""
        looked_at = [cell in self.facts.looked_at for _, cell in self.members]
        if self.looks is None or not any(looked_at):
            return None
        rule = self.looks.rule
        return Schedule([np.where(looked_at, n, 0) for n in rule.looks[: rule.held]], rule.spend, rule.looks[-1])

    @cached_property
    def _characteristics(self) -> list[np.ndarray]:
        """[shift, claim, verdict], of a published number with its luck, and of one that is exactly right."""
        ids = [one.claim for one in self.numbers]
        return [
            operating_characteristics(
                distances(self.together.evidence),
                SHIFTS,
                published_is_a_run=lucky,
                claims=[ids.index(claim) for claim, _ in self.members],
                schedule=self._schedule,
                seed=self.facts.stream("operating characteristics", self.name),
                repetitions=REPETITIONS,
            )
            for lucky in (True, False)
        ]


def families_of(facts: Facts, looks: Standing | None) -> dict[str, Family]:
    """Each published number's family, by claim id."""
    families = [Family(name, own, facts, looks) for name, own in numbers_by_family(facts)]
    return {one.claim: family for family in families for one in family.numbers}
