"""What every function of the room promises: no NaN, a reason, the same output for the same input."""

import dataclasses
import json
import math
import warnings

import numpy as np
import pytest

from refashion.inference.contrasts import paired_comparison, paired_contrast, welch_contrast
from refashion.inference.evidence import weigh, with_margin
from refashion.inference.factorial import anova
from refashion.inference.intervals import new_images_interval, prediction_interval, t_interval
from refashion.inference.power import operating_characteristics
from refashion.inference.ranks import rank_probabilities
from refashion.inference.seeds import stein_seeds
from refashion.inference.variance import image_noise, variance_components
from refashion.inference.verdicts import judge_family
from worked_examples import cells, sample

SMALL = {"no seed": [], "one seed": [91.5], "two equal": [91.5, 91.5], "two": [91.4, 91.7], "constant": [91.97] * 6}


def every_result(x):
    """Results of every function on the sample x of any size, in all the arrangements that it allows."""
    x = np.asarray(x, float)
    grid = np.array([x, x])
    correct = np.tile(np.arange(10) % 3 > 0, (x.size, 1)).reshape(x.size, 10)
    family = [weigh(x, 91.97, 0.53), weigh(x, 91.5, 0.5, 0.02), weigh(x, 92.8, 0.5, diverged=2)]
    family += [weigh(x, 91.97, 0.53, printed_runs=3, printed_sd=sd) for sd in (None, 0.0, 0.2)]
    yield from (t_interval(x), t_interval(x, pilot=2), prediction_interval(x))
    yield prediction_interval(x, image_variance=0.1)
    yield from (welch_contrast([x, [91.0, 92.0]], [1, -1]), *family)
    yield from (*judge_family(family), *judge_family([with_margin(e, 0.0) for e in family]))
    yield from (paired_comparison(x, x, seed=1), paired_comparison(x, x + 0.1, seed=1))
    yield from (paired_comparison(x, x[::-1] * 1.001, seed=1), new_images_interval(correct))
    yield from (new_images_interval(correct[:, :1]), image_noise(correct))
    labels = {"cell": ["a"] * x.size + ["b"] * x.size}
    if x.size > 1:
        yield from (anova(grid.ravel(), labels), anova(grid.ravel(), labels, [*range(x.size)] * 2))
    yield from (welch_contrast(grid, [1, -1]), paired_contrast(grid, [1, -1]), paired_contrast(grid, [1, 1]))
    yield from (*variance_components(grid), *variance_components(grid.T))


@pytest.mark.parametrize("name", SMALL)
def test_degenerate_input_gives_no_nan_no_warning_and_a_reason(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = list(every_result(SMALL[name]))
    for result in results:
        fields = dataclasses.asdict(result)
        json.dumps(fields, allow_nan=False)  # plain Python types, neither NaN nor infinity
        fields.pop("printed_sd", None)
        if None in fields.values() and "reason" in fields:
            assert fields["reason"].startswith("cannot say"), result


@pytest.mark.parametrize("name", ["no seed", "one seed"])
def test_too_few_seeds_have_a_mean_at_most(name):
    x = SMALL[name]
    mean = x[0] if x else None
    interval = t_interval(x)
    assert (interval.mean, interval.sd, interval.low, interval.high, interval.half_width) == (mean, *[None] * 4)
    assert interval.n == len(x)
    comparison = paired_comparison(x, x, seed=0)
    assert (comparison.paired.estimate, comparison.paired.p) == (0.0 if x else None, None)
    assert comparison.a12 == (0.5 if x else None)


def test_constant_runs_decide_exactly():
    x = [91.97] * 5
    assert (t_interval(x).low, t_interval(x).high, t_interval(x).sd) == (91.97, 91.97, 0.0)
    assert prediction_interval(x).half_width == 0
    inside, outside, edge = weigh(x, 91.7, 0.5), weigh(x, 90.0, 0.5), weigh([92.0] * 5, 91.5, 0.5)
    assert (inside.p_rep, outside.p_rep, edge.p_rep) == (0.0, 1.0, 1.0)
    same = paired_contrast([x, [91.0] * 5], [1, -1])
    assert (same.p_above(), same.p_below(), same.p_above(0.97)) == (0.0, 1.0, 1.0)
    same, near, far = judge_family([weigh(x, p, 0.5) for p in (91.97, 91.7, 90.0)])
    assert (same.verdict, same.typicality) == ("reproduced", "typical")
    assert (near.verdict, near.typicality) == ("reproduced", "atypical")
    assert far.verdict == "not reproduced"
    at_the_margin = judge_family([weigh([92.0] * 5, 91.5, 0.5)])[0]
    assert (at_the_margin.verdict, at_the_margin.seeds_needed) == ("inconclusive", None)


@pytest.mark.parametrize("bad", [[1.0, math.nan], [1.0, math.inf], [[1.0, 2.0]], 3.0])
def test_what_is_no_sample_is_refused(bad):
    with pytest.raises(ValueError, match=r"expected (finite numbers|an array of 1 dimensions)"):
        t_interval(bad)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_number_that_is_none_is_refused_beside_a_sample_too(bad):
    x = sample(5, 91, 0.2)
    for call in (
        lambda: weigh(x, bad, 0.5),
        lambda: weigh(x, 91, bad),
        lambda: weigh(x, 91, 0.5, bad),
        lambda: weigh(x, 91, 0.5, printed_runs=2, printed_sd=bad),
        lambda: welch_contrast([x, x], [1, -1]).p_above(bad),
        lambda: stein_seeds(x, bad),
        lambda: prediction_interval(x, image_variance=bad),
        lambda: welch_contrast([x, x], [1, bad]),
        lambda: operating_characteristics(cells([5], [0.2], [0.5]), [bad], published_is_a_run=True, seed=0),
    ):
        with pytest.raises(ValueError, match="expected finite numbers"):
            call()


def test_same_input_same_output_and_no_global_state():
    a, b = sample(30, 91, 0.2, seed=1), sample(30, 91.1, 0.2, seed=2)
    family = cells([5, 10], [0.2, 0.3], [0.5, 0.5])

    def results(seed):
        return (
            paired_comparison(a, b, seed=seed),
            rank_probabilities([a, b, b[::-1]], seed=seed),
            operating_characteristics(family, [0, 0.6], published_is_a_run=True, seed=seed).tolist(),
        )

    np.random.seed(0)
    first, state = results(11), np.random.get_state()[1].copy()
    np.random.seed(1)
    assert results(11) == first
    np.random.seed(0)
    results(11)
    assert (np.random.get_state()[1] == state).all()
    assert all(x != y for x, y in zip(results(12), first, strict=True))


def test_input_is_not_changed():
    a, b = sample(8, 91, 0.2), sample(8, 91.1, 0.2, seed=1)
    before = a.copy(), b.copy()
    list(every_result(a))
    paired_comparison(a, b, seed=0)
    rank_probabilities(np.array([a, b]), seed=0)
    assert (a == before[0]).all()
    assert (b == before[1]).all()


def test_results_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        t_interval([1, 2, 3]).mean = 0
