"""The study through Snakemake, on the real data: everything once, then nothing twice."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from configs import overlaid
from project import PROJECT
from refashion.judging import tables
from refashion.study.config import load_study
from tiny_study import TINY, Study, environment

RUNS = 4
TINY_CELL = TINY["experiments"]["tiny"]["cells"][0]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, prepared_data) -> Study:
    """A study that has been run once, to look at and to copy."""
    made = Study(tmp_path_factory.mktemp("study"), prepared_data)
    made.first = made.snakemake()
    return made


@pytest.fixture(scope="module")
def grown(finished, tmp_path_factory) -> Study:
    """The same study with a third seed."""
    made = _copy_of(finished, tmp_path_factory.mktemp("grown"))
    made.overlay["seeds"] = 3
    made.wanted = made.jobs("results/runs.csv")
    made.snakemake("results/runs.csv")
    return made


@pytest.fixture
def study(finished, tmp_path) -> Study:
    """A copy of the finished study, to go on with."""
    return _copy_of(finished, tmp_path)


def _copy_of(study: Study, folder: Path) -> Study:
    shutil.copytree(study.folder, folder / "study", symlinks=True, copy_function=_copy)
    return Study(folder / "study")


def _copy(source: str, target: str) -> None:
    """Copy a file and its time; the data set, which is large and which nothing here changes, becomes a link."""
    (os.link if Path(source).parent.name == "data" else shutil.copy2)(source, target)


def test_a_study_ends_with_its_report_and_tables(finished):
    results = finished.folder / "results"
    for name in (
        "report.html",
        "cells.csv",
        "claims.csv",
        "comparisons.csv",
        "effects.csv",
        "analysis.json",
        "runs.csv",
    ):
        assert (results / name).stat().st_size > 0, name
    assert finished.trained() == finished.trained_last() == RUNS
    assert "Traceback" not in finished.first.stdout


def test_a_second_run_does_nothing(study):
    assert "Nothing to be done" in study.snakemake().stdout


def test_an_added_seed_trains_only_that(grown):
    assert grown.wanted == {"train": 2, "collect": 1}
    assert grown.trained() == RUNS + 2


def test_the_readme_shows_the_rules_as_they_are():
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile")]
    command = [*snakemake, "--rulegraph", "mermaid-js"]
    done = subprocess.run(command, cwd=PROJECT, env=environment(), capture_output=True, text=True, check=True)
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", done.stdout))
    edges = {(names[one], names[other]) for one, other in re.findall(r"(id\d+) --> (id\d+)", done.stdout)}
    shown = (PROJECT / "README.md").read_text(encoding="utf-8").split("```mermaid")[1].split("```")[0]
    assert edges
    assert set(re.findall(r"(\w+) --> (\w+)", shown)) == edges


@pytest.mark.parametrize("forgotten", [True, False], ids=["Snakemake's notes are lost", "only times count"])
def test_no_report_is_made_of_other_runs_than_the_configs(study, forgotten):
    study.overlay["limits"]["images"] = 500
    times = []
    if forgotten:
        shutil.rmtree(study.folder / ".snakemake")
    else:
        times = ["--rerun-triggers", "mtime"]
    page = (study.folder / "results" / "report.html").read_bytes()
    done = study.snakemake("report", *times, check=False)
    assert done.returncode
    assert "results/runs.csv is of other runs than the config asks for (" in done.stdout
    assert "start again with --forcerun train" in done.stdout
    assert (
        not (study.folder / "results" / "report.html").exists()
        or page == (study.folder / "results" / "report.html").read_bytes()
    )


def test_an_edited_word_or_margin_reaches_the_report_and_so_does_its_return_whatever_snakemake_remembers(study):
    told = {"all": 1, "analyse": 1, "figures": 1, "report": 1}
    before = copy.deepcopy(study.overlay)
    shutil.rmtree(study.folder / ".snakemake")
    study.overlay |= {"title": "Another title", "analysis": {"training_margin": 2.0}}
    assert study.jobs() == told
    study.snakemake("report")
    assert "Another title" in (study.folder / "results" / "report.html").read_text(encoding="utf-8")
    assert study.jobs() == {}
    study.overlay = before
    assert study.jobs() == told


def test_a_pilot_is_planned_where_there_was_a_number_of_seeds_and_anew_when_it_is_edited(finished, grown, tmp_path):
    study = _copy_of(finished, tmp_path)
    shutil.copytree(grown.folder / "results" / "store", study.folder / "results" / "store", dirs_exist_ok=True)
    study.overlay["seeds"] = {"pilot": 2, "half_width": 0.01, "most": 3}  # narrower than three seeds can make it
    planned = study.jobs()
    assert (planned["plan_seeds"], planned["collect"]) == (1, 1)
    study.snakemake()
    assert study.jobs() == {}
    assert sorted(tables.read("runs", study.folder / "results" / "runs.csv")["seed"]) == [0, 0, 1, 1, 2, 2]
    study.overlay["seeds"]["half_width"] = 0.02
    planned = study.jobs()
    assert (planned["plan_seeds"], planned["collect"]) == (1, 1)


@pytest.mark.parametrize(
    ("seeds", "plan"),
    [
        ({"looks": [2, 3], "spend": [0.02, 0.03]}, "hold_look"),
        ({"pilot": 2, "half_width": 0.01, "most": 3}, "plan_seeds"),
    ],
)
def test_the_report_alone_asks_for_plans_where_another_study_s_tables_look_complete(study, seeds, plan):
    study.overlay["seeds"] = seeds
    planned = study.jobs("report")
    assert (planned[plan], planned["collect"], planned["analyse"]) == (1, 1, 1)


def test_a_key_that_stands_twice_stops_everything_with_one_sentence(study):
    command = study.command("--dry-run")
    with open(study.folder / "overlay.yaml", "a", encoding="utf-8") as file:
        file.write("seeds: 5\n")
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=300)
    assert done.returncode != 0
    assert "overlay.yaml, line " in done.stderr
    assert "the key 'seeds' stands twice." in done.stderr
    assert "Traceback" not in done.stderr


def test_an_edited_recipe_and_back_trains_nothing_again(study):
    study.overlay["recipes"] = {"b256_e100": {"batch_size": 128}}
    study.snakemake("results/runs.csv")
    assert study.trained() == RUNS + 2
    assert study.trained_last() == RUNS
    del study.overlay["recipes"]
    study.snakemake("results/runs.csv")
    assert study.trained() == RUNS + 2
    assert study.trained_last() == RUNS - 2  # of the recipe that was not edited


def test_lost_views_come_back_from_the_store_without_training(study):
    shutil.rmtree(study.folder / "results" / "runs")
    (study.folder / "results" / "runs.csv").unlink()
    study.snakemake("results/runs.csv")
    assert len(list(study.folder.glob("results/runs/**/metrics.json"))) == RUNS
    assert study.trained() == RUNS
    assert study.trained_last() == 0


def test_two_names_for_one_training_train_once(study):
    shutil.rmtree(study.folder / "logs")
    study.overlay["recipes"] = {"again": {"batch_size": 256, "epochs": 77}}  # one epoch, like the other, by the limit
    study.overlay["experiments"]["tiny"]["cells"] = [TINY_CELL | {"recipe": ["b256_e100", "again"]}]
    study.overlay["limits"]["epochs"] = 1
    study.snakemake("results/runs.csv", cores=4)
    assert study.trained() == RUNS + 2
    assert study.trained_last() == 2
    assert len(list(study.folder.glob("results/runs/cnn1/**/metrics.json"))) == 4


def test_a_mistake_in_the_config_stops_everything_with_one_sentence(study):
    study.overlay["recipes"] = {"b256_e100": {"epochs": 0}}
    done = study.snakemake(check=False)
    assert done.returncode != 0
    (sentence,) = [line for line in done.stdout.splitlines() if line.startswith("config: ")]
    assert sentence == "config: recipes.b256_e100.epochs is 0; allowed is a whole number from 1 to 100000."
    assert "Traceback" not in done.stdout


def test_a_partial_report_shows_what_the_store_has_and_names_what_is_missing(study):
    shutil.rmtree(study.folder / "results" / "runs")  # as after `restore` in a fresh clone
    study.overlay["seeds"] = 5
    study.snakemake("report_partial")
    analysis = json.loads((study.folder / "results" / "partial" / "analysis.json").read_text(encoding="utf-8"))
    wanted = analysis["study"]["runs"]
    assert (wanted["wanted"], wanted["finished"], wanted["missing"]) == (2 * 5, RUNS, 2 * 5 - RUNS)
    page = (study.folder / "results" / "partial" / "report.html").read_text(encoding="utf-8")
    assert "missing" in page
    assert not (study.folder / "results" / "partial" / "runs").exists()
    runs = tables.read("runs", study.folder / "results" / "partial" / "runs.csv")
    assert (runs["status"] == "finished").sum() == analysis["study"]["runs"]["finished"]


def test_restore_says_what_is_left_to_train_and_how_to_look_without_training(study):
    """Who restores next asks for the report: `report` would train the rest, hours of it."""
    study.overlay["seeds"] = 6
    said = study.snakemake("restore").stdout
    assert "published runs; " in said
    assert said.count("runs are left to train") == 1  # and no bill at the start
    assert "without training: snakemake report_partial" in said


def test_snakemakes_own_report_holds_ours(study):
    study.snakemake("--report", "study.zip")
    assert (study.folder / "study.zip").stat().st_size > 100_000


@pytest.mark.parametrize("overlay", [None, "full.yaml"])
def test_the_committed_studies_are_planned(tmp_path, config, overlay):
    """A job for each run that the study names, those that a later stage may ask for not among them."""
    told = yaml.safe_load((PROJECT / "config" / overlay).read_text(encoding="utf-8")) if overlay else {}
    jobs = Study(tmp_path, overlay=told | {"device": "cpu"}).jobs()
    assert jobs["train"] == len(load_study(overlaid(config, overlay) if overlay else config).runs())
    assert {"prepare_data", "collect", "analyse", "figures", "report"} <= jobs.keys()


@pytest.mark.parametrize(
    ("rule", "results"),
    [
        ("report_partial", "results/partial"),
        pytest.param("report", "results", marks=pytest.mark.slow),  # copies each run in a job of its own
    ],
)
def test_the_published_study_is_restored_and_reported_without_training(tmp_path, prepared_data, rule, results):
    """What `make restore` and a report give in a fresh clone: the numbers that are committed."""
    fresh = Study(tmp_path, prepared_data, overlay={"device": "cpu"})
    said = fresh.snakemake("restore").stdout
    assert f"without training: snakemake report --configfile {tmp_path / 'overlay.yaml'}\n" in said
    fresh.snakemake(rule)
    assert fresh.trained_last() == 0
    mine, theirs = (
        json.loads((folder / "analysis.json").read_text(encoding="utf-8"))
        for folder in (tmp_path / results, PROJECT / "published")
    )
    for one in (mine, theirs):
        del one["provenance"]["analysis"]  # the versions that analysed
    assert not list(differences(mine, theirs))


def differences(one, other, place=""):
    """Where two JSON documents differ; numbers by more than the last bits, in which processors may."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = [(one[key], other[key], f"{place}.{key}") for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(*pair, f"{place}[{i}]") for i, pair in enumerate(zip(one, other, strict=True))]
    else:
        numbers = isinstance(one, float) and isinstance(other, float)
        if one != (pytest.approx(other, rel=1e-9, abs=1e-12) if numbers else other):
            yield f"{place}: {one!r} is not {other!r}"
        return
    for pair in pairs:
        yield from differences(*pair)
