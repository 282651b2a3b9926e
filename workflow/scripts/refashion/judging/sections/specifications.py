"""A claim's number under every specification of what the original leaves unstated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refashion.inference.verdicts import REPRODUCED, Word, judge_family
from refashion.judging.claims.published import Published, accuracy
from refashion.judging.document.parts import CellName, MetricSummary, Part, means, reason
from refashion.judging.facts import Facts, sample
from refashion.networks import augmentation
from refashion.study.model import AXES


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
    number = accuracy(entry, facts)
    primary = number.cells[0]
    experiment = next((one for one in facts.study.experiments if one.name == name), None)
    points, left_out = [], 0
    if experiment is not None and primary in facts.cells:
        home = _choices(primary, facts)
        for cell in dict.fromkeys((primary, *(one.name for one in experiment.cells))):
            choices = _choices(cell, facts)
            if choices["architecture.builder"] == home["architecture.builder"]:
                differs = {key: choices.get(key) for key in {**home, **choices} if choices.get(key) != home.get(key)}
                own = _points(number, cell, differs, facts)
                left_out += not own
                points += own
    reason = f"cannot say, because the experiment {name} is not part of this study" if experiment is None else ""
    if experiment is not None and not points:
        reason = f"cannot say, because no run of the experiment {name} has finished"
    means = [point.sample.mean for point in points if point.sample.mean is not None]
    return SpecificationCurve(
        claim=number.claim,
        published=number.value,
        margin=number.margin,
        points=sorted(points, key=lambda point: point.sample.mean or 0.0),
        left_out=left_out,
        within=sum(abs(mean - number.value) <= number.margin for mean in means),
        reproduced=sum(point.verdict == REPRODUCED for point in points),
        reason=reason,
    )


def _choices(cell: str, facts: Facts) -> dict[str, Any]:
    """A cell's definition as flat keys, such as recipe.learning_rate; a list (of layers) stands as its entry's name."""
    spec, choices = facts.spec(cell), {}
    for part, name in zip(AXES, cell.split("/"), strict=True):
        for key, value in spec[part].items():
            is_list = isinstance(value, list)
            choices[part if is_list else f"{part}.{key}"] = name if is_list else value
    return choices


def _points(number: Published, cell: str, differs: dict[str, Any], facts: Facts) -> list[Specification]:
    """A cell's points of a specification curve: final and best epoch, augmented and clean where these differ."""
    metrics = ["val_accuracy", "best_val_accuracy"]
    if augmentation.is_random(facts.spec(cell)["augmentation"]):
        metrics += ["clean_accuracy", "best_clean_accuracy"]
    points = []
    for metric in metrics:
        if (found := sample(facts, cell, metric)).n:
            evidence, is_first = number.evidence(facts.runs.sample(cell, metric), facts), metric == metrics[0]
            points.append(
                Specification(
                    cell=cell,
                    metric=metric,
                    choices=differs if is_first else {**differs, "metric": metric},
                    primary=is_first and cell == number.cells[0],
                    sample=found,
                    verdict=judge_family([evidence])[0].verdict,
                )
            )
    return points
