"""Within cells: learning curves, best epochs, precision, sources of variance, images, specifications, cost.

Everything as plain dicts in the layout of report/analysis.schema.json.

Accuracies are in percent, differences in pp, variances in pp^2. Cells are written
architecture/fraction/augmentation/recipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from refashion.inference.intervals import t_interval
from refashion.inference.seeds import FORECAST_RUNS, seeds_for_half_width, stein_interval, stein_plan, t_half_widths
from refashion.inference.variance import image_noise, share_right, variance_components
from refashion.inference.verdicts import REPRODUCED
from refashion.judging import claims, tables
from refashion.judging.claims import Facts, pair
from refashion.judging.collection import Predictions
from refashion.judging.effects import PUBLISHED_METRIC, sample
from refashion.networks import augmentation
from refashion.study.model import AXES, Cell, Experiment, Run, Study

#: Points of a learning curve that are kept.
MOST_EPOCHS = 60
#: A band over fewer runs than this spans all of them; over more, 95%.
QUANTILE_RUNS = 40

NUMBERS_OF_SEEDS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50)
HALF_WIDTHS = (0.1, 0.15, 0.2, 0.3, 0.5)
#: Above this, a report needs no number of seeds (and a long search takes its time).
MOST_SEEDS = 1_000

HARDEST_IMAGES, SAYS = 24, 3
#: More bars than this are put together in a histogram.
MOST_BARS = 41


# ----------------------------------------------------------------------------------------------------- learning curves


def learning_curves(facts: Facts, cells: Sequence[str], histories: pd.DataFrame) -> list[dict[str, Any]]:
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
            {
                "cell": cell,
                "n": rows.size // last if last else 0,
                "epochs": (shown + 1).tolist(),
                "train": _band(table["accuracy"]),
                "val": _band(table["val_accuracy"]),
                "clean": _band(table["clean_accuracy"]),
                "best_epoch": float(np.median(best)) if best.size else None,
                "final_epoch": last or None,
                "reason": "" if last else facts.runs.why_empty(cell),
            }
        )
    return curves


def _blocks(histories: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Row numbers of each cell, in the table's order (by seed, then epoch)."""
    grouped = histories.groupby(list(AXES), observed=True, sort=False).indices
    return (("/".join(names), np.sort(rows)) for names, rows in grouped.items())


def _band(values: np.ndarray | None) -> dict[str, list[float]]:
    """Median, low and high over runs of values [n, e]."""
    if values is None:
        return {"median": [], "low": [], "high": []}
    ends = (0.0, 1.0) if len(values) < QUANTILE_RUNS else (0.025, 0.975)
    low, high = np.quantile(values, ends, axis=0)
    return {"median": np.median(values, axis=0).tolist(), "low": low.tolist(), "high": high.tolist()}


def optimism(facts: Facts, cells: Sequence[str]) -> list[dict[str, Any]]:
    """What choosing the best epoch on the validation images is worth, validated and clean."""
    return [_optimism(facts, cell, part) for cell in cells for part in ("val", "clean")]


def _optimism(facts: Facts, cell: str, part: str) -> dict[str, Any]:
    names = (f"{part}_accuracy", f"honest_best_{part}_accuracy", f"best_{part}_accuracy")
    final, honest, best = (facts.runs.sample(cell, name).values for name in names)
    interval = t_interval(best - honest, facts.confidence)
    epochs = facts.runs.sample(cell, "best_epoch" if part == "val" else "best_clean_epoch").values
    return {
        "cell": cell,
        "metric": part,
        "n": interval.n,
        "final": t_interval(final).mean,
        "honest_best": t_interval(honest).mean,
        "best": t_interval(best).mean,
        "optimism": interval.mean,
        "interval": pair(interval),
        "best_epoch": float(np.median(epochs)) if epochs.size else None,
        "reason": interval.reason if interval.n else facts.runs.why_empty(cell),
    }


# ----------------------------------------------------------------------------------------------------- how many seeds


def half_widths(facts: Facts, cells: Sequence[str], study: Study) -> dict[str, Any]:
    """Number of seeds against the half-width of the interval, at each cell's SD."""
    pilots = {cell.name: experiment.seeds for experiment in study.pilots for cell in experiment.cells}
    return {
        "ns": list(NUMBERS_OF_SEEDS),
        "targets": list(HALF_WIDTHS),
        "cells": [_half_width(facts, cell, pilots.get(cell)) for cell in cells],
    }


