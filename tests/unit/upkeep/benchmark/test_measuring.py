"""What the benchmark measures, in which order, and the table that it makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from refashion.data import dataset as data
from refashion.errors import UserError
from refashion.judging import benchmark_table
from refashion.judging.benchmark_table import ENGINE, PEAK, PLAIN, PLAIN_ONEDNN, TORCH
from refashion.study.config import load_study
from refashion.study.model import Cell, Run
from refashion.upkeep.benchmark import contestants, measuring
from refashion.upkeep.benchmark.contestants import Arrangement, Machine, Task
from refashion.upkeep.benchmark.measuring import Benchmark, Start
from refashion.upkeep.benchmark.stopwatch import Measurement

TASK = Task("cnn1", "none", "b256_e50", 18_000)
AFFINE = Task("cnn1", "affine", "b256_e50", 18_000)
ORIGINAL = ("cnn1", "lenet5", "cnn4", "cnn4_same")


def test_a_run_of_the_engine_is_one_of_the_study_but_for_its_images_updates_and_data(config):
    study, cell = load_study(config), Cell("lenet5", "60k", "none", "b32_e20_sparse")
    hashes = {name: name[0] * 64 for name in data.FILES}
    (task,) = [one for one in contestants.TASKS if (one.architecture, one.augmentation) == ("lenet5", "none")]
    wanted = study.spec(Run(cell, 3))
    wanted["dataset"] |= hashes
    wanted["fraction"] |= {"images": 600}
    wanted["recipe"] |= {"updates": 7}
    assert contestants.spec(task, hashes, 600, 7, 3) == wanted
    assert task.batch_size == 32


def test_every_network_is_measured_with_and_without_augmentation():
    assert [(task.architecture, task.augmentation) for task in contestants.TASKS] == [
        (name, kind) for name in ORIGINAL for kind in ("none", "affine")
    ]
    assert all(task.images % contestants.TRAINING_PER_VALIDATION == 0 for task in contestants.TASKS)


@pytest.mark.parametrize(("cores", "shapes"), [(1, {(1, 1)}), (4, {(1, 4), (4, 1)})])
def test_pytorch_is_tried_in_one_process_and_in_one_a_core(monkeypatch, cores, shapes):
    monkeypatch.setattr(contestants, "has_torch", lambda: True)
    found = Machine(cores, "cpu").arrangements(TASK)
    torch = [(one.processes, one.threads) for one in found if one.program == TORCH]
    assert (set(torch), len(torch)) == (shapes, len(shapes))
    assert [one for one in found if one.program == ENGINE] == [Arrangement(ENGINE, "arrays", cores, 1)]
    assert {one.images for one in found if one.program == PLAIN} == {"arrays", "rescaled"}
    assert {(one.processes, one.threads) for one in found if one.program == PLAIN} == {(1, cores)}
    assert [one for one in found if one.program == PLAIN_ONEDNN] == [Arrangement(PLAIN_ONEDNN, "arrays", 1, cores)]
    assert {one.images for one in Machine(cores, "cpu").arrangements(AFFINE)} == {"affine"}


def test_on_a_gpu_every_program_is_one_process():
    assert {one.processes for one in Machine(4, "gpu").arrangements(TASK)} == {1}


def test_the_data_of_a_task_keeps_the_proportion_of_validation(small_data, tmp_path):
    workshop = contestants.Workshop(tmp_path, small_data, Machine(1, "cpu"), 120)
    with np.load(workshop.part(1200)) as part, np.load(small_data) as whole:
        assert len(part["train_labels"]) == 1200
        assert len(part["test_images"]) == 200
        np.testing.assert_array_equal(part["test_images"], whole["test_images"][:200])


def _times(*rates):
    return [Measurement(rate, 4.0 + number) for number, rate in enumerate(rates, start=1)]


def _benchmark(torch: bool = True) -> Benchmark:
    measured = {
        (TASK, Arrangement(ENGINE, "arrays", 2, 1)): _times(900.0, 1000.0, 1100.0),
        (TASK, Arrangement(PLAIN, "arrays", 1, 2)): _times(400.0, 300.0, 500.0),
        (TASK, Arrangement(PLAIN, "rescaled", 1, 2)): _times(200.0),
    }
    if torch:
        measured[TASK, Arrangement(TORCH, "arrays", 2, 1)] = _times(500.0, 510.0, 490.0)
    return Benchmark(measured, {TASK: Start(5.5, 1200.0)}, [100e9, 120e9, 80e9], {"cnn1": 10_000_000})


def test_the_table_holds_medians_ranges_ratios_and_shares():
    table = measuring.rows(_benchmark(), Machine(2, "cpu"), 0.25)
    assert [row["program"] for row in table] == [ENGINE, PLAIN, TORCH, PEAK]
    assert all(tuple(row) == tuple(benchmark_table.COLUMNS) for row in table)
    engine, plain, torch, peak = table
    assert (engine["images_per_second"], engine["slowest"], engine["fastest"]) == (1000.0, 900.0, 1100.0)
    assert (engine["speedup"], plain["speedup"], torch["speedup"]) == (1.0, 2.5, 2.0)
    assert engine["gflops"] == pytest.approx(1000 * 10e6 / 1e9)
    assert engine["peak_share"] == pytest.approx(0.1)
    assert (engine["fixed_seconds"], engine["first_step_seconds"], engine["peak_memory_mb"]) == (6.0, 5.5, 1200.0)
    assert (plain["first_step_seconds"], plain["peak_memory_mb"], plain["repetitions"]) == (None, None, 3)
    assert plain["note"] == "arrays, its best arrangement; ImageDataGenerator(rescale): 200 images/s"
    assert (peak["gflops"], peak["peak_share"], peak["images_per_second"]) == (100.0, 1.0, None)


def test_without_pytorch_its_row_says_so_and_is_empty():
    row = next(row for row in measuring.rows(_benchmark(torch=False), Machine(2, "cpu"), 0) if row["program"] == TORCH)
    assert row["note"].startswith("not measured: PyTorch is not installed")
    assert row["images_per_second"] is None
    assert "PyTorch is not installed" in benchmark_table.told([row])


def test_a_written_table_is_read_back_as_it_was(tmp_path):
    table = measuring.rows(_benchmark(), Machine(2, "cpu"), 0.25)
    benchmark_table.write(tmp_path / "benchmark.csv", table)
    found = benchmark_table.read(tmp_path / "benchmark.csv")
    for row, other in zip(table, found, strict=True):
        for name, value in row.items():
            assert other[name] == (pytest.approx(value, rel=1e-3) if isinstance(value, float) else value), name
    assert benchmark_table.told(found) == benchmark_table.told(table)


@pytest.mark.parametrize("content", ["", "architecture,images\ncnn1,3\n", "\0"])
def test_another_file_is_told_in_a_sentence(tmp_path, content):
    (tmp_path / "benchmark.csv").write_text(content)
    with pytest.raises(UserError, match=r"is no table of the benchmark: .*snakemake benchmark\.$"):
        benchmark_table.read(tmp_path / "benchmark.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",1000,", ",,", "line 2 has no speed of this engine"),
        (",1000,", ",0,", "line 2 has no speed of this engine"),
        (",1000,", ",nan,", "images_per_second is nan"),
        (",1000,", ",1000,1,", f"line 2 has not {len(benchmark_table.COLUMNS)} entries"),
    ],
)
def test_a_broken_row_is_told_in_a_sentence(tmp_path, old, new, message):
    path = tmp_path / "benchmark.csv"
    benchmark_table.write(path, measuring.rows(_benchmark(), Machine(2, "cpu"), 0.25))
    lines = path.read_text().splitlines()
    assert old in lines[1]
    path.write_text("\n".join([lines[0], lines[1].replace(old, new, 1), *lines[2:]]) + "\n")
    with pytest.raises(UserError, match=message):
        benchmark_table.read(path)


def test_arrangements_that_are_clearly_slower_are_measured_once_only():
    one, other, third = (
        Arrangement(TORCH, "arrays", 1, 4),
        Arrangement(TORCH, "arrays", 4, 1),
        Arrangement(PLAIN, "", 1, 4),
    )
    everything = [one, other, third]
    assert measuring.contenders({}, TASK, everything) == everything
    measured = {(TASK, one): _times(1000.0), (TASK, other): _times(899.0), (TASK, third): _times(10.0)}
    assert measuring.contenders(measured, TASK, everything) == [one, third]
    measured[TASK, other] = _times(900.0)  # within a tenth of the best
    assert measuring.contenders(measured, TASK, everything) == everything
    assert measuring.contenders(measured, AFFINE, everything) == everything


def test_repetitions_are_interleaved(monkeypatch, small_data, tmp_path):
    """A B C A B C: neither a warm nor a busy minute of the machine falls upon one program alone."""
    order = []

    def measured(commands, units, seconds, device="cpu"):
        what = commands[0][1 if commands[0][0] == "env" else 2].removeprefix("refashion.upkeep.benchmark.")
        order.append(what + ("" if len(commands) == 1 else f" x {len(commands)}"))
        return Measurement(1000.0, 1.0)

    monkeypatch.setattr(measuring, "measure", measured)
    monkeypatch.setattr(measuring, "count_flops", lambda *_: {"cnn1": 1})
    monkeypatch.setattr(measuring, "measure_start", lambda *_: Start(1.0, 1.0))
    monkeypatch.setattr(contestants, "has_torch", lambda: True)
    workshop = contestants.Workshop(tmp_path, small_data, Machine(2, "cpu"), 120)
    task = Task("cnn1", "affine", "b256_e50", 600)
    found = measuring.run(workshop, repetitions=2, seconds=1.0, tasks=[task], log=lambda _: None)
    plain = ["plain_script", "TF_ENABLE_ONEDNN_OPTS=1"]  # the same script, as TensorFlow comes and with oneDNN on
    once = ["peak_script x 2", "engine_script x 2", *plain, "torch_script", "torch_script x 2"]
    assert order == once * 2
    assert [len(times) for times in found.measured.values()] == [2] * 5
