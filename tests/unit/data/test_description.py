"""What is counted in a data set."""

import numpy as np

from refashion.data import dataset as data


def test_describe_counts_what_is_there():
    """Six 1 x 2 images by hand: a, a, b, c, c, c in training, c, c and d, d in the test part."""
    a, b, c, d = [0, 0], [0, 10], [10, 0], [20, 20]
    facts = data.describe(
        data.Dataset(
            np.array([[a], [a], [b], [c], [c], [c]], np.uint8),
            np.array([0, 0, 1, 2, 2, 2], np.uint8),
            np.array([[c], [c], [d], [d]], np.uint8),
            np.array([0, 0, 1, 3], np.uint8),
        )
    )
    assert facts["duplicates"] == {"train": 3, "test": 2, "test_in_train": 2}
    assert facts["image_shape"] == [1, 2]
    assert facts["train"]["images"] == 6
    assert facts["train"]["per_class"] == [2, 1, 3, 0]
    assert facts["test"]["per_class"] == [2, 1, 0, 1]


def test_description_names_the_digests_of_the_config(prepared, definition):
    facts = data.describe(data.load(prepared))
    assert facts["sha256"] == {key: file["sha256"] for key, file in definition["files"].items()}
