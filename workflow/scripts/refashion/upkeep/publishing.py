"""The published study: finished runs put under version control, and put back into a run store.

published/runs/{digest}/        a finished run as the store holds it
published/derived/              what else the report needs TensorFlow for, its SHA-256 in each name
published/report.html, analysis.json, cells.csv, claims.csv     what the runs gave
published/benchmark.csv         how fast the machine was that made the report
published/keras_fit.csv         what Keras' own `fit` reached (rule `keras_fit`); put there by hand
published/README.md             what the runs are, and what each column of the tables holds
published/examples/{name}/      the same of the report that config/examples/{name}/ judges
published/examples/README.md    what was found of each judged report
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from refashion import files
from refashion.errors import UserError
from refashion.judging import benchmark_table
from refashion.study.model import Study, digest
from refashion.telling import document
from refashion.training import run_files
from refashion.training.run_store import RunStore, published_in

#: What a report leaves behind that is published beside the runs.
RESULTS = (
    *("report.html", "analysis.json", "analysis.schema.json"),
    *("runs.csv", "cells.csv", "claims.csv", "comparisons.csv", "effects.csv"),
)
BENCHMARK = "benchmark.csv"
#: The folder of the examples, in config/ and in published/.
EXAMPLES = "examples"

#: Bytes of a benchmark's table at most.
_BENCHMARK_LIMIT = 2**20


def folder_of(original: Path, project: Path) -> Path:
    """Where the runs of the study that judges this report are published: an example's in a folder of its own."""
    folder = original.resolve().parent
    example = folder.parent == (project / "config" / EXAMPLES).resolve()
    return project / "published" / EXAMPLES / folder.name if example else project / "published"


def restore(published: Path, store: RunStore, benchmark: Path, log: Callable[[str], None] = print) -> int:
    """Put every published run into the store that has not got it, and their benchmark to `benchmark`.

    Returns how many runs that were. One that the store has broken is set aside there, and restored. What is published
    and broken, contradicts itself or was made under another `numerics` is told in the log and left out, nothing of it
    copied; in the end it raises UserError.
    """
    source = published_in(published, log)
    if not source.folder.is_dir():
        raise UserError(f"{source.folder} is not there; what is restored is a folder with published runs in runs/.")
    takes: list[Callable[[], bool | None]] = [partial(store.take, name, source) for name in source.names()]
    takes += [partial(store.take_derived, path) for path in source.derived_files()]
    if os.path.lexists(published / BENCHMARK):
        takes.append(partial(_take_benchmark, published / BENCHMARK, benchmark))
    taken: list[bool | None] = []  # of runs: whether the store had not got them
    refused: list[str] = []
    for take in takes:
        try:
            taken.append(take())
        except UserError as error:
            refused.append(str(error))
            log(f"Left out: {error}")
    log(f"Restored {taken.count(True)} published runs; {taken.count(False)} were there.")
    if refused:
        raise UserError(f"{published} has {len(refused)} that cannot be restored; the first: {refused[0]}")
    return taken.count(True)


def _take_benchmark(path: Path, target: Path) -> None:
    try:
        content = files.read_plain(path, _BENCHMARK_LIMIT)
    except ValueError as error:
        raise UserError(f"{path} {error}.") from None
    benchmark_table.read(path)
    files.write_text(target, content.decode())


@dataclass(frozen=True)
class Made:
    """What a report left behind: its folder, the files that need TensorFlow, the benchmark measured here, if any."""

    results: Path
    derived: tuple[Path, ...]
    benchmark: Path


