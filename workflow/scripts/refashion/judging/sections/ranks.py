"""Ranks of the table's cells, and the chance that a one-run study prints the published order."""

from __future__ import annotations

from refashion.inference.ranks import order_probability, rank_probabilities
from refashion.judging.document.between import Ranks
from refashion.judging.facts import PUBLISHED_METRIC, Facts


def ranks(facts: Facts) -> Ranks:
    """Ranks of the table's cells, and the chance that a study with one run a cell prints the published order."""
    columns = facts.original["table"]["columns"]
    cells = [column["cell"] for column in columns]
    order = published_order(facts)
    seeds, scores = facts.runs.paired(cells, PUBLISHED_METRIC)
    resamples = facts.settings["resamples"]
    of_means = rank_probabilities(scores, seed=facts.stream("ranks", "means"), resamples=resamples)
    of_runs = rank_probabilities(scores, seed=facts.stream("ranks", "runs"), resamples=resamples, draws=1)
    chance = order_probability(facts.runs.paired(order, PUBLISHED_METRIC)[1]) if order else None
    empty = [cell for cell in cells if facts.runs.counts(cell).finished == 0]
    return Ranks(
        cells=cells,
        n=seeds.size,
        p_rank=of_means.p_rank or [],
        p_rank_one_run=of_runs.p_rank or [],
        p_published_order=chance,
        reason=facts.runs.why_empty(empty[0]) if empty else of_means.reason,
    )


def published_order(facts: Facts) -> list[str]:
    """The printed columns' cells, the highest published validation accuracy first."""
    values = {claim["id"]: claim.get("value") for claim in facts.original["claims"]}
    printed = [column for column in facts.original["table"]["columns"] if column.get("validation")]
    return [column["cell"] for column in sorted(printed, key=lambda column: -values[column["validation"]])]
