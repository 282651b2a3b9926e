"""Programs timed from outside: processes that print a line an epoch, and the time at which each line arrives.

Nothing is asked of a program but its lines, so that one is timed as it runs, whole.
"""

from __future__ import annotations

import os
import queue
import re
import statistics
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from refashion.errors import UserError
from refashion.project import PROJECT

#: Seconds without a word after which a program is given up.
PATIENCE = 900

#: How a line begins that ends an epoch: a run's log, or a line of JSON.
_EPOCH = re.compile(r'epoch \d+/|\{"epoch"')


@dataclass(frozen=True)
class Measurement:
    """units: images, or for the peak floating-point operations, of all processes together; fixed: of a job."""

    units_per_second: float
    fixed_seconds: float


class Job:
    """A process whose lines are put into a queue as (its number, time of arrival, line), None at their end."""

    def __init__(self, number: int, command: Sequence[str], lines: queue.Queue, environment: Mapping[str, str]):
        self.number, self.lines, self.tail = number, lines, ""
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **environment},
        )
        self.peak_memory = 0
        threading.Thread(target=self._read, args=[self.process.stdout], daemon=True).start()

    def _read(self, output: Iterable[str]) -> None:
        for line in output:
            moment = time.monotonic()
            self.tail = line.strip() or self.tail
            self._note_memory()  # now, since a program that ends by itself has none to be asked for
            self.lines.put((self.number, moment, line.rstrip()))
        self.lines.put((self.number, time.monotonic(), None))

    def _note_memory(self) -> None:
        self.peak_memory = max(self.peak_memory, peak_resident(self.process.pid))

    def end(self) -> float:
        """Kill the process unless it has ended. Returns its peak resident memory in 10^6 bytes."""
        self._note_memory()
        self.process.kill()
        self.process.wait()
        return self.peak_memory / 1e6


def peak_resident(pid: int) -> int:
    """The most memory that a program has had resident so far, in bytes; 0 once it has ended.

    Not getrusage: its ru_maxrss also counts what the parent had when it started the program. Where the system keeps no
    such mark (macOS), what is resident now.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        kibibytes = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), "0")
    except FileNotFoundError:
        done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True)  # noqa: S603, S607
        kibibytes = done.stdout.strip() or "0"
    return int(kibibytes) * 1024


class Jobs:
    """Processes that are started together and watched, one line at a time. A context manager: none outlives it."""

    def __init__(self, commands: Iterable[Sequence[str]], device: str):
        self.lines: queue.Queue = queue.Queue()
        environment = {"PYTHONPATH": str(PROJECT / "workflow" / "scripts"), "PYTHONUNBUFFERED": "1"}
        if device == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        self.jobs: list[Job] = []
        self.memory: list[float] = []
        try:
            for number, command in enumerate(commands):
                self.jobs.append(Job(number, command, self.lines, environment))
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Jobs:
        return self

    def __exit__(self, *_: object) -> None:
        self.memory = [job.end() for job in self.jobs]

    def __iter__(self) -> Iterator[tuple[Job, float, str | None]]:
        """(job, time, line) as they come, until all have ended; a line of None means that the job has ended."""
        running = len(self.jobs)
        while running:
            try:
                number, moment, line = self.lines.get(timeout=PATIENCE)
            except queue.Empty:
                raise UserError(f"A program of the benchmark has said nothing for {PATIENCE} s.") from None
            running -= line is None
            yield self.jobs[number], moment, line


def measure(commands: Sequence[Sequence[str]], units: int, seconds: float, device: str = "cpu") -> Measurement:
    """Start all commands together, each of which prints a line an epoch of `units`, and time whole epochs.

    Each process is timed over `seconds` at least, from its first line after all have warmed up to its last before the
    first of them is stopped. Raises UserError, with the program's last words, if one ends before that.
    """
    marks: list[list[float]] = [[] for _ in commands]
    with Jobs(commands, device) as jobs:
        for job, moment, line in jobs:
            if line is None:
                raise UserError(f"A program of the benchmark ended early: {job.tail or 'it said nothing'}.")
            if _EPOCH.match(line):
                marks[job.number].append(moment)
                if _long_enough(marks, seconds):
                    break
    return rate_and_fixed_cost([job.started for job in jobs.jobs], marks, units)


def rate_and_fixed_cost(started: Sequence[float], marks: Sequence[Sequence[float]], units: int) -> Measurement:
    """The rate, and the median over the processes of what a first epoch took longer.

    started: when each process was started; marks: the ends of its epochs, two or more since all have ended their first.
    """
    epochs = [(steady[-1] - steady[0]) / (len(steady) - 1) for steady in _steady(marks)]
    fixed = [mine[0] - start - epoch for start, mine, epoch in zip(started, marks, epochs, strict=True)]
    return Measurement(sum(units / epoch for epoch in epochs), statistics.median(fixed))


def _steady(marks: Sequence[Sequence[float]]) -> list[list[float]]:
    """The ends of epochs from the moment on at which every process has ended its first."""
    warm = max(mine[0] for mine in marks)
    return [[mark for mark in mine if mark >= warm] for mine in marks]


def _long_enough(marks: Sequence[Sequence[float]], seconds: float) -> bool:
    if not all(marks):
        return False
    return all(len(mine) > 1 and mine[-1] - mine[0] >= seconds for mine in _steady(marks))
