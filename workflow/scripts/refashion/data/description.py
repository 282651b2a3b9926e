"""What is in a data set, counted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from refashion import files
from refashion.data.dataset import Dataset, hashes_of


def describe(dataset: Dataset) -> dict:
    """Facts about a data set, as plain types.

    Keys: image_shape; sha256 (of each array as an IDX file); train and test: {images, per_class (how many images have
    each label)}; duplicates: {train, test (images that repeat an earlier one of the same part, pixel for pixel),
    test_in_train (test images that are a training image too)}.
    """
    train, test = _digests(dataset.train_images), _digests(dataset.test_images)
    distinct = set(train)
    classes = 1 + int(max(dataset.train_labels.max(), dataset.test_labels.max()))
    return {
        "image_shape": list(dataset.train_images.shape[1:]),
        "sha256": hashes_of(dataset),
        "train": _describe_part(dataset.train_labels, classes),
        "test": _describe_part(dataset.test_labels, classes),
        "duplicates": {
            "train": len(train) - len(distinct),
            "test": len(test) - len(set(test)),
            "test_in_train": sum(digest in distinct for digest in test),
        },
    }


def _describe_part(labels: np.ndarray, classes: int) -> dict:
    return {"images": len(labels), "per_class": np.bincount(labels, minlength=classes).tolist()}


def _digests(images: np.ndarray) -> list[bytes]:
    """A digest of each image's pixels; 16 bytes make a chance match of 70,000 images rarer than 1 in 10^28."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]


def write(target: Path, dataset: Dataset) -> None:
    """Write `describe(dataset)` as JSON."""
    files.write_text(target, json.dumps(describe(dataset), indent=2) + "\n")
