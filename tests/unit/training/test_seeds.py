"""Stein's second stage as the Snakefile uses it: from pilot runs to pilots.csv to more runs."""

from __future__ import annotations

import math
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

import run_folders
from project import PROJECT
from refashion import files
from refashion.errors import UserError
from refashion.study.config import load_study
from refashion.study.model import AXES, Cell
from refashion.training import seeds
from refashion.upkeep import publishing, readmes

CELL = Cell("lenet5", "60k", "none", "b32_e20")
OTHER = Cell("cnn1", "10k", "none", "b256_e100")
#: Validation images, in two equal halves.
IMAGES = 2000
ACCURACIES = {CELL: (0.890, 0.894, 0.897), OTHER: (0.88, 0.88, 0.88)}


@pytest.fixture
def pilots(config):
    sha256 = run_folders.sha256(run_folders.labels(IMAGES))
    config["datasets"]["fashion_mnist"]["files"]["test_labels"]["sha256"] = sha256
    config["run"] = ["losses"]
    config["experiments"]["losses"]["cells"] = [
        dict(zip(AXES, cell.name.split("/"), strict=True)) for cell in ACCURACIES
    ]
    config["experiments"]["losses"]["seeds"] = {"pilot": 3, "half_width": 0.5, "most": 20}
    return config


def _finish(loaded, root, diverged=()):
    for run in loaded.pilot_runs():
        spec = loaded.spec(run)
        made = run_folders.parts(spec, IMAGES, diverged_epoch=2 if (run.cell, run.seed) in diverged else None)
        made = made if made.metrics["status"] == "diverged" else _at(ACCURACIES[run.cell][run.seed], made)
        run_folders.write(spec, root / run.folder, made)


def _at(accuracy, made):
    """The run with another accuracy at its end: so many of a thousand images are right, in both halves alike."""
    right = round(accuracy * IMAGES / 2)
    own = made.predictions["labels"]
    guess = (own + 1) % 10
    guess[: 2 * right] = own[: 2 * right]
    columns = ("val_accuracy", "val_accuracy_a", "val_accuracy_b")
    history = run_folders.with_values(made.history, -1, **dict.fromkeys(columns, repr(2 * right / IMAGES)))
    final = made.metrics["final"] | {"val_accuracy": 2 * right / IMAGES}
    return run_folders.Parts(made.metrics | {"final": final}, history, made.predictions | {"validated": guess})


def _plans(config, root, diverged=()):
    """The plan of each pilot cell by its network, from finished runs."""
    loaded = load_study(config)
    _finish(loaded, root, diverged)
    return {row["architecture"]: row for row in seeds.plan_pilots(loaded, root)}


def _wanted(accuracies):
    """Stein 1945: N = max(n0, ceil((t(n0 - 1) s0 / h)^2)), here written out by hand."""
    return math.ceil((stats.t.ppf(0.975, len(accuracies) - 1) * np.std(accuracies, ddof=1) / 0.5) ** 2)


def test_the_second_stage_is_steins(pilots, tmp_path):
    plans, wanted = _plans(pilots, tmp_path), _wanted([89.0, 89.4, 89.7])
    assert (plans["lenet5"]["wanted"], plans["lenet5"]["planned"], plans["lenet5"]["capped"]) == (wanted, wanted, False)
    assert plans["cnn1"]["planned"] == 3  # no spread at all


def test_the_most_is_binding_and_said(pilots, tmp_path):
    pilots["experiments"]["losses"]["seeds"]["most"] = 4
    plan = _plans(pilots, tmp_path)["lenet5"]
    assert (plan["planned"], plan["capped"]) == (4, True)


@pytest.mark.parametrize(("most", "planned", "capped"), [(20, 20, True), (40, _wanted([89.4, 89.7]) + 1, False)])
def test_pilot_runs_that_diverged_are_replaced(pilots, tmp_path, most, planned, capped):
    """Stein's number is of runs that count: with one of three diverged, two count, and as many as he wants must."""
    pilots["experiments"]["losses"]["seeds"]["most"] = most
    plan = _plans(pilots, tmp_path, diverged={(CELL, 0)})["lenet5"]
    assert (plan["wanted"], plan["planned"], plan["capped"]) == (_wanted([89.4, 89.7]), planned, capped)