def _half_width(facts: Facts, cell: str, pilot: Any) -> dict[str, Any]:
    values = facts.runs.sample(cell, PUBLISHED_METRIC).values
    interval = t_interval(values, facts.confidence)
    sd = interval.sd
    return {
        "cell": cell,
        "n": interval.n,
        "sd": sd,
        "half_width": interval.half_width,
        "curve": [] if sd is None else list(t_half_widths(sd, NUMBERS_OF_SEEDS, facts.confidence)),
        "needed": [] if sd is None else [_needed(sd, interval.n, width, facts.confidence) for width in HALF_WIDTHS],
        "stein": None if pilot is None else _stein(facts, cell, pilot),
        "reason": interval.reason if interval.n else facts.runs.why_empty(cell),
    }


def _needed(sd: float, n: int, half_width: float, confidence: float) -> int | None:
    """Seeds for a half-width in pp at an SD in pp that n runs showed; None for too many seeds, or from too few runs."""
    if n < FORECAST_RUNS:
        return None
    return seeds_for_half_width(sd, half_width, confidence, MOST_SEEDS)


def _stein(facts: Facts, cell: str, pilot: Any) -> dict[str, Any] | None:
    """Stein's two stages: what the pilot seeds asked for, and whether the maximum bound them."""
    found = facts.runs.sample(cell, PUBLISHED_METRIC)
    first = found.values[np.isin(found.seeds, range(pilot.pilot))]
    plan = stein_plan(first, pilot.half_width, pilot.most, facts.confidence)
    interval = stein_interval(found.values, first.size, facts.confidence)
    if plan.n is None:
        words = f"{plan.reason[:1].upper()}{plan.reason[1:]}."
    elif plan.capped:
        words = f"Capped: the pilot asks for {plan.wanted} seeds, and {plan.n} is the most allowed."
    else:
        words = f"Stopped: {plan.n} seeds are enough for a half-width of {pilot.half_width:g} pp."
        if interval.half_width is not None and found.n >= plan.n:
            words += f" Stein's own interval has {interval.half_width:.2f} pp; others of this cell say a little less."
    return {
        "pilot": pilot.pilot,
        "target": pilot.half_width,
        "wanted": plan.wanted,
        "planned": plan.n,
        "capped": plan.capped,
        "half_width": interval.half_width,
        "words": words,
    }


# ------------------------------------------------------------------------------------------ where the spread comes from


def variance(
    facts: Facts, cells: Sequence[str], predictions: Mapping[str, Predictions], study: Study
) -> dict[str, Any]:
    """Luck on images within each cell, and variance components where subsets and initialisers are crossed."""
    crossed = [experiment for experiment in study.experiments if len(_subsets(experiment, study)) > 1]
    return {
        "image_noise": [_image_noise(facts, cell, predictions) for cell in cells],
        "components": _components(facts, crossed[0], study) if crossed else None,
        "reason": "" if crossed else "cannot say, because no experiment of this study crosses subsets and initialisers",
    }


def _image_noise(facts: Facts, cell: str, predictions: Mapping[str, Predictions]) -> dict[str, Any]:
    found = predictions.get(cell)
    right = found.validated == found.labels if found else np.zeros((0, 0), bool)
    noise = image_noise(right)
    true = noise.true_seed_variance
    return {
        "cell": cell,
        "n": noise.n,
        "images": noise.m,
        **{
            name: getattr(noise, name)
            for name in ("accuracy", "binomial", "between_images", "within_images", "seed_variance")
        },
        "true_seed_variance": true,
        "true_seed_sd": None if true is None else float(np.sqrt(true)),
        "reason": noise.reason if noise.n else facts.runs.why_empty(cell),
    }


def image_variance(cell: str, predictions: Mapping[str, Predictions]) -> float:
    """pp^2 that other validation images than the original's add to a difference: twice that of one set of images."""
    found = predictions.get(cell)
    if found is None:
        return 0.0
    between = image_noise(found.validated == found.labels).between_images
    return 0.0 if between is None else 2 * between


def _subsets(experiment: Experiment, study: Study) -> list[Cell]:
    """The cells of an experiment that fix the subset and differ in nothing else, by subset seed."""
    fractions = study.config["fractions"]
    fixed = [cell for cell in experiment.cells if fractions[cell.fraction]["subset_seed"] is not None]
    alike = len({tuple(getattr(cell, axis) for axis in AXES if axis != "fraction") for cell in fixed}) == 1
    return sorted(fixed, key=lambda cell: fractions[cell.fraction]["subset_seed"]) if alike else []


