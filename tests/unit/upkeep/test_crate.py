"""What archives read: the RO-Crate of the published study, and codemeta.json beside what says the same."""

from __future__ import annotations

import json
import shutil
import tomllib

import numpy as np
import pytest
import yaml

import run_folders
from project import PROJECT
from refashion.errors import UserError
from refashion.upkeep import crate


def test_every_reference_in_the_crate_is_an_entity_or_an_address():
    graph = json.loads((PROJECT / crate.FILE).read_text(encoding="utf-8"))["@graph"]
    known = {entity["@id"] for entity in graph}
    assert len(known) == len(graph)

    def references(part):
        if isinstance(part, dict):
            yield from [part["@id"]] if set(part) == {"@id"} else []
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    assert [one for one in references(graph) if one not in known and not one.startswith(("http://", "https://"))] == []
    action = next(one for one in graph if one["@id"] == "#published-runs")
    assert action["instrument"]["@id"] == next(one for one in graph if one["@id"] == "./")["mainEntity"]["@id"]


def test_the_crate_says_how_many_runs_there_are_and_from_when_and_nothing_else_changes(tmp_path):
    for seed in range(2):
        run_folders.publish(tmp_path / "published", seed)
    shutil.copy(PROJECT / crate.FILE, tmp_path)
    before, after = (
        json.loads(text)["@graph"] for text in ((tmp_path / crate.FILE).read_text(), crate.renewed(tmp_path))
    )
    changed = {one["@id"]: one for one, other in zip(after, before, strict=True) if one != other}
    assert set(changed) == {"./", "#published-runs"}
    action = changed["#published-runs"]
    assert action["name"].startswith("The 2 published runs")
    assert action["startTime"] < action["endTime"]
    assert changed["./"]["datePublished"] == action["endTime"][:10]


def test_without_a_crate_or_published_runs_nothing_is_renewed(tmp_path):
    shutil.copy(PROJECT / crate.FILE, tmp_path)
    assert crate.renewed(tmp_path) == ""
    run_folders.publish(tmp_path / "published", 0)
    assert crate.renewed(tmp_path) != ""
    (tmp_path / crate.FILE).unlink()
    assert crate.renewed(tmp_path) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"@graph": [}', "Expecting value: line 1 column 13"),
        (b"\xff", "'utf-8' codec can't decode"),
        ("{}", "it lacks '@graph'"),
        ('{"@graph": [{"@id": "./"}]}', "it lacks '#published-runs'"),
        ('{"@graph": [3]}', "'int' object is not subscriptable"),
        ("[" * 100_000, "recursion"),
    ],
    ids=range(6),
)
def test_a_crate_that_was_broken_by_hand_is_told_in_a_sentence(tmp_path, text, reason):
    run_folders.publish(tmp_path / "published", 0)
    (tmp_path / crate.FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError) as caught:
        crate.renewed(tmp_path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{tmp_path / crate.FILE} is no crate that can be renewed: ")
    assert reason in sentence
    assert sentence.endswith("; mend it, or take the last good one from Git, and publish again.")
    assert "\n" not in sentence


def test_all_that_the_projects_crate_names_is_there():
    graph = json.loads((PROJECT / crate.FILE).read_text(encoding="utf-8"))["@graph"]
    files = [one["@id"] for one in graph if {"File", "Dataset"} & set(np.atleast_1d(one["@type"]))]
    assert "published/report.html" in files
    assert [name for name in files if not (PROJECT / name).exists()] == []


def test_codemeta_says_what_pyproject_and_the_citation_say():
    told = json.loads((PROJECT / "codemeta.json").read_text(encoding="utf-8"))
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    for key in ("name", "version", "description"):
        assert told[key] == project[key]
    assert told["license"].endswith(f"/{project['license']}")
    assert told["version"] == citation["version"]
    assert [one["name"] for one in told["author"]] == [one["name"] for one in citation["authors"]]
