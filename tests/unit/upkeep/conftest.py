"""What the tests of costs and of speeds share: where runs are looked for, and a small study."""

from __future__ import annotations

import pytest

from refashion.study.config import load_study
from refashion.upkeep.timings import Places


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "store", tmp_path / "published", tmp_path / "benchmark.csv")


@pytest.fixture
def loaded(config):
    """Two experiments of two seeds; the second wants a cell of the first, and one of its own."""
    config.update(device="cpu", seeds=2, run=["first", "second"])
    cell = {"architecture": "cnn1", "fraction": "10k", "augmentation": "none", "recipe": "b256_e100"}
    config["experiments"] = {
        "first": {"title": "First", "question": "?", "cells": [cell]},
        "second": {"title": "Second", "question": "?", "cells": [cell, cell | {"architecture": "softmax"}]},
    }
    return load_study(config)
