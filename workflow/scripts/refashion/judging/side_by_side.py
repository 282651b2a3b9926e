"""The original's pages beside ours: results table, parameter audit, contradictions recomputed, assumptions.

Everything as plain dicts in the layout of report/analysis.schema.json. Accuracies are in percent, differences in pp.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from refashion.judging import claims, effects, spread
from refashion.judging.claims import Facts
from refashion.study.model import Cell, Study, steps_per_epoch

#: Accuracies of the results table -> column of runs.csv.
ACCURACIES = {"training": "train_accuracy", "validation": "val_accuracy"}

# ------------------------------------------------------------------------------------------------------- results table


def table(facts: Facts, study: Study, ledger: Sequence[claims.Claim]) -> dict[str, Any]:
    """The results table: as printed, and our side of each entry; then rows that the original has not."""
    verdicts = {claim.id: claim.verdict for claim in ledger}
    columns = facts.original["table"]["columns"]
    rows = [_printed_row(row, facts, study, verdicts) for row in facts.original["table"]["rows"]]
    clean = [_entry(sample=effects.sample(facts, c["cell"], "clean_accuracy")) for c in columns]
    best = [_entry(ours=_best_epoch(c["cell"], facts)) for c in columns]
    seconds = [_entry(ours=_seconds(c["cell"], facts)) for c in columns]
    rows.append({"name": "Validation accuracy, images not augmented", "kind": "accuracy", "values": clean})
    rows.append({"name": "Best epoch", "kind": "text", "values": best})
    rows.append({"name": "Time of a run", "kind": "text", "values": seconds})
    printed = len(facts.original["table"]["rows"][0]["printed"])
    return {
        "columns": [
            {
                **{key: column[key] for key in ("id", "title", "data", "cell")},
                "printed": position < printed,
                "training_claim": column.get("training"),
                "validation_claim": column.get("validation"),
            }
            for position, column in enumerate(columns)
        ],
        "rows": rows,
    }


def _entry(**known: Any) -> dict[str, Any]:
    return {"printed": None, "ours": "", "sample": None, "claim": None, "verdict": None, "agrees": None} | known


def _printed_row(row: Mapping[str, Any], facts: Facts, study: Study, verdicts: Mapping[str, str]) -> dict[str, Any]:
    values = []
    for position, column in enumerate(facts.original["table"]["columns"]):
        printed = row["printed"][position] if position < len(row["printed"]) else None
        if row["holds"] in ACCURACIES:
            ours = _our_accuracy(row["holds"], column, facts, verdicts)
        else:
            ours = _our_words(row["holds"], Cell(*column["cell"].split("/")), printed, facts, study)
        values.append(ours | {"printed": printed})
    kind = {"training": "accuracy", "validation": "accuracy", "parameters": "parameters"}.get(row["holds"], "text")
    return {"name": row.get("title", row["name"]), "kind": kind, "values": values}


def _our_accuracy(part: str, column: Mapping[str, Any], facts: Facts, verdicts: Mapping[str, str]) -> dict[str, Any]:
    claim = column.get(part)
    sample = effects.sample(facts, column["cell"], ACCURACIES[part])
    return _entry(sample=sample, claim=claim, verdict=verdicts.get(claim))


def _our_words(part: str, cell: Cell, printed: str | None, facts: Facts, study: Study) -> dict[str, Any]:
    """Our setting in words; whether it is as printed, where words can be compared."""
    if part == "parameters":
        return _entry(**_our_parameters(cell, printed, facts))
    if cell not in study.cells():
        return _entry()
    ours = WORDS[part](cell, study)
    comparable = printed is not None and part in ("loss", "hyperparameters")
    return _entry(ours=ours, agrees=_plain(ours.split(";")[0]) == _plain(printed) if comparable else None)


def _plain(text: str) -> str:
    """Letters and digits alone, for comparing words that are printed differently."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _our_parameters(cell: Cell, printed: str | None, facts: Facts) -> dict[str, Any]:
    built = facts.architectures.get(cell.architecture)
    if built is None:
        return {}
    ours = f"{built['total']:,}"
    if built["trainable"] != built["total"]:
        ours += f" ({built['trainable']:,} trainable)"
    counts = [f"{built[count]:,}" for count in ("total", "trainable")]
    return {"ours": ours, "agrees": None if printed is None else printed in counts}


