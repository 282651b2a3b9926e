"""A study's facts -> everything that the report says: analysis.json, its schema, and the CSV tables made from it.

What cannot be said is None in the document, and a `reason` beside it says why; NaN and infinity never get in. The same
input gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refashion import files
from refashion.judging import csv_tables, tables
from refashion.judging.claims import ledger as ledgers
from refashion.judging.document.whole import Document, json_schema
from refashion.judging.facts import Facts
from refashion.judging.sections import (
    answer,
    audit,
    comparisons,
    contradictions,
    effects,
    images,
    learning,
    precision,
    provenance,
    results_table,
    rival_rules,
    runs,
    specifications,
    variance,
)


def analyse(facts: Facts) -> dict[str, Any]:
    """The document, as analysis.json has it."""
    ledger = ledgers.judge(facts)
    document = Document(
        study=answer.answer(facts, ledger),
        original=provenance.Original.of(facts.original),
        provenance=provenance.provenance_of(facts),
        experiments=runs.experiments(facts),
        claims=ledger,
        rival_rules=rival_rules.rival_rules(facts, ledger),
        table=results_table.table(facts, ledger),
        audit=audit.audit(facts),
        inconsistencies=contradictions.inconsistencies(facts, ledger),
        assumptions=contradictions.assumptions(facts),
        cells=runs.cells(facts),
        names=runs.words_of_names(facts),
        comparisons=comparisons.comparisons(facts),
        effects=effects.effects(facts),
        specification_curves=specifications.specification_curves(facts),
        learning_curves=learning.learning_curves(facts),
        optimism=learning.optimism(facts),
        ranks=comparisons.ranks(facts),
        half_widths=precision.half_widths(facts),
        variance=variance.variance(facts),
        confusion=images.confusion(facts),
        hardest=images.hardest(facts),
        classes=facts.classes,
        cost=runs.cost(facts),
        benchmark=runs.benchmark(facts),
        runs=runs.absent(facts),
        data=provenance.data_of(facts),
    )
    return document.model_dump()


def write(document: Mapping[str, Any], path: Path | str, csv: Mapping[str, Path | str]) -> None:
    """Write analysis.json, its schema beside it (analysis.schema.json), and each CSV table, by name, to its path."""
    made = csv_tables.csv_tables(document)
    for name, place in csv.items():
        tables.write(made[name], place)
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    files.write_text(Path(path), f"{text}\n")
    schema = json.dumps(json_schema(), ensure_ascii=False, indent=1)
    files.write_text(Path(path).with_suffix(".schema.json"), f"{schema}\n")
