"""Gaps between training and validation accuracy, which two published numbers imply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from refashion.inference.evidence import Evidence, weigh
from refashion.judging.claims.accuracies import accuracy_reading, margin, numbers, other_images, within
from refashion.judging.claims.readings import Context
from refashion.judging.document.claims import Reading
from refashion.judging.facts import Facts
from refashion.judging.run_table import Sample


def gap(entry: Mapping[str, Any], context: Context) -> list[Reading]:
    """Training minus validation accuracy of the same runs; value and margin are those of both claims together.

    The margins are added, so that a gap is never in doubt where both of its numbers are reproduced. The primary reading
    is in no family, since a gap is no finding of its own; the others are one family with it.
    """
    facts, margins = context.facts, context.facts.settings["sensitivity_margins"]
    ways = list(_gap_readings(*parents(entry, facts)))
    stand = context.looks.of(entry["id"], ways[0][1]) if context.looks else None
    seen = [facts if position or stand is None else facts.first(stand.seeds) for position in range(len(ways))]
    samples = [_gap_sample(of, cell, *metrics) for of, (_, cell, metrics) in zip(seen, ways, strict=True)]
    evidence = [_evidence(entry, sample, facts) for sample in samples]
    own = next(within(evidence[:1], margins))
    judged = [own, *list(within(evidence, margins))[1:]]
    readings = []
    for position, ((words, _, _), sample, weighed) in enumerate(zip(ways, samples, evidence, strict=True)):
        verdict, others, _ = judged[position]
        if position == 0 and stand is not None:
            verdict, others = stand.verdict, stand.sensitivity(margins)
        one = numbers(sample, weighed, verdict, others, facts)
        words = {**words, "metric": sample.metric}
        stood = [stand if position == 0 else None]
        readings.append(accuracy_reading(words, position == 0, [one], [weighed], [verdict], facts, stood))
    return readings


def primary_cell(entry: Mapping[str, Any], facts: Facts) -> str:
    """The cell of a gap's primary reading."""
    return next(iter(_gap_readings(*parents(entry, facts))))[1]


def primary_evidence(entry: Mapping[str, Any], facts: Facts) -> Evidence:
    """What the runs say about a gap in its primary reading."""
    _, cell, metrics = next(iter(_gap_readings(*parents(entry, facts))))
    return _evidence(entry, _gap_sample(facts, cell, *metrics), facts)


def _evidence(entry: Mapping[str, Any], sample: Sample, facts: Facts) -> Evidence:
    allowed = sum(margin(parent, facts) for parent in parents(entry, facts))
    return weigh(sample.values, _gap(entry, facts), allowed, other_images(sample.cell, facts), sample.diverged)


def published_number(entry: Mapping[str, Any], facts: Facts) -> float | None:
    """The published number of an accuracy, or the gap that two of them imply."""
    return _gap(entry, facts) if entry["kind"] == "gap" else entry.get("value")


def _gap(entry: Mapping[str, Any], facts: Facts) -> float:
    training, validation = parents(entry, facts)
    return round(training["value"] - validation["value"], 6)


def parents(entry: Mapping[str, Any], facts: Facts) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    by_id = {claim["id"]: claim for claim in facts.original["claims"]}
    return by_id[entry["training"]], by_id[entry["validation"]]


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
