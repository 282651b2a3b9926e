"""What the study costs: measured speed times images, for every run that the run store lacks.

A job's seconds are a fixed cost, plus a time for each training image, plus a time for each scored image (validation
every epoch, twice where augmentation is random, and the training images once at the end). All three are medians over
finished runs, or come from the benchmark; nothing is assumed. What was never measured is said to be so.
"""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refashion import files, provenance
from refashion.errors import UserError
from refashion.formatting import significant
from refashion.networks import augmentation
from refashion.project import PROJECT
from refashion.study.model import FOLD, Cell, Run, Study, digest, fold_size, steps_per_epoch
from refashion.training import devices, run_files
from refashion.upkeep.benchmark import contestants
from refashion.upkeep.benchmark import table as benchmark_table

if TYPE_CHECKING:  # imports pandas, which a look at a study's progress has no use for
    from refashion.judging.claims.looks import Standing

#: Time to score an image as a part of the time to train on it: one product a layer instead of three (see
#: `architectures.training_flops`). For the benchmark, which measures only both together.
FORWARD_SHARE = 1 / 3
#: Finished runs that are read for each kind of run, and of those of other studies altogether. Digests have no order, so
#: the first so many are a fair sample; reading all 10,000 of a large study would delay its start.
SAMPLE, OTHERS = 9, 300

#: Bytes of a metrics.json at most.
_LIMIT = 2**20

_DIGEST = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True)
class Places:
    """Where measured speeds are found: the run store, the published runs (a store, too), the benchmark's table."""

    store: Path
    published: Path
    benchmark: Path


#: As the workflow writes them, relative to the study's folder; published/ belongs to the project.
PLACES = Places(
    Path("results/store"),
    PROJECT / "published" / "runs",
    Path("benchmarks/benchmark.csv"),
)


@dataclass(frozen=True)
class Work:
    """What a run computes: images trained on and images scored, each counted as often as it is used."""

    trained: int
    scored: int


@dataclass(frozen=True)
class Speed:
    """Seconds of one job: for a training image, for a scored image, and whatever its images."""

    image: float
    score: float
    fixed: float

    def seconds(self, work: Work) -> float:
        """Seconds of a job that does this work."""
        return self.fixed + work.trained * self.image + work.scored * self.score


@dataclass(frozen=True)
class Sample:
    """A measured speed, and the number of images trained on when it was."""

    trained: int
    speed: Speed


@dataclass(frozen=True)
class Kind:
    """What a run's speed depends on: definitions as JSON, so that they can be compared."""

    builder: str
    random: bool
    architecture: str
    augmentation: str
    batch_size: int
    precision: str

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Kind:
        """The kind of the run with this spec."""
        recipe = spec["recipe"]
        return cls(
            spec["architecture"]["builder"],
            augmentation.is_random(spec["augmentation"]),
            json.dumps(spec["architecture"], sort_keys=True),
            json.dumps(spec["augmentation"], sort_keys=True),
            recipe["batch_size"],
            recipe["precision"],
        )

    @property
    def levels(self) -> tuple[tuple, tuple, tuple]:
        """Exactly this kind; with any batch size and precision; the same builder, augmented at random or not."""
        same = (self.architecture, self.augmentation)
        return (*same, self.batch_size, self.precision), same, (self.builder, self.random)


def work(images: int, validation: int, batch_size: int, updates: int, random: bool) -> Work:
    """The work of a run with so many training and validation images; the last batch of an epoch may be short."""
    epochs, rest = divmod(updates, steps_per_epoch(images, batch_size))
    trained = epochs * images + min(rest * batch_size, images)
    return Work(trained, (epochs + (rest > 0)) * validation * (1 + random) + images)


# ------------------------------------------------------------------------------------------------------ measured speeds


