"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import math

import numpy as np
import pytest
from scipy import stats

from refashion.inference.variance import ImageNoise, image_noise, nested_component, variance_components
from worked_examples import RATINGS


def test_variance_components_by_shrout_and_fleiss():
    rows, columns, residual = variance_components(RATINGS)
    # published: mean squares 11.24, 32.49, 1.02 and ICC(2, 1) = .29, the share of the targets
    assert rows.variance == pytest.approx((11.24 - 1.02) / 4, abs=2e-3)
    assert columns.variance == pytest.approx((32.49 - 1.02) / 6, abs=2e-3)
    assert residual.variance == pytest.approx(1.02, abs=5e-3)
    assert round(rows.share, 2) == 0.29
    assert rows.share + columns.share + residual.share == pytest.approx(1)
    # ICC(3, 1) = .71
    assert round(rows.variance / (rows.variance + residual.variance), 2) == 0.71
    assert (rows.f, columns.f) == pytest.approx((11.24 / 1.02, 32.49 / 1.02), rel=6e-3)


def test_variance_component_interval_is_where_its_two_exact_intervals_meet():
    # Tukey and Williams: the bound on the rows' variance v solves, with the residual variance e,
    # e + b v = SS_rows / chi2 quantile and b v / e = F / F quantile - 1
    (rows, _, residual), tail = variance_components(RATINGS), 0.025
    for bound, q in ((rows.low, 1 - tail), (rows.high, tail)):
        left = np.array([[1, 4], [1 - rows.f / stats.f.ppf(q, 5, 15), 4]])
        _, expected = np.linalg.solve(left, [5 * 11.241666666666667 / stats.chi2.ppf(q, 5), 0])
        assert bound == pytest.approx(expected, rel=1e-9)
    sse = 15 * 1.0194444444444444
    assert (residual.low, residual.high) == pytest.approx((sse / 27.4883928634, sse / 6.2621377950), rel=1e-9)


def test_a_component_of_groups_by_shrout_and_fleiss():
    component = nested_component([list(RATINGS)])
    # published: mean squares 11.24 between targets and 6.26 within them, ICC(1, 1) = .17
    assert component.variance == pytest.approx((11.24 - 6.26) / 4, abs=5e-3)
    assert round(component.share, 2) == 0.17
    assert component.p == pytest.approx(stats.f_oneway(*RATINGS).pvalue)
    assert component.low == 0 < component.variance < component.high


def test_a_component_of_groups_takes_each_cell_about_its_own_mean():
    rng = np.random.default_rng(0)
    cells = [[rng.normal(size=4), rng.normal(size=1)], [rng.normal(size=3), rng.normal(size=2)]]
    moved = [[group + shift for group in cell] for cell, shift in zip(cells, (0, 50), strict=True)]
    assert nested_component(moved).high == pytest.approx(nested_component(cells).high)
    assert nested_component([[rng.normal(size=4)]]) is None
    assert nested_component([[rng.normal(size=1), rng.normal(size=1)]]) is None


def test_negative_variance_components_are_cut_at_zero():
    # equal row and column means, residuals +-.5: mean squares 0, 0 and 1
    rows, _, residual = variance_components([[91.0, 92.0], [92.0, 91.0]])
    assert (rows.variance, rows.share, rows.f, rows.p) == (0, 0, 0, 1)
    assert (rows.low, rows.high) == (0, 0)
    assert (residual.variance, residual.share) == pytest.approx((1, 1))


def test_image_noise_by_hand():
    # three seeds, four images: q = 1, 2/3, 1/3, 0; p = 1/2; q (1 - q) = 0, 2/9, 2/9, 0 with mean 1/9; var q = 5/36
    correct = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], bool)
    result = image_noise(correct)
    assert result.within_images == pytest.approx(1e4 / 9 / 4 * 3 / 2)
    assert result.between_images == pytest.approx(1e4 * 5 / 36 / 4 - result.within_images / 3)
    assert result.between_images + result.within_images == pytest.approx(1e4 / 16)  # p (1 - p) / m, of p = 1/2
    assert result.seed_variance == pytest.approx(1e4 / 16)  # accuracies 3/4, 1/2, 1/4
    assert result.true_seed_variance == pytest.approx(4 / 3 * (1e4 / 16 - 1e4 / 24))


