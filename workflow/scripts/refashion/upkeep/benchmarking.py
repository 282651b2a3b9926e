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
import importlib.util
import json
import math
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from refashion import provenance
from refashion.data import dataset as data
from refashion.errors import UserError
from refashion.networks import architectures
from refashion.study.model import NUMERICS, digest
from refashion.training import run_store
from refashion.upkeep.stopwatch import Jobs, Measurement, measure

#: Pixel scaling and ranges of the original's two entries `none` and `affine`, as in config/config.yaml.
AUGMENTATIONS = {
    "none": {"rescale": "unit"},
    "affine": {
        "rescale": "unit",
        "rotation": 8,
        "width_shift": 0.08,
        "height_shift": 0.08,
        "shear": 0.3,
        "zoom": 0.08,
    },
}
ENGINE, PLAIN, TORCH, PEAK = "this engine", "plain script", "PyTorch", "matrix product"
PLAIN_ONEDNN = "plain script, oneDNN"

#: An arrangement that is slower than its program's best by more than this share is measured once only.
CLOSE = 0.10
#: Training images for each validation image, as 60,000 for 10,000.
TRAINING_PER_VALIDATION = 6
#: More epochs, and more updates, than any measurement waits for.
ENDLESS = 1_000_000

#: benchmarks/benchmark.csv, a row for each network, augmentation and program; what does not apply is empty.
COLUMNS = {
    "architecture": "network of the original",
    "augmentation": "none (pixels scaled only) or affine",
    "program": "this engine; plain script (model.fit in one process), without and with oneDNN; PyTorch, channels_last; "
    "matrix product",
    "processes": "started together, each a whole job",
    "threads": "of each process",
    "batch_size": "images an update",
    "repetitions": "measurements behind the median, interleaved with those of the others",
    "images_per_second": "training images a second of all processes together, validation included; median",
    "slowest": "images a second, the slowest repetition",
    "fastest": "images a second, the fastest repetition",
    "speedup": "images a second of this engine for one of this program, medians",
    "gflops": "10^9 floating-point operations a second of training steps alone; validation takes time, but counts none",
    "peak_share": "gflops as a share of the matrix product's",
    "fixed_seconds": "of a job: from its start to the end of its first epoch, less a later epoch; median",
    "first_step_seconds": "of a job on all 60,000 images: from its start to the end of its first update",
    "peak_memory_mb": "most resident memory of a job on all 60,000 images, 10^6 bytes",
    "device": "cpu or gpu: what all of them computed on",
    "cpu": "processor",
    "cores": "that the programs may use",
    "load": "average number of running processes in the minute before the benchmark; 0 on a quiet machine",
    "note": "what else there is to say",
}
_TEXTS = ("architecture", "augmentation", "program", "device", "cpu", "note")

#: benchmarks/benchmark_measurements.csv, a row a measurement.
MEASUREMENT_COLUMNS = (
    *("repetition", "architecture", "augmentation", "program", "images", "processes", "threads"),
    *("images_per_second", "fixed_seconds", "peak_memory_mb"),
)

_READY = re.compile(r"Run [0-9a-f]+: .*ready after")


@dataclass(frozen=True)
class Task:
    """What is trained. images: training images of an epoch here, few enough for several epochs in a measurement."""

    architecture: str
    augmentation: str
    batch_size: int
    images: int


#: The original's networks with and without augmentation, at its batch sizes.
TASKS = tuple(
    Task(architecture, name, batch_size, images)
    for architecture, batch_size, images in (
        ("cnn1", 256, 18_000),
        ("lenet5", 32, 18_000),
        ("cnn4", 256, 4_500),
        ("cnn4_same", 256, 2_400),
    )
    for name in AUGMENTATIONS
)


@dataclass(frozen=True)
class Arrangement:
    """How a program is run. images: how it is given them (arrays, rescaled by ImageDataGenerator, affine)."""

    program: str
    images: str
    processes: int
    threads: int

    @property
    def words(self) -> str:
        """What sets it apart from the other arrangements of its program."""
        if self.program in (PLAIN, PLAIN_ONEDNN):
            return {"arrays": "arrays", "rescaled": "ImageDataGenerator(rescale)"}.get(
                self.images, "ImageDataGenerator"
            )
        return f"{self.processes} x {self.threads} thread{'s' if self.threads > 1 else ''}"


