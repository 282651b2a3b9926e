"""What the networks get wrong: confusion matrices, the hardest images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from refashion.judging.collection import Predictions
from refashion.judging.document.within import Answer, Bar, Confusion, Hardest, HardImage
from refashion.judging.facts import Facts

HARDEST_IMAGES, SAYS = 24, 3

#: More bars than this are put together in a histogram.
MOST_BARS = 41


def confusion(
    facts: Facts, cells: Sequence[str], predictions: Mapping[str, Predictions], classes: int
) -> list[Confusion]:
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
        matrices.append(Confusion(cell=cell, n=n, counts=counts, reason="" if n else facts.runs.why_empty(cell)))
    return matrices


def hardest(facts: Facts, cells: Sequence[str], predictions: Mapping[str, Predictions]) -> Hardest:
    """The test images that fewest runs of these cells have right, not augmented, and what the runs say they are."""
    found = [predictions[cell] for cell in cells if cell in predictions and facts.validation.get(cell) == "test"]
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
        reason="",
    )


def _says(said: np.ndarray) -> list[Answer]:
    """The classes that runs say most often, and how often."""
    common = sorted(Counter(said.tolist()).items(), key=lambda item: (-item[1], item[0]))[:SAYS]
    return [Answer(label=label, share=count / said.size) for label, count in common]
