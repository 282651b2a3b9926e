"""What was asked, and the short answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from refashion import formatting as fmt
from refashion.inference.summaries import LEVEL
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED, Agreement, Word
from refashion.judging.claims import ledger as ledgers
from refashion.judging.claims.looks import hold
from refashion.judging.document.claims import Claim
from refashion.judging.document.parts import Part, RunCounts, means
from refashion.judging.facts import Facts
from refashion.judging.run_table import counts, distinct
from refashion.judging.sections.runs import core_hours
from refashion.study.original import printed_columns


class StudyAnswer(Part):
    """What was asked, and the short answer."""

    title: str = means("heading")
    preset: str = means("name of the configuration")
    evidence: bool = means("false: the report wears a banner")
    evidence_reason: str = means('"", or why this is no evidence, one sentence')
    question: str = means("what the study asks, one sentence")
    looks: list[int] = means("seeds of a cell at each planned look at the claims; empty: their number is fixed")
    spend: list[float] = means("the part of the level that each look spends", "0..1")
    interim: str = means('that seeds are still to be added, one sentence or two, or ""')
    answer: str = means("the count of verdicts and what limits them, one paragraph")
    confidence: float = means("of every interval, e.g. 0.95", "0..1")
    level: float = means("of every test, e.g. 0.05", "0..1")
    claims: int = means("number of claims")
    verdicts: dict[str, int] = means("number of claims with each verdict")
    overall: dict[str, int] = means("number of claims by how their readings agree (Claim.overall)")
    runs: RunCounts = means("counts over all runs of the study")
    most_seeds: int = means("most runs that count of a cell of the original")
    core_hours: float = means("measured, over finished runs: seconds x threads / 3600", "hours")


def answer(facts: Facts, ledger: Sequence[Claim]) -> StudyAnswer:
    config, runs, rule = facts.study.config, facts.runs.runs, facts.study.looks
    printed = {column["cell"] for column in printed_columns(facts.original["table"])}
    seeds = [facts.runs.counts(cell).finished for cell in facts.columns if cell in printed]
    return StudyAnswer(
        title=config["title"],
        preset=config["preset"],
        evidence=config["evidence"],
        evidence_reason=_no_evidence(config),
        question=f"Does each number of “{facts.original['title']}” come out again when its networks are "
        "trained anew, several times?",
        looks=list(rule.looks) if rule else [],
        spend=list(rule.spend) if rule else [],
        interim=_interim(facts),
        answer=f"{_told(ledger)} {_basis(seeds)} {_no_evidence(config)}".strip(),
        confidence=facts.confidence,
        level=LEVEL,
        claims=len(ledger),
        verdicts=_counted([claim.verdict for claim in ledger], get_args(Word)),
        overall=_counted([claim.overall for claim in ledger], get_args(Agreement)),
        runs=counts(distinct(runs)["status"]),
        most_seeds=max(seeds, default=0),
        core_hours=core_hours(runs),
    )


def _counted(words: Sequence[str], known: Sequence[str]) -> dict[str, int]:
    """How often each known word occurs, by the word as a name."""
    return {re.sub("[ -]", "_", word): words.count(word) for word in known}


def _no_evidence(config: Mapping[str, Any]) -> str:
    """Why a study is no evidence, or ""."""
    if config["evidence"]:
        return ""
    limits = [f"{value:,} {name}" for name, value in config["limits"].items() if value is not None]
    cut = f", with at most {' and '.join(limits)} a run" if limits else ""
    return f"The preset “{config['preset']}” shows every step and measures nothing{cut}."


def _interim(facts: Facts) -> str:
    """That seeds are still to be added, or ""."""
    looks = hold(facts)
    return "" if looks is None or looks.is_through else f"These verdicts are interim. {looks.told}"


def _told(ledger: Sequence[Claim]) -> str:
    """The verdicts in a few sentences."""
    told = f"Of {len(ledger)} claims, {_verdicts_told(ledger)}."
    otherwise = [
        claim.id
        for claim in ledger
        if claim.verdict == NOT_REPRODUCED and REPRODUCED in [reading.verdict for reading in claim.readings]
    ]
    if otherwise:
        which = f"claim{'s' * (len(otherwise) > 1)} {', '.join(otherwise)}"
        told += f" Not reproduced as we read the original, but in another reading: {which}."
    return told


def _verdicts_told(ledger: Sequence[Claim]) -> str:
    """How many claims have each verdict, in words; those that none have are left out."""
    counts = Counter(claim.verdict for claim in ledger)
    unsure = [claim.readings[0] for claim in ledger if claim.verdict == INCONCLUSIVE]
    waiting = ledgers.untested_told(unsure, "on cells that this study does not run")
    parts = [
        f"{counts[word]} {'is' if counts[word] == 1 else 'are'} {word}" + (waiting if word == INCONCLUSIVE else "")
        for word in (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE, NOT_TESTABLE)
        if counts[word]
    ]
    return fmt.sentence_list(parts)


def _basis(seeds: Sequence[int]) -> str:
    """What the verdicts rest on. seeds: finished runs of each column of the table."""
    if not seeds:
        return "This study runs none of the columns of its table."
    many = f"{min(seeds)}" if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
    which = "The one column" if len(seeds) == 1 else f"Each of the {len(seeds)} columns"
    return f"{which} of its table has {many} finished run{'s' * (many != '1')}."
