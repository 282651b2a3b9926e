"""Sources, verification, IDX, folds. Nothing here leaves the machine but the slow tests, which ask a Debian mirror."""

import errno
import gzip
import hashlib
import http.server
import io
import itertools
import json
import resource
import runpy
import shutil
import struct
import threading
import time
import tracemalloc
import types
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import scipy.stats
import yaml

from refashion.data import dataset as data
from refashion.errors import UserError

PROJECT = Path(__file__).parents[3]
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
NAMES = {"train_images": "train-x", "train_labels": "train-y", "test_images": "test-x", "test_labels": "test-y"}
VARIABLE = "REFASHION_TEST_DATA"


def idx(array):
    """An IDX file of unsigned bytes, written with struct and so independently of the code under test."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def arrays():
    """60 training and 12 test images of 5 x 4 random pixels, labels 0 to 3."""
    rng = np.random.default_rng(1)
    return {
        "train_images": rng.integers(0, 256, (60, 5, 4), dtype=np.uint8),
        "train_labels": rng.integers(0, 4, 60, dtype=np.uint8),
        "test_images": rng.integers(0, 256, (12, 5, 4), dtype=np.uint8),
        "test_labels": rng.integers(0, 4, 12, dtype=np.uint8),
    }


@pytest.fixture
def definition(arrays):
    files = {
        key: {"name": NAMES[key], "shape": list(array.shape), "sha256": hashlib.sha256(idx(array)).hexdigest()}
        for key, array in arrays.items()
    }
    return {"title": "Tiny", "classes": ["a", "b", "c", "d"], "files": files, "sources": []}


@pytest.fixture
def folder(arrays, tmp_path):
    """A folder with the four files: images gzipped, labels plain."""
    folder = tmp_path / "source"
    folder.mkdir()
    for key, array in arrays.items():
        if key.endswith("images"):
            (folder / f"{NAMES[key]}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (folder / NAMES[key]).write_bytes(idx(array))
    return folder


@pytest.fixture
def target(tmp_path):
    return tmp_path / "results" / "data" / "tiny.npz"


@pytest.fixture
def prepare(definition, target):
    """Prepare the tiny data set from sources; returns the lines of the log."""

    def run(*sources, **options):
        lines = []
        data.prepare("tiny", {**definition, "sources": list(sources)}, target, log=lines.append, **options)
        return lines

    return run


def assert_prepared(target, arrays):
    loaded = data.load(target)
    for key, array in arrays.items():
        np.testing.assert_array_equal(getattr(loaded, key), array)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def left_behind(target):
    return sorted(str(path.relative_to(target.parent)) for path in target.parent.rglob("*"))


# ------------------------------------------------------------------------------------------------------------- folders


def test_plain_and_gzipped_files_are_prepared(prepare, folder, target, arrays):
    lines = prepare({"folder": str(folder)})
    assert_prepared(target, arrays)
    for array in arrays.values():
        assert any(hashlib.sha256(idx(array)).hexdigest() in line for line in lines)


def test_same_files_give_the_same_bytes(prepare, folder, target):
    contents = []
    for _ in range(2):
        prepare({"folder": str(folder)})
        contents.append(target.read_bytes())
    assert contents[0] == contents[1]


def test_who_reads_the_old_file_keeps_it_whole(prepare, folder, target, arrays):
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        prepare({"folder": str(folder)})
        assert reader.read() == b"old"
    assert_prepared(target, arrays)


def rewrite(name, change):
    """A way to break a folder: change the unpacked bytes of one of its files."""

    def apply(folder):
        packed = folder / f"{name}.gz"
        if packed.exists():
            packed.write_bytes(gzip.compress(change(gzip.decompress(packed.read_bytes()))))
        else:
            (folder / name).write_bytes(change((folder / name).read_bytes()))

    return apply


def cut_gzip(folder):
    content = (folder / "train-x.gz").read_bytes()
    (folder / "train-x.gz").write_bytes(content[: len(content) // 2])


def damage_gzip(folder):
    content = bytearray((folder / "train-x.gz").read_bytes())
    content[-6] ^= 1  # in the checksum
    (folder / "train-x.gz").write_bytes(content)


def remove_file(folder):
    (folder / "test-y").unlink()


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
def test_broken_file_in_the_users_folder_is_an_error(prepare, folder, target, monkeypatch, damage, sentence):
    damage(folder)
    monkeypatch.setenv(VARIABLE, str(folder))
    with pytest.raises(UserError) as caught:
        prepare({"folder": f"${{{VARIABLE}}}"}, {"folder": "/nowhere"})
    message = str(caught.value)
    assert message.startswith(f"{VARIABLE} names a folder that cannot be used: ")
    assert sentence in message
    assert "\n" not in message
    assert left_behind(target) == []


def test_wrong_hash_names_expected_and_found(prepare, folder, definition):
    BROKEN["wrong hash"][0](folder)
    expected = definition["files"]["train_images"]["sha256"]
    found = hashlib.sha256(gzip.decompress((folder / "train-x.gz").read_bytes())).hexdigest()
    with pytest.raises(UserError) as caught:
        prepare({"folder": str(folder)})
    assert f"has the SHA-256 {found} unpacked, expected {expected}" in str(caught.value)


@pytest.mark.parametrize(("damage", "sentence"), BROKEN.values(), ids=BROKEN)
def test_broken_file_elsewhere_is_logged_and_the_next_source_taken(
    prepare, folder, target, tmp_path, arrays, damage, sentence
):
    good = shutil.copytree(folder, tmp_path / "good")
    damage(folder)
    lines = prepare({"folder": str(folder)}, {"folder": str(good)})
    assert any(sentence in line for line in lines)
    assert_prepared(target, arrays)


def test_gzip_bomb_is_read_no_further_than_the_file_should_be(prepare, folder, target):
    bomb = gzip.compress(idx(np.zeros((60, 5, 4), np.uint8))) + gzip.compress(bytes(1 << 22)) * 256  # 1 GiB unpacked
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


@pytest.mark.parametrize("name", ["../train-x", "/etc/passwd", "a/b", "", ".", "..", "a\0b", "a\nb", "x" * 300, "-x"])
def test_file_name_never_leaves_its_folder(prepare, folder, definition, name):
    definition["files"]["train_images"]["name"] = name
    with pytest.raises(UserError, match="allowed is a plain name"):
        prepare({"folder": str(folder)})


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"folder": "~nobody-of-this-name/x"}, "~nobody-of-this-name/x is in no user's home"),
        ({"folder": "x" * 300}, f"{'x' * 300} cannot be read (File name too long)"),
        ({"folder": "a\0b"}, "a\0b is not there"),
        ({"url": "http://[::1/"}, "http://[::1/train-x is no web address ("),
        ({"url": "http://x:99999/"}, "http://x:99999/train-x is no web address ("),
        ({"url": "http://a..b/"}, "http://a..b/train-x is no web address ("),
    ],
)
def test_source_that_can_be_none_is_told_at_once_and_the_next_one_taken(
    prepare, folder, target, arrays, source, reason
):
    began = time.monotonic()
    with pytest.raises(UserError) as caught:
        prepare(source)
    assert reason in str(caught.value).splitlines()[1]
    assert any(reason in line for line in prepare(source, {"folder": str(folder)}))
    assert_prepared(target, arrays)
    assert time.monotonic() - began < 3  # else it was tried again


def test_folder_in_ones_home(prepare, folder, target, arrays, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    prepare({"folder": "~/source"})
    assert_prepared(target, arrays)


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


@pytest.mark.parametrize("value", [None, ""])
def test_source_with_an_unset_variable_is_skipped_silently(prepare, folder, target, arrays, monkeypatch, value):
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    lines = prepare({"folder": f"${{{VARIABLE}}}"}, {"folder": str(folder)})
    assert VARIABLE not in "".join(lines)
    assert_prepared(target, arrays)


def test_folder_named_by_a_variable_is_taken_before_the_rest(prepare, folder, target, arrays, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(folder.parent))
    lines = prepare({"folder": f"${{{VARIABLE}}}/source"}, {"folder": "/nowhere"})
    assert lines[0] == f"tiny: from folder {folder}"
    assert_prepared(target, arrays)


def test_variable_that_names_no_folder_is_an_error(prepare, folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, "/nowhere")
    with pytest.raises(UserError, match=f"^{VARIABLE} names a folder that cannot be used: /nowhere is not there.$"):
        prepare({"folder": f"${{{VARIABLE}}}"}, {"folder": str(folder)})


def test_error_names_every_source_and_its_reason(prepare, folder, target, tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    remove_file(folder)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as caught:
        prepare(
            {"folder": f"${{{VARIABLE}}}"},
            {"folder": "/nowhere"},
            {"folder": str(folder)},
            {"debian": "dataset-tiny", "folder": "usr/share"},
        )
    assert str(caught.value).splitlines() == [
        f"The data set tiny cannot be had from any source; set {VARIABLE} to a folder that holds its four files.",
        "  folder /nowhere: /nowhere is not there.",
        f"  folder {folder}: {folder} has neither test-y nor test-y.gz.",
        "  Debian package dataset-tiny: this machine has no apt-get.",
    ]
    assert left_behind(target) == []


# -------------------------------------------------------------------------------------------------------------- a disk


def test_file_that_cannot_be_written_to_the_end_leaves_nothing(prepare, folder, target):
    """A real write that fails half-way: the process may write no file of more than 1,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(UserError, match=r"tiny\.npz cannot be written: File too large\.$"):
            prepare({"folder": str(folder)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_behind(target) == []


def test_failed_write_leaves_the_old_file(target):
    def fail(stream):
        stream.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    with pytest.raises(UserError, match=r"cannot be written: No space left on device\.$"):
        data.write_whole(target, fail)
    assert target.read_bytes() == b"old"
    assert left_behind(target) == ["tiny.npz"]


def test_folder_that_cannot_be_made_is_an_error(prepare, folder, tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(UserError, match=r"results/data cannot be written to: Not a directory\.$"):
        prepare({"folder": str(folder)})


def test_what_a_killed_job_left_is_cleared(prepare, folder, target, arrays):
    work = target.parent / ".tiny-work"
    work.mkdir(parents=True)
    (work / "tiny.npz.123").write_bytes(b"half")
    (work / "train-x.gz.part").write_bytes(b"half")
    prepare({"folder": str(folder)})
    assert_prepared(target, arrays)


# ----------------------------------------------------------------------------------------------------------- downloads


class Server(http.server.ThreadingHTTPServer):
    """Serves {path: bytes} on loopback, misbehaves by plan, and remembers what it was asked.

    plan: {path: [answers]}, used up one a request: a status, or ("cut", bytes sent of what was announced).
    """

    def __init__(self, contents):
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents, self.plan, self.requests, self.ranges = contents, {}, [], True

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, path, asked = self.server, self.path.lstrip("/"), self.headers.get("Range")
        server.requests.append((path, asked))
        assert self.headers["Accept-Encoding"] == "identity"  # else a server may unpack or pack what is asked for
        answer = server.plan[path].pop(0) if server.plan.get(path) else 200
        if isinstance(answer, int) and answer != 200:
            return self.send_error(answer)
        if path not in server.contents:
            return self.send_error(404)
        content, start = server.contents[path], 0
        if asked and server.ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        return self.wfile.write(body if answer == 200 else body[: answer[1]])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(arrays, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    monkeypatch.setattr(data, "CHUNK", 100)
    with Server({f"{NAMES[key]}.gz": gzip.compress(idx(array)) for key, array in arrays.items()}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def web(server):
    return {"url": server.url, "suffix": ".gz"}


IMAGES = "train-x.gz"


def requests_of(server, path):
    return [asked for name, asked in server.requests if name == path]


def test_download(prepare, server, web, target, arrays):
    prepare(web)
    assert_prepared(target, arrays)
    assert [path for path, _ in server.requests] == [f"{name}.gz" for name in NAMES.values()]


def test_address_without_final_slash_and_plain_files(prepare, server, target, arrays):
    server.contents = {f"deep/{NAMES[key]}": idx(array) for key, array in arrays.items()}
    prepare({"url": f"{server.url}deep"})
    assert_prepared(target, arrays)


def test_interrupted_download_continues_where_it_stopped(prepare, server, web, target, arrays):
    server.plan[IMAGES] = [("cut", 500), ("cut", 100)]
    prepare(web)
    assert requests_of(server, IMAGES) == [None, "bytes=500-", "bytes=600-"]
    assert_prepared(target, arrays)


def test_interrupted_download_from_a_server_without_ranges_begins_anew(prepare, server, web, target, arrays):
    server.ranges = False
    server.plan[IMAGES] = [("cut", 500)]
    prepare(web)
    assert requests_of(server, IMAGES) == [None, "bytes=500-"]
    assert_prepared(target, arrays)


def test_download_given_up_is_kept_and_continued_by_the_next_call(prepare, server, web, target, arrays):
    server.plan[IMAGES] = [("cut", 500), ("cut", 0), ("cut", 0), ("cut", 0)]
    with pytest.raises(UserError, match=r"train-x\.gz: .* failed after 500 bytes, which are kept for the next try\.$"):
        prepare(web)
    assert not target.exists()
    assert left_behind(target) == [".tiny-work", ".tiny-work/train-x.gz.part"]
    prepare(web)
    assert requests_of(server, IMAGES)[-1] == "bytes=500-"
    assert_prepared(target, arrays)


def test_finished_files_are_not_downloaded_twice(prepare, server, web, target, arrays):
    server.plan["test-x.gz"] = [("cut", 50)] * 4
    with pytest.raises(UserError):
        prepare(web)
    prepare(web)
    assert requests_of(server, IMAGES) == [None]
    assert_prepared(target, arrays)


@pytest.mark.parametrize("size", [10, 100_000])
def test_foreign_beginning_is_noticed_and_fetched_anew(prepare, server, web, target, arrays, size):
    """As when a file has changed on the server between two calls; 100,000 bytes are more than the server has."""
    work = target.parent / ".tiny-work"
    work.mkdir(parents=True)
    (work / f"{IMAGES}.part").write_bytes(bytes(size))
    prepare(web)
    assert requests_of(server, IMAGES) == [f"bytes={size}-", None]
    assert_prepared(target, arrays)


def test_busy_server_is_asked_again(prepare, server, web, target, arrays):
    server.plan[IMAGES] = [503, 429]
    prepare(web)
    assert len(requests_of(server, IMAGES)) == 3
    assert_prepared(target, arrays)


def test_server_that_stays_busy_is_given_up(prepare, server, web, target):
    server.plan[IMAGES] = [503] * 9
    with pytest.raises(UserError, match="503 Server Error"):
        prepare(web)
    assert len(requests_of(server, IMAGES)) == 1 + data.RETRIES
    assert left_behind(target) == []


def test_missing_file_is_asked_for_once(prepare, server, web, target):
    del server.contents["train-y.gz"]
    with pytest.raises(UserError, match=r"train-y\.gz answers 404 Not Found\.$"):
        prepare(web)
    assert requests_of(server, "train-y.gz") == [None]
    assert left_behind(target) == []


def test_wrong_content_is_refused_and_the_next_source_taken(prepare, server, web, folder, target, arrays):
    server.contents[IMAGES] = b"<html>Log in to this network</html>"
    lines = prepare(web, {"folder": str(folder)})
    assert any("train-x.gz has the magic number 0x3c68746d, expected 0x00000803" in line for line in lines)
    assert requests_of(server, IMAGES) == [None]
    assert_prepared(target, arrays)


def test_endless_answer_is_cut_off(prepare, server, web, target):
    server.contents[IMAGES] = bytes(10_000_000)
    with pytest.raises(UserError, match="sends more than the 5,324 bytes that the file can have"):
        prepare(web)
    assert left_behind(target) == []


def test_machine_that_does_not_answer(prepare, server, target):
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match=r"train-x\.gz: the connection to 127\.0\.0\.1:\d+ failed\.$"):
        prepare({"url": server.url, "suffix": ".gz"})
    assert left_behind(target) == []


def test_full_disk_during_a_download_is_one_sentence(prepare, web, target, monkeypatch):
    opened = Path.open

    def full(path, mode="r", *args, **kwargs):
        stream = opened(path, mode, *args, **kwargs)
        if path.suffix == ".part" and mode != "rb":
            stream.write = lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device"))
        return stream

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(UserError, match=r"results/data cannot be written to: No space left on device\.$"):
        prepare(web)
    assert left_behind(target) == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_bar_is_drawn_on_terminals_only(prepare, web):
    terminal, pipe = Terminal(), io.StringIO()
    prepare(web, progress=terminal)
    prepare(web, progress=pipe)
    assert IMAGES in terminal.getvalue()
    assert "100%" in terminal.getvalue()
    assert pipe.getvalue() == ""


# -------------------------------------------------------------------------------------------------------------- Debian


@pytest.fixture
def debian(tmp_path, monkeypatch, folder):
    """A Debian package with the four files, given out by a pretended apt-get. Returns their folder and the source."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not on this machine")
    tree, tools = tmp_path / "tree", tmp_path / "tools"
    shutil.copytree(folder, tree / "usr/share/tiny")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        "Package: dataset-tiny\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: tiny\n"
    )
    tools.mkdir()
    (tools / "apt-get").write_text(f'#!/bin/sh\nexec dpkg-deb --root-owner-group --build "{tree}" . >/dev/null\n')
    (tools / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    return tree / "usr/share/tiny", {"debian": "dataset-tiny", "folder": "usr/share/tiny"}


def test_debian_package(prepare, debian, target, arrays):
    prepare(debian[1])
    assert_prepared(target, arrays)


def test_debian_package_gives_nothing_but_the_files_wanted(prepare, debian, target, tmp_path):
    files, source = debian
    (files / "test-y").unlink()
    (files / "test-y").symlink_to("/etc/passwd")
    (files.parent / "test-y").write_bytes(b"in another folder")
    with pytest.raises(UserError, match=r"has neither test-y nor test-y\.gz\.$"):
        prepare(source)
    assert left_behind(target) == []


def test_oversized_file_in_a_debian_package_is_not_unpacked(prepare, debian, target):
    files, source = debian
    (files / "train-x.gz").write_bytes(bytes(1_000_000))
    with pytest.raises(UserError, match=r"usr/share/tiny/train-x\.gz has 1,000,000 bytes, at most 5,324 expected\.$"):
        prepare(source)
    assert left_behind(target) == []


def test_archive_that_is_no_debian_package(prepare, debian, tmp_path):
    (tmp_path / "tools" / "apt-get").write_text("#!/bin/sh\necho junk > dataset-tiny.deb\n")
    with pytest.raises(UserError, match=r"dataset-tiny\.deb cannot be unpacked \("):
        prepare(debian[1])


def test_apt_that_knows_no_such_package(prepare, debian, target, tmp_path):
    (tmp_path / "tools" / "apt-get").write_text('#!/bin/sh\necho "E: Unable to locate package $*" >&2\nexit 100\n')
    with pytest.raises(UserError, match=r"apt-get cannot download it \(E: Unable to locate package .*\)\.$"):
        prepare(debian[1])
    assert left_behind(target) == []


# ---------------------------------------------------------------------------------------------------------------- load


@pytest.fixture
def prepared(prepare, folder, target):
    prepare({"folder": str(folder)})
    return target


def test_file_cut_anywhere_is_refused(prepared):
    content = prepared.read_bytes()
    for size in (0, 1, 100, len(content) // 2, len(content) - 1):
        prepared.write_bytes(content[:size])
        with pytest.raises(
            UserError, match=r"tiny\.npz is empty, cut or no data file .*start snakemake again, which makes"
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
    "pickled objects": lambda stream, arrays: np.savez(stream, **{**arrays, "test_labels": np.array([{}], object)}),
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
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        data.load(tmp_path)


# --------------------------------------------------------------------------------------------------------------- split


def numbered(train, test):
    """A data set in which the four pixels of an image are its number, counted on from training to test images."""
    images = np.arange(train + test, dtype=">u4").view(np.uint8).reshape(-1, 2, 2)
    labels = (np.arange(train + test) % 10).astype(np.uint8)
    return data.Dataset(images[:train], labels[:train], images[train:], labels[train:])


def numbers(images):
    return np.ascontiguousarray(images).reshape(-1, 4).view(">u4").ravel().astype(int)


@pytest.fixture(scope="module")
def full_size():
    return numbered(60_000, 10_000)


def fraction(images, validation="test", subset_seed=None):
    return {"images": images, "validation": validation, "subset_seed": subset_seed}


def test_labels_go_with_their_images(full_size):
    for validation, seed in itertools.product(("test", "fold"), (0, 1)):
        split = data.split(full_size, fraction(5_000, validation), seed)
        np.testing.assert_array_equal(split.train_labels, numbers(split.train_images) % 10)
        np.testing.assert_array_equal(split.validation_labels, numbers(split.validation_images) % 10)


@pytest.mark.parametrize("validation", ["test", "fold"])
def test_smaller_subset_is_a_prefix_of_a_larger_one(full_size, validation):
    sizes = [data.split(full_size, fraction(n, validation), 7).train_images for n in (1, 1_000, 10_000, 50_000)]
    for small, large in itertools.pairwise(sizes):
        np.testing.assert_array_equal(small, large[: len(small)])
    assert len(set(numbers(sizes[-1]))) == 50_000


def test_subset_with_the_fold_is_the_subset_without_less_the_fold(full_size):
    everything = numbers(data.split(full_size, fraction(60_000), 7).train_images)
    fold = numbers(data.split(full_size, fraction(50_000, "fold"), 7).train_images)
    np.testing.assert_array_equal(fold, everything[everything < 50_000])


def test_fold_is_the_last_10000_training_images_for_every_seed_and_none_is_trained_on(full_size):
    for seed in range(3):
        split = data.split(full_size, fraction(50_000, "fold"), seed)
        np.testing.assert_array_equal(numbers(split.validation_images), np.arange(50_000, 60_000))
        assert set(numbers(split.train_images)) == set(range(50_000))


def test_validation_on_test_images_leaves_all_training_images(full_size):
    split = data.split(full_size, fraction(60_000), 3)
    np.testing.assert_array_equal(numbers(split.validation_images), np.arange(60_000, 70_000))
    assert set(numbers(split.train_images)) == set(range(60_000))


def test_small_data_set_holds_out_its_last_sixth():
    split = data.split(numbered(90, 12), fraction(75, "fold"), 0)
    np.testing.assert_array_equal(numbers(split.validation_images), np.arange(75, 90))


def test_seeds_draw_differently_and_a_subset_seed_takes_their_place(full_size):
    drawn = [numbers(data.split(full_size, fraction(100), seed).train_images) for seed in (0, 1)]
    assert not np.array_equal(*drawn)
    for seed in (0, 1, 2):
        same = data.split(full_size, fraction(100, subset_seed=1), seed)
        np.testing.assert_array_equal(numbers(same.train_images), drawn[1])


def test_a_subset_seed_of_zero_counts(full_size):
    drawn = numbers(data.split(full_size, fraction(100, subset_seed=0), 5).train_images)
    np.testing.assert_array_equal(drawn, numbers(data.split(full_size, fraction(100), 0).train_images))


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (fraction(60_001), "60,001 training images are wanted; there are 60,000 and 0 held out."),
        (fraction(50_001, "fold"), "50,001 training images are wanted; there are 50,000 and 10,000 held out."),
        (fraction(0), "0 training images are wanted; there are 60,000 and 0 held out."),
    ],
)
def test_more_images_than_there_are(full_size, wanted, sentence):
    with pytest.raises(UserError, match=f"^{sentence}$"):
        data.split(full_size, wanted, 0)


def test_fold_of_fewer_than_six_images_is_not_replaced_by_the_test_images():
    assert len(data.split(numbered(6, 3), fraction(5, "fold"), 0).validation_images) == 1
    with pytest.raises(UserError, match=r"^A held-out fold is a sixth of the training images, .* there are 5\.$"):
        data.split(numbered(5, 3), fraction(5, "fold"), 0)


def test_subset_draws_evenly():
    """Each of 40 images is in the first 10 of a permutation with probability 1/4: chi-squared over 4,000 seeds."""
    counts = np.zeros(40)
    for seed in range(4_000):
        counts[data.subset(40, 40, 10, seed)] += 1
    # Drawn without replacement: the statistic with the binomial variance, times 39/40, is chi-squared with 39 degrees
    # of freedom; the seeds are fixed, so this never flickers.
    statistic = ((counts - 1_000) ** 2 / (4_000 * 0.25 * 0.75)).sum() * 39 / 40
    low, high = scipy.stats.chi2.interval(0.9998, 39)
    assert low < statistic < high


# ------------------------------------------------------------------------------------------------------------ describe


def test_describe_counts_what_is_there():
    """Six 1 x 2 images by hand: a, a, b, c, c, c in training, c and d, d in the test part."""
    a, b, c, d = [0, 0], [0, 10], [10, 0], [20, 20]
    facts = data.describe(
        data.Dataset(
            np.array([[a], [a], [b], [c], [c], [c]], np.uint8),
            np.array([0, 0, 1, 2, 2, 2], np.uint8),
            np.array([[c], [d], [d]], np.uint8),
            np.array([0, 1, 3], np.uint8),
        )
    )
    assert facts["duplicates"] == {"train": 3, "test": 1, "test_in_train": 1}
    assert facts["image_shape"] == [1, 2]
    assert facts["dtype"] == "uint8"
    assert facts["train"]["images"] == 6
    assert facts["train"]["per_class"] == [2, 1, 3, 0]
    assert facts["test"]["per_class"] == [1, 1, 0, 1]
    # Training pixels: eight 0 and four 10, so the mean is 10/3 and the SD sqrt(10^2/3 - (10/3)^2) = sqrt(200/9).
    assert facts["train"]["pixels"] == pytest.approx({"min": 0, "max": 10, "mean": 10 / 3, "sd": (200 / 9) ** 0.5})


def test_pixel_statistics_agree_with_numpy(arrays):
    images = arrays["train_images"]
    expected = {"min": images.min(), "max": images.max(), "mean": images.mean(), "sd": images.std()}
    assert data.pixel_statistics(images) == pytest.approx(expected, rel=1e-12)


def test_description_names_the_digests_of_the_config(prepared, definition):
    facts = data.describe(data.load(prepared))
    assert facts["sha256"] == {key: file["sha256"] for key, file in definition["files"].items()}


# ------------------------------------------------------------------------------------------------ the rule, real data


class Output(NamedTuple):
    """The rule's outputs, by name and by position."""

    data: str
    facts: str


def run_rule(definition, name, folder):
    job = types.SimpleNamespace(
        rule="prepare_data",
        wildcards=types.SimpleNamespace(dataset=name),
        config={"datasets": {name: definition}},
        output=Output(data=str(folder / f"{name}.npz"), facts=str(folder / f"{name}.json")),
        log=[str(folder / "logs" / f"{name}.log")],
    )
    script = PROJECT / "workflow" / "scripts" / "prepare_data.py"
    runpy.run_path(str(script), init_globals={"snakemake": job}, run_name="__main__")
    return job


def test_rule_writes_data_and_description(definition, folder, tmp_path, arrays):
    job = run_rule({**definition, "sources": [{"folder": str(folder)}]}, "tiny", tmp_path / "out")
    facts = json.loads(Path(job.output[1]).read_text())
    assert facts["train"]["images"] == len(arrays["train_images"])
    assert "SHA-256" in Path(job.log[0]).read_text()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["logs", "tiny.json", "tiny.npz"]


def test_rule_tells_one_sentence(definition, folder, tmp_path, capfd):
    remove_file(folder)
    with pytest.raises(SystemExit) as caught:
        run_rule({**definition, "sources": [{"folder": str(folder)}]}, "tiny", tmp_path / "out")
    assert caught.value.code == 1
    shown = capfd.readouterr().err
    assert f"{folder} has neither test-y nor test-y.gz." in shown
    assert "Traceback" not in shown + (tmp_path / "out/logs/tiny.log").read_text()


@pytest.fixture(scope="module")
def fashion_mnist():
    return yaml.safe_load((PROJECT / "config" / "config.yaml").read_text())["datasets"]["fashion_mnist"]


def assert_fashion_mnist(facts, definition):
    """As the paper says (Xiao, Rasul & Vollgraf 2017, arXiv 1708.07747): 28 x 28 pixels, 6,000 and 1,000 a class."""
    assert facts["image_shape"] == [28, 28]
    assert facts["train"]["per_class"] == [6_000] * 10
    assert facts["test"]["per_class"] == [1_000] * 10
    assert facts["sha256"] == {key: file["sha256"] for key, file in definition["files"].items()}


@pytest.mark.skipif(not DEBIAN_FOLDER.is_dir(), reason="the Debian package dataset-fashion-mnist is not installed")
def test_real_data_from_the_debian_folder(fashion_mnist, tmp_path, monkeypatch):
    monkeypatch.delenv("FASHION_MNIST_DIR", raising=False)
    job = run_rule(fashion_mnist, "fashion_mnist", tmp_path)
    assert_fashion_mnist(json.loads(Path(job.output[1]).read_text()), fashion_mnist)
    dataset = data.load(Path(job.output[0]))
    images = dataset.train_images.reshape(60_000, -1)
    assert len(np.unique(images.view("V784"))) == 60_000  # no image twice, found by sorting instead of hashing
    split = data.split(dataset, fraction(50_000, "fold"), 1)
    np.testing.assert_array_equal(split.validation_images, dataset.train_images[50_000:])


@pytest.mark.slow
@pytest.mark.parametrize("lists", [True, False], ids=["lists of the machine", "no package lists"])
def test_real_data_from_the_debian_package(fashion_mnist, tmp_path, monkeypatch, lists):
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("apt-get and dpkg-deb are not on this machine")
    if not lists:
        (tmp_path / "apt.conf").write_text(f'Dir::State::Lists "{tmp_path}/no-lists";\n')
        monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    target, lines = tmp_path / "data" / "fashion_mnist.npz", []
    definition = {**fashion_mnist, "sources": fashion_mnist["sources"][-1:]}
    try:
        data.prepare("fashion_mnist", definition, target, log=lines.append)
    except UserError as error:
        if "apt-get cannot download it" not in str(error):
            raise
        pytest.skip(f"no Debian mirror: {error}")
    assert lists or any("with fresh package lists" in line for line in lines)
    assert_fashion_mnist(data.describe(data.load(target)), fashion_mnist)
    assert left_behind(target) == ["fashion_mnist.npz"]
