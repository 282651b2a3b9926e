"""Against published worked examples, closed forms and independent implementations; sources beside them."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from refashion.inference.evidence import weigh, with_margin
from refashion.inference.power import seeds_for_power
from refashion.inference.verdicts import Cause, judge_family, judge_one, overall_verdict
from worked_examples import one_of_each_cause, sample


@pytest.mark.parametrize(
    ("cause", "word", "closeness", "typicality"),
    [
        (Cause.CLOSE, "reproduced", "close", "typical"),
        (Cause.FAR, "not reproduced", "far", "atypical"),
        (Cause.DIVERGED, "inconclusive", None, "typical"),
        (Cause.NO_TEST, "inconclusive", None, None),
        (Cause.CORRECTED, "inconclusive", "far", "atypical"),
        (Cause.IMPRECISE, "inconclusive", "open", "typical"),
        (Cause.AT_MARGIN, "inconclusive", "open", "atypical"),
        (Cause.PRINTED_MEAN, "inconclusive", "open", "typical"),
        (Cause.ONE_RUN, "inconclusive", "open", "typical"),
        (Cause.NEAR_RUNS, "inconclusive", "far", "atypical"),
    ],
)
def test_each_verdict_has_its_cause(cause, word, closeness, typicality):
    verdict = judge_family(one_of_each_cause()[cause])[0]
    assert (verdict.verdict, verdict.cause, verdict.closeness, verdict.typicality) == (
        word,
        cause,
        closeness,
        typicality,
    )
    assert (verdict.seeds_needed is not None) == (cause in (Cause.CORRECTED, Cause.IMPRECISE))


@pytest.mark.parametrize("cause", [Cause.CORRECTED, Cause.NEAR_RUNS])
def test_only_its_family_leaves_such_a_claim_open(cause):
    family = one_of_each_cause()[cause]
    alone, together = judge_family(family[:1])[0], judge_family(family)[0]
    assert alone.verdict == "not reproduced"
    assert together.family_size == len(family)
    assert together.p_not_adjusted == pytest.approx(len(family) * family[0].p_not)


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
    assert (diverged[0].p_rep_adjusted, diverged[0].break_even_reproduced) == (None, None)
    assert diverged[1].p_rep_adjusted == pytest.approx(2 * clean[1].p_rep_adjusted)  # p = 1 beside it
    assert judge_family([weigh([], 92, 0.5, diverged=3)])[0].cause == Cause.DIVERGED


def test_judge_family_corrects_by_holm():
    family = [weigh(sample(6, 92 + shift, 0.2), 92, 0.5) for shift in (0, 0.2, 0.25, 0.3, 1.0, 1.3)]
    verdicts = judge_family(family)
    for field in ("p_rep", "p_not"):
        expected = multipletests([getattr(e, field) for e in family], method="holm")[1]
        assert [getattr(v, f"{field}_adjusted") for v in verdicts] == pytest.approx(expected, rel=1e-12)
    for verdict in verdicts:
        assert (verdict.verdict == "reproduced") == (verdict.p_rep_adjusted <= 0.05)
        assert (verdict.verdict == "not reproduced") == (verdict.p_not_adjusted <= 0.05)


def test_a_claim_without_runs_stays_in_the_family():
    e = weigh(sample(6, 92.2, 0.2), 92, 0.5)
    alone, among = judge_family([e])[0], judge_family([e, weigh([], 91, 0.5)])[0]
    assert among.p_rep_adjusted == pytest.approx(2 * alone.p_rep_adjusted)
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


def test_other_margins_are_the_same_evidence_weighed_again():
    samples, variances = [sample(8, 92 + shift, 0.15) for shift in (0.05, 0.35, 0.8)], (0, 0.01, 0)
    # SE .053 pp: p_rep of the first is t.sf((.25 - .05) / .053, 7) = .0035, three times that below .05, and so on
    for margin, words in (
        (0.25, ["reproduced", "inconclusive", "not reproduced"]),
        (1.0, ["reproduced"] * 3),
    ):
        first, again = (
            [weigh(x, 92, own, image_variance=v) for x, v in zip(samples, variances, strict=True)]
            for own in (0.53, margin)
        )
        assert [with_margin(e, margin) for e in first] == again
        assert [v.verdict for v in judge_family(again)] == words


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


def test_a_look_spends_a_share_of_the_level_and_a_new_study_has_the_whole():
    """p_far = .0049: enough at .05 / 7, not at a look that spends a fifth of it. The seeds are those of a new study."""
    e = weigh(sample(5, 90.49, 0.21), 92.0, 1.0)
    own = 0.05 / 7
    assert own / 5 < e.p_far < own
    whole, fifth = (judge_one(e, 1.0, 1.0, own, own, 7, spent) for spent in (1.0, 0.2))
    assert (whole.closeness, fifth.closeness) == ("far", "open")
    assert (whole.spent, fifth.spent) == (1.0, 0.2)
    assert whole.seeds_needed == fifth.seeds_needed == seeds_for_power(e, own, own)
    assert fifth.break_even_reproduced > whole.break_even_reproduced
