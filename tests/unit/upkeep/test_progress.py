"""How far a study is: read from its store, and told in three lines."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from project import PROJECT
from refashion.study.config import load_study, read_config
from refashion.study.model import Cell, Run, digest
from refashion.training import run_state
from refashion.training.run_state import RunState
from refashion.training.speeds import Speeds
from refashion.upkeep import costing, progress
from timed_runs import CNN1

NOW = 1_800_000_000.0
#: Seconds that a run is made to cost here.
SECONDS = 100.0


@pytest.fixture
def loaded(config):
    """Six runs of one cell."""
    cell = {"architecture": "cnn1", "fraction": "10k", "augmentation": "none", "recipe": "b256_e100"}
    config["experiments"] = {"only": {"title": "Only", "question": "?", "cells": [cell]}}
    return load_study(config | {"device": "cpu", "seeds": 6, "run": ["only"]})


@pytest.fixture
def known_cost(monkeypatch):
    monkeypatch.setattr(Speeds, "seconds", lambda *_: SECONDS)


def _says(places, loaded, seed, *state, age=10.0):
    """Leave the state that a job wrote so many seconds ago."""
    run_state.write(places.store, _digest(loaded, seed), RunState(*state))
    path = run_state.path_of(places.store, _digest(loaded, seed))
    os.utime(path, (NOW - age, NOW - age))


def _digest(loaded, seed):
    return digest(loaded.spec(Run(CNN1, seed)))


def _finish(places, loaded, seed):
    folder = places.store / _digest(loaded, seed)
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text("{}")


@pytest.fixture
def under_way(places, loaded, known_cost):
    """Seed 0 is done, 1 and 2 run, 3 failed, 4 was killed, 5 has not begun."""
    _finish(places, loaded, 0)
    (places.store / _digest(loaded, 5)).mkdir()  # a run that lost its files is not done
    _says(places, loaded, 1, "running", 7, 100, 7.0)
    _says(places, loaded, 2, "running", 0, 100)
    _says(places, loaded, 3, "failed", 9, 100, 9.0, "ValueError: no good")
    _says(places, loaded, 4, "running", 50, 100, 50.0, age=1000)
    return progress.look(loaded, NOW, places)


def test_runs_are_done_running_failed_or_waiting(under_way):
    assert (under_way.wanted, under_way.done, under_way.waiting, under_way.unmeasured) == (6, 1, 2, 0)
    assert under_way.running == (
        progress.Running(Run(CNN1, 1), 7, 100, 93.0 - 10.0),  # a second an epoch, told 10 s ago
        progress.Running(Run(CNN1, 2), 0, 100, SECONDS - 10.0),
    )
    assert under_way.failed == ((Run(CNN1, 3), "ValueError: no good"),)
    assert (under_way.left, under_way.longest) == (2 * SECONDS, SECONDS)


def test_three_lines_and_the_failures(under_way):
    log = "logs/train/cnn1/10k/none/b256_e100/seed-3.log"
    assert progress.text(under_way, jobs=8).splitlines() == [
        "Done     1 of 6 runs",
        "Running  2: cnn1/10k/none/b256_e100 seed 1, epoch 7 of 100 done, 1 min 23 s left; "
        "cnn1/10k/none/b256_e100 seed 2, epoch 0 of 100 done, 1 min 30 s left",
        "Left     2 waiting; all done in about 3 min 6 s with 2 at a time",  # (83 + 90 + 2 x 100) / 2
        "Failed   1",
        f"  cnn1/10k/none/b256_e100 seed 3: ValueError: no good ({log})",
    ]


def test_a_run_that_saved_lately_is_running_however_long_its_epochs_are(places, loaded, known_cost):
    _says(places, loaded, 0, "running", 1, 100, 3600.0, age=1000)
    assert progress.look(loaded, NOW, places).running == ()
    checkpoint = places.store / "checkpoints" / f"{_digest(loaded, 0)}.npz"
    checkpoint.write_bytes(b"")
    os.utime(checkpoint, (NOW - 100, NOW - 100))
    (found,) = progress.look(loaded, NOW, places).running
    assert found.left == 99 * 3600 - 1000


@pytest.mark.parametrize("age", [1.0, 1e6])
def test_a_run_that_was_stopped_waits_to_go_on(places, loaded, known_cost, age):
    _says(places, loaded, 0, "stopped", 2, 100, 2.0, age=age)
    found = progress.look(loaded, NOW, places)
    assert (found.waiting, found.failed, found.running) == (6, (), ())


def test_a_run_that_starts_is_running_and_one_that_was_killed_then_waits(places, loaded, known_cost):
    _says(places, loaded, 0, age=1.0)
    _says(places, loaded, 1, age=1e6)
    found = progress.look(loaded, NOW, places)
    assert (found.waiting, found.failed) == (5, ())
    assert found.running == (progress.Running(Run(CNN1, 0), 0, None, SECONDS - 1.0),)
    assert "seed 0, before its first epoch's end, 1 min 39 s left" in progress.text(found, jobs=8)


def test_a_run_that_goes_on_has_only_the_rest_left(places, loaded, known_cost):
    _says(places, loaded, 0, "running", 75, 100, 75.0, age=1.0)
    _says(places, loaded, 1, "running", 100, 100, 100.0, age=1.0)  # its training images remain to be scored
    assert progress.look(loaded, NOW, places).running == (
        progress.Running(Run(CNN1, 0), 75, 100, 24.0),
        progress.Running(Run(CNN1, 1), 100, 100, 0.0),
    )


def test_a_run_counts_by_its_digest_whatever_another_config_left(places, loaded, known_cost):
    """The same names with other definitions are other runs: neither running nor failed here."""
    other = load_study(loaded.config | {"limits": {"images": 600, "epochs": 2, "updates": None}})
    for seed, state in enumerate(("running", "failed")):
        run_state.write(places.store, digest(other.spec(Run(CNN1, seed))), RunState(state, reason="foreign"))
    found = progress.look(loaded, 0.0, places)
    assert (found.waiting, found.failed, found.running) == (6, (), ())
    found = progress.look(other, 0.0, places)
    assert (found.waiting, len(found.failed), len(found.running)) == (4, 1, 1)


def test_the_log_of_a_run_is_that_of_the_rule():
    run = Run(Cell("{architecture}", "{fraction}", "{augmentation}", "{recipe}"), "{seed}")
    assert f'"{run.log}"' in (PROJECT / "Snakefile").read_text(encoding="utf-8")


def test_where_nothing_is_measured_no_time_is_claimed(places, loaded):
    text = progress.text(progress.look(loaded, NOW, places), jobs=2)
    assert text.splitlines() == [
        "Done     0 of 6 runs",
        "Running  0",
        "Left     6 waiting; the time is not measured yet (snakemake benchmark)",
    ]


def test_runs_of_unknown_speed_are_told_beside_the_time(under_way):
    partly = progress.Progress(9, 1, under_way.running, (), 4, 200.0, 100.0, 2)
    assert progress.text(partly, 8).splitlines()[2] == (
        "Left     4 waiting; all done in about 3 min 6 s with 2 at a time, and 2 runs whose speed is not measured yet"
    )


def test_no_end_comes_before_that_of_the_longest_run():
    long = progress.Running(Run(CNN1, 0), 1, 100, 7200.0)
    short = progress.Running(Run(CNN1, 1), 99, 100, 10.0)
    found = progress.Progress(2, 0, (long, short), (), 0, 0.0, 0.0, 0)
    assert "all done in about 2 h with 2" in progress.text(found, jobs=2)


@pytest.mark.parametrize(("left", "longest"), [(2 * 10_800.0, 10_800.0), (10_900.0, 10_800.0)])
def test_no_number_of_cores_makes_a_run_that_waits_shorter(left, longest):
    found = progress.Progress(2, 0, (), (), 2, left, longest, 0)
    assert progress.text(found, jobs=64).splitlines()[2] == (
        "Left     2 waiting; all done in about 3 h with 2 at a time"
    )


def test_a_finished_study_has_nothing_left(places, loaded, known_cost):
    for seed in range(6):
        _finish(places, loaded, seed)
    _says(places, loaded, 0, "failed", 9, 100, 9.0, "an earlier job failed")
    text = progress.text(progress.look(loaded, NOW, places), jobs=2)
    assert text.splitlines() == ["Done     6 of 6 runs", "Running  0", "Left     0 waiting"]


def test_the_command_reads_only_and_imports_no_tensorflow(tmp_path):
    script = PROJECT / "workflow" / "scripts" / "progress.py"
    watch = (
        "import runpy, sys\n"
        f"sys.argv = ['progress.py', {str(PROJECT / 'config' / 'quick.yaml')!r}]\n"
        f"sys.path.insert(0, {str(script.parent)!r})\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')\n"
        "print(sorted({'tensorflow', 'keras', 'pandas', 'snakemake'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", watch], cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    quick = load_study(read_config(PROJECT / "config" / name for name in ("config.yaml", "quick.yaml")))
    assert lines[0] == f"Done     0 of {len(set(costing.digests(quick).values()))} runs"
    assert lines[-1] == "[]"
    assert list(tmp_path.iterdir()) == []


def test_the_command_tells_a_mistake_in_a_sentence(tmp_path):
    command = [sys.executable, str(PROJECT / "workflow" / "scripts" / "progress.py"), "nothing.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "nothing.yaml is missing; a YAML file is wanted.\n"
