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


def _printed(facts: Facts, claim: str) -> float:
    return next(one["value"] for one in facts.original["claims"] if one["id"] == claim)


def _measured(found: MetricSummary | Optimism, field: str, unit: str) -> dict[str, Any]:
    return {"value": getattr(found, field), "unit": unit, **found.model_dump(include={"interval", "n", "reason"})}


def _built(value: float | None, unit: str, what: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "reason": "" if value is not None else f"cannot say, because {what}"}


#: Parameters of a convolution [kernel, in, out] and of a dense layer [in, out], biases included.
_WEIGHTS: dict[str, Callable[..., int]] = {
    "conv": lambda kernel, i, o: (kernel**2 * i + 1) * o,
    "dense": lambda i, o: (i + 1) * o,
}

#: kind of a recomputation in original.yaml -> f(wish, facts, claims by id), which makes it
RECOMPUTE: dict[str, Callable[[Mapping[str, Any], Facts, Mapping[str, Claim]], dict[str, Any]]] = {
    "sum": lambda wish, facts, _: {
        "value": sum(row[3] for row in facts.original["summaries"][wish["summary"]]["rows"]),
        "unit": "parameters",
    },
    "built": lambda wish, facts, _: _built(
        facts.architectures.get(wish["architecture"], {}).get(wish["count"]),
        "parameters",
        f"{wish['architecture']} was not built in this study",
    ),
    "parameters": lambda wish, *_: {
        "value": sum(_WEIGHTS[kind](*sizes) for kind, *sizes in wish["layers"]),
        "unit": "parameters",
    },
    "ratio": lambda wish, facts, _: _built(
        parameters_ratio(facts.architectures, wish["numerator"], wish["denominator"]),
        "times",
        f"{wish['numerator']} and {wish['denominator']} were not both built",
    ),
    "updates": lambda wish, *_: {
        "value": steps_per_epoch(wish["images"], wish["batch_size"]) * wish["epochs"],
        "unit": "updates",
    },
    "published": lambda wish, facts, _: (
        {"value": round(_printed(facts, wish["claim"]) - _printed(facts, wish["minus"]), 6), "unit": "pp"}
        if "minus" in wish
        else {"value": _printed(facts, wish["claim"]), "unit": "percent"}
    ),
    "cell": lambda wish, facts, _: _measured(sample(facts, wish["cell"], wish["metric"]), "mean", "percent"),
    "optimism": lambda wish, facts, _: _measured(optimism_of(wish["cell"], "val", facts), "optimism", "pp"),
    "verdict": lambda wish, _, claims: {"text": "{0.verdict}. {0.reason}".format(claims[wish["claim"]])},
}


def assumptions(facts: Facts) -> list[Assumption]:
    """What the original does not state, and whether an experiment varies it."""
    return [Assumption.of(one, varied=one["experiment"] in facts.enabled) for one in facts.original["assumptions"]]
