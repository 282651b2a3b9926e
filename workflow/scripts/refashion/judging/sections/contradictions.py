"""Where the original contradicts itself, recomputed; and what it leaves unstated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from refashion.judging.claims.exact import parameters_ratio
from refashion.judging.document.claims import Claim
from refashion.judging.document.parts import Ends, MetricSummary, Part, means, reason
from refashion.judging.facts import Facts, sample
from refashion.judging.sections.learning import Optimism, optimism_of
from refashion.study.model import steps_per_epoch


class Recomputed(Part):
    """A recomputed truth."""

    label: str = means("what it is")
    value: int | float | None = means("a number, in `unit`, or null for words", "as `unit` says", default=None)
    unit: str = means('percent, pp, parameters, times, updates, ""', default="")
    text: str = means('words instead of a number, or ""', default="")
    interval: Ends | None = means("of a mean", "as `unit` says", default=None)
    n: int | None = means("seeds behind it", default=None)
    reason: str = reason()


class Inconsistency(Part):
    """A place where the original contradicts itself or leaves a contradiction open."""

    id: int = means("unique")
    title: str = means("in words")
    said: str = means("what it says")
    quotes: list[str] = means("verbatim")
    claims: list[str] = means("claim ids")
    numbers: list[Recomputed] = means("the recomputed truth")


class Assumption(Part):
    """A choice that the original does not state."""

    id: str = means("unique")
    what: str = means("what is not stated")
    value: str = means("what is assumed")
    why: str = means("why so")
    source: str = means("what it is")
    experiment: str = means('the experiment that varies it, or ""')
    varied: bool = means("that experiment was run")


def inconsistencies(facts: Facts, ledger: Sequence[Claim]) -> list[Inconsistency]:
    """Where the original contradicts itself, each with the recomputed truth."""
    by_id = {claim.id: claim for claim in ledger}
    return [
        Inconsistency.of(
            entry,
            numbers=[
                Recomputed(label=wish["label"], **RECOMPUTE[wish["kind"]](wish, facts, by_id))
                for wish in entry["recompute"]
            ],
        )
        for entry in facts.original["inconsistencies"]
    ]


def _recompute_sum(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, Claim]) -> dict[str, Any]:
    rows = facts.original["summaries"][wish["summary"]]["rows"]
    return {"value": sum(row[3] for row in rows), "unit": "parameters"}


def _recompute_built(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, Claim]) -> dict[str, Any]:
    name = wish["architecture"]
    if name not in facts.architectures:
        return {"unit": "parameters", "reason": f"cannot say, because {name} was not built in this study"}
    return {"value": facts.architectures[name][wish["count"]], "unit": "parameters"}


def _recompute_parameters(wish: Mapping[str, Any], _: Facts, __: Mapping[str, Claim]) -> dict[str, Any]:
    """Parameters of convolutions [conv, kernel, in, out] and dense layers [dense, in, out], each with biases."""
    weights: dict[str, Callable[..., int]] = {
        "conv": lambda kernel, i, o: (kernel**2 * i + 1) * o,
        "dense": lambda i, o: (i + 1) * o,
    }
    return {"value": sum(weights[kind](*sizes) for kind, *sizes in wish["layers"]), "unit": "parameters"}


def _recompute_ratio(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, Claim]) -> dict[str, Any]:
    top, bottom = wish["numerator"], wish["denominator"]
    ratio = parameters_ratio(facts.architectures, top, bottom)
    reason = "" if ratio is not None else f"cannot say, because {top} and {bottom} were not both built"
    return {"value": ratio, "unit": "times", "reason": reason}


def _recompute_updates(wish: Mapping[str, Any], _: Facts, __: Mapping[str, Claim]) -> dict[str, Any]:
    steps = steps_per_epoch(wish["images"], wish["batch_size"])
    return {"value": steps * wish["epochs"], "unit": "updates"}


def _recompute_published(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, Claim]) -> dict[str, Any]:
    values = {claim["id"]: claim.get("value") for claim in facts.original["claims"]}
    if "minus" in wish:
        return {"value": round(values[wish["claim"]] - values[wish["minus"]], 6), "unit": "pp"}
    return {"value": values[wish["claim"]], "unit": "percent"}


def _recompute_cell(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, Claim]) -> dict[str, Any]:
    return _measured(sample(facts, wish["cell"], wish["metric"]), "mean", "percent")


def _recompute_optimism(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, Claim]) -> dict[str, Any]:
    return _measured(optimism_of(wish["cell"], "val", facts), "optimism", "pp")


def _measured(found: MetricSummary | Optimism, field: str, unit: str) -> dict[str, Any]:
    return {"value": getattr(found, field), "unit": unit, **found.model_dump(include={"interval", "n", "reason"})}


def _recompute_verdict(wish: Mapping[str, Any], _: Facts, by_id: Mapping[str, Claim]) -> dict[str, Any]:
    claim = by_id[wish["claim"]]
    return {"text": f"{claim.verdict}. {claim.reason}"}


#: kind of a recomputation in original.yaml -> function that makes it
RECOMPUTE = {
    "sum": _recompute_sum,
    "built": _recompute_built,
    "parameters": _recompute_parameters,
    "ratio": _recompute_ratio,
    "updates": _recompute_updates,
    "published": _recompute_published,
    "cell": _recompute_cell,
    "optimism": _recompute_optimism,
    "verdict": _recompute_verdict,
}


def assumptions(facts: Facts) -> list[Assumption]:
    """What the original does not state, and whether an experiment varies it."""
    return [Assumption.of(one, varied=one["experiment"] in facts.enabled) for one in facts.original["assumptions"]]
