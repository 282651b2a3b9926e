"""Published numbers judged: closeness and farness, primary readings of accuracies together in families (Holm)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from refashion.inference.evidence import Evidence, half_error, with_margin
from refashion.inference.intervals import prediction_interval, t_interval
from refashion.inference.power import operating_characteristics
from refashion.inference.verdicts import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    REPRODUCED,
    Verdict,
    Word,
    judge_family,
    margin_sensitivity,
)
from refashion.judging.claims import published
from refashion.judging.claims.published import Published, sample_of
from refashion.judging.claims.readings import Context, Judged, a_reading
from refashion.judging.document.claims import Check, Numbers, Operating, Rate, Reading, Sensitivity
from refashion.judging.facts import Facts, pair, why
from refashion.judging.reasons import reason_of
from refashion.judging.run_table import Sample
from refashion.study.model import TRAINING_METRICS

#: True shifts (pp) for which the report says how often the rule gives each verdict.
SHIFTS = (0.0, 0.6, 1.2)
REPETITIONS = 2_000


@dataclass(frozen=True, eq=False)
class Family:
    """Published numbers judged together, each in the cells of its primary reading.

    A gap is alone, in a family without a name: it is no finding of its own. stands: where looks have judged a number
    (`claims.looks.Stand`), by member: (claim id, cell).
    """

    name: str
    numbers: Sequence[Published]
    facts: Facts
    stands: Mapping[tuple[str, str], Any]

    @cached_property
    def members(self) -> list[tuple[str, str]]:
        """(claim id, cell) of each piece of evidence, in order."""
        return [(one.claim, cell) for one in self.numbers for cell in one.cells]

    @cached_property
    def evidence(self) -> list[Evidence]:
        """What decides on each member: what its last look saw, else all runs."""
        own = [one.primary_evidence(cell, self.facts) for one in self.numbers for cell in one.cells]
        return [self.stands[m].evidence if m in self.stands else e for m, e in zip(self.members, own, strict=True)]

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        return judge_family(self.evidence)

    @cached_property
    def sensitivity(self) -> Mapping[float, tuple[Verdict, ...]]:
        """The verdicts with other margins."""
        return margin_sensitivity(self.evidence, self.facts.settings["sensitivity_margins"])

    def of(self, claim: str, cell: str) -> tuple[Verdict, list[Sensitivity], Sensitivity | None]:
        """The verdict on a claim's number in one cell, with other margins, and by half its error."""
        position = self.members.index((claim, cell))
        half = by_half_error(self.evidence, position)
        if (claim, cell) in self.stands:
            stand = self.stands[claim, cell]
            return stand.verdict, stand.sensitivity(list(self.sensitivity)), half
        others = [Sensitivity(margin=m, verdict=v[position].verdict) for m, v in self.sensitivity.items()]
        return self.verdicts[position], others, half

    def operating(self, claim: str) -> Operating | None:
        """Operating characteristics of a claim: at the n and SD of each of its cells, by the rule that joins them."""
        names = [member[0] for member in self.members]
        seen = self.evidence[names.index(claim)]
        if seen.sd is None or not self.name:
            return None
        position = list(dict.fromkeys(names)).index(claim)
        rates, exact = (
            [
                Rate(shift=shift, **dict(zip(("reproduced", "not_reproduced", "inconclusive"), row, strict=True)))
                for shift, row in zip(SHIFTS, found[:, position].tolist(), strict=True)
            ]
            for found in self._characteristics
        )
        return Operating(n=seen.n, sd=seen.sd, repetitions=REPETITIONS, rates=rates, exact_rates=exact)

    @cached_property
    def _characteristics(self) -> list[np.ndarray]:
        """[shift, claim, verdict], of a published number with its luck, and of one that is exactly right."""
        ids = [one.claim for one in self.numbers]
        return [
            operating_characteristics(
                [0 if e.sd is None else e.n for e in self.evidence],
                [e.sd or 0.0 for e in self.evidence],
                [e.margin for e in self.evidence],
                SHIFTS,
                published_is_a_run=lucky,
                claims=[ids.index(claim) for claim, _ in self.members],
                runs=[e.printed_runs for e in self.evidence],
                spread=np.array([e.printed_sd for e in self.evidence], float),
                seed=self.facts.stream("operating characteristics", self.name),
                repetitions=REPETITIONS,
            )
            for lucky in (True, False)
        ]


