"""Published numbers, accuracies and the gaps that two of them imply: value, margin, readings, and what the runs say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from refashion.inference.evidence import Evidence, image_margin, weigh
from refashion.judging.document.claims import Numbers
from refashion.judging.facts import Facts
from refashion.judging.run_table import Sample
from refashion.study.model import FOLD, TRAINING_METRICS


@dataclass(frozen=True, eq=False)
class Published:
    """A published number: percent, or pp for a gap. runs, sd: where it is a mean, of how many, and their SD if printed.

    readings: the first is the primary one; each has cells, and a metric: a column of runs.csv, or `one - other`.
    """

    claim: str
    value: float
    margin: float
    readings: list[Mapping[str, Any]]
    runs: int = 1
    sd: float | None = None

    @property
    def metric(self) -> str:
        """That of the primary reading."""
        return self.readings[0]["metric"]

    @property
    def cells(self) -> list[str]:
        """Those of the primary reading."""
        return self.readings[0]["cells"]

    def evidence(self, sample: Sample, facts: Facts) -> Evidence:
        """What a sample says about the number."""
        # On a held-out fold, a validation accuracy differs because its images are others than the original's.
        others = sample.metric not in TRAINING_METRICS and facts.validation.get(sample.cell) == FOLD
        variance = facts.image_variance(sample.cell) if others else 0.0
        return weigh(sample.values, self.value, self.margin, variance, sample.diverged, self.runs, self.sd)

    def primary_evidence(self, cell: str, facts: Facts) -> Evidence:
        """What the runs of a cell say about the number in its primary reading."""
        return self.evidence(sample_of(cell, self.metric, facts), facts)


def published(entry: Mapping[str, Any], facts: Facts) -> Published | None:
    """The published number of a claim; None for a claim of another kind."""
    made = {"accuracy": accuracy, "gap": _gap}.get(entry["kind"])
    return made(entry, facts) if made else None


def evidence_of(numbers: Numbers, diverged: int = 0) -> Evidence:
    """The evidence of a reading's numbers, on the images that they were measured on; diverged: runs beside them."""
    printed = numbers.printed_runs, numbers.printed_sd
    return weigh(numbers.values, numbers.published, numbers.margin, numbers.image_variance, diverged, *printed)


def numbers_by_family(facts: Facts) -> list[tuple[str, list[Published]]]:
    """Published accuracies by family: what they name, else those of training or of validation; then each gap alone."""
    families: dict[str, list[Published]] = {}
    gaps = []
    for entry in facts.original["claims"]:
        one = published(entry, facts)
        if one and entry["kind"] == "accuracy":
            kind = "training" if one.metric in TRAINING_METRICS else "validation"
            families.setdefault(entry.get("family") or kind, []).append(one)
        elif one:
            gaps.append(("", [one]))
    return [*families.items(), *gaps]


def accuracy(entry: Mapping[str, Any], facts: Facts) -> Published:
    """A published accuracy."""
    runs, sd = entry.get("n", 1), entry.get("sd")
    return Published(entry["id"], entry["value"], margin(entry, facts), entry["readings"], runs, sd)


def _gap(entry: Mapping[str, Any], facts: Facts) -> Published:
    """Training minus validation accuracy of the same runs; value and margin are those of both claims together.

    The margins are added, so that a gap is never in doubt where both of its numbers are reproduced.
    """
    by_id = {claim["id"]: claim for claim in facts.original["claims"]}
    both = training, validation = by_id[entry["training"]], by_id[entry["validation"]]
    return Published(
        claim=entry["id"],
        value=round(training["value"] - validation["value"], 6),
        margin=sum(margin(one, facts) for one in both),
        readings=list(_gap_readings(training, validation)),
        runs=min(one.get("n", 1) for one in both),
    )


def _gap_readings(training: Mapping[str, Any], validation: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The readings of a gap: its own, then those that both claims have.

    A reading of both is one with the same id and cell, which gives two numbers of the same runs.
    """
    first = validation["readings"][0]
    for id_, title, metric in (
        ("primary", "running mean of the last epoch, minus validation", "train_accuracy"),
        ("evaluated", "evaluated after the last epoch, minus validation", "eval_accuracy"),
    ):
        yield {"id": id_, "title": title, "cells": first["cells"][:1], "metric": f"{metric} - {first['metric']}"}
    others = {(one["id"], one["cells"][0]): one for one in training["readings"][1:]}
    for one in validation["readings"][1:]:
        other = others.get((one["id"], one["cells"][0]))
        if other:
            title = f"{other['title']}, minus validation: {one['title']}"
            metric = f"{other['metric']} - {one['metric']}"
            yield {"id": one["id"], "title": title, "cells": one["cells"][:1], "metric": metric}


def margin(entry: Mapping[str, Any], facts: Facts) -> float:
    """The margin of a claim in pp: what the validation images resolve, or a key of `analysis` in the config.

    A claim may say how many images it was measured on, where these are others than the report's.
    """
    if entry["margin"] == "binomial":
        images = entry.get("validation_images", facts.original["validation_images"])
        return image_margin(entry["value"], images)
    return float(facts.settings[entry["margin"]])


def sample_of(cell: str, metric: str, facts: Facts) -> Sample:
    """A metric of a cell, or the difference `one - other` of two metrics of the same seeds."""
    first, _, second = metric.partition(" - ")
    a = facts.runs.sample(cell, first)
    if not second:
        return a
    b = facts.runs.sample(cell, second)
    seeds = np.intersect1d(a.seeds, b.seeds)
    values = a.values[np.searchsorted(a.seeds, seeds)] - b.values[np.searchsorted(b.seeds, seeds)]
    return Sample(cell, metric, seeds, values, a.diverged)
