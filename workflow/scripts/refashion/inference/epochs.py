"""What a best epoch is worth when it is chosen and scored on different images."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from refashion.inference.summaries import finite_array


@dataclass(frozen=True, kw_only=True)
class BestEpoch:
    """Final, best and honest best accuracy of one run; epochs count from 1. optimism = best - honest_best >= 0."""

    final: float | None = None
    best: float | None = None
    best_epoch: int | None = None
    honest_best: float | None = None
    optimism: float | None = None
    reason: str = ""


def honest_best(accuracy: ArrayLike, half_a: ArrayLike, half_b: ArrayLike) -> BestEpoch:
    """Best epoch of one run, and what it is worth when chosen on one half of the images and scored on the other.

    accuracy, half_a, half_b: [e], accuracy after each epoch on all images and on two fixed halves of equal size (any
    unit). honest_best = (b[argmax a] + a[argmax b]) / 2, the first epoch winning a tie. optimism = best - honest_best
    is an upper bound in expectation: choosing on half the images picks a worse epoch than choosing on all. It is never
    negative, because best >= (a + b) / 2 at both chosen epochs.
    """
    accuracy, a, b = finite_array(accuracy, 1), finite_array(half_a, 1), finite_array(half_b, 1)
    if not accuracy.size == a.size == b.size:
        raise ValueError(f"expected as many epochs of each, got {accuracy.size}, {a.size} and {b.size}")
    if accuracy.size == 0:
        return BestEpoch(reason="cannot say, because no epoch has finished")
    best = int(accuracy.argmax())
    honest = float(b[a.argmax()] + a[b.argmax()]) / 2
    return BestEpoch(
        final=float(accuracy[-1]),
        best=float(accuracy[best]),
        best_epoch=best + 1,
        honest_best=honest,
        optimism=float(accuracy[best]) - honest,
    )
