"""The log of a rule: everything that its script and the libraries below it print, and the traceback if it fails."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from refashion.errors import UserError


@contextlib.contextmanager
def rule_log(job: Any) -> Iterator[TextIO]:
    """Send stdout and stderr, at the level of the process, to ``job.log[0]`` while the block runs.

    The block gets the real stderr as a stream, for the few things that belong on the terminal (a download's progress).

    A failure is told in one sentence on the real stderr and ends the process with exit code 1. The traceback of
    anything that is not a user's mistake stays in the log. (C++ libraries write to the descriptors, not `sys.stderr`.)
    """
    path = Path(job.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    failure = None
    with open(path, "w", buffering=1, encoding="utf-8") as log, _descriptors(log) as terminal:
        try:
            yield terminal
        except (UserError, OSError) as error:
            failure = _sentence(error)
            print(failure)
        except Exception as error:
            traceback.print_exc()
            failure = f"{type(error).__name__}: {error}".splitlines()[0]
    if failure is not None:
        print(f"{job.rule}: {failure} (log: {path})", file=sys.stderr, flush=True)
        sys.exit(1)


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"The system says '{error.strerror}'{where}."
    return str(error)


@contextlib.contextmanager
def _descriptors(log: TextIO) -> Iterator[TextIO]:
    """Point file descriptors 1 and 2 at `log` for a while; gives the old 2 as a stream."""
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
        log.flush()
        sys.stdout, sys.stderr = streams
        for descriptor, old in zip((1, 2), saved, strict=True):
            os.dup2(old, descriptor)
            os.close(old)
