"""Whole files and folders: written beside their place and renamed into it, so that readers see the old or the new.

What is being written is named {name}.tmp-{random} and locked by its writer. The system drops a lock when its process
ends, however that ends, so `sweep` can tell what a killed one has left. Modes are what the umask makes of them: nothing
is changed afterwards, which some shared file systems refuse.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import fcntl
import glob
import io
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from refashion.errors import UserError

#: Errors of a system or network file system in trouble, which say nothing of what a file holds.
_PASSING = {errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT}


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A stream whose bytes become `target` when the block ends; after an error, `target` is what it was."""
    target.parent.mkdir(parents=True, exist_ok=True)
    work, handle = _begun(target, lambda path: os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())  # a rename never comes to be before its content
            os.replace(work, target)
    finally:
        work.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """An empty folder which becomes `target` when the block ends.

    Raises FileExistsError if something is there by then, which stays; only an empty folder is taken over.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    work, handle = _begun(target, _made_folder)
    try:
        yield work
        for path in work.iterdir():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        try:
            os.rename(work, target)
        except OSError:
            if os.path.lexists(target):
                raise FileExistsError(f"{target} is there already") from None
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(handle)


def write_text(target: Path, text: str) -> None:
    """Write a text as a whole, in UTF-8 and with its line ends as they are."""
    with whole_file(target) as stream:
        stream.write(text.encode())


def write_csv(target: Path, rows: Iterable[Mapping[str, object]], columns: Iterable[str]) -> None:
    """Write rows as CSV with these columns, as a whole."""
    write_text(target, csv_text(rows, columns))


def csv_text(rows: Iterable[Mapping[str, object]], columns: Iterable[str], line_end: str = "\n") -> str:
    """Rows as CSV with these columns; `repr` of a float is read back bit by bit."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_alone(path: Path, text: str) -> None:
    """Write a text file, and remove what other files its folder holds: their names say what is no longer so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for other in path.parent.iterdir():
        if other != path:
            other.unlink()
    write_text(path, text)


def copy(source: Path, target: Path) -> None:
    """Copy a file's content as a whole."""
    with open(source, "rb") as content, whole_file(target) as stream:
        shutil.copyfileobj(content, stream)


def set_aside(path: Path) -> Path:
    """Rename what lies at `path`, whatever it is, to a name that nobody uses; the new path.

    Raises FileNotFoundError if nothing lies there.
    """
    aside = _unused(path, "broken")
    os.rename(path, aside)
    return aside


def sweep(target: Path) -> None:
    """Remove what killed writers of `target` have left beside it. What somebody is writing now stays."""
    for path in map(Path, glob.glob(f"{glob.escape(str(target))}.tmp-*")):
        with contextlib.suppress(OSError):  # a twin sweeps too, or the file system knows no locks
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if stat.S_ISDIR(os.fstat(handle).st_mode):
                    shutil.rmtree(path)
                else:
                    path.unlink()
            finally:
                os.close(handle)


def read_plain(path: Path, limit: int) -> bytes:
    """The bytes of a regular file that has at most `limit` of them.

    Raises UserError if the system cannot read it now, OSError if it cannot be read, and ValueError, in half a sentence,
    if it is larger or another kind of thing. A link, a FIFO or a device is not opened, since that may follow, wait or
    act.
    """
    try:
        return _read_plain(path, limit)
    except OSError as error:
        if error.errno not in _PASSING:
            raise
        raise UserError(
            f"{path} cannot be read now ({error.strerror}); nothing is lost: start again when the disk answers."
        ) from None


def _read_plain(path: Path, limit: int) -> bytes:
    _check_kind(os.lstat(path))
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        _check_kind(found)  # it may have been replaced in between
        if found.st_size > limit:
            raise ValueError(f"has {found.st_size:,} bytes, more than the {limit:,} that are allowed")
        return file.read(limit)


def other_kind(path: Path | str) -> str:
    """What lies at a path, links followed, in words: "a folder", "a FIFO", ...; "" for a file. Raises as os.stat does.

    To be asked before a file is opened that somebody named: opening a FIFO waits for a writer, for ever.
    """
    return _kind(os.stat(path))


def _check_kind(found: os.stat_result) -> None:
    if kind := _kind(found):
        raise ValueError(f"is {kind}, where a plain file is wanted")


def _kind(found: os.stat_result) -> str:
    kinds = {stat.S_IFREG: "", stat.S_IFLNK: "a link", stat.S_IFIFO: "a FIFO", stat.S_IFDIR: "a folder"}
    return kinds.get(stat.S_IFMT(found.st_mode), "a device or a socket")


def _begun(target: Path, make) -> tuple[Path, int]:
    """A new path beside `target` that `make` has made, and a handle that holds its lock where locks are known."""
    while True:
        work = _unused(target, "tmp")
        handle = make(work)
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.path.lexists(work):  # else it was swept before it was locked
            return work, handle
        os.close(handle)


def _made_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY)


def _unused(path: Path, what: str) -> Path:
    return path.with_name(f"{path.name}.{what}-{secrets.token_hex(4)}")
