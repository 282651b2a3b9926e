"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import itertools
import math

import numpy as np
import pytest

from refashion.inference.ranks import order_probability, rank_probabilities


def test_rank_probabilities_by_enumeration():
    scores = np.array([[91.0, 91.2, 91.6], [91.3, 91.3, 91.3], [90.8, 91.0, 92.3]])
    exact = np.zeros((3, 3))
    for seeds in itertools.product(range(3), repeat=3):
        means = np.round(scores[:, seeds].mean(1), 9)
        for cell in range(3):
            first, ties = int((means > means[cell]).sum()), int((means == means[cell]).sum())
            exact[cell, first : first + ties] += 1 / ties / 27
    result = rank_probabilities(scores, seed=7, resamples=20_000)
    assert np.array(result) == pytest.approx(exact, abs=4 * math.sqrt(0.25 / 20_000))
    assert np.sum(result, axis=0) == pytest.approx(np.ones(3))
    assert np.sum(result, axis=1) == pytest.approx(np.ones(3))


def test_rank_probabilities_of_ties_and_of_one_run_studies():
    tied = rank_probabilities([[91.1, 91.3], [91.3, 91.1], [91.2, 91.2]], seed=0)
    assert np.sum(tied, axis=0) == pytest.approx(np.ones(3))
    certain = rank_probabilities([[1, 1], [1, 1]], seed=0)
    assert certain == [[0.5, 0.5], [0.5, 0.5]]


def test_a_study_of_one_run_draws_each_cell_by_itself():
    """Always ahead by seed, but not in two studies' single runs: the same chance as the order's."""
    scores = [[1.0, 2.0, 3.0, 4.0, 5.0], [0.5, 1.5, 2.5, 3.5, 4.5]]
    assert rank_probabilities(scores, seed=0)[0][0] == 1
    one = rank_probabilities(scores, seed=0, one_run=True, resamples=40_000)
    assert order_probability(scores) == 0.6
    assert one[0][0] == pytest.approx(0.6, abs=4 * math.sqrt(0.6 * 0.4 / 40_000))


@pytest.mark.parametrize("seed", range(4))
def test_order_probability_by_brute_force(seed):
    scores = np.round(np.random.default_rng(seed).normal([[92.0], [91.9], [91.8], [91.7]], 0.2, (4, 5)), 1)
    tuples = list(itertools.product(*scores))
    expected = np.mean([all(x > y for x, y in itertools.pairwise(values)) for values in tuples])
    assert order_probability(scores) == pytest.approx(expected, rel=1e-12)


def test_order_probability_of_one_cell_of_ties_and_of_nothing():
    assert order_probability([[1.0, 2.0]]) == 1
    assert order_probability([[1.0, 1.0], [1.0, 1.0]]) == 0  # strict
    assert order_probability([[], []]) is None
    assert rank_probabilities([[91.0], [92.0]], seed=0) == rank_probabilities([[], []], seed=0) == []
