"""Measured speeds: which runs they are taken from, and what the benchmark says where there are none."""

from __future__ import annotations

import json

import pytest

from refashion.judging import benchmark_table
from refashion.study.config import load_study
from refashion.study.model import Cell, Run
from refashion.training.speeds import Speed
from refashion.upkeep.timings import speeds
from timed_runs import CNN1, CPU, finish


def test_the_median_of_long_runs_counts(config, places):
    """Short runs are mostly tracing; diverged, broken and foreign ones are none."""
    loaded = load_study(config | {"device": "cpu", "run": ["original"]})
    for seed, image in enumerate((0.001, 0.002, 0.009)):
        finish(places.store, loaded, Run(CNN1, seed), Speed(image, 0.001, 5.0))
    finish(places.store, loaded, Run(CNN1, 3), Speed(5.0, 5.0, 5.0), updates=40)  # one epoch of a hundred
    finish(places.store, loaded, Run(CNN1, 4), Speed(7.0, 7.0, 7.0), status="diverged")
    (places.store / ("0" * 20)).mkdir()
    (places.store / ("1" * 20)).mkdir()
    (places.store / ("1" * 20) / "metrics.json").write_text('{"format": 1, "spec"')
    found = speeds(loaded, {}, places)
    assert found.of(CNN1) == (
        Speed(*map(pytest.approx, (0.002, 0.001, 5.0))),
        "finished runs on like machines",
    )


def test_time_lost_in_a_kill_is_no_cost(loaded, places):
    finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 5.0), resumed=1)
    path = next(places.store.glob("*/metrics.json"))
    metrics = json.loads(path.read_text())
    metrics["timing"]["seconds"] += 3600
    path.write_text(json.dumps(metrics))
    speed, _ = speeds(loaded, {}, places).of(CNN1)
    assert speed.fixed == 5.0


def test_the_nearest_kind_of_run_is_taken(config, places):
    loaded = load_study(config | {"device": "cpu", "run": list(config["experiments"])})
    small, large = Cell("lenet5", "60k", "none", "b32_e20"), Cell("lenet5", "60k", "none", "b256_u11750")
    tanh, affine = Cell("lenet5_tanh", "60k", "none", "b32_e20"), Cell("lenet5", "60k", "affine", "b256_u11750")
    finish(places.store, loaded, Run(small, 0), Speed(0.004, 0.001, 5.0))
    finish(places.store, loaded, Run(large, 0), Speed(0.001, 0.001, 5.0))
    finish(places.store, loaded, Run(large, 1), Speed(0.001, 0.001, 5.0))
    found = speeds(loaded, {}, places)
    assert found.of(small)[0].image == pytest.approx(0.004)  # same batch size
    assert found.of(large)[0].image == pytest.approx(0.001)
    assert found.of(tanh)[0].image == pytest.approx(0.001)  # same builder: the median of all three
    assert found.of(affine) is None


def _benchmark(path, device="cpu", cpu=CPU):
    row = {"architecture": "cnn1", "augmentation": "none", "program": benchmark_table.ENGINE, "note": "", "cpu": cpu}
    row |= {"device": device, "processes": 2, "images_per_second": 1900.0, "fixed_seconds": 6.0}
    other = row | {"program": benchmark_table.PLAIN, "images_per_second": 1.0}
    benchmark_table.write(path, [dict.fromkeys(benchmark_table.COLUMNS) | one for one in (row, other)])


def test_the_benchmark_stands_in_for_runs(loaded, places):
    """2 processes train 1,900 images a second, and score a sixth of that at a third of the time: 1/18 of the rest."""
    _benchmark(places.benchmark)
    speed, source = speeds(loaded, {}, places).of(CNN1)
    assert source == "the benchmark on this machine"
    assert (speed.image, speed.score, speed.fixed) == pytest.approx(
        (0.001 * 18 / 19 / 0.95, 0.001 / 3 * 18 / 19 / 0.95, 6.0)
    )
    assert 2 / (speed.image + speed.score / 6) == pytest.approx(1900)
    assert speeds(load_study(loaded.config | {"device": "gpu"}), {}, places).of(CNN1) is None


def test_runs_of_all_other_machines_are_one_source(loaded, places):
    """One slow machine with a single run does not stand for the four runs of another."""
    finish(places.published, loaded, Run(CNN1, 0), Speed(0.009, 0.001, 5.0), cpu="6502")
    for seed in range(1, 5):
        finish(places.published, loaded, Run(CNN1, seed), Speed(0.003, 0.001, 5.0), cpu="Z80")
    speed, source = speeds(loaded, {}, places).of(CNN1)
    assert speed.image == pytest.approx(0.003)
    assert source == "runs on 6502, 64 cores and Z80, 64 cores"


def test_runs_here_come_before_the_benchmark_and_runs_elsewhere_after_it(loaded, places):
    finish(places.published, loaded, Run(CNN1, 0), Speed(0.003, 0.001, 5.0), cpu="Z80")
    assert speeds(loaded, {}, places).of(CNN1)[1] == "runs on Z80, 64 cores"
    _benchmark(places.benchmark, cpu="6502")
    assert speeds(loaded, {}, places).of(CNN1)[1] == "the benchmark on 6502"
    finish(places.store, loaded, Run(CNN1, 1), Speed(0.002, 0.001, 5.0))
    assert speeds(loaded, {}, places).of(CNN1)[1] == "finished runs on like machines"
