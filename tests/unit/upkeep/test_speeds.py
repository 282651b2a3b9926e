"""Measured speeds: which runs they are taken from, and the images that they are multiplied with."""

from __future__ import annotations

import json

import pytest

from refashion.study.config import load_study
from refashion.study.model import Cell, Run
from refashion.upkeep.benchmark import table as benchmark_table
from refashion.upkeep.speeds import Speed, Speeds, Work, work
from timed_runs import CNN1, CPU, finish


def test_a_fold_is_charged_for_its_own_images_and_not_for_the_test_images(config, places):
    """60,000 training images, so a fold of 10,000; here with 5,000 test images, as the two would else be alike."""
    for part in ("test_images", "test_labels"):
        config["datasets"]["fashion_mnist"]["files"][part]["shape"][0] = 5_000
    loaded = load_study(config)
    speeds = Speeds(loaded, {}, places, "cpu")
    for fraction, scored in (("10k", 100 * 5_000 + 10_000), ("10k_fold", 100 * 10_000 + 10_000)):
        assert speeds.work(Cell("cnn1", fraction, "none", "b256_e100")) == Work(1_000_000, scored)
    fold = Cell("cnn1", "10k_fold", "none", "b256_e100")
    finish(places.store, loaded, Run(fold, 0), Speed(0.001, 0.0005, 5.0))  # with 10,000 validation images
    found, _ = Speeds(loaded, {}, places, "cpu").of(fold)
    assert (found.image, found.score) == pytest.approx((0.001, 0.0005))


def test_the_work_of_a_run_is_counted_image_by_image():
    # 50 epochs of 60,000 images; 10,000 validation images each, augmented and clean; the training images once
    assert work(60_000, 10_000, 256, 11_750, random=True) == Work(3_000_000, 50 * 20_000 + 60_000)
    assert work(10_000, 10_000, 256, 4_000, random=False) == Work(1_000_000, 100 * 10_000 + 10_000)
    # two epochs of 5 batches (100 images, the last of 20) and 2 batches of a third epoch, which is validated, too
    assert work(100, 50, 20, 12, random=False) == Work(240, 3 * 50 + 100)
    assert work(10, 50, 20, 2, random=False) == Work(20, 2 * 50 + 10)  # a batch larger than the data


def test_seconds_are_a_fixed_cost_and_a_time_for_each_image():
    assert Speed(0.001, 0.0005, 5.0).seconds(Work(60_000, 10_000)) == pytest.approx(60 + 5 + 5)


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
    speeds = Speeds(loaded, {}, places, "cpu")
    assert speeds.of(CNN1) == (Speed(*map(pytest.approx, (0.002, 0.001, 5.0))), "finished runs on this machine")


def test_time_lost_in_a_kill_is_no_cost(loaded, places):
    finish(places.store, loaded, Run(CNN1, 0), Speed(0.001, 0.0005, 5.0), resumed=1)
    path = next(places.store.glob("*/metrics.json"))
    metrics = json.loads(path.read_text())
    metrics["timing"]["seconds"] += 3600
    path.write_text(json.dumps(metrics))
    speed, _ = Speeds(loaded, {}, places, "cpu").of(CNN1)
    assert speed.fixed == 5.0


def test_the_nearest_kind_of_run_is_taken(config, places):
    loaded = load_study(config | {"device": "cpu", "run": list(config["experiments"])})
    small, large = Cell("lenet5", "60k", "none", "b32_e20"), Cell("lenet5", "60k", "none", "b256_u11750")
    tanh, affine = Cell("lenet5_tanh", "60k", "none", "b32_e20"), Cell("lenet5", "60k", "affine", "b256_u11750")
    finish(places.store, loaded, Run(small, 0), Speed(0.004, 0.001, 5.0))
    finish(places.store, loaded, Run(large, 0), Speed(0.001, 0.001, 5.0))
    finish(places.store, loaded, Run(large, 1), Speed(0.001, 0.001, 5.0))
    speeds = Speeds(loaded, {}, places, "cpu")
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
    speed, source = Speeds(loaded, {}, places, "cpu").of(CNN1)
    assert source == "the benchmark on this machine"
    assert (speed.image, speed.score, speed.fixed) == pytest.approx(
        (0.001 * 18 / 19 / 0.95, 0.001 / 3 * 18 / 19 / 0.95, 6.0)
    )
    assert 2 / (speed.image + speed.score / 6) == pytest.approx(1900)
    assert Speeds(loaded, {}, places, "gpu").of(CNN1) is None


def test_runs_here_come_before_the_benchmark_and_runs_elsewhere_after_it(loaded, places):
    finish(places.published, loaded, Run(CNN1, 0), Speed(0.003, 0.001, 5.0), cpu="Z80")
    assert Speeds(loaded, {}, places, "cpu").of(CNN1)[1] == "runs on Z80, 64 cores"
    _benchmark(places.benchmark, cpu="6502")
    assert Speeds(loaded, {}, places, "cpu").of(CNN1)[1] == "the benchmark on 6502"
    finish(places.store, loaded, Run(CNN1, 1), Speed(0.002, 0.001, 5.0))
    assert Speeds(loaded, {}, places, "cpu").of(CNN1)[1] == "finished runs on this machine"
