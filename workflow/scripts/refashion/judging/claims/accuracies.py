"""Published accuracies: closeness and farness, primary readings judged together in families (Holm)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refashion.errors import UserError
from refashion.inference.evidence import Evidence, half_error, image_margin, weigh, with_margin
from refashion.inference.intervals import prediction_interval, t_interval
from refashion.inference.power import OperatingCharacteristics, operating_characteristics
from refashion.inference.verdicts import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    REPRODUCED,
    Verdict,
    Word,
    judge_family,
    margin_sensitivity,
)
from refashion.judging.claims.readings import Context, a_reading, primary_first
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
    """Claims judged together. members: (claim id, cell) of each piece of evidence, in order.

    stands: where looks have judged it (`claims.looks.Stand`), by member.
    """

    name: str
    members: list[tuple[str, str]]
    evidence: list[Evidence]
    verdicts: tuple[Verdict, ...]
    sensitivity: Mapping[float, tuple[Verdict, ...]]
    characteristics: OperatingCharacteristics
    stands: Mapping[tuple[str, str], Any]

    def of(self, claim: str, cell: str) -> tuple[Verdict, list[Sensitivity]]:
        """The verdict on a claim's number in one cell, and with other margins."""
        if (claim, cell) in self.stands:
            stand = self.stands[claim, cell]
            return stand.verdict, stand.sensitivity(list(self.sensitivity))
        position = self.members.index((claim, cell))
        others = self.sensitivity.items()
        return self.verdicts[position], [Sensitivity(margin=m, verdict=v[position].verdict) for m, v in others]

    def half_error(self, claim: str, cell: str) -> Sensitivity | None:
        """The verdict on a claim's number in one cell by half its error, the others as they are."""
        return by_half_error(self.evidence, self.members.index((claim, cell)))

    def operating(self, claim: str) -> Operating | None:
        """Operating characteristics of a claim: at the n and SD of each of its cells, by the rule that joins them."""
        names = [member[0] for member in self.members]
        seen, found = self.evidence[names.index(claim)], self.characteristics
        if seen.sd is None:
            return None
        position = list(dict.fromkeys(names)).index(claim)
        columns = (found.shifts, found.reproduced, found.not_reproduced, found.inconclusive)
        return Operating(
            n=seen.n,
            sd=seen.sd,
            repetitions=found.repetitions,
            rates=[
                Rate(shift=shift, reproduced=a[position], not_reproduced=b[position], inconclusive=c[position])
                for shift, a, b, c in zip(*columns, strict=True)
            ],
        )


def families_of(facts: Facts, looks: Any = None) -> dict[str, Family]:
    """Each published accuracy's family, by claim id. looks: where the study's looks stand (`claims.looks.Standing`)."""
    families: dict[str, Family] = {}
    for name, own in claims_by_family(facts).items():
        families |= dict.fromkeys((entry["id"] for entry in own), _family(name, own, facts, looks))
    return families


def claims_by_family(facts: Facts) -> dict[str, list[Mapping[str, Any]]]:
    """The claims of published accuracies by family: what they name, else accuracies of training or of validation."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in facts.original["claims"]:
        if entry["kind"] == "accuracy":
            found.setdefault(_family_name(entry), []).append(entry)
    return found


def _family_name(entry: Mapping[str, Any]) -> str:
    return entry.get("family") or ("training" if entry["readings"][0]["metric"] in TRAINING_METRICS else "validation")


def _family(name: str, claims: Sequence[Mapping[str, Any]], facts: Facts, looks: Any) -> Family:
    members, evidence = [], []
    for entry in claims:
        reading = entry["readings"][0]
        for cell in reading["cells"]:
            members.append((entry["id"], cell))
            evidence.append(primary_evidence(entry, cell, facts))
    stands = {member: looks.of(*member) for member in members} if looks else {}
    stands = {member: stand for member, stand in stands.items() if stand is not None}
    evidence = [stands[m].evidence if m in stands else e for m, e in zip(members, evidence, strict=True)]
    return Family(
        name=name,
        members=members,
        evidence=evidence,
        verdicts=judge_family(evidence),
        sensitivity=margin_sensitivity(evidence, facts.settings["sensitivity_margins"]),
        stands=stands,
        characteristics=operating_characteristics(
            [0 if e.sd is None else e.n for e in evidence],
            [e.sd or 0.0 for e in evidence],
            [e.margin for e in evidence],
            SHIFTS,
            published_is_a_run=True,
            claims=[list(dict.fromkeys(m[0] for m in members)).index(m[0]) for m in members],
            seed=facts.stream("operating characteristics", name),
            repetitions=REPETITIONS,
        ),
    )


def margin(entry: Mapping[str, Any], facts: Facts) -> float:
    """The margin of a claim in pp: what the validation images resolve, or a key of `analysis` in the config."""
    rule = entry["margin"]
    if rule == "binomial":
        return image_margin(entry["value"], facts.original["validation_images"])
    if rule not in facts.settings:
        raise UserError(f"claim {entry['id']}: margin is {rule!r}; allowed are binomial and the keys of `analysis`.")
    return float(facts.settings[rule])


def evidence_of(entry: Mapping[str, Any], sample: Sample, facts: Facts) -> Evidence:
    """What a sample says about the published number of an accuracy."""
    variance = 0.0 if sample.metric in TRAINING_METRICS else other_images(sample.cell, facts)
    return weigh(sample.values, entry["value"], margin(entry, facts), variance, sample.diverged)


def primary_evidence(entry: Mapping[str, Any], cell: str, facts: Facts) -> Evidence:
    """What the runs of a cell say about a claim in its primary reading."""
    return evidence_of(entry, facts.runs.sample(cell, entry["readings"][0]["metric"]), facts)


def other_images(cell: str, facts: Facts) -> float:
    """pp^2 by which a validation accuracy of this cell differs because its images are others than the original's."""
    return facts.image_variance(cell) if facts.validation.get(cell) == "fold" else 0.0


