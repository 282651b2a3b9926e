"""How far a run is: {store}/checkpoints/{digest}.json, which a job keeps while it trains and removes when it is done.

`progress` and `report_partial` read it; logs are for people. A job that was killed leaves the state `running`, which
nobody renews. There is none of a run that has not begun, or has finished.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path

from refashion import files
from refashion.errors import UserError
from refashion.kinds import Kind, number, one_of, whole
from refashion.rule_log import sentence

RUNNING, STOPPED, FAILED = "running", "stopped", "failed"

_LIMIT = 2**16
#: What each field of a state may be.
_KINDS = (
    one_of(RUNNING, STOPPED, FAILED),
    whole(0),
    whole(1) | None,
    number(0),
    Kind("a text", lambda value: isinstance(value, str)),
)


class PreemptedError(UserError):
    """The job was asked to stop; its state is saved and it can be started again."""


@dataclass(frozen=True)
class RunState:
    """epoch: of `epochs` (None if unknown yet), how many are done; seconds: what these took; reason: of a failure."""

    state: str = RUNNING
    epoch: int = 0
    epochs: int | None = None
    seconds: float = 0.0
    reason: str = ""

    @property
    def left(self) -> float | None:
        """Seconds for the epochs that are left, at the speed of those that are done; None before the first."""
        return self.seconds / self.epoch * (self.epochs - self.epoch) if self.epoch and self.epochs else None


def path_of(store: Path, name: str) -> Path:
    """Where the state of the run with the digest `name` lies."""
    return store / "checkpoints" / f"{name}.json"


def read(store: Path, name: str) -> RunState | None:
    """The state of a run, None where there is none, or none that can be read."""
    try:
        found = RunState(**json.loads(files.read_plain(path_of(store, name), _LIMIT)))
        return found if all(kind.accepts(value) for kind, value in zip(_KINDS, astuple(found), strict=True)) else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def write(store: Path, name: str, state: RunState) -> None:
    """Replace the state of a run. A disk that is full ends no training."""
    with contextlib.suppress(OSError):
        files.write_text(path_of(store, name), json.dumps(asdict(state)) + "\n")


def drop(store: Path, name: str) -> None:
    """Remove the state of a run that is done, and what killed jobs have left of it."""
    path_of(store, name).unlink(missing_ok=True)
    files.sweep(path_of(store, name))


@contextlib.contextmanager
def kept(store: Path, name: str) -> Iterator[None]:
    """Keep the state of a run while the block trains it: running at once, and how it ended unless it is done."""
    write(store, name, replace(read(store, name) or RunState(), state=RUNNING, reason=""))
    try:
        yield
    except (PreemptedError, KeyboardInterrupt):
        write(store, name, replace(read(store, name) or RunState(), state=STOPPED))
        raise
    except Exception as error:
        write(store, name, replace(read(store, name) or RunState(), state=FAILED, reason=sentence(error)))
        raise
    drop(store, name)
