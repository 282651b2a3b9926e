"""Rows of words as CSV, Markdown and LaTeX, in which no character of the words is read as anything but text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from refashion import formatting as fmt
from refashion.files import csv_text


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV; a column that a row lacks, and what is None, stays empty."""
    if not rows:
        return "reason\n"
    plain = ({key: _plain(value) for key, value in row.items()} for row in rows)
    return csv_text(plain, dict.fromkeys(key for row in rows for key in row), "\r\n")


def _plain(value: Any) -> Any:
    """A value as CSV readers of any language know it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    return fmt.spreadsheet_text(value) if isinstance(value, str) else value


_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|$#])")


def markdown_text(text: object) -> str:
    """Words on one line, no character of which is Markdown or HTML."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def to_markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of words as a Markdown table; characters that Markdown or HTML would read are escaped."""
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = (markdown_text(row[key]) for key in head)
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
    "\u201c": "``",
    "\u201d": "''",
    "\u2018": "`",
    "\u2019": "'",
    "\u00d7": r"$\times$",
}


def latex_text(text: object) -> str:
    """Words for LaTeX's text mode, no character of which is a command."""
    return "".join(_LATEX.get(character, character) for character in str(text))


def to_latex(rows: Sequence[Mapping[str, str]], columns: str = "") -> str:
    """Rows of words as a LaTeX table over pages, for the packages booktabs and longtable, which its first line names.

    No character of the words is LaTeX; a row that begins with `[` or `*` is no argument of the line break before it.
    `columns`: the column types, `l` for each unless said.
    """
    head = list(rows[0])
    lines = [
        r"% In the preamble: \usepackage{array,booktabs,longtable}",
        rf"\begin{{longtable}}{{{columns or 'l' * len(head)}}}",
        r"\toprule",
        " & ".join(latex_text(name.capitalize()) for name in head) + r" \\",
        r"\midrule",
        r"\endhead",
    ]
    for row in rows:
        cells = [latex_text(row[key]).replace("\n", " ") for key in head]
        lines.append(("{}" if cells[0][:1] in ("[", "*") else "") + " & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{longtable}"]) + "\n"


def to_macros(numbers: Mapping[str, str]) -> str:
    """Single numbers as LaTeX macros: `\\refashion{V1.ours}` is the number of that name, an unknown name an error."""
    lines = [
        r"% \refashion{NAME} gives a number of this study, as the report shows it. Names:",
        *(f"%   {name}" for name in numbers),
        r"\newcommand{\refashion}[1]{\ifcsname refashion@#1\endcsname\csname refashion@#1\endcsname"
        r"\else\PackageError{refashion}{no number of this name: #1}{}\fi}",
    ]
    lines += [
        rf"\expandafter\def\csname refashion@{name}\endcsname{{{latex_text(value)}}}" for name, value in numbers.items()
    ]
    return "\n".join(lines) + "\n"
