"""The networks: every row and total of the original's summaries, options, initial weights, counted operations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from refashion.errors import UserError
from refashion.networks import architectures

ORIGINAL = yaml.safe_load((Path(__file__).parents[3] / "config" / "original.yaml").read_text(encoding="utf-8"))
SUMMARIES = ORIGINAL["summaries"]


def build(builder: str, **options):
    runtime = pytest.importorskip("refashion.training.runtime", reason="TensorFlow is not installed")
    runtime.configure("cpu", threads=1)
    return architectures.build({"builder": builder, **options}, (28, 28, 1), 10)


@pytest.mark.parametrize("builder", SUMMARIES)
def test_every_row_and_total_is_the_original_s(builder):
    """Layer kind, output shape and parameters of each row; the printed totals."""
    model = build(builder)
    printed = [(layer, tuple(shape), parameters) for _, layer, shape, parameters in SUMMARIES[builder]["rows"]]
    assert architectures.summary_rows(model) == printed
    assert architectures.parameter_counts(model) == SUMMARIES[builder]["printed"]


def test_lenet5_takes_28_pixels_to_32_by_padding_or_resizing():
    """The rows do not depend on it, the input of the first convolution does."""
    image = np.ones((1, 28, 28, 1), np.float32)
    padded, resized = (build("lenet5", input=how) for how in ("pad", "resize"))
    assert architectures.summary_rows(padded) == architectures.summary_rows(resized)
    inputs = [model.layers[0](image) for model in (padded, resized)]
    assert [tuple(x.shape) for x in inputs] == [(1, 32, 32, 1)] * 2
    assert float(np.sum(inputs[0])) == 28 * 28
    assert float(np.sum(inputs[1])) == 32 * 32


def test_the_other_networks_have_the_parameters_of_their_definition():
    """By hand: kernels without bias, four numbers a channel for batch normalisation, a dense layer at the end."""

    def convolution(size, channels, filters):
        return size**2 * channels * filters + 4 * filters

    def block(channels, filters):
        return sum(
            convolution(*sizes) for sizes in ((3, channels, filters), (3, filters, filters), (1, channels, filters))
        )

    expected = convolution(3, 1, 32) + block(32, 64) + block(64, 128) + 128 * 10 + 10
    assert architectures.parameter_counts(build("resnet_small"))["total"] == expected
    assert architectures.parameter_counts(build("softmax"))["total"] == 784 * 10 + 10


def test_options_reach_the_layers():
    model = build("cnn4", conv_dropout=0.1, dense_dropout=0.3, activation="tanh", pooling="average")
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("AveragePooling2D") == 2
    assert "MaxPooling2D" not in kinds
    assert [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"] == [0.1, 0.1, 0.1, 0.3, 0.3]
    activations = [layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")]
    assert activations == ["tanh"] * 6 + ["softmax"]


@pytest.mark.parametrize(
    ("builder", "chosen", "words"),
    [
        ("cnn9", {}, ["config: a", "no builder 'cnn9'", "cnn1", "resnet_small"]),
        ("cnn1", {"dropuot": 0.2}, ["no option 'dropuot'", "dropout, activation, pooling"]),
        ("softmax", {"dropout": 0.2}, ["no option 'dropout'", "allowed are none"]),
        ("cnn1", {"dropout": 1}, ["dropout is 1", "from 0 to 0.99"]),
        ("cnn1", {"dropout": True}, ["dropout is True", "from 0 to 0.99"]),
        ("cnn4", {"dense_dropout": "half"}, ["dense_dropout is 'half'", "from 0 to 0.99"]),
        ("cnn4", {"activation": "rleu"}, ["activation is 'rleu'", "relu, tanh"]),
        ("cnn4", {"pooling": ["max"]}, ["pooling is ['max']", "max, average"]),
        ("lenet5", {"input": "crop"}, ["input is 'crop'", "pad, resize"]),
        ("resnet_small", {"width": 0}, ["width is 0", "a whole number from 1 on"]),
        ("resnet_small", {"width": 32.0}, ["width is 32.0", "a whole number from 1 on"]),
    ],
)
def test_a_mistake_is_one_sentence(builder, chosen, words):
    with pytest.raises(UserError) as error:
        architectures.check({"builder": builder, **chosen}, "config: a")
    sentence = str(error.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize("builder", architectures.BUILDERS)
def test_defaults_pass_their_own_check(builder):
    architectures.check(architectures.definition({"builder": builder}))


def kernels(model) -> list[np.ndarray]:
    return [np.asarray(layer.kernel) for layer in model.layers if getattr(layer, "kernel", None) is not None]


@pytest.mark.parametrize(("builder", "shape"), [("lenet5", (64, 64, 1)), ("cnn4", (12, 10, 1))])
def test_images_of_a_size_that_a_network_cannot_take_get_one_sentence(builder, shape):
    with pytest.raises(
        UserError, match=rf"^The network {builder} cannot be built for images of {shape[0]} x {shape[1]}: .+\.$"
    ):
        architectures.build({"builder": builder}, shape, 10)


def test_initial_kernels_are_keyed_by_seed_and_position():
    """Equal seeds give equal kernels, to the bit, whatever was built before; no two layers or seeds share draws."""
    first, second, other = build("cnn4"), build("cnn4"), build("cnn4")
    for model, seed in ((first, 7), (second, 7), (other, 8)):
        architectures.initialise(model, seed)
    assert all(np.array_equal(a, b) for a, b in zip(kernels(first), kernels(second), strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(kernels(first), kernels(other), strict=True))
    units = [kernel.ravel()[:100] / np.abs(kernel).max() for kernel in kernels(first)]
    correlations = np.abs(np.corrcoef([unit for unit in units if unit.size == 100]) - np.eye(len(units)))
    assert correlations.max() < 0.5


def test_initial_kernels_are_glorot_uniform():
    """Bound sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010) and variance bound^2 / 3, biases zero."""
    model = build("cnn4_same")
    architectures.initialise(model, 1)
    for layer in (layer for layer in model.layers if hasattr(layer, "kernel")):
        kernel = np.asarray(layer.kernel)
        receptive = int(np.prod(kernel.shape[:-2]))
        bound = np.sqrt(6 / (receptive * (kernel.shape[-2] + kernel.shape[-1])))
        assert np.abs(kernel).max() <= bound * (1 + 1e-6)
        assert np.abs(kernel).max() > 0.98 * bound
        assert np.var(kernel) == pytest.approx(bound**2 / 3, rel=4 / np.sqrt(kernel.size))
        assert not np.asarray(layer.bias).any()


def test_an_initialiser_that_is_not_drawn_by_us_is_refused():
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, kernel_initializer="orthogonal")])
    with pytest.raises(UserError, match=r"Orthogonal, allowed are Keras' glorot_uniform, .*lecun_normal"):
        architectures.initialise(model, 0)


def test_operations_of_a_training_step_are_counted():
    """cnn1 by hand: 2 * 26*26 * 9*32, 2 * 5408*128 and 2 * 128*10 forward; three times that, less the first layer's."""
    convolution, dense, output = 2 * 26 * 26 * 9 * 32, 2 * 5408 * 128, 2 * 128 * 10
    assert architectures.training_flops(build("cnn1")) == 2 * convolution + 3 * (dense + output)
    assert architectures.training_flops(build("softmax")) == 2 * 2 * 7840