class Speeds:
    """Measured speeds by kind of run, from runs on this machine, else the benchmark, else runs elsewhere."""

    def __init__(self, study: Study, wanted: Mapping[str, Cell], places: Places, device: str) -> None:
        """wanted: the cell of each digest that the study wants; device: cpu or gpu, what its runs will compute on."""
        self.study, self.device = study, device
        self.machine = provenance.machine()
        self._kinds: dict[Cell, Kind] = {}
        self._found: dict[Kind, tuple[Speed, str] | None] = {}
        here: dict[str, dict[tuple, list[Sample]]] = {}
        elsewhere: dict[str, dict[tuple, list[Sample]]] = {}
        for metrics in self._sample(wanted, places):
            found = self._measured(metrics)
            if found is not None:
                sample, kind, local, name = found
                table = (here if local else elsewhere).setdefault(name, {})
                for key in kind.levels:
                    table.setdefault(key, []).append(sample)
        self._sources = here | self._benchmark(places.benchmark) | elsewhere

    def kind(self, cell: Cell) -> Kind:
        """The kind of a cell's runs."""
        if cell not in self._kinds:
            self._kinds[cell] = Kind.of(self.study.spec(Run(cell, 0)))
        return self._kinds[cell]

    def of(self, cell: Cell) -> tuple[Speed, str] | None:
        """The speed of a cell's runs and where it was measured; None if nothing like it was."""
        kind = self.kind(cell)
        if kind not in self._found:
            self._found[kind] = self._find(kind)
        return self._found[kind]

    def _find(self, kind: Kind) -> tuple[Speed, str] | None:
        for name, table in self._sources.items():
            for key in kind.levels:
                if key in table:
                    return _median(table[key]), name
        return None

    def seconds(self, cell: Cell) -> float | None:
        """The estimated seconds of one run of a cell, None if nothing like it was measured."""
        found = self.of(cell)
        return None if found is None else found[0].seconds(self.work(cell))

    def work(self, cell: Cell) -> Work:
        """The work of one run of a cell."""
        study = self.study
        fraction = study.config["fractions"][cell.fraction]
        train, test = self._sizes[study.config["datasets"][fraction["dataset"]]["files"]["train_images"]["sha256"]]
        validation = fold_size(train) if fraction["validation"] == FOLD else test
        kind = self.kind(cell)
        return work(study.images(cell), validation, kind.batch_size, study.updates(cell), kind.random)

    @cached_property
    def _sizes(self) -> dict[str, tuple[int, int]]:
        """Training and test images of each data set, by the SHA-256 of its training images."""
        files = [dataset["files"] for dataset in self.study.config["datasets"].values()]
        return {
            one["train_images"]["sha256"]: (one["train_images"]["shape"][0], one["test_images"]["shape"][0])
            for one in files
        }

    def _measured(self, metrics: Mapping[str, Any]) -> tuple[Sample, Kind, bool, str] | None:
        """The speed of a finished run, its kind, whether it was trained on this machine, and the name of where.

        None for a run on another kind of device, of which no speed here follows, and for one that lacks what is asked.
        """
        try:
            origin = metrics["provenance"]
            sample = self._speed(metrics) if origin["device"] == self.device else None
            if sample is None:
                return None
            local = origin["cpu"] == self.machine["cpu"]
            name = "finished runs on this machine" if local else f"runs on {_hardware(origin)}"
            return sample, Kind.of(metrics["spec"]), local, name
        except (AttributeError, LookupError, TypeError, ValueError, ZeroDivisionError):
            return None  # `train` will set it aside, when its turn comes

    def _speed(self, metrics: Mapping[str, Any]) -> Sample | None:
        """The speed of a finished run, None for one that diverged or that used a data set unknown here."""
        spec, timing = metrics["spec"], metrics["timing"]
        sizes = self._sizes.get(spec["dataset"].get("train_images"))
        if sizes is None or metrics["status"] != "finished":
            return None
        validation = fold_size(sizes[0]) if spec["fraction"]["validation"] == FOLD else sizes[1]
        kind = Kind.of(spec)
        done = work(spec["fraction"]["images"], validation, kind.batch_size, metrics["updates"], kind.random)
        rest = timing["seconds"] - timing["train_seconds"] - timing["eval_seconds"]
        speed = Speed(
            timing["train_seconds"] / done.trained,
            timing["eval_seconds"] / done.scored,
            timing["setup_seconds"] if timing["resumed"] else max(0.0, rest),  # what was lost in a kill is no cost
        )
        return Sample(done.trained, speed)

    def _sample(self, wanted: Mapping[str, Cell], places: Places) -> Iterator[dict[str, Any]]:
        """Metrics of some finished runs: a few of each kind that the study wants, and of what else there is."""
        taken: dict[Any, int] = {}
        seen: set[str] = set()
        for folder in (places.store, places.published):
            for name in sorted(finished(folder) - seen):
                cell = wanted.get(name)
                group, most = (None, OTHERS) if cell is None else (self.kind(cell), SAMPLE)
                if taken.get(group, 0) < most:
                    taken[group] = taken.get(group, 0) + 1
                    seen.add(name)
                    metrics = _read(folder / name)
                    if metrics is not None:
                        yield metrics

    def _benchmark(self, path: Path) -> dict[str, dict[tuple, list[Sample]]]:
        """The speeds of this engine in the benchmark's table, if there is one and it was made on the same device."""
        if not path.exists():
            return {}
        table: dict[tuple, list[Sample]] = {}
        cpu = ""
        for row in benchmark_table.read(path):
            if row["program"] == benchmark_table.ENGINE and row["device"] == self.device:
                random = row["augmentation"] != "none"
                scored = (1 + random) / contestants.TRAINING_PER_VALIDATION
                image = row["processes"] / row["images_per_second"] / (1 + scored * FORWARD_SHARE)
                speed = Speed(image, image * FORWARD_SHARE, row["fixed_seconds"])
                table.setdefault((row["architecture"], random), []).append(Sample(0, speed))
                cpu = row["cpu"]
        return {f"the benchmark on {'this machine' if cpu == self.machine['cpu'] else cpu}": table} if table else {}


