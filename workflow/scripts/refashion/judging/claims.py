"""The ledger: each claim of the original -> verdict, numbers, reason.

`judge` reads the claims of config/original.yaml. A claim has a kind and readings; `KINDS` has one function a kind,
which judges every reading by itself. The first reading is the primary one, on which the claim's verdict rests.
Published accuracies are the exception: their primary readings are judged together, in families (Holm).

Accuracies are in percent, differences in percentage points (pp), times in seconds.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

import numpy as np

from refashion import formatting as fmt
from refashion.errors import UserError
from refashion.inference.evidence import Evidence, bound_test, image_margin, weigh
from refashion.inference.families import holm
from refashion.inference.intervals import Interval, prediction_interval, t_interval
from refashion.inference.power import OperatingCharacteristics, operating_characteristics
from refashion.inference.summaries import LEVEL
from refashion.inference.verdicts import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    NOT_TESTABLE,
    REPRODUCED,
    Verdict,
    judge_family,
    margin_sensitivity,
    overall_verdict,
)
from refashion.judging.reasons import reason_of
from refashion.judging.tables import TIMES, RunTable, Sample
from refashion.study.model import TRAINING_METRICS

UNSETTLED = "unsettled"

#: True shifts (pp) for which the report says how often the rule gives each verdict.
SHIFTS = (0.0, 0.6, 1.2)
REPETITIONS = 2_000


# ------------------------------------------------------------------------------------------------------ what goes in


@dataclass(frozen=True, eq=False)
class Facts:
    """All that claims are held against.

    original: config/original.yaml. settings: `analysis` of the config. architectures: name -> rows, total, trainable,
    non_trainable, as built. data: description of the data set. validation: cell -> "test" or "fold". image_variance:
    cell -> pp^2 that other validation images than the original's add to a difference. datasets: cell -> its data set.
    """

    original: Mapping[str, Any]
    settings: Mapping[str, Any]
    runs: RunTable
    architectures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: Mapping[str, Any] | None = None
    validation: Mapping[str, str] = field(default_factory=dict)
    image_variance: Callable[[str], float] = lambda cell: 0.0
    datasets: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def titles(self) -> dict[str, str]:
        """The columns of the original's table in words, by cell."""
        return {
            column["cell"]: f"{column['title']}, {column['data'][0].lower()}{column['data'][1:]}"
            for column in self.original["table"]["columns"]
        }

    def title(self, cell: str) -> str:
        """A cell in words: its column in the original's table, else its name."""
        return self.titles.get(cell, cell)

    def stream(self, *purpose: str) -> int:
        """The seed of one resampling or simulation: its own for each purpose, whatever else is drawn, and when."""
        text = "/".join((str(self.settings["seed"]), *purpose))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    @property
    def confidence(self) -> float:
        """Of the intervals that are shown; verdicts have a level of their own, `LEVEL`."""
        return self.settings["confidence"]


# ----------------------------------------------------------------------------------------------------- what comes out


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


# --------------------------------------------------------------------------------------------------------- the ledger


def judge(facts: Facts) -> list[Claim]:
    """Every claim of the original, in its order."""
    entries = facts.original["claims"]
    for entry in entries:
        if entry["kind"] not in KINDS:
            raise UserError(f"claim {entry['id']}: kind is {entry['kind']!r}; allowed are {', '.join(KINDS)}.")
    families = _families(facts)
    judged: dict[str, Claim] = {}
    for entry in entries:
        readings = KINDS[entry["kind"]](entry, _Context(facts, families, judged))
        judged[entry["id"]] = _claim(entry, readings, facts, families)
    return list(judged.values())


@dataclass(frozen=True, eq=False)
class _Context:
    """What a kind's function gets: the facts, the families judged together, and the claims judged before."""

    facts: Facts
    families: Mapping[str, _Family]
    judged: Mapping[str, Claim]


def _claim(entry: Mapping[str, Any], readings: list[Reading], facts: Facts, families: Mapping[str, _Family]) -> Claim:
    overall, overall_reason = _overall(readings)
    family = families.get(entry["id"])
    value = _published(entry, facts)
    return Claim(
        **{key: entry[key] for key in ("id", "kind", "where", "quote", "statement")},
        note=entry.get("note", ""),
        value=value,
        unit="" if value is None else "pp" if entry["kind"] == "gap" else "percent",
        family=family.name if family else "",
        verdict=readings[0].verdict,
        reason=readings[0].reason,
        overall=overall,
        overall_reason=overall_reason,
        readings=readings,
        operating=family.operating(entry["id"]) if family else None,
    )


