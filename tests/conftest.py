"""What several test modules share: the config as committed, a tiny one, and the real data."""

from __future__ import annotations

import copy
import functools
import json
import sys
from pathlib import Path

import pytest
import yaml

from project import PROJECT
from refashion import files
from refashion.data import dataset as data
from refashion.data import sources


@pytest.fixture(scope="session")
def committed_config() -> dict:
    """config/config.yaml as it is committed. Do not change it in place."""
    return yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def config(committed_config) -> dict:
    """A copy of config/config.yaml to change at will."""
    return copy.deepcopy(committed_config)


@functools.cache
def _prepared():
    """TensorFlow prepared as in a job, on one thread: once a process, before anything computes."""
    from refashion.training import runtime

    return runtime.configure("cpu", threads=1)


def pytest_collection_finish():
    """Prepare TensorFlow where a test module has loaded it, so that no order of tests computes before."""
    if "refashion.training.runtime" in sys.modules:
        _prepared()


@pytest.fixture(scope="session")
def device():
    """What a test computes on."""
    pytest.importorskip("refashion.training.runtime", reason="TensorFlow is not installed")
    return _prepared()


@pytest.fixture(scope="session")
def real_data(committed_config, request) -> Path:
    """The real Fashion-MNIST as prepared by the project, kept between test runs in pytest's cache folder."""
    target = Path(request.config.cache.mkdir("fashion-mnist")) / "fashion_mnist.npz"
    if not target.exists():
        sources.prepare("fashion_mnist", committed_config["datasets"]["fashion_mnist"], target)
    return target


@pytest.fixture(scope="session")
def prepared_data(real_data) -> Path:
    """Both outputs of the rule `prepare_data`: the path of the .npz, with the .json of its facts beside it."""
    facts = real_data.with_suffix(".json")
    if not facts.exists():
        files.write_text(facts, json.dumps(data.describe(data.load(real_data))))
    return real_data


@pytest.fixture(scope="session")
def small_data(real_data, tmp_path_factory) -> Path:
    """The first 3,000 training and 1,000 test images of the real data, for tests that train."""
    target = tmp_path_factory.mktemp("data") / "small.npz"
    data.write(target, data.load(real_data).first(3000, 1000))
    return target


@pytest.fixture(scope="session")
def _small_config(committed_config, small_data) -> dict:
    config = copy.deepcopy(committed_config)
    for key, digest in data.hashes_of(data.load(small_data)).items():
        config["datasets"]["fashion_mnist"]["files"][key]["sha256"] = digest
    return config


@pytest.fixture
def small_config(_small_config) -> dict:
    """A copy of the config whose Fashion-MNIST is `small_data`; a training holds its data against the config."""
    return copy.deepcopy(_small_config)
