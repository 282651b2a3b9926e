"""The original beside ours: its table, its summaries, its contradictions, what it leaves unstated."""

from __future__ import annotations

from typing import Literal

from refashion.judging.document.parts import Ends, MetricSummary, Part, means, reason

RowKind = Literal["text", "parameters", "accuracy"]


class TableColumn(Part):
    id: str = means("unique")
    title: str = means("in words")
    data: str = means("as printed")
    cell: str = means("cell, architecture/fraction/augmentation/recipe")
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
        "printed rows, then ours: Validation accuracy, images not augmented; Best epoch; Seconds of training"
    )


class Layer(Part):
    """A row of a summary."""

    layer: str = means("kind of layer")
    shape: list[int | None] = means("output shape without the batch")
    parameters: int = means("count")


class AuditRow(Part):
    name: str = means("as printed")
    printed: Layer | None = means("as printed; null: only ours has it")
    built: Layer | None = means("as built; null: only the original has it")
    agrees: bool = means("equal")


class AuditTotal(Part):
    count: str = means("total, trainable or non_trainable")
    printed: int = means("as printed")
    built: int | None = means("as built")
    sum: int | None = means("sum of the printed rows, for total")
    agrees: bool = means("equal")


class Audit(Part):
    """Parameters of one network, layer by layer."""

    architecture: str = means("its name")
    title: str = means("in words")
    note: str = means('a remark, or ""')
    rows: list[AuditRow] = means("in order")
    totals: list[AuditTotal] = means("three")
    agrees: bool = means("all rows and totals")
    reason: str = reason()


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
