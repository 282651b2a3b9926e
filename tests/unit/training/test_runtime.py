"""The process: threads, determinism, devices, whatever the environment says."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import faults
from project import PROJECT
from refashion.networks import backend
from refashion.study.config import load_study
from refashion.study.model import Cell, Run, digest
from refashion.training.run_store import RunStore

pytest.importorskip("refashion.training.runtime", reason="TensorFlow is not installed")


def in_a_process(code: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs Python code in a process of its own, since TensorFlow is configured once a process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow" / "scripts"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_configure_sets_threads_determinism_and_onednn():
    code = """
import os
from refashion.training import runtime
import tensorflow as tf
print(runtime.configure("cpu", 3))
print(tf.config.threading.get_intra_op_parallelism_threads(), os.environ["TF_ENABLE_ONEDNN_OPTS"])
print(tf.config.experimental.tensor_float_32_execution_enabled(), tf.config.get_visible_devices("GPU"))
"""
    lines = in_a_process(code).stdout.splitlines()
    assert lines[0].startswith("Device(kind='cpu', name='CPU', tensorflow='")
    assert lines[1:] == ["3 1", "False []"]


#: Each changed a history, or ended in an error, while the environment was left as it was found.
ENVIRONMENTS = {
    "Keras' settings: floatx": {"keras.json": {"floatx": "float16"}},
    "Keras' settings: no floatx": {"keras.json": {"floatx": "float7"}},
    "Keras' settings: data format": {"keras.json": {"image_data_format": "channels_first"}},
    "Keras' settings: backend": {"keras.json": {"backend": "torch"}},
    "the backend": {"KERAS_BACKEND": "torch"},
    "XLA everywhere": {"TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit"},
    "no oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "an older processor": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "fewer bits": {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"},
}
#: At once in the fast tests, one by one in the slow ones.
TOGETHER = {name: value for each in ENVIRONMENTS.values() for name, value in each.items()} | {
    "keras.json": {"floatx": "float16", "image_data_format": "channels_first", "backend": "torch"}
}


def history(folder, environment, spec, data) -> str:
    """The history of a run that is trained with a home in `folder` and a user's environment."""
    settings = environment.get("keras.json")
    (folder / ".keras").mkdir(parents=True)
    if settings:
        (folder / ".keras" / "keras.json").write_text(json.dumps(settings), encoding="utf-8")
    variables = {name: value for name, value in environment.items() if name != "keras.json"}
    store = RunStore(folder / "store")
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = faults.train([spec], data, store.folder, variables={"HOME": str(folder), **variables}, **told)
    said = done.communicate(timeout=300)[0]
    assert done.returncode == 0, said
    return (store.path(digest(spec)) / "history.csv").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def small_spec(_small_config):
    config = _small_config | {"limits": {"images": 300, "epochs": 1}}
    return load_study(config).spec(Run(Cell("lenet5", "60k", "affine", "b32_e20_sparse"), 0))


@pytest.fixture(scope="module")
def clean_history(small_spec, small_data, tmp_path_factory):
    return history(tmp_path_factory.mktemp("clean"), {}, small_spec, small_data)


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param(TOGETHER, id="all at once"),
        *(pytest.param(each, id=name, marks=pytest.mark.slow) for name, each in ENVIRONMENTS.items()),
    ],
)
def test_a_run_is_a_function_of_its_spec_whatever_the_environment(
    environment, clean_history, small_spec, small_data, tmp_path
):
    assert history(tmp_path, environment, small_spec, small_data) == clean_history


def test_settings_that_change_no_number_are_kept_and_all_others_go(monkeypatch):
    kept = {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_FORCE_GPU_ALLOW_GROWTH": "true", "CUDA_VISIBLE_DEVICES": "1"}
    gone = {"TF_SOMETHING_NEW": "1", "NVIDIA_TF32_OVERRIDE": "1", "CUDNN_DETERMINISTIC": "0", "KERAS_MAX_EPOCHS": "1"}
    flags = {"XLA_FLAGS": "--xla_gpu_autotune_level=0 --xla_gpu_cuda_data_dir=/opt/cuda"}
    environment = {**kept, **gone, **flags, "HOME": "/home/someone"}
    monkeypatch.setattr(os, "environ", environment)
    backend.settle()
    assert environment == {
        **kept,
        "HOME": "/home/someone",
        "XLA_FLAGS": "--xla_gpu_cuda_data_dir=/opt/cuda",
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": os.devnull,
    }


def test_networks_are_described_by_the_same_keras():
    """Without TensorFlow's part: the rule `describe_architectures` builds networks and trains none."""
    code = """
from refashion.networks import architectures
print(architectures.build({"builder": "cnn1"}, (28, 28, 1), 10).count_params())
"""
    assert in_a_process(code, KERAS_BACKEND="torch").stdout.strip() == "693962"
