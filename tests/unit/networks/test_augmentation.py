"""Augmentation: Keras' own transform as the reference, its draws' distributions, and the registry."""

from __future__ import annotations

import numpy as np
import pytest

engine = pytest.importorskip("refashion.training.engine", reason="TensorFlow is not installed")

from engine_specs import AFFINE
from refashion import kinds
from refashion.data import dataset as data
from refashion.errors import UserError
from refashion.networks import augmentation
from refashion.training.runtime import keras

STRONG = {"rotation": 60, "width_shift": 0.3, "height_shift": 0.3, "shear": 30, "zoom": 0.5}


pytestmark = pytest.mark.usefixtures("device")


class Drawn:
    """A `Draw` from NumPy that remembers what it gave."""

    def __init__(self, seed: int = 0):
        self.random, self.given = np.random.default_rng(seed), {}

    def __call__(self, part: str, *shape) -> np.ndarray:
        self.given[part] = self.random.random([int(size) for size in shape], dtype=np.float32)
        return keras.ops.convert_to_tensor(self.given[part])


@pytest.fixture(scope="module")
def images(real_data) -> np.ndarray:
    """Real images, float32 [64, 28, 28, 1] in 0..255."""
    return data.load(real_data).train_images[:64, :, :, np.newaxis].astype(np.float32)


def augment(images: np.ndarray, definition: dict, draw) -> np.ndarray:
    tensor = keras.ops.convert_to_tensor(images)
    return np.asarray(augmentation.augment(tensor, augmentation.DEFAULTS | definition, draw))


def by_keras(image: np.ndarray, definition: dict, given: dict, number: int) -> np.ndarray:
    """What Keras' transform makes of one image with the parameters that our draws mean.

    Keras' tx moves along columns and ty along rows, zx and zy zoom columns and rows; flips come after the warp.
    """
    from tensorflow.keras.preprocessing.image import apply_affine_transform

    def symmetric(name: str) -> float:
        return (2.0 * given[name][number] - 1.0) * definition[name] if name in definition else 0.0

    zx, zy = 1.0 + (2.0 * given["zoom"][number] - 1.0) * definition["zoom"] if "zoom" in definition else (1.0, 1.0)
    image = apply_affine_transform(
        image,
        theta=symmetric("rotation"),
        tx=symmetric("width_shift") * 28,
        ty=symmetric("height_shift") * 28,
        shear=symmetric("shear"),
        zx=zx,
        zy=zy,
        row_axis=0,
        col_axis=1,
        channel_axis=2,
        fill_mode="nearest",
    )
    if "horizontal_flip" in definition and given["horizontal_flip"][number] < 0.5:
        image = image[:, ::-1]
    if "vertical_flip" in definition and given["vertical_flip"][number] < 0.5:
        image = image[::-1]
    return image


@pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning")
@pytest.mark.parametrize(
    "definition",
    [
        {"rotation": 8},
        {"width_shift": 0.08},
        {"height_shift": 0.08},
        {"shear": 30},
        {"zoom": 0.08},
        {"horizontal_flip": True},
        {"vertical_flip": True},
        AFFINE,
        STRONG,
        STRONG | {"horizontal_flip": True, "vertical_flip": True},
    ],
    ids=lambda definition: "+".join(definition),
)
def test_images_are_those_of_keras(images, definition):
    """The same parameters, on real images, pixels on a scale of 0 to 1: equal within 1e-5."""
    draw = Drawn()
    ours = augment(images, definition, draw) / 255
    theirs = np.stack([by_keras(image, definition, draw.given, n) for n, image in enumerate(images)]) / 255
    assert np.abs(ours - theirs).max() < 1e-5
    assert np.abs(ours - images / 255).max() > 0.1


def test_images_that_are_not_square_turn_about_their_centre(images):
    """A flip both ways is an exact turn by 180 degrees, so the centre is right for each side."""
    oblong = images[:, :20]
    draw = lambda part, *shape: keras.ops.zeros([int(size) for size in shape])  # noqa: E731 (a draw of 0 flips)
    turned = augment(oblong, {"horizontal_flip": True, "vertical_flip": True}, draw)
    assert np.array_equal(turned, oblong[:, ::-1, ::-1])


def test_nothing_asked_is_nothing_done(images):
    def refuse(*_):
        raise AssertionError("nothing is to be drawn")

    assert not augmentation.is_random(augmentation.DEFAULTS)
    assert augmentation.is_random(augmentation.DEFAULTS | {"zoom": 0.1})
    assert np.array_equal(augment(images, {}, refuse), images)