def numbers(
    sample: Sample,
    evidence: Evidence,
    verdict: Verdict,
    sensitivity: Sequence[Sensitivity],
    facts: Facts,
    half: Sensitivity | None = None,
) -> Numbers:
    """Evidence and verdict as the report shows them."""
    interval = t_interval(sample.values, facts.confidence)
    prediction = prediction_interval(sample.values, facts.confidence, evidence.image_variance)
    return Numbers(
        cell=sample.cell,
        published=evidence.published,
        n=sample.n,
        seeds=sample.seeds.tolist(),
        values=sample.values.tolist(),
        mean=interval.mean,
        sd=interval.sd,
        interval=pair(interval),
        prediction=pair(prediction),
        difference=evidence.difference,
        margin=evidence.margin,
        p_rep=evidence.p_rep,
        p_not=evidence.p_not,
        p_run=evidence.p_run,
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


def accuracy(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """A published accuracy: closeness and farness (weigh); the primary reading within its family.

    The other readings are one family with it: all readings of a claim ask about one number (Holm within the claim).
    A reading with several cells is reproduced if one of them is (all are members of the family), and not reproduced if
    none is.
    """
    facts, family = context.facts, context.families[entry["id"]]
    margins = facts.settings["sensitivity_margins"]
    stands, samples, evidence = [], [], []
    for reading, primary in primary_first(entry):
        stood = [family.stands.get((entry["id"], cell)) if primary else None for cell in reading["cells"]]
        seen = [facts if stand is None else facts.first(stand.seeds) for stand in stood]
        cells = zip(seen, reading["cells"], strict=True)
        stands.append(stood)
        samples.append([of.runs.sample(cell, reading["metric"]) for of, cell in cells])
        evidence.append([evidence_of(entry, sample, facts) for sample in samples[-1]])
    together = within([one for own in evidence for one in own], margins)
    readings = []
    for (reading, primary), own, weighed, stood in zip(primary_first(entry), samples, evidence, stands, strict=True):
        judged = [next(together) for _ in own]
        if primary:
            judged = [
                (*family.of(entry["id"], sample.cell), family.half_error(entry["id"], sample.cell)) for sample in own
            ]
        found = [
            numbers(s, e, verdict, others, facts, half)
            for s, e, (verdict, others, half) in zip(own, weighed, judged, strict=True)
        ]
        verdicts = [verdict for verdict, _, _ in judged]
        readings.append(accuracy_reading(reading, primary, found, weighed, verdicts, facts, stood))
    return readings


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
    """The verdict on a claim's published accuracy that one sample gives by itself, uncorrected, and its reason."""
    evidence = evidence_of(entry, sample, facts)
    verdict = judge_family([evidence])[0]
    return verdict.verdict, f"{reason_of(evidence, verdict)} (by itself, uncorrected)"


def accuracy_reading(
    entry: Mapping[str, Any],
    primary: bool,
    found: Sequence[Numbers],
    evidence: Sequence[Evidence],
    verdicts: Sequence[Verdict],
    facts: Facts,
    stands: Sequence[Any],
) -> Reading:
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
    return a_reading(
        entry,
        facts,
        primary=primary,
        verdict=word,
        reason=reason,
        cells=[one.cell for one in found],
        tested=any(one.p_rep is not None for one in found),
        numbers=found[shown],
        checks=[_cell_check(one, verdict, facts) for one, verdict in zip(found, verdicts, strict=True)]
        if len(found) > 1
        else (),
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
