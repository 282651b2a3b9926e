"""Tables of runs -> everything that the report says: analysis.json and the CSV tables of cells, comparisons, claims and
effects.

The document is a tree of typed classes (judging/document), from which its JSON schema is made. What cannot be said is
None there, and a `reason` beside it says why; NaN and infinity never get in. The same input gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from refashion import files
from refashion.judging import summary, tables
from refashion.judging.claims import ledger as ledgers
from refashion.judging.csv_tables import csv_tables
from refashion.judging.document.between import Effects
from refashion.judging.document.study import Benchmark, Original
from refashion.judging.document.whole import Document, json_schema
from refashion.judging.inputs import Inputs
from refashion.judging.sections import (
    audit,
    comparisons,
    contradictions,
    cost,
    effects,
    images,
    learning,
    precision,
    ranks,
    results_table,
    rival_rules,
    specifications,
    variance,
)


@dataclass(frozen=True, eq=False)
class Analysis:
    """analysis.json, and the CSV tables by name."""

    document: dict[str, Any]
    tables: dict[str, pd.DataFrame]


def analyse(inputs: Inputs) -> Analysis:
    """Everything that the runs say."""
    facts, study = inputs.facts, inputs.study
    ledger = ledgers.judge(facts)
    config = study.config
    sizes = {cell.name: study.images(cell) for cell in study.cells()}
    classes = config["datasets"][inputs.dataset]["classes"]
    factorial = effects.policies(facts, study.experiments, sizes)
    document = Document(
        study=summary.study(inputs, ledger),
        original=Original.of(inputs.original),
        provenance=summary.provenance_of(inputs),
        experiments=[summary.experiment(experiment, inputs) for experiment in inputs.defined],
        claims=ledger,
        rival_rules=rival_rules.rival_rules(facts, ledger),
        table=results_table.table(facts, study, ledger),
        audit=audit.audit(facts),
        inconsistencies=contradictions.inconsistencies(facts, ledger),
        assumptions=contradictions.assumptions(facts, study),
        cells=[summary.cell(name, inputs) for name in inputs.cells],
        comparisons=comparisons.comparisons(facts, study.experiments, inputs.predictions),
        effects=Effects(
            policies=factorial,
            reason="" if factorial else "cannot say, because no experiment that runs is a factorial",
        ),
        specification_curves=specifications.specification_curves(facts, study),
        learning_curves=learning.learning_curves(facts, inputs.cells, inputs.histories),
        optimism=learning.optimism(facts, inputs.cells),
        ranks=ranks.ranks(facts),
        half_widths=precision.half_widths(facts, inputs.cells, study),
        variance=variance.variance(facts, inputs.cells, inputs.predictions, study),
        confusion=images.confusion(facts, inputs.columns, inputs.predictions, len(classes)),
        hardest=images.hardest(facts, inputs.columns, inputs.predictions),
        classes=classes,
        cost=cost.cost(facts, inputs.cells),
        benchmark=Benchmark(
            rows=[dict(row) for row in inputs.benchmark],
            reason="" if inputs.benchmark else "cannot say, because the benchmark has not been run",
        ),
        runs=summary.absent_runs(inputs),
        data=summary.data_of(inputs),
    )
    plain = document.model_dump()
    return Analysis(plain, csv_tables(plain))


def write(analysis: Analysis, document: Path | str, csv: Mapping[str, Path | str]) -> None:
    """Write analysis.json with its schema beside it (analysis.schema.json), and each CSV table to its path."""
    for name, path in csv.items():
        tables.write(analysis.tables[name], name, path)
    text = json.dumps(analysis.document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    files.write_text(Path(document), f"{text}\n")
    schema = json.dumps(json_schema(), ensure_ascii=False, indent=1)
    files.write_text(Path(document).with_suffix(".schema.json"), f"{schema}\n")
