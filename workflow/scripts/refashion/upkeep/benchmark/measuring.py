"""Speed, side by side on the machine at hand: this engine, the plain script and PyTorch as whole jobs, in one session.

Each program runs as processes of its own and is watched from outside: it prints a line an epoch, and the time at which
the line arrives is all that counts. An epoch is training and the validation after it, 10,000 images for 60,000; where
images are augmented, all programs validate on augmented ones and on the images as they are, as this engine does. The
first epoch warms up; then whole epochs are timed, for `seconds` at least, while all processes are at work. What the
first epoch took longer than a later one, from the start of the process on, is the job's fixed cost. Epochs are shorter
than 60,000 images (see TASKS), so what a program does once an epoch weighs somewhat more than in a run.

On CPUs this engine trains a run a core, as the study does, and PyTorch is tried both so and as one process on all
cores. The plain script is by definition one process on all cores, which is what an author would run; what a plain
script a core would do is not measured.

TensorFlow has oneDNN's kernels on or off by default, by the processor; this engine switches them on. So the plain
script is measured twice on CPUs: as TensorFlow comes, and with oneDNN on.

Repetitions are interleaved (A B C A B C). Where a program is arranged in several ways (PyTorch in processes, the plain
script in how it is given its images), all are measured first, and those that are slower than its best by more than
CLOSE are not repeated; the best median stands for the program.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refashion import provenance
from refashion.data import dataset as data
from refashion.errors import UserError
from refashion.judging.benchmark_table import COLUMNS, ENGINE, PEAK, PLAIN, PLAIN_ONEDNN, TORCH
from refashion.study.model import digest
from refashion.training import run_files
from refashion.upkeep.benchmark.contestants import TASKS, Arrangement, Machine, Task, Workshop, spec
from refashion.upkeep.benchmark.stopwatch import Jobs, Measurement, measure

#: An arrangement that is slower than its program's best by more than this share is measured once only.
CLOSE = 0.10

_READY = re.compile(r"Run [0-9a-f]+: .*ready after")

#: The measurements of each arrangement on each task, a repetition each.
Measured = dict[tuple[Task, Arrangement], list[Measurement]]


@dataclass(frozen=True)
class Start:
    """A whole job of this engine on all images, with a single update."""

    first_step_seconds: float
    peak_memory_mb: float


@dataclass(frozen=True)
class Benchmark:
    """All that was measured. peak: operations a second; flops: a training step's, per image, by architecture."""

    measured: Measured
    starts: dict[Task, Start]
    peak: list[float]
    flops: dict[str, int]


def run(
    workshop: Workshop,
    *,
    repetitions: int,
    seconds: float,
    tasks: Sequence[Task] = TASKS,
    log: Callable[[str], None] = print,
) -> Benchmark:
    """Measure every program on every task `repetitions` times, in turn, and this engine's start on all images."""
    networks = list(dict.fromkeys(task.architecture for task in tasks))
    flops = count_flops(workshop, networks)
    measured: Measured = {}
    peak = []
    for repetition in range(1, repetitions + 1):
        peak.append(measure_peak(workshop, networks, seconds))
        log(f"{repetition}/{repetitions}  {PEAK}: {peak[-1] / 1e9:,.0f} GFLOP/s")
        for task in tasks:
            for one in contenders(measured, task, workshop.machine.arrangements(task)):
                commands = workshop.commands(task, one)
                found = measure(commands, task.images, seconds, workshop.machine.device)
                measured.setdefault((task, one), []).append(found)
                speed = f"{found.units_per_second:,.0f} images/s, fixed {found.fixed_seconds:.1f} s"
                log(f"{repetition}/{repetitions}  {task.words}, {one.program} ({one.words}): {speed}")
    starts = {}
    for task in tasks:
        starts[task] = start = measure_start(workshop, task)
        log(
            f"{task.words}, all images: first update after {start.first_step_seconds:.1f} s, "
            f"{start.peak_memory_mb:,.0f} MB"
        )
    return Benchmark(measured, starts, peak, flops)


def contenders(measured: Measured, task: Task, arrangements: Sequence[Arrangement]) -> list[Arrangement]:
    """The arrangements to measure next: of each program, those whose median so far is close to its best."""
    medians = _medians(measured, task)
    best: dict[str, float] = {}
    for one, median in medians.items():
        best[one.program] = max(best.get(one.program, 0.0), median)
    return [one for one in arrangements if one not in medians or medians[one] >= (1 - CLOSE) * best[one.program]]


def _medians(measured: Measured, task: Task) -> dict[Arrangement, float]:
    """Images a second of each arrangement that was measured on a task."""
    mine = {arrangement: found for (one, arrangement), found in measured.items() if one == task}
    return {one: statistics.median(each.units_per_second for each in found) for one, found in mine.items()}