def publish(
    study: Study,
    told: Study,
    store: RunStore,
    made: Made,
    published: Path,
    log: Callable[[str], None] = print,
) -> int:
    """Copy the finished runs that the study wants, and the report of them, to `published`; returns how many are new.

    `told` is the study whose report is published: that of config.yaml, while runs may be those of an overlay. A report
    of another study, or of other runs than are published then, is not taken: the one that is there stays, which is
    said.
    Raises UserError, before anything is copied, if the study is no evidence, or if the store lacks a published run, or
    has another one in its place.
    """
    if not study.config["evidence"]:
        preset = study.config["preset"]
        raise UserError(f"The preset “{preset}” is no evidence (evidence: false), so it is not published.")
    wanted = dict.fromkeys(digest(study.spec(run)) for run in study.runs())
    target = published_in(published, log)
    known = set(target.names())
    _refuse_other_runs([name for name in wanted if name in known], store, target)
    new = [name for name in wanted if name not in known and store.has(name)]
    for name in new:
        store.read(name)  # nothing is published where one is broken
    for name in new:
        target.take(name, store)
    log(f"Published {len(new)} new runs; {len(wanted) - len(new)} were there or are not finished.")
    ended = {name for name in wanted if target.has(name)}
    analysis = report_in(made.results)
    if not _same_study(study, told):
        log("The published report stays as it is: it is that of config/config.yaml, without an overlay.")
    elif analysis is None or not _tells_of(made.results, analysis, study, ended):
        log(
            f"The published report stays as it is, since {made.results} holds no report of just the {len(ended)} "
            "finished runs that are published now: snakemake report_partial, and then snakemake publish again."
        )
    else:
        _publish_report(analysis, made, store, published)
    return len(new)


def _same_study(study: Study, told: Study) -> bool:
    """Whether two configs give the same report; where and how often runs are saved while they train does not matter."""
    here = ("device", "checkpoint_seconds")
    mine, theirs = ({key: value for key, value in one.config.items() if key not in here} for one in (study, told))
    return mine == theirs


def _tells_of(results: Path, analysis: Mapping[str, Any], study: Study, ended: set[str]) -> bool:
    """Whether the report in `results` is evidence, of a study of this name, and of just the runs that have ended."""
    told = analysis["study"]
    if not told["evidence"] or told["preset"] != study.config["preset"]:
        return False
    with open(results / "runs.csv", newline="", encoding="utf-8") as file:
        return {row["digest"] for row in csv.DictReader(file) if row["status"] in ("finished", "diverged")} == ended


def _publish_report(analysis: Mapping[str, Any], made: Made, store: RunStore, published: Path) -> None:
    for name in RESULTS:
        if (made.results / name).exists():
            files.copy(made.results / name, published / name)
    # What the report was made from is known by its content: the rules copy it out of the store, under other names.
    used = {hashlib.sha256(path.read_bytes()).hexdigest() for path in made.derived if path.exists()}
    kept = [path for path in store.derived_files() if path.name.split(".")[1] in used]
    target = published_in(published)
    for path in kept:
        target.take_derived(path)
    for path in target.derived_files():
        if kept and path.name not in {one.name for one in kept}:
            path.unlink()
    if made.benchmark.exists() and benchmark_table.read(made.benchmark) == analysis["benchmark"]["rows"]:
        files.copy(made.benchmark, published / BENCHMARK)


def _refuse_other_runs(names: list[str], store: RunStore, published: RunStore) -> None:
    """A report comes from the store: it tells of the published runs only if the store has each of them, and no twin."""
    missing = [name for name in names if not store.has(name)]
    if missing:
        raise UserError(
            f"{store.folder} lacks {len(missing)} of the published runs that this study wants, so a report would leave "
            "them out: make restore first."
        )
    for name in names:
        mine, theirs = (one.path(name) / run_files.METRICS for one in (store, published))
        if mine.read_bytes() != theirs.read_bytes():
            raise UserError(
                f"{store.path(name)} is not the run that is published under this digest, but one that was trained "
                "beside it, which a report would tell of: move it away, and make restore first."
            )


def report_in(folder: Path) -> dict[str, Any] | None:
    """The analysis.json of the report in `folder`; None where there is none, or one of another version's layout."""
    path = folder / "analysis.json"
    try:
        return document.read_analysis(path) if path.exists() else None
    except UserError:  # it is made anew by report_partial, as one of fewer runs is
        return None
