"""Optimizers and schedule: Keras' own, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

optimizers = pytest.importorskip("refashion.training.optimizers", reason="TensorFlow is not installed")

from refashion.training.runtime import keras, tf


def over_three_numbers(optimizer: str, **recipe) -> optimizers.Optimizer:
    """The engine's optimizer over one variable of three numbers."""
    variable = tf.Variable([0.5, -2.0, 3.0])
    return optimizers.OPTIMIZERS[optimizer]([variable], {"optimizer": optimizer, **recipe})


@pytest.mark.parametrize(
    ("name", "recipe", "keras_optimizer"),
    [
        ("adam", {}, lambda: keras.optimizers.Adam(0.01)),
        ("rmsprop", {}, lambda: keras.optimizers.RMSprop(0.01)),
        ("rmsprop", {"momentum": 0.5}, lambda: keras.optimizers.RMSprop(0.01, momentum=0.5)),
        ("sgd", {}, lambda: keras.optimizers.SGD(0.01)),
        ("sgd", {"momentum": 0.9}, lambda: keras.optimizers.SGD(0.01, momentum=0.9)),
        ("sgd", {"momentum": 0.9, "nesterov": True}, lambda: keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)),
        ("sgd", {"momentum": 0.9, "weight_decay": 0.1}, lambda: keras.optimizers.SGD(0.01, 0.9, weight_decay=0.1)),
        ("adam", {"weight_decay": 0.1}, lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1)),
        ("rmsprop", {"weight_decay": 0.1}, lambda: keras.optimizers.RMSprop(0.01, weight_decay=0.1)),
    ],
)
def test_optimizers_are_those_of_keras(name, recipe, keras_optimizer, device):
    """50 updates on the same gradients, Keras' own optimizers as the reference."""
    ours, theirs, reference = over_three_numbers(name, **recipe), keras_optimizer(), keras.Variable([0.5, -2.0, 3.0])
    theirs.build([reference])
    for iteration, gradient in enumerate(np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)):
        ours.apply([tf.constant(gradient)], tf.constant(0.01), tf.constant(iteration, tf.int64))
        theirs.apply([tf.constant(gradient)], [reference])
    np.testing.assert_allclose(ours.variables[0].numpy(), reference.numpy(), rtol=2e-6)


def test_decay_is_that_of_keras_2():
    """Keras 3 has it as a schedule: InverseTimeDecay with a step of one."""
    theirs = keras.optimizers.schedules.InverseTimeDecay(0.01, decay_steps=1, decay_rate=1e-3)
    recipe = {"learning_rate": 0.01, "schedule": "constant", "decay": 1e-3}
    for update in (0, 1, 10, 4000):
        ours = float(optimizers.learning_rate(recipe, tf.constant(update, tf.int64), 5000))
        assert ours == pytest.approx(float(theirs(update)), rel=1e-6)
    assert ours == pytest.approx(0.01 / 5, rel=1e-6)


def test_the_cosine_schedule_rises_falls_and_ends_at_zero():
    """200 updates at 0.4: ten of warm-up, the peak after them, half of it midway (Loshchilov & Hutter 2017, eq. 5)."""
    recipe = {"learning_rate": 0.4, "schedule": "cosine"}
    rates = [float(optimizers.learning_rate(recipe, tf.constant(update, tf.int64), 200)) for update in range(201)]
    assert np.all(np.diff(rates[:11]) > 0)
    assert rates[10] == max(rates) == pytest.approx(0.4)
    assert rates[105] == pytest.approx(0.2, rel=1e-5)
    assert np.all(np.diff(rates[10:]) < 0)
    assert rates[200] == pytest.approx(0, abs=1e-6)
