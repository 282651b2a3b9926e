"""The tables for other documents."""

import csv
import io
import re
from pathlib import Path

import pytest

from analysis_fixture import ORIGINAL, analysis, hostile
from refashion.telling import exports


@pytest.fixture
def tables(tmp_path):
    exports.write_tables(hostile(analysis(n=4)), tmp_path)
    return tmp_path


def test_every_table_is_written(tables):
    assert {path.name for path in tables.iterdir()} == {Path(name).name for name in exports.TABLES}


def test_the_original_beside_ours_as_csv(tables):
    rows = list(csv.DictReader(io.StringIO((tables / "original_vs_ours.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 3 * len(ORIGINAL)
    assert {"91.97%", "90.29%", "89.92%", "92.51%", "92.11%"} <= {row["published"] for row in rows}
    assert all(float(row["low"]) <= float(row["ours"]) <= float(row["high"]) for row in rows)
    assert all(row["seeds"] == "4" for row in rows)


def test_markdown_keeps_its_columns_whatever_the_words(tables):
    lines = (tables / "claims.md").read_text(encoding="utf-8").splitlines()
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert bars == {7}
    assert not any(re.search(r"(?<!\\)<", line) for line in lines)


def test_latex_keeps_its_columns_whatever_the_words(tables):
    lines = (tables / "claims.tex").read_text(encoding="utf-8").splitlines()
    body = lines[lines.index(r"\endhead") + 1 : lines.index(r"\bottomrule")]
    assert len(body) == len(analysis(n=1)["claims"])
    for line in body:
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == 5
        assert line.count("{") - line.count(r"\{") == line.count("}") - line.count(r"\}")


def test_the_key_explains_every_column_of_the_table(tables):
    (head, *_) = (tables / "original_vs_ours.csv").read_text(encoding="utf-8").splitlines()
    key = (tables / "README.md").read_text(encoding="utf-8")
    section = key.partition("## original_vs_ours.csv")[2].partition("##")[0]
    for column in head.split(","):
        assert f"| {column} |" in section


def test_every_judged_accuracy_is_a_macro():
    numbers = exports.single_numbers(analysis(n=4))
    assert numbers["V1.published"] == "91.97%"
    assert numbers["V1.seeds"] == "4"
    assert {"V1.ours", "V1.interval", "V1.difference", "V1.verdict", "D1.verdict"} <= numbers.keys()
