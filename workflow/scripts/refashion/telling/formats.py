"""Rows of words as CSV, Markdown and LaTeX, in which no character of the words is read as anything but text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from refashion import formatting as fmt


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV; a column that a row lacks, and what is None, stays empty."""
    if not rows:
        return "reason\n"
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    return stream.getvalue()


def _plain(value: Any) -> Any:
    """A value as CSV readers of any language know it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else value


_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|$#])")


def to_markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of words as a Markdown table; characters that Markdown or HTML would read are escaped."""
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = (_MARKDOWN.sub(r"\\\1", " ".join(str(row[key]).split())) for key in head)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    fmt.MINUS: r"$-$",
    fmt.MISSING: "--",
    fmt.SPACE: "~",
    "\u00b1": r"$\pm$",
}


def to_latex(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of words as a LaTeX `tabular` for the package booktabs; no character of the words is LaTeX."""
    head = list(rows[0])
    lines = [r"\begin{tabular}{" + "l" * len(head) + "}", r"\toprule", " & ".join(head) + r" \\", r"\midrule"]
    for row in rows:
        cells = ("".join(_LATEX.get(c, c) for c in " ".join(str(row[key]).split(" "))) for key in head)
        lines.append(" & ".join(cells).replace("\n", " ") + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"
