"""A claim's number under every specification of what the original leaves unstated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refashion.inference.verdicts import REPRODUCED, Word
from refashion.judging.claims import accuracies
from refashion.judging.claims.published import margin
from refashion.judging.document.parts import CellName, MetricSummary, Part, means, reason
from refashion.judging.facts import Facts, sample
from refashion.networks import augmentation
from refashion.study.model import AXES, Cell, Run, Study


class Specification(Part):
    cell: CellName
    metric: str = means("column of runs.csv")
    choices: dict[str, bool | int | float | str | None] = means("what differs from the primary one", "as configured")
    primary: bool = means("the primary specification")
    sample: MetricSummary = means("sample")
    verdict: Word = means("against the published number, unadjusted")


class SpecificationCurve(Part):
    """One published number under every specification."""

    claim: str = means("id of the claim")
    published: float = means("published", "percent")
    margin: float = means("the margin", "pp")
    points: list[Specification] = means("sorted by mean, ascending; specifications without a run are left out")
    left_out: int = means("specifications without a run")
    within: int = means("points whose mean lies within the margin, whatever their verdict")
    reproduced: int = means("points whose verdict is reproduced")
    reason: str = reason()


def specification_curves(facts: Facts) -> list[SpecificationCurve]:
    """Each named claim's number under every specification of the experiment that varies what is unstated."""
    entries = {claim["id"]: claim for claim in facts.original["claims"]}
    return [
        _curve(entries[wish["claim"]], wish["experiment"], facts) for wish in facts.original["specification_curves"]
    ]


def _curve(entry: Mapping[str, Any], name: str, facts: Facts) -> SpecificationCurve:
    primary = Cell(*entry["readings"][0]["cells"][0].split("/"))
    experiment = next((one for one in facts.study.experiments if one.name == name), None)
    points, left_out = [], 0
    if experiment is not None and primary in facts.study.cells():
        home = _choices(facts.study, primary)
        for cell in dict.fromkeys((primary, *experiment.cells)):
            choices = _choices(facts.study, cell)
            if choices["architecture.builder"] != home["architecture.builder"]:
                continue
            differs = {key: choices.get(key) for key in {**home, **choices} if choices.get(key) != home.get(key)}
            own = _points(entry, cell, differs, cell == primary, facts)
            left_out += not own
            points += own
    reason = f"cannot say, because the experiment {name} is not part of this study" if experiment is None else ""
    if experiment is not None and not points:
        reason = f"cannot say, because no run of the experiment {name} has finished"
    limit = margin(entry, facts)
    return SpecificationCurve(
        claim=entry["id"],
        published=entry["value"],
        margin=limit,
        points=sorted(points, key=lambda point: point.sample.mean or 0.0),
        left_out=left_out,
        within=sum(
            abs(point.sample.mean - entry["value"]) <= limit for point in points if point.sample.mean is not None
        ),
        reproduced=sum(point.verdict == REPRODUCED for point in points),
        reason=reason,
    )


def _choices(study: Study, cell: Cell) -> dict[str, Any]:
    """A cell's definition as flat keys, such as recipe.learning_rate; a list (of layers) stands as its entry's name."""
    spec = study.spec(Run(cell, 0))
    choices = {}
    for part in AXES:
        for key, value in spec[part].items():
            is_list = isinstance(value, list)
            choices[part if is_list else f"{part}.{key}"] = getattr(cell, part) if is_list else value
    return choices


def _points(
    entry: Mapping[str, Any], cell: Cell, differs: Mapping[str, Any], primary: bool, facts: Facts
) -> list[Specification]:
    """A cell's points of a specification curve: final and best epoch, augmented and clean where these differ."""
    metrics = ["val_accuracy", "best_val_accuracy"]
    if augmentation.is_random(facts.study.spec(Run(cell, 0))["augmentation"]):
        metrics += ["clean_accuracy", "best_clean_accuracy"]
    points = []
    for metric in metrics:
        found = sample(facts, cell.name, metric)
        if not found.n:
            continue
        chosen = {**differs, **({} if metric == metrics[0] else {"metric": metric})}
        points.append(
            Specification(
                cell=cell.name,
                metric=metric,
                choices=chosen,
                primary=primary and metric == metrics[0],
                sample=found,
                verdict=accuracies.verdict_alone(entry, facts.runs.sample(cell.name, metric), facts),
            )
        )
    return points
