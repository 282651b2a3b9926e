"""The rule of looks against worked examples, and its parts against independent computations."""

import math

import numpy as np
import pytest
from scipy import stats

from refashion.inference import looks
from refashion.inference.distances import Distances
from refashion.inference.evidence import weigh
from refashion.inference.looks import Difference, State
from refashion.inference.verdicts import judge_family

SPEND = (0.01, 0.04)


def a_look(p_rep, p_not=None, chance=1.0):
    """A look with these p-values, and the same chance for all members."""
    p_rep = np.array(p_rep, float)
    p_not = 1 - p_rep if p_not is None else np.array(p_not, float)
    return looks.Look(p_rep, p_not, lambda level_rep, level_not: np.broadcast_to(chance, p_rep.shape))


def states(course):
    return [State(state).name for state in course.state]


def test_a_decided_member_counts_as_rejected_at_later_looks():
    """By hand. Look 1 at .01: 3 x .003 = .009 is in, 2 x .006 = .012 is not. Look 2 at .04: 2 x .02 and 1 x .04 are."""
    first, second = a_look([0.003, 0.006, 0.5]), a_look([0.9, 0.02, 0.04])
    assert states(looks.follow([first], SPEND)) == ["REPRODUCED", "OPEN", "OPEN"]
    course = looks.follow([first, second], SPEND)
    assert states(course) == ["REPRODUCED"] * 3
    assert course.look.tolist() == [0, 1, 1]
    # Holm's p-values times .05 / .01 at the first look, times .05 / .04 at the second
    assert course.p_rep == pytest.approx([0.009 * 5, 0.04 * 1.25, 0.04 * 1.25])


def test_a_decided_member_counts_as_one_in_the_other_direction():
    """Two members, one reproduced: the other is "not reproduced" at .04 / 2, as one of two."""
    first = a_look([0.001, 0.5])
    for p, word in ((0.02, "NOT_REPRODUCED"), (0.021, "OPEN")):
        course = looks.follow([first, a_look([0.5, 1.0], [0.0, p])], SPEND)
        assert states(course) == ["REPRODUCED", word]


def test_a_member_that_stopped_is_never_decided_and_stays_in_the_family():
    first = looks.Look(np.array([0.5, 0.5]), np.ones(2), lambda *levels: np.array([0.04, 0.05]))
    course = looks.follow([first, a_look([0.0, 0.021])], SPEND)
    assert states(course) == ["STOPPED", "OPEN"]
    assert states(looks.follow([first, a_look([0.0, 0.02])], SPEND)) == ["STOPPED", "REPRODUCED"]


def test_no_member_stops_at_the_last_look():
    assert states(looks.follow([a_look([0.5]), a_look([0.5], chance=0.0)], SPEND)) == ["OPEN"]


def test_one_member_settles_its_claim():
    claims = (0, 1, 1)
    course = looks.follow([a_look([0.5, 0.001, 0.5])], SPEND, claims)
    assert states(course) == ["OPEN", "REPRODUCED", "SETTLED"]
    against = a_look([0.5, 0.9, 0.5], [0.5, 0.001, 0.5])
    assert states(looks.follow([against], SPEND, claims)) == ["OPEN", "NOT_REPRODUCED", "OPEN"]
    assert states(looks.follow([against], SPEND, claims, State.NOT_REPRODUCED)) == ["OPEN", "NOT_REPRODUCED", "SETTLED"]


def test_a_single_look_is_the_verdict_of_the_family():
    rng = np.random.default_rng(1)
    family = [weigh(rng.normal(92 + shift, 0.2, 5), 92, 0.53) for shift in (0, 0.1, 0.4, 0.8, -1.2, 2.0)]
    verdicts = judge_family(family)
    course = looks.follow([looks.numbers(family, 5)], (0.05,))
    words = {State.REPRODUCED: "reproduced", State.NOT_REPRODUCED: "not reproduced", State.OPEN: "inconclusive"}
    assert [words[State(state)] for state in course.state] == [verdict.verdict for verdict in verdicts]
    assert course.p_rep == pytest.approx([verdict.p_rep_adjusted for verdict in verdicts])
    assert course.p_not == pytest.approx([verdict.p_not_adjusted for verdict in verdicts])


