"""The networks: the original's four, a linear baseline and a modern small network, in backend-neutral Keras 3.

Adding an architecture: list its layers in a config entry, with the builder `layers`. What no list can say is one
function here under `@architecture`, named as `builder` in a config entry. Its keyword arguments are its options; their
defaults are what an entry that says nothing gets. Keras is imported late, so that the config can be checked without it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from refashion.errors import UserError
from refashion.networks import backend
from refashion.networks import layers as layer_lists
from refashion.networks.layers import ACTIVATIONS, MOST_DROPOUT
from refashion.randomness import generator

if TYPE_CHECKING:
    import keras

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
    if builder.__name__ in BUILDERS:
        raise ValueError(f"there is an architecture {builder.__name__} already")
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


def check(builder: str, chosen: Mapping[str, Any], where: str = "architecture") -> None:
    """Raises UserError, in one sentence that starts with `where`, for an unknown builder or option or a bad value."""
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
        wanted = _allowed(name, defaults[name], value)
        if wanted:
            raise UserError(f"{where}: {name} is {value!r}, allowed: {wanted}.")


def _allowed(name: str, default: Any, value: Any) -> str | None:
    """None if the value is fine, else what is allowed."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name.endswith("dropout"):
        return None if number and 0 <= value <= MOST_DROPOUT else f"a rate from 0 to {MOST_DROPOUT}"
    if name in CHOICES:
        return None if value in CHOICES[name] else ", ".join(CHOICES[name])
    if isinstance(default, int) and not isinstance(default, bool):
        return None if isinstance(value, int) and number and value > 0 else "a positive integer"
    if isinstance(default, float):
        return None if number else "a number"
    return None if isinstance(value, type(default)) else f"a {type(default).__name__}"


def build(builder: str, input_shape: tuple[int, int, int], classes: int, chosen: Mapping[str, Any]) -> keras.Model:
    """The model of a builder with the chosen options, weights as Keras drew them (see `initialise`)."""
    backend.settle()
    try:
        return BUILDERS[builder](input_shape, classes, **chosen)
    except ValueError as error:
        why = (str(error).splitlines() or [""])[0].rstrip(".")
        raise UserError(
            f"The network {builder} cannot be built for images of {input_shape[0]} x {input_shape[1]}: {why}."
        ) from error


def _pool(kind: str) -> keras.layers.Layer:
    from keras import layers

    return {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}[kind](2)


@architecture
def softmax(input_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Logistic regression on the pixels: the linear baseline."""
    from keras import Sequential, layers

    return Sequential([layers.Input(input_shape), layers.Flatten(), layers.Dense(classes, activation="softmax")])


@architecture
def cnn1(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    dropout: float = 0.2,
    activation: str = "relu",
    pooling: str = "max",
) -> keras.Model:
    """The original's network with one convolution: 693,962 parameters."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input(input_shape),
            layers.Conv2D(32, 3, activation=activation),
            _pool(pooling),
            layers.Dropout(dropout),
            layers.Flatten(),
            layers.Dense(128, activation=activation),
            layers.Dense(classes, activation="softmax"),
        ]
    )


@architecture
def lenet5(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    input: str = "pad",
    activation: str = "relu",
    pooling: str = "max",
) -> keras.Model:
    """The original's LeNet-5: 136,586 parameters, which takes a 32 x 32 input and 'same' convolutions."""
    from keras import Sequential, layers

    height, width, _ = input_shape
    if input == "pad":
        rows, columns = 32 - height, 32 - width
        margins = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
        to_32x32 = layers.ZeroPadding2D(margins, name="input_pad")
    else:
        to_32x32 = layers.Resizing(32, 32, interpolation="bilinear", name="input_resize")
    return Sequential(
        [
            layers.Input(input_shape),
            to_32x32,
            layers.Conv2D(6, 5, padding="same", activation=activation),
            _pool(pooling),
            layers.Conv2D(16, 5, padding="same", activation=activation),
            _pool(pooling),
            layers.Flatten(),
            layers.Dense(120, activation=activation),
            layers.Dense(84, activation=activation),
            layers.Dense(classes, activation="softmax"),
        ]
    )


@architecture
def cnn4(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    conv_dropout: float = 0.25,
    dense_dropout: float = 0.5,
    activation: str = "relu",
    pooling: str = "max",
) -> keras.Model:
    """The original's network with four convolutions, unpadded: 1,221,546 parameters, 1,219,754 of them trained."""
    return _four_convolutions(input_shape, classes, "valid", conv_dropout, dense_dropout, activation, pooling)


@architecture
def cnn4_same(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    conv_dropout: float = 0.25,
    dense_dropout: float = 0.5,
    activation: str = "relu",
    pooling: str = "max",
) -> keras.Model:
    """The same with padding: 3,384,234 parameters, 3,382,442 of them trained."""
    return _four_convolutions(input_shape, classes, "same", conv_dropout, dense_dropout, activation, pooling)


def _four_convolutions(
    input_shape: tuple[int, int, int],
    classes: int,
    padding: str,
    conv_dropout: float,
    dense_dropout: float,
    activation: str,
    pooling: str,
) -> keras.Model:
    from keras import Sequential, layers

    def convolution(filters: int) -> list[keras.layers.Layer]:
        return [layers.Conv2D(filters, 3, padding=padding, activation=activation), layers.BatchNormalization()]

    def dense(units: int) -> list[keras.layers.Layer]:
        return [layers.Dense(units, activation=activation), layers.BatchNormalization(), layers.Dropout(dense_dropout)]

    return Sequential(
        [
            layers.Input(input_shape),
            *convolution(32),
            *convolution(32),
            _pool(pooling),
            layers.Dropout(conv_dropout),
            *convolution(64),
            layers.Dropout(conv_dropout),
            *convolution(128),
            _pool(pooling),
            layers.Dropout(conv_dropout),
            layers.Flatten(),
            *dense(512),
            *dense(128),
            layers.Dense(classes, activation="softmax"),
        ]
    )


@architecture
def resnet_small(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    width: int = 32,
    activation: str = "relu",
) -> keras.Model:
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
    input_shape: tuple[int, int, int],
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
