"""Looks through Snakemake, on the real data: a checkpoint a look, seeds for claims that are open, and no run twice."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tiny_study import TINY, Study

#: 600 images and two epochs give 40 to 70% where the original has 92: far at two seeds, and surely so at three or four.
LOOKS = {"looks": [2, 3, 4], "spend": [0.01, 0.02, 0.02]}


def _table(study: Study, look: int) -> list[dict[str, str]]:
    with open(study.folder / "results" / "seeds" / f"look-{look}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def begun(tmp_path_factory, prepared_data) -> Study:
    """A study at its first look, which was held, and whose next runs are still to come."""
    study = Study(tmp_path_factory.mktemp("looks"), prepared_data, TINY | {"seeds": LOOKS})
    study.overlay["experiments"] = TINY["experiments"] | {
        "fixed": {
            "title": "Fixed",
            "question": "Does a cell of two experiments keep a count in each?",
            "seeds": 1,
            "cells": [
                {"architecture": "cnn1", "fraction": "10k", "augmentation": "none", "recipe": "b256_e100"},
                {"architecture": "softmax", "fraction": "10k", "augmentation": "none", "recipe": "b256_e50"},
            ],
        }
    }
    study.overlay["run"] = ["tiny", "fixed"]
    study.jobs_before, study.before = study.planned()
    study.snakemake("results/seeds/look-1.csv")
    return study


@pytest.fixture(scope="module")
def through(begun, tmp_path_factory) -> Study:
    """The same study after its last look."""
    folder = tmp_path_factory.mktemp("through") / "study"
    shutil.copytree(begun.folder, folder, symlinks=True)
    study = Study(folder, overlay=begun.overlay)
    study.snakemake()
    return study


def test_a_dry_run_says_that_the_first_look_is_to_come_and_trains_what_no_look_decides(begun):
    assert "Look 1 of 3, at 2 seeds of 2 cells, is to come." in begun.before
    assert (begun.jobs_before["train"], begun.jobs_before["hold_look"]) == (2 * 2 + 1, 1)


def test_between_looks_everything_says_where_the_study_stands(begun):
    rows = _table(begun, 1)
    assert {row["look"] for row in rows} == {"1"}
    wanting = [row for row in rows if row["claims"]]
    assert wanting
    for row in rows:
        assert row["planned"] == ("3" if row["claims"] else "2")
    jobs, dry = begun.planned()
    claims = sorted({claim for row in rows for claim in row["claims"].split(";") if claim})
    assert (
        f"Of 3 planned looks at the claims, 1 was held; the next goes on to 3 seeds in {len(wanting)} of 2 cells, for"
        in dry
    )
    assert ", ".join(claims) in dry
    assert (jobs["train"], jobs["hold_look"]) == (len(wanting) + 1, 1)  # and the softmax, which waits for no look
    cost = begun.snakemake("cost").stdout
    for row in wanting:
        assert f"/{row['recipe']}: 1 runs left" in cost
        assert f"for {', '.join(row['claims'].split(';'))}" in cost


def test_a_partial_report_between_looks_calls_its_verdicts_interim(begun):
    begun.snakemake("report_partial")
    analysis = json.loads((begun.folder / "results" / "partial" / "analysis.json").read_text(encoding="utf-8"))
    interim = analysis["study"]["interim"]
    assert interim.startswith("These verdicts are interim. Of 3 planned looks at the claims, 1 was held; ")
    by_id = {claim["id"]: claim for claim in analysis["claims"]}
    open_claims = {claim for row in _table(begun, 1) for claim in row["claims"].split(";") if claim}
    for claim in open_claims:
        assert by_id[claim]["verdict"] == "inconclusive"
        assert "interim: look 1 of 3, at 2 seeds; the next has 3 seeds" in by_id[claim]["reason"], claim


def test_a_study_whose_looks_are_through_plans_no_more(through):
    last = max(int(path.stem.removeprefix("look-")) for path in through.folder.glob("results/seeds/look-*.csv"))
    rows = _table(through, last)
    assert not any(row["claims"] for row in rows)
    said = through.snakemake().stdout
    assert "Nothing to be done" in said
    assert f"The looks are through: {last} of 3 were held." in said
    assert through.trained() == sum(int(row["planned"]) for row in rows) + 1
    with open(through.folder / "results" / "runs.csv", newline="", encoding="utf-8") as file:
        runs = list(csv.DictReader(file))
    fixed = [run for run in runs if "fixed" in run["experiments"].split(";")]
    assert {run["seed"] for run in fixed} == {"0"}
    analysis = json.loads((through.folder / "results" / "analysis.json").read_text(encoding="utf-8"))
    assert analysis["study"]["interim"] == ""
    states = "; ".join(row["states"] for row in rows)
    for claim in analysis["claims"]:
        if claim["id"] == "T1":
            assert f"T1 {claim['verdict']} at look" in states


def test_runs_that_were_restored_are_never_trained_again(through, tmp_path):
    """As in a fresh clone after `restore`: the store is all there is, and every look is held anew."""
    shutil.copytree(through.folder / "results" / "store", tmp_path / "study" / "results" / "store")
    shutil.copytree(through.folder / "results" / "data", tmp_path / "study" / "results" / "data")
    study = Study(tmp_path / "study", overlay=through.overlay)
    study.snakemake("results/runs.csv")
    assert study.trained() == through.trained()
    assert study.trained_last() == 0
    for path in Path(through.folder).glob("results/seeds/*.csv"):
        assert (study.folder / "results" / "seeds" / path.name).read_bytes() == path.read_bytes()


def test_another_rule_holds_its_looks_anew(through, tmp_path):
    shutil.copytree(through.folder, tmp_path / "study", symlinks=True)
    study = Study(tmp_path / "study", overlay=through.overlay | {"seeds": {"looks": [2, 4], "spend": [0.01, 0.04]}})
    jobs, dry = study.planned()
    assert "Look 1 of 2, at 2 seeds of 2 cells, is to come." in dry
    assert jobs["hold_look"] == 1