def test_the_p_values_that_are_told_decide():
    """A member is decided exactly where one of its p-values is at most the whole level."""
    rng = np.random.default_rng(2)
    held = [a_look(rng.random((500, 4)) ** 4, rng.random((500, 4)) ** 4) for _ in SPEND]
    course = looks.follow(held, SPEND)
    decided = (course.state == State.REPRODUCED) | (course.state == State.NOT_REPRODUCED)
    assert 0.1 < decided.mean() < 0.9
    assert np.array_equal(decided, np.minimum(course.p_rep, course.p_not) <= sum(SPEND) * (1 + 1e-12))


def test_a_diverged_run_stops_a_number_and_one_run_does_not():
    family = [weigh([92.0, 92.1], 92, 0.5, diverged=1), weigh([92.0], 92, 0.5), weigh([], 92, 0.5)]
    course = looks.follow([looks.numbers(family, 40)], SPEND)
    assert states(course) == ["STOPPED", "OPEN", "OPEN"]
    assert course.p_rep.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("difference", "expected"), [(0.0, 1.0), (0.5, 1.0), (0.6, 1.0), (0.53, 0.0)])
def test_without_spread_the_chance_is_whether_it_is_decided(difference, expected):
    found = looks.chance_for_number(Distances(difference, 0.0, 5, 0.53), 40, 0.02, 0.02)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("image_variance", [0.0, 0.04])
@pytest.mark.parametrize("difference", [0.1, 0.45, 0.8, -1.1])
def test_the_chance_is_that_of_simulated_runs_to_come(difference, image_variance):
    """Runs drawn from what five say of mean and SD (the flat prior's posterior); SD as it is at the last look."""
    rng, sd, n, most, margin, level, repetitions = np.random.default_rng(3), 0.3, 5, 40, 0.53, 0.02 / 6, 20_000
    sigma = sd * np.sqrt((n - 1) / rng.chisquare(n - 1, repetitions))
    truth = difference + sigma / math.sqrt(n) * rng.standard_normal(repetitions)
    to_come = truth + sigma / math.sqrt(most - n) * rng.standard_normal(repetitions)
    mean = (n * difference + (most - n) * to_come) / most
    p_rep, p_far, p_run = Distances(mean, sd, most, margin, image_variance).p_values()
    share = ((p_rep <= level) | (np.maximum(p_far, p_run) <= level)).mean()
    found = looks.chance_for_number(Distances(difference, sd, n, margin, image_variance), most, level, level)
    assert found == pytest.approx(share, abs=4 * math.sqrt(0.25 / repetitions))


def test_stated_differences_are_one_sided_t_tests():
    rng = np.random.default_rng(4)
    runs = rng.normal(0.2, 0.3, (3, 6))
    look = looks.differences(Difference(runs.mean(1), stats.sem(runs, axis=1), 5, 6), 40)
    for side, found in (("greater", look.p_rep), ("less", look.p_not)):
        assert found == pytest.approx(stats.ttest_1samp(runs, 0, axis=1, alternative=side).pvalue)


def test_a_difference_without_a_pair_has_no_test_and_one_that_diverged_no_chance():
    sure = Difference(excess=0.5, se=0.04, df=4, n=5)
    look = looks.stated([sure, Difference(excess=0.5, n=1), sure._replace(diverged=True)], 40)
    assert np.isnan(look.p_rep).tolist() == [False, True, True]
    assert states(looks.follow([look], SPEND)) == ["REPRODUCED", "OPEN", "STOPPED"]


def test_the_chance_of_a_difference_is_that_of_its_two_directions():
    """Closed form: with 10 of 40 runs, mean .1 and SD .4, the last mean is .1 + .4 sqrt(1/10 - 1/40) t(9)."""
    look = looks.stated([Difference(excess=0.1, se=0.4 / math.sqrt(10), df=9, n=10)], 40)
    spread, bound = 0.4 * math.sqrt(1 / 10 - 1 / 40), stats.t.ppf(0.99, 39) * 0.4 / math.sqrt(40)
    expected = stats.t.sf((bound - 0.1) / spread, 9) + stats.t.cdf((-bound - 0.1) / spread, 9)
    assert look.chance(0.01, 0.01) == pytest.approx([expected])


