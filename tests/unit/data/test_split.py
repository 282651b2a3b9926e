"""What a run is given of a data set."""

import itertools

import numpy as np
import pytest
import scipy.stats

from refashion.data.split import split, subset
from tiny_data import fraction, numbered, numbers


@pytest.fixture(scope="module")
def full_size():
    return numbered(60_000, 10_000)


def test_labels_go_with_their_images(full_size):
    for validation, seed in itertools.product(("test", "fold"), (0, 1)):
        found = split(full_size, fraction(5_000, validation), seed)
        np.testing.assert_array_equal(found.train_labels, numbers(found.train_images) % 10)
        np.testing.assert_array_equal(found.validation_labels, numbers(found.validation_images) % 10)


@pytest.mark.parametrize("validation", ["test", "fold"])
def test_smaller_subset_is_a_prefix_of_a_larger_one(full_size, validation):
    sizes = [split(full_size, fraction(n, validation), 7).train_images for n in (1, 1_000, 10_000, 50_000)]
    for small, large in itertools.pairwise(sizes):
        np.testing.assert_array_equal(small, large[: len(small)])
    assert len(set(numbers(sizes[-1]))) == 50_000


def test_subset_with_the_fold_is_the_subset_without_less_the_fold(full_size):
    everything = numbers(split(full_size, fraction(60_000), 7).train_images)
    fold = numbers(split(full_size, fraction(50_000, "fold"), 7).train_images)
    np.testing.assert_array_equal(fold, everything[everything < 50_000])


def test_fold_is_the_last_10000_training_images_for_every_seed_and_none_is_trained_on(full_size):
    for seed in range(3):
        found = split(full_size, fraction(50_000, "fold"), seed)
        np.testing.assert_array_equal(numbers(found.validation_images), np.arange(50_000, 60_000))
        assert set(numbers(found.train_images)) == set(range(50_000))


def test_validation_on_test_images_leaves_all_training_images(full_size):
    found = split(full_size, fraction(60_000), 3)
    np.testing.assert_array_equal(numbers(found.validation_images), np.arange(60_000, 70_000))
    assert set(numbers(found.train_images)) == set(range(60_000))


def test_small_data_set_holds_out_its_last_sixth():
    found = split(numbered(90, 12), fraction(75, "fold"), 0)
    np.testing.assert_array_equal(numbers(found.validation_images), np.arange(75, 90))


def test_seeds_draw_differently_and_a_subset_seed_takes_their_place(full_size):
    drawn = [numbers(split(full_size, fraction(100), seed).train_images) for seed in (0, 1)]
    assert not np.array_equal(*drawn)
    for seed, subset_seed in itertools.product((0, 1, 2), (0, 1)):
        same = split(full_size, fraction(100, subset_seed=subset_seed), seed)
        np.testing.assert_array_equal(numbers(same.train_images), drawn[subset_seed])


def test_subset_draws_evenly():
    """Each of 40 images is in the first 10 of a permutation with probability 1/4: chi-squared over 4,000 seeds."""
    counts = np.zeros(40)
    for seed in range(4_000):
        counts[subset(40, 40, 10, seed)] += 1
    # Drawn without replacement: the statistic with the binomial variance, times 39/40, is chi-squared with 39 degrees
    # of freedom; the seeds are fixed, so this never flickers.
    statistic = ((counts - 1_000) ** 2 / (4_000 * 0.25 * 0.75)).sum() * 39 / 40
    low, high = scipy.stats.chi2.interval(0.9998, 39)
    assert low < statistic < high
