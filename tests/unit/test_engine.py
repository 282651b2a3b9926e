"""The engine: equal to Keras, independent of how steps are cut into calls, exact on resume."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras  # noqa: E402

from refashion import architectures, augmentation, engine, randomness  # noqa: E402

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


def scalar_engine(optimizer: str, **recipe) -> engine.Optimizer:
    """The engine's optimizer over one variable of three numbers."""
    variable = tf.Variable([0.5, -2.0, 3.0])
    return engine.OPTIMIZERS[optimizer]([variable], RECIPE | {"optimizer": optimizer} | recipe)


@pytest.mark.parametrize(
    ("name", "recipe", "keras_optimizer"),
    [
        ("adam", {}, lambda: keras.optimizers.Adam(0.01)),
        ("rmsprop", {}, lambda: keras.optimizers.RMSprop(0.01)),
        ("rmsprop", {"momentum": 0.5}, lambda: keras.optimizers.RMSprop(0.01, momentum=0.5)),
        ("sgd", {}, lambda: keras.optimizers.SGD(0.01)),
        ("sgd", {"momentum": 0.9}, lambda: keras.optimizers.SGD(0.01, momentum=0.9)),
    ],
)
def test_optimizers_are_those_of_keras(name, recipe, keras_optimizer, device):
    """50 updates on the same gradients, Keras' own optimizers as the reference."""
    ours, theirs, reference = scalar_engine(name, **recipe), keras_optimizer(), keras.Variable([0.5, -2.0, 3.0])
    theirs.build([reference])
    for iteration, gradient in enumerate(np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)):
        ours.apply([tf.constant(gradient)], tf.constant(0.01), tf.constant(iteration, tf.int64))
        theirs.apply([tf.constant(gradient)], [reference])
    np.testing.assert_allclose(ours.variables[0].numpy(), reference.numpy(), rtol=2e-6)


def normalised(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, gradient: np.ndarray) -> dict[str, np.ndarray]:
    """Batch normalisation over all axes but the last, in float64, with gradients (Ioffe & Szegedy 2015)."""
    axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    mean, variance = x.mean(axes), x.var(axes)
    unit = (x - mean) / np.sqrt(variance + 1e-3)
    d_gamma, d_beta = (gradient * unit).sum(axes), gradient.sum(axes)
    d_x = gamma / np.sqrt(variance + 1e-3) * (gradient - d_beta / count - unit * d_gamma / count)
    return {
        "y": gamma * unit + beta,
        "d_x": d_x,
        "d_gamma": d_gamma,
        "d_beta": d_beta,
        "moving_mean": 0.01 * mean,
        "moving_variance": 0.99 + 0.01 * variance * count / (count - 1),
    }


@pytest.mark.parametrize("kind", [engine.FusedBatchNormalization, engine.SplitBatchNormalization])
@pytest.mark.parametrize("shape", [(64, 9, 9, 32), (256, 128)])
def test_batch_normalisation_follows_its_definition(kind, shape, device):
    """Values, gradients and running statistics (Bessel-corrected, momentum 0.99) against float64."""
    random = np.random.default_rng(2)
    x = np.maximum(random.normal(0.3, 1.0, shape), 0)
    gamma, beta, gradient = random.normal(1, 0.3, shape[-1]), random.normal(size=shape[-1]), random.normal(size=shape)
    layer = kind()
    layer.build(shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    inputs = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = layer(inputs, training=True)
    d_x, d_gamma, d_beta = tape.gradient(
        y, [inputs, layer.gamma.value, layer.beta.value], tf.constant(gradient, tf.float32)
    )
    expected = normalised(x, gamma, beta, gradient)
    found = {"y": y, "d_x": d_x, "d_gamma": d_gamma, "d_beta": d_beta}
    found |= {"moving_mean": layer.moving_mean.value, "moving_variance": layer.moving_variance.value}
    for name, value in expected.items():
        scale = np.abs(value).max()
        np.testing.assert_allclose(found[name].numpy() / scale, value / scale, atol=1e-5, err_msg=name)

    moved = (x - expected["moving_mean"]) / np.sqrt(expected["moving_variance"] + 1e-3) * gamma + beta
    np.testing.assert_allclose(layer(inputs, training=False).numpy(), moved, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rate", [0.2, 0.25, 0.5])
def test_dropout_drops_at_its_rate_and_scales_the_rest(rate, device):
    """400 steps of 10,000 units: the share dropped within 5 standard errors of the rate, the rest over 1 - rate."""
    draws = engine.Draws(3, "dropout")
    layer = engine.ByteDropout(rate)
    layer.draws, layer.position = draws, 0
    shares = []
    for step in range(400):
        draws.counter = engine._counter(0, step)
        y = layer(tf.ones([100, 100]), training=True).numpy()
        assert set(np.unique(y)) <= {np.float32(0), np.float32(1 / (1 - rate))}
        shares.append(np.mean(y == 0))
    assert len(set(shares)) > 50, "every step has a mask of its own"
    assert abs(np.mean(shares) - rate) < 5 * np.std(shares) / 20
    assert np.array_equal(layer(tf.ones([100, 100]), training=False).numpy(), np.ones((100, 100)))
    if rate == 0.2:  # two thresholds of 256, 51 and 52, in the ratio 4 to 1
        assert abs(np.mean(shares) - rate) < 5 * np.sqrt(0.16 / 4e6 + 0.16 / 256**2 / 400)


@needs_data
@pytest.mark.parametrize("builder", ["softmax", "cnn1", "lenet5"])
def test_training_is_that_of_keras(builder, device):
    """Two epochs without dropout: the losses of Keras' own model, optimizer and loss on the same batches."""
    data, batch = split(256), 64
    options = {name: 0.0 for name in architectures.options(builder) if name.endswith("dropout")}
    ours = engine.Engine(spec(builder, options=options), data, device)
    model = architectures.build(builder, (28, 28, 1), 10, options)
    architectures.initialise(model, 5)
    model.compile("adam", "categorical_crossentropy")
    for epoch in range(2):
        order = randomness.generator(5, "shuffle", epoch).permutation(256)
        losses = []
        for start in range(0, 256, batch):
            chosen = order[start : start + batch]
            inputs = (data.train_images[chosen] / np.float32(255))[..., np.newaxis]
            model.reset_metrics()
            losses.append(model.train_on_batch(inputs, np.eye(10, dtype=np.float32)[data.train_labels[chosen]]))
        ours.reset_sums()
        ours.train(epoch, 0, 4)
        np.testing.assert_allclose(ours.sums()[0], np.mean(losses), rtol=1e-5)


@needs_data
def test_the_two_losses_are_one_function(device):
    """Categorical and sparse categorical cross-entropy: the same numbers from the same seed, to the bit."""
    data = split(300)
    engines = [engine.Engine(spec("lenet5", loss=loss), data, device) for loss in ("categorical", "sparse")]
    for each in engines:
        each.train(0, 0, 5)
    assert equal(engines[0].state(), engines[1].state())
