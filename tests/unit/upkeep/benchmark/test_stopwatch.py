"""Processes watched from outside, and ended."""

from __future__ import annotations

import os
import sys

import pytest

from refashion.errors import UserError
from refashion.upkeep.benchmark import stopwatch


def test_rates_are_taken_while_all_processes_are_at_work():
    started = [0.0, 0.0]
    marks = [[2.0, 3.0, 4.0, 5.0], [3.5, 5.5]]  # the second is warm at 3.5, so the first counts from 4.0 on
    found = stopwatch.rate_and_fixed_cost(started, marks, units=100)
    assert found.units_per_second == pytest.approx(100 / 1 + 100 / 2)
    assert found.fixed_seconds == pytest.approx(((2.0 - 1.0) + (3.5 - 2.0)) / 2)


@pytest.mark.parametrize(
    ("marks", "enough"),
    [
        ([[1.0, 2.0, 3.0], []], False),  # one has not warmed up
        ([[1.0, 2.0, 3.0], [2.5]], False),  # no whole epoch yet
        ([[1.0, 2.0, 3.0, 4.0], [1.5, 3.4]], False),  # 1.9 s of the second
        ([[1.0, 2.0, 3.0, 4.0], [1.5, 3.5]], True),
    ],
)
def test_a_measurement_lasts_long_enough_in_every_process(marks, enough):
    assert stopwatch._long_enough(marks, seconds=2.0) is enough


def _says(*lines: str, pause: float = 0.05) -> list[str]:
    script = "import sys, time\nfor line in sys.argv[1:]:\n    time.sleep(PAUSE)\n    print(line, flush=True)\n"
    return [sys.executable, "-c", script.replace("PAUSE", str(pause)), *lines]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_are_timed_by_their_lines_and_none_outlives_the_measurement(monkeypatch):
    pids = []
    end = stopwatch.Job.end
    monkeypatch.setattr(stopwatch.Job, "end", lambda job: pids.append(job.process.pid) or end(job))
    lines = [f'{{"epoch": {number}}}' for number in range(1000)]
    found = stopwatch.measure([_says("importing", *lines), _says("Run ready", *lines)], units=10, seconds=0.3)
    # each sleeps 0.05 s an epoch, so two processes do 400 units a second at the very most, on an idle machine
    assert 0 < found.units_per_second <= 400
    assert found.fixed_seconds > 0.05
    assert len(pids) == 2
    assert not any(map(_alive, pids))


def test_the_memory_is_the_programs_own_whatever_its_parent_has():
    """A program of 40 MB and what Python takes, which gives the 40 MB back, started by a process of 400 MB more."""
    program = "import time\ntaken = b'x' * 40_000_000\ndel taken\nprint('ready', flush=True)\ntime.sleep(600)"
    ballast = b"x" * 400_000_000
    with stopwatch.Jobs([[sys.executable, "-c", program]], "cpu") as jobs:
        next(iter(jobs))
    assert len(ballast) == 400_000_000
    assert 43 < jobs.memory[0] < 200


def test_a_program_that_ends_early_is_quoted():
    with pytest.raises(UserError, match=r"ended early: ValueError: no such network\.$"):
        stopwatch.measure([_says('{"epoch": 1}', "ValueError: no such network")], units=1, seconds=60)


def test_a_program_that_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(stopwatch, "PATIENCE", 0.2)
    with pytest.raises(UserError, match=r"said nothing for 0\.2 s"):
        stopwatch.measure([_says("late", pause=30)], units=1, seconds=1)
