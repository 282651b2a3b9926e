"""The log of a rule: everything that its script and the libraries below it print, and the traceback if it fails."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from refashion.errors import UserError, printable


@contextlib.contextmanager
def rule_log(job: Any) -> Iterator[TextIO]:
    """Send stdout and stderr, at the level of the process, to ``job.log[0]`` while the block runs.

    The block gets the real stderr as a stream, for the few things that belong on the terminal (a download's progress).

    A failure is told in one sentence on the real stderr and ends the process with exit code 1. The sentence is also the
    log's last line, after the traceback of anything that is not a user's mistake. (C++ libraries write to the
    descriptors, not `sys.stderr`.) Ctrl-C is no failure, but told alike, without a traceback. A log tells of one
    attempt: Snakemake removes it before the next.
    """
    path = Path(job.log[0])
    failure = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = open(path, "w", buffering=1, encoding="utf-8")  # noqa: SIM115 (closed by `_descriptors`)
    except OSError as error:
        sys.exit(f"{job.rule}: the log {path} cannot be written ({error.strerror}).")
    with log, _descriptors(log) as terminal:
        try:
            yield terminal
        except (Exception, KeyboardInterrupt) as error:
            failure = sentence(error)
            with contextlib.suppress(OSError):  # the disk may be full, which the terminal is told
                if not isinstance(error, UserError | KeyboardInterrupt):
                    traceback.print_exc()
                print(failure)
    if failure is not None:
        print(f"{job.rule}: {failure} (log: {path})", file=sys.stderr, flush=True)
        sys.exit(1)


def sentence(error: Exception | KeyboardInterrupt) -> str:
    """What went wrong, in one line that a terminal can be shown."""
    match error:
        case UserError():
            text = str(error)
        case KeyboardInterrupt():
            text = "The job was asked to stop (SIGINT) and left at once."
        case OSError() if error.strerror:
            where = f": {error.filename}" if error.filename else ""
            text = f"The system says '{error.strerror}'{where}."
        case _:
            text = f"{type(error).__name__}: {error}".splitlines()[0]
    return printable(text)


@contextlib.contextmanager
def _descriptors(log: TextIO) -> Iterator[TextIO]:
    """Point file descriptors 1 and 2 at `log` for a while, and close it; gives the old 2 as a stream."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = log
    try:
        with os.fdopen(os.dup(saved[1]), "w", buffering=1) as terminal:
            yield terminal
    finally:
        with contextlib.suppress(OSError):  # a full disk: whatever the block could not write has told so
            log.close()
        sys.stdout, sys.stderr = streams
        for descriptor, old in zip((1, 2), saved, strict=True):
            os.dup2(old, descriptor)
            os.close(old)
