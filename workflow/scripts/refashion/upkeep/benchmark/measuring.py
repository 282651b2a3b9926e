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

import csv
import dataclasses
import json
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refashion import provenance
from refashion.data import dataset as data
from refashion.errors import UserError
from refashion.study.model import digest
from refashion.training import run_files
from refashion.upkeep.benchmark.contestants import TASKS, Arrangement, Machine, Task, Workshop, spec
from refashion.upkeep.benchmark.stopwatch import Jobs, Measurement, measure
from refashion.upkeep.benchmark.table import COLUMNS, ENGINE, PEAK, PLAIN, PLAIN_ONEDNN, TORCH, cell

#: An arrangement that is slower than its program's best by more than this share is measured once only.
CLOSE = 0.10

#: benchmarks/benchmark_measurements.csv, a row a measurement.
MEASUREMENT_COLUMNS = (
    *("repetition", "architecture", "augmentation", "program", "images", "processes", "threads"),
    *("images_per_second", "fixed_seconds", "peak_memory_mb"),
)

_READY = re.compile(r"Run [0-9a-f]+: .*ready after")


@dataclass(frozen=True)
class Record:
    """A measurement and what was measured."""

    repetition: int
    task: Task
    arrangement: Arrangement
    measurement: Measurement


@dataclass(frozen=True)
class Start:
    """A whole job of this engine on all images, with a single update."""

    first_step_seconds: float
    peak_memory_mb: float


@dataclass(frozen=True)
class Benchmark:
    """All that was measured. peak: operations a second; flops: a training step's, per image, by architecture."""

    records: list[Record]
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
    records: list[Record] = []
    peak = []
    for repetition in range(1, repetitions + 1):
        peak.append(measure_peak(workshop, networks, seconds))
        log(f"{repetition}/{repetitions}  {PEAK}: {peak[-1] / 1e9:,.0f} GFLOP/s")
        for task in tasks:
            for arrangement in contenders(records, task, workshop.machine.arrangements(task)):
                commands = workshop.commands(task, arrangement)
                measurement = measure(commands, task.images, seconds, workshop.machine.device)
                records.append(Record(repetition, task, arrangement, measurement))
                log(f"{repetition}/{repetitions}  {_told(records[-1])}")
    return Benchmark(records, measure_starts(workshop, tasks, log), peak, flops)


def _told(record: Record) -> str:
    task, arrangement, measurement = record.task, record.arrangement, record.measurement
    return (
        f"{task.architecture} {task.augmentation}, {arrangement.program} ({arrangement.words}): "
        f"{measurement.units_per_second:,.0f} images/s, fixed {measurement.fixed_seconds:.1f} s"
    )


def contenders(records: Sequence[Record], task: Task, arrangements: Sequence[Arrangement]) -> list[Arrangement]:
    """The arrangements to measure next: of each program, those whose median so far is close to its best."""
    medians = {one: _median(found) for one in arrangements if (found := _of(records, task, one))}
    best: dict[str, float] = {}
    for one, median in medians.items():
        best[one.program] = max(best.get(one.program, 0.0), median)
    return [one for one in arrangements if one not in medians or medians[one] >= (1 - CLOSE) * best[one.program]]


def _of(records: Iterable[Record], task: Task, arrangement: Arrangement) -> list[Measurement]:
    """The measurements of an arrangement on a task, a repetition each."""
    return [one.measurement for one in records if one.task == task and one.arrangement == arrangement]


def _median(found: Sequence[Measurement]) -> float:
    """Images a second."""
    return statistics.median(one.units_per_second for one in found)


def measure_peak(workshop: Workshop, networks: list[str], seconds: float) -> float:
    """Floating-point operations a second of matrix products on all cores."""
    from refashion.upkeep.benchmark import peak_script

    return measure(workshop.peak(networks), peak_script.FLOPS, seconds / 2, workshop.machine.device).units_per_second


def count_flops(workshop: Workshop, networks: list[str]) -> dict[str, int]:
    """Operations of a training step per image, by architecture; counted in another process, which imports Keras."""
    with Jobs(workshop.peak(networks)[:1], workshop.machine.device) as jobs:
        for job, _, line in jobs:
            if line is None:
                raise UserError(f"The networks' operations cannot be counted: {job.tail}.")
            if line.startswith('{"training_flops"'):
                return json.loads(line)["training_flops"]
    raise AssertionError("jobs end with None")


