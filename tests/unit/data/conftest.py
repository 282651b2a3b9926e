"""A tiny data set in a folder, and the function that prepares it."""

import gzip
import hashlib

import numpy as np
import pytest

from refashion.data import sources
from tiny_data import NAMES, idx_bytes


@pytest.fixture(scope="module")
def arrays():
    """60 training and 12 test images of 5 x 4 random pixels, labels 0 to 3."""
    rng = np.random.default_rng(1)
    return {
        "train_images": rng.integers(0, 256, (60, 5, 4), dtype=np.uint8),
        "train_labels": rng.integers(0, 4, 60, dtype=np.uint8),
        "test_images": rng.integers(0, 256, (12, 5, 4), dtype=np.uint8),
        "test_labels": rng.integers(0, 4, 12, dtype=np.uint8),
    }


@pytest.fixture
def definition(arrays):
    files = {
        key: {"name": NAMES[key], "shape": list(array.shape), "sha256": hashlib.sha256(idx_bytes(array)).hexdigest()}
        for key, array in arrays.items()
    }
    return {"title": "Tiny", "classes": ["a", "b", "c", "d"], "files": files, "sources": []}


@pytest.fixture
def folder(arrays, tmp_path):
    """A folder with the four files: images gzipped, labels plain."""
    folder = tmp_path / "source"
    folder.mkdir()
    for key, array in arrays.items():
        if key.endswith("images"):
            (folder / f"{NAMES[key]}.gz").write_bytes(gzip.compress(idx_bytes(array)))
        else:
            (folder / NAMES[key]).write_bytes(idx_bytes(array))
    return folder


@pytest.fixture
def target(tmp_path):
    return tmp_path / "results" / "data" / "tiny.npz"


@pytest.fixture
def prepare(definition, target):
    """Prepare the tiny data set from sources; returns the lines of the log."""

    def run(*wanted, **options):
        lines = []
        sources.prepare("tiny", {**definition, "sources": list(wanted)}, target, log=lines.append, **options)
        return lines

    return run


@pytest.fixture
def prepared(prepare, folder, target):
    prepare({"folder": str(folder)})
    return target
