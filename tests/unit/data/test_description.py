"""What is counted in a data set."""

import numpy as np
import pytest

from refashion.data import dataset as data
from refashion.data import description


def test_describe_counts_what_is_there():
    """Six 1 x 2 images by hand: a, a, b, c, c, c in training, c, c and d, d in the test part."""
    a, b, c, d = [0, 0], [0, 10], [10, 0], [20, 20]
    facts = description.describe(
        data.Dataset(
            np.array([[a], [a], [b], [c], [c], [c]], np.uint8),
            np.array([0, 0, 1, 2, 2, 2], np.uint8),
            np.array([[c], [c], [d], [d]], np.uint8),
            np.array([0, 0, 1, 3], np.uint8),
        )
    )
    assert facts["duplicates"] == {"train": 3, "test": 2, "test_in_train": 2}
    assert facts["image_shape"] == [1, 2]
    assert facts["dtype"] == "uint8"
    assert facts["train"]["images"] == 6
    assert facts["train"]["per_class"] == [2, 1, 3, 0]
    assert facts["test"]["per_class"] == [2, 1, 0, 1]
    # Training pixels: eight 0 and four 10, so the mean is 10/3 and the SD sqrt(10^2/3 - (10/3)^2) = sqrt(200/9).
    assert facts["train"]["pixels"] == pytest.approx({"min": 0, "max": 10, "mean": 10 / 3, "sd": (200 / 9) ** 0.5})


def test_pixel_statistics_agree_with_numpy(arrays):
    images = arrays["train_images"]
    expected = {"min": images.min(), "max": images.max(), "mean": images.mean(), "sd": images.std()}
    assert description.pixel_statistics(images) == pytest.approx(expected, rel=1e-12)


def test_description_names_the_digests_of_the_config(prepared, definition):
    facts = description.describe(data.load(prepared))
    assert facts["sha256"] == {key: file["sha256"] for key, file in definition["files"].items()}