@dataclass(frozen=True)
class Machine:
    """What the programs may use. device: cpu or gpu."""

    cores: int
    device: str

    def arrangements(self, task: Task) -> list[Arrangement]:
        """Every way in which the programs are tried on a task.

        On a GPU each is one process. On a CPU this engine is one a core, PyTorch one a core or one on all cores, and
        the plain script one on all cores, by definition: that is what an author would run.
        """
        images = "affine" if task.augmentation == "affine" else "arrays"
        whole, one_a_core = (1, self.cores), (self.cores, 1)
        torch = {whole, one_a_core} if self.device == "cpu" else {whole}
        return [
            Arrangement(ENGINE, images, *(one_a_core if self.device == "cpu" else whole)),
            *(
                Arrangement(PLAIN, kind, *whole)
                for kind in (["arrays", "rescaled"] if images == "arrays" else [images])
            ),
            *([Arrangement(PLAIN_ONEDNN, images, *whole)] if self.device == "cpu" else []),
            *(Arrangement(TORCH, images, *shape) for shape in sorted(torch) if has_torch()),
        ]


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


def has_torch() -> bool:
    """Whether PyTorch is installed."""
    return importlib.util.find_spec("torch") is not None


# ------------------------------------------------------------------------------------------------------------ programs


def _python(module: str, **options: object) -> list[str]:
    """The command line of one of this package's scripts; an option may be a list."""
    words = [sys.executable, "-m", f"refashion.upkeep.{module}"]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, list) else [value])]
    return words


def spec(task: Task, hashes: Mapping[str, str], images: int, updates: int, seed: int) -> dict[str, Any]:
    """The spec of an engine's run, as the study makes it. hashes: of the data, as `data.hashes_of` gives them."""
    return {
        "numerics": NUMERICS,
        "seed": seed,
        "dataset": {"classes": 10, "shape": [28, 28], **hashes},
        "fraction": {"images": images, "validation": "test", "subset_seed": None},
        "architecture": {"builder": task.architecture, **architectures.options(task.architecture)},
        "augmentation": AUGMENTATIONS[task.augmentation],
        "recipe": {
            "loss": "sparse" if task.architecture == "lenet5" else "categorical",
            "optimizer": "adam",
            "learning_rate": 0.001,
            "momentum": 0,
            "schedule": "constant",
            "label_smoothing": 0,
            "batch_size": task.batch_size,
            "precision": "float32",
            "updates": updates,
        },
    }


@dataclass(frozen=True)
class Workshop:
    """Makes command lines. folder: for specs, runs and parts of dataset, the data; checkpoint_seconds: the study's."""

    folder: Path
    dataset: Path
    machine: Machine
    checkpoint_seconds: float

    def part(self, images: int) -> Path:
        """A data file with the first `images` training images, and validation images in proportion."""
        path = self.folder / f"{images}.npz"
        if not path.exists():
            whole, validation = data.load(self.dataset), images // TRAINING_PER_VALIDATION
            np.savez(
                path,
                train_images=whole.train_images[:images],
                train_labels=whole.train_labels[:images],
                test_images=whole.test_images[:validation],
                test_labels=whole.test_labels[:validation],
            )
        return path

    def engine(self, job: dict[str, Any], dataset: Path, threads: int) -> list[str]:
        """A job of this engine."""
        path = self.folder / f"{digest(job)}.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        return _python(
            "engine_script",
            spec=path,
            data=dataset,
            store=self.folder / "store",
            device=self.machine.device,
            threads=threads,
            checkpoint_seconds=self.checkpoint_seconds,
        )

    def commands(self, task: Task, arrangement: Arrangement) -> list[list[str]]:
        """The processes of an arrangement, none of which ends by itself."""
        part, threads = self.part(task.images), arrangement.threads
        if arrangement.program == ENGINE:
            hashes = data.hashes_of(data.load(part))
            jobs = (spec(task, hashes, task.images, ENDLESS, seed) for seed in range(arrangement.processes))
            return [self.engine(job, part, threads) for job in jobs]
        options = {
            "data": part,
            "network": task.architecture,
            "images": arrangement.images,
            "batch": task.batch_size,
            "epochs": ENDLESS,
            "threads": threads,
        }
        if arrangement.program == TORCH:
            options["device"] = "cuda" if self.machine.device == "gpu" else "cpu"
        script = "torch_script" if arrangement.program == TORCH else "plain_script"
        switch = ["env", "TF_ENABLE_ONEDNN_OPTS=1"] if arrangement.program == PLAIN_ONEDNN else []
        return [[*switch, *_python(script, **options)]] * arrangement.processes

    def peak(self, networks: list[str]) -> list[list[str]]:
        """Matrix products, as many processes as the engine has."""
        processes, threads = (self.machine.cores, 1) if self.machine.device == "cpu" else (1, self.machine.cores)
        return [_python("peak_script", networks=networks, threads=threads, epochs=ENDLESS)] * processes


# --------------------------------------------------------------------------------------------------------- measurements


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
    medians = {one: _median(records, task, one) for one in arrangements}
    best: dict[str, float] = {}
    for one, median in medians.items():
        best[one.program] = max(best.get(one.program, 0.0), median or 0.0)
    return [one for one, median in medians.items() if median is None or median >= (1 - CLOSE) * best[one.program]]


