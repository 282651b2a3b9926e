"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from refashion.inference.evidence import image_margin
from refashion.inference.power import operating_characteristics


@pytest.mark.parametrize("shift", [0.0, 0.4, 0.6])
def test_operating_characteristics_against_the_integral(shift):
    # one claim, published number without error: P(reproduced) = P(|d| + t(.95, n - 1) s / sqrt(n) <= D), over s
    n, sd, margin = 6, 0.2, 0.53

    def density(u):
        room = margin - stats.t.ppf(0.95, n - 1) * sd * math.sqrt(u / (n - 1) / n)
        se = sd / math.sqrt(n)
        return stats.chi2.pdf(u, n - 1) * max(
            0.0, stats.norm.cdf((room - shift) / se) - stats.norm.cdf((-room - shift) / se)
        )

    exact = integrate.quad(density, 0, 60, limit=200)[0]
    oc = operating_characteristics([n], [sd], [margin], [shift], seed=3, repetitions=20_000, published_is_a_run=False)
    assert oc.reproduced[0][0] == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4)


def test_operating_characteristics_shape_and_totals():
    oc = operating_characteristics([10, 5, 1], [0.2, 0.2, 0.2], [0.53, 0.58, 0.5], [0, 0.6, 1.2], seed=1)
    assert np.shape(oc.reproduced) == np.shape(oc.not_reproduced) == np.shape(oc.inconclusive) == (3, 3)
    assert np.add(np.add(oc.reproduced, oc.not_reproduced), oc.inconclusive) == pytest.approx(np.ones((3, 3)))
    assert [row[2] for row in oc.inconclusive] == [1, 1, 1]  # one seed never decides
    assert oc.reproduced[0][0] > oc.reproduced[0][1]  # ten seeds more often than five
    assert oc.monte_carlo_error == pytest.approx(1.96 * math.sqrt(0.25 / 2000), rel=1e-4)


def test_operating_characteristics_meet_the_study_s_bounds():
    # n = 10, SD .2 pp, the six published accuracies: at least 90% right at a true shift of 0 and of 1.2 pp
    margins = [image_margin(x, 10_000) for x in (91.97, 90.29, 89.92, 92.51, 92.11, 91.39)]
    oc = operating_characteristics([10] * 6, [0.2] * 6, margins, [0, 1.2], seed=0, repetitions=1_000)
    assert min(oc.reproduced[0]) >= 0.9
    assert min(oc.not_reproduced[1]) >= 0.9
