"""Augmentation: one affine warp an image, flips and further operations, as Keras' ImageDataGenerator does them.

An entry of the config's `augmentations` names operations and their ranges. Every geometric operation draws one matrix
an image; the matrices are multiplied in the order of this file and each image is resampled once (bilinear, edges
repeated). Other operations then change the pixels, and `rescale` brings them to the network's scale.

Adding an operation: write one function here under `@geometry(...)` or `@pixels(...)`, name it in a config entry. Keras
is imported late, so that the config can be checked without it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from refashion.errors import UserError
from refashion.kinds import YES_OR_NO, Kind, number

#: Pixel scales: /255; mean 0 and standard deviation 1 over the run's training images; the raw 0..255.
RESCALES = ("unit", "standardise", "none")

#: draw(part, *shape) -> float32 in [0, 1), a function of the run's seed, epoch, step and `part` alone
Draw = Callable[..., Any]


@dataclass(frozen=True)
class Operation:
    """An operation of the registry: what it does, when it does nothing, and what its value may be."""

    apply: Callable
    geometric: bool
    off: Any
    kind: Kind

    def is_on(self, value: Any) -> bool:
        return value != self.off


OPERATIONS: dict[str, Operation] = {}


def _register(geometric: bool, off: Any, kind: Kind) -> Callable:
    def decorator(function: Callable) -> Callable:
        OPERATIONS[function.__name__] = Operation(function, geometric, off, kind)
        return function

    return decorator


#: Registers f(value, draw, count, height, width) -> matrices [count, 3, 3] (coordinates: see `warp_rows`).
geometry = functools.partial(_register, True)
#: Registers f(images [n, h, w, 1] float32 in 0..255, value, draw) -> images of the same shape.
pixels = functools.partial(_register, False)


def _matrices(rows: list[list]) -> Any:
    """Entries (numbers or vectors [n]) of two rows -> homogeneous matrices [n, 3, 3]."""
    from keras import ops

    vector = next(entry for row in rows for entry in row if not isinstance(entry, int | float))
    entries = [entry for row in [*rows, [0, 0, 1]] for entry in row]
    columns = [ops.full_like(vector, entry) if isinstance(entry, int | float) else entry for entry in entries]
    return ops.reshape(ops.stack(columns, axis=-1), (-1, 3, 3))


def _symmetric(draws: Any, value: float) -> Any:
    """Uniform draws in [0, 1) -> uniform in [-value, value)."""
    return (2.0 * draws - 1.0) * float(value)


# The geometric operations, in the order in which Keras multiplies their matrices (rotation, shift, shear, zoom; flips
# last). Coordinates are (x, y), columns and rows in pixels from the image's centre; a matrix maps a pixel of the result
# to the place in the image that it is taken from.


@geometry(off=0, kind=number(0, 180, "degrees"))
def rotation(value: float, draw: Draw, count: Any, height: int, width: int) -> Any:
    """By an angle uniform in +-value degrees."""
    from keras import ops

    angle = _symmetric(draw("rotation", count), np.deg2rad(value))
    return _matrices([[ops.cos(angle), -ops.sin(angle), 0], [ops.sin(angle), ops.cos(angle), 0]])


@geometry(off=0, kind=number(0, 0.99, "a fraction of the width"))
def width_shift(value: float, draw: Draw, count: Any, height: int, width: int) -> Any:
    """Sideways, uniform in +-value widths. (In Keras 3 its *height* range does this.)"""
    return _matrices([[1, 0, _symmetric(draw("width_shift", count), value * width)], [0, 1, 0]])


@geometry(off=0, kind=number(0, 0.99, "a fraction of the height"))
def height_shift(value: float, draw: Draw, count: Any, height: int, width: int) -> Any:
    """Up and down, uniform in +-value heights."""
    return _matrices([[1, 0, 0], [0, 1, _symmetric(draw("height_shift", count), value * height)]])


@geometry(off=0, kind=number(0, 89, "degrees"))
def shear(value: float, draw: Draw, count: Any, height: int, width: int) -> Any:
    """By an angle uniform in +-value degrees (degrees, as Keras has it: 0.3 is next to nothing)."""
    from keras import ops

    angle = _symmetric(draw("shear", count), np.deg2rad(value))
    return _matrices([[1, -ops.sin(angle), 0], [0, ops.cos(angle), 0]])


@geometry(off=0, kind=number(0, 0.99, "a fraction"))
def zoom(value: float, draw: Draw, count: Any, height: int, width: int) -> Any:
    """By two factors, one an axis, each uniform in 1 +- value."""
    factors = 1.0 + _symmetric(draw("zoom", count, 2), value)
    return _matrices([[factors[:, 0], 0, 0], [0, factors[:, 1], 0]])


def _sign(draws: Any) -> Any:
    """-1 for half of the draws, else 1."""
    from keras import ops

    return ops.where(draws < 0.5, -1.0, 1.0)


@geometry(off=False, kind=YES_OR_NO)
def horizontal_flip(value: bool, draw: Draw, count: Any, height: int, width: int) -> Any:
    """Left and right exchanged in half of the images."""
    return _matrices([[_sign(draw("horizontal_flip", count)), 0, 0], [0, 1, 0]])


@geometry(off=False, kind=YES_OR_NO)
def vertical_flip(value: bool, draw: Draw, count: Any, height: int, width: int) -> Any:
    """Top and bottom exchanged in half of the images."""
    return _matrices([[1, 0, 0], [0, _sign(draw("vertical_flip", count)), 0]])


#: What an entry that says nothing gets. Operations added later are left out of it when off, so that adding one changes
#: no existing run.
DEFAULTS: dict[str, Any] = {"rescale": "unit", **{name: operation.off for name, operation in OPERATIONS.items()}}


def check(definition: Mapping[str, Any], where: str = "augmentation") -> None:
    """Raises UserError, in one sentence that starts with `where`, for an unknown operation or a value out of range."""
    for name, value in definition.items():
        if name == "rescale":
            if value not in RESCALES:
                raise UserError(f"{where}: rescale is {value!r}, allowed are {', '.join(RESCALES)}.")
        elif name not in OPERATIONS:
            raise UserError(f"{where}: there is no {name!r}, allowed are {', '.join(['rescale', *OPERATIONS])}.")
        elif not OPERATIONS[name].kind.accepts(value):
            raise UserError(f"{where}: {name} is {value!r}; allowed is {OPERATIONS[name].kind.words}.")


def active(definition: Mapping[str, Any], geometric: bool) -> list[tuple[Operation, Any]]:
    """The operations that an entry switches on, with their values, in the registry's order."""
    return [
        (operation, definition[name])
        for name, operation in OPERATIONS.items()
        if operation.geometric == geometric and operation.is_on(definition.get(name, operation.off))
    ]