def test_image_noise_is_unbiased():
    # known truth: seed j is right on image i with chance q_i + a_j; averaged over many small data sets
    rng = np.random.default_rng(0)
    seeds, images, repetitions = 4, 40, 4_000
    q, a = rng.choice([0.2, 0.8], (repetitions, 1, images)), rng.choice([-0.15, 0.15], (repetitions, seeds, 1))
    noise = [image_noise(correct) for correct in rng.random((repetitions, seeds, images)) < q + a]
    true = np.array([(x.seed_variance - x.within_images) * images / (images - 1) for x in noise])  # before the cut at 0
    assert [x.true_seed_variance for x in noise] == pytest.approx(np.maximum(0, true))
    assert true.mean() == pytest.approx(1e4 * 0.15**2, abs=4 * true.std() / math.sqrt(repetitions))
    within = np.array([x.within_images for x in noise])
    # variance of one image over seeds: E q (1 - q) with q = .05, .35, .65, .95, plus var a; the seeds' share included
    expected = 1e4 * (0.2 * 0.8) / images
    assert within.mean() == pytest.approx(expected, abs=4 * within.std() / math.sqrt(repetitions))


def test_image_noise_of_identical_seeds():
    result = image_noise(np.tile([True, True, False], (5, 1)))
    assert (result.within_images, result.seed_variance, result.true_seed_variance) == (0, 0, 0)
    assert result.between_images == pytest.approx(1e4 * 2 / 9 / 3)  # p (1 - p) / m, of p = 2/3


def test_rows_and_columns_are_treated_alike_in_a_table_that_is_not_square():
    y = np.random.default_rng(7).normal(91, 0.3, (4, 6)) + np.linspace(0, 1.5, 6)
    rows, columns, residual = variance_components(y)
    for a, b in zip((columns, rows, residual), variance_components(y.T), strict=True):
        theirs = {key: value for key, value in vars(b).items() if value is not None}
        assert {key: value for key, value in vars(a).items() if value is not None} == pytest.approx(theirs, rel=1e-9)
    assert 0 < columns.low < columns.variance < columns.high


def test_a_table_without_residual_has_the_chi_squared_interval_of_its_rows_and_nothing_of_its_columns():
    rows, columns, _ = variance_components([[91.0, 91.0], [92.0, 92.0], [94.0, 94.0]])
    assert (rows.variance, rows.share, rows.f, rows.p) == (pytest.approx(7 / 3), pytest.approx(1), None, 0)
    assert (rows.low, rows.high) == pytest.approx([2 * 7 / 3 / stats.chi2.isf(q, 2) for q in (0.025, 0.975)])
    assert (columns.variance, columns.f, columns.p, columns.low, columns.high) == (0, None, 1, 0, 0)


def test_the_smallest_cells_that_have_a_component_of_groups():
    """Groups of two and of one run: means 91 and 92, SS between 2/3 with n0 = 3 - 5/3, SS within .02."""
    found = nested_component([[[90.9, 91.1], [92.0]]])
    between, within, size = 2 / 3, 0.02, 4 / 3
    variance = (between - within) / size
    assert (found.variance, found.f) == pytest.approx((variance, between / within))
    assert found.share == pytest.approx(variance / (variance + within))


def test_image_noise_of_the_least_that_there_can_be():
    opposite = image_noise([[True, False], [False, True]])
    assert (opposite.n, opposite.between_images, opposite.within_images) == (2, 0, pytest.approx(2500))
    assert (opposite.seed_variance, opposite.true_seed_variance) == (0, 0)
    two_images = image_noise([[True, True], [False, True]])  # accuracies 1 and 1/2; q = 1/2, 1
    assert two_images.true_seed_variance == pytest.approx((1e4 / 8 - 1e4 / 8) * 2)
    assert image_noise([[True], [False]]).true_seed_variance == 0
    assert image_noise([[True, False]]) == ImageNoise(n=1)
    assert image_noise(np.zeros((0, 2), bool)) == ImageNoise(n=0)
