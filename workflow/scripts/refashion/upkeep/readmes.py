"""What the READMEs show of published runs and their report, each block between two marks of its name."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from refashion import files
from refashion.errors import UserError
from refashion.formatting import significant
from refashion.judging import benchmark_table
from refashion.judging.csv_tables import COLUMNS
from refashion.networks import architectures, augmentation
from refashion.telling import document, exports, lede, markup
from refashion.training.run_store import published_in
from refashion.upkeep.publishing import BENCHMARK, EXAMPLES, RESULTS, report_in

#: The accuracy that the project's README shows, or else the first that the original prints.
_SHOWN = "Validation accuracy"
#: What published/README.md tells of the runs: versions of these, and these columns of what they cost.
_VERSIONS = ("tensorflow", "keras", "numpy", "python")
_COST = ("network", "images", "validated on", "augmented", "batch", "updates", "runs", "median core-seconds")
#: What its columns do not tell of a table.
_REMARKS = {
    "runs.csv": (
        "A row is a run under one of its names. A run that has two names has two rows, with one `digest`: count "
        "digests to count runs."
    ),
    "claims.csv": (
        "A row is a reading. `overall` is also `one reading` where only one can be judged, and `not testable` where "
        "none can. `metric` is also `work` (training images seen, over all epochs) or a difference of two columns, as "
        "`train_accuracy - val_accuracy`."
    ),
}
#: Tables that no report writes, and what their columns hold.
_BESIDE = {
    "keras_fit.csv": {
        "seed": "seed",
        "accuracy": "training accuracy of the final epoch as fit reports it, a share from 0 to 1, not percent",
        "val_accuracy": "validation accuracy of the final epoch, likewise",
    }
}


def write(published: Path, project: Path) -> None:
    """Renew what the READMEs show of `published`, the project's own folder or that of an example."""
    analysis = report_in(published)  # none before the first report, or one of another version
    own = project / "published"
    if published != own:
        files.write_text(published / "README.md", example_readme(published, analysis))
    else:
        if analysis:
            _renew(project / "README.md", result=result_block(analysis))
        _renew(own / "README.md", result=runs_block(own), columns=columns_block())
    files.write_text(own / EXAMPLES / "README.md", index(own))


def _renew(path: Path, **blocks: str) -> None:
    text = path.read_text(encoding="utf-8")
    for name, block in blocks.items():
        text = with_block(text, name, block)
    files.write_text(path, text)


def with_block(readme: str, name: str, block: str) -> str:
    """The README's text with another block between the two marks of this name."""
    first, last = f"<!-- {name}:begin", f"<!-- {name}:end -->"
    before, _, rest = readme.partition(first)
    first_line, _, rest = rest.partition("\n")
    _, end, after = rest.partition(last)
    if not end:
        raise UserError(f"The README lacks the marks {first!r} and {last!r} between which the {name} stands.")
    return f"{before}{first}{first_line}\n\n{block.strip()}\n\n{last}{after}"


def result_block(analysis: document.Analysis) -> str:
    """The result as Markdown, for the top of the README: what was found, and the original's table beside ours."""
    table = exports.original_rows(analysis)
    if not table:
        return _findings(analysis)
    measures = [row["measure"] for row in table]
    shown = _SHOWN if _SHOWN in measures else measures[0]
    rows = [
        {key: row[key] for key in ("network", "data", "published", "ours", "interval", "seeds", "verdict")}
        for row in table
        if row["measure"] == shown
    ]
    caption = f"{shown}, mean over seeds with its {analysis['study']['confidence']:.0%} interval:"
    return "\n\n".join((_findings(analysis), caption, markup.to_markdown(rows)))


def _findings(analysis: document.Analysis) -> str:
    said = (lede.as_markdown(analysis), analysis["study"]["answer"], lede.deviations_told(analysis))
    return "\n\n".join(one for one in said if one)


def example_readme(published: Path, analysis: document.Analysis | None) -> str:
    """README.md of an example's folder: what was judged, what was found, and the runs."""
    runs = f"## Runs\n\n{runs_block(published)}"
    if analysis is None:
        return f"# {published.name}\n\n{runs}"
    title = markup.markdown_text(analysis["study"]["title"])
    citation = markup.markdown_text(analysis["original"]["citation"])
    given = f"CONFIG=config/{EXAMPLES}/{published.name}/study.yaml"
    again = (
        f"`report.html` is the page. To make it again without training: `make restore {given}`, `make report {given}`."
    )
    rows = exports.original_rows(analysis)
    table = markup.to_markdown(rows).rstrip() if rows else ""
    return "\n\n".join(filter(None, (f"# {title}", citation, _findings(analysis), table, again, runs)))


