"""What one run is given of a data set: its training images, and those that it is validated on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refashion import randomness
from refashion.data.dataset import Dataset, hashes_of
from refashion.study.model import FOLD, fold_size


@dataclass(frozen=True, eq=False)
class Split:
    """What one run sees. Images uint8 [n, height, width] and [m, height, width], labels uint8 [n] and [m]."""

    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray


def subset(available: int, pool: int, images: int, seed: int) -> np.ndarray:
    """The positions of a run's training images, int64 [images], in the order of the seed's permutation.

    One permutation a seed over all `available` training images; a run takes the first `images` of those that lie in the
    pool (the first `pool` in file order). So fewer images are a part of more, and with and without the held-out fold a
    seed draws as nearly the same images as can be.
    """
    order = randomness.generator(seed, "subset").permutation(available)
    return order[order < pool][:images]


def split(dataset: Dataset, fraction: Mapping, seed: int) -> Split:
    """The training and validation images of one run.

    fraction: {"images": int, "validation": "test" | "fold", "subset_seed": None | int}; a subset_seed takes the seed's
    place. There are as many as it wants: `refashion.study.config` has held it against its data set.
    """
    available = len(dataset.train_images)
    held_out = fold_size(available) if fraction["validation"] == FOLD else 0
    pool, subset_seed = available - held_out, fraction["subset_seed"]
    chosen = subset(available, pool, fraction["images"], seed if subset_seed is None else subset_seed)
    return Split(
        train_images=dataset.train_images[chosen],
        train_labels=dataset.train_labels[chosen],
        validation_images=dataset.train_images[pool:] if held_out else dataset.test_images,
        validation_labels=dataset.train_labels[pool:] if held_out else dataset.test_labels,
    )


def validation_labels(dataset: Dataset) -> dict[tuple[str, str], np.ndarray]:
    """A data set's validation labels, by the SHA-256 of the file that they come from and the kind of validation."""
    hashes, held_out = hashes_of(dataset), fold_size(len(dataset.train_labels))
    return {
        (hashes["test_labels"], "test"): dataset.test_labels,
        (hashes["train_labels"], FOLD): dataset.train_labels[len(dataset.train_labels) - held_out :],
    }
