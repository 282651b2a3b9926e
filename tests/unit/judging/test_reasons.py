"""The sentences that explain a verdict."""

import pytest

from refashion.inference.evidence import weigh
from refashion.inference.verdicts import Cause, judge_family, judge_one
from refashion.judging.reasons import reason_of
from worked_examples import one_of_each_cause, sample


def reason(*family):
    return reason_of(family[0], judge_family(family)[0])


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause.CLOSE, "the mean of 10 runs is 0.10 pp above the published 92.00, closer than the margin of 0.50 pp"),
        (Cause.FAR, "1.50 pp below the published 92.00, farther than the margin of 0.50 pp, and the published number"),
        (Cause.DIVERGED, "1 of 10 runs diverged"),
        (Cause.NO_TEST, "cannot say, because one seed gives no interval"),
        (Cause.IMPRECISE, "imprecise: the mean of 10 runs is 0.40 pp above the published 92.00, against a margin of"),
        (Cause.AT_MARGIN, "too near the margin of 0.50 pp for 1,000 seeds to decide"),
        (Cause.PRINTED_MEAN, "the published mean of 2 runs, 92.00, itself known too roughly for a margin of 0.50 pp"),
        (Cause.ONE_RUN, "farther than the margin of 0.50 pp though not surely, and one lucky run would give it"),
        (Cause.NEAR_RUNS, "farther than the margin of 0.50 pp, yet, for one of several claims, too near where single"),
    ],
)
def test_each_cause_has_its_words(cause, words):
    assert words in reason(*one_of_each_cause()[cause])


def test_what_only_the_correction_leaves_open_says_so():
    family = one_of_each_cause()[Cause.CORRECTED]
    p, seeds = family[0].p_not, judge_family(family)[0].seeds_needed
    assert reason(*family) == (
        "the mean of 5 runs is 1.51 pp below the published 92.00, by itself farther than the margin of 0.50 pp "
        f"(p = {p:.2g}), but not as one of 7 tests of its kind (p = {7 * p:.2g}); "
        f"if mean and SD stayed, 80 of 100 studies planned with {seeds} seeds would decide"
    )


@pytest.mark.parametrize(
    ("x", "published", "words"),
    [
        (sample(10, 91.6, 0.05), 92.0, "closer than the margin of 0.50 pp, though the published number lies outside"),
        (sample(20, 92.7, 0.6), 92.0, " one unlucky run would give it"),
        (sample(5, 92.3, 0.3), 92.0, "would decide"),
        (sample(5, 99.0, 0.58), 96.0, "single runs fall (97.24 to 100.00)"),  # nowhere above 100
        ([], 92.0, "cannot say, because there is no finished run"),
    ],
)
def test_what_else_a_reason_says(x, published, words):
    assert words in reason(weigh(x, published, 0.5))


def test_the_spread_of_four_runs_forecasts_nothing():
    assert "would decide" not in reason(weigh(sample(4, 92.3, 0.3), 92.0, 0.5))


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (7, "but not as one of 7 tests of its kind at a look that spends 20% of the level (p = 0.15)"),
        (1, "but not at a look that spends 20% of the level (p = 0.15)"),
    ],
)
def test_what_only_a_look_leaves_open_says_so(size, words):
    e = weigh(sample(10, 92.2, 0.25), 92.0, 0.5)
    assert words in reason_of(e, judge_one(e, 0.15, 1.0, 0.05 / size, 0.05 / size, size, 0.2))
