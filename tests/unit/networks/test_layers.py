"""Networks as data: what a list builds, and the sentence of each mistake in one."""

from __future__ import annotations

import numpy as np
import pytest

from refashion.errors import UserError
from refashion.networks import architectures, layers

pytestmark = pytest.mark.usefixtures("device")

SOFTMAX = {"dense": {"units": 10, "activation": "softmax"}}

#: The original's network with one convolution.
CNN1 = [
    {"conv": {"filters": 32, "kernel": 3, "activation": "relu"}},
    "pool",
    {"dropout": {"rate": 0.2}},
    "flatten",
    {"dense": {"units": 128, "activation": "relu"}},
    SOFTMAX,
]


def test_every_layer_is_built_with_the_options_it_was_given():
    model = layers.build(
        (28, 28, 1),
        7,
        [
            {"pad": {"margin": 2}},
            {"resize": {"size": [16, 20], "interpolation": "nearest"}},
            {"conv": {"filters": 4, "kernel": [3, 5], "strides": 2, "padding": "same", "bias": False}},
            {"batch_norm": {"momentum": 0.9, "epsilon": 0.01}},
            {"activation": {"function": "tanh"}},
            {"pool": {"kind": "average", "size": [2, 5], "strides": 1, "padding": "same"}},
            {"global_pool": {"kind": "max"}},
            {"dense": {"units": 5, "initialiser": "he_normal"}},
            {"dropout": {"rate": 0.5}},
            {"dense": {"units": 7, "activation": "softmax"}},
        ],
    )
    # 3 x 5 x 1 x 4 weights; 4 channels x 4 numbers; (4 + 1) x 5; (5 + 1) x 7
    assert architectures.summary_rows(model) == [
        ("Conv2D", (8, 10, 4), 60),
        ("BatchNormalization", (8, 10, 4), 16),
        ("Activation", (8, 10, 4), 0),
        ("AveragePooling2D", (8, 10, 4), 0),
        ("GlobalMaxPooling2D", (4,), 0),
        ("Dense", (5,), 25),
        ("Dropout", (5,), 0),
        ("Dense", (7,), 42),
    ]
    padded, resized, _, normalised = model.layers[:4]
    assert padded.output.shape[1:] == (32, 32, 1)
    assert (resized.output.shape[1:], resized.interpolation) == ((16, 20, 1), "nearest")
    assert (normalised.momentum, normalised.epsilon) == (0.9, 0.01)


def test_a_definition_does_not_depend_on_how_much_of_it_is_written_out():
    short = {"builder": "layers", "layers": CNN1}
    whole = {"builder": "layers", "layers": [dict([layer]) for layer in _written_out(CNN1)]}
    assert architectures.definition(whole) == architectures.definition(short)
    assert {"pool": {}} in architectures.definition(short)["layers"]


def _written_out(entries):
    for entry in entries:
        ((name, chosen),) = ({entry: {}} if isinstance(entry, str) else entry).items()
        yield name, layers.LAYERS[name].complete(chosen)


@pytest.mark.parametrize(
    ("name", "scale", "fan"),
    [
        # kernel 3 x 3, 2 channels to 64: fan in 18, fan out 576
        ("glorot_normal", 1, (18 + 576) / 2),
        ("he_normal", 2, 18),
        ("lecun_normal", 1, 18),
        ("he_uniform", 2, 18),
        ("torch_uniform", 1 / 3, 18),
    ],
)
def test_initial_weights_have_the_variance_of_their_initialiser(name, scale, fan):
    conv = {"conv": {"filters": 64, "kernel": 3, "initialiser": name}}
    model = layers.build((9, 9, 2), 10, [conv, "flatten", SOFTMAX])
    kernels = []
    for seed in range(20):
        architectures.initialise(model, seed)
        kernels.append(model.layers[0].kernel.numpy())
    drawn = np.concatenate([kernel.ravel() for kernel in kernels])  # 23,040 numbers: the SD's standard error is 0.5%
    sd = np.sqrt(scale / fan)
    assert drawn.std() == pytest.approx(sd, rel=0.02)
    bound = 2 * sd / 0.8796 if name.endswith("normal") else np.sqrt(3) * sd
    assert 0.97 * bound < np.abs(drawn).max() <= bound * 1.0001
    assert not np.array_equal(kernels[0], kernels[1])


