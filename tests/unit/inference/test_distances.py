"""Distances of families against those of their members, and against closed forms."""

import numpy as np
import pytest

from refashion.inference.distances import Distances, chance_between
from refashion.inference.evidence import distances, weigh
from worked_examples import sample


def test_a_family_has_the_p_values_of_its_members():
    plain = [weigh(sample(n, 92 + shift, 0.2), 92, 0.5) for n, shift in ((5, 0.1), (8, -0.6), (2, 1.4))]
    printed = [weigh(sample(5, 92.4, 0.2), 92, 0.5, printed_runs=4, printed_sd=sd) for sd in (None, 0.3)]
    family = [*plain, *printed, weigh(sample(5, 92.7, 0.2), 92, 0.5, image_variance=0.02)]
    for found, name in zip(distances(family).p_values(), ("p_rep", "p_far", "p_run"), strict=True):
        assert found == pytest.approx([getattr(e, name) for e in family], rel=1e-6)


@pytest.mark.parametrize(("runs", "spread"), [(1, np.nan), (10, np.nan), (10, 0.2)])
@pytest.mark.parametrize("image_variance", [0.0, 0.04])
def test_bounds_are_where_p_values_meet_their_levels(runs, spread, image_variance):
    seen = Distances(0.0, 0.3, 8, 0.5, image_variance, runs, spread)
    near, far = seen.bounds(0.2, 0.01)
    assert seen._replace(difference=-near).p_values()[0] == pytest.approx(0.2)
    _, p_far, p_run = seen._replace(difference=far).p_values()
    assert max(p_far, p_run) == pytest.approx(0.01, rel=1e-5)


def test_the_chance_between_two_ends():
    assert chance_between(-1, 3, 1, 2 / 1.959963984540054, np.inf) == pytest.approx(0.95)  # the normal distribution
    centres = np.array([0.0, 5.0])
    assert chance_between(centres - 1, centres + 1, centres, 1.0, 1) == pytest.approx(0.5)  # Cauchy: P(|t| <= 1) = 1/2
    assert [chance_between(0.0, 1.0, centre, 0.0, 4) for centre in (0.5, -0.1, 1.1)] == [1, 0, 0]
