"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import numpy as np

from refashion.inference.summaries import honest_best


def test_honest_best_by_hand():
    a, b = [80.0, 90.0, 88.0], [82.0, 86.0, 91.0]  # A chooses epoch 2, B epoch 3
    result = honest_best(np.add(a, b) / 2, a, b)
    assert result == (89.5, 3, (86.0 + 88.0) / 2)


def test_honest_best_never_exceeds_best_and_takes_the_first_of_ties():
    rng = np.random.default_rng(0)
    for a, b in np.round(rng.normal(90, 0.5, (300, 2, 12)), 2):
        result = honest_best((a + b) / 2, a, b)
        assert result.best - result.honest_best >= -1e-12
    assert honest_best([90, 91, 91], [90, 91, 91], [90, 91, 91]).best_epoch == 2
    assert honest_best([], [], []) == (None, None, None)
