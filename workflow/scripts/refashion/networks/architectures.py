"""The networks: the original's four, a linear baseline and a modern small network, in backend-neutral Keras 3.

Adding an architecture: list its layers in a config entry, with the builder `layers`. What no list can say is one
function here under `@architecture`, named as `builder` in a config entry. Its keyword arguments are its options; their
defaults are what an entry that says nothing gets. Keras is imported late, so that the config can be checked without it.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from refashion import kinds
from refashion.errors import UserError, first_line
from refashion.kinds import Kind
from refashion.networks import backend
from refashion.networks import layers as layer_lists
from refashion.networks.layers import ACTIVATIONS
from refashion.randomness import generator

if TYPE_CHECKING:
    import keras

#: Rows, columns and channels of an image.
Shape = tuple[int, int, int]

#: f(input_shape (h, w, c), classes, *, options) -> keras.Model that ends in a softmax over the classes
Builder = Callable[..., "keras.Model"]

BUILDERS: dict[str, Builder] = {}

#: Allowed values of options, by name. Other options take whatever has their default's type.
CHOICES = {
    "activation": ACTIVATIONS,
    "pooling": ("max", "average"),
    "input": ("pad", "resize"),
}


def architecture(builder: Builder) -> Builder:
    """Registers a builder under its function's name."""
    BUILDERS[builder.__name__] = builder
    return builder


