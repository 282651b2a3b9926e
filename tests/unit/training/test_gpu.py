"""What needs a GPU. Each test starts processes of its own, since TensorFlow fixes its devices once a process."""

from __future__ import annotations

import subprocess

import pytest

import faults
from refashion.study.config import load_study
from refashion.study.model import Cell, Run, digest
from refashion.training import devices, run_files
from refashion.training.run_store import RunStore

needs_gpu = pytest.mark.skipif(not devices.visible_gpus(), reason="this machine has no GPU (nvidia-smi shows none)")


@pytest.fixture(params=["cnn4/10k/affine/b256_e100"])
def spec(request, small_config):
    small_config["limits"] = {"images": 2000, "epochs": 3}
    return load_study(small_config).spec(Run(Cell(*request.param.split("/")), 0))


def _start(spec, data, store, device, **variables):
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return faults.train([spec], data, store.folder, device=device, variables=variables, **told)


def _finished(process, spec, store):
    output = process.communicate(timeout=600)[0]
    assert process.returncode == 0, output
    return run_files.read(store.path(digest(spec)))


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize(
    "spec",
    [
        "cnn1/60k/affine/b256_e50",
        "lenet5/60k/none/b32_e20_sparse",
        "cnn4/10k/affine/b256_e100",
        "cnn4_same/10k/affine_flip/b256_e100",
        "resnet_small/60k/horizontal_flip/modern",
        "cnn4/60k/affine/b256_e50_bfloat16",
    ],
    indirect=True,
)
def test_a_run_on_a_gpu_agrees_with_one_on_the_cpu_and_with_itself(spec, small_data, tmp_path):
    found = {}
    for name, device in (("gpu", "gpu"), ("again", "gpu"), ("cpu", "cpu")):
        store = RunStore(tmp_path / name)
        found[name] = _finished(_start(spec, small_data, store, device), spec, store)
    assert found["gpu"].metrics["provenance"]["device"] == "gpu"
    assert found["gpu"].metrics["final"] == found["again"].metrics["final"]
    # Rounding differs, the network does not. Weights that begin 6e-8 apart (relative) end the first epoch, on one CPU,
    # with losses up to 0.2% apart, 0.7% in bfloat16; the third, with batch normalisation, already 2%.
    gpu, cpu = (found[name].column("loss")[0] for name in ("gpu", "cpu"))
    assert gpu == pytest.approx(cpu, rel=0.02 if spec["recipe"]["precision"] == "mixed_bfloat16" else 0.01)


@pytest.mark.gpu
@needs_gpu
def test_two_runs_at_once_on_one_gpu_are_those_of_a_gpu_alone(spec, small_data, tmp_path):
    one = {"CUDA_VISIBLE_DEVICES": devices.visible_gpus()[0]}
    specs = [{**spec, "seed": seed} for seed in range(2)]
    alone, shared = RunStore(tmp_path / "alone"), RunStore(tmp_path / "shared")
    runs = [_finished(_start(each, small_data, alone, "gpu", **one), each, alone) for each in specs]
    started = [_start(each, small_data, shared, "gpu", **one) for each in specs]
    found = [_finished(*pair, shared) for pair in zip(started, specs, strict=True)]
    assert [run.metrics["final"] for run in found] == [run.metrics["final"] for run in runs]


@pytest.mark.gpu
@pytest.mark.skipif(len(devices.visible_gpus()) < 2, reason="this machine has fewer than two GPUs")
def test_concurrent_runs_land_on_different_gpus(spec, small_data, tmp_path):
    stores = [RunStore(tmp_path / str(seed)) for seed in range(2)]
    specs = [{**spec, "seed": seed} for seed in range(2)]
    started = [_start(one, small_data, store, "gpu") for one, store in zip(specs, stores, strict=True)]
    outputs = [process.communicate(timeout=600)[0] for process in started]
    assert not any(process.returncode for process in started), outputs
    assert len({line for output in outputs for line in output.splitlines() if "Using GPU" in line}) == 2


def test_a_run_that_was_given_a_gpu_where_there_is_none_fails_with_a_sentence(spec, small_data, tmp_path):
    store = RunStore(tmp_path / "store")
    output = _start(spec, small_data, store, "gpu", CUDA_VISIBLE_DEVICES="").communicate(timeout=600)[0]
    assert "This job was given a GPU and the machine shows none" in output
    assert store.whole(digest(spec)) is None


def test_a_gpu_that_tensorflow_cannot_see_is_no_silent_fallback(spec, small_data, tmp_path):
    if devices.visible_gpus():
        pytest.skip("this machine has a GPU, so TensorFlow may see it")
    store = RunStore(tmp_path / "store")
    output = _start(spec, small_data, store, "gpu", CUDA_VISIBLE_DEVICES="0").communicate(timeout=600)[0]
    assert "sees no GPU (CUDA_VISIBLE_DEVICES: 0)" in output
    assert store.whole(digest(spec)) is None