def _median(samples: Sequence[Sample]) -> Speed:
    """The median of each part, over runs of at least half the length of the longest: short ones are mostly tracing."""
    most = max(sample.trained for sample in samples)
    speeds = [sample.speed for sample in samples if 2 * sample.trained >= most]
    return Speed(*(statistics.median(getattr(speed, part) for speed in speeds) for part in ("image", "score", "fixed")))


def _hardware(provenance_of_run: Mapping[str, Any]) -> str:
    name = provenance_of_run["device_name" if provenance_of_run["device"] == "gpu" else "cpu"]
    return f"{name}, {provenance_of_run['cores']} cores"


def _read(folder: Path) -> dict[str, Any] | None:
    """metrics.json of a finished run, None if it is not one; `train` checks its sums before it uses a run."""
    try:
        metrics = json.loads(files.read_plain(folder / run_files.METRICS, _LIMIT))
        return metrics if metrics["format"] == run_files.FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def finished(folder: Path) -> set[str]:
    """The digests of the finished runs in a store: those with their metrics, which `train` then checks."""
    try:
        return {
            path.name
            for path in folder.iterdir()
            if _DIGEST.fullmatch(path.name) and (path / run_files.METRICS).is_file()
        }
    except OSError:
        return set()


# ------------------------------------------------------------------------------------------------------------- the bill


@dataclass(frozen=True)
class Line:
    """The cost of an experiment, or of all. Hours are core-hours on a CPU and GPU-hours on a GPU, of the runs left.

    shared: hours of runs that an experiment before this one wants, too; unmeasured: runs left whose speed is unknown.
    """

    name: str
    runs: int
    left: int
    hours: float
    shared: float
    unmeasured: int


@dataclass(frozen=True)
class Bill:
    """What the study costs. sources: where the speeds were measured; unmeasured: runs left by architecture.

    longest: hours of the longest run left whose speed is known, which no number of jobs makes shorter.
    open_end: whether seeds that pilot runs or a first look decide will come on top.
    """

    lines: tuple[Line, ...]
    total: Line
    sources: tuple[str, ...]
    unmeasured: Mapping[str, int]
    longest: float
    unit: str
    open_end: bool


def digests(study: Study) -> dict[Run, str]:
    """The digest of every run of the study; runs of a cell differ in the seed alone, so its spec is made once."""
    specs: dict[Cell, dict[str, Any]] = {}
    found = {}
    for run in study.runs():
        if run.cell not in specs:
            specs[run.cell] = study.spec(run)
        found[run] = digest({**specs[run.cell], "seed": run.seed})
    return found


def device_of(study: Study) -> str:
    """What the study's runs compute on here: cpu or gpu."""
    return devices.wanted(study.config["device"], len(devices.visible_gpus()))


def bill(study: Study, places: Places = PLACES) -> Bill:
    """The cost of each experiment and of all together, each run counted once."""
    names, done, device = digests(study), finished(places.store), device_of(study)
    cells = {name: run.cell for run, name in names.items()}
    speeds = Speeds(study, cells, places, device)
    seconds = {cell: speeds.seconds(cell) for cell in study.cells()}
    charged: set[str] = set()
    lines = []
    for experiment in study.experiments:
        mine = {names[Run(cell, seed)] for cell in experiment.cells for seed in study.seeds(experiment, cell)}
        lines.append(_line(experiment.name, mine, done, charged, cells, seconds))
        charged |= mine
    left = charged - done
    unmeasured: dict[str, int] = {}
    for cell in (cells[name] for name in left if seconds[cells[name]] is None):
        unmeasured[cell.architecture] = unmeasured.get(cell.architecture, 0) + 1
    used = {found[1] for name in left if (found := speeds.of(cells[name]))}
    return Bill(
        tuple(lines),
        _line("all, each run once", charged, done, set(), cells, seconds),
        tuple(sorted(used)),
        dict(sorted(unmeasured.items())),
        max((seconds[cells[name]] or 0.0 for name in left), default=0.0) / 3600,
        "GPU-hours" if device == "gpu" else "core-hours",
        study.awaits_plan,
    )


