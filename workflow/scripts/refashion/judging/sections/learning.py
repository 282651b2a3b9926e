"""Learning curves, and what choosing the best epoch is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast, get_args

import numpy as np
import pandas as pd

from refashion.inference.intervals import t_interval
from refashion.judging.document.within import Band, Images, LearningCurve, Optimism
from refashion.judging.facts import PUBLISHED_METRIC, Facts, pair
from refashion.study.model import AXES

#: Points of a learning curve that are kept.
MOST_EPOCHS = 60

#: A band over fewer runs than this spans all of them; over more, 95%.
QUANTILE_RUNS = 40


def learning_curves(facts: Facts, cells: Sequence[str], histories: pd.DataFrame) -> list[LearningCurve]:
    """Median and range over seeds of training, validation and clean accuracy after each epoch."""
    blocks = dict(_blocks(histories))
    series = {name: histories[name].to_numpy() for name in ("accuracy", "val_accuracy", "clean_accuracy")}
    seeds, epochs = histories["seed"].to_numpy(), histories["epoch"].to_numpy()
    curves = []
    for cell in cells:
        rows = blocks.get(cell, np.zeros(0, int))
        finished = facts.runs.sample(cell, PUBLISHED_METRIC).seeds
        rows = rows[np.isin(seeds[rows], finished)]
        last = int(epochs[rows].max(initial=0))
        shown = np.unique(np.linspace(0, last - 1, MOST_EPOCHS).round().astype(int)) if last else np.zeros(0, int)
        table = {name: values[rows].reshape(-1, last)[:, shown] if last else None for name, values in series.items()}
        best = facts.runs.sample(cell, "best_epoch").values
        curves.append(
            LearningCurve(
                cell=cell,
                n=rows.size // last if last else 0,
                epochs=(shown + 1).tolist(),
                train=_band(table["accuracy"]),
                val=_band(table["val_accuracy"]),
                clean=_band(table["clean_accuracy"]),
                best_epoch=float(np.median(best)) if best.size else None,
                reason="" if last else facts.runs.why_empty(cell),
            )
        )
    return curves


def _blocks(histories: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Row numbers of each cell, in the table's order (by seed, then epoch)."""
    grouped = histories.groupby(list(AXES), observed=True, sort=False).indices
    return (("/".join(cast("tuple[str, ...]", names)), np.sort(rows)) for names, rows in grouped.items())


def _band(values: np.ndarray | None) -> Band:
    """Median, low and high over runs of values [n, e]."""
    if values is None:
        return Band(median=[], low=[], high=[])
    ends = (0.0, 1.0) if len(values) < QUANTILE_RUNS else (0.025, 0.975)
    low, high = np.quantile(values, ends, axis=0)
    return Band(median=np.median(values, axis=0).tolist(), low=low.tolist(), high=high.tolist())


def optimism(facts: Facts, cells: Sequence[str]) -> list[Optimism]:
    """What choosing the best epoch on the validation images is worth, validated and clean."""
    return [_optimism(facts, cell, part) for cell in cells for part in get_args(Images)]


def _optimism(facts: Facts, cell: str, part: Images) -> Optimism:
    names = (f"{part}_accuracy", f"honest_best_{part}_accuracy", f"best_{part}_accuracy")
    final, honest, best = (facts.runs.sample(cell, name).values for name in names)
    interval = t_interval(best - honest, facts.confidence)
    epochs = facts.runs.sample(cell, "best_epoch" if part == "val" else "best_clean_epoch").values
    return Optimism(
        cell=cell,
        metric=part,
        n=interval.n,
        final=t_interval(final).mean,
        honest_best=t_interval(honest).mean,
        best=t_interval(best).mean,
        optimism=interval.mean,
        interval=pair(interval),
        best_epoch=float(np.median(epochs)) if epochs.size else None,
        reason=interval.reason if interval.n else facts.runs.why_empty(cell),
    )