def measure_peak(workshop: Workshop, networks: list[str], seconds: float) -> float:
    """Floating-point operations a second of matrix products on all cores."""
    from refashion.upkeep.benchmark import peak_script

    return measure(workshop.peak(networks), peak_script.FLOPS, seconds / 2, workshop.machine.device).units_per_second


def count_flops(workshop: Workshop, networks: list[str]) -> dict[str, int]:
    """Operations of a training step per image, by architecture; counted in another process, which imports Keras."""
    with Jobs(workshop.peak(networks)[:1], workshop.machine.device) as jobs:
        told = (line for _, _, line in jobs if line and line.startswith('{"training_flops"'))
        if counted := next(told, None):
            return json.loads(counted)["training_flops"]
        raise UserError(f"The networks' operations cannot be counted: {jobs.jobs[0].tail}.")


def measure_start(workshop: Workshop, task: Task) -> Start:
    """Whole jobs of this engine on all images with a single update, as many at a time as in its arrangement."""
    whole, engine = data.load(workshop.dataset), workshop.machine.arrangements(task)[0]
    hashes, images = data.hashes_of(whole), len(whole.train_images)
    specs = [spec(task, hashes, images, 1, seed) for seed in range(engine.processes)]
    commands = [workshop.engine(one, workshop.dataset, engine.threads) for one in specs]
    with Jobs(commands, workshop.machine.device) as jobs:
        ready = {job.number: moment - job.started for job, moment, line in jobs if line and _READY.match(line)}
    folders = [workshop.folder / "store" / digest(one) for one in specs]
    updates = [run_files.read(folder).metrics["timing"]["train_seconds"] for folder in folders]
    return Start(statistics.median(ready[number] + update for number, update in enumerate(updates)), max(jobs.memory))


def rows(benchmark: Benchmark, machine: Machine, load: float) -> list[dict[str, Any]]:
    """The rows of benchmark.csv, None where something does not apply."""
    facts = {"device": machine.device, "cpu": provenance.machine()["cpu"], "cores": machine.cores}
    facts["load"] = round(load, 2)
    table = []
    arrangements = {arrangement.program: arrangement for _, arrangement in benchmark.measured}
    programs = [one for one in (ENGINE, PLAIN, PLAIN_ONEDNN, TORCH) if one == TORCH or one in arrangements]
    for task in dict.fromkeys(task for task, _ in benchmark.measured):
        table += [_row(benchmark, task, program) | facts for program in programs]
    engine = arrangements[ENGINE]
    peak = {
        "architecture": "",
        "augmentation": "",
        "program": PEAK,
        "processes": engine.processes,
        "threads": engine.threads,
        "repetitions": len(benchmark.peak),
        "gflops": statistics.median(benchmark.peak) / 1e9,
        "peak_share": 1.0,
        "note": f"float32, from {min(benchmark.peak) / 1e9:,.0f} to {max(benchmark.peak) / 1e9:,.0f} GFLOP/s",
    }
    return [dict.fromkeys(COLUMNS) | row for row in [*table, peak | facts]]


def _row(benchmark: Benchmark, task: Task, program: str) -> dict[str, Any]:
    """The row of a program on a task, in its best arrangement."""
    head = {"architecture": task.architecture, "augmentation": task.augmentation, "program": program}
    medians = _medians(benchmark.measured, task)
    mine = {one: median for one, median in medians.items() if one.program == program}
    if not mine:
        return head | {"note": "not measured: PyTorch is not installed (pip install '.[benchmark]' adds it)"}
    best = max(mine, key=mine.__getitem__)
    chosen = benchmark.measured[task, best]
    rates = [one.units_per_second for one in chosen]
    engine = next(median for one, median in medians.items() if one.program == ENGINE)
    operations = mine[best] * benchmark.flops[task.architecture]
    return head | {
        "processes": best.processes,
        "threads": best.threads,
        "batch_size": task.batch_size,
        "repetitions": len(rates),
        "images_per_second": mine[best],
        "slowest": min(rates),
        "fastest": max(rates),
        "speedup": engine / mine[best],
        "gflops": operations / 1e9,
        "peak_share": operations / statistics.median(benchmark.peak),
        "fixed_seconds": statistics.median(one.fixed_seconds for one in chosen),
        **(vars(benchmark.starts[task]) if program == ENGINE else {}),
        "note": "" if program == ENGINE else _note(best, mine),
    }


def _note(best: Arrangement, medians: Mapping[Arrangement, float]) -> str:
    others = [f"{one.words}: {median:,.0f} images/s" for one, median in medians.items() if one != best]
    return f"{best.words}, its best arrangement; {', '.join(others)}" if others else best.words