CONV = {"filters": 32, "kernel": 3}

#: list: words that the sentence must hold
MISTAKES = {
    "no list": ("conv", ["layers is 'conv'", "a list of layers"]),
    "no layers": ([], ["layers is []", "at least one"]),
    "unknown layer": (["convolution", SOFTMAX], ["layers[0] is 'convolution'", "conv, pool"]),
    "two layers in one": ([{"pool": {}, "flatten": {}}, SOFTMAX], ["layers[0] is {'pool'", "one layer"]),
    "a number for a layer": ([3, SOFTMAX], ["layers[0] is 3", "one layer"]),
    "a number for options": ([{"dropout": 0.5}, SOFTMAX], ["layers[0].dropout is 0.5", "(rate)"]),
    "options of nothing": ([{"conv": None}, SOFTMAX], ["layers[0].conv is empty (null)", "filters, kernel"]),
    "unknown option": ([{"conv": CONV | {"stride": 2}}, SOFTMAX], ["layers[0].conv", "'stride'", "strides"]),
    "no kernel": ([{"conv": {"filters": 3}}, SOFTMAX], ["layers[0].conv lacks 'kernel'", "whole number"]),
    "kernel of nothing": ([{"conv": CONV | {"kernel": 0}}, SOFTMAX], ["layers[0].conv.kernel is 0", "from 1 to"]),
    "kernel of three": ([{"conv": CONV | {"kernel": [3, 3, 3]}}, SOFTMAX], ["kernel is [3, 3, 3]", "rows and columns"]),
    "filters as a decimal": ([{"conv": CONV | {"filters": 3.0}}, SOFTMAX], ["filters is 3.0", "whole number"]),
    "unknown padding": ([{"conv": CONV | {"padding": "full"}}, SOFTMAX], ["padding is 'full'", "valid, same"]),
    "unknown activation": ([{"conv": CONV | {"activation": "step"}}, SOFTMAX], ["activation is 'step'", "relu"]),
    "unknown initialiser": ([{"conv": CONV | {"initialiser": "ones"}}, SOFTMAX], ["is 'ones'", "he_normal"]),
    "bias as a word": ([{"conv": CONV | {"bias": "no"}}, SOFTMAX], ["bias is 'no'", "true or false"]),
    "dropout of one": ([{"dropout": {"rate": 1.0}}, SOFTMAX], ["dropout.rate is 1.0", "0 to 0.99"]),
    "dropout that is no number": ([{"dropout": {"rate": float("nan")}}, SOFTMAX], ["rate is nan", "0 to 0.99"]),
    "dense on images": ([SOFTMAX], ["layers[0] is dense", "flatten or global_pool must stand before"]),
    "conv on features": (["flatten", {"conv": CONV}, SOFTMAX], ["layers[1] is conv", "must stand before flatten"]),
    "flatten twice": (["flatten", "flatten", SOFTMAX], ["layers[1] is flatten", "must stand before flatten"]),
    "no softmax": (["flatten", {"dense": {"units": 10}}], ["layers[1] is dense", "activation: softmax"]),
    "softmax in the midst": (["flatten", SOFTMAX, SOFTMAX], ["layers[1] is dense", "no other"]),
    "an end that is no dense": (["flatten"], ["layers[0] is flatten", "the last layer"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_one_sentence(name):
    entries, words = MISTAKES[name]
    with pytest.raises(UserError) as caught:
        architectures.check({"builder": "layers", "layers": entries}, "config: architectures.mine")
    sentence = str(caught.value)
    assert sentence.startswith("config: architectures.mine.layers")
    assert sentence.endswith(".")
    for word in words:
        assert word in sentence


def test_another_number_of_classes_is_told():
    with pytest.raises(UserError, match=r"^The network ends in 10 units, and the data set has 7 classes\.$"):
        architectures.build({"builder": "layers", "layers": CNN1}, (28, 28, 1), 7)