def _overall(readings: Sequence[Reading]) -> tuple[str, str]:
    """How the readings agree, and one sentence on it."""
    verdicts = [reading.verdict for reading in readings]
    overall = overall_verdict(verdicts)
    if len(readings) == 1:
        return overall, "There is one reading."
    counts = Counter(verdicts)
    told = ", ".join(f"{counts[word]} {word}" for word in (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE) if counts[word])
    left = untested_told([reading for reading in readings if not reading.tested], "not run in this study")
    if set(verdicts) == {INCONCLUSIVE}:
        overall = UNSETTLED  # readings that decide nothing do not agree on anything
    return overall, f"Of {len(readings)} readings: {told}{left}."


def untested_told(untested: Sequence[Reading], outside: str) -> str:
    """How many of these readings wait for runs, and how many will stay `outside`, in brackets; "" for none."""
    waiting = sum(reading.planned for reading in untested)
    counts = {"not tested yet": waiting, outside: len(untested) - waiting}
    told = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    return f" ({told})" if told else ""


def _reading(
    entry: Mapping[str, Any],
    facts: Facts,
    *,
    primary: bool,
    verdict: str,
    reason: str,
    cells: Sequence[str] = (),
    tested: bool = True,
    flags: Iterable[str] = (),
    numbers: Numbers | None = None,
    checks: Sequence[Check] = (),
) -> Reading:
    return Reading(
        id=entry["id"],
        title=entry["title"],
        primary=primary,
        note=entry.get("note", ""),
        cells=list(dict.fromkeys(cells)),
        metric=entry.get("metric", ""),
        verdict=verdict,
        reason=sentence(reason),
        tested=tested,
        planned=all(facts.runs.counts(cell).wanted for cell in cells),
        flags=[*flags, *_cell_flags(cells, entry.get("metric", ""), facts)],
        numbers=numbers,
        checks=list(checks),
    )


def _cell_flags(cells: Sequence[str], metric: str, facts: Facts) -> list[str]:
    present = [cell for cell in dict.fromkeys(cells) if facts.runs.counts(cell).wanted]
    flags = {
        "diverged runs": any(facts.runs.counts(cell).diverged for cell in present),
        "mixed machines": any(facts.runs.mixed_machines(cell) for cell in present),
        "fold": metric not in TRAINING_METRICS and any(facts.validation.get(cell) == "fold" for cell in present),
    }
    return [name for name, raised in flags.items() if raised]


def sentence(text: str) -> str:
    """A clause as a sentence: a capital first, a full stop last."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def _primary_first(entry: Mapping[str, Any]) -> Iterable[tuple[Mapping[str, Any], bool]]:
    return ((reading, position == 0) for position, reading in enumerate(entry["readings"]))


# ----------------------------------------------------------------------------------------------- published accuracies


@dataclass(frozen=True, eq=False)
class _Family:
    """Claims judged together. members: (claim id, cell) of each piece of evidence, in order."""

    name: str
    members: list[tuple[str, str]]
    evidence: list[Evidence]
    verdicts: tuple[Verdict, ...]
    sensitivity: Mapping[float, tuple[Verdict, ...]]
    characteristics: OperatingCharacteristics

    def of(self, claim: str, cell: str) -> tuple[Verdict, list[Sensitivity]]:
        """The verdict on a claim's number in one cell, and with other margins."""
        position = self.members.index((claim, cell))
        others = self.sensitivity.items()
        return self.verdicts[position], [Sensitivity(margin=m, verdict=v[position].verdict) for m, v in others]

    def operating(self, claim: str) -> Operating | None:
        """Operating characteristics at the n and SD of the claim's (first) cell."""
        position = [member[0] for member in self.members].index(claim)
        seen, found = self.evidence[position], self.characteristics
        if seen.sd is None:
            return None
        columns = (found.shifts, found.reproduced, found.not_reproduced, found.inconclusive)
        return Operating(
            n=seen.n,
            sd=seen.sd,
            margin=seen.margin,
            repetitions=found.repetitions,
            monte_carlo_error=found.monte_carlo_error,
            rates=[
                Rate(shift=shift, reproduced=a[position], not_reproduced=b[position], inconclusive=c[position])
                for shift, a, b, c in zip(*columns, strict=True)
            ],
            published_is_a_run=True,
        )


def _families(facts: Facts) -> dict[str, _Family]:
    """Each published accuracy's family, by claim id: the claims whose ids begin with the same letter."""
    families = {}
    claims = [entry for entry in facts.original["claims"] if entry["kind"] == "accuracy"]
    for name in dict.fromkeys(entry["id"][0] for entry in claims):
        own = [entry for entry in claims if entry["id"][0] == name]
        families |= dict.fromkeys((entry["id"] for entry in own), _family(name, own, facts))
    return families