def families_of(facts: Facts, looks: Any = None) -> dict[str, Family]:
    """Each published number's family, by claim id. looks: where the study's looks stand (`claims.looks.Standing`)."""
    families: dict[str, Family] = {}
    for name, own in numbers_by_family(facts):
        members = [(one.claim, cell) for one in own for cell in one.cells] if looks else []
        stands = {member: looks.of(*member) for member in members}
        family = Family(name, own, facts, {member: stand for member, stand in stands.items() if stand is not None})
        families |= dict.fromkeys((one.claim for one in own), family)
    return families


def numbers_by_family(facts: Facts) -> list[tuple[str, list[Published]]]:
    """Published accuracies by family: what they name, else those of training or of validation; then each gap alone."""
    families: dict[str, list[Published]] = {}
    gaps = []
    for entry in facts.original["claims"]:
        one = published.published(entry, facts)
        if one and entry["kind"] == "accuracy":
            kind = "training" if one.metric in TRAINING_METRICS else "validation"
            families.setdefault(entry.get("family") or kind, []).append(one)
        elif one:
            gaps.append(("", [one]))
    return [*families.items(), *gaps]


def numbers(
    sample: Sample,
    evidence: Evidence,
    verdict: Verdict,
    sensitivity: Sequence[Sensitivity],
    half: Sensitivity | None,
    facts: Facts,
) -> Numbers:
    """Evidence and verdict as the report shows them."""
    interval = t_interval(sample.values, facts.confidence)
    printed = evidence.printed_runs, evidence.printed_sd
    prediction = prediction_interval(sample.values, facts.confidence, evidence.image_variance, *printed)
    return Numbers.of(
        evidence,
        cell=sample.cell,
        seeds=sample.seeds.tolist(),
        values=sample.values.tolist(),
        interval=pair(interval),
        prediction=pair(prediction),
        p_rep_adjusted=verdict.p_rep,
        p_not_adjusted=verdict.p_not,
        closeness=verdict.closeness,
        typicality=verdict.typicality,
        cause=str(verdict.cause),
        half_error=half,
        seeds_needed=verdict.seeds_needed,
        break_even_reproduced=verdict.break_even_reproduced,
        sensitivity=list(sensitivity),
        reason=why(sample, facts.runs, evidence.reason),
    )


