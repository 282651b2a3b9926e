"""What the networks get wrong: confusion matrices, the hardest images."""

from __future__ import annotations

from collections import Counter

import numpy as np

from refashion.judging.document.parts import CellName, Part, means, reason
from refashion.judging.facts import Facts

HARDEST_IMAGES, SAYS = 24, 3

#: More bars than this are put together in a histogram.
MOST_BARS = 41


class Confusion(Part):
    """Mean confusion matrix of a cell, images as validated."""

    cell: CellName
    n: int = means("runs")
    counts: list[list[float]] = means("true class: images a run, mean over runs", "images")
    reason: str = reason()


class Answer(Part):
    label: int = means("the class that runs say")
    share: float = means("of runs", "0..1")


class HardImage(Part):
    index: int = means("position in the test images")
    label: int = means("class")
    q: float = means("share of runs that are right", "0..1")
    says: list[Answer] = means("most frequent first, at most 3")


class Bar(Part):
    low: int = means("fewest runs")
    high: int = means("most runs; the same where a bar is one number")
    images: int = means("count")


class Hardest(Part):
    """The test images, not augmented, that fewest runs of the original's cells have right."""

    n: int = means("runs")
    images: list[HardImage] = means("hardest first, at most 24")
    histogram: list[Bar] = means("how many images are right in so many runs")
    always_right: int = means("images that every run has right")
    always_wrong: int = means("images that every run has wrong")
    reason: str = reason()


def confusion(facts: Facts) -> list[Confusion]:
    """Mean confusion matrix a run of each of the table's cells: row true class, column predicted."""
    return [_confusion(cell, facts) for cell in facts.columns]


def _confusion(cell: str, facts: Facts) -> Confusion:
    found = facts.predictions.get(cell)
    if found is None:
        return Confusion(cell=cell, n=0, counts=[], reason=facts.why_empty(cell))
    n, classes = len(found.seeds), len(facts.classes)
    joint = found.labels.astype(int) * classes + found.validated
    matrix = np.bincount(joint.ravel(), minlength=classes**2).reshape(classes, classes)
    return Confusion(cell=cell, n=n, counts=(matrix / n).tolist())


def hardest(facts: Facts) -> Hardest:
    """The test images that fewest runs of the table's cells have right, not augmented, and what the runs say."""
    cells = [cell for cell in facts.columns if cell in facts.predictions and facts.validation[cell] == "test"]
    found = [facts.predictions[cell] for cell in cells]
    found = [one for one in found if np.array_equal(one.labels, found[0].labels)]
    if not found:
        reason = "cannot say, because no run that is validated on the test images has finished"
        return Hardest(n=0, images=[], histogram=[], always_right=0, always_wrong=0, reason=reason)
    said, labels = np.concatenate([one.clean for one in found]), found[0].labels
    q = (said == labels).mean(0)
    order = np.argsort(q, kind="stable")[:HARDEST_IMAGES]
    width = -(-(len(said) + 1) // MOST_BARS)
    right = np.bincount((said == labels).sum(axis=0), minlength=len(said) + 1)
    return Hardest(
        n=len(said),
        images=[HardImage(index=int(i), label=int(labels[i]), q=float(q[i]), says=_says(said[:, i])) for i in order],
        histogram=[
            Bar(low=low, high=min(low + width, right.size) - 1, images=int(right[low : low + width].sum()))
            for low in range(0, right.size, width)
        ],
        always_right=int(right[-1]),
        always_wrong=int(right[0]),
    )


def _says(said: np.ndarray) -> list[Answer]:
    """The classes that runs say most often, and how often."""
    common = sorted(Counter(said.tolist()).items(), key=lambda item: (-item[1], item[0]))[:SAYS]
    return [Answer(label=label, share=count / said.size) for label, count in common]
