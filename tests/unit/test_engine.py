"""The engine: equal to Keras, independent of how steps are cut into calls, exact on resume."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from refashion import architectures, augmentation, engine  # noqa: E402

FOLDER = Path(os.environ.get("FASHION_MNIST_DIR", "/usr/share/datasets/fashion-mnist"))
needs_data = pytest.mark.skipif(
    not (FOLDER / "train-images-idx3-ubyte.gz").exists(), reason=f"no Fashion-MNIST in {FOLDER}"
)
AFFINE = {"rotation": 8, "width_shift": 0.08, "height_shift": 0.08, "shear": 0.3, "zoom": 0.08}
RECIPE = {
    "loss": "categorical",
    "optimizer": "adam",
    "learning_rate": 0.001,
    "momentum": 0.0,
    "schedule": "constant",
    "label_smoothing": 0.0,
    "batch_size": 64,
    "epochs": 3,
    "precision": "float32",
}
ARCHITECTURES = tuple(architectures.BUILDERS)


def load(name: str, count: int) -> np.ndarray:
    """The first images [count, 28, 28] or labels [count] of an IDX file."""
    images = "images" in name
    with gzip.open(FOLDER / f"{name}.gz") as file:
        raw = file.read(16 + 784 * count if images else 8 + count)
    values = np.frombuffer(raw, np.uint8, offset=16 if images else 8)
    return values.reshape(-1, 28, 28) if images else values


def split(train: int, validation: int = 100) -> SimpleNamespace:
    return SimpleNamespace(
        train_images=load("train-images-idx3-ubyte", train),
        train_labels=load("train-labels-idx1-ubyte", train),
        validation_images=load("t10k-images-idx3-ubyte", validation),
        validation_labels=load("t10k-labels-idx1-ubyte", validation),
    )


def spec(builder: str, affine: bool = False, seed: int = 5, options: dict | None = None, **recipe) -> dict:
    return {
        "numerics": 1,
        "seed": seed,
        "dataset": {"classes": 10, "shape": [28, 28]},
        "architecture": {"builder": builder, **architectures.options(builder), **(options or {})},
        "augmentation": augmentation.DEFAULTS | (AFFINE if affine else {}),
        "recipe": RECIPE | recipe,
    }


@pytest.fixture(scope="session")
def device() -> engine.Device:
    return engine.configure("cpu", threads=1)


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


@needs_data
@pytest.mark.parametrize("affine", [False, True], ids=["none", "affine"])
@pytest.mark.parametrize("builder", ARCHITECTURES)
def test_chunks_and_resume_change_no_bit(builder, affine, device):
    """An epoch in one go, in pieces, and resumed in another engine at its middle: the same numbers."""
    data = split(300)  # 64 a batch: four full batches and one of 44
    whole = engine.Engine(spec(builder, affine), data, device)
    whole.seconds_per_step = 1e-3
    assert whole.steps_per_epoch == 5
    assert whole.train(0, 0, 5) == 5
    assert whole.train(1, 0, 5) == 5

    pieces = engine.Engine(spec(builder, affine), data, device)
    pieces.train(0, 0, 5)
    for first, last in ((0, 1), (1, 3)):
        pieces.train(1, first, last)
    resumed = engine.Engine(spec(builder, affine), data, device)
    resumed.restore(pieces.state())
    resumed.train(1, 3, 5)

    assert equal(whole.state(), resumed.state())
    assert whole.sums() == resumed.sums()
    ours, theirs = whole.evaluate(1), resumed.evaluate(1)
    for name in ("validated", "clean"):
        assert np.array_equal(getattr(ours, name).losses, getattr(theirs, name).losses)
        assert np.array_equal(getattr(ours, name).classes, getattr(theirs, name).classes)
    assert np.array_equal(ours.validated.losses, ours.clean.losses) != affine
