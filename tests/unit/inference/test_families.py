"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from refashion.inference.families import benjamini_hochberg, holm, holm_along, holm_level

BH_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1,
]  # fmt: skip


def test_holm_and_benjamini_hochberg_of_the_1995_paper():
    # Benjamini & Hochberg 1995, JRSS B 57, 289-300: their procedure rejects 4 at .05, Holm 3
    assert sum(p <= 0.05 for p in benjamini_hochberg(BH_1995)) == 4
    assert sum(p <= 0.05 for p in holm(BH_1995)) == 3
    assert holm(BH_1995) == pytest.approx(multipletests(BH_1995, method="holm")[1], rel=1e-12)
    assert benjamini_hochberg(BH_1995) == pytest.approx(multipletests(BH_1995, method="fdr_bh")[1], rel=1e-12)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_adjusted_p_values_keep_order_and_gaps(adjust):
    assert adjust([0.04, None, 0.01]) == pytest.approx(
        (*adjust([0.04, 1.0, 0.01])[:1], None, adjust([0.04, 1.0, 0.01])[2])
    )
    assert adjust([None]) == (None,)
    assert adjust([]) == ()
    p = np.random.default_rng(0).random(9)
    order = np.random.default_rng(1).permutation(9)
    assert adjust(p[order]) == pytest.approx(tuple(np.array(adjust(p))[order]))


def test_holm_along_an_axis_is_statsmodels_family_by_family():
    p = np.random.default_rng(0).random((50, 6)) ** 3
    expected = [multipletests(row, method="holm")[1] for row in p]
    assert holm_along(p) == pytest.approx(np.array(expected), rel=1e-12)


def test_holm_level_is_where_holm_begins_to_reject():
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = list(rng.random(rng.integers(1, 7)) ** 4)
        i = int(rng.integers(len(p)))
        level = holm_level(p, i, 0.05)
        for own, rejected in ((level * (1 - 1e-9), True), (level * (1 + 1e-9), False)):
            assert (holm([*p[:i], own, *p[i + 1 :]])[i] <= 0.05) == rejected


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize("bad", [-0.01, 1.01, np.nan])
def test_what_is_no_p_value_is_refused(adjust, bad):
    with pytest.raises(ValueError, match=r"p-value lies between 0 and 1|finite"):
        adjust([0.5, bad])


def test_holm_level_counts_a_hypothesis_at_its_level_as_rejected_and_one_without_p_as_not():
    # .025 * 2 = .05: rejected, so that the other is compared with the whole level
    assert holm_level([0.5, 0.025], 0, 0.05) == 0.05
    assert holm_level([0.5, 0.0251], 0, 0.05) == 0.025
    assert holm_level([0.5, None, 0.01], 0, 0.05) == 0.025
