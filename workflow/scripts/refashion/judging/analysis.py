"""A study's facts -> everything that the report says: analysis.json, its schema, and the CSV tables made from it.

What cannot be said is None in the document, and a `reason` beside it says why; NaN and infinity never get in. The same
input gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from refashion import files
from refashion.judging import csv_tables, tables
from refashion.judging.claims import ledger as ledgers
from refashion.judging.columns import FORMAT
from refashion.judging.document.claims import Claim
from refashion.judging.document.parts import Part, means
from refashion.judging.facts import Facts
from refashion.judging.sections import runs
from refashion.judging.sections.answer import StudyAnswer, answer
from refashion.judging.sections.audit import Audit, audit
from refashion.judging.sections.comparisons import ComparisonFamily, Ranks, comparisons, ranks
from refashion.judging.sections.contradictions import Assumption, Inconsistency, assumptions, inconsistencies
from refashion.judging.sections.effects import Effects, effects
from refashion.judging.sections.images import Confusion, Hardest, confusion, hardest
from refashion.judging.sections.learning import LearningCurve, Optimism, learning_curves, optimism
from refashion.judging.sections.precision import HalfWidths, half_widths
from refashion.judging.sections.provenance import DataFacts, Original, Provenance, data_of, provenance_of
from refashion.judging.sections.results_table import ResultsTable, table
from refashion.judging.sections.rival_rules import RivalRules, rival_rules
from refashion.judging.sections.runs import AbsentRuns, Benchmark, CellSummary, Cost, ExperimentRuns, WordsOfNames
from refashion.judging.sections.specifications import SpecificationCurve, specification_curves
from refashion.judging.sections.variance import Variance, variance


class Document(Part):
    """Everything that the report says.

    Accuracies in percent (0..100), differences in percentage points (pp), times in seconds. What cannot be said is
    None, and a `reason` beside it says why.
    """

    format: Literal[4] = means("layout of this file", default=FORMAT)
    study: StudyAnswer = means("what was asked, and the short answer")
    original: Original = means("the published report")
    provenance: Provenance = means("where the numbers come from")
    experiments: list[ExperimentRuns] = means("in the order of the config")
    claims: list[Claim] = means("the ledger, in the order of original.yaml")
    rival_rules: RivalRules = means("the published accuracies by other people's rules")
    table: ResultsTable = means("the original's results table beside ours")
    audit: list[Audit] = means("one a summary")
    inconsistencies: list[Inconsistency] = means("numbered as in original.yaml")
    assumptions: list[Assumption] = means("in order")
    cells: list[CellSummary] = means("every cell of the study")
    names: WordsOfNames = means("what its cells and networks are called in words")
    comparisons: list[ComparisonFamily] = means("first the confirmatory family of the original's cells")
    effects: Effects = means("factorial effects")
    specification_curves: list[SpecificationCurve] = means("one a claim")
    learning_curves: list[LearningCurve] = means("one a cell of the original, then the others that ran")
    optimism: list[Optimism] = means("cells of the original first")
    ranks: Ranks = means("ranks of the cells of the original's table")
    half_widths: HalfWidths = means("number of seeds against precision")
    variance: Variance = means("where the spread comes from")
    confusion: list[Confusion] = means("the original's cells")
    hardest: Hardest = means("the test images that fewest runs have right")
    classes: list[str] = means("names of the classes, in the order of labels")
    cost: Cost = means("measured cost")
    benchmark: Benchmark = means("the table of snakemake benchmark, as it was written")
    runs: AbsentRuns = means("runs that do not count")
    data: DataFacts = means("facts about the data set")


def json_schema() -> dict[str, Any]:
    """The JSON schema of the document: every field with its meaning and unit, every field required."""
    schema = Document.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def analyse(facts: Facts) -> dict[str, Any]:
    """The document, as analysis.json has it."""
    ledger = ledgers.judge(facts)
    document = Document(
        study=answer(facts, ledger),
        original=Original.of(facts.original),
        provenance=provenance_of(facts),
        experiments=runs.experiments(facts),
        claims=ledger,
        rival_rules=rival_rules(facts, ledger),
        table=table(facts, ledger),
        audit=audit(facts),
        inconsistencies=inconsistencies(facts, ledger),
        assumptions=assumptions(facts),
        cells=runs.cells(facts),
        names=runs.words_of_names(facts),
        comparisons=comparisons(facts),
        effects=effects(facts),
        specification_curves=specification_curves(facts),
        learning_curves=learning_curves(facts),
        optimism=optimism(facts),
        ranks=ranks(facts),
        half_widths=half_widths(facts),
        variance=variance(facts),
        confusion=confusion(facts),
        hardest=hardest(facts),
        classes=facts.classes,
        cost=runs.cost(facts),
        benchmark=runs.benchmark(facts),
        runs=runs.absent(facts),
        data=data_of(facts),
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
