"""Learning curves, and what choosing the best epoch is worth."""

from __future__ import annotations

from typing import Literal, cast, get_args

import numpy as np

from refashion.inference.intervals import t_interval
from refashion.judging.document.parts import CellName, Ends, Part, means, reason
from refashion.judging.facts import PUBLISHED_METRIC, Facts, pair
from refashion.study.model import AXES

#: Points of a learning curve that are kept.
MOST_EPOCHS = 60

#: A band over fewer runs than this spans all of them; over more, 95%.
QUANTILE_RUNS = 40

#: Validation images augmented as the training images, or as they are.
Images = Literal["val", "clean"]


class Band(Part):
    """An accuracy after each of some epochs, over seeds."""

    median: list[float | None] = means("median", "percent")
    low: list[float | None] = means("2.5% quantile over seeds (the minimum below 40 seeds)", "percent")
    high: list[float | None] = means("97.5% quantile (the maximum below 40)", "percent")


class LearningCurve(Part):
    """Learning curves of a cell, at most 60 epochs."""

    cell: CellName
    n: int = means("finished runs")
    epochs: list[int] = means("epochs shown, ascending, first and last included")
    train: Band = means("running training accuracy")
    val: Band = means("validation accuracy as validated")
    clean: Band = means("clean validation accuracy")
    best_epoch: float | None = means("median best epoch as validated", "epochs")


class Optimism(Part):
    """What choosing the best epoch on the validation images is worth."""

    cell: CellName
    metric: Images = means("val or clean")
    n: int = means("runs")
    final: float | None = means("mean", "percent")
    honest_best: float | None = means("mean", "percent")
    best: float | None = means("mean", "percent")
    optimism: float | None = means("best - honest_best, mean: an upper bound", "pp")
    interval: Ends | None = means("of the optimism", "pp")
    best_epoch: float | None = means("median", "epochs")
    reason: str = reason()


def learning_curves(facts: Facts) -> list[LearningCurve]:
    """Median and range over seeds of training, validation and clean accuracy after each epoch, of every cell."""
    histories = facts.histories
    grouped = histories.groupby(list(AXES), observed=True, sort=False).indices  # by seed, then epoch
    blocks = {"/".join(cast("tuple[str, ...]", names)): np.sort(rows) for names, rows in grouped.items()}
    names = {"train": "accuracy", "val": "val_accuracy", "clean": "clean_accuracy"}
    series = {part: histories[name].to_numpy() for part, name in names.items()}
    seeds, epochs = histories["seed"].to_numpy(), histories["epoch"].to_numpy()
    curves = []
    for cell in facts.cells:
        rows = blocks.get(cell, np.zeros(0, int))
        rows = rows[np.isin(seeds[rows], facts.runs.sample(cell, PUBLISHED_METRIC).seeds)]
        last = int(epochs[rows].max(initial=0))
        shown = np.unique(np.linspace(0, last - 1, MOST_EPOCHS).round().astype(int)) if last else np.zeros(0, int)
        tables = {part: values[rows].reshape(-1, max(1, last))[:, shown] for part, values in series.items()}
        curves.append(
            LearningCurve(
                cell=cell,
                n=len(tables["val"]),
                epochs=(shown + 1).tolist(),
                **{part: _band(table) for part, table in tables.items()},
                best_epoch=_median(facts.runs.sample(cell, "best_epoch").values),
            )
        )
    return curves


def _band(values: np.ndarray) -> Band:
    """Median, low and high over runs of values [n, e]; nothing without a run."""
    if not values.size:
        return Band(median=[], low=[], high=[])
    ends = (0.0, 1.0) if len(values) < QUANTILE_RUNS else (0.025, 0.975)
    low, high = np.quantile(values, ends, axis=0)
    return Band(median=np.median(values, axis=0).tolist(), low=low.tolist(), high=high.tolist())


def optimism(facts: Facts) -> list[Optimism]:
    """What choosing the best epoch on the validation images is worth in every cell, validated and clean."""
    return [optimism_of(cell, part, facts) for cell in facts.cells for part in get_args(Images)]


def optimism_of(cell: str, part: Images, facts: Facts) -> Optimism:
    names = (f"{part}_accuracy", f"honest_best_{part}_accuracy", f"best_{part}_accuracy")
    final, honest, best = (facts.runs.sample(cell, name).values for name in names)
    interval = t_interval(best - honest, facts.confidence)
    return Optimism(
        cell=cell,
        metric=part,
        n=interval.n,
        final=t_interval(final).mean,
        honest_best=t_interval(honest).mean,
        best=t_interval(best).mean,
        optimism=interval.mean,
        interval=pair(interval),
        best_epoch=_median(facts.runs.sample(cell, "best_epoch" if part == "val" else "best_clean_epoch").values),
        reason=interval.reason if interval.n else facts.why_empty(cell),
    )


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if values.size else None