def _family(name: str, claims: Sequence[Mapping[str, Any]], facts: Facts) -> _Family:
    members, evidence = [], []
    for entry in claims:
        reading = entry["readings"][0]
        for cell in reading["cells"]:
            members.append((entry["id"], cell))
            evidence.append(_evidence(entry, facts.runs.sample(cell, reading["metric"]), facts))
    known = [e.sd is not None for e in evidence]
    return _Family(
        name=name,
        members=members,
        evidence=evidence,
        verdicts=judge_family(evidence),
        sensitivity=margin_sensitivity(evidence, facts.settings["sensitivity_margins"]),
        characteristics=operating_characteristics(
            [e.n if k else 0 for e, k in zip(evidence, known, strict=True)],
            [e.sd if k else 0.0 for e, k in zip(evidence, known, strict=True)],
            [e.margin for e in evidence],
            SHIFTS,
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


def _published(entry: Mapping[str, Any], facts: Facts) -> float | None:
    """The published number of an accuracy, or the gap that two of them imply."""
    if entry["kind"] == "gap":
        training, validation = _parents(entry, facts)
        return round(training["value"] - validation["value"], 6)
    return entry.get("value")


def _evidence(entry: Mapping[str, Any], sample: Sample, facts: Facts) -> Evidence:
    """What a sample says about the published number of an accuracy."""
    variance = 0.0 if sample.metric in TRAINING_METRICS else _image_variance(sample.cell, facts)
    return weigh(sample.values, entry["value"], margin(entry, facts), variance, sample.diverged)


def _image_variance(cell: str, facts: Facts) -> float:
    """pp^2 by which a validation accuracy of this cell differs because its images are others than the original's."""
    return facts.image_variance(cell) if facts.validation.get(cell) == "fold" else 0.0


def numbers(
    sample: Sample, evidence: Evidence, verdict: Verdict, sensitivity: Sequence[Sensitivity], facts: Facts
) -> Numbers:
    """Evidence and verdict as the report shows them."""
    interval = t_interval(sample.values, facts.confidence)
    prediction = prediction_interval(sample.values, facts.confidence, evidence.image_variance)
    return Numbers(
        cell=sample.cell,
        published=evidence.published,
        n=sample.n,
        diverged=sample.diverged,
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
        p_far=evidence.p_far,
        p_run=evidence.p_run,
        p_rep_adjusted=verdict.p_rep,
        p_not_adjusted=verdict.p_not,
        image_variance=evidence.image_variance,
        distinguishable=verdict.distinguishable,
        seeds_needed=verdict.seeds_needed,
        break_even_reproduced=verdict.break_even_reproduced,
        break_even_not_reproduced=verdict.break_even_not_reproduced,
        sensitivity=list(sensitivity),
        reason=why(sample, facts.runs, evidence.reason),
    )


def pair(interval: Any) -> list[float] | None:
    """The ends of anything with `low` and `high`, or None."""
    return None if interval.low is None else [interval.low, interval.high]


def why(sample: Sample, runs: RunTable, reason: str) -> str:
    """The reason why a sample gives no interval, with its cell where it has no run at all."""
    return runs.why_empty(sample.cell) if sample.n == 0 else reason


def accuracy(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """A published accuracy: closeness and farness (weigh); the primary reading within its family.

    A reading with several cells is reproduced if one of them is (all are members of the family), and not reproduced if
    none is.
    """
    facts, family = context.facts, context.families[entry["id"]]
    readings = []
    for reading, primary in _primary_first(entry):
        samples = [facts.runs.sample(cell, reading["metric"]) for cell in reading["cells"]]
        evidence = [_evidence(entry, sample, facts) for sample in samples]
        margins = facts.settings["sensitivity_margins"]
        if primary:
            judged = [family.of(entry["id"], sample.cell) for sample in samples]
        else:
            judged = [_alone(one, margins) for one in evidence]
        found = [numbers(s, e, *v, facts) for s, e, v in zip(samples, evidence, judged, strict=True)]
        readings.append(_accuracy_reading(reading, primary, found, evidence, [v for v, _ in judged], facts))
    return readings


def _alone(evidence: Evidence, margins: Sequence[float]) -> tuple[Verdict, list[Sensitivity]]:
    """The verdict on one published number outside any family, and with other margins."""
    others = margin_sensitivity([evidence], margins)
    return judge_family([evidence])[0], [
        Sensitivity(margin=margin, verdict=verdicts[0].verdict) for margin, verdicts in others.items()
    ]


def verdict_alone(entry: Mapping[str, Any], sample: Sample, facts: Facts) -> tuple[str, str]:
    """The verdict on a claim's published accuracy that one sample gives by itself, and its reason."""
    evidence = _evidence(entry, sample, facts)
    verdict = judge_family([evidence])[0]
    return verdict.verdict, reason_of(evidence, verdict)


def _accuracy_reading(
    entry: Mapping[str, Any],
    primary: bool,
    found: Sequence[Numbers],
    evidence: Sequence[Evidence],
    verdicts: Sequence[Verdict],
    facts: Facts,
) -> Reading:
    """A reading from its cells' numbers and verdicts; the cell that decides, else the nearest, gives the numbers."""
    words = [verdict.verdict for verdict in verdicts]
    word = REPRODUCED if REPRODUCED in words else words[0] if len(set(words)) == 1 else INCONCLUSIVE
    distance = [math.inf if one.difference is None else abs(one.difference) for one in found]
    shown = min(range(len(found)), key=lambda i: (words[i] != word, distance[i]))
    reason = found[shown].reason or reason_of(evidence[shown], verdicts[shown])
    if len(found) > 1:
        reason = _reason_of_several(word, found[shown], reason, distance[shown] == min(distance), facts)
    if word == REPRODUCED and facts.validation.get(found[shown].cell) == "fold" and found[shown].image_variance:
        reason = f"{reason}; this closeness holds for the held-out images, which are not the original's"
    return _reading(
        entry,
        facts,
        primary=primary,
        verdict=word,
        reason=reason,
        cells=[one.cell for one in found],
        tested=any(one.p_rep is not None for one in found),
        flags=["distinguishable"] if found[shown].distinguishable else [],
        numbers=found[shown],
        checks=[_cell_check(one, verdict, facts) for one, verdict in zip(found, verdicts, strict=True)]
        if len(found) > 1
        else (),
    )


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


def _parents(entry: Mapping[str, Any], facts: Facts) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    by_id = {claim["id"]: claim for claim in facts.original["claims"]}
    return by_id[entry["training"]], by_id[entry["validation"]]


def gap(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """Training minus validation accuracy of the same runs; value and margin are those of both claims together.

    The margins are added, so that a gap is never in doubt where both of its numbers are reproduced. No family: a gap
    is no finding of its own.
    """
    facts = context.facts
    training, validation = _parents(entry, facts)
    allowed = margin(training, facts) + margin(validation, facts)
    readings = []
    for words, cell, metrics in _gap_readings(training, validation):
        sample = _gap_sample(facts, cell, *metrics)
        published = _published(entry, facts)
        evidence = weigh(sample.values, published, allowed, _image_variance(cell, facts), sample.diverged)
        verdict, others = _alone(evidence, facts.settings["sensitivity_margins"])
        one = numbers(sample, evidence, verdict, others, facts)
        words = {**words, "metric": sample.metric}
        readings.append(_accuracy_reading(words, not readings, [one], [evidence], [verdict], facts))
    return readings


def _gap_readings(
    training: Mapping[str, Any], validation: Mapping[str, Any]
) -> Iterable[tuple[dict[str, str], str, tuple[str, str]]]:
    """Id, title, cell and metrics of each reading of a gap: its own, then those that both claims have.

    A reading of both is one with the same id and cell, which gives two numbers of the same runs.
    """
    first = validation["readings"][0]
    for id_, title, metric in (
        ("primary", "running mean of the last epoch, minus validation", "train_accuracy"),
        ("evaluated", "evaluated after the last epoch, minus validation", "eval_accuracy"),
    ):
        yield {"id": id_, "title": title}, first["cells"][0], (metric, first["metric"])
    others = {(one["id"], one["cells"][0]): one for one in training["readings"][1:]}
    for one in validation["readings"][1:]:
        other = others.get((one["id"], one["cells"][0]))
        if other:
            words = {"id": one["id"], "title": f"{other['title']}, minus validation: {one['title']}"}
            yield words, one["cells"][0], (other["metric"], one["metric"])


def _gap_sample(facts: Facts, cell: str, training: str, validation: str) -> Sample:
    a, b = facts.runs.sample(cell, training), facts.runs.sample(cell, validation)
    seeds = np.intersect1d(a.seeds, b.seeds)
    values = a.values[np.searchsorted(a.seeds, seeds)] - b.values[np.searchsorted(b.seeds, seeds)]
    return Sample(cell, f"{training} - {validation}", seeds, values, a.diverged)


# -------------------------------------------------------------------------------------------------------- comparisons


@dataclass(frozen=True)
class _Stated:
    """A stated difference: the mean of a - b lies above `bound` (or below it), in `unit`."""

    a: str
    b: str
    above: bool = True
    bound: float = 0.0
    unit: str = "pp"


def _differences(stated: Sequence[_Stated], metric: str, facts: Facts) -> list[Check]:
    """One-sided paired t tests of each stated difference, and of its opposite, Holm over each of the two families."""
    samples = [facts.runs.paired((one.a, one.b), metric) for one in stated]
    tests = [bound_test(s[0] - s[1], one.bound) for (_, s), one in zip(samples, stated, strict=True)]
    p_stated = holm([t.p_above if one.above else t.p_below for t, one in zip(tests, stated, strict=True)])
    p_against = holm([t.p_below if one.above else t.p_above for t, one in zip(tests, stated, strict=True)])
    several = f" as one of {len(stated)} (Holm)" if len(stated) > 1 else ""
    checks = []
    for one, (_, scores), p, against in zip(stated, samples, p_stated, p_against, strict=True):
        interval = t_interval(scores[0] - scores[1], facts.confidence)
        diverged = any(facts.runs.counts(cell).diverged for cell in (one.a, one.b))
        checks.append(
            Check(
                label=f"{facts.title(one.a)} minus {facts.title(one.b)}",
                expected=f"{'above' if one.above else 'below'} {one.bound:g}",
                found=interval.mean,
                unit=one.unit,
                interval=pair(interval),
                p=p,
                p_against=against,
                test=f"one-sided{several}",
                n=interval.n,
                holds=_holds(p, against, diverged),
                reason=_why_no_pair(one, interval, facts, diverged, one_machine=one.unit == "seconds"),
            )
        )
    return checks


def _holds(p: float | None, against: float | None, diverged: bool) -> bool | None:
    """True or False where a test decides, None where none does or a run diverged."""
    if p is None or diverged:
        return None
    return True if p <= LEVEL else False if against <= LEVEL else None


def _why_no_pair(one: _Stated, interval: Interval, facts: Facts, diverged: bool, one_machine: bool) -> str:
    """Why a difference cannot be judged, or "". one_machine: only runs of one kind of machine were compared."""
    empty = [cell for cell in (one.a, one.b) if facts.runs.counts(cell).finished == 0]
    if len(empty) == 2 and not any(facts.runs.counts(cell).wanted for cell in empty):
        return f"cannot say, because {one.a} and {one.b} are not part of this study"
    if empty:
        return facts.runs.why_empty(empty[0])
    if interval.n < 2:
        both = f"{facts.title(one.a)} and {facts.title(one.b)}"
        alike = " that ran on one kind of machine" if one_machine else ""
        return f"cannot say, because {both} have {'only one seed' if interval.n else 'no seed'} in common{alike}"
    for counts, cell in ((facts.runs.counts(cell), cell) for cell in (one.a, one.b) if diverged):
        if counts.diverged:
            ended = counts.finished + counts.diverged
            return f"cannot say, because {counts.diverged} of {ended} runs of {facts.title(cell)} diverged"
    return ""


def _comparison_reading(
    entry: Mapping[str, Any], primary: bool, checks: Sequence[Check], stated: Sequence[_Stated], facts: Facts
) -> Reading:
    """Reproduced if every check holds, not reproduced if one is contradicted, else inconclusive."""
    verdict, reason = _verdict_of_checks(checks)
    return _reading(
        entry,
        facts,
        primary=primary,
        verdict=verdict,
        reason=reason,
        cells=[cell for one in stated for cell in (one.a, one.b)],
        tested=any(check.p is not None for check in checks),
        checks=checks,
    )


def _verdict_of_checks(checks: Sequence[Check]) -> tuple[str, str]:
    wrong = [check for check in checks if check.holds is False]
    if wrong:
        some = f"{len(wrong)} of {len(checks)} differences {'contradicts' if len(wrong) == 1 else 'contradict'} it"
        others = f" ({some})" if len(checks) > 1 else ""
        return NOT_REPRODUCED, f"{_told(wrong[0])}{others}"
    if all(check.holds for check in checks):
        closest = max(checks, key=lambda check: check.p)
        if len(checks) == 1:
            return REPRODUCED, _told(closest)
        return REPRODUCED, f"all {len(checks)} differences are as stated; the least clear: {_told(closest)}"
    unknown = next((check for check in checks if check.reason), None)
    if unknown:
        return INCONCLUSIVE, unknown.reason
    unclear = [check for check in checks if check.holds is None]
    count = f"{len(unclear)} of {len(checks)} differences {'is' if len(unclear) == 1 else 'are'} not clear"
    return INCONCLUSIVE, f"imprecise: {count}; {_told(unclear[0])}"


def _told(check: Check) -> str:
    """A checked difference in words, with the p that decides it, or both where none does."""
    words, unit = (fmt.duration, "") if check.unit == "seconds" else (fmt.number, f" {check.unit}")
    low, high = map(words, check.interval)
    return (
        f"the mean of {check.label} is {words(check.found)}{unit} ({low} to {high}), where the claim "
        f"wants it {check.expected} {check.unit} ({fmt.p_of(check.holds, check.p, check.p_against)}; {check.test})"
    )


def best(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """One cell is better than each of the others."""
    readings = []
    for reading, primary in _primary_first(entry):
        stated = [_Stated(reading["best"], other) for other in reading["others"]]
        checks = _differences(stated, reading["metric"], context.facts)
        readings.append(_comparison_reading(reading, primary, checks, stated, context.facts))
    return readings


def order(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """Cells stand in this order, the best first: each neighbour is better than the next."""
    readings = []
    for reading, primary in _primary_first(entry):
        stated = [_Stated(*neighbours) for neighbours in zip(reading["order"], reading["order"][1:], strict=False)]
        checks = _differences(stated, reading["metric"], context.facts)
        readings.append(_comparison_reading(reading, primary, checks, stated, context.facts))
    return readings


def much_worse(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """The second of each pair is worse than the first by more than the margin."""
    least = margin(entry, context.facts)
    readings = []
    for reading, primary in _primary_first(entry):
        stated = [_Stated(better, worse, bound=least) for better, worse in reading["pairs"]]
        checks = _differences(stated, reading["metric"], context.facts)
        readings.append(_comparison_reading(reading, primary, checks, stated, context.facts))
    return readings


def near_best(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """No other cell is better by the margin or more, and the cell is better than the baseline."""
    most = margin(entry, context.facts)
    readings = []
    for reading, primary in _primary_first(entry):
        stated = [_Stated(other, reading["cell"], above=False, bound=most) for other in reading["others"]]
        stated.append(_Stated(reading["cell"], reading["baseline"]))
        checks = _differences(stated, reading["metric"], context.facts)
        readings.append(_comparison_reading(reading, primary, checks, stated, context.facts))
    return readings


def faster(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """The first of each pair takes less time than the second."""
    readings = []
    for reading, primary in _primary_first(entry):
        stated = [_Stated(slow, fast, unit="seconds") for fast, slow in reading["pairs"]]
        checks = _differences(stated, reading["metric"], context.facts)
        readings.append(_comparison_reading(reading, primary, checks, stated, context.facts))
    return readings


def same_numbers(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """The two cells of each pair give the same number from the same seed; where not, whether they differ on average.

    Equal numbers need no test. Where some differ (rounding grows over an epoch), closeness is tested against the margin
    that the validation images resolve.
    """
    facts = context.facts
    readings = []
    for reading, primary in _primary_first(entry):
        checks = [_same_check(*cells, reading["metric"], facts) for cells in reading["pairs"]]
        known = [check for check in checks if check.holds is not None]
        wrong = next((check for check in checks if check.holds is False), None)
        if wrong:
            verdict, reason = NOT_REPRODUCED, f"{wrong.label}: {wrong.found}"
        elif len(known) == len(checks):
            verdict, reason = REPRODUCED, "; ".join(f"{check.label}: {check.found}" for check in checks)
        else:
            unknown = next(check for check in checks if check.holds is None)
            verdict, reason = INCONCLUSIVE, unknown.reason or f"{unknown.label}: {unknown.found}"
        readings.append(
            _reading(
                reading,
                facts,
                primary=primary,
                verdict=verdict,
                reason=reason,
                cells=[cell for cells in reading["pairs"] for cell in cells],
                tested=any(check.p is not None or check.holds is not None for check in checks),
                checks=checks,
            )
        )
    return readings


def _same_check(a: str, b: str, metric: str, facts: Facts) -> Check:
    seeds, scores = facts.runs.paired((a, b), metric, one_machine=True)  # others round in another order
    label = f"in {facts.title(a)} and {facts.title(b)}"
    if not seeds.size:
        reason = _why_no_pair(_Stated(a, b), t_interval([]), facts, diverged=False, one_machine=True)
        return Check(label=label, expected="the same numbers", n=0, reason=reason)
    difference = scores[0] - scores[1]
    largest = float(np.abs(difference).max())
    shared = {"label": label, "expected": "the same numbers", "n": seeds.size}
    if largest == 0:
        found = f"the same numbers for {'the one seed' if seeds.size == 1 else f'all {seeds.size} seeds'}"
        return Check(found=found, holds=True, **shared)
    allowed = image_margin(float(scores.mean()), facts.original["validation_images"])
    verdict = judge_family([weigh(difference, 0.0, allowed)])[0]
    return Check(
        found=f"not the same numbers, the largest difference is {largest:.2f} pp",
        p=verdict.p_rep,
        p_against=verdict.p_not,
        test="equal within the margin or not",
        interval=pair(t_interval(difference, facts.confidence)),
        holds={REPRODUCED: True, NOT_REPRODUCED: False}.get(verdict.verdict),
        **shared,
    )


# ------------------------------------------------------------------------------------------------------- exact claims


def data_facts(description: Mapping[str, Any]) -> dict[str, float]:
    """What the original counts, by its words, from the description of a data set (refashion.data.dataset.describe)."""
    shape = description["image_shape"]
    return {
        "training images": description["train"]["images"],
        "test images": description["test"]["images"],
        "rows": shape[0],
        "columns": shape[1],
        "channels": shape[2] if len(shape) > 2 else 1,
        "classes": len(description["test"]["per_class"]),
    }


def fact(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """Counts of the data set, held against its files."""
    data = context.facts.data
    known = data_facts(data) if data else {}
    readings = []
    for reading, primary in _primary_first(entry):
        checks = [
            _equality(name, expected, known.get(name), "", "the data set has not been described")
            for name, expected in reading["facts"].items()
        ]
        readings.append(_exact_reading(reading, primary, checks, context.facts))
    return readings


def _equality(label: str, expected: float, found: float | None, unit: str, why_unknown: str) -> Check:
    return Check(
        label=label,
        expected=expected,
        found=found,
        unit=unit,
        holds=None if found is None else found == expected,
        reason="" if found is not None else f"cannot say, because {why_unknown}",
    )


def _exact_reading(entry: Mapping[str, Any], primary: bool, checks: Sequence[Check], facts: Facts) -> Reading:
    """A reading that is an equality: it holds or not, and no run is needed."""
    unknown = next((check for check in checks if check.holds is None), None)
    wrong = next((check for check in checks if check.holds is False), None)
    if wrong:
        verdict = NOT_REPRODUCED
        reason = f"{wrong.label}: {_count(wrong.found)}, where the original says {_count(wrong.expected)}"
    elif unknown:
        verdict, reason = INCONCLUSIVE, unknown.reason
    else:
        verdict, reason = REPRODUCED, "; ".join(f"{check.label}: {_count(check.found)}" for check in checks)
    return _reading(
        entry,
        facts,
        primary=primary,
        verdict=verdict,
        reason=reason,
        tested=unknown is None or bool(wrong),
        checks=checks,
    )


def _count(value: float | str) -> str:
    """A count with thousands separators, a ratio to two decimals, words as they are."""
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


def parameters(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """A parameter count, held against the network as built."""
    readings = []
    for reading, primary in _primary_first(entry):
        name, count = reading["architecture"], reading["count"]
        built = context.facts.architectures.get(name, {}).get(count)
        label = f"{count} parameters of {name}"
        check = _equality(label, reading["value"], built, "parameters", f"{name} has not been built in this study")
        readings.append(_exact_reading(reading, primary, [check], context.facts))
    return readings


def parameter_ratio(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """How many times as many parameters one network has as another, rounded as the reading says."""
    readings = []
    for reading, primary in _primary_first(entry):
        top, bottom = reading["numerator"], reading["denominator"]
        ratio = parameters_ratio(context.facts.architectures, top, bottom)
        check = Check(
            label=f"parameters of {top}, in times those of {bottom}",
            expected=reading["value"],
            found=ratio,
            unit="times",
            holds=None if ratio is None else round(ratio, reading["decimals"]) == reading["value"],
            reason="" if ratio is not None else f"cannot say, because {top} and {bottom} were not both built",
        )
        readings.append(_exact_reading(reading, primary, [check], context.facts))
    return readings


def parameters_ratio(architectures: Mapping[str, Mapping[str, Any]], top: str, bottom: str) -> float | None:
    """Total parameters of one network over those of another, None if one was not built."""
    if top not in architectures or bottom not in architectures:
        return None
    return architectures[top]["total"] / architectures[bottom]["total"]


def layers(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """Every row and total of the summaries, held against the networks as built."""
    readings = []
    for reading, primary in _primary_first(entry):
        checks = [_layers_check(name, context.facts) for name in reading["architectures"]]
        readings.append(_exact_reading(reading, primary, checks, context.facts))
    return readings


def _layers_check(name: str, facts: Facts) -> Check:
    summary, built = facts.original["summaries"][name], facts.architectures.get(name)
    label, expected = summary["title"], f"{len(summary['rows'])} rows as printed"
    if built is None:
        return Check(label=label, expected=expected, reason=f"cannot say, because {name} was not built in this study")
    rows = align(summary["rows"], built["rows"])
    wrong = sum(printed is None or ours is None or tuple(printed) != tuple(ours) for _, printed, ours in rows)
    wrong += sum(built[count] != printed for count, printed in summary["printed"].items())
    found = expected if not wrong else f"{wrong} rows or totals differ"
    return Check(label=label, expected=expected, found=found, holds=not wrong)


Layer = tuple[str, tuple[int, ...], int]


def align(
    printed: Sequence[Sequence[Any]], built: Sequence[Sequence[Any]]
) -> list[tuple[str, Layer | None, Layer | None]]:
    """Rows of a printed summary beside those of the network as built: (printed name, printed, built).

    printed: [name, kind, shape, parameters] each; built: [kind, shape, parameters] each. Kinds are matched in order
    (longest common subsequence); a row without partner stands alone.
    """
    ours = [(kind, tuple(shape), count) for kind, shape, count in built]
    theirs = [(kind, tuple(shape), count) for _, kind, shape, count in printed]
    names = [row[0] for row in printed]
    matcher = SequenceMatcher(None, [row[0] for row in theirs], [row[0] for row in ours], autojunk=False)
    rows: list[tuple[str, Layer | None, Layer | None]] = []
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal":
            rows += zip(names[a0:a1], theirs[a0:a1], ours[b0:b1], strict=True)
        else:
            rows += [(names[i], theirs[i], None) for i in range(a0, a1)]
            rows += [("", None, ours[i]) for i in range(b0, b1)]
    return rows


# ------------------------------------------------------------------------------------------------ claims without a test


def not_testable(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """A claim that nothing here can test; what was measured beside it is shown."""
    facts = context.facts
    readings = []
    for reading, primary in _primary_first(entry):
        times = [_measured(cell, "seconds", "seconds", facts) for cell in reading.get("times", ())]
        reason = reading["because"]
        elsewhere = []
        if "dataset" in reading:
            elsewhere = [cell for cell, name in facts.datasets.items() if name == reading["dataset"]]
            if not elsewhere:
                reason += f", {reading['dataset']}, on which no cell of this study is trained"
        checks = times + [_measured(cell, "clean_accuracy", "percent", facts) for cell in elsewhere]
        cells = [*reading.get("times", ()), *elsewhere]
        words = {"primary": primary, "verdict": NOT_TESTABLE, "reason": reason, "tested": False}
        readings.append(_reading(reading, facts, cells=cells, checks=checks, **words))
    return readings


def _measured(cell: str, metric: str, unit: str, facts: Facts) -> Check:
    """A mean that is reported and held against nothing."""
    sample = facts.runs.sample(cell, metric)
    interval = t_interval(sample.values, facts.confidence)
    reason = why(sample, facts.runs, interval.reason)
    ends = pair(interval)
    if metric in TIMES:
        ends = ends and [max(0.0, end) for end in ends]  # no time is negative, whatever a normal distribution says
        if not reason and facts.runs.mixed_machines(cell):
            reason = "the runs were made on different kinds of machine"
    label = f"{facts.title(cell)}, mean of {fmt.plural(interval.n, 'run')}"
    return Check(label=label, found=interval.mean, unit=unit, interval=ends, n=interval.n, reason=reason)


def follows_from(entry: Mapping[str, Any], context: _Context) -> list[Reading]:
    """A procedure that shows in published numbers: they reproduce as stated, and not under the alternative.

    Reproduced if some number speaks for the stated procedure and none for the alternative; not reproduced the other way
    round; else inconclusive.
    """
    readings = []
    for reading, primary in _primary_first(entry):
        checks = [
            _either(context.judged[claim], reading["stated"], reading["alternative"]) for claim in reading["claims"]
        ]
        said = {check.holds for check in checks}
        verdict = INCONCLUSIVE
        if True in said and False not in said:
            verdict = REPRODUCED
        elif False in said and True not in said:
            verdict = NOT_REPRODUCED
        reason = "; ".join(f"{check.label}: {check.found}" for check in checks)
        cells = [cell for c in reading["claims"] for one in context.judged[c].readings[:1] for cell in one.cells]
        words = {"primary": primary, "verdict": verdict, "reason": reason, "cells": cells, "checks": checks}
        tested = any(check.reason == "" for check in checks)
        readings.append(_reading(reading, context.facts, tested=tested, **words))
    return readings


def _either(claim: Claim, stated: str, alternative: str) -> Check:
    """Which of two readings of a claim its published number agrees with."""
    by_id = {reading.id: reading for reading in claim.readings}
    words = {name: by_id[name].verdict for name in (stated, alternative)}
    holds = None
    if words[stated] == REPRODUCED and words[alternative] == NOT_REPRODUCED:
        holds = True
    elif words[stated] == NOT_REPRODUCED and words[alternative] == REPRODUCED:
        holds = False
    untested = [by_id[name] for name in (stated, alternative) if not by_id[name].tested]
    return Check(
        label=claim.id,
        expected="reproduced as stated and not otherwise",
        found=f"as stated {words[stated]}, otherwise {words[alternative]}",
        holds=holds,
        reason=untested[0].reason if untested else "",
    )


#: kind of a claim in original.yaml -> function that judges its readings
KINDS: dict[str, Callable[[Mapping[str, Any], _Context], list[Reading]]] = {
    function.__name__: function
    for function in (
        accuracy,
        gap,
        best,
        order,
        much_worse,
        near_best,
        faster,
        same_numbers,
        fact,
        parameters,
        parameter_ratio,
        layers,
        not_testable,
        follows_from,
    )
}
