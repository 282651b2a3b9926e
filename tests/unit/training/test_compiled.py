"""The path of a GPU, compiled by XLA for this CPU, against the CPU's own kernels: all that the config names.

The same draws, the same order, the same formulas: two steps and an evaluation agree to the rounding of float32, which
batch normalisation enlarges.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import pytest
import yaml

engine = pytest.importorskip("refashion.training.engine", reason="TensorFlow is not installed")

from engine_specs import first_images
from project import PROJECT
from refashion.data.split import Split
from refashion.networks import augmentation
from refashion.study.config import load_study
from refashion.study.model import Cell, Run
from refashion.training import kernels
from refashion.training.draws import Draws, moment
from refashion.training.runtime import Device, keras, tf

CONFIG = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
CONFIG["recipes"]["more"] = {  # what no recipe of the config asks for
    "batch_size": 256,
    "epochs": 1,
    "optimizer": "sgd",
    "learning_rate": 0.01,
    "momentum": 0.9,
    "nesterov": True,
    "decay": 0.1,
    "weight_decay": 0.1,
}
#: Options that make no other program, whatever their value.
NUMBERS = ("batch_size", "epochs", "updates", "learning_rate", "shuffle", "dropout")


def _cells(table: str, **axis: str) -> Iterator:
    """A cell for each program that the config's entries of a table ask for; slow where earlier ones have all of it."""
    programs: list[set] = []
    for name, entry in CONFIG[table].items():
        parts = {(key, str(value)) for key, value in entry.items() if key not in NUMBERS}
        if parts not in programs:
            known = parts <= set().union(*programs)
            cell = Cell(**{"architecture": "cnn1", "augmentation": "none", **axis, table.removesuffix("s"): name})
            yield pytest.param(cell, id=f"{table} {name}", marks=pytest.mark.slow if known else ())
        programs.append(parts)


CELLS = [
    *_cells("architectures", fraction="10k", recipe="b256_e100"),
    *_cells("augmentations", fraction="10k", recipe="b256_e100", architecture="softmax"),
    *_cells("recipes", fraction="10k"),
]


def spec(cell: Cell) -> dict:
    """The cell's run with seed 0, cut to two epochs of one step on 32 images."""
    config = copy.deepcopy(CONFIG) | {"limits": {"images": 32, "epochs": 2}}
    return load_study(config).spec(Run(cell, 0))


def numbers(cell: Cell, split: Split, device: Device) -> dict[str, np.ndarray]:
    """Losses of the two steps, and of the validation images, augmented and clean."""
    run = engine.Engine(spec(cell), split, device)
    found = []
    for epoch in range(2):
        run.reset_sums()
        run.train(epoch, 0, 1)
        found.append(run.sums()[0])
    evaluation = run.evaluate(0)
    return {
        "first step": np.array(found[0]),
        "second step": np.array(found[1]),
        "validation": evaluation.validated.losses.mean(dtype=np.float64),
        "clean": evaluation.clean.losses.mean(dtype=np.float64),
    }


def differences(cell: Cell, split: Split, cpu: Device) -> dict[str, float]:
    """Relative differences between the compiled path and the CPU's."""
    compiled = numbers(cell, split, Device("gpu", "XLA on the CPU", cpu.tensorflow))
    return {name: float(abs(compiled[name] / value - 1)) for name, value in numbers(cell, split, cpu).items()}


def tolerance(cell: Cell, what: str) -> float:
    """float32 has 6e-8; four digits are lost where normalisation divides, all but two where bfloat16 computes."""
    if CONFIG["recipes"][cell.recipe].get("precision") == "mixed_bfloat16":
        return 0.02
    normalised = CONFIG["architectures"][cell.architecture]["builder"] in ("cnn4", "cnn4_same", "resnet_small")
    return 5e-3 if normalised and what != "first step" else 2e-5


@pytest.mark.parametrize("cell", CELLS)
def test_what_a_gpu_runs_compiles_and_agrees_with_the_cpu(cell, real_data, device, record_property):
    found = differences(cell, first_images(real_data, 32, 24), device)
    for what, value in found.items():  # in the file of `pytest --junit-xml`
        record_property(what, f"{value:.1e}")
    assert all(value <= tolerance(cell, what) for what, value in found.items()), found


def compiled(function):
    return tf.function(function, jit_compile=True)


def test_compiled_draws_are_the_same_draws(device):
    """To the bit, so that a seed means the same run on every device; XLA's own conversion to floats is another."""
    draws = Draws(5, "augmentation")

    def drawn(now):
        draws.counter = now
        return draws.bits(0, 1001), draws.uniform("zoom", 333, 2)

    for ours, theirs in zip(drawn(moment(2, 3)), compiled(drawn)(moment(2, 3)), strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())


def test_the_gathered_warp_is_tensorflows_to_the_bit(device):
    """On 50 images that are not square, under matrices that reach far outside."""
    random = np.random.default_rng(1)
    images = tf.constant(random.integers(0, 256, (50, 24, 17, 1)), tf.float32)
    matrices = np.tile(np.eye(3, dtype=np.float32), (50, 1, 1))
    matrices[:, :2] += random.normal(0, [0.3, 0.3, 8], (50, 2, 3)).astype(np.float32)
    expected = augmentation.warp(images, tf.constant(matrices)).numpy()
    assert np.array_equal(augmentation.gathered_warp(images, tf.constant(matrices)).numpy(), expected)
    found = compiled(augmentation.gathered_warp)(images, tf.constant(matrices)).numpy()
    np.testing.assert_allclose(found, expected, atol=0.02)  # of 255; XLA contracts products and sums


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (9, 7)])
def test_max_pooling_is_tensorflows_to_the_bit_ties_included(height, width, jit, device):
    """Values and gradients on integers from 0 to 3, where most windows have their maximum twice."""
    random = np.random.default_rng(2)
    x = tf.constant(random.integers(0, 4, (6, height, width, 5)), tf.float32)
    upstream = tf.constant(random.normal(size=(6, height // 2, width // 2, 5)), tf.float32)
    ours = kernels.SlicedMaxPooling(2)

    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = ours(x)
        return y, tape.gradient(y, x, upstream)

    y, gradient = (compiled(both) if jit else both)(x)
    expected = tf.nn.max_pool2d(x, 2, 2, "VALID")
    assert np.array_equal(y.numpy(), expected.numpy())
    reference = tf.raw_ops.MaxPoolGrad(
        orig_input=x, orig_output=expected, grad=upstream, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID"
    )
    assert np.array_equal(gradient.numpy(), reference.numpy())


@pytest.mark.parametrize(("window", "strides"), [(3, 2), (2, 1), (3, 3), ((2, 3), (2, 1))])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_every_max_pooling_of_keras_is_covered(window, strides, padding, device):
    """Windows that overlap, padding, sides that do not fit: Keras' layer, in float32's rounding of the sums."""
    random = np.random.default_rng(3)
    x = tf.constant(random.normal(size=(4, 11, 10, 3)), tf.float32)
    found = []
    for kind in (kernels.SlicedMaxPooling, keras.layers.MaxPooling2D):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = kind(window, strides, padding)(x)
            loss = tf.reduce_sum(y * tf.reshape(tf.range(tf.size(y), dtype=tf.float32), tf.shape(y)))
        found.append((y.numpy(), tape.gradient(loss, x).numpy()))
    assert np.array_equal(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)
