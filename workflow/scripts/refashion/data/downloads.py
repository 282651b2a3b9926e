"""The four files of a data set from a web address."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import numpy as np

from refashion.data.folders import Log, Order, verified
from refashion.data.idx import Unusable
from refashion.errors import printable

#: Retries of an interrupted download; pooch waits 1, 2 and 3 s before them.
RETRIES = 3
#: Seconds to wait for a connection, and for more bytes.
TIMEOUT = (10, 30)
#: Minutes that a file may take in all: a server that sends a byte now and then keeps to every other limit.
MINUTES = 30
#: Bytes written at a time, and at most lost when a connection breaks.
CHUNK = 1 << 14


def read(url: str, suffix: str, order: Order) -> dict[str, np.ndarray]:
    """The four files from a web address. HTTP will do as well as HTTPS: the SHA-256 vouches for the files."""
    return {key: _downloaded(key, url.rstrip("/") + "/", suffix, order) for key in order.files}


def _downloaded(key: str, base: str, suffix: str, order: Order) -> np.ndarray:
    """One file from a web address. A file begun by an earlier call that turns out wrong is fetched anew, once."""
    name = order.files[key].name + suffix
    download = _Download(order.work / f"{name}.part", order.files[key].packed_limit, order.log, order.progress)
    begun = download.part.exists() or (order.work / name).exists()
    path = _in_time(lambda: _fetch(base, name, download))
    try:
        return verified(key, path, order)
    except Unusable as reason:
        path.unlink()
        if not begun:
            raise
        order.log(f"{reason}; it was begun earlier, so once more from the first byte")
        return _downloaded(key, base, suffix, order)


def _in_time(fetch: Callable[[], Path]) -> Path:
    """What `fetch` returns or raises, or Unusable after MINUTES; a thread that ends with us then has it still."""
    done: queue.SimpleQueue[Path | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            done.put(fetch())
        except BaseException as error:  # whatever it is, it is raised below
            done.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        found = done.get(timeout=60 * MINUTES)
    except queue.Empty:
        raise Unusable(f"it is not downloaded after {MINUTES} minutes") from None
    if isinstance(found, BaseException):
        raise found
    return found


def _fetch(base: str, name: str, download: _Download) -> Path:
    """The file, downloaded now or by an earlier call. Raises Unusable when the server does not give it."""
    import pooch  # imported late, as in _Download: every run imports this module, few download
    import requests

    pooch.get_logger().setLevel("WARNING")  # the log says it in our words
    # No hash here: the known one is that of the unpacked file.
    cache = pooch.create(path=download.part.parent, base_url=base, registry={name: None}, retry_if_failed=RETRIES)
    try:
        return Path(cache.fetch(name, downloader=download))
    except requests.RequestException as error:
        kept = f" after {download.received:,} bytes, which are kept for the next try" if download.received else ""
        failed = f"the connection to {urlsplit(base).netloc} failed"
        raise Unusable(f"{name}: {error if isinstance(error, requests.HTTPError) else failed}{kept}") from error


@dataclass(frozen=True)
class _Download:
    """A downloader for pooch that goes on where an interrupted download stopped, which pooch's own cannot.

    part: the file with the bytes so far; limit: how many they can be at most.
    """

    part: Path
    limit: int
    log: Log
    progress: TextIO | None

    @property
    def received(self) -> int:
        """Bytes so far."""
        return self.part.stat().st_size if self.part.exists() else 0

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Fetch url into output_file. Raises requests' errors, after which pooch tries again, or Unusable at once."""
        import requests

        headers = {"Accept-Encoding": "identity"}
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
        self.log(f"downloading {url}" + (f" from byte {self.received:,} on" if self.received else ""))
        try:
            with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                self._check(response)
                self._receive(response)
        except requests.ConnectTimeout as error:
            raise Unusable(f"no answer from {urlsplit(url).netloc} in {TIMEOUT[0]} s") from error
        except ValueError as error:  # some are requests' own errors, too
            raise Unusable(f"{url} is no web address ({_one_line(error)})") from error
        except requests.RequestException as error:
            self.log(str(error))
            raise
        os.replace(self.part, output_file)

    def _check(self, response) -> None:
        """Raise HTTPError for an answer that may be another one soon, Unusable for one that will not."""
        if response.status_code == 416:  # more bytes are here than there: begin anew
            self.part.unlink()
        elif 400 <= response.status_code < 500 and response.status_code not in (408, 429):
            raise Unusable(f"{response.url} answers {response.status_code} {printable(str(response.reason))}")
        response.raise_for_status()

    def _receive(self, response) -> None:
        """Write the answer behind the bytes so far (206, Partial Content), or from the start (200: the whole file)."""
        from tqdm import tqdm

        size = self.received if response.status_code == 206 else 0
        length = response.headers.get("Content-Length", "")
        bar = tqdm(
            total=size + int(length) if length.isdecimal() else None,
            initial=size,
            desc=self.part.stem,
            unit="B",
            unit_scale=True,
            file=self.progress,
            disable=None,  # unless it is a terminal
        )
        with bar, self.part.open("ab" if size else "wb") as stream:
            for chunk in response.iter_content(CHUNK):
                size += len(chunk)
                if size > self.limit:
                    self.part.unlink()
                    raise Unusable(f"{response.url} sends more than the {self.limit:,} bytes that the file can have")
                stream.write(chunk)
                bar.update(len(chunk))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
