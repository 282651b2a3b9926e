"""The cost of a study: hours by hand from runs whose speed is known, and what is said where none is."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from refashion.study.config import load_study
from refashion.study.model import Cell, Run
from refashion.training import run_files
from refashion.training.run_store import RunStore
from refashion.training.speeds import Speed, kinds
from refashion.upkeep import costing, timings
from refashion.upkeep.timings import speeds
from timed_runs import CNN1, CPU, finish


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
    finish(places.store, loaded, Run(CNN1, 0), speed)
    first, second = costing.bill(loaded, places).lines
    total = costing.bill(loaded, places).total
    hours = 1600 / 3600
    assert (first.runs, first.left, first.unmeasured) == (2, 1, 0)
    assert (first.hours, first.shared) == (pytest.approx(hours), 0)
    assert (second.runs, second.left, second.unmeasured) == (4, 3, 2)
    assert (second.hours, second.shared) == (pytest.approx(hours), pytest.approx(hours))
    assert (total.runs, total.left, total.unmeasured, total.hours) == (4, 3, 2, pytest.approx(hours))


def test_the_table_and_the_line_say_what_is_known(loaded, places):
    finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
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
    assert lines[4:] == [
        "Speeds: finished runs on like machines.",
        "Runs that nothing measured is like: 2 of softmax.",
    ]


@pytest.mark.parametrize(("jobs", "time"), [(2, 8 / 9), (3, 16 / 27), (64, 4 / 9)])
def test_no_number_of_jobs_makes_the_time_shorter_than_that_of_the_longest_run(config, loaded, places, jobs, time):
    """Four runs of 1,600 s each (as above) are left, 0.444 hours: 64 jobs need as long as 4."""
    loaded = load_study(config | {"seeds": 5, "run": ["first"]})
    finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    at_a_time = min(jobs, 4)
    assert costing.one_line(loaded, jobs, places) == (
        f"4 of 5 runs are left to train: about 1.8 core-hours ({time:.2f} hours with {at_a_time} jobs at a time)."
    )


def test_the_last_long_run_is_waited_for_whatever_the_jobs(loaded, places):
    """cnn1 is left with 1,600 s, softmax with two runs of 16 s: no two of three jobs shorten the first."""
    finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    softmax = Cell("softmax", "10k", "none", "b256_e100")
    finish(places.published, loaded, Run(softmax, 0), Speed(0.00001, 0.000005, 0.95))
    assert costing.one_line(loaded, 3, places) == (
        "3 of 4 runs are left to train: about 0.45 core-hours (0.44 hours with 3 jobs at a time)."
    )


def test_a_single_run_left_takes_as_long_as_it_takes(loaded, config, places):
    loaded = load_study(config | {"run": ["first"]})
    finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    assert costing.one_line(loaded, 64, places) == "1 of 2 runs are left to train: about 0.44 core-hours."


def test_a_complete_study_costs_nothing_more(loaded, places):
    for run in loaded.runs():
        finish(places.store, loaded, run, Speed(0.001, 0.0005, 5.0))
    assert costing.one_line(loaded, 2, places) == "All 4 runs are in the run store; nothing is left to train."


def test_the_speeds_of_a_processor_are_not_those_of_a_gpu(config, loaded, places):
    finish(places.published, loaded, Run(CNN1, 0), Speed(0.003, 0.001, 5.0), cpu="Z80")
    finish(places.store, loaded, Run(CNN1, 1), Speed(0.002, 0.001, 5.0))
    on_gpus = load_study(config | {"device": "gpu"})
    assert costing.one_line(on_gpus, 1, places) == (
        "3 of 4 runs are left to train: their cost is not measured yet (snakemake benchmark)."
    )
    finish(places.published, loaded, Run(CNN1, 2), Speed(0.0001, 0.0001, 5.0), cpu="Z80", device="gpu")
    speed, source = speeds(on_gpus, {}, places).of(CNN1)
    assert (speed.image, source) == (pytest.approx(0.0001), "runs on GeForce 256, 64 cores")
    assert speeds(loaded, {}, places).of(CNN1)[0].image == pytest.approx(0.002)


@pytest.mark.parametrize(
    "harm",
    [
        lambda metrics: "[" * 100_000,
        lambda metrics: " " * 2**21,
        lambda metrics: "",
        lambda metrics: json.dumps({"format": run_files.FORMAT}),
        lambda metrics: json.dumps(metrics | {"spec": []}),
        lambda metrics: json.dumps(metrics | {"timing": None}),
        lambda metrics: json.dumps(metrics | {"provenance": {"cpu": CPU}}),
        lambda metrics: json.dumps(metrics | {"spec": metrics["spec"] | {"recipe": {}}}),
        lambda metrics: json.dumps(
            metrics | {"spec": metrics["spec"] | {"fraction": {"images": 0, "validation": "test"}}}
        ),
    ],
)
def test_a_run_that_is_damaged_or_lacks_what_is_asked_measures_nothing(loaded, places, harm):
    finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 95.0))
    finish(places.published, loaded, Run(CNN1, 1), Speed(0.001, 0.0005, 95.0))
    path = next(places.store.glob("*/metrics.json"))
    path.write_text(harm(json.loads(path.read_text())))
    assert costing.one_line(loaded, 1, places).startswith("3 of 4 runs are left to train: about 0.44 core-hours; ")


def test_a_broken_benchmark_does_not_stop_the_study(loaded, places):
    places.benchmark.write_text("not a table\n")
    assert costing.one_line(loaded, 2, places).startswith("The cost is not known: ")


def test_seeds_of_a_second_stage_are_announced(config, places):
    config.update(run=["original"], seeds={"pilot": 3, "half_width": 0.15, "most": 9})
    loaded = load_study(config)
    assert "On top come the seeds that pilot runs or looks will ask for." in costing.table(costing.bill(loaded, places))
    for run in loaded.runs():
        finish(places.store, loaded, run, Speed(0.001, 0.0005, 95.0))
    assert costing.one_line(loaded, 2, places) == (
        f"All {len(loaded.runs())} runs are in the run store; seeds that they ask for come on top."
    )
    planned = loaded.with_plan({("original", cell): 5 if cell == CNN1 else 3 for cell in loaded.cells()})
    assert costing.bill(planned, places).total.runs == len(loaded.runs()) + 2
    assert "On top" not in costing.table(costing.bill(planned, places))


def test_the_next_look_tells_its_cost_and_the_claims_that_want_it(config, places):
    """The first look is done, V4 is open: five more seeds of its cell, at the measured 0.44 hours for three runs."""
    config["run"] = ["original"]
    config["experiments"]["original"]["seeds"] = {"looks": [5, 10], "spend": [0.01, 0.04]}
    loaded = load_study(config)
    for run in loaded.runs():
        finish(places.store, loaded, run, Speed(0.001, 0.0005, 95.0))
    cells = {cell.name: 5 for cell in loaded.cells()}
    assert costing.one_line(loaded, 2, places).endswith("; seeds that they ask for come on top.")
    looks = SimpleNamespace(wants={CNN1.name: ("V4", "T4")}, told="Look 1 of 2 was held.", cells=cells)
    grown = loaded.with_plan({("original", CNN1): 10})
    hours = 5 * speeds(grown, {}, places).seconds(CNN1) / 3600
    assert costing.look_table(grown, looks, places) == (
        f"Look 1 of 2 was held.\n  {CNN1.name}: 5 runs left, {hours:.2g} core-hours, for V4, T4"
    )
    assert costing.bill(grown, places).total.left == 5


def test_of_10000_runs_few_are_read(config, places, monkeypatch):
    """What takes time at the start of a study: reading runs. Their number has a bound that the study's size has not."""
    for experiment in config["experiments"].values():
        experiment.pop("seeds", None)
    whole = config | {"device": "cpu", "run": list(config["experiments"])}
    of_one_seed = set(costing.digests(load_study(whole | {"seeds": 1})).values())
    loaded = load_study(whole | {"seeds": 10_000 // len(of_one_seed) + 1})
    names = set(costing.digests(loaded).values())
    strangers = {f"{number:020x}" for number in range(2000)}
    read = []
    monkeypatch.setattr(RunStore, "names", lambda self: names | strangers if self.folder == places.store else set())
    monkeypatch.setattr(timings, "_measured", lambda folder, *_: read.append(folder.name))
    assert len(names) > 10_000
    costing.bill(loaded, places)
    known = {kinds(loaded.spec(Run(cell, 0))) for cell in loaded.cells()}
    assert len(read) == len(set(read)) == timings.SAMPLE * len(known) + timings.OTHERS