def readings(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """A published accuracy or gap: closeness and farness (weigh); the primary reading within its family.

    The other readings are one family with it: all readings of a claim ask about one number (Holm within the claim).
    A reading with several cells is reproduced if one of them is (all are members of the family), and not reproduced if
    none is.
    """
    facts, family = context.facts, context.families[entry["id"]]
    number = next(one for one in family.numbers if one.claim == entry["id"])
    stands, samples, evidence = [], [], []
    for reading in number.readings:
        primary = reading is number.readings[0]
        stood = [family.stands.get((entry["id"], cell)) if primary else None for cell in reading["cells"]]
        seen = [facts if stand is None else facts.first(stand.seeds) for stand in stood]
        stands.append(stood)
        samples.append([sample_of(c, reading["metric"], of) for c, of in zip(reading["cells"], seen, strict=True)])
        evidence.append([number.evidence(sample, facts) for sample in samples[-1]])
    together = within([one for own in evidence for one in own], facts.settings["sensitivity_margins"])
    found = []
    for reading, own, weighed, stood in zip(number.readings, samples, evidence, stands, strict=True):
        primary = reading is number.readings[0]
        judged = [next(together) for _ in own]
        if primary:
            judged = [family.of(entry["id"], sample.cell) for sample in own]
        told = [numbers(s, e, *one, facts) for s, e, one in zip(own, weighed, judged, strict=True)]
        said = _of_cells(told, weighed, [verdict for verdict, *_ in judged], facts, stood)
        found.append(a_reading(reading, primary, said, facts))
    return found


def within(
    evidence: Sequence[Evidence], margins: Sequence[float]
) -> Iterator[tuple[Verdict, list[Sensitivity], Sensitivity | None]]:
    """Verdicts on one number in all readings of its claim, judged together; by other margins, and by half its error."""
    different = list(dict.fromkeys(evidence))  # the same runs in two readings are one test
    others, judged = margin_sensitivity(different, margins), judge_family(different)
    for one in evidence:
        position = different.index(one)
        verdict = judged[position]
        told = [Sensitivity(margin=m, verdict=verdicts[position].verdict) for m, verdicts in others.items()]
        yield verdict, told, by_half_error(different, position)


def by_half_error(family: Sequence[Evidence], position: int) -> Sensitivity | None:
    """The verdict on one number of a family with half its error as margin; None where its own margin is not wider."""
    own = family[position]
    half = half_error(own.published)
    if own.margin <= half or own.sd is None:
        return None
    changed = [with_margin(e, half) if i == position else e for i, e in enumerate(family)]
    return Sensitivity(margin=half, verdict=judge_family(changed)[position].verdict)


def verdict_alone(entry: Mapping[str, Any], sample: Sample, facts: Facts) -> tuple[Word, str]:
    """The verdict on a claim's published number that one sample gives by itself, uncorrected, and its reason."""
    evidence = published.accuracy(entry, facts).evidence(sample, facts)
    verdict = judge_family([evidence])[0]
    return verdict.verdict, f"{reason_of(evidence, verdict)} (by itself, uncorrected)"


def _of_cells(
    found: Sequence[Numbers],
    evidence: Sequence[Evidence],
    verdicts: Sequence[Verdict],
    facts: Facts,
    stands: Sequence[Any],
) -> Judged:
    """A reading from its cells' numbers and verdicts; the cell that decides, else the nearest, gives the numbers.

    stands: where the looks at each cell stand (`claims.looks.Stand`), None where none has judged it.
    """
    words = [verdict.verdict for verdict in verdicts]
    word: Word = REPRODUCED if REPRODUCED in words else words[0] if len(set(words)) == 1 else INCONCLUSIVE
    distance = [math.inf if one.difference is None else abs(one.difference) for one in found]
    shown = min(range(len(found)), key=lambda i: (words[i] != word, distance[i]))
    reason = found[shown].reason or _errors_told(found[shown]) + reason_of(evidence[shown], verdicts[shown])
    if len(found) > 1:
        reason = _reason_of_several(word, found[shown], reason, distance[shown] == min(distance), facts)
    if word == REPRODUCED and evidence[shown].image_variance:
        reason = f"{reason}; this closeness holds for the held-out images, which are not the original's"
    if stands[shown] is not None:
        reason = f"{reason}; {stands[shown].told}"
    checks = [_cell_check(one, verdict, facts) for one, verdict in zip(found, verdicts, strict=True)]
    return Judged(
        word,
        reason,
        checks=checks if len(found) > 1 else (),
        cells=[one.cell for one in found],
        tested=any(one.p_rep is not None for one in found),
        numbers=found[shown],
    )


def _errors_told(one: Numbers) -> str:
    """How many times fewer or more errors than published, where the margin is wider than half the published error."""
    if one.half_error is None or one.mean is None or one.mean >= 100 or one.mean == one.published:
        return ""
    ratio = (100 - one.published) / (100 - one.mean)
    times = f"{ratio:.1f} times fewer" if ratio >= 1 else f"{1 / ratio:.1f} times more"
    errors = f"{100 - one.mean:.2f}% against {100 - one.published:.2f}%"
    return f"with {times} errors ({errors}; {one.half_error.verdict} by a margin of half the published error), "


def _reason_of_several(word: str, shown: Numbers, reason: str, nearest: bool, facts: Facts) -> str:
    """The reason of the cell that is shown, and what it stands for among the cells of its reading."""
    where = facts.title(shown.cell)
    if word == REPRODUCED:
        return f"in {where}, {reason}"
    which = f"the nearest, {where}" if nearest else f"{where}, which leaves it open"
    return f"in no column is it reproduced; in {which}, {reason}"


def _cell_check(one: Numbers, verdict: Verdict, facts: Facts) -> Check:
    corrected = one.p_rep_adjusted != one.p_rep or one.p_not_adjusted != one.p_not
    return Check(
        label=f"{facts.title(one.cell)}: {verdict.verdict}",
        expected=one.published,
        found=one.mean,
        unit="percent",
        interval=one.interval,
        p=one.p_rep_adjusted,
        p_against=one.p_not_adjusted,
        test=f"within the margin or beyond it{', after Holm over all numbers of this kind' if corrected else ''}",
        n=one.n,
        holds={REPRODUCED: True, NOT_REPRODUCED: False}.get(verdict.verdict),
        reason=one.reason,
    )
