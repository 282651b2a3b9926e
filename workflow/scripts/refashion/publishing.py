"""The published study: finished runs put under version control, and put back into a run store.

published/runs/{digest}/        a finished run as the store holds it
published/derived/              what else the report needs TensorFlow for
published/report.html, analysis.json, cells.csv, claims.csv     what the runs gave
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from refashion import reporting, run_store
from refashion.errors import UserError
from refashion.run_store import RunStore
from refashion.study import NUMERICS, Study, digest

#: What a report leaves behind that is published beside the runs.
RESULTS = ("report.html", "analysis.json", "cells.csv", "claims.csv", "comparisons.csv", "effects.csv")

#: Between these marks the README shows the result, and this is the accuracy that it shows.
_BEGIN, _END = "<!-- result:begin", "<!-- result:end -->"
_SHOWN = "Validation accuracy"


def restore(published: Path, store: RunStore, log: Callable[[str], None] = print) -> int:
    """Put every published run into the store that has not got it; returns how many.

    Raises UserError, before anything is copied, if a run is broken or was made under another `numerics`.
    """
    folders = sorted(path.parent for path in published.glob(f"runs/*/{run_store.METRICS}"))
    for folder in folders:
        numerics = run_store.read_metrics(folder)["spec"]["numerics"]
        if numerics != NUMERICS:
            raise UserError(
                f"{folder} was made under numerics {numerics} and this version has {NUMERICS}: the same spec gives "
                "other numbers now, so published runs cannot be mixed with new ones; use the version that made them."
            )
    new = [folder for folder in folders if not store.path(folder.name).exists()]
    for folder in new:
        _copy_run(folder, store.path(folder.name))
    for path in published.glob("derived/*"):
        run_store.copy_whole(path, store.folder / "derived" / path.name)
    log(f"Restored {len(new)} published runs; {len(folders) - len(new)} were there.")
    return len(new)


def publish(study: Study, store: RunStore, results: Path, published: Path, log: Callable[[str], None] = print) -> int:
    """Copy the finished runs that the study wants, and the report of them, to `published`; returns how many are new."""
    wanted = dict.fromkeys(digest(study.spec(run)) for run in study.runs())
    new = [
        name
        for name in wanted
        if (store.path(name) / run_store.METRICS).exists() and not (published / "runs" / name).exists()
    ]
    for name in new:
        run_store.read_metrics(store.path(name))  # nothing broken is published
        _copy_run(store.path(name), published / "runs" / name)
    for path in (store.folder / "derived").glob("*.*"):
        run_store.copy_whole(path, published / "derived" / path.name)
    for name in RESULTS:
        if (results / name).exists():
            run_store.copy_whole(results / name, published / name)
    log(f"Published {len(new)} new runs; {len(wanted) - len(new)} were there or are not finished.")
    return len(new)


def readme_block(analysis: Mapping[str, Any]) -> str:
    """The result as Markdown, for the top of the README: what was found, and the original's table beside ours."""
    rows = [
        {key: row[key] for key in ("network", "data", "published", "ours", "interval", "seeds", "verdict")}
        for row in reporting.original_rows(analysis)
        if row["measure"] == _SHOWN
    ]
    caption = f"{_SHOWN}, mean over seeds with its {analysis['study']['confidence']:.0%} interval:"
    return "\n\n".join((analysis["study"]["answer"], caption, reporting.to_markdown(rows)))


def with_result(readme: str, analysis: Mapping[str, Any]) -> str:
    """The README's text with the block between its two markers made from `analysis`."""
    before, _, rest = readme.partition(_BEGIN)
    first_line, _, rest = rest.partition("\n")
    _, end, after = rest.partition(_END)
    if not end:
        raise UserError(f"The README lacks the marks {_BEGIN!r} and {_END!r} between which the result stands.")
    return f"{before}{_BEGIN}{first_line}\n\n{readme_block(analysis).strip()}\n\n{end}{after}"


def _copy_run(source: Path, target: Path) -> None:
    """Copy a finished run as a whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{target.name}.tmp-", dir=target.parent))
    try:
        for name in run_store.FILES:
            shutil.copyfile(source / name, work / name)
        work.chmod(0o755)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
