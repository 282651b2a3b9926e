"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from refashion.inference.evidence import weigh
from refashion.inference.verdicts import Cause, judge_family, margin_sensitivity, overall_verdict
from worked_examples import one_of_each_verdict, sample


def test_judge_family_gives_each_verdict_its_cause():
    verdicts = judge_family(one_of_each_verdict())
    assert [v.verdict for v in verdicts] == [
        "reproduced", "reproduced", "not reproduced", "inconclusive", "inconclusive", "inconclusive", "inconclusive",
        "inconclusive",
    ]  # fmt: skip
    assert [v.closeness for v in verdicts] == ["close", "close", "far", "open", "open", None, None, None]
    a, b = "typical", "atypical"
    assert [v.typicality for v in verdicts] == [a, b, b, a, a, None, None, a]
    assert [v.cause for v in verdicts] == [
        Cause.CLOSE, Cause.CLOSE, Cause.FAR, Cause.IMPRECISE, Cause.ONE_RUN, Cause.NO_TEST, Cause.NO_TEST,
        Cause.DIVERGED,
    ]  # fmt: skip


def test_a_far_mean_may_be_too_near_for_one_of_several_claims():
    # 2.2 SD off: p_run tends to .028, below .05 but above .05 / 4 with whatever number of seeds
    family = [weigh(sample(40, 90.0 + 2.2, 1.0), 90.0, 0.5)] + [weigh([90.0], 90.0, 0.5)] * 3
    verdict = judge_family(family)[0]
    assert (verdict.verdict, verdict.closeness, verdict.typicality) == ("inconclusive", "far", "atypical")
    assert verdict.seeds_needed is None
    assert verdict.cause == Cause.NEAR_RUNS
    assert judge_family(family[:1])[0].verdict == "not reproduced"


def test_what_only_the_correction_leaves_open_says_so():
    family = [weigh(sample(5, 90.6, 0.35), 92.11, 0.53)] + [weigh([90.0], 90.0, 0.5)] * 6
    alone, together = judge_family(family[:1])[0], judge_family(family)[0]
    assert (alone.verdict, together.verdict) == ("not reproduced", "inconclusive")
    assert (together.cause, together.family_size) == (Cause.CORRECTED, 7)
    assert together.p_not == pytest.approx(7 * family[0].p_not)
    assert together.seeds_needed > 5


def test_fewer_than_five_runs_forecast_no_number_of_seeds():
    few, enough = (judge_family([weigh(sample(n, 92.3, 0.3), 92.0, 0.5)])[0] for n in (4, 5))
    assert few.verdict == enough.verdict == "inconclusive"
    assert few.seeds_needed is None
    assert enough.seeds_needed > 5


def test_a_diverged_run_keeps_its_claim_and_the_family_from_more():
    sure, other = sample(10, 92.0, 0.1), weigh(sample(6, 92.2, 0.2), 92, 0.5)
    clean, diverged = (judge_family([weigh(sure, 92, 0.5, diverged=k), other]) for k in (0, 2))
    assert [v.verdict for v in clean] == ["reproduced", "reproduced"]
    assert diverged[0].verdict == "inconclusive"
    assert diverged[0].cause == Cause.DIVERGED
    assert (diverged[0].p_rep, diverged[0].break_even_reproduced) == (None, None)
    assert diverged[1].p_rep == pytest.approx(2 * clean[1].p_rep)  # p = 1 beside it, where Holm had gone a step down
    assert judge_family([weigh([], 92, 0.5, diverged=3)])[0].cause == Cause.DIVERGED


def test_judge_family_corrects_by_holm():
    family = [weigh(sample(6, 92 + shift, 0.2), 92, 0.5) for shift in (0, 0.2, 0.25, 0.3, 1.0, 1.3)]
    verdicts = judge_family(family)
    for field in ("p_rep", "p_not"):
        expected = multipletests([getattr(e, field) for e in family], method="holm")[1]
        assert [getattr(v, field) for v in verdicts] == pytest.approx(expected, rel=1e-12)
    for verdict in verdicts:
        assert (verdict.verdict == "reproduced") == (verdict.p_rep <= 0.05)
        assert (verdict.verdict == "not reproduced") == (verdict.p_not <= 0.05)


def test_a_claim_without_runs_stays_in_the_family():
    e = weigh(sample(6, 92.2, 0.2), 92, 0.5)
    alone, among = judge_family([e])[0], judge_family([e, weigh([], 91, 0.5)])[0]
    assert among.p_rep == pytest.approx(2 * alone.p_rep)
    assert judge_family([]) == ()


