"""What the study costs: the time of every run that the run store lacks, at measured speeds.

What was never measured is said to be so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from refashion.errors import UserError
from refashion.formatting import significant
from refashion.study.model import Run, Study, digest
from refashion.training.run_store import RunStore
from refashion.upkeep import timings
from refashion.upkeep.timings import PLACES, Places

if TYPE_CHECKING:  # imports pandas, which a look at a study's progress has no use for
    from refashion.judging.claims.looks import Standing


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
    """The digest of every run of the study."""
    return {run: digest(study.spec(run)) for run in study.runs()}


def _unit(study: Study) -> str:
    return "GPU-hours" if timings.device_of(study) == "gpu" else "core-hours"


def bill(study: Study, places: Places = PLACES) -> Bill:
    """The cost of each experiment and of all together, each run counted once."""
    names, done = digests(study), set(RunStore(places.store).names())
    cells = {name: run.cell for run, name in names.items()}
    speeds = timings.speeds(study, names, places)
    seconds = {cell: speeds.seconds(cell) for cell in study.cells()}
    left = {name: seconds[cell] for name, cell in cells.items() if name not in done}
    charged: set[str] = set()
    lines = []
    for experiment in study.experiments:
        mine = {names[Run(cell, seed)] for cell in experiment.cells for seed in study.seeds(experiment, cell)}
        lines.append(_line(experiment.name, mine, charged, left))
        charged |= mine
    used = {found[1] for cell in {cells[name] for name in left} if (found := speeds.of(cell))}
    unknown = Counter(cells[name].architecture for name, one in left.items() if one is None)
    return Bill(
        tuple(lines),
        _line("all, each run once", charged, set(), left),
        tuple(sorted(used)),
        dict(sorted(unknown.items())),
        max((one or 0.0 for one in left.values()), default=0.0) / 3600,
        _unit(study),
        study.awaits_plan,
    )


def _line(name: str, mine: set[str], charged: set[str], left: Mapping[str, float | None]) -> Line:
    """The cost of the runs `mine`. left: the seconds of each run left, None where its speed is unknown."""
    wait = mine & left.keys()

    def hours(some: set[str]) -> float:
        return sum(left[one] or 0.0 for one in some) / 3600

    return Line(name, len(mine), len(wait), hours(wait), hours(wait & charged), sum(left[one] is None for one in wait))


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
    names, done = digests(looking), set(RunStore(places.store).names())
    speeds = timings.speeds(study, names, places)
    left = Counter(run.cell for run, name in names.items() if name not in done)
    lines, unit = [standing.told], _unit(study)
    for cell, runs in left.items():
        seconds = speeds.seconds(cell)
        hours = "?" if seconds is None else significant(runs * seconds / 3600, 2)
        claims = ", ".join(standing.wants.get(cell.name, ())) or "the first look"
        lines.append(f"  {cell.name}: {runs} runs left, {hours} {unit}, for {claims}")
    return "\n".join(lines)
