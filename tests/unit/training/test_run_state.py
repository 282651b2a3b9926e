"""How far a run is, in a file that says so whatever ends the job; and that training keeps it."""

from __future__ import annotations

import errno
import os

import pytest

from refashion.errors import UserError
from refashion.training import run_state
from refashion.training.run_state import PreemptedError, RunState

NAME = "0123456789abcdef0123"
UNDER_WAY = RunState(epoch=3, epochs=10, seconds=30.0)


def _ends_with(store, error):
    def train():
        with run_state.kept(store, NAME):
            run_state.write(store, NAME, UNDER_WAY)
            raise error

    with pytest.raises(type(error)):
        train()
    return run_state.read(store, NAME)


def test_a_state_comes_back_as_it_was_written(tmp_path):
    assert run_state.read(tmp_path, NAME) is None
    run_state.write(tmp_path, NAME, UNDER_WAY)
    assert run_state.read(tmp_path, NAME) == UNDER_WAY
    assert run_state.read(tmp_path, "another") is None


def test_what_is_left_goes_on_at_the_speed_of_what_is_done():
    assert UNDER_WAY.left == 70.0
    assert RunState(epochs=10).left is None
    assert RunState(epoch=10, epochs=10, seconds=30.0).left == 0.0


def test_a_job_is_running_at_once_and_done_without_a_trace(tmp_path):
    with run_state.kept(tmp_path, NAME):
        assert run_state.read(tmp_path, NAME) == RunState()
    assert list((tmp_path / "checkpoints").iterdir()) == []


@pytest.mark.parametrize("error", [PreemptedError("asked to stop"), KeyboardInterrupt()])
def test_a_job_that_was_asked_to_stop_has_stopped_where_it_was(tmp_path, error):
    assert _ends_with(tmp_path, error) == RunState("stopped", 3, 10, 30.0)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UserError("No GPU."), "No GPU."),
        (OSError(errno.ENOSPC, "No space left on device"), "The system says 'No space left on device'."),
        (ValueError("a\nb"), "ValueError: a"),
    ],
)
def test_a_job_that_failed_says_why_in_one_line(tmp_path, error, reason):
    assert _ends_with(tmp_path, error) == RunState("failed", 3, 10, 30.0, reason)


def test_a_job_that_goes_on_forgets_how_the_last_one_ended(tmp_path):
    _ends_with(tmp_path, ValueError("?"))
    with run_state.kept(tmp_path, NAME):
        assert run_state.read(tmp_path, NAME) == UNDER_WAY


def test_a_full_disk_ends_no_training(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with run_state.kept(tmp_path, NAME):
        run_state.write(tmp_path, NAME, UNDER_WAY)
    assert run_state.read(tmp_path, NAME) is None


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "3", '{"epoch": 3, "more": 1}', "[" * 60_000, " " * 70_000),
        *('{"state": "lost"}', '{"epoch": "3"}', '{"epoch": -1}', '{"epochs": [10]}', '{"epochs": 0}'),
        *('{"seconds": null}', '{"seconds": NaN}', '{"seconds": Infinity}', '{"reason": 5}'),
    ],
    ids=range(16),
)
def test_a_file_that_is_no_state_is_none(tmp_path, content):
    path = run_state.path_of(tmp_path, NAME)
    path.parent.mkdir()
    path.write_text(content)
    assert run_state.read(tmp_path, NAME) is None