def _line(
    name: str,
    mine: set[str],
    done: set[str],
    charged: set[str],
    cells: Mapping[str, Cell],
    seconds: Mapping[Cell, float | None],
) -> Line:
    left = mine - done

    def hours(some: set[str]) -> float:
        return sum(seconds[cells[one]] or 0.0 for one in some) / 3600

    unmeasured = sum(seconds[cells[one]] is None for one in left)
    return Line(name, len(mine), len(left), hours(left), hours(left & charged), unmeasured)


def one_line(study: Study, jobs: int | None = None, places: Places = PLACES) -> str:
    """What is left to train and what it costs, in one line. jobs: how many run at a time, if the time is wanted."""
    try:
        found = bill(study, places)
    except UserError as error:  # a broken benchmark table is no reason not to train
        return f"The cost is not known: {error}"
    total = found.total
    if not total.left:
        left = "seeds that they ask for come on top" if found.open_end else "nothing is left to train"
        return f"All {total.runs:,} runs are in the run store; {left}."
    return f"{total.left:,} of {total.runs:,} runs are left to train: {_amount(found, jobs)}"


def _amount(found: Bill, jobs: int | None) -> str:
    """The total's hours, and what is not in them, as the end of a sentence."""
    total = found.total
    if total.unmeasured == total.left:
        return "their cost is not measured yet (snakemake benchmark)."
    text = f"about {significant(total.hours, 2)} {found.unit}"
    at_a_time = min(jobs or 1, total.left)
    if at_a_time > 1:
        hours = max(total.hours / at_a_time, found.longest)
        text += f" ({significant(hours, 2)} hours with {at_a_time} jobs at a time)"
    if total.unmeasured:
        text += f"; {total.unmeasured:,} runs are not in it, since nothing like them was measured yet"
    return text + "."


def table(found: Bill) -> str:
    """The bill as lines for a terminal."""
    width = max(len(line.name) for line in (*found.lines, found.total))
    lines = [
        f"{'experiment':{width}}{'runs':>9}{'left':>9}{found.unit:>13}{'shared with earlier':>22}{'not measured':>15}"
    ]
    for line in (*found.lines, found.total):
        known = line.unmeasured < line.left or not line.left
        hours = significant(line.hours, 2) if known else "?"
        shared = significant(line.shared, 2) if known and line is not found.total else ""
        lines.append(
            f"{line.name:{width}}{line.runs:>9,}{line.left:>9,}{hours:>13}{shared:>22}{line.unmeasured or '':>15}"
        )
    lines += [f"Speeds: {source}." for source in found.sources]
    if found.unmeasured and not found.sources:
        lines.append("Not measured yet: snakemake benchmark")
    elif found.unmeasured:
        runs = ", ".join(f"{runs:,} of {name}" for name, runs in found.unmeasured.items())
        lines.append(f"Runs that nothing measured is like: {runs}.")
    if found.open_end:
        lines.append("On top come the seeds that pilot runs or looks will ask for.")
    return "\n".join(lines)


def look_table(study: Study, standing: Standing, places: Places = PLACES) -> str:
    """Where the looks stand, and what the next one costs: for each cell its runs left, its hours, the claims it is for.

    study: grown by the seeds of that look (`refashion.judging.standing.grown`).
    """
    looking = study.alone(study.looking)
    names, done, device = digests(looking), finished(places.store), device_of(study)
    speeds = Speeds(study, {name: run.cell for run, name in names.items()}, places, device)
    left = Counter(run.cell for run, name in names.items() if name not in done)
    unit = "GPU-hours" if device == "gpu" else "core-hours"
    lines = [standing.told]
    for cell, runs in left.items():
        seconds = speeds.seconds(cell)
        hours = "?" if seconds is None else significant(runs * seconds / 3600, 2)
        claims = ", ".join(standing.wants.get(cell.name, ())) or "the first look"
        lines.append(f"  {cell.name}: {runs} runs left, {hours} {unit}, for {claims}")
    return "\n".join(lines)