def _components(facts: Facts, experiment: Experiment, study: Study) -> dict[str, Any]:
    """Variance of subset, of initialiser and order, and what is left, from one run each."""
    cells = [cell.name for cell in _subsets(experiment, study)]
    seeds, scores = facts.runs.paired(cells, PUBLISHED_METRIC)
    found = variance_components(scores, facts.confidence)
    names = {"subset": found.rows, "initialiser and order": found.columns, "residual": found.residual}
    return {
        "cells": cells,
        "subsets": len(cells),
        "initialisers": seeds.size,
        "sources": [
            {
                "source": name,
                "variance": part.variance,
                "sd": None if part.variance is None else float(np.sqrt(part.variance)),
                "share": part.share,
                "interval": pair(part),
                "p": part.p,
            }
            for name, part in names.items()
        ],
        "total": found.total,
        "reason": found.reason,
    }


# -------------------------------------------------------------------------------------------------------------- images


def confusion(
    facts: Facts, cells: Sequence[str], predictions: Mapping[str, Predictions], classes: int
) -> list[dict[str, Any]]:
    """Mean confusion matrix a run of each cell, images as validated: row true class, column predicted."""
    matrices = []
    for cell in cells:
        found = predictions.get(cell)
        counts = []
        if found is not None:
            joint = found.labels.astype(int) * classes + found.validated
            matrix = np.bincount(joint.ravel(), minlength=classes**2).reshape(classes, classes)
            counts = (matrix / len(found.seeds)).tolist()
        n = 0 if found is None else len(found.seeds)
        matrices.append({"cell": cell, "n": n, "counts": counts, "reason": "" if n else facts.runs.why_empty(cell)})
    return matrices


