"""Whole files and folders: the old or the new at every moment, with the umask's modes, wherever chmod is not known."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest

from refashion import files


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_the_old_one_until_it_is_the_whole_new_one(tmp_path):
    target = tmp_path / "new" / "a.txt"
    files.write_text(target, "old\r\nä")
    with files.whole_file(target) as stream:
        stream.write(b"new")
        stream.flush()
        assert target.read_bytes() == "old\r\nä".encode()
    assert target.read_bytes() == b"new"
    assert _names(target.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write():
        with files.whole_file(target) as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert target.read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_a_disk_that_is_full_only_when_it_is_flushed_leaves_the_old_file(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a.txt").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0o002, 0o664, 0o775)]
)
def test_modes_are_the_umasks_and_nothing_is_changed_afterwards(tmp_path, monkeypatch, umask, file, folder):
    def refuse(*arguments, **options):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(os, "fchmod", refuse)
    before = os.umask(umask)
    try:
        files.write_text(tmp_path / "a.txt", "a")
        files.copy(tmp_path / "a.txt", tmp_path / "b.txt")
        with files.whole_folder(tmp_path / "c") as work:
            (work / "d").write_text("d")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"a.txt": file, "b.txt": file, "c": folder}
    assert (tmp_path / "c" / "d").stat().st_mode & 0o777 == file


def test_a_folder_comes_whole_or_not_at_all(tmp_path):
    def write(*, fail):
        with files.whole_folder(tmp_path / "a") as work:
            (work / "x").write_text("x")
            if fail:
                raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write(fail=True)
    assert _names(tmp_path) == []
    write(fail=False)
    assert _names(tmp_path) == ["a"]
    assert _names(tmp_path / "a") == ["x"]


@pytest.mark.parametrize("kind", ["folder", "file", "broken link"])
def test_a_folder_takes_nothings_place(tmp_path, kind):
    target = tmp_path / "a"
    if kind == "folder":
        target.mkdir()
        (target / "y").write_text("y")
    elif kind == "file":
        target.write_text("y")
    else:
        target.symlink_to(tmp_path / "nothing")
    with pytest.raises(FileExistsError), files.whole_folder(target):
        pass
    assert _names(tmp_path) == ["a"]
    aside = files.set_aside(target)
    assert aside.name.startswith("a.broken-")
    assert _names(tmp_path) == [aside.name]
    with pytest.raises(FileNotFoundError):
        files.set_aside(target)


WRITER = """
import sys, time
from pathlib import Path
from refashion import files
with files.whole_file(Path(sys.argv[1])) as stream, files.whole_folder(Path(sys.argv[2])):
    print("writing", flush=True)
    time.sleep(600)
"""


def test_what_a_killed_writer_left_is_swept_and_what_is_being_written_stays(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "a[1].npz"), str(tmp_path / "b")]
    path = os.pathsep.join(sys.path)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}) as writer:
        try:
            assert writer.stdout.readline() == "writing\n"
            assert len(_names(tmp_path)) == 2
            files.sweep(tmp_path / "a[1].npz")
            files.sweep(tmp_path / "b")
            assert len(_names(tmp_path)) == 2
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
    files.sweep(tmp_path / "another")
    assert len(_names(tmp_path)) == 2
    files.sweep(tmp_path / "a[1].npz")
    files.sweep(tmp_path / "b")
    assert _names(tmp_path) == []


def test_where_no_locks_are_known_files_are_written_and_nothing_is_swept(tmp_path, monkeypatch):
    def unknown(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files.fcntl, "flock", unknown)
    files.write_text(tmp_path / "a", "a")
    (tmp_path / "a.tmp-0").write_text("half")
    files.sweep(tmp_path / "a")
    assert _names(tmp_path) == ["a", "a.tmp-0"]


def test_a_writer_that_is_swept_before_it_is_locked_begins_anew(tmp_path, monkeypatch):
    original, taken = files.fcntl.flock, []

    def slow(handle, how):
        if not taken:
            taken.append(next(tmp_path.iterdir()))
            taken[0].unlink()
        return original(handle, how)

    monkeypatch.setattr(files.fcntl, "flock", slow)
    files.write_text(tmp_path / "a", "a")
    assert (tmp_path / "a").read_text() == "a"
    assert _names(tmp_path) == ["a"]


def _fifo(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_fifo, "is a FIFO"),
        (lambda path: path.symlink_to("/dev/zero"), "is a link"),
        (lambda path: path.symlink_to(path), "is a link"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b"12345"), "has 5 bytes, more than the 4 that are allowed"),
    ],
    ids=["fifo", "link", "circle", "folder", "large"],
)
def test_what_is_no_plain_file_of_its_size_is_not_read(tmp_path, make, words):
    make(tmp_path / "a")
    with pytest.raises(ValueError, match=words):
        files.read_plain(tmp_path / "a", 4)


def test_a_device_is_not_opened():
    with pytest.raises(ValueError, match="is a device"):
        files.read_plain(files.Path("/dev/null"), 4)


def test_a_plain_file_is_read_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"1234")
    assert files.read_plain(tmp_path / "a", 4) == b"1234"


def test_a_file_that_is_written_alone_has_no_other_beside_it(tmp_path):
    files.write_alone(tmp_path / "new" / "a.json", "1")
    files.write_alone(tmp_path / "new" / "b.json", "2")
    files.write_alone(tmp_path / "new" / "b.json", "3")
    assert {path.name: path.read_text() for path in (tmp_path / "new").iterdir()} == {"b.json": "3"}
