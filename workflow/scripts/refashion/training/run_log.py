"""The log of a run: where it lies, and what its last line tells of a run that has not finished.

`training`, `run_store` and TensorFlow write into it; `rule_log` ends that of a failed or stopped run with the reason.
"""

from __future__ import annotations

import re
from pathlib import Path

from refashion.study.model import Run

#: Bytes at the end of a log in which its last lines lie.
_END = 8192

#: How the sentence begins that `training` and `rule_log` end a log with that a signal, which is named next, cut short.
_STOPPED = "The job was asked to stop ("

#: Lines that tell of no failure: those of `training` and `run_store`, and TensorFlow's below its level F (fatal), which
#: stands before or behind a time. Any other line counts as a failure, since one that is overlooked is worse.
_HARMLESS = re.compile(
    r"Using GPU |Run [0-9a-f]{20}|Continue after |epoch \d|Done: |Diverged: "
    r"|Set aside as |Discarded |[0-9a-f]{20} was finished by another job "
    rf"|{re.escape(_STOPPED)}"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] |[IWE]\d{4} |WARNING:|To enable the following instructions: "
)


def path_of(run: Run) -> Path:
    """Where rule `train` logs a run, relative to the study's folder."""
    return Path(run.folder.replace("results/runs/", "logs/train/", 1) + ".log")


def last_lines(path: Path) -> list[str]:
    """The lines at the end of a log that are not empty; the first of them may be cut."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - _END))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if line.strip()]


def last_line(path: Path) -> str:
    """The last line of a log that is not empty, "" if there is none."""
    return (last_lines(path) or [""])[-1]


def failed(last: str) -> bool:
    """Whether the last line of a log tells of a failure: not so where the run is under way, was stopped or killed."""
    return bool(last) and not _HARMLESS.match(last)


def stopped(last: str) -> bool:
    """Whether the last line of a log says that the run was asked to stop; it goes on when it is started again."""
    return last.startswith(_STOPPED)
