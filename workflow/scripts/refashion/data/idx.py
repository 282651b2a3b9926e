"""IDX files: arrays of unsigned bytes behind a short header, plain or gzipped.

Nothing that comes from outside is trusted: a file is read no further than the size that the config's shape implies, and
its header, size and SHA-256 are held against the config before a byte of it is used.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np


class Unusable(Exception):  # noqa: N818 (a reason to try the next source, not yet an error)
    """Why a file or a source cannot be used, as half a sentence: what was found and what was expected."""


def header(shape: tuple[int, ...]) -> bytes:
    """The header of an IDX file: two zero bytes, type 8 (unsigned byte), number of dimensions, their sizes as uint32.

    Source: "The MNIST database", section "File formats" (yann.lecun.com/exdb/mnist).
    """
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


@dataclass(frozen=True)
class IdxFile:
    """A file of unsigned bytes as it must be. sha256 is that of the unpacked file."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def header(self) -> bytes:
        """Its first bytes."""
        return header(self.shape)

    @property
    def size(self) -> int:
        """Bytes of the unpacked file."""
        return len(self.header) + math.prod(self.shape)

    @property
    def packed_limit(self) -> int:
        """Bytes of the gzipped file at most: gzip makes what cannot be compressed longer by far less than 1%."""
        return self.size + self.size // 100 + 4096


def read(path: Path, file: IdxFile) -> np.ndarray:
    """Read an IDX file, plain or gzipped. Returns uint8 [*file.shape], read-only.

    Raises Unusable if path is not the file that it must be: no file, cut, other magic number, shape, size or SHA-256.
    """
    payload = _read_at_most(path, file.size + 1)
    _check_header(path, payload, file)
    if len(payload) != file.size:
        found = f"more than {file.size:,}" if len(payload) > file.size else f"{len(payload):,}"
        raise Unusable(f"{path} has {found} bytes unpacked, expected {file.size:,}")
    digest = hashlib.sha256(payload).hexdigest()
    if digest != file.sha256:
        raise Unusable(f"{path} has the SHA-256 {digest} unpacked, expected {file.sha256}")
    return np.frombuffer(payload, np.uint8, offset=len(file.header)).reshape(file.shape)


def _read_at_most(path: Path, limit: int) -> bytes:
    """The first `limit` bytes of a file, unpacked if it is gzipped, so that a gzip bomb fills no memory."""
    try:
        if not path.is_file():
            raise Unusable(f"{path} is a folder, expected a file" if path.is_dir() else f"{path} is no regular file")
        with path.open("rb") as packed:
            # By content, not by name: an IDX file begins with two zero bytes, a gzip file never does.
            if packed.peek(2)[:2] != b"\x1f\x8b":
                return _first_bytes(packed, limit)
            with gzip.open(packed) as unpacked:
                return _first_bytes(unpacked, limit)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unusable(f"{path} is a cut or damaged gzip file ({str(error).rstrip('.')})") from error
    except OSError as error:
        raise Unusable(f"{path} cannot be read ({error.strerror})") from error


def _first_bytes(stream: io.BufferedIOBase, limit: int) -> bytes:
    """In pieces, since `read` takes memory for all that it is asked for, and the config may ask for any size."""
    content = io.BytesIO()
    while piece := stream.read(min(1 << 20, limit - content.tell())):
        content.write(piece)
    return content.getvalue()


def _check_header(path: Path, payload: bytes, file: IdxFile) -> None:
    found, magic = payload[:4], file.header[:4]
    if found != magic:
        raise Unusable(
            f"{path} has the magic number 0x{found.hex()}, expected 0x{magic.hex()} "
            f"(IDX, unsigned bytes in {len(file.shape)} dimensions)"
        )
    found_shape = [int.from_bytes(payload[at : at + 4], "big") for at in range(4, len(file.header), 4)]
    if found_shape != list(file.shape):
        raise Unusable(f"{path} has the shape {found_shape}, expected {list(file.shape)}")