@pytest.mark.parametrize("mean", [91.2, 91.75, 92.28, 92.6, 92.9, 93.4])
def test_break_even_margins_are_where_the_verdict_turns(mean):
    # three others reproduced, one not: Holm asks .05 / 2 of p_rep and .05 / 4 of p_not
    others = [weigh(sample(6, 92 + shift, 0.2, seed=1), 92, 0.5) for shift in (0.0, 0.02, 0.05, 1.5)]
    x = sample(6, mean, 0.2)

    def word(margin):
        return judge_family([*others, weigh(x, 92, margin)])[-1].verdict

    verdict = judge_family([*others, weigh(x, 92, 0.5)])[-1]
    assert word(verdict.break_even_reproduced + 1e-7) == "reproduced"
    assert word(verdict.break_even_reproduced - 1e-7) != "reproduced"
    if verdict.break_even_not_reproduced is None:
        assert word(0.0) != "not reproduced"
    else:
        assert word(verdict.break_even_not_reproduced - 1e-7) == "not reproduced"
        assert word(verdict.break_even_not_reproduced + 1e-7) != "not reproduced"


def test_break_even_margins_exist_on_both_sides():
    verdict = judge_family([weigh(sample(6, 93.4, 0.2), 92, 0.5)])[0]
    assert 0 < verdict.break_even_not_reproduced < 1.4 < verdict.break_even_reproduced


@pytest.mark.parametrize(("mean", "sd"), [(92.4, 0.3), (92.1, 0.6), (92.8, 0.3)])
def test_seeds_needed_decide_in_80_of_100_new_studies_of_the_family(mean, sd):
    others = [weigh(sample(5, 92 + shift, 0.2, seed=1), 92, 0.5) for shift in (0.1, 1.3)]
    start = judge_family([*others, weigh(sample(5, mean, sd), 92, 0.5)])[-1]
    assert start.verdict == "inconclusive"
    rng, repetitions = np.random.default_rng(0), 500
    studies = rng.normal(mean, sd, (repetitions, start.seeds_needed))
    decided = np.mean([judge_family([*others, weigh(x, 92, 0.5)])[-1].verdict != "inconclusive" for x in studies])
    assert decided == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / repetitions))


def test_seeds_needed_does_not_exist_for_a_lucky_run_or_at_the_margin():
    lucky, margin = judge_family([weigh(sample(20, 91.3, 0.6), 92, 0.5), weigh(sample(20, 91.5, 0.2), 92, 0.5)])
    assert lucky.seeds_needed is None
    assert lucky.cause == Cause.ONE_RUN
    assert margin.seeds_needed is None
    assert margin.cause == Cause.AT_MARGIN


def test_margin_sensitivity_is_the_rule_at_other_margins():
    samples = [sample(8, 92 + shift, 0.15) for shift in (0.05, 0.35, 0.8)]
    family = [weigh(x, 92, 0.53, image_variance=v) for x, v in zip(samples, (0, 0.01, 0), strict=True)]
    table = margin_sensitivity(family, [0.25, 0.5, 1.0])
    assert list(table) == [0.25, 0.5, 1.0]
    for margin, verdicts in table.items():
        again = [weigh(x, 92, margin, image_variance=v) for x, v in zip(samples, (0, 0.01, 0), strict=True)]
        assert verdicts == judge_family(again)
    # SE .053 pp: p_rep of the first is t.sf((.25 - .05) / .053, 7) = .0035, three times that below .05, and so on
    assert [v.verdict for v in table[0.25]] == ["reproduced", "inconclusive", "not reproduced"]
    assert [v.verdict for v in table[1.0]] == ["reproduced"] * 3


@pytest.mark.parametrize(
    ("verdicts", "overall"),
    [
        (["reproduced", "reproduced"], "robust"),
        (["inconclusive", "inconclusive"], "unsettled"),
        (["not reproduced", "inconclusive", "not reproduced"], "unsettled"),
        (["reproduced", "not reproduced"], "specification-dependent"),
        (["reproduced", "inconclusive", "not reproduced"], "specification-dependent"),
        (["reproduced", "not testable"], "one reading"),
        (["not testable"], "not testable"),
        ([], "not testable"),
    ],
)
def test_overall_verdict(verdicts, overall):
    assert overall_verdict(verdicts) == overall
