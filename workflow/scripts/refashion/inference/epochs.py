"""What a best epoch is worth when it is chosen and scored on different images."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from refashion.inference.summaries import finite_array


class BestEpoch(NamedTuple):
    """Best and honest best accuracy of one run, and the best epoch, from 1; None where no epoch has finished."""

    best: float | None = None
    best_epoch: int | None = None
    honest_best: float | None = None


def honest_best(accuracy: ArrayLike, half_a: ArrayLike, half_b: ArrayLike) -> BestEpoch:
    """Best epoch of one run, and what it is worth when chosen on one half of the images and scored on the other.

    accuracy, half_a, half_b: [e], accuracy after each epoch on all images and on two fixed halves of equal size (any
    unit). honest_best = (b[argmax a] + a[argmax b]) / 2, the first epoch winning a tie. The optimism, best -
    honest_best, is an upper bound in expectation: choosing on half the images picks a worse epoch than choosing on all.
    It is never negative, because best >= (a + b) / 2 at both chosen epochs.
    """
    accuracy, a, b = finite_array(accuracy, 1), finite_array(half_a, 1), finite_array(half_b, 1)
    if accuracy.size == 0:
        return BestEpoch()
    best = int(accuracy.argmax())
    return BestEpoch(float(accuracy[best]), best + 1, float(b[a.argmax()] + a[b.argmax()]) / 2)