def test_futility_asks_for_the_chance_at_the_last_looks_level_shared_out_as_holm_will():
    """Two of four are reproduced: .04 over two in that direction, over four in the other. None is left: over one."""
    asked = []

    def a_look_that_is_asked(p_rep):
        def chance(level_rep, level_not):
            asked.append((level_rep.tolist(), level_not.tolist()))
            return np.full(len(p_rep), 0.5)

        return looks.Look(np.array(p_rep), np.ones(len(p_rep)), chance)

    spend = (0.005, 0.01, 0.04)
    course = looks.follow([a_look_that_is_asked([0.0001, 0.0001, 0.5, 0.5])], spend)
    assert states(course) == ["REPRODUCED", "REPRODUCED", "OPEN", "OPEN"]
    looks.follow([a_look_that_is_asked([0.0001, 0.0001])], spend)
    assert asked == [([0.02] * 4, [0.01] * 4), ([0.04] * 2, [0.02] * 2)]


def test_a_later_look_says_at_which_a_member_ended_and_p_is_at_most_one():
    course = looks.follow([a_look([0.001, 0.6], [0.9, 0.6]), a_look([0.5, 0.9], [0.5, 0.9])], SPEND)
    assert states(course) == ["REPRODUCED", "OPEN"]
    assert course.look.tolist() == [0, 1]
    assert course.p_rep.max() == course.p_not.max() == 1.0


def test_of_many_studies_each_has_its_own_course():
    """Arrays [study, member]: each row ends as it does alone, with members of one claim, and with p that is none."""
    rng = np.random.default_rng(4)
    p = rng.uniform(0, 0.06, (2, 30, 3))
    p[0, :, 1] = np.nan
    claims = (0, 1, 1)
    held = [looks.Look(x, np.where(np.isnan(x), np.nan, 1 - x), lambda a, b: np.full(a.shape, 0.5)) for x in p]
    course = looks.follow(held, SPEND, claims)
    assert {State(one) for one in course.state.flat} == {State.OPEN, State.REPRODUCED, State.SETTLED}
    for row in range(30):
        alone = [looks.Look(one.p_rep[row], one.p_not[row], lambda a, b: np.full(a.shape, 0.5)) for one in held]
        own = looks.follow(alone, SPEND, claims)
        assert np.array_equal(course.state[row], own.state)
        assert np.array_equal(course.p_rep[row], own.p_rep)


def test_a_member_has_the_chance_of_its_number_where_one_is_known():
    """Beside one run, of which nothing is known, and a diverged one; levels are each member's own."""
    far = weigh([91.6, 91.3, 91.5, 91.1, 91.4], 92, 0.53)
    look = looks.numbers([far, weigh([91.9], 92, 0.53), weigh([92.0, 92.2], 92, 0.53, diverged=1)], 20)
    chance = look.chance(np.array([0.01, 0.02, 0.03]), np.array([0.005, 0.02, 0.03]))
    alone = looks.chance_for_number(Distances(far.difference, far.sd, 5, 0.53), 20, 0.01, 0.005)
    assert 0.05 < alone < 0.95
    assert chance == pytest.approx([alone, 1.0, 0.0])


def test_two_runs_make_a_number_and_a_difference_that_have_a_chance():
    two = weigh([91.6, 91.1], 92, 0.53)
    [chance] = looks.numbers([two], 20).chance(np.array([0.01]), np.array([0.01]))
    assert chance == pytest.approx(looks.chance_for_number(Distances(two.difference, two.sd, 2, 0.53), 20, 0.01, 0.01))
    look = looks.stated([Difference(0.2, 0.1, 1, 2), Difference(), Difference(0.2, 0.1, 1, 2, True)], 20)
    assert look.p_rep == pytest.approx([stats.t.sf(2, 1), np.nan, np.nan], nan_ok=True)
    first, *others = look.chance(np.full(3, 0.01), np.full(3, 0.01))
    last = 0.1 * math.sqrt(2 / 20)
    bound = stats.t.isf(0.01, 19) * last
    to_come = 0.1 * math.sqrt(1 - 2 / 20)
    expected = stats.t.sf((bound - 0.2) / to_come, 1) + stats.t.cdf((-bound - 0.2) / to_come, 1)
    assert (first, *others) == pytest.approx((expected, 1.0, 0.0))
