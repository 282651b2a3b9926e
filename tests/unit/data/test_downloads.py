"""Downloads, from a server on this machine that misbehaves by plan."""

import errno
import gzip
import http.server
import io
import threading
from pathlib import Path

import pytest

from refashion.data import downloads
from refashion.errors import UserError
from tiny_data import NAMES, assert_prepared, idx_bytes, left_behind


class Server(http.server.ThreadingHTTPServer):
    """Serves {path: bytes} on loopback, misbehaves by plan, and remembers what it was asked.

    plan: {path: [answers]}, used up one a request: a status, or ("cut", bytes sent of what was announced).
    """

    def __init__(self, contents):
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents, self.plan, self.requests, self.ranges = contents, {}, [], True
        self.reason = None

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
            return self.send_error(answer, server.reason)
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
    monkeypatch.setattr(downloads, "PAUSES", (0, 0, 0))
    monkeypatch.setattr(downloads, "CHUNK", 100)
    with Server({f"{NAMES[key]}.gz": gzip.compress(idx_bytes(array)) for key, array in arrays.items()}) as server:
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
    server.contents = {f"deep/{NAMES[key]}": idx_bytes(array) for key, array in arrays.items()}
    prepare({"url": f"{server.url}deep"})
    assert_prepared(target, arrays)


@pytest.mark.parametrize("ranges", [True, False])
def test_interrupted_download_continues_where_it_stopped_or_where_there_are_no_ranges_anew(
    prepare, server, web, target, arrays, ranges
):
    server.ranges = ranges
    server.plan[IMAGES] = [("cut", 500), ("cut", 100)]
    prepare(web)
    assert requests_of(server, IMAGES) == [None, "bytes=500-", "bytes=600-" if ranges else "bytes=100-"]
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
    assert len(requests_of(server, IMAGES)) == 1 + len(downloads.PAUSES)
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


def test_a_server_that_never_ends_is_given_up(prepare, server, web, target, monkeypatch):
    """One that sends a byte now and then; here one that waits for the test to end."""
    ended = threading.Event()
    monkeypatch.setattr(downloads, "MINUTES", 0.2 / 60)
    monkeypatch.setattr(downloads._Download, "run", lambda _: ended.wait(60))
    try:
        with pytest.raises(UserError, match=r"it is not downloaded after 0\.\d+ minutes"):
            prepare(web)
    finally:
        ended.set()


def test_what_a_server_says_moves_no_cursor(prepare, server, web):
    server.reason = "Gone\x1b]0;title\x07\x1b[2J"
    server.plan[IMAGES] = [410]
    with pytest.raises(UserError, match=r"answers 410 Gone\\x1b\]0;title\\x07\\x1b\[2J"):
        prepare(web)


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