def _rates(records: Iterable[Record], task: Task, arrangement: Arrangement) -> list[float]:
    """Images a second, a repetition a value."""
    return [
        record.measurement.units_per_second
        for record in records
        if record.task == task and record.arrangement == arrangement
    ]


def _median(records: Iterable[Record], task: Task, arrangement: Arrangement) -> float | None:
    rates = _rates(records, task, arrangement)
    return statistics.median(rates) if rates else None


def measure_peak(workshop: Workshop, networks: list[str], seconds: float) -> float:
    """Floating-point operations a second of matrix products on all cores."""
    from refashion.upkeep import peak_script

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
        metrics = run_store.read_metrics(workshop.folder / "store" / digest(specs[number]))
        starts[task] = Start(ready[number] + metrics["timing"]["train_seconds"], jobs.memory[number])
    return starts


# ------------------------------------------------------------------------------------------------------------ the table


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
    medians = {
        one: _median(benchmark.records, task, one)
        for one in dict.fromkeys(record.arrangement for record in benchmark.records if record.task == task)
    }
    mine = {one: median for one, median in medians.items() if one.program == program}
    if not mine:
        return head | {"note": "not measured: PyTorch is not installed (pip install '.[benchmark]' adds it)"}
    best = max(mine, key=mine.get)
    rates = _rates(benchmark.records, task, best)
    engine = next(median for one, median in medians.items() if one.program == ENGINE)
    operations = mine[best] * benchmark.flops[task.architecture]
    chosen = [r.measurement for r in benchmark.records if r.task == task and r.arrangement == best]
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


def write(path: Path, table: Sequence[Mapping[str, Any]]) -> None:
    """Write benchmark.csv; numbers with four significant digits, which is more than a measurement supports."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _text(value) for name, value in row.items()} for row in table)


def _text(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return "" if value is None else value


def write_measurements(path: Path, benchmark: Benchmark) -> None:
    """Write every measurement, a row each, in the order in which they were made."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, MEASUREMENT_COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        for one in benchmark.records:
            row = dataclasses.asdict(one.task) | dataclasses.asdict(one.arrangement) | vars(one.measurement)
            row |= {"repetition": one.repetition, "images_per_second": one.measurement.units_per_second}
            writer.writerow({name: _text(value) for name, value in row.items()})


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a benchmark.csv: texts, numbers, None where a field is empty. Raises UserError for another file."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != tuple(COLUMNS):
                raise ValueError("it has other columns")
            rows = [_read_row(row, reader.line_num) for row in reader]
            if not rows:
                raise ValueError("it has no rows")
            return rows
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(
            f"{path} is no table of the benchmark: {error}; make it anew with snakemake benchmark."
        ) from None


def _read_row(row: Mapping[str, Any], line: int) -> dict[str, Any]:
    """A row with its values as they are meant; ValueError if it is cut, or too long, or tells a speed of nothing."""
    if None in row or None in row.values():
        raise ValueError(f"line {line} has not {len(COLUMNS)} entries")
    values = {name: _value(name, text) for name, text in row.items()}
    measured = [values[name] for name in ("images_per_second", "processes", "fixed_seconds")]
    if values["program"] == ENGINE and not all(value is not None and value > 0 for value in measured):
        raise ValueError(f"line {line} has no speed of this engine")
    return values


def _value(name: str, text: str) -> Any:
    if name in _TEXTS:
        return text
    if not text:
        return None
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {text}")
    return int(number) if number.is_integer() and name not in ("load", "peak_share", "speedup") else number


def told(table: Sequence[Mapping[str, Any]]) -> str:
    """The table as lines for a terminal."""
    lines = [f"{'':20}{'program':22}{'images/s':>10}{'range':>18}{'speedup':>9}{'of peak':>9}{'fixed s':>9}{'MB':>7}"]
    for row in table:
        if row["images_per_second"] is None:
            lines.append(f"{row['architecture']} {row['augmentation']}".ljust(20) + f"{row['program']}: {row['note']}")
            continue
        lines.append(
            f"{row['architecture']} {row['augmentation']}".ljust(20)
            + f"{row['program']:22}{row['images_per_second']:>10,.0f}"
            + f"{row['slowest']:,.0f} - {row['fastest']:,.0f}".rjust(18)
            + f"{row['speedup']:>9.2f}{row['peak_share']:>9.0%}{row['fixed_seconds']:>9.1f}"
            + (f"{row['peak_memory_mb']:>7,.0f}" if row["peak_memory_mb"] is not None else "")
        )
    return "\n".join(lines)
