"""The process: threads, determinism, devices, whatever the environment says."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from project import PROJECT

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
os.environ.pop("TF_ENABLE_ONEDNN_OPTS", None)
from refashion.training import runtime
import tensorflow as tf
print(runtime.configure("cpu", 3))
print(tf.config.threading.get_intra_op_parallelism_threads(), os.environ["TF_ENABLE_ONEDNN_OPTS"])
print(tf.config.experimental.tensor_float_32_execution_enabled(), tf.config.get_visible_devices("GPU"))
"""
    lines = in_a_process(code).stdout.splitlines()
    assert lines[0].startswith("Device(kind='cpu', name='CPU', tensorflow='")
    assert lines[1:] == ["3 1", "False []"]


def test_a_gpu_that_is_not_there_is_one_sentence():
    """CUDA_VISIBLE_DEVICES=-1 hides every GPU, so this holds on any machine: no silent fall back to the CPU."""
    code = """
from refashion import errors
from refashion.training import runtime
try:
    runtime.configure("gpu", 1)
except errors.UserError as error:
    print(error)
"""
    sentence = in_a_process(code, CUDA_VISIBLE_DEVICES="-1").stdout.strip()
    assert "\n" not in sentence
    assert sentence.startswith("device is gpu, but TensorFlow")
    assert "sees no GPU (CUDA_VISIBLE_DEVICES: -1)" in sentence