def is_random(definition: Mapping[str, Any]) -> bool:
    """Whether the entry draws anything, that is, does more than scale the pixels."""
    return bool(active(definition, True) or active(definition, False))


def scale(definition: Mapping[str, Any], train_images: np.ndarray) -> tuple[float, float]:
    """(factor, offset) with which pixels 0..255 become the network's input, pixel * factor + offset.

    `standardise` is Keras' featurewise centring and normalisation, its 1e-6 included; train_images: uint8 [n, h, w].
    """
    rescale = definition["rescale"]
    if rescale == "standardise":
        total = train_images.size
        mean = train_images.sum(dtype=np.int64) / total
        square = sum(np.square(image, dtype=np.int64).sum() for image in np.array_split(train_images, 64)) / total
        factor = 1.0 / (np.sqrt(square - mean * mean) + 1e-6)
        return float(factor), float(-mean * factor)
    return (1.0 / 255.0 if rescale == "unit" else 1.0), 0.0


def warp_rows(matrices: Any, height: int, width: int) -> Any:
    """Matrices [n, 3, 3] in centred (x, y) -> [n, 8], Keras' affine_transform rows in pixel indices.

    With c the centre (width / 2 - 0.5, height / 2 - 0.5), place = M (pixel - c) + c.
    """
    from keras import ops

    x, y = width / 2 - 0.5, height / 2 - 0.5
    (a, b, tx), (c, d, ty) = ([matrices[:, row, column] for column in range(3)] for row in range(2))
    zero = ops.zeros_like(tx)
    return ops.stack([a, b, tx + x - a * x - b * y, c, d, ty + y - c * x - d * y, zero, zero], axis=-1)


def warp(images: Any, matrices: Any) -> Any:
    """Images [n, h, w, 1] float32, each resampled by its matrix [3, 3]: bilinear, edge pixels repeated outside."""
    from keras import ops

    height, width = images.shape[1:3]
    return ops.image.affine_transform(
        images,
        warp_rows(matrices, height, width),
        interpolation="bilinear",
        fill_mode="nearest",
        data_format="channels_last",
    )


def gathered_warp(images: Any, matrices: Any) -> Any:
    """The same by gathering each pixel's four neighbours, since XLA has no kernel for TensorFlow's transform."""
    from keras import ops

    count, height, width, _ = images.shape
    a, b, tx, c, d, ty = ops.split(warp_rows(matrices, height, width)[:, :6, None, None], 6, axis=1)
    rows, columns = ops.arange(height, dtype="float32")[:, None], ops.arange(width, dtype="float32")
    x = ops.clip(a * columns + b * rows + tx, 0, width - 1)[:, 0]
    y = ops.clip(c * columns + d * rows + ty, 0, height - 1)[:, 0]
    left, top = ops.floor(x), ops.floor(y)
    flat = ops.reshape(images, (count, height * width))

    def pixel(row: Any, column: Any) -> Any:
        place = ops.minimum(row, height - 1) * width + ops.minimum(column, width - 1)
        index = ops.reshape(ops.cast(place, "int32"), (count, height * width))
        return ops.reshape(ops.take_along_axis(flat, index, axis=1), (count, height, width))

    def across(row: Any) -> Any:
        return (left + 1 - x) * pixel(row, left) + (x - left) * pixel(row, left + 1)

    return ((top + 1 - y) * across(top) + (y - top) * across(top + 1))[..., None]


def augment(images: Any, definition: Mapping[str, Any], draw: Draw, warp: Callable[[Any, Any], Any] = warp) -> Any:
    """Images [n, h, w, 1] float32 in 0..255 -> the same, augmented as the entry says; unchanged if it says nothing."""
    from keras import ops

    count, (height, width) = ops.shape(images)[0], images.shape[1:3]
    matrices = None
    for operation, value in active(definition, geometric=True):
        factor = operation.apply(value, draw, count, height, width)
        matrices = factor if matrices is None else ops.matmul(matrices, factor)
    if matrices is not None:
        images = warp(images, matrices)
    for operation, value in active(definition, geometric=False):
        images = operation.apply(images, value, draw)
    return images
