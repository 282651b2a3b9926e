"""analysis.json as the page reads it."""

import json

import pytest

from analysis_fixture import analysis
from refashion.errors import UserError
from refashion.telling import document


def test_an_analysis_that_is_none_gives_one_sentence(tmp_path):
    path = tmp_path / "analysis.json"
    for text in ("{", "[]", '{"format": 0}'):
        path.write_text(text)
        with pytest.raises(UserError) as error:
            document.read_analysis(path)
        assert str(path) in str(error.value)
    path.write_text(json.dumps(analysis(n=1)))
    assert document.read_analysis(path)["format"] == document.FORMAT
