"""How far a study is: done, running and left, from the run store, while it runs. Knows no TensorFlow.

Why not one of Snakemake's logger plugins or monitors: they count jobs and take the mean duration of a rule for the time
left. Here one rule makes jobs of seconds (a copy from the run store) and of an hour (60,000 images through the largest
network), and what is already trained is known by digest only. So the time left is the sum of what each run costs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from refashion import formatting, provenance
from refashion.project import PROJECT
from refashion.study.config import load_study, read_config
from refashion.study.model import Run, Study
from refashion.training import run_state, seeds
from refashion.training.run_state import RunState
from refashion.training.run_store import RunStore
from refashion.upkeep import costing, timings

#: Seconds, beyond the interval of its checkpoints, after which a run that neither saved nor said anything has stopped.
SILENCE = 60


@dataclass(frozen=True)
class Running:
    """A run that is under way. epoch: of `epochs`, how many are done, as far as it has said.

    left: seconds, at its own speed, or estimated before it ends an epoch; None if unknown.
    """

    run: Run
    epoch: int
    epochs: int | None
    left: float | None


@dataclass(frozen=True)
class Progress:
    """Where a study stands. done: of `wanted`; left: seconds of work that wait, of runs whose speed is known.

    failed: runs whose last job failed, and why. longest: seconds of the longest run that waits.
    """

    wanted: int
    done: int
    running: tuple[Running, ...]
    failed: tuple[tuple[Run, str], ...]
    waiting: int
    left: float
    longest: float
    unmeasured: int


def look(study: Study, now: float, places: timings.Places) -> Progress:
    """Where the study stands at the time `now` (seconds since 1970). A run of two names counts once."""
    names = costing.digests(study)
    runs = {name: run for run, name in reversed(names.items())}  # of two names the first
    store = RunStore(places.store)
    done = set(store.names())
    measured = timings.speeds(study, names, places)
    estimates = {cell: measured.seconds(cell) for cell in study.cells()}
    patience = study.config["checkpoint_seconds"] + SILENCE
    running, failed, waiting = [], [], []
    for name in runs.keys() - done:
        run = runs[name]
        state, told = run_state.read(places.store, name), _modified(run_state.path_of(places.store, name))
        saved = _modified(store.checkpoint_path(name))
        if state is not None and state.state == run_state.FAILED:
            failed.append((run, state.reason))
        elif state is not None and state.state == run_state.RUNNING and now - max(told, saved) <= patience:
            running.append(_running(run, state, now - told, estimates[run.cell]))
        else:
            waiting.append(estimates[run.cell])
    known = [seconds for seconds in waiting if seconds is not None]
    return Progress(
        wanted=len(runs),
        done=len(done & runs.keys()),
        running=tuple(sorted(running, key=lambda one: one.run)),
        failed=tuple(sorted(failed)),
        waiting=len(waiting),
        left=sum(known),
        longest=max(known, default=0.0),
        unmeasured=len(waiting) - len(known),
    )


def _running(run: Run, state: RunState, age: float, estimate: float | None) -> Running:
    """What a run's state says of it; age: seconds since it was written."""
    left = estimate if state.left is None else state.left
    return Running(run, state.epoch, state.epochs, None if left is None else max(0.0, left - age))


def _modified(path: Path) -> float:
    """When a file was written, in seconds since 1970; long ago if there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


# ------------------------------------------------------------------------------------------------------------- in words


def text(found: Progress, jobs: int) -> str:
    """Three lines, and one for each failed run. jobs: how many runs the machine takes at a time where none runs now."""
    lines = [
        f"Done     {found.done:,} of {found.wanted:,} runs",
        f"Running  {_running_text(found)}",
        _left_text(found, jobs),
    ]
    if found.failed:
        lines.append(f"Failed   {len(found.failed):,}")
    lines += [f"  {run.cell.name} seed {run.seed}: {reason} ({run.log})" for run, reason in found.failed]
    return "\n".join(lines)


def _running_text(found: Progress) -> str:
    parts = []
    for one in found.running:
        epoch = f"epoch {one.epoch} of {one.epochs} done" if one.epochs else "before its first epoch's end"
        left = "" if one.left is None else f", {_clock(one.left)} left"
        parts.append(f"{one.run.cell.name} seed {one.run.seed}, {epoch}{left}")
    return f"{len(parts)}" + (f": {'; '.join(parts)}" if parts else "")


def _left_text(found: Progress, jobs: int) -> str:
    """Runs that wait, and when all will be done. What runs is in the time, what failed is not."""
    line = f"Left     {found.waiting:,} waiting"
    under_way = [one.left for one in found.running if one.left is not None]
    at_a_time = len(found.running) or min(jobs, found.waiting)
    work = found.left + sum(under_way)
    if found.waiting + len(found.running) == 0:
        return line
    if found.unmeasured == found.waiting and not under_way:
        return f"{line}; the time is not measured yet (snakemake benchmark)"
    seconds = max([work / at_a_time, found.longest, *under_way])
    line += f"; all done in about {_clock(seconds)} with {at_a_time} at a time"
    return line + (f", and {found.unmeasured:,} runs whose speed is not measured yet" if found.unmeasured else "")


def _clock(seconds: float) -> str:
    """A time as the report writes it, with plain spaces for the terminal."""
    return formatting.duration(seconds).replace(formatting.SPACE, " ")


def show(overlays: Sequence[Path]) -> str:
    """The progress of the study in this folder, by the project's config and overlays over it."""
    study = load_study(read_config((PROJECT / "config" / "config.yaml", *overlays)))
    jobs = provenance.machine()["cores"] if timings.device_of(study) == "cpu" else 1
    return text(look(seeds.with_plans(study, "results/seeds"), time.time(), timings.PLACES), jobs)
