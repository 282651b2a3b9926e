"""The original's results table beside ours."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from refashion.judging.document.claims import Claim
from refashion.judging.document.parts import CellName, MetricSummary, Part, means
from refashion.judging.facts import Facts, sample
from refashion.networks import augmentation
from refashion.study.model import Cell, Study, steps_per_epoch
from refashion.study.names import setting
from refashion.study.original import printed_columns

#: Accuracies of the results table -> column of runs.csv.
ACCURACIES = {"training": "train_accuracy", "validation": "val_accuracy"}

RowKind = Literal["text", "parameters", "accuracy"]


class TableColumn(Part):
    id: str = means("unique")
    title: str = means("in words")
    data: str = means("as printed")
    cell: CellName
    printed: bool = means("false: the original has no such column")
    training_claim: str | None = means("claim id")
    validation_claim: str | None = means("claim id")


class TableEntry(Part):
    """One column's entry."""

    printed: str | None = means("verbatim; null where the original has none", default=None)
    ours: str = means('our setting or count in words; "" for an accuracy', default="")
    sample: MetricSummary | None = means("our accuracy; null for words and counts", default=None)
    claim: str | None = means("claim id", default=None)
    verdict: str | None = means("of that claim", default=None)
    agrees: bool | None = means("for words and counts: as printed?", default=None)


class TableRow(Part):
    name: str = means("as printed, completed")
    kind: RowKind = means("text: words; parameters: a count; accuracy: a number with seeds")
    values: list[TableEntry] = means("one a column")


class ResultsTable(Part):
    """The original's results table beside ours."""

    columns: list[TableColumn] = means("in the order of the report")
    rows: list[TableRow] = means(
        "the printed ones, then ours: accuracy on images not augmented, where no printed row has it, best epoch, time"
    )


def table(facts: Facts, ledger: Sequence[Claim]) -> ResultsTable:
    """The results table: as printed, and our side of each entry; then rows that the original has not."""
    verdicts = {claim.id: claim.verdict for claim in ledger}
    columns = facts.original["table"]["columns"]
    rows = [_printed_row(row, facts, verdicts) for row in facts.original["table"]["rows"]]
    augmented = any(augmentation.is_random(facts.spec(column["cell"])["augmentation"]) for column in columns)
    if augmented or not any(row["holds"] == "validation" for row in facts.original["table"]["rows"]):
        clean = [TableEntry(sample=sample(facts, column["cell"], "clean_accuracy")) for column in columns]
        rows.append(TableRow(name="Validation accuracy, images not augmented", kind="accuracy", values=clean))
    for name, words in (("Best epoch", _best_epoch), ("Time of a run", _seconds)):
        values = [TableEntry(ours=words(column["cell"], facts)) for column in columns]
        rows.append(TableRow(name=name, kind="text", values=values))
    printed = printed_columns(facts.original["table"])
    return ResultsTable(
        columns=[
            TableColumn.of(
                column,
                printed=column in printed,
                training_claim=column.get("training"),
                validation_claim=column.get("validation"),
            )
            for column in columns
        ],
        rows=rows,
    )


def _printed_row(row: Mapping[str, Any], facts: Facts, verdicts: Mapping[str, str]) -> TableRow:
    holds, values = row["holds"], []
    for column, printed in itertools.zip_longest(facts.original["table"]["columns"], row["printed"]):
        if holds in ACCURACIES:
            own, claim = sample(facts, column["cell"], ACCURACIES[holds]), column.get(holds)
            entry = TableEntry(printed=printed, sample=own, claim=claim, verdict=verdicts.get(claim))
        else:
            ours = _our_words(holds, Cell(*column["cell"].split("/")), printed, facts)
            entry = TableEntry(printed=printed, **ours)
        values.append(entry)
    kind: RowKind = "accuracy" if holds in ACCURACIES else "parameters" if holds == "parameters" else "text"
    return TableRow(name=row.get("title", row["name"]), kind=kind, values=values)


def _our_words(part: str, cell: Cell, printed: str | None, facts: Facts) -> dict[str, Any]:
    """Our setting in words; whether it is as printed, where words can be compared."""
    if part == "parameters":
        return _our_parameters(cell, printed, facts)
    if cell not in facts.study.cells():
        return {}
    ours = WORDS[part](cell, facts.study)
    if printed is None or part not in ("loss", "hyperparameters"):
        return {"ours": ours}
    return {"ours": ours, "agrees": _plain(ours.split(";")[0]) == _plain(printed)}


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
    told = [setting(key, value) for key, value in entry.items() if key != "rescale" and value]
    return ", ".join([scale[entry.get("rescale", "unit")], *told])


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
    time = f"{median / 60:.1f} min" if median >= 100 else f"{median:.0f} s"
    return f"{time} (median{', on several kinds of machine' if facts.runs.mixed_machines(cell) else ''})"