def _data_words(cell: Cell, study: Study) -> str:
    fraction = study.config["fractions"][cell.fraction]
    where = "the test images" if fraction["validation"] == "test" else "held-out training images"
    return f"{study.images(cell):,} images, validated on {where}"


def _augmentation_words(cell: Cell, study: Study) -> str:
    entry = study.config["augmentations"][cell.augmentation]
    scale = {"unit": "pixels / 255", "standardise": "standardised pixels", "none": "pixels as they are"}
    words = [scale.get(entry.get("rescale", "unit"), "")]
    words += [
        key.replace("_", " ") if value is True else f"{key.replace('_', ' ')} {value}"
        for key, value in entry.items()
        if key != "rescale" and value
    ]
    return ", ".join(words)


def _loss_words(cell: Cell, study: Study) -> str:
    return {"categorical": "Categorical Crossentropy", "sparse": "Sparse Categorical Crossentropy"}[
        study.config["recipes"][cell.recipe]["loss"]
    ]


def _hyperparameter_words(cell: Cell, study: Study) -> str:
    recipe = study.config["recipes"][cell.recipe]
    steps = steps_per_epoch(study.images(cell), recipe["batch_size"])
    epochs = -(-study.updates(cell) // steps)
    return (
        f"Batch size: {recipe['batch_size']} Epochs: {epochs}; {recipe['optimizer']}, rate {recipe['learning_rate']:g}"
    )


#: what a row of the table holds -> our words for it
WORDS = {
    "data": _data_words,
    "augmentation": _augmentation_words,
    "loss": _loss_words,
    "hyperparameters": _hyperparameter_words,
}


def _best_epoch(cell: str, facts: Facts) -> str:
    epochs = facts.runs.sample(cell, "best_epoch").values
    return f"{np.median(epochs):g} (median)" if epochs.size else ""


def _seconds(cell: str, facts: Facts) -> str:
    seconds = facts.runs.sample(cell, "seconds").values
    if not seconds.size:
        return ""
    median = np.median(seconds)
    where = ", on several kinds of machine" if facts.runs.mixed_machines(cell) else ""
    return f"{median / 60:.1f} min (median{where})" if median >= 100 else f"{median:.0f} s (median{where})"


# ------------------------------------------------------------------------------------------------ audit, contradictions


def audit(facts: Facts) -> list[dict[str, Any]]:
    """Every printed summary beside the network as built."""
    return [_audit_network(name, summary, facts) for name, summary in facts.original["summaries"].items()]


def _audit_network(name: str, summary: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    """A printed summary beside the network as built, row by row."""
    built = facts.architectures.get(name)
    rows = [
        {"name": printed_name, "printed": _layer(printed), "built": _layer(ours), "agrees": printed == ours}
        for printed_name, printed, ours in claims.align(summary["rows"], built["rows"] if built else [])
    ]
    totals = [
        {
            "count": count,
            "printed": printed,
            "built": built[count] if built else None,
            "sum": sum(row[3] for row in summary["rows"]) if count == "total" else None,
            "agrees": bool(built) and built[count] == printed,
        }
        for count, printed in summary["printed"].items()
    ]
    return {
        "architecture": name,
        "title": summary["title"],
        "note": summary["note"],
        "rows": rows,
        "totals": totals,
        "agrees": all(row["agrees"] for row in [*rows, *totals]),
        "reason": "" if built else f"cannot say, because {name} was not built in this study",
    }


def _layer(row: claims.Layer | None) -> dict[str, Any] | None:
    return None if row is None else {"layer": row[0], "shape": list(row[1]), "parameters": row[2]}


def inconsistencies(facts: Facts, ledger: Sequence[claims.Claim]) -> list[dict[str, Any]]:
    """Where the original contradicts itself, each with the recomputed truth."""
    by_id = {claim.id: claim for claim in ledger}
    return [
        {
            **{key: entry[key] for key in ("id", "title", "said", "quotes", "claims")},
            "numbers": [
                _number(wish["label"], **RECOMPUTE[wish["kind"]](wish, facts, by_id)) for wish in entry["recompute"]
            ],
        }
        for entry in facts.original["inconsistencies"]
    ]


def _number(label: str, **known: Any) -> dict[str, Any]:
    empty = {"label": label, "value": None, "unit": "", "text": "", "interval": None, "n": None, "reason": ""}
    return empty | known


def _recompute_sum(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, claims.Claim]) -> dict[str, Any]:
    rows = facts.original["summaries"][wish["summary"]]["rows"]
    return {"value": sum(row[3] for row in rows), "unit": "parameters"}


def _recompute_built(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, claims.Claim]) -> dict[str, Any]:
    name = wish["architecture"]
    if name not in facts.architectures:
        return {"unit": "parameters", "reason": f"cannot say, because {name} was not built in this study"}
    return {"value": facts.architectures[name][wish["count"]], "unit": "parameters"}