def measure_starts(workshop: Workshop, tasks: Sequence[Task], log: Callable[[str], None]) -> dict[Task, Start]:
    """Whole jobs of this engine on all images with a single update, as many at a time as in its arrangement."""
    at_a_time = workshop.machine.arrangements(tasks[0])[0].processes
    starts: dict[Task, Start] = {}
    for first in range(0, len(tasks), at_a_time):
        starts |= _measure_starts(workshop, tasks[first : first + at_a_time])
    for task, start in starts.items():
        log(
            f"{task.architecture} {task.augmentation}, all images: first update after "
            f"{start.first_step_seconds:.1f} s, {start.peak_memory_mb:,.0f} MB"
        )
    return starts


def _measure_starts(workshop: Workshop, tasks: Sequence[Task]) -> dict[Task, Start]:
    whole, machine = data.load(workshop.dataset), workshop.machine
    threads = machine.arrangements(tasks[0])[0].threads
    specs = [spec(task, data.hashes_of(whole), len(whole.train_images), 1, 0) for task in tasks]
    ready: dict[int, float] = {}
    ended = 0
    with Jobs([workshop.engine(one, workshop.dataset, threads) for one in specs], machine.device) as jobs:
        for job, moment, line in jobs:
            if line is None:
                ended += 1
                if ended == len(tasks):
                    break
            elif _READY.match(line):
                ready[job.number] = moment - job.started
    starts = {}
    for number, task in enumerate(tasks):
        metrics = run_files.read(workshop.folder / "store" / digest(specs[number])).metrics
        starts[task] = Start(ready[number] + metrics["timing"]["train_seconds"], jobs.memory[number])
    return starts


def rows(benchmark: Benchmark, machine: Machine, load: float) -> list[dict[str, Any]]:
    """The rows of benchmark.csv, None where something does not apply."""
    facts = {"device": machine.device, "cpu": provenance.machine()["cpu"], "cores": machine.cores}
    facts["load"] = round(load, 2)
    table = []
    measured = {record.arrangement.program for record in benchmark.records}
    programs = [one for one in (ENGINE, PLAIN, PLAIN_ONEDNN, TORCH) if one == TORCH or one in measured]
    for task in dict.fromkeys(record.task for record in benchmark.records):
        table += [_row(benchmark, task, program) | facts for program in programs]
    engine = next(record.arrangement for record in benchmark.records if record.arrangement.program == ENGINE)
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
    measured = dict.fromkeys(record.arrangement for record in benchmark.records if record.task == task)
    medians = {one: _median(_of(benchmark.records, task, one)) for one in measured}
    mine = {one: median for one, median in medians.items() if one.program == program}
    if not mine:
        return head | {"note": "not measured: PyTorch is not installed (pip install '.[benchmark]' adds it)"}
    best = max(mine, key=mine.__getitem__)
    chosen = _of(benchmark.records, task, best)
    rates = [one.units_per_second for one in chosen]
    engine = next(median for one, median in medians.items() if one.program == ENGINE)
    operations = mine[best] * benchmark.flops[task.architecture]
    start = benchmark.starts[task] if program == ENGINE else None
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
        "first_step_seconds": start.first_step_seconds if start else None,
        "peak_memory_mb": start.peak_memory_mb if start else None,
        "note": "" if best.program == ENGINE else _note(best, mine),
    }


def _note(best: Arrangement, medians: Mapping[Arrangement, float]) -> str:
    others = [f"{one.words}: {median:,.0f} images/s" for one, median in medians.items() if one != best]
    return f"{best.words}, its best arrangement; {', '.join(others)}" if others else best.words


def write_measurements(path: Path, benchmark: Benchmark) -> None:
    """Write every measurement, a row each, in the order in which they were made."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, MEASUREMENT_COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        for one in benchmark.records:
            row = dataclasses.asdict(one.task) | dataclasses.asdict(one.arrangement) | vars(one.measurement)
            row |= {"repetition": one.repetition, "images_per_second": one.measurement.units_per_second}
            writer.writerow({name: cell(value) for name, value in row.items()})
