"""A network as data: a list of layers, near enough to a printed summary to be copied from one.

    - conv: {filters: 32, kernel: 3, activation: relu}
    - pool
    - flatten
    - dense: {units: 10, activation: softmax}

Each entry is the name of a layer, or the name and its options. Adding a layer: one entry of `LAYERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from refashion import kinds
from refashion.errors import UserError
from refashion.kinds import Kind
from refashion.violations import short

if TYPE_CHECKING:
    import keras

ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "leaky_relu")

#: The highest rate of a dropout. The engine compares bytes with rate * 256, which must stay a byte.
MOST_DROPOUT = 0.99

#: What `architectures.initialise` draws, as Keras names it: Glorot & Bengio 2010, He et al. 2015, LeCun et al. 1998.
#: `torch_uniform` is what PyTorch's layers start from: uniform within 1 / sqrt(fan_in).
INITIALISERS = (
    *(f"{name}_{kind}" for name in ("glorot", "he", "lecun") for kind in ("uniform", "normal")),
    "torch_uniform",
)

#: No network of small images has a layer with a larger number, and a slip of the hand is not built.
MOST = 65536


@dataclass(frozen=True)
class Option:
    """What an option of a layer may be, and what it is unless said."""

    kind: Kind
    default: Any = None
    required: bool = False


@dataclass(frozen=True)
class Layer:
    """A layer: f(keras.layers, **options, **name), its options, what it takes (images, features, or any), and whether
    it makes features of images.
    """

    make: Callable[..., keras.layers.Layer]
    options: Mapping[str, Option] = field(default_factory=dict)
    takes: str = "any"
    flattens: bool = False

    def complete(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Every option, defaults included."""
        return {name: chosen.get(name, option.default) for name, option in self.options.items()}


_COUNT = kinds.whole(1, MOST)
_SIDES = Kind(
    f"{_COUNT.words}, or two of them, rows and columns",
    lambda value: all(map(_COUNT.accepts, value if isinstance(value, list) and len(value) == 2 else [value])),
)
#: Of a dropout.
RATE = kinds.number(0, MOST_DROPOUT, "a rate")

_PADDING = Option(kinds.one_of("valid", "same"), "valid")
#: Of a layer with a kernel, as `_weights` takes them.
_OF_A_KERNEL = {
    "activation": Option(kinds.one_of("linear", *ACTIVATIONS, "softmax"), "linear"),
    "bias": Option(kinds.YES_OR_NO, True),
    "initialiser": Option(kinds.one_of(*INITIALISERS), "glorot_uniform"),
}


def _weights(bias: bool, initialiser: str) -> dict[str, Any]:
    """What layers with a kernel share, as Keras names it."""
    from keras import initializers

    start = initializers.VarianceScaling(1 / 3, "fan_in", "uniform") if initialiser == "torch_uniform" else initialiser
    return {"use_bias": bias, "kernel_initializer": start}


def _conv(keras, *, filters, kernel, bias, initialiser, **others):
    return keras.Conv2D(filters, kernel, **_weights(bias, initialiser), **others)


def _dense(keras, *, units, bias, initialiser, **others):
    return keras.Dense(units, **_weights(bias, initialiser), **others)


def _pool(keras, *, kind, size, **others):
    return {"max": keras.MaxPooling2D, "average": keras.AveragePooling2D}[kind](size, **others)


def _global_pool(keras, *, kind, **name):
    return {"max": keras.GlobalMaxPooling2D, "average": keras.GlobalAveragePooling2D}[kind](**name)


def _pad(keras, *, margin, **name):
    return keras.ZeroPadding2D(margin if isinstance(margin, int) else tuple(margin), **name)


def _resize(keras, *, size, **others):
    return keras.Resizing(*(size if isinstance(size, list) else (size, size)), **others)


LAYERS: dict[str, Layer] = {
    "conv": Layer(
        _conv,
        {
            "filters": Option(_COUNT, required=True),
            "kernel": Option(_SIDES, required=True),
            "strides": Option(_SIDES, 1),
            "padding": _PADDING,
            **_OF_A_KERNEL,
        },
        takes="images",
    ),
    "pool": Layer(
        _pool,
        {
            "kind": Option(kinds.one_of("max", "average"), "max"),
            "size": Option(_SIDES, 2),
            "strides": Option(_SIDES | None),  # null: the size
            "padding": _PADDING,
        },
        takes="images",
    ),
    "batch_norm": Layer(
        lambda keras, **options: keras.BatchNormalization(**options),
        {
            "momentum": Option(kinds.number(0, 0.99999), 0.99),
            "epsilon": Option(kinds.number(1.001e-5, 1), 0.001),
        },
    ),
    "dropout": Layer(
        lambda keras, **options: keras.Dropout(**options),
        {"rate": Option(RATE, required=True)},
    ),
    "activation": Layer(
        lambda keras, *, function, **name: keras.Activation(function, **name),
        {"function": Option(kinds.one_of(*ACTIVATIONS), required=True)},
    ),
    "pad": Layer(_pad, {"margin": Option(_SIDES, required=True)}, takes="images"),
    "resize": Layer(
        _resize,
        {
            "size": Option(_SIDES, required=True),
            "interpolation": Option(kinds.one_of("bilinear", "nearest"), "bilinear"),
        },
        takes="images",
    ),
    "flatten": Layer(lambda keras, **name: keras.Flatten(**name), takes="images", flattens=True),
    "global_pool": Layer(
        _global_pool,
        {"kind": Option(kinds.one_of("average", "max"), "average")},
        takes="images",
        flattens=True,
    ),
    "dense": Layer(
        _dense,
        {"units": Option(_COUNT, required=True), **_OF_A_KERNEL},
        takes="features",
    ),
}


