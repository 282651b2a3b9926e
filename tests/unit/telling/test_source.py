"""The original's text: every quotation of the published study is found in it, each at its passage."""

import pytest
import yaml

from project import PROJECT
from refashion.errors import UserError
from refashion.telling import source

ORIGINAL = PROJECT / "config" / "original.yaml"


def test_every_claim_of_the_published_study_stands_at_its_words():
    claims = yaml.safe_load(ORIGINAL.read_text(encoding="utf-8"))["claims"]
    found = source.passages(source.read(source.text_beside(ORIGINAL)), claims)
    placed = {name for passage in found for name in passage.claims}
    assert {claim["id"] for claim in claims} == placed
    (row,) = [one for one in found if "V4" in one.claims]
    assert row.kind == "row"
    assert row.cells[0] == "Validation accuracy"


def test_a_row_that_begins_with_a_number_sign_is_no_heading():
    (one,) = source.passages("# of parameters\t693,932\t1.2 million\n", [])
    assert (one.kind, one.cells) == ("row", ["# of parameters", "693,932", "1.2 million"])


def test_headings_paragraphs_and_tables():
    text = "# A *title*\n\nSome **bold** words.\n\nx\t1\ny\t2\n- item\n"
    claims = [{"id": "A", "quote": "bold  words"}, {"id": "B", "quote": "y 2"}, {"id": "C", "quote": "absent"}]
    blocks = source.blocks(source.passages(text, claims))
    assert [(kind, len(own)) for kind, own in blocks] == [
        ("heading", 1),
        ("paragraph", 1),
        ("table", 2),
        ("paragraph", 1),
    ]
    assert blocks[1][1][0].claims == ["A"]
    assert blocks[2][1][1].claims == ["B"]


def test_a_report_without_its_text_and_one_that_is_none(tmp_path):
    assert source.text_beside(tmp_path / "original.yaml") is None
    (tmp_path / "original.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="no UTF-8"):
        source.read(source.text_beside(tmp_path / "original.yaml"))
