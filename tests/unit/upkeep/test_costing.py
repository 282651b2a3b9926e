"""The cost of a study: hours by hand from runs whose speed is known, and what is said where none is."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from refashion import provenance
from refashion.study.config import load_study
from refashion.study.model import Cell, Run, digest
from refashion.training import run_files
from refashion.upkeep import costing
from refashion.upkeep.benchmark import table as benchmark_table
from refashion.upkeep.costing import Places, Speed, Work

CNN1 = Cell("cnn1", "10k", "none", "b256_e100")
CPU = provenance.machine()["cpu"]


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "store", tmp_path / "published", tmp_path / "benchmark.csv")


@pytest.fixture
def loaded(config):
    """Two experiments of two seeds; the second wants a cell of the first, and one of its own."""
    config.update(device="cpu", seeds=2, run=["first", "second"])
    cell = {"architecture": "cnn1", "fraction": "10k", "augmentation": "none", "recipe": "b256_e100"}
    config["experiments"] = {
        "first": {"title": "First", "question": "?", "cells": [cell]},
        "second": {"title": "Second", "question": "?", "cells": [cell, cell | {"architecture": "softmax"}]},
    }
    return load_study(config)


def _finish(folder, loaded, run, speed, cpu=CPU, status="finished", resumed=0, updates=None, device="cpu"):
    """A finished run in a store, made at `speed`."""
    spec = loaded.spec(run)
    updates = updates or spec["recipe"]["updates"]
    random = len(spec["augmentation"]) > 1
    done = costing.work(spec["fraction"]["images"], 10_000, spec["recipe"]["batch_size"], updates, random)
    parts = {"train_seconds": done.trained * speed.image, "eval_seconds": done.scored * speed.score}
    metrics = {
        "format": run_files.FORMAT,
        "spec": spec,
        "status": status,
        "updates": updates,
        "timing": {**parts, "setup_seconds": speed.fixed, "seconds": speed.seconds(done), "resumed": resumed},
        "provenance": {"cpu": cpu, "cores": 64, "device": device, "device_name": "GeForce 256"},
    }
    path = folder / digest(spec)
    path.mkdir(parents=True)
    (path / "metrics.json").write_text(json.dumps(metrics))


def test_a_fold_is_charged_for_its_own_images_and_not_for_the_test_images(config, places):
    """60,000 training images, so a fold of 10,000; here with 5,000 test images, as the two would else be alike."""
    for part in ("test_images", "test_labels"):
        config["datasets"]["fashion_mnist"]["files"][part]["shape"][0] = 5_000
    loaded = load_study(config)
    speeds = costing.Speeds(loaded, {}, places, "cpu")
    for fraction, scored in (("10k", 100 * 5_000 + 10_000), ("10k_fold", 100 * 10_000 + 10_000)):
        assert speeds.work(Cell("cnn1", fraction, "none", "b256_e100")) == Work(1_000_000, scored)


def test_the_work_of_a_run_is_counted_image_by_image():
    # 50 epochs of 60,000 images; 10,000 validation images each, augmented and clean; the training images once
    assert costing.work(60_000, 10_000, 256, 11_750, random=True) == Work(3_000_000, 50 * 20_000 + 60_000)
    assert costing.work(10_000, 10_000, 256, 4_000, random=False) == Work(1_000_000, 100 * 10_000 + 10_000)
    # two epochs of 5 batches (100 images, the last of 20) and 2 batches of a third epoch, which is validated, too
    assert costing.work(100, 50, 20, 12, random=False) == Work(240, 3 * 50 + 100)
    assert costing.work(10, 50, 20, 2, random=False) == Work(20, 2 * 50 + 10)  # a batch larger than the data


def test_seconds_are_a_fixed_cost_and_a_time_for_each_image():
    assert Speed(0.001, 0.0005, 5.0).seconds(Work(60_000, 10_000)) == pytest.approx(60 + 5 + 5)


def test_digests_are_those_of_the_runs(config):
    loaded = load_study(config)
    assert costing.digests(loaded) == {run: digest(loaded.spec(run)) for run in loaded.runs()}


def test_where_nothing_is_measured_nothing_is_claimed(loaded, places):
    bill = costing.bill(loaded, places)
    assert (bill.total.left, bill.total.unmeasured, bill.sources) == (4, 4, ())
    assert "Not measured yet: snakemake benchmark" in costing.table(bill)
    assert costing.one_line(loaded, 2, places) == (
        "4 of 4 runs are left to train: their cost is not measured yet (snakemake benchmark)."
    )


def test_the_bill_counts_each_run_once_and_only_those_left(loaded, places):
    """cnn1: 1,000,000 images trained at 1 ms, 1,010,000 scored at 0.5 ms and 95 s make 1,600 s a run."""
    speed = Speed(0.001, 0.0005, 95.0)
    _finish(places.store, loaded, Run(CNN1, 0), speed)
    first, second = costing.bill(loaded, places).lines
    total = costing.bill(loaded, places).total
    hours = 1600 / 3600
    assert (first.runs, first.left, first.unmeasured) == (2, 1, 0)
    assert (first.hours, first.shared) == (pytest.approx(hours), 0)
    assert (second.runs, second.left, second.unmeasured) == (4, 3, 2)
    assert (second.hours, second.shared) == (pytest.approx(hours), pytest.approx(hours))
    assert (total.runs, total.left, total.unmeasured, total.hours) == (4, 3, 2, pytest.approx(hours))


def test_the_table_and_the_line_say_what_is_known(loaded, places):
    _finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    assert costing.one_line(loaded, 2, places) == (
        "3 of 4 runs are left to train: about 0.44 core-hours (0.44 hours with 2 jobs at a time); "
        "2 runs are not in it, since nothing like them was measured yet."
    )
    lines = costing.table(costing.bill(loaded, places)).splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["first", "2", "1", "0.44", "0"],
        ["second", "4", "3", "0.44", "0.44", "2"],
        ["all,", "each", "run", "once", "4", "3", "0.44", "2"],
    ]
    assert lines[4:] == ["Speeds: finished runs on this machine.", "Runs that nothing measured is like: 2 of softmax."]


@pytest.mark.parametrize(("jobs", "time"), [(2, 8 / 9), (3, 16 / 27), (64, 4 / 9)])
def test_no_number_of_jobs_makes_the_time_shorter_than_that_of_the_longest_run(config, loaded, places, jobs, time):
    """Four runs of 1,600 s each (as above) are left, 0.444 hours: 64 jobs need as long as 4."""
    loaded = load_study(config | {"seeds": 5, "run": ["first"]})
    _finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    at_a_time = min(jobs, 4)
    assert costing.one_line(loaded, jobs, places) == (
        f"4 of 5 runs are left to train: about 1.8 core-hours ({time:.2f} hours with {at_a_time} jobs at a time)."
    )


def test_the_last_long_run_is_waited_for_whatever_the_jobs(loaded, places):
    """cnn1 is left with 1,600 s, softmax with two runs of 16 s: no two of three jobs shorten the first."""
    _finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    softmax = Cell("softmax", "10k", "none", "b256_e100")
    _finish(places.published, loaded, Run(softmax, 0), Speed(0.00001, 0.000005, 0.95))
    assert costing.one_line(loaded, 3, places) == (
        "3 of 4 runs are left to train: about 0.45 core-hours (0.44 hours with 3 jobs at a time)."
    )


def test_a_single_run_left_takes_as_long_as_it_takes(loaded, config, places):
    loaded = load_study(config | {"run": ["first"]})
    _finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    assert costing.one_line(loaded, 64, places) == "1 of 2 runs are left to train: about 0.44 core-hours."


def test_a_complete_study_costs_nothing_more(loaded, places):
    for run in loaded.runs():
        _finish(places.store, loaded, run, Speed(0.001, 0.0005, 5.0))
    assert costing.one_line(loaded, 2, places) == "All 4 runs are in the run store; nothing is left to train."


def test_the_median_of_long_runs_counts(config, places):
    """Short runs are mostly tracing; diverged, broken and foreign ones are none."""
    loaded = load_study(config | {"device": "cpu", "run": ["original"]})
    for seed, image in enumerate((0.001, 0.002, 0.009)):
        _finish(places.store, loaded, Run(CNN1, seed), Speed(image, 0.001, 5.0))
    _finish(places.store, loaded, Run(CNN1, 3), Speed(5.0, 5.0, 5.0), updates=40)  # one epoch of a hundred
    _finish(places.store, loaded, Run(CNN1, 4), Speed(7.0, 7.0, 7.0), status="diverged")
    (places.store / ("0" * 20)).mkdir()
    (places.store / ("1" * 20)).mkdir()
    (places.store / ("1" * 20) / "metrics.json").write_text('{"format": 1, "spec"')
    speeds = costing.Speeds(loaded, {}, places, "cpu")
    assert speeds.of(CNN1) == (Speed(*map(pytest.approx, (0.002, 0.001, 5.0))), "finished runs on this machine")


def test_time_lost_in_a_kill_is_no_cost(loaded, places):
    _finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 5.0), resumed=1)
    path = next(places.store.glob("*/metrics.json"))
    metrics = json.loads(path.read_text())
    metrics["timing"]["seconds"] += 3600
    path.write_text(json.dumps(metrics))
    speed, _ = costing.Speeds(loaded, {}, places, "cpu").of(CNN1)
    assert speed.fixed == 5.0


def test_the_nearest_kind_of_run_is_taken(config, places):
    loaded = load_study(config | {"device": "cpu", "run": list(config["experiments"])})
    small, large = Cell("lenet5", "60k", "none", "b32_e20"), Cell("lenet5", "60k", "none", "b256_u11750")
    tanh, affine = Cell("lenet5_tanh", "60k", "none", "b32_e20"), Cell("lenet5", "60k", "affine", "b256_u11750")
    _finish(places.store, loaded, Run(small, 0), Speed(0.004, 0.001, 5.0))
    _finish(places.store, loaded, Run(large, 0), Speed(0.001, 0.001, 5.0))
    _finish(places.store, loaded, Run(large, 1), Speed(0.001, 0.001, 5.0))
    speeds = costing.Speeds(loaded, {}, places, "cpu")
    assert speeds.of(small)[0].image == pytest.approx(0.004)  # same batch size
    assert speeds.of(large)[0].image == pytest.approx(0.001)
    assert speeds.of(tanh)[0].image == pytest.approx(0.001)  # same builder: the median of all three
    assert speeds.of(affine) is None


def _benchmark(path, device="cpu", cpu=CPU):
    row = {"architecture": "cnn1", "augmentation": "none", "program": benchmark_table.ENGINE, "note": "", "cpu": cpu}
    row |= {"device": device, "processes": 2, "images_per_second": 1900.0, "fixed_seconds": 6.0}
    other = row | {"program": benchmark_table.PLAIN, "images_per_second": 1.0}
    benchmark_table.write(path, [dict.fromkeys(benchmark_table.COLUMNS) | one for one in (row, other)])


def test_the_benchmark_stands_in_for_runs(loaded, places):
    """2 processes train 1,900 images a second, and score a sixth of that at a third of the time: 1/18 of the rest."""
    _benchmark(places.benchmark)
    speed, source = costing.Speeds(loaded, {}, places, "cpu").of(CNN1)
    assert source == "the benchmark on this machine"
    assert (speed.image, speed.score, speed.fixed) == pytest.approx(
        (0.001 * 18 / 19 / 0.95, 0.001 / 3 * 18 / 19 / 0.95, 6.0)
    )
    assert 2 / (speed.image + speed.score / 6) == pytest.approx(1900)
    assert costing.Speeds(loaded, {}, places, "gpu").of(CNN1) is None


def test_runs_here_come_before_the_benchmark_and_runs_elsewhere_after_it(loaded, places):
    _finish(places.published, loaded, Run(CNN1, 0), Speed(0.003, 0.001, 5.0), cpu="Z80")
    assert costing.Speeds(loaded, {}, places, "cpu").of(CNN1)[1] == "runs on Z80, 64 cores"
    _benchmark(places.benchmark, cpu="6502")
    assert costing.Speeds(loaded, {}, places, "cpu").of(CNN1)[1] == "the benchmark on 6502"
    _finish(places.store, loaded, Run(CNN1, 1), Speed(0.002, 0.001, 5.0))
    assert costing.Speeds(loaded, {}, places, "cpu").of(CNN1)[1] == "finished runs on this machine"


def test_the_speeds_of_a_processor_are_not_those_of_a_gpu(config, loaded, places):
    _finish(places.published, loaded, Run(CNN1, 0), Speed(0.003, 0.001, 5.0), cpu="Z80")
    _finish(places.store, loaded, Run(CNN1, 1), Speed(0.002, 0.001, 5.0))
    on_gpus = load_study(config | {"device": "gpu"})
    assert costing.one_line(on_gpus, 1, places) == (
        "3 of 4 runs are left to train: their cost is not measured yet (snakemake benchmark)."
    )
    _finish(places.published, loaded, Run(CNN1, 2), Speed(0.0001, 0.0001, 5.0), cpu="Z80", device="gpu")
    speed, source = costing.Speeds(on_gpus, {}, places, "gpu").of(CNN1)
    assert (speed.image, source) == (pytest.approx(0.0001), "runs on GeForce 256, 64 cores")
    assert costing.Speeds(loaded, {}, places, "cpu").of(CNN1)[0].image == pytest.approx(0.002)


@pytest.mark.parametrize(
    "harm",
    [
        lambda metrics: {"format": run_files.FORMAT},
        lambda metrics: metrics | {"spec": []},
        lambda metrics: metrics | {"timing": None},
        lambda metrics: metrics | {"updates": 0},
        lambda metrics: metrics | {"provenance": {"cpu": CPU}},
        lambda metrics: metrics | {"spec": metrics["spec"] | {"recipe": {}}},
    ],
)
def test_a_run_that_lacks_what_is_asked_measures_nothing(loaded, places, harm):
    _finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    _finish(places.published, loaded, Run(CNN1, 1), Speed(0.001, 0.0005, 95.0))
    path = next(places.store.glob("*/metrics.json"))
    path.write_text(json.dumps(harm(json.loads(path.read_text()))))
    assert costing.one_line(loaded, 1, places).startswith("3 of 4 runs are left to train: about 0.44 core-hours; ")


@pytest.mark.parametrize("content", ["[" * 100_000, " " * 2**21, ""])
def test_a_run_whose_metrics_are_damaged_measures_nothing(loaded, places, content):
    _finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    _finish(places.published, loaded, Run(CNN1, 1), Speed(0.001, 0.0005, 95.0))
    next(places.store.glob("*/metrics.json")).write_text(content)
    assert costing.one_line(loaded, 1, places).startswith("3 of 4 runs are left to train: about 0.44 core-hours; ")


def test_a_broken_benchmark_does_not_stop_the_study(loaded, places):
    places.benchmark.write_text("not a table\n")
    assert costing.one_line(loaded, 2, places).startswith("The cost is not known: ")


def test_seeds_of_a_second_stage_are_announced(config, places):
    config.update(run=["original"], seeds={"pilot": 3, "half_width": 0.15, "most": 9})
    loaded = load_study(config)
    assert "On top come the seeds that pilot runs or looks will ask for." in costing.table(costing.bill(loaded, places))
    for run in loaded.runs():
        _finish(places.store, loaded, run, Speed(0.001, 0.0005, 95.0))
    assert costing.one_line(loaded, 2, places) == (
        "All 18 runs are in the run store; seeds that they ask for come on top."
    )
    planned = loaded.with_plan({("original", cell): 5 if cell == CNN1 else 3 for cell in loaded.cells()})
    assert costing.bill(planned, places).total.runs == 6 * 3 + 2
    assert "On top" not in costing.table(costing.bill(planned, places))


def test_the_next_look_tells_its_cost_and_the_claims_that_want_it(config, places):
    """The first look is done, V4 is open: five more seeds of its cell, at the measured 0.44 hours for three runs."""
    config["run"] = ["original"]
    config["experiments"]["original"]["seeds"] = {"looks": [5, 10], "spend": [0.01, 0.04]}
    loaded = load_study(config)
    for run in loaded.runs():
        _finish(places.store, loaded, run, Speed(0.001, 0.0005, 95.0))
    cells = {cell.name: 5 for cell in loaded.cells()}
    assert costing.one_line(loaded, 2, places).endswith("; seeds that they ask for come on top.")
    looks = SimpleNamespace(wants={CNN1.name: ("V4", "T4")}, told="Look 1 of 2 was held.", cells=cells)
    grown = loaded.with_plan({("original", CNN1): 10})
    hours = 5 * costing.Speeds(grown, {}, places, "cpu").seconds(CNN1) / 3600
    assert costing.look_table(grown, looks, places) == (
        f"Look 1 of 2 was held.\n  {CNN1.name}: 5 runs left, {hours:.2g} core-hours, for V4, T4"
    )
    assert costing.bill(grown, places).total.left == 5


def test_of_10000_runs_few_are_read(config, places, monkeypatch):
    """What takes time at the start of a study: reading runs. Their number has a bound that the study's size has not."""
    for experiment in config["experiments"].values():
        experiment.pop("seeds", None)
    loaded = load_study(config | {"device": "cpu", "run": list(config["experiments"]), "seeds": 70})
    names = set(costing.digests(loaded).values())
    strangers = {f"{number:020x}" for number in range(2000)}
    read = []
    monkeypatch.setattr(costing, "finished", lambda folder: names | strangers if folder == places.store else set())
    monkeypatch.setattr(costing, "_read", lambda folder: read.append(folder.name))
    assert len(names) > 10_000
    costing.bill(loaded, places)
    kinds = {costing.Kind.of(loaded.spec(Run(cell, 0))) for cell in loaded.cells()}
    assert len(read) == len(set(read)) == costing.SAMPLE * len(kinds) + costing.OTHERS