def test_draws_have_the_ranges_of_keras():
    """10,000 matrices an operation: uniform over the stated range (mean, extremes), flips one half."""
    draw, count = Drawn(3), 10_000

    def entries(name: str, value, row: int, column: int) -> np.ndarray:
        matrices = np.asarray(augmentation.OPERATIONS[name].apply(value, draw, count, 28, 28))
        assert matrices.shape == (count, 3, 3)
        return matrices[:, row, column]

    for found, centre, reach in (
        (np.rad2deg(np.arcsin(entries("rotation", 8, 1, 0))), 0, 8),
        (np.rad2deg(np.arcsin(-entries("shear", 0.3, 0, 1))), 0, 0.3),
        (entries("width_shift", 0.08, 0, 2), 0, 0.08 * 28),
        (entries("height_shift", 0.08, 1, 2), 0, 0.08 * 28),
        (entries("zoom", 0.08, 0, 0), 1, 0.08),
        (entries("zoom", 0.08, 1, 1), 1, 0.08),
    ):
        unit = (found - centre) / reach
        assert np.abs(unit).max() <= 1.001
        assert np.abs(unit).max() > 0.99
        assert abs(unit.mean()) < 5 / np.sqrt(3 * count)
        assert abs(np.mean(unit**2) - 1 / 3) < 5 * np.sqrt(4 / 45 / count)
    zooms = np.asarray(augmentation.OPERATIONS["zoom"].apply(0.08, draw, count, 28, 28))
    assert abs(np.corrcoef(zooms[:, 0, 0], zooms[:, 1, 1])[0, 1]) < 5 / np.sqrt(count), "an axis each"
    for name, place in (("horizontal_flip", 0), ("vertical_flip", 1)):
        flips = entries(name, True, place, place)
        assert set(flips) == {-1.0, 1.0}
        assert abs(flips.mean()) < 5 / np.sqrt(count)


def test_scales_are_those_of_keras(images):
    """/255 by hand; `standardise` against ImageDataGenerator's featurewise centring and normalisation."""
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    pixels = images[..., 0].astype(np.uint8)
    assert augmentation.scale({"rescale": "unit"}, pixels) == (1 / 255, 0.0)
    assert augmentation.scale({"rescale": "none"}, pixels) == (1.0, 0.0)
    generator = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    generator.fit(images)
    factor, offset = augmentation.scale({"rescale": "standardise"}, pixels)
    np.testing.assert_allclose(images * factor + offset, generator.standardize(images.copy()), atol=2e-6)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"rotate": 8}, ["there is no 'rotate'", "rescale, rotation"]),
        ({"rotation": -8}, ["rotation is -8", "degrees from 0 to 180"]),
        ({"rotation": "8"}, ["rotation is '8'", "degrees"]),
        ({"rotation": True}, ["rotation is True", "degrees"]),
        ({"rotation": float("nan")}, ["rotation is nan", "degrees"]),
        ({"width_shift": 2}, ["width_shift is 2", "fraction of the width"]),
        ({"zoom": [0.9, 1.1]}, ["zoom is [0.9, 1.1]", "fraction"]),
        ({"shear": 90}, ["shear is 90", "degrees from 0 to 89"]),
        ({"horizontal_flip": 1}, ["horizontal_flip is 1", "true or false"]),
        ({"rescale": "255"}, ["rescale is '255'", "unit, standardise, none"]),
    ],
)
def test_a_mistake_is_one_sentence(definition, words):
    with pytest.raises(UserError) as error:
        augmentation.check(definition, "config: augmentations.x")
    sentence = str(error.value)
    assert sentence.startswith("config: augmentations.x: ")
    assert "\n" not in sentence
    assert all(word in sentence for word in words), sentence


def test_defaults_and_the_original_s_entries_pass():
    augmentation.check(augmentation.DEFAULTS)
    augmentation.check(AFFINE)
    augmentation.check({"rotation": 180, "vertical_flip": True, "rescale": "none"})


def test_an_operation_is_added_by_one_function(images, monkeypatch):
    """Erase a square at a random place: known to the check, applied after the warp, absent from the defaults."""
    monkeypatch.setattr(augmentation, "OPERATIONS", dict(augmentation.OPERATIONS))

    @augmentation.pixels(off=0, kind=kinds.whole(0, 28))
    def erase(images, value, draw):
        ops = keras.ops
        height, width = images.shape[1:3]
        corner = ops.cast(draw("erase", ops.shape(images)[0], 2) * (height - value + 1), "int32")
        rows, columns = corner[:, 0, None, None], corner[:, 1, None, None]
        inside_rows = (ops.arange(height)[None, :, None] >= rows) & (ops.arange(height)[None, :, None] < rows + value)
        inside = (ops.arange(width) >= columns) & (ops.arange(width) < columns + value) & inside_rows
        return ops.where(inside[..., None], 0.0, images)

    augmentation.check({"erase": 8})
    with pytest.raises(UserError, match="erase is -1; allowed is a whole number from 0 to 28"):
        augmentation.check({"erase": -1})
    assert "erase" not in augmentation.DEFAULTS
    assert augmentation.is_random({"erase": 8})
    erased = augment(np.full_like(images, 255.0), {"erase": 8, "rotation": 8}, Drawn())
    assert np.array_equal((erased == 0).sum((1, 2, 3)), np.full(len(images), 64))


@pytest.mark.parametrize(("operation", "row", "side"), [("width_shift", 0, 10), ("height_shift", 1, 40)])
def test_shifts_are_shares_of_their_own_side(operation, row, side):
    """Images of 40 rows and 10 columns: the largest draw shifts by a quarter of the side that is meant."""

    def highest(part, *shape):
        return np.full(shape, 1 - 2**-24, np.float32)

    matrix = np.asarray(augmentation.OPERATIONS[operation].apply(0.25, highest, 1, 40, 10))[0]
    expected = np.eye(3)
    expected[row, 2] = 0.25 * side
    np.testing.assert_allclose(matrix, expected, rtol=1e-6)
