"""The four files of a data set from a web address."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import requests
from tqdm import tqdm

from refashion.data.folders import Order, verified
from refashion.data.idx import Unusable
from refashion.errors import printable

#: Seconds to wait before each retry of an interrupted download.
PAUSES = (1, 2, 3)
#: Seconds to wait for a connection, and for more bytes.
TIMEOUT = (10, 30)
#: Minutes that a file may take in all: a server that sends a byte now and then keeps to every other limit.
MINUTES = 30
#: Bytes written at a time, and at most lost when a connection breaks.
CHUNK = 1 << 14


def read(url: str, suffix: str, order: Order) -> dict[str, np.ndarray]:
    """The four files from a web address. HTTP will do as well as HTTPS: the SHA-256 vouches for the files."""
    return {key: _downloaded(key, url.rstrip("/"), suffix, order) for key in order.files}


def _downloaded(key: str, base: str, suffix: str, order: Order) -> np.ndarray:
    """One file from a web address. A file begun by an earlier call that turns out wrong is fetched anew, once."""
    name = order.files[key].name + suffix
    path, download = order.work / name, _Download(f"{base}/{name}", order.work / f"{name}.part", key, order)
    begun = download.part.exists() or path.exists()
    if not path.exists():
        _in_time(download.run)
        os.replace(download.part, path)
    try:
        return verified(key, path, order)
    except Unusable as reason:
        path.unlink()
        if not begun:
            raise
        order.log(f"{reason}; it was begun earlier, so once more from the first byte")
        return _downloaded(key, base, suffix, order)


def _in_time(fetch: Callable[[], None]) -> None:
    """Do it, or raise Unusable after MINUTES; a thread that ends with us is at it still."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            fetch()
        except BaseException as error:  # whatever it is, it is raised below
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(60 * MINUTES)
    if thread.is_alive():
        raise Unusable(f"it is not downloaded after {MINUTES} minutes")
    if failures:
        raise failures[0]


@dataclass(frozen=True)
class _Download:
    """A download that goes on where it was interrupted. part: the file with the bytes so far."""

    url: str
    part: Path
    key: str
    order: Order

    @property
    def received(self) -> int:
        """Bytes so far."""
        return self.part.stat().st_size if self.part.exists() else 0

    def run(self) -> None:
        """Receive the file, in several tries if need be. Raises Unusable where the server does not give it."""
        for pause in (*PAUSES, None):
            try:
                self._try()
                break
            except requests.RequestException as error:
                self.order.log(str(error))
                if pause is None:
                    raise Unusable(self._failure(error)) from error
                time.sleep(pause)

    def _failure(self, error: Exception) -> str:
        kept = f" after {self.received:,} bytes, which are kept for the next try" if self.received else ""
        failed = f"the connection to {urlsplit(self.url).netloc} failed"
        return f"{self.part.stem}: {error if isinstance(error, requests.HTTPError) else failed}{kept}"

    def _try(self) -> None:
        """Raises requests' errors, after which another try may do, or Unusable."""
        headers = {"Accept-Encoding": "identity"}
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
        self.order.log(f"downloading {self.url}" + (f" from byte {self.received:,} on" if self.received else ""))
        try:
            with requests.get(self.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                self._check(response)
                self._receive(response)
        except requests.ConnectTimeout as error:
            raise Unusable(f"no answer from {urlsplit(self.url).netloc} in {TIMEOUT[0]} s") from error
        except ValueError as error:  # some are requests' own errors, too
            reason = " ".join(str(error).split()).rstrip(".")
            raise Unusable(f"{self.url} is no web address ({reason})") from error

    def _check(self, response: requests.Response) -> None:
        """Raise HTTPError for an answer that may be another one soon, Unusable for one that will not."""
        if response.status_code == 416:  # more bytes are here than there: begin anew
            self.part.unlink()
        elif 400 <= response.status_code < 500 and response.status_code not in (408, 429):
            raise Unusable(f"{response.url} answers {response.status_code} {printable(str(response.reason))}")
        response.raise_for_status()

    def _receive(self, response: requests.Response) -> None:
        """Write the answer behind the bytes so far (206, Partial Content), or from the start (200: the whole file)."""
        size = self.received if response.status_code == 206 else 0
        length = response.headers.get("Content-Length", "")
        limit = self.order.files[self.key].packed_limit
        bar = tqdm(
            total=size + int(length) if length.isdecimal() else None,
            initial=size,
            desc=self.part.stem,
            unit="B",
            unit_scale=True,
            file=self.order.progress,
            disable=None,  # unless it is a terminal
        )
        with bar, self.part.open("ab" if size else "wb") as stream:
            for chunk in response.iter_content(CHUNK):
                size += len(chunk)
                if size > limit:
                    self.part.unlink()
                    raise Unusable(f"{response.url} sends more than the {limit:,} bytes that the file can have")
                stream.write(chunk)
                bar.update(len(chunk))
