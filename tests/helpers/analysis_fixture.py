"""analysis.json of synthetic studies, as the analysis makes it: for tests of figures, page and exports.

The runs are drawn, not trained (see synthetic.py); nothing here says anything about networks.
"""

from __future__ import annotations

import functools
import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import synthetic
from refashion.judging import analysis as analyses
from refashion.judging import collection, columns
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.study.model import AXES

#: Cells of the original's table -> true validation and training accuracy, in percent.
ORIGINAL = {
    "cnn1/10k/none/b256_e100": (87.9, 99.4),
    "cnn1/60k/affine/b256_e50": (89.6, 90.8),
    "cnn4/10k/none/b256_e100": (90.0, 97.9),
    "cnn4/60k/affine/b256_e50": (92.7, 91.5),
    "lenet5/60k/none/b32_e20_sparse": (89.6, 98.0),
    "cnn4_same/60k/affine/b256_e50": (93.2, 92.4),
}
#: The experiments that are run: one of each kind that the page tells of.
EXPERIMENTS = ("original", "factorial", "factorial_published", "variance", "unstated", "optimizers", "losses")


def benchmark() -> list[dict]:
    """Rows in the layout of results/benchmark.csv."""
    facts = {"device": "cpu", "cpu": "a processor", "cores": 2, "load": 0.1}
    rows = [
        {"architecture": network, "augmentation": augmentation, "program": program, "processes": 2, "threads": 1}
        | {"images_per_second": rate, "slowest": 0.95 * rate, "fastest": 1.04 * rate, "speedup": 30000 / rate}
        | {"peak_share": rate / 80000, "note": "two at a time" if program == "PyTorch" else "", **facts}
        for network, augmentation in product(("cnn1", "cnn4"), ("none", "affine"))
        for program, rate in (("this engine", 30000.0), ("plain script", 9000.0), ("PyTorch", 12000.0))
    ]
    peak = dict.fromkeys(rows[0]) | {"architecture": "", "program": "matrix product", "peak_share": 1.0, **facts}
    return [*rows, peak]


def histories(cells: list[str], seeds: int, rng: np.random.Generator, epochs: int = 30) -> pd.DataFrame:
    """Learning curves of these cells' runs, as `collect` gathers them."""
    epoch = np.arange(1, epochs + 1)
    rising = 92 - 4 * np.exp(-epoch / 5)
    tables_ = [pd.DataFrame(columns=list(columns.COLUMNS["histories"]))]
    for cell, seed in product(cells, range(seeds)):
        names = dict(zip(AXES, cell.split("/"), strict=True)) | {"seed": seed, "epoch": epoch, "updates": 10 * epoch}
        accuracies = {
            name: rising + 0.2 * rng.standard_normal(epochs) for name in columns.COLUMNS["histories"] if "acc" in name
        }
        losses = dict.fromkeys(("loss", "val_loss", "clean_loss"), 0.3)
        tables_.append(pd.DataFrame({**names, **accuracies, **losses}))
    return pd.concat(tables_[-max(1, len(tables_) - 1) :], ignore_index=True)


def predictions(seeds: int, labels: np.ndarray, rng: np.random.Generator) -> collection.Predictions:
    """What the runs of one cell say: about nine in ten are right, and every tenth image is hard."""
    shape = (seeds, labels.size)
    hard = np.where(np.arange(labels.size) % 10 == 0, 0.8, 0.03)
    said = [np.where(rng.random(shape) < hard, rng.integers(0, 10, shape), labels).astype(np.uint8) for _ in range(2)]
    return collection.Predictions(np.arange(seeds), *said, labels)


def analysis(n: int = 10, absent: tuple[str, ...] = ()) -> dict:
    """An analysis with `n` runs a cell (none at all for 0); `absent` cells have none. Every call gives its own copy."""
    return json.loads(_text(n, absent))


@functools.cache
def _text(n: int, absent: tuple[str, ...]) -> str:
    original, study = synthetic.original(), synthetic.study(EXPERIMENTS, seeds=max(n, 1))
    cells = [cell.name for cell in study.cells()]
    gone = absent if n else cells
    truth = synthetic.Truth(
        validation={cell: means[0] for cell, means in ORIGINAL.items()},
        training={cell: means[1] for cell, means in ORIGINAL.items()},
        sd=0.25,
        missing=frozenset(product(gone, range(max(n, 1)))),
    )
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 400, np.uint8)
    run = [cell for cell in cells if cell not in gone]
    document = analyses.analyse(
        Facts(
            study=study,
            original=original,
            runs=RunTable(synthetic.runs(study, truth, seed=1)),
            histories=histories(run, n, rng),
            predictions={cell: predictions(n, labels, rng) for cell in run if cell in ORIGINAL},
            architectures=synthetic.architectures(original),
            descriptions={"fashion_mnist": synthetic.description()},
            benchmark=benchmark(),
        )
    )
    return json.dumps(document)


#: What a config may hold to break a page: markup, quotes, template and TeX braces, control characters, endless words.
HOSTILE = (
    "<script>document.title = 'scripted'</script>",
    '"><img src=x onerror="document.title=\'scripted\'">',
    "{{ 7777 * 7777 }}{% raw %}{#",
    r"$\frac{$ & < > ' \" ` ]]> --> </style></title></svg>",
    "x" * 300,
    "a\x00b\x0bc \ud800 end",
)
#: Keys of the analysis whose texts a config, a file or a log may have written.
FREE = (
    *("title", "note", "quote", "quotes", "statement", "reason", "where", "said", "label", "what", "why", "source"),
    *("question", "answer", "interim", "preset", "about", "citation", "classes", "evidence_reason", "words", "data"),
    "device_name",
)


def with_holes() -> dict:
    """A study that is no evidence: cells, experiments and the benchmark are missing, runs failed and diverged."""
    given = analysis(n=5, absent=("cnn4/10k/none/b256_e100", "lenet5/60k/none/b32_e20_sparse"))
    given["study"].update(
        evidence=False, runs={"wanted": 30, "finished": 17, "diverged": 1, "failed": 2, "missing": 10}
    )
    cell = "cnn1/10k/none/b256_e100"
    given["runs"]["failed"] = [
        {"cell": cell, "seed": 3, "reason": f"OSError: {Path.home()}/study/x: No space left on device" + " x" * 200},
        {"cell": cell, "seed": 4, "reason": ""},
    ]
    given["runs"]["diverged"] = [{"cell": cell, "seed": 2, "epoch": 7}, {"cell": cell, "seed": 1, "epoch": None}]
    given["effects"] = {"policies": [], "reason": "cannot say, because the factorial experiment was not run"}
    given.update(specification_curves=[], benchmark={"rows": [], "reason": "cannot say, because it was not run"})
    given["variance"]["components"] = None
    costs = given["cost"]["cells"]
    costs[1].update(same_as=costs[0]["cell"])
    costs[2].update(n=0, seconds=None, train_seconds=None, images_per_second=None, missing_core_hours=None)
    for i, hours in enumerate((12.0, 110.0, None, 0.2, 3.5)):
        costs[i]["missing_core_hours"] = hours
    return given


def hostile(value, key: str = "", turn=None):
    """The same analysis with a hostile text after every free text in it (what a schema fixes stays as it is)."""
    turn = turn or iter(HOSTILE[i % len(HOSTILE)] for i in range(10**9))
    if isinstance(value, dict):
        return {name: hostile(entry, name, turn) for name, entry in value.items()}
    if isinstance(value, list):
        return [hostile(entry, key, turn) for entry in value]
    return f"{value} {next(turn)}" if isinstance(value, str) and value and key in FREE else value
