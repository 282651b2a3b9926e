"""The original's own text, with the claims at the passages that make them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from refashion.errors import UserError


@dataclass
class Passage:
    """A heading, a paragraph or a row of a table (its cells), and the claims that quote it."""

    kind: str  # heading, paragraph or row
    cells: list[str]
    claims: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """All of it, with single spaces."""
        return " ".join(" ".join(self.cells).split())


def text_beside(original: Path) -> Path | None:
    """Where the text of a report lies: beside the file that describes it, under its name; None where it is not kept."""
    path = original.with_suffix(".txt")
    return path if path.exists() else None


def read(path: Path) -> str:
    """The text of the original; one that is no UTF-8 is an error in one sentence."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no UTF-8 text (byte {error.start}).") from error


def passages(text: str, claims: Sequence[dict[str, Any]]) -> list[Passage]:
    """The text in passages. A claim stands at the first that holds its quotation, white space aside.

    What is said to stand in a table is looked for there first, anything else outside.
    """
    found = [_passage(line) for line in text.splitlines() if line.strip()]
    for claim in claims:
        quote = " ".join(claim["quote"].split())
        holders = [one for one in found if quote and quote in one.words]
        tabled = "table" in claim.get("where", "").split(";")[0]
        holder = min(holders, key=lambda one: (one.kind == "row") != tabled, default=None)
        if holder:
            holder.claims.append(claim["id"])
    return found


def _passage(line: str) -> Passage:
    plain = re.sub(r"\*\*|</?u>", "", line).rstrip()
    if "\t" in plain:  # a row may begin with "# of ..."
        return Passage("row", [cell.strip() for cell in plain.split("\t")])
    if heading := re.match(r"#+\s+(.*)", plain):
        return Passage("heading", [heading[1]])
    return Passage("paragraph", [re.sub(r"^\s*-\s+", "• ", plain).strip()])


def blocks(found: Sequence[Passage]) -> list[tuple[str, list[Passage]]]:
    """Passages with the rows of a table together: (heading, paragraph or table; its passages)."""
    result: list[tuple[str, list[Passage]]] = []
    for kind, alike in groupby(found, key=lambda one: one.kind):
        own = list(alike)
        result += [("table", own)] if kind == "row" else [(kind, [one]) for one in own]
    return result
