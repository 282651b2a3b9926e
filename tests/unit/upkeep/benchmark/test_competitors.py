"""The programs that are compared train the same networks on the same images."""

from __future__ import annotations

import io
import json
import os
import runpy
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

from project import PROJECT
from refashion.data import dataset as data
from refashion.judging import benchmark_table
from refashion.judging.benchmark_table import ENGINE, PLAIN, PLAIN_ONEDNN, TORCH
from refashion.networks import architectures, augmentation
from refashion.study.model import digest, steps_per_epoch
from refashion.training import run_files
from refashion.upkeep.benchmark import contestants, measuring
from refashion.upkeep.benchmark.contestants import Machine, Task

ORIGINAL = ("cnn1", "lenet5", "cnn4", "cnn4_same")


@pytest.fixture(scope="module")
def torch_script():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from refashion.upkeep.benchmark import torch_script

    return torch_script


@pytest.mark.parametrize("name", ORIGINAL)
def test_the_plain_script_has_the_same_layers(device, name):
    from refashion.upkeep.benchmark import plain_script

    mine = architectures.build({"builder": name}, (28, 28, 1), 10)
    rows = [row for row in architectures.summary_rows(plain_script.build(name)) if row[0] != "ZeroPadding2D"]
    assert rows == architectures.summary_rows(mine)


@pytest.mark.parametrize("name", ORIGINAL)
def test_pytorch_has_the_same_parameters_and_computes_channels_last(device, name, torch_script):
    import torch

    mine = architectures.build({"builder": name}, (28, 28, 1), 10)
    model = torch_script.build(name)
    trained = sum(tensor.numel() for tensor in model.parameters())
    assert torch_script.parameters(model) == architectures.parameter_counts(mine)["total"]
    assert trained == architectures.parameter_counts(mine)["trainable"]
    model = model.to(memory_format=torch.channels_last).eval()
    first = model[0](torch.rand(4, 1, 28, 28).contiguous(memory_format=torch.channels_last))
    assert first.is_contiguous(memory_format=torch.channels_last)
    assert model(torch.rand(4, 1, 28, 28)).shape == (4, 10)


def test_the_programs_augment_alike(device, committed_config):
    from refashion.upkeep.benchmark import plain_script

    ranges = {name.removesuffix("_range"): value for name, value in plain_script.AFFINE.items()}
    assert {"rescale": "unit", **ranges} == committed_config["augmentations"]["affine"]


def test_pytorch_warps_as_the_engine_does(device, torch_script, small_data, committed_config, monkeypatch):
    """Equal draws, equal images: the two implementations share nothing but the definition."""
    import torch

    uniform = np.random.default_rng(0).random((6, 8), dtype=np.float32)
    parts = dict(zip(("rotation", "shear", "width_shift", "height_shift"), uniform[:4], strict=True))
    parts["zoom"] = uniform[4:].T
    with np.load(small_data) as data:
        images = data["train_images"][:8, ..., np.newaxis].astype(np.float32)
    monkeypatch.setattr(torch, "rand", lambda *shape, device: torch.from_numpy(uniform))
    theirs = torch_script.augmented(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()[:, 0]
    affine = committed_config["augmentations"]["affine"]
    ours = augmentation.augment(images, affine, lambda part, *_: parts[part])
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
    pytest.importorskip("torch", reason="PyTorch is not installed")
    epochs, batch = 3, 16
    (task,) = [one for one in contestants.TASKS if (one.architecture, one.augmentation) == (name, kind)]
    workshop = contestants.Workshop(tmp_path, small_data, Machine(1, "cpu"), 1e9)
    hashes = data.hashes_of(data.load(small_data))
    job = contestants.spec(task, hashes, 3000, epochs * steps_per_epoch(3000, batch), 0)
    job["recipe"] |= {"batch_size": batch}
    images = "affine" if kind == "affine" else "arrays"
    shared = {"data": small_data, "network": name, "images": images, "batch": batch, "epochs": epochs, "threads": 1}
    environment = {**os.environ, "PYTHONPATH": "workflow/scripts", "CUDA_VISIBLE_DEVICES": ""}

    def said(command):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    said(workshop.engine(job, small_data, 1))
    ours = run_files.read(tmp_path / "store" / digest(job)).metrics["final"]
    for script in ("plain_script", "torch_script"):
        lines = said(contestants.python(script, **shared))
        theirs = json.loads(lines[-1])
        assert (theirs["epoch"], len(lines)) == (epochs, epochs)
        assert theirs["accuracy"] == pytest.approx(ours["accuracy"], abs=0.05), script
        assert theirs["val_accuracy"] == pytest.approx(ours["val_accuracy"], abs=0.15), script
        assert ("clean_accuracy" in theirs) == (kind == "affine")  # as the engine, which then validates twice


def _run_rule(data, table, terminal):
    """The rule `benchmark` on one core, as short as can be."""
    job = SimpleNamespace(
        threads=1,
        config={"device": "cpu", "checkpoint_seconds": 120},
        resources={},
        input=SimpleNamespace(data=str(data)),
        params=SimpleNamespace(repetitions=1, seconds=0.5, table=str(table)),
    )
    runpy.run_path(str(PROJECT / "workflow" / "scripts" / "benchmark.py"))["main"](job, terminal)


@pytest.mark.parametrize(("load", "warned"), [(0.9, True), (0.1, False)])
def test_a_busy_machine_is_told_of_on_the_terminal_before_anything_is_measured(monkeypatch, tmp_path, load, warned):
    class MeasuredError(Exception):
        pass

    def measured(*arguments, **options):
        raise MeasuredError

    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(measuring, "run", measured)
    terminal = io.StringIO()
    with pytest.raises(MeasuredError):
        _run_rule(tmp_path / "data.npz", tmp_path / "benchmark.csv", terminal)
    assert ("The load of this machine was 0.9" in terminal.getvalue()) is warned


@pytest.mark.slow
def test_the_rule_measures_every_program(small_data, tmp_path, monkeypatch):
    """The whole rule on two small tasks: every number is there and none is absurd."""
    tasks = (Task("cnn1", "none", "b256_e50", 600), Task("lenet5", "affine", "b32_e20_sparse", 600))
    monkeypatch.setattr(measuring.run, "__kwdefaults__", {**measuring.run.__kwdefaults__, "tasks": tasks})
    table, terminal = tmp_path / "benchmarks" / "benchmark.csv", io.StringIO()
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))  # a quiet machine, so that no warning comes first
    _run_rule(small_data, table, terminal)
    rows = benchmark_table.read(table)
    programs = (ENGINE, PLAIN, PLAIN_ONEDNN, *([TORCH] if contestants.has_torch() else []))
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