def _recompute_parameters(wish: Mapping[str, Any], _: Facts, __: Mapping[str, claims.Claim]) -> dict[str, Any]:
    """Parameters of convolutions [conv, kernel, in, out] and dense layers [dense, in, out], each with biases."""
    weights = {"conv": lambda kernel, i, o: (kernel**2 * i + 1) * o, "dense": lambda i, o: (i + 1) * o}
    return {"value": sum(weights[kind](*sizes) for kind, *sizes in wish["layers"]), "unit": "parameters"}


def _recompute_ratio(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, claims.Claim]) -> dict[str, Any]:
    top, bottom = wish["numerator"], wish["denominator"]
    ratio = claims.parameters_ratio(facts.architectures, top, bottom)
    reason = "" if ratio is not None else f"cannot say, because {top} and {bottom} were not both built"
    return {"value": ratio, "unit": "times", "reason": reason}


def _recompute_updates(wish: Mapping[str, Any], _: Facts, __: Mapping[str, claims.Claim]) -> dict[str, Any]:
    steps = steps_per_epoch(wish["images"], wish["batch_size"])
    return {"value": steps * wish["epochs"], "unit": "updates"}


def _recompute_published(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, claims.Claim]) -> dict[str, Any]:
    values = {claim["id"]: claim.get("value") for claim in facts.original["claims"]}
    if "minus" in wish:
        return {"value": round(values[wish["claim"]] - values[wish["minus"]], 6), "unit": "pp"}
    return {"value": values[wish["claim"]], "unit": "percent"}


def _recompute_cell(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, claims.Claim]) -> dict[str, Any]:
    found = effects.sample(facts, wish["cell"], wish["metric"])
    return {"value": found["mean"], "unit": "percent", **{key: found[key] for key in ("interval", "n", "reason")}}


def _recompute_optimism(wish: Mapping[str, Any], facts: Facts, _: Mapping[str, claims.Claim]) -> dict[str, Any]:
    found = spread.optimism(facts, [wish["cell"]])[0]
    return {"value": found["optimism"], "unit": "pp", **{key: found[key] for key in ("interval", "n", "reason")}}


def _recompute_verdict(wish: Mapping[str, Any], _: Facts, by_id: Mapping[str, claims.Claim]) -> dict[str, Any]:
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


def assumptions(facts: Facts, study: Study) -> list[dict[str, Any]]:
    """What the original does not state, and whether an experiment varies it."""
    enabled = {experiment.name for experiment in study.experiments}
    keys = ("id", "what", "value", "why", "source", "experiment")
    return [
        {**{key: entry[key] for key in keys}, "varied": entry["experiment"] in enabled}
        for entry in facts.original["assumptions"]
    ]
