"""FIFOs in the place of files."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def fed(path: Path, content: bytes) -> Iterator[None]:
    """A FIFO that gives this content to who opens it, so that a test fails where it would else wait for ever."""
    os.mkfifo(path)
    writer = threading.Thread(target=_feed, args=(path, content), daemon=True)
    writer.start()
    try:
        yield
    finally:
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # lets go of a writer whom nobody has heard
        writer.join(10)
        os.close(reader)


def _feed(path: Path, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        path.write_bytes(content)
