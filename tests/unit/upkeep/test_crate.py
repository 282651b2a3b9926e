"""What archives read: the RO-Crate of the published study, and codemeta.json beside what says the same."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import yaml

import run_folders
from project import PROJECT
from refashion.upkeep import crate


def _project(folder, seeds=2):
    for seed in range(seeds):
        run_folders.publish(folder / "published", seed)
    (folder / "published" / "report.html").write_text("")
    return folder


def test_every_reference_in_the_crate_is_an_entity_or_an_address(tmp_path):
    graph = json.loads(crate.crate(_project(tmp_path)))["@graph"]
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


def test_the_crate_names_just_the_files_that_are_published_and_when_its_runs_were_made(tmp_path):
    entities = {one["@id"]: one for one in json.loads(crate.crate(_project(tmp_path)))["@graph"]}
    assert {one for one in entities if one.startswith("published/")} == {"published/report.html", "published/runs/"}
    action = entities["#published-runs"]
    assert action["name"].startswith("The 2 published runs")
    assert action["startTime"] < action["endTime"]
    assert action["instrument"]["@id"] == entities["./"]["mainEntity"]["@id"] == "Snakefile"


def test_without_published_runs_there_is_no_crate(tmp_path):
    assert crate.crate(tmp_path) == ""


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
