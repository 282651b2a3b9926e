"""A data set: four arrays in one .npz, checked before anything is done with them."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refashion import files
from refashion.data import idx
from refashion.errors import UserError

#: The four files of a data set: keys in the config, arrays in the .npz, fields of Dataset.
FILES = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set as published. Images uint8 [n, height, width], labels uint8 [n], in file order."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    def first(self, train: int, test: int) -> Dataset:
        """So many training and test images, in file order."""
        sizes = (train, train, test, test)
        return Dataset(*(array[:size] for array, size in zip(vars(self).values(), sizes, strict=True)))


def write(path: Path, dataset: Dataset) -> None:
    """Write a file for `load`, as a whole. Raises UserError (a full disk, say)."""
    try:
        with files.whole_file(path) as stream:
            np.savez(stream, **vars(dataset))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error


def load(path: Path, hashes: Mapping[str, str] | None = None) -> Dataset:
    """Read a file that `write` has written. Raises UserError for a missing, cut, damaged or foreign file.

    `hashes` are the SHA-256 that the arrays must have as IDX files, by the keys of FILES: who trains names them, so
    that no run bears the spec of other data than its own.
    """
    remedy = "delete it and start snakemake again, which makes it anew."
    try:
        if kind := files.other_kind(path):
            raise UserError(f"{path} is {kind}, where a data file of this study is wanted; {remedy}")
        with path.open("rb") as stream, np.lib.npyio.NpzFile(stream) as arrays:  # which unpickles nothing
            dataset = Dataset(**{key: arrays[key] for key in FILES})
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}; {remedy}") from error
    except (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is cut, damaged or no data file of this study ({error}); {remedy}") from error
    if not _is_consistent(dataset):
        raise UserError(f"{path} has arrays of other types or shapes than this study's data files; {remedy}")
    if not hashes:
        return dataset
    for key, found in hashes_of(dataset).items():
        if found != hashes[key]:
            raise UserError(f"{path} holds other {key} than the config names (SHA-256 {found}); {remedy}")
    return dataset


def _is_consistent(dataset: Dataset) -> bool:
    arrays = vars(dataset).values()
    return (
        all(array.dtype == np.uint8 for array in arrays)
        and [array.ndim for array in arrays] == [3, 1, 3, 1]
        and len(dataset.train_images) == len(dataset.train_labels)
        and len(dataset.test_images) == len(dataset.test_labels)
    )


def hashes_of(dataset: Dataset) -> dict[str, str]:
    """The SHA-256 of each array as an IDX file, by the keys of FILES, as the config names them."""
    return {key: hashlib.sha256(idx.header(a.shape) + a.tobytes()).hexdigest() for key, a in vars(dataset).items()}


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
