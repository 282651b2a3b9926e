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
    assert len(rows) == 2 * len(ORIGINAL)
    assert {"91.97%", "90.29%", "89.92%", "92.51%", "92.11%"} <= {row["published"] for row in rows}
    assert all(row["seeds"] == "4" for row in rows)


def test_markdown_keeps_its_columns_whatever_the_words(tables):
    lines = (tables / "claims.md").read_text(encoding="utf-8").splitlines()
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert bars == {9}
    assert not any(re.search(r"(?<!\\)<", line) for line in lines)


def test_latex_keeps_its_columns_whatever_the_words(tables):
    lines = (tables / "claims.tex").read_text(encoding="utf-8").splitlines()
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(body) == len(analysis(n=1)["claims"])
    for line in body:
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == 7
        assert line.count("{") - line.count(r"\{") == line.count("}") - line.count(r"\}")
