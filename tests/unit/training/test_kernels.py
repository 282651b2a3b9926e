"""The kernels: equal to their definitions and to Keras."""

from __future__ import annotations

import numpy as np
import pytest

kernels = pytest.importorskip("refashion.training.kernels", reason="TensorFlow is not installed")

from refashion.errors import UserError
from refashion.training.draws import Draws, moment
from refashion.training.runtime import keras, tf


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


@pytest.mark.parametrize("kind", [kernels.FusedBatchNormalization, kernels.SplitBatchNormalization])
@pytest.mark.parametrize("shape", [(64, 9, 9, 32), (2, 3, 3, 8), (256, 128), (6, 16)])
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
        np.testing.assert_allclose(found[name].numpy() / scale, value / scale, atol=3e-5, err_msg=name)

    moved = (x - expected["moving_mean"]) / np.sqrt(expected["moving_variance"] + 1e-3) * gamma + beta
    np.testing.assert_allclose(layer(inputs, training=False).numpy(), moved, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rate", [0.2, 0.25, 0.5])
def test_dropout_drops_at_its_rate_and_scales_the_rest(rate, device):
    """400 steps of 10,000 units: the share dropped within 5 standard errors of the rate, the rest over 1 - rate."""
    draws = Draws(3, "dropout")
    layer = kernels.ByteDropout(rate)
    layer.draws, layer.position = draws, 0
    shares = []
    for step in range(400):
        draws.counter = moment(0, step)
        y = layer(tf.ones([100, 100]), training=True).numpy()
        assert set(np.unique(y)) <= {np.float32(0), np.float32(1 / (1 - rate))}
        shares.append(np.mean(y == 0))
    assert len(set(shares)) > 50, "every step has a mask of its own"
    assert abs(np.mean(shares) - rate) < 5 * np.std(shares) / 20
    assert np.array_equal(layer(tf.ones([100, 100]), training=False).numpy(), np.ones((100, 100)))
    if rate == 0.2:  # two thresholds of 256, 51 and 52, in the ratio 4 to 1
        assert abs(np.mean(shares) - rate) < 5 * np.sqrt(0.16 / 4e6 + 0.16 / 256**2 / 400)


def test_a_model_that_the_engine_cannot_train_is_refused():
    def model(*last):
        return keras.Sequential([keras.layers.Input((4,)), *last])

    draws = Draws(0, "dropout")
    no_softmax = model(keras.layers.Dense(3))
    with pytest.raises(UserError, match="last layer must be Dense with activation softmax"):
        kernels.with_kernels(no_softmax, kernels.GPU_KERNELS, "float32", draws)
    noisy = model(keras.layers.GaussianNoise(0.1), keras.layers.Dense(3, activation="softmax"))
    with pytest.raises(UserError, match="GaussianNoise draws random numbers"):
        kernels.with_kernels(noisy, kernels.GPU_KERNELS, "float32", draws)