def hardest(facts: Facts, cells: Sequence[str], predictions: Mapping[str, Predictions]) -> dict[str, Any]:
    """The test images that fewest runs of these cells have right, not augmented, and what the runs say they are."""
    found = [predictions[cell] for cell in cells if cell in predictions and facts.validation.get(cell) == "test"]
    found = [one for one in found if np.array_equal(one.labels, found[0].labels)]
    if not found:
        reason = "cannot say, because no run that is validated on the test images has finished"
        empty = {"n": 0, "images": [], "histogram": [], "always_right": 0, "always_wrong": 0}
        return empty | {"reason": reason}
    said, labels = np.concatenate([one.clean for one in found]), found[0].labels
    q = share_right(said == labels)
    order = np.argsort(q, kind="stable")[:HARDEST_IMAGES]
    width = -(-(len(said) + 1) // MOST_BARS)
    right = np.bincount((said == labels).sum(axis=0), minlength=len(said) + 1)
    return {
        "n": len(said),
        "images": [
            {"index": int(i), "label": int(labels[i]), "q": float(q[i]), "says": _says(said[:, i])} for i in order
        ],
        "histogram": [
            {
                "low": int(low),
                "high": int(min(low + width, right.size) - 1),
                "images": int(right[low : low + width].sum()),
            }
            for low in range(0, right.size, width)
        ],
        "always_right": int(right[-1]),
        "always_wrong": int(right[0]),
        "reason": "",
    }


def _says(said: np.ndarray) -> list[dict[str, Any]]:
    """The classes that runs say most often, and how often."""
    common = sorted(Counter(said.tolist()).items(), key=lambda item: (-item[1], item[0]))[:SAYS]
    return [{"label": label, "share": count / said.size} for label, count in common]


# ------------------------------------------------------------------------------------------------------ specifications


def specification_curves(facts: Facts, study: Study) -> list[dict[str, Any]]:
    """Each named claim's number under every specification of the experiment that varies what is unstated."""
    entries = {claim["id"]: claim for claim in facts.original["claims"]}
    enabled = {experiment.name: experiment for experiment in study.experiments}
    return [
        _specification_curve(entries[wish["claim"]], wish["experiment"], enabled.get(wish["experiment"]), facts, study)
        for wish in facts.original["specification_curves"]
    ]


def _specification_curve(
    entry: Mapping[str, Any], name: str, experiment: Experiment | None, facts: Facts, study: Study
) -> dict[str, Any]:
    primary = Cell(*entry["readings"][0]["cells"][0].split("/"))
    points, left_out = [], 0
    if experiment is not None and primary in study.cells():
        home = _choices(study, primary)
        for cell in dict.fromkeys((primary, *experiment.cells)):
            choices = _choices(study, cell)
            if choices["architecture.builder"] != home["architecture.builder"]:
                continue
            differs = {key: choices.get(key) for key in {**home, **choices} if choices.get(key) != home.get(key)}
            own = _points(entry, cell, differs, cell == primary, facts, study)
            left_out += not own
            points += own
    reason = f"cannot say, because the experiment {name} is not part of this study" if experiment is None else ""
    if experiment is not None and not points:
        reason = f"cannot say, because no run of the experiment {name} has finished"
    return {
        "claim": entry["id"],
        "experiment": name,
        "published": entry["value"],
        "margin": claims.margin(entry, facts),
        "points": sorted(points, key=lambda point: point["sample"]["mean"]),
        "left_out": left_out,
        "within": sum(point["verdict"] == REPRODUCED for point in points),
        "reason": reason,
    }


def _choices(study: Study, cell: Cell) -> dict[str, Any]:
    """A cell's definition as flat keys, such as recipe.learning_rate."""
    spec = study.spec(Run(cell, 0))
    parts = ("architecture", "fraction", "augmentation", "recipe")
    return {f"{part}.{key}": value for part in parts for key, value in spec[part].items()}


def _points(
    entry: Mapping[str, Any], cell: Cell, differs: Mapping[str, Any], primary: bool, facts: Facts, study: Study
) -> list[dict[str, Any]]:
    """A cell's points of a specification curve: final and best epoch, augmented and clean where these differ."""
    metrics = ["val_accuracy", "best_val_accuracy"]
    if augmentation.is_random(study.spec(Run(cell, 0))["augmentation"]):
        metrics += ["clean_accuracy", "best_clean_accuracy"]
    points = []
    for metric in metrics:
        found = sample(facts, cell.name, metric)
        if not found["n"]:
            continue
        verdict, reason = claims.verdict_alone(entry, facts.runs.sample(cell.name, metric), facts)
        chosen = {**differs, **({} if metric == metrics[0] else {"metric": metric})}
        points.append(
            {
                "cell": cell.name,
                "metric": metric,
                "choices": chosen,
                "primary": primary and metric == metrics[0],
                "sample": found,
                "verdict": verdict,
                "reason": claims.sentence(reason),
            }
        )
    return points


# ---------------------------------------------------------------------------------------------------------------- cost


def cost(facts: Facts, cells: Sequence[str]) -> dict[str, Any]:
    """What the finished runs cost, and what the missing ones will; a run under two names is counted once in the sum."""
    digests = {cell: set(facts.runs.column(cell, "digest")) for cell in cells}
    costs = [_cell_cost(facts, cell, _same_runs(cell, digests)) for cell in cells]
    return {"core_hours": core_hours(facts.runs.runs), "cells": costs}


def _same_runs(cell: str, digests: Mapping[str, set[str]]) -> str:
    """The first cell that has a cell's runs and more, else the first that has the same; itself where it has none."""
    own = digests[cell]
    if not own:
        return cell
    more = (other for other, theirs in digests.items() if own < theirs)
    return next(more, next(other for other, theirs in digests.items() if own == theirs))


def core_hours(runs: pd.DataFrame) -> float:
    """Seconds x threads of the runs that have ended, in hours; twins (one digest) count once."""
    ended = tables.distinct(runs[runs["status"].isin([tables.FINISHED, tables.DIVERGED])])
    return float((ended["seconds"] * ended["threads"].astype(float)).sum() / 3600)


def _cell_cost(facts: Facts, cell: str, first: str) -> dict[str, Any]:
    """`first`: the cell that has the same runs, itself if no cell before it has."""
    times = {name: facts.runs.sample(cell, name).values for name in ("seconds", "train_seconds", "images_per_second")}
    threads = facts.runs.sample(cell, "threads").values
    hours = times["seconds"] * threads / 3600
    counts = facts.runs.counts(cell)
    left = counts.missing + counts.failed
    return {
        "cell": cell,
        "same_as": first if first != cell else "",
        "n": hours.size,
        **{name: float(np.median(values)) if values.size else None for name, values in times.items()},
        "core_hours": float(hours.sum()),
        "missing_core_hours": float(np.median(hours) * left) if hours.size else (None if left else 0.0),
    }
