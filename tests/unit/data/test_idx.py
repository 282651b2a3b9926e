"""IDX files as they must be, and every way in which they are not."""

import gzip
import hashlib
import shutil
import struct
import tracemalloc

import numpy as np
import pytest

from refashion.errors import UserError
from tiny_data import NAMES, assert_prepared, idx_bytes, left_behind, remove_file, rewrite

VARIABLE = "REFASHION_TEST_DATA"


def cut_gzip(folder):
    content = (folder / "train-x.gz").read_bytes()
    (folder / "train-x.gz").write_bytes(content[: len(content) // 2])


def damage_gzip(folder):
    content = bytearray((folder / "train-x.gz").read_bytes())
    content[-6] ^= 1  # in the checksum
    (folder / "train-x.gz").write_bytes(content)


def make_folder(folder):
    (folder / "test-y").unlink()
    (folder / "test-y").mkdir()


def transpose(payload):
    return payload[:8] + payload[12:16] + payload[8:12] + payload[16:]


BROKEN = {
    "wrong hash": (rewrite("train-x", lambda p: p[:-1] + bytes([p[-1] ^ 1])), "train-x.gz has the SHA-256 "),
    "cut gzip": (cut_gzip, "train-x.gz is a cut or damaged gzip file (Compressed file ended"),
    "damaged gzip": (damage_gzip, "train-x.gz is a cut or damaged gzip file (CRC check failed"),
    "wrong magic": (
        rewrite("train-x", lambda p: b"\0\0\x0d\3" + p[4:]),
        "train-x.gz has the magic number 0x00000d03, expected 0x00000803 (IDX, unsigned bytes in 3 dimensions)",
    ),
    "a web page": (
        rewrite("train-y", lambda _: b"<html>404</html>"),
        "train-y has the magic number 0x3c68746d, expected",
    ),
    "wrong shape": (rewrite("train-x", transpose), "train-x.gz has the shape [60, 4, 5], expected [60, 5, 4]"),
    "missing file": (remove_file, "source has neither test-y nor test-y.gz"),
    "a folder": (make_folder, "test-y is a folder, expected a file"),
    "cut plain file": (rewrite("train-y", lambda p: p[:-1]), "train-y has 67 bytes unpacked, expected 68"),
    "cut header": (rewrite("train-y", lambda p: p[:6]), "train-y has the shape [0], expected [60]"),
    "empty file": (rewrite("train-y", lambda _: b""), "train-y has the magic number 0x, expected 0x00000801"),
    "too long": (rewrite("test-x", lambda p: p + b"\0"), "test-x.gz has more than 256 bytes unpacked, expected 256"),
}


@pytest.mark.parametrize(("damage", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_ends_the_users_own_folder_and_leads_elsewhere_to_the_next_source(
    prepare, folder, target, arrays, tmp_path, monkeypatch, damage, sentence
):
    good = shutil.copytree(folder, tmp_path / "good")
    damage(folder)
    monkeypatch.setenv(VARIABLE, str(folder))
    with pytest.raises(UserError) as caught:
        prepare({"folder": f"${{{VARIABLE}}}"}, {"folder": str(good)})
    message = str(caught.value)
    assert message.startswith(f"{VARIABLE} names a folder that cannot be used: ")
    assert sentence in message
    assert "\n" not in message
    assert left_behind(target) == []
    assert any(sentence in line for line in prepare({"folder": str(folder)}, {"folder": str(good)}))
    assert_prepared(target, arrays)


def test_a_wrong_hash_names_expected_and_found(prepare, folder, definition):
    BROKEN["wrong hash"][0](folder)
    expected = definition["files"]["train_images"]["sha256"]
    found = hashlib.sha256(gzip.decompress((folder / "train-x.gz").read_bytes())).hexdigest()
    with pytest.raises(UserError, match=f"has the SHA-256 {found} unpacked, expected {expected}"):
        prepare({"folder": str(folder)})


def test_gzip_bomb_is_read_no_further_than_the_file_should_be(prepare, folder, target):
    bomb = (
        gzip.compress(idx_bytes(np.zeros((60, 5, 4), np.uint8))) + gzip.compress(bytes(1 << 22)) * 256
    )  # 1 GiB unpacked
    (folder / "train-x.gz").write_bytes(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"train-x\.gz has more than 1,216 bytes unpacked, expected 1,216"):
            prepare({"folder": str(folder)})
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()
    assert left_behind(target) == []


def test_label_beyond_the_classes_is_refused(prepare, folder, definition, arrays):
    definition["classes"] = ["a", "b", "c"]
    with pytest.raises(UserError, match=r"train-y has the label 3, expected 0 to 2"):
        prepare({"folder": str(folder)})


@pytest.mark.parametrize("packed", [False, True])
def test_shape_of_a_quadrillion_bytes_takes_no_memory(prepare, folder, definition, packed):
    size = 4_294_967_295
    key = "train_images" if packed else "train_labels"
    definition["files"][key]["shape"] = [size] * (3 if packed else 1)
    header = struct.pack(">BBBB3I", 0, 0, 8, 3, size, size, size) if packed else struct.pack(">BBBBI", 0, 0, 8, 1, size)
    rewrite(NAMES[key], lambda _: header + b"only this")(folder)
    expected = len(header) + (size**3 if packed else size)
    with pytest.raises(UserError, match=f"has {len(header) + 9} bytes unpacked, expected {expected:,}"):
        prepare({"folder": str(folder)})