def check(entries: Any, where: str) -> None:
    """Raises UserError, in one sentence that starts with `where`, for the first mistake in a list of layers."""
    if not isinstance(entries, list | tuple) or not entries:
        raise UserError(f"{where} is {short(entries)}; allowed is a list of layers, at least one.")
    flat = False
    for position, entry in enumerate(entries):
        place = f"{where}[{position}]"
        name, chosen = _parts(entry, place)
        _check_options(name, chosen, f"{place}.{name}")
        _check_place(name, flat, place)
        flat = flat or LAYERS[name].flattens
        if (chosen.get("activation") == "softmax") != (position == len(entries) - 1):
            raise UserError(f"{place} is {name}; the last layer, and no other, must be dense with activation: softmax.")


def _parts(entry: Any, place: str) -> tuple[str, Mapping[str, Any]]:
    """A layer's name and its chosen options."""
    named = {entry: {}} if isinstance(entry, str) else entry
    if not isinstance(named, dict) or len(named) != 1:
        raise UserError(f"{place} is {short(entry)}; allowed is one layer, as in conv: {{filters: 32, kernel: 3}}.")
    ((name, chosen),) = named.items()
    if name not in LAYERS:
        raise UserError(f"{place} is {short(name)}; allowed are {', '.join(LAYERS)}.")
    if not isinstance(chosen, dict):
        options = ", ".join(LAYERS[name].options) or "none"
        raise UserError(f"{place}.{name} is {short(chosen)}; allowed is a table of its options ({options}).")
    return name, chosen


def _check_options(name: str, chosen: Mapping[str, Any], place: str) -> None:
    options = LAYERS[name].options
    for key, value in chosen.items():
        if key not in options:
            raise UserError(f"{place} has no option {key!r}; allowed are {', '.join(options) or 'none'}.")
        if not options[key].kind.accepts(value):
            raise UserError(f"{place}.{key} is {short(value)}; allowed is {options[key].kind.words}.")
    for key, option in options.items():
        if option.required and key not in chosen:
            raise UserError(f"{place} lacks {key!r}, {option.kind.words}.")


def _check_place(name: str, flat: bool, place: str) -> None:
    if LAYERS[name].takes == "images" and flat:
        raise UserError(f"{place} is {name}, which takes images; it must stand before flatten or global_pool.")
    if LAYERS[name].takes == "features" and not flat:
        raise UserError(f"{place} is {name}, which takes features; flatten or global_pool must stand before it.")


def canonical(entries: Sequence[Any]) -> list[dict[str, dict[str, Any]]]:
    """A checked list with each layer as {name: options that are not their default}.

    So a list means the same however much of it is written out, and an option invented later changes no existing run.
    """
    parts = [_parts(entry, "") for entry in entries]
    return [
        {name: {key: value for key, value in chosen.items() if value != LAYERS[name].options[key].default}}
        for name, chosen in parts
    ]


def build(input_shape: tuple[int, int, int], classes: int, entries: Sequence[Any]) -> keras.Model:
    """The network of a checked list. Raises UserError where its last layer has another number of units than classes.

    Layers that only bring the input to size are named input_*, as `architectures.summary_rows` knows them.
    """
    from keras import Sequential
    from keras import layers as of_keras

    made = [of_keras.Input(input_shape)]
    bringing_to_size = True
    for entry in entries:
        name, chosen = _parts(entry, "")
        bringing_to_size = bringing_to_size and name in ("pad", "resize")
        named = {"name": f"input_{name}_{len(made)}"} if bringing_to_size else {}
        made.append(LAYERS[name].make(of_keras, **LAYERS[name].complete(chosen), **named))
    if made[-1].units != classes:
        raise UserError(f"The network ends in {made[-1].units} units, and the data set has {classes} classes.")
    return Sequential(made)
