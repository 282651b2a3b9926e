"""The whole document between judging and telling, and its JSON schema."""

from __future__ import annotations

from typing import Any, Literal

from refashion.judging.document.claims import Claim
from refashion.judging.document.layout import FORMAT
from refashion.judging.document.parts import Part, means
from refashion.judging.sections.answer import StudyAnswer
from refashion.judging.sections.audit import Audit
from refashion.judging.sections.comparisons import ComparisonFamily, Ranks
from refashion.judging.sections.contradictions import Assumption, Inconsistency
from refashion.judging.sections.effects import Effects
from refashion.judging.sections.images import Confusion, Hardest
from refashion.judging.sections.learning import LearningCurve, Optimism
from refashion.judging.sections.precision import HalfWidths
from refashion.judging.sections.provenance import DataFacts, Original, Provenance
from refashion.judging.sections.results_table import ResultsTable
from refashion.judging.sections.rival_rules import RivalRules
from refashion.judging.sections.runs import AbsentRuns, Benchmark, CellSummary, Cost, ExperimentRuns, WordsOfNames
from refashion.judging.sections.specifications import SpecificationCurve
from refashion.judging.sections.variance import Variance


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
