"""A tiny data set for tests of sources, and a numbered one for tests of what a run is given."""

import gzip
import hashlib
import struct

import numpy as np

from refashion.data import dataset as data

NAMES = {"train_images": "train-x", "train_labels": "train-y", "test_images": "test-x", "test_labels": "test-y"}


def idx_bytes(array):
    """An IDX file of unsigned bytes, written with struct and so independently of the code under test."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def as_idx_files(folder, arrays):
    """Arrays by their role as IDX files in a folder, and the config's words for them."""
    files = {}
    for role, array in arrays.items():
        payload = idx_bytes(array)
        (folder / role).write_bytes(payload)
        files[role] = {"name": role, "shape": list(array.shape), "sha256": hashlib.sha256(payload).hexdigest()}
    return {"files": files, "sources": [{"folder": str(folder)}]}


def assert_prepared(target, arrays):
    loaded = data.load(target)
    for key, array in arrays.items():
        np.testing.assert_array_equal(getattr(loaded, key), array)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def left_behind(target):
    return sorted(str(path.relative_to(target.parent)) for path in target.parent.rglob("*"))


def rewrite(name, change):
    """A way to break a folder: change the unpacked bytes of one of its files."""

    def apply(folder):
        packed = folder / f"{name}.gz"
        if packed.exists():
            packed.write_bytes(gzip.compress(change(gzip.decompress(packed.read_bytes()))))
        else:
            (folder / name).write_bytes(change((folder / name).read_bytes()))

    return apply


def remove_file(folder):
    (folder / "test-y").unlink()


def numbered(train, test):
    """A data set in which the four pixels of an image are its number, counted on from training to test images."""
    images = np.arange(train + test, dtype=">u4").view(np.uint8).reshape(-1, 2, 2)
    labels = (np.arange(train + test) % 10).astype(np.uint8)
    return data.Dataset(images[:train], labels[:train], images[train:], labels[train:])


def numbers(images):
    return np.ascontiguousarray(images).reshape(-1, 4).view(">u4").ravel().astype(int)


def fraction(images, validation="test", subset_seed=None):
    return {"images": images, "validation": validation, "subset_seed": subset_seed}
