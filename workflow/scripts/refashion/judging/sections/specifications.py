"""A claim's number under every specification of what the original leaves unstated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refashion.formatting import sentence
from refashion.inference.verdicts import REPRODUCED
from refashion.judging.claims import accuracies
from refashion.judging.claims.published import margin
from refashion.judging.document.within import Specification, SpecificationCurve
from refashion.judging.facts import Facts, sample
from refashion.networks import augmentation
from refashion.study.model import Cell, Experiment, Run, Study


def specification_curves(facts: Facts, study: Study) -> list[SpecificationCurve]:
    """Each named claim's number under every specification of the experiment that varies what is unstated."""
    entries = {claim["id"]: claim for claim in facts.original["claims"]}
    enabled = {experiment.name: experiment for experiment in study.experiments}
    return [
        _specification_curve(entries[wish["claim"]], wish["experiment"], enabled.get(wish["experiment"]), facts, study)
        for wish in facts.original["specification_curves"]
    ]


def _specification_curve(
    entry: Mapping[str, Any], name: str, experiment: Experiment | None, facts: Facts, study: Study
) -> SpecificationCurve:
    primary = Cell(*entry["readings"][0]["cells"][0].split("/"))
    points, left_out = [], 0
    if experiment is not None and primary in study.cells():
        home = _choices(study, primary)
        for cell in dict.fromkeys((primary, *experiment.cells)):
            choices = _choices(study, cell)
            if choices["architecture.builder"] != home["architecture.builder"]:
                continue
            differs = {key: choices.get(key) for key in {**home, **choices} if choices.get(key) != home.get(key)}
            own = _points(entry, cell, differs, cell == primary, facts, study)
            left_out += not own
            points += own
    reason = f"cannot say, because the experiment {name} is not part of this study" if experiment is None else ""
    if experiment is not None and not points:
        reason = f"cannot say, because no run of the experiment {name} has finished"
    return SpecificationCurve(
        claim=entry["id"],
        experiment=name,
        published=entry["value"],
        margin=margin(entry, facts),
        points=sorted(points, key=lambda point: point.sample.mean or 0.0),
        left_out=left_out,
        within=sum(point.verdict == REPRODUCED for point in points),
        reason=reason,
    )


def _choices(study: Study, cell: Cell) -> dict[str, Any]:
    """A cell's definition as flat keys, such as recipe.learning_rate."""
    spec = study.spec(Run(cell, 0))
    parts = ("architecture", "fraction", "augmentation", "recipe")
    return {f"{part}.{key}": value for part in parts for key, value in spec[part].items()}


def _points(
    entry: Mapping[str, Any], cell: Cell, differs: Mapping[str, Any], primary: bool, facts: Facts, study: Study
) -> list[Specification]:
    """A cell's points of a specification curve: final and best epoch, augmented and clean where these differ."""
    metrics = ["val_accuracy", "best_val_accuracy"]
    if augmentation.is_random(study.spec(Run(cell, 0))["augmentation"]):
        metrics += ["clean_accuracy", "best_clean_accuracy"]
    points = []
    for metric in metrics:
        found = sample(facts, cell.name, metric)
        if not found.n:
            continue
        verdict, reason = accuracies.verdict_alone(entry, facts.runs.sample(cell.name, metric), facts)
        chosen = {**differs, **({} if metric == metrics[0] else {"metric": metric})}
        points.append(
            Specification(
                cell=cell.name,
                metric=metric,
                choices=chosen,
                primary=primary and metric == metrics[0],
                sample=found,
                verdict=verdict,
                reason=sentence(reason),
            )
        )
    return points
