"""The four files of a data set out of a folder, each held against what it must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from refashion.data import idx
from refashion.data.idx import IdxFile, Unusable

Log = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What a source is asked for. work: a folder for downloads; progress: the stream that shows a progress bar."""

    files: dict[str, IdxFile]
    classes: int
    work: Path
    log: Log
    progress: TextIO | None


def read(folder: Path, order: Order) -> dict[str, np.ndarray]:
    """The four files from a folder, `~` for a home, each plain or with the suffix .gz."""
    try:
        folder = folder.expanduser()
        paths = {key: _find(folder, file.name) for key, file in order.files.items()}
    except RuntimeError as error:  # no such user
        raise Unusable(f"{folder} is in no user's home") from error
    except OSError as error:  # too long a name, or a folder above it that is closed
        raise Unusable(f"{folder} cannot be read ({error.strerror})") from error
    return {key: verified(key, path, order) for key, path in paths.items()}


def _find(folder: Path, name: str) -> Path:
    if not folder.is_dir():
        raise Unusable(f"{folder} is {'no folder' if folder.exists() else 'not there'}")
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise Unusable(f"{folder} has neither {name} nor {name}.gz")


def verified(key: str, path: Path, order: Order) -> np.ndarray:
    """One of the four files as an array, once it has passed every check."""
    array = idx.read(path, order.files[key])
    if key.endswith("labels") and array.max() >= order.classes:
        raise Unusable(f"{path} has the label {array.max()}, expected 0 to {order.classes - 1}")
    order.log(f"{key}: {path}, shape {list(array.shape)}, SHA-256 {order.files[key].sha256} as expected")
    return array