def index(published: Path) -> str:
    """published/examples/README.md: what was found of every judged report, the study's own first."""
    items = []
    for folder in (published, *sorted(path.parent for path in published.glob(f"{EXAMPLES}/*/analysis.json"))):
        if analysis := report_in(folder):
            title, answer = (markup.markdown_text(analysis["study"][key]) for key in ("title", "answer"))
            items.append(f"- **[{title}]({os.path.relpath(folder, published / EXAMPLES)}/README.md)** {answer}\n")
    return f"# Judged reports\n\nWritten by the rule `publish`.\n\n{''.join(items)}"


def runs_block(published: Path) -> str:
    """The published runs as Markdown: when, on what and from what they were made, and what each cell cost."""
    store = published_in(published)
    found = [store.read(name).metrics for name in store.names()]
    begun = sorted(metrics["timing"]["started"][:10] for metrics in found)
    facts = [
        ("runs", f"{len(found)}, of which {sum(one['status'] == 'diverged' for one in found)} diverged"),
        ("trained", " to ".join(dict.fromkeys((begun[0], begun[-1]))) if found else ""),
        ("core-hours", significant(sum(map(_core_seconds, found)) / 3600, 3)),
        ("machine", _counted(found, lambda made: f"{made['cpu']}, {made['cores']} cores, {made['platform']}")),
        ("device, threads", _counted(found, lambda made: f"{made['device_name']}, {made['threads']}")),
        ("versions", _counted(found, lambda made: ", ".join(f"{name} {made[name]}" for name in _VERSIONS))),
        ("commit", _counted(found, _commit)),
        *_benchmarked(published / BENCHMARK),
    ]
    work: dict[tuple, list[float]] = {}
    for metrics in found:
        work.setdefault(_work(metrics["spec"]), []).append(_core_seconds(metrics))
    costs = [
        dict(zip(_COST, (*kind, len(seconds), f"{statistics.median(seconds):.0f}"), strict=True))
        for kind, seconds in sorted(work.items())
    ]
    tables = ([{"": name, " ": value} for name, value in facts], costs)
    told = [markup.to_markdown(rows) for rows in tables if rows]
    if any(metrics["provenance"]["dirty"] for metrics in found):
        told.append("(edited): the files that Git tracks differed from the commit when the run was made.\n")
    return "\n".join(told)


def _benchmarked(table: Path) -> list[tuple[str, str]]:
    """The machines that the benchmark's table names, as a fact; none without a table."""
    rows = benchmark_table.read(table) if table.exists() else []
    machines = dict.fromkeys(f"{row['cpu']}, {row['cores']} cores" for row in rows)
    return [(table.name, f"measured on {'; '.join(machines)}")] if machines else []


def _core_seconds(metrics: Mapping[str, Any]) -> float:
    """Seconds of a run's jobs, from start to end, times their threads."""
    return metrics["timing"]["seconds"] * metrics["provenance"]["threads"]


def _commit(made: Mapping[str, Any]) -> str:
    """The commit that a run was made from; a project that is no Git checkout has none."""
    return (made["commit"] or "none")[:12] + (" (edited)" if made["dirty"] else "")


def _counted(found: list[dict[str, Any]], words: Callable[[Mapping[str, Any]], str]) -> str:
    """What the runs' provenance says, and of how many where they differ."""
    counts = Counter(words(metrics["provenance"]) for metrics in found)
    return "; ".join(f"{text} ({count} runs)" if len(counts) > 1 else text for text, count in counts.most_common())


def _work(spec: Mapping[str, Any]) -> tuple:
    """What the cost of a run depends on, in the order of _COST: not its optimizer or learning rate, for one."""
    defaults = architectures.options(spec["architecture"]["builder"])
    network = dict(spec["architecture"])
    kinds = [kind for layer in network.pop("layers", ()) for kind in layer]
    changed = [*kinds, *(f"{key} {value}" for key, value in network.items() if defaults.get(key, value) != value)]
    precision = spec["recipe"]["precision"]
    return (
        ", ".join([network["builder"], *changed, *([precision] if precision != "float32" else [])]),
        f"{spec['fraction']['images']:,}",
        {"test": "test images", "fold": "held-out training images"}[spec["fraction"]["validation"]],
        "yes" if augmentation.is_random(spec["augmentation"]) else "no",
        spec["recipe"]["batch_size"],
        f"{spec['recipe']['updates']:,}",
    )


def columns_block() -> str:
    """What each column of the published tables holds, as Markdown: a section a table."""
    tables = {name: COLUMNS[name.removesuffix(".csv")] for name in RESULTS if name.endswith(".csv")}
    held = {name: {key: kind.holds for key, kind in own.items()} for name, own in tables.items()} | _BESIDE
    return "\n".join(
        f"### {name}\n\n"
        + (f"{_REMARKS[name]}\n\n" if name in _REMARKS else "")
        + markup.to_markdown([{"column": key, "holds": text} for key, text in own.items()])
        for name, own in held.items()
    )
