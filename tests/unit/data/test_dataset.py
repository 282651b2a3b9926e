"""The .npz of a data set: whole, or refused."""

from pathlib import Path

import numpy as np
import pytest

import fifos
from refashion.data import dataset as data
from refashion.errors import UserError


def test_file_cut_anywhere_is_refused(prepared):
    content = prepared.read_bytes()
    for size in (0, 1, 100, len(content) // 2, len(content) - 1):
        prepared.write_bytes(content[:size])
        with pytest.raises(
            UserError, match=r"tiny\.npz is cut, damaged or no data file .*start snakemake again, which makes"
        ):
            data.load(prepared)


def test_flipped_bit_is_noticed_or_harmless(tmp_path):
    """At every third byte; a few are covered by no checksum (dates in the zip directory, say) and change nothing."""
    path, arrays = tmp_path / "tiny.npz", {}
    for part in ("train", "test"):
        arrays |= {
            f"{part}_images": np.arange(200, dtype=np.uint8).reshape(5, 5, 8),
            f"{part}_labels": np.arange(5, dtype=np.uint8),
        }
    np.savez(path, **arrays)
    content = path.read_bytes()
    noticed = 0
    for at in range(0, len(content), 3):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        try:
            loaded = data.load(path)
        except UserError:
            noticed += 1
        else:
            assert all(np.array_equal(getattr(loaded, key), array) for key, array in arrays.items()), at
    assert noticed > len(content) / 3 / 2


FOREIGN = {
    "text": lambda stream, _: stream.write(b"not a zip file"),
    "npy": lambda stream, arrays: np.save(stream, arrays["train_images"]),
    "other names": lambda stream, arrays: np.savez(stream, x=arrays["train_images"]),
    "floats": lambda stream, arrays: np.savez(stream, **{key: array / 255 for key, array in arrays.items()}),
    "missing labels": lambda stream, arrays: np.savez(stream, **{**arrays, "train_labels": arrays["test_labels"]}),
}


@pytest.mark.parametrize("write", FOREIGN.values(), ids=FOREIGN)
def test_foreign_file_is_refused(tmp_path, arrays, write):
    path = tmp_path / "tiny.npz"
    with path.open("wb") as stream:
        write(stream, arrays)
    with pytest.raises(UserError, match=r"tiny\.npz .*; delete it and start snakemake again, which makes it anew\.$"):
        data.load(path)


class Bomb:
    """An object that leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_nothing_is_unpickled(tmp_path, arrays):
    path, mark = tmp_path / "tiny.npz", tmp_path / "mark"
    np.savez(path, **{**arrays, "train_images": np.array([Bomb(mark)], object)})
    with pytest.raises(UserError, match="allow_pickle=False"):
        data.load(path)
    assert not mark.exists()


def test_missing_file_and_folder_are_errors(tmp_path):
    with pytest.raises(
        UserError, match=r"gone\.npz cannot be read: No such file or directory; .*start snakemake again"
    ):
        data.load(tmp_path / "gone.npz")
    with pytest.raises(UserError, match="is a folder, where a data file of this study is wanted; delete it"):
        data.load(tmp_path)


def test_a_fifo_is_told_and_not_waited_for(prepared, tmp_path):
    with (
        fifos.fed(tmp_path / "x.npz", prepared.read_bytes()),
        pytest.raises(UserError, match=r"x\.npz is a FIFO, where a data file of this study is wanted; delete it"),
    ):
        data.load(tmp_path / "x.npz")


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
