"""The sentences that explain a verdict."""

from refashion.inference.evidence import weigh
from refashion.inference.verdicts import judge_family
from refashion.judging.reasons import reason_of
from worked_examples import one_of_each_verdict, sample


def reasons(family):
    return [reason_of(e, verdict) for e, verdict in zip(family, judge_family(family), strict=True)]


def test_each_verdict_has_its_reason():
    beginnings = [
        "the mean of 10 runs is 0.10 pp above the published 92.00, closer than the margin of 0.50 pp",
        "the mean of 10 runs is 0.40 pp below the published 92.00, closer than the margin of 0.50 pp, though",
        "the mean of 10 runs is 1.50 pp below the published 92.00, farther than the margin of 0.50 pp, and",
        "imprecise: the mean of 10 runs is 0.40 pp above the published 92.00, against a margin of 0.50 pp; ",
        "the mean of 10 runs is 1.00 pp below the published 92.00, farther than the margin of 0.50 pp though not",
        "cannot say, because one seed gives no interval",
        "cannot say, because there is no finished run",
        "1 of 10 runs diverged",
    ]
    for reason, beginning in zip(reasons(one_of_each_verdict()), beginnings, strict=True):
        assert reason.startswith(beginning), reason


def test_a_far_mean_may_be_too_near_for_one_of_several_claims():
    # 2.2 SD off: p_run tends to .028, below .05 but above .05 / 4 with whatever number of seeds
    family = [weigh(sample(40, 90.0 + 2.2, 1.0), 90.0, 0.5)] + [weigh([90.0], 90.0, 0.5)] * 3
    assert "yet, for one of several claims, too near where single runs fall" in reasons(family)[0]


def test_what_only_the_correction_leaves_open_says_so():
    family = [weigh(sample(5, 90.6, 0.35), 92.11, 0.53)] + [weigh([90.0], 90.0, 0.5)] * 6
    p, seeds = family[0].p_not, judge_family(family)[0].seeds_needed
    assert reasons(family)[0] == (
        "the mean of 5 runs is 1.51 pp below the published 92.11, by itself farther than the margin of 0.53 pp "
        f"(p = {p:.2g}), but not as one of 7 tests of its kind (p = {7 * p:.2g}); "
        f"if mean and SD stayed, 80 of 100 studies planned with {seeds} seeds would decide"
    )


def test_how_many_seeds_would_decide_is_said_of_five_runs_or_more():
    few, enough = (reasons([weigh(sample(n, 92.3, 0.3), 92.0, 0.5)])[0] for n in (4, 5))
    assert "would decide" not in few
    assert "would decide" in enough


def test_single_runs_fall_nowhere_above_100():
    assert "single runs fall (97.24 to 100.00)" in reasons([weigh(sample(5, 99.0, 0.58), 96.0, 0.5)])[0]


def test_lucky_and_unlucky_runs_and_the_margin():
    lucky, margin, unlucky = reasons(
        [weigh(sample(20, 91.3, 0.6), 92, 0.5), weigh(sample(20, 91.5, 0.2), 92, 0.5)]
    ) + reasons([weigh(sample(20, 92.7, 0.6), 92, 0.5)])
    assert " one lucky run would give it" in lucky
    assert "too near the margin of 0.50 pp for 1,000 seeds to decide" in margin
    assert " one unlucky run would give it" in unlucky