def test_a_cell_without_two_runs_keeps_its_pilot_and_says_why(pilots, tmp_path):
    plan = _plans(pilots, tmp_path, diverged={(CELL, 0), (CELL, 2)})["lenet5"]
    assert (plan["finished"], plan["planned"], plan["sd"]) == (1, 3, None)
    assert plan["reason"].startswith("cannot say, because")


@pytest.fixture
def grown(pilots, tmp_path):
    """The study as pilots.csv, which is written, makes it grow."""
    plans = _plans(pilots, tmp_path)
    files.write_csv(tmp_path / "pilots.csv", plans.values(), seeds.PILOT_COLUMNS)
    return seeds.with_plans(load_study(pilots), tmp_path)


def test_a_written_plan_makes_the_study_grow(grown, pilots, tmp_path):
    planned = {CELL: _wanted([89.0, 89.4, 89.7]), OTHER: 3}
    assert {cell: sum(run.cell == cell for run in grown.runs()) for cell in planned} == planned
    loaded = load_study(pilots)
    (tmp_path / "pilots.csv").write_text("cell,planned\n")
    with pytest.raises(UserError, match=r"pilots\.csv is no plan of seeds \(its columns are others\)"):
        seeds.with_plans(loaded, tmp_path)


@pytest.mark.parametrize(
    "broken", [b"\xff\xfe", b"cnn1,10k,none,b256_e100,x,2,2,0.1,1,3,9,abc,False,\n", b"cnn1,10k\n"]
)
def test_a_broken_plan_is_told_in_a_sentence(pilots, tmp_path, broken):
    path = tmp_path / "pilots.csv"
    path.write_bytes(",".join(seeds.PILOT_COLUMNS).encode() + b"\n" + broken)
    with pytest.raises(UserError, match=r"pilots\.csv is no plan of seeds .*; delete it and run again\."):
        seeds.with_plans(load_study(pilots), tmp_path)


def test_runs_of_the_second_stage_are_published(grown, pilots, tmp_path, monkeypatch):
    """The rule's script, as Snakemake calls it: the report that it publishes rests on them."""
    asked = []
    monkeypatch.setattr(publishing, "publish", lambda study, *others, **named: asked.extend(study.runs()))
    monkeypatch.setattr(readmes, "write", lambda published, project: None)
    script = runpy.run_path(str(PROJECT / "workflow" / "scripts" / "publish.py"))
    files.copy(PROJECT / "config" / "config.yaml", tmp_path / "config" / "config.yaml")
    params = {"project": tmp_path, "published": tmp_path / "published", "store": tmp_path / "store", "plans": tmp_path}
    params |= {"original": PROJECT / "config" / "original.yaml"}
    params |= {"results": tmp_path, "benchmark": tmp_path / "b.csv", "derived": []}
    script["main"](SimpleNamespace(params=SimpleNamespace(**params), config=pilots), None)
    assert asked == list(grown.runs())


@pytest.mark.parametrize("changed", [{"pilot": 2}, {"half_width": 0.6}, {"most": 5}])
def test_a_plan_made_for_other_settings_plans_nothing(grown, pilots, tmp_path, changed):
    assert len(grown.runs()) > len(load_study(pilots).runs())
    pilots["experiments"]["losses"]["seeds"] |= changed
    edited = load_study(pilots)
    assert seeds.with_plans(edited, tmp_path).runs() == edited.runs()


def test_a_plan_that_is_not_there_yet_is_none(pilots, tmp_path):
    loaded = load_study(pilots)
    assert seeds.with_plans(loaded, tmp_path) is loaded


def test_a_study_without_pilots_does_not_look_at_the_plan_of_another(config, tmp_path):
    (tmp_path / "pilots.csv").write_text("no plan at all\n")
    config["run"] = ["original"]
    loaded = load_study(config)
    assert seeds.with_plans(loaded, tmp_path) is loaded


def test_a_study_without_looks_does_not_look_at_the_look_of_another(pilots, tmp_path):
    loaded = load_study(pilots)
    files.write_csv(seeds.look_table(tmp_path, 1), [], seeds.LOOK_COLUMNS)
    assert (seeds.told(loaded, tmp_path), seeds.read_look(loaded, tmp_path, 1)) == ("", {})