def options(builder: str) -> dict[str, Any]:
    """The options of a builder and their defaults."""
    parameters = inspect.signature(BUILDERS[builder]).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def definition(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A checked entry of the config with every option, defaults included: what decides which network is trained."""
    whole = {**options(entry["builder"]), **entry}
    return whole | {"layers": layer_lists.canonical(whole["layers"])} if "layers" in whole else whole


def _parts(entry: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The builder of an entry and the options that it chooses."""
    chosen = dict(entry)
    return chosen.pop("builder"), chosen


def check(entry: Mapping[str, Any], where: str = "architecture") -> None:
    """Raises UserError, in one sentence that starts with `where`, for an unknown builder or option or a bad value."""
    builder, chosen = _parts(entry)
    if builder not in BUILDERS:
        raise UserError(f"{where}: there is no builder {builder!r}, allowed are {', '.join(BUILDERS)}.")
    defaults = options(builder)
    for name, value in chosen.items():
        if name not in defaults:
            allowed = ", ".join(defaults) or "none"
            raise UserError(f"{where}: builder {builder} has no option {name!r}, allowed are {allowed}.")
        if name == "layers":
            layer_lists.check(value, f"{where}.layers")
            continue
        kind = _kind(name, defaults[name])
        if not kind.accepts(value):
            raise UserError(f"{where}: {name} is {value!r}; allowed is {kind.words}.")


def _kind(name: str, default: Any) -> Kind:
    """What an option may be, by its name, or else by the type of its default."""
    if name.endswith("dropout"):
        return layer_lists.RATE
    if name in CHOICES:
        return kinds.one_of(*CHOICES[name])
    if type(default) is int:
        return kinds.whole(1)
    if type(default) is float:
        return kinds.number(-math.inf)
    return Kind(f"a {type(default).__name__}", lambda value: isinstance(value, type(default)))


def build(entry: Mapping[str, Any], input_shape: Shape, classes: int) -> keras.Model:
    """The model of a checked entry, weights as Keras drew them (see `initialise`)."""
    backend.settle()
    builder, chosen = _parts(entry)
    try:
        return BUILDERS[builder](input_shape, classes, **chosen)
    except ValueError as error:
        size = f"{input_shape[0]} x {input_shape[1]}"
        raise UserError(f"The network {builder} cannot be built for images of {size}: {first_line(error)}.") from error


@architecture
def softmax(input_shape: Shape, classes: int) -> keras.Model:
    """Logistic regression on the pixels: the linear baseline."""
    return layer_lists.build(input_shape, classes, ["flatten", _dense(classes, "softmax")])


@architecture
def cnn1(
    input_shape: Shape, classes: int, *, dropout: float = 0.2, activation: str = "relu", pooling: str = "max"
) -> keras.Model:
    """The original's network with one convolution: 693,962 parameters."""
    listed = [
        _conv(32, 3, activation),
        _pool(pooling),
        _dropout(dropout),
        "flatten",
        _dense(128, activation),
        _dense(classes, "softmax"),
    ]
    return layer_lists.build(input_shape, classes, listed)


@architecture
def lenet5(
    input_shape: Shape, classes: int, *, input: str = "pad", activation: str = "relu", pooling: str = "max"
) -> keras.Model:
    """The original's LeNet-5: 136,586 parameters, which takes a 32 x 32 input and 'same' convolutions."""
    missing = [32 - side for side in input_shape[:2]]
    margin = [(side // 2, side - side // 2) for side in missing]
    listed = [
        {"pad": {"margin": margin}} if input == "pad" else {"resize": {"size": 32}},
        _conv(6, 5, activation, "same"),
        _pool(pooling),
        _conv(16, 5, activation, "same"),
        _pool(pooling),
        "flatten",
        _dense(120, activation),
        _dense(84, activation),
        _dense(classes, "softmax"),
    ]
    return layer_lists.build(input_shape, classes, listed)


def _four_convolutions(
    padding: str,
    input_shape: Shape,
    classes: int,
    *,
    conv_dropout: float = 0.25,
    dense_dropout: float = 0.5,
    activation: str = "relu",
    pooling: str = "max",
) -> keras.Model:
    def convolution(filters: int) -> list[Any]:
        return [_conv(filters, 3, activation, padding), "batch_norm"]

    def dense(units: int) -> list[Any]:
        return [_dense(units, activation), "batch_norm", _dropout(dense_dropout)]

    listed = [
        *convolution(32),
        *convolution(32),
        _pool(pooling),
        _dropout(conv_dropout),
        *convolution(64),
        _dropout(conv_dropout),
        *convolution(128),
        _pool(pooling),
        _dropout(conv_dropout),
        "flatten",
        *dense(512),
        *dense(128),
        _dense(classes, "softmax"),
    ]
    return layer_lists.build(input_shape, classes, listed)


#: The original's network with four convolutions, unpadded: 1,221,546 parameters, 1,219,754 of them trained.
BUILDERS["cnn4"] = functools.partial(_four_convolutions, "valid")
#: The same with padding: 3,384,234 parameters, 3,382,442 of them trained.
BUILDERS["cnn4_same"] = functools.partial(_four_convolutions, "same")


def _conv(filters: int, kernel: int, activation: str, padding: str = "valid") -> dict[str, Any]:
    return {"conv": {"filters": filters, "kernel": kernel, "activation": activation, "padding": padding}}


def _pool(kind: str) -> dict[str, Any]:
    return {"pool": {"kind": kind}}


def _dropout(rate: float) -> dict[str, Any]:
    return {"dropout": {"rate": rate}}


def _dense(units: int, activation: str) -> dict[str, Any]:
    return {"dense": {"units": units, "activation": activation}}


@architecture
def resnet_small(input_shape: Shape, classes: int, *, width: int = 32, activation: str = "relu") -> keras.Model:
    """A modern small network: a stem, residual blocks (He et al. 2016, basic form) and global average pooling.

    Two blocks, of 2 and 4 widths, at a half and a quarter of the input's sides.
    """
    from keras import Model, layers

    def convolution(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
        x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    def block(x: Any, filters: int, strides: int) -> Any:
        y = layers.Activation(activation)(convolution(x, filters, strides=strides))
        y = convolution(y, filters)
        return layers.Activation(activation)(layers.Add()([y, convolution(x, filters, size=1, strides=strides)]))

    inputs = layers.Input(input_shape)
    x = layers.Activation(activation)(convolution(inputs, width))
    x = layers.MaxPooling2D(2)(x)
    x = block(x, 2 * width, strides=1)
    x = block(x, 4 * width, strides=2)
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(classes, activation="softmax")(x))


@architecture
def layers(
    input_shape: Shape,
    classes: int,
    *,
    layers: Sequence[Any] = ("flatten", {"dense": {"units": 10, "activation": "softmax"}}),
) -> keras.Model:
    """The layers that the config lists, in their order; unless said, those of the linear baseline of ten classes."""
    return layer_lists.build(input_shape, classes, layers)


def initialise(model: keras.Model, seed: int) -> None:
    """Draws every kernel from the stream of its position, as its layer's initialiser would: Keras' VarianceScaling.

    Of variance scale / fan: uniform within sqrt(3 scale / fan), or normal, truncated at two standard deviations. Keras'
    default, Glorot and Bengio's (2010), is uniform within sqrt(6 / (fan_in + fan_out)). Biases and the like keep the
    constants that Keras gave them.
    """
    kernels = [layer for layer in model.layers if getattr(layer, "kernel", None) is not None]
    for position, layer in enumerate(kernels):
        draw = {"uniform": _uniform, "truncated_normal": _truncated_normal}.get(
            getattr(layer.kernel_initializer, "distribution", "")
        )
        if draw is None:
            raise UserError(
                f"layer {layer.name}: kernel_initializer is {type(layer.kernel_initializer).__name__}, "
                f"allowed are Keras' {', '.join(layer_lists.INITIALISERS)}."
            )
        layer.kernel.assign(draw(generator(seed, "initialiser", position), layer.kernel.shape, *_scale_and_fan(layer)))


def _scale_and_fan(layer: keras.layers.Layer) -> tuple[float, float]:
    """Scale and fan of the layer's initialiser; the variance of the kernel's entries is their ratio."""
    initializer, shape = layer.kernel_initializer, layer.kernel.shape
    receptive_field = int(np.prod(shape[:-2]))
    fan_in, fan_out = receptive_field * shape[-2], receptive_field * shape[-1]
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[initializer.mode]
    return initializer.scale, max(1.0, fan)


def _uniform(draws: np.random.Generator, shape: tuple[int, ...], scale: float, fan: float) -> np.ndarray:
    return (2 * draws.random(shape, dtype=np.float32) - 1) * np.float32(np.sqrt(3.0 * scale / fan))


#: Standard deviation of a standard normal that is truncated at two: sqrt(1 - 4 pdf(2) / (2 cdf(2) - 1)).
TRUNCATED_SD = 0.87962566103423978


def _truncated_normal(draws: np.random.Generator, shape: tuple[int, ...], scale: float, fan: float) -> np.ndarray:
    values = draws.standard_normal(shape, dtype=np.float32)
    while (outside := np.abs(values) > 2).any():
        values[outside] = draws.standard_normal(int(outside.sum()), dtype=np.float32)
    return values * np.float32(np.sqrt(scale / fan) / TRUNCATED_SD)


def summary_rows(model: keras.Model) -> list[tuple[str, tuple[int, ...], int]]:
    """(layer kind, output shape without the batch, parameters) of each layer, in order.

    Layers that only bring the input to size (named input_*) are left out, as the original's summaries leave them out.
    """
    return [
        (type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
        if not layer.name.startswith("input_") and type(layer).__name__ != "InputLayer"
    ]


def parameter_counts(model: keras.Model) -> dict[str, int]:
    """Parameters of the model: total, trainable, non_trainable."""
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    total = model.count_params()
    return {"total": total, "trainable": trainable, "non_trainable": total - trainable}


def training_flops(model: keras.Model) -> int:
    """Floating-point operations of a training step per image: dense layers and convolutions, a multiply-add as two.

    The backward pass costs a layer two products of the forward one's size (gradients of input and of kernel); the first
    layer's input needs no gradient.
    """
    forward = [_forward_flops(layer) for layer in model.layers if getattr(layer, "kernel", None) is not None]
    return 3 * sum(forward) - forward[0]


def _forward_flops(layer: keras.layers.Layer) -> int:
    """Two operations for each kernel weight and each place where the kernel is applied."""
    places = int(np.prod(layer.output.shape[1:-1]))
    return 2 * places * int(np.prod(layer.kernel.shape))
