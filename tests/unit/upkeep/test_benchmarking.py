"""The benchmark: arithmetic by hand, processes watched and ended, and competitors that train the same networks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from refashion.data import dataset as data
from refashion.errors import UserError
from refashion.networks import architectures, augmentation
from refashion.study.config import load_study
from refashion.study.model import Cell, Run, digest, steps_per_epoch
from refashion.training import run_store
from refashion.upkeep import benchmarking, stopwatch
from refashion.upkeep.benchmarking import (
    ENGINE,
    PEAK,
    PLAIN,
    PLAIN_ONEDNN,
    TORCH,
    Arrangement,
    Benchmark,
    Machine,
    Record,
    Start,
    Task,
)
from refashion.upkeep.stopwatch import Measurement

TASK = Task("cnn1", "none", 256, 18_000)
AFFINE = Task("cnn1", "affine", 256, 18_000)
ORIGINAL = ("cnn1", "lenet5", "cnn4", "cnn4_same")


# ---------------------------------------------------------------------------------------------------------- stopwatch


def test_rates_are_taken_while_all_processes_are_at_work():
    started = [0.0, 0.0]
    marks = [[2.0, 3.0, 4.0, 5.0], [3.5, 5.5]]  # the second is warm at 3.5, so the first counts from 4.0 on
    rate, fixed = stopwatch.rate_and_fixed_cost(started, marks, units=100)
    assert rate == pytest.approx(100 / 1 + 100 / 2)
    assert fixed == pytest.approx(((2.0 - 1.0) + (3.5 - 2.0)) / 2)


@pytest.mark.parametrize(
    ("marks", "enough"),
    [
        ([[1.0, 2.0, 3.0], []], False),  # one has not warmed up
        ([[1.0, 2.0, 3.0], [2.5]], False),  # no whole epoch yet
        ([[1.0, 2.0, 3.0, 4.0], [1.5, 3.4]], False),  # 1.9 s of the second
        ([[1.0, 2.0, 3.0, 4.0], [1.5, 3.5]], True),
    ],
)
def test_a_measurement_lasts_long_enough_in_every_process(marks, enough):
    assert stopwatch._long_enough(marks, seconds=2.0) is enough


def _says(*lines: str, pause: float = 0.05) -> list[str]:
    script = "import sys, time\nfor line in sys.argv[1:]:\n    time.sleep(PAUSE)\n    print(line, flush=True)\n"
    return [sys.executable, "-c", script.replace("PAUSE", str(pause)), *lines]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_are_timed_by_their_lines_and_none_outlives_the_measurement(monkeypatch):
    pids = []
    end = stopwatch.Job.end
    monkeypatch.setattr(stopwatch.Job, "end", lambda job: pids.append(job.process.pid) or end(job))
    lines = [f'{{"epoch": {number}}}' for number in range(1000)]
    found = stopwatch.measure([_says("importing", *lines), _says("Run ready", *lines)], units=10, seconds=0.3)
    # each sleeps 0.05 s an epoch, so two processes do 400 units a second at the very most, on an idle machine
    assert 0 < found.units_per_second <= 400
    assert found.fixed_seconds > 0.05
    assert 3 < found.peak_memory_mb < 1000
    assert len(pids) == 2
    assert not any(map(_alive, pids))


def test_a_program_that_ends_early_is_quoted():
    with pytest.raises(UserError, match=r"ended early: ValueError: no such network\.$"):
        stopwatch.measure([_says('{"epoch": 1}', "ValueError: no such network")], units=1, seconds=60)


def test_a_program_that_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(stopwatch, "PATIENCE", 0.2)
    with pytest.raises(UserError, match=r"said nothing for 0\.2 s"):
        stopwatch.measure([_says("late", pause=30)], units=1, seconds=1)


# ----------------------------------------------------------------------------------------------------- what is measured


def test_augmentations_and_specs_are_those_of_the_config(config):
    loaded = load_study(config)
    cells = {
        ("cnn1", "affine"): Cell("cnn1", "60k", "affine", "b256_e50"),
        ("lenet5", "none"): Cell("lenet5", "60k", "none", "b32_e20_sparse"),
        ("cnn4", "affine"): Cell("cnn4", "60k", "affine", "b256_e50"),
        ("cnn4_same", "affine"): Cell("cnn4_same", "60k", "affine", "b256_e50"),
    }
    tasks = {(task.architecture, task.augmentation): task for task in benchmarking.TASKS}
    for key, cell in cells.items():
        wanted = loaded.spec(Run(cell, 3))
        hashes = {name: wanted["dataset"][name] for name in data.FILES}
        mine = benchmarking.spec(tasks[key], hashes, 60_000, loaded.updates(cell), 3)
        assert mine == wanted


def test_every_network_is_measured_with_and_without_augmentation():
    assert [(task.architecture, task.augmentation) for task in benchmarking.TASKS] == [
        (name, kind) for name in ORIGINAL for kind in ("none", "affine")
    ]
    assert all(task.images % benchmarking.TRAINING_PER_VALIDATION == 0 for task in benchmarking.TASKS)


@pytest.mark.parametrize(("cores", "shapes"), [(1, {(1, 1)}), (4, {(1, 4), (4, 1)})])
def test_pytorch_is_tried_in_one_process_and_in_one_a_core(monkeypatch, cores, shapes):
    monkeypatch.setattr(benchmarking, "has_torch", lambda: True)
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
    workshop = benchmarking.Workshop(tmp_path, small_data, Machine(1, "cpu"), 120)
    with np.load(workshop.part(1200)) as part, np.load(small_data) as whole:
        assert len(part["train_labels"]) == 1200
        assert len(part["test_images"]) == 200
        np.testing.assert_array_equal(part["test_images"], whole["test_images"][:200])


# ------------------------------------------------------------------------------------------------------------ the table


def _record(repetition, task, arrangement, rate):
    return Record(repetition, task, arrangement, Measurement(rate, 4.0 + repetition, 700.0))


def _benchmark(torch: bool = True) -> Benchmark:
    engine, arrays, rescaled = (
        Arrangement(ENGINE, "arrays", 2, 1),
        Arrangement(PLAIN, "arrays", 1, 2),
        Arrangement(PLAIN, "rescaled", 1, 2),
    )
    rates = {engine: [900.0, 1000.0, 1100.0], arrays: [400.0, 300.0, 500.0], rescaled: [200.0]}
    if torch:
        rates[Arrangement(TORCH, "arrays", 2, 1)] = [500.0, 510.0, 490.0]
    records = [
        _record(number, TASK, one, rate) for one, found in rates.items() for number, rate in enumerate(found, start=1)
    ]
    return Benchmark(records, {TASK: Start(5.5, 1200.0)}, [100e9, 120e9, 80e9], {"cnn1": 10_000_000})


def test_the_table_holds_medians_ranges_ratios_and_shares():
    table = benchmarking.rows(_benchmark(), Machine(2, "cpu"), 0.25)
    assert [row["program"] for row in table] == [ENGINE, PLAIN, TORCH, PEAK]
    assert all(tuple(row) == tuple(benchmarking.COLUMNS) for row in table)
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
    row = next(
        row for row in benchmarking.rows(_benchmark(torch=False), Machine(2, "cpu"), 0) if row["program"] == TORCH
    )
    assert row["note"].startswith("not measured: PyTorch is not installed")
    assert row["images_per_second"] is None
    assert "PyTorch is not installed" in benchmarking.told([row])


def test_a_written_table_is_read_back_as_it_was(tmp_path):
    table = benchmarking.rows(_benchmark(), Machine(2, "cpu"), 0.25)
    benchmarking.write(tmp_path / "benchmark.csv", table)
    found = benchmarking.read(tmp_path / "benchmark.csv")
    for row, other in zip(table, found, strict=True):
        for name, value in row.items():
            assert other[name] == (pytest.approx(value, rel=1e-3) if isinstance(value, float) else value), name
    assert benchmarking.told(found) == benchmarking.told(table)


def test_every_measurement_is_written(tmp_path):
    benchmarking.write_measurements(tmp_path / "all.csv", _benchmark())
    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert lines[0] == ",".join(benchmarking.MEASUREMENT_COLUMNS)
    assert lines[1] == "1,cnn1,none,this engine,arrays,2,1,900,5,700"
    assert len(lines) == 1 + 3 + 3 + 1 + 3


@pytest.mark.parametrize("content", ["", "architecture,images\ncnn1,3\n", "\0"])
def test_another_file_is_told_in_a_sentence(tmp_path, content):
    (tmp_path / "benchmark.csv").write_text(content)
    with pytest.raises(UserError, match=r"is no table of the benchmark: .*snakemake benchmark\.$"):
        benchmarking.read(tmp_path / "benchmark.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",1000,", ",,", "line 2 has no speed of this engine"),
        (",1000,", ",0,", "line 2 has no speed of this engine"),
        (",1000,", ",nan,", "images_per_second is nan"),
        (",1000,", ",1000,1,", f"line 2 has not {len(benchmarking.COLUMNS)} entries"),
    ],
)
def test_a_broken_row_is_told_in_a_sentence(tmp_path, old, new, message):
    path = tmp_path / "benchmark.csv"
    benchmarking.write(path, benchmarking.rows(_benchmark(), Machine(2, "cpu"), 0.25))
    lines = path.read_text().splitlines()
    assert old in lines[1]
    path.write_text("\n".join([lines[0], lines[1].replace(old, new, 1), *lines[2:]]) + "\n")
    with pytest.raises(UserError, match=message):
        benchmarking.read(path)


def test_arrangements_that_are_clearly_slower_are_measured_once_only():
    one, other, third = (
        Arrangement(TORCH, "arrays", 1, 4),
        Arrangement(TORCH, "arrays", 4, 1),
        Arrangement(PLAIN, "", 1, 4),
    )
    everything = [one, other, third]
    assert benchmarking.contenders([], TASK, everything) == everything
    records = [_record(1, TASK, one, 1000.0), _record(1, TASK, other, 899.0), _record(1, TASK, third, 10.0)]
    assert benchmarking.contenders(records, TASK, everything) == [one, third]
    records[1] = _record(1, TASK, other, 900.0)  # within a tenth of the best
    assert benchmarking.contenders(records, TASK, everything) == everything
    assert benchmarking.contenders(records, AFFINE, everything) == everything


def test_repetitions_are_interleaved(monkeypatch, small_data, tmp_path):
    """A B C A B C: neither a warm nor a busy minute of the machine falls upon one program alone."""
    order = []

    def measured(commands, units, seconds, device="cpu"):
        what = commands[0][1 if commands[0][0] == "env" else 2].removeprefix("refashion.upkeep.")
        order.append(what + ("" if len(commands) == 1 else f" x {len(commands)}"))
        return Measurement(1000.0, 1.0, 1.0)

    monkeypatch.setattr(benchmarking, "measure", measured)
    monkeypatch.setattr(benchmarking, "count_flops", lambda *_: {"cnn1": 1})
    monkeypatch.setattr(benchmarking, "measure_starts", lambda *_: {})
    monkeypatch.setattr(benchmarking, "has_torch", lambda: True)
    workshop = benchmarking.Workshop(tmp_path, small_data, Machine(2, "cpu"), 120)
    task = Task("cnn1", "affine", 256, 600)
    found = benchmarking.run(workshop, repetitions=2, seconds=1.0, tasks=[task], log=lambda _: None)
    plain = ["plain_script", "TF_ENABLE_ONEDNN_OPTS=1"]  # the same script, as TensorFlow comes and with oneDNN on
    once = ["peak_script x 2", "engine_script x 2", *plain, "torch_script", "torch_script x 2"]
    assert order == once * 2
    assert len(found.records) == 10


# -------------------------------------------------------------------------------------------------------- competitors


@pytest.fixture(scope="module")
def torch_script():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from refashion.upkeep import torch_script

    return torch_script


@pytest.mark.parametrize("name", ORIGINAL)
def test_the_plain_script_has_the_same_layers(device, name):
    from refashion.upkeep import plain_script

    mine = architectures.build(name, (28, 28, 1), 10, architectures.options(name))
    rows = [row for row in architectures.summary_rows(plain_script.build(name)) if row[0] != "ZeroPadding2D"]
    assert rows == architectures.summary_rows(mine)


@pytest.mark.parametrize("name", ORIGINAL)
def test_pytorch_has_the_same_parameters_and_computes_channels_last(device, name, torch_script):
    import torch

    mine = architectures.build(name, (28, 28, 1), 10, architectures.options(name))
    model = torch_script.build(name)
    trained = sum(tensor.numel() for tensor in model.parameters())
    assert torch_script.parameters(model) == architectures.parameter_counts(mine)["total"]
    assert trained == architectures.parameter_counts(mine)["trainable"]
    model = model.to(memory_format=torch.channels_last).eval()
    first = model[0](torch.rand(4, 1, 28, 28).contiguous(memory_format=torch.channels_last))
    assert first.is_contiguous(memory_format=torch.channels_last)
    assert model(torch.rand(4, 1, 28, 28)).shape == (4, 10)


def test_the_programs_augment_alike(device):
    from refashion.upkeep import plain_script

    ranges = {name.removesuffix("_range"): value for name, value in plain_script.AFFINE.items()}
    assert {"rescale": "unit", **ranges} == benchmarking.AUGMENTATIONS["affine"]


def test_pytorch_warps_as_the_engine_does(device, torch_script, small_data, monkeypatch):
    """Equal draws, equal images: the two implementations share nothing but the definition."""
    import torch

    uniform = np.random.default_rng(0).random((6, 8), dtype=np.float32)
    parts = dict(zip(("rotation", "shear", "width_shift", "height_shift"), uniform[:4], strict=True))
    parts["zoom"] = uniform[4:].T
    with np.load(small_data) as data:
        images = data["train_images"][:8, ..., np.newaxis].astype(np.float32)
    monkeypatch.setattr(torch, "rand", lambda *shape, device: torch.from_numpy(uniform))
    theirs = torch_script.augmented(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()[:, 0]
    ours = augmentation.augment(images, benchmarking.AUGMENTATIONS["affine"], lambda part, *_: parts[part])
    assert np.abs(theirs - np.asarray(ours)[..., 0]).max() < 0.05  # of 255; float32 places differ by some 1e-5 pixels
    assert np.abs(theirs - images[..., 0]).max() > 50


@pytest.mark.slow
@pytest.mark.parametrize("name", ORIGINAL[:3])  # cnn4_same is cnn4, padded
@pytest.mark.parametrize("kind", ["none", "affine"])
def test_after_equal_epochs_the_programs_are_about_as_accurate(name, kind, small_data, tmp_path):
    """3 epochs of 3,000 images. Training accuracies of repeated runs were within 2 pp, validation accuracies within 10.

    Batches of 16 make 564 updates, so that the running means of batch normalisation (0.99 an update) have forgotten
    what they began with.
    """
    import json
    import subprocess

    pytest.importorskip("torch", reason="PyTorch is not installed")
    epochs, batch = 3, 16
    task = Task(name, kind, batch, 3000)
    workshop = benchmarking.Workshop(tmp_path, small_data, Machine(1, "cpu"), 1e9)
    hashes = data.hashes_of(data.load(small_data))
    job = benchmarking.spec(task, hashes, 3000, epochs * steps_per_epoch(3000, batch), 0)
    images = "affine" if kind == "affine" else "arrays"
    shared = {"data": small_data, "network": name, "images": images, "batch": batch, "epochs": epochs, "threads": 1}
    environment = {**os.environ, "PYTHONPATH": "workflow/scripts", "CUDA_VISIBLE_DEVICES": ""}

    def said(command):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    said(workshop.engine(job, small_data, 1))
    ours = run_store.read_metrics(tmp_path / "store" / digest(job))["final"]
    for script in ("plain_script", "torch_script"):
        lines = said(benchmarking._python(script, **shared))
        theirs = json.loads(lines[-1])
        assert (theirs["epoch"], len(lines)) == (epochs, epochs)
        assert theirs["accuracy"] == pytest.approx(ours["accuracy"], abs=0.05), script
        assert theirs["val_accuracy"] == pytest.approx(ours["val_accuracy"], abs=0.15), script
        assert ("clean_accuracy" in theirs) == (kind == "affine")  # as the engine, which then validates twice


@pytest.mark.parametrize(("load", "warned"), [(0.9, True), (0.1, False)])
def test_a_busy_machine_is_told_of_on_the_terminal_before_anything_is_measured(monkeypatch, tmp_path, load, warned):
    import io
    import runpy

    class MeasuredError(Exception):
        pass

    def measured(*arguments, **options):
        raise MeasuredError

    script = runpy.run_path(str(Path(__file__).parents[3] / "workflow" / "scripts" / "benchmark.py"))
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(benchmarking, "run", measured)
    job = SimpleNamespace(
        threads=2,
        config={"device": "cpu", "checkpoint_seconds": 120},
        resources={},
        input=SimpleNamespace(data=str(tmp_path / "data.npz")),
        params=SimpleNamespace(repetitions=1, seconds=0.5),
    )
    terminal = io.StringIO()
    with pytest.raises(MeasuredError):
        script["main"](job, terminal)
    assert ("The load of this machine was 0.9" in terminal.getvalue()) is warned


@pytest.mark.slow
def test_the_rule_measures_every_program(small_data, tmp_path, monkeypatch):
    """The whole rule on two small tasks: every number is there and none is absurd."""
    import io
    import runpy

    tasks = (Task("cnn1", "none", 128, 600), Task("lenet5", "affine", 32, 600))
    monkeypatch.setattr(benchmarking.run, "__kwdefaults__", {**benchmarking.run.__kwdefaults__, "tasks": tasks})
    script = runpy.run_path(str(Path(__file__).parents[3] / "workflow" / "scripts" / "benchmark.py"))
    table, measurements = tmp_path / "benchmarks" / "benchmark.csv", tmp_path / "benchmarks" / "measurements.csv"
    job = SimpleNamespace(
        threads=1,
        config={"device": "cpu", "checkpoint_seconds": 120},
        resources={},
        input=SimpleNamespace(data=str(small_data)),
        params=SimpleNamespace(repetitions=1, seconds=0.5, table=str(table), measurements=str(measurements)),
    )
    terminal = io.StringIO()
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))  # a quiet machine, so that no warning comes first
    script["main"](job, terminal)
    rows = benchmarking.read(table)
    programs = (ENGINE, PLAIN, PLAIN_ONEDNN, *([TORCH] if benchmarking.has_torch() else []))
    measured = [row for row in rows if row["program"] in programs]
    assert len(rows) == 2 * 4 + 1
    assert len(measured) == 2 * len(programs)
    for row in measured:
        assert row["images_per_second"] > 0
        assert row["fixed_seconds"] > 0
        assert 0 < row["peak_share"] < 1
    for row in (row for row in measured if row["program"] == ENGINE):
        assert 100 < row["peak_memory_mb"] < 3000
        assert row["first_step_seconds"] > 0
    assert terminal.getvalue().count("\n") == len(rows) + 1
