"""Words in CSV, Markdown and LaTeX stay words."""

import csv
import io

import pytest

from refashion.telling import markup


def test_latex_escapes():
    row = {"a": r"50% & $x_1^2$ #~{\}", "b": "\u22120.4\u00a0pp"}
    body = markup.to_latex([row]).splitlines()[6]
    assert body == (r"50\% \& \$x\_1\textasciicircum{}2\$ \#\textasciitilde{}\{\textbackslash{}\} & $-$0.4~pp \\")


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=1", "-"])
def test_a_spreadsheet_computes_no_text(text):
    (row,) = csv.DictReader(io.StringIO(markup.to_csv([{"a": text}]), newline=""))
    assert row["a"] == f"'{text}"


@pytest.mark.parametrize("text", ["-1.5", "+3", "-2e-05", "90.1%", "a=b", ""])
def test_numbers_and_other_texts_stay_as_they_are_in_csv(text):
    (row,) = csv.DictReader(io.StringIO(markup.to_csv([{"a": text, "b": -0.5}])))
    assert row == {"a": text, "b": "-0.5"}


@pytest.mark.parametrize("text", ["[2cm]", "*", "*[1cm]"])
def test_a_row_of_latex_is_no_argument_of_the_line_before(text):
    line = markup.to_latex([{"a": text, "b": "x"}]).splitlines()[6]
    assert line == rf"{{}}{text} & x \\"


def test_numbers_as_macros_are_text():
    lines = markup.to_macros({"V1.ours": "88.9%"}).splitlines()
    assert lines[-1] == r"\expandafter\def\csname refashion@V1.ours\endcsname{88.9\%}"
