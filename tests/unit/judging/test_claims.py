"""The ledger: what each kind of claim is judged by, on studies whose truth is known.

Runs are drawn with SD 0.2 pp, ten a cell, where nothing else is said; the truths lie far enough from every margin that
a wrong verdict is a wrong rule, not bad luck (rates over many draws: inference/test_coverage.py).
"""

import copy
import dataclasses
import json
import re
import shlex

import numpy as np
import pytest
import yaml
from scipy import stats
from statsmodels.stats.multitest import multipletests

import synthetic
from refashion.inference.verdicts import INCONCLUSIVE, NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED
from refashion.judging.claims import comparisons, ending, exact, families, ledger
from refashion.judging.claims.stated import Stated
from refashion.judging.document.claims import Check
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.judging.sections.rival_rules import RULES, rival_rules
from refashion.study.config import lay_over, load_study
from synthetic import rows_of

ORIGINAL = synthetic.original()
COLUMNS = [column["cell"] for column in ORIGINAL["table"]["columns"]]
CNN1_SMALL, CNN1, CNN4_SMALL, CNN4, LENET, CNN4_SAME = COLUMNS


#: Where the Bayes factor stands among the rival rules.
BAYES, POOLED = (next(i for i, (name, _) in enumerate(RULES) if word in name) for word in ("Bayes", "pooled"))


def facts(truth=None, run=("original",), seeds=10, original=ORIGINAL, runs=None, margins=(1.0,), **known):
    """A study's facts; what `known` names is replaced."""
    analysis = synthetic.config()["analysis"] | {"sensitivity_margins": list(margins)}
    study = synthetic.study(run, seeds=seeds, analysis=analysis)
    truth = synthetic.published(original) if truth is None else truth
    table = synthetic.runs(study, truth, seed=1) if runs is None else runs
    made = Facts(study, original, RunTable(table))
    everything = {"architectures": synthetic.architectures(original), "data": synthetic.description()}
    everything["share_batches"] = lambda a, b: True  # so that all are paired
    vars(made).update(everything | known)
    return made


def judge(*arguments, **options):
    return {claim.id: claim for claim in ledger.judge(facts(*arguments, **options))}


def readings(claim):
    return {reading.id: reading for reading in claim.readings}


def truth(shift=0.0, **changes):
    return dataclasses.replace(synthetic.published(ORIGINAL, shift), **changes)


def by_holm(p):
    return multipletests(p, method="holm")[1]


def with_means(**groups):
    """The published truth with some cells' validation means changed."""
    base = synthetic.published(ORIGINAL)
    return dataclasses.replace(
        base, validation={**base.validation, **groups.get("validation", {})}, clean=groups.get("clean", {})
    )


# ------------------------------------------------------------------------------------------------- published accuracies


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, REPRODUCED), (1.2, NOT_REPRODUCED), (-1.2, NOT_REPRODUCED)])
def test_a_shift_of_all_cells_decides_all_validation_accuracies(shift, verdict):
    judged = judge(truth(shift))
    assert [judged[f"V{i}"].verdict for i in range(1, 6)] == [verdict] * 5


def test_training_accuracies_have_their_own_margin():
    """1 pp, where 10,000 images resolve 1.96 sqrt(p (1 - p) / 10,000)."""
    judged = judge(truth(0.7))
    assert [judged[f"T{i}"].verdict for i in range(1, 6)] == [REPRODUCED] * 5
    assert judged["T1"].readings[0].numbers.margin == 1.0
    assert judged["V1"].readings[0].numbers.margin == pytest.approx(1.96 * (91.97 * 8.03 / 10_000) ** 0.5)


def test_gaps_follow_training_and_validation_together():
    shifted = judge(truth(3.0))
    assert shifted["V1"].verdict == shifted["T1"].verdict == NOT_REPRODUCED
    assert shifted["G1"].verdict == REPRODUCED  # both moved alike
    base = synthetic.published(ORIGINAL)
    widened = judge(dataclasses.replace(base, training={cell: mean + 3 for cell, mean in base.training.items()}))
    assert [widened[f"G{i}"].verdict for i in range(1, 6)] == [NOT_REPRODUCED] * 5
    numbers = widened["G4"].readings[0].numbers
    assert numbers.published == pytest.approx(-1.32)
    assert numbers.margin == pytest.approx(1.0 + 1.96 * (92.51 * 7.49 / 10_000) ** 0.5)
    assert widened["G4"].unit == "pp"


def test_a_gap_is_read_as_both_of_its_numbers_are():
    """Else a gap would seem robust while its two numbers turn with the reading."""
    fold = "cnn1/50k_fold/none/b256_e100"
    base = synthetic.published(ORIGINAL)
    low = dataclasses.replace(
        base,
        validation={**base.validation, CNN1_SMALL: 88.0, fold: 91.97},
        training={**base.training, CNN1_SMALL: 99.13, fold: 99.13},
    )
    gap = judge(low, run=("original", "readings"))["G1"]
    found = readings(gap)
    assert list(found) == ["primary", "evaluated", "fold"]
    assert found["fold"].cells == [fold]
    assert found["fold"].metric == "train_accuracy - val_accuracy"
    assert (found["primary"].verdict, found["fold"].verdict) == (NOT_REPRODUCED, REPRODUCED)
    assert gap.overall == "specification-dependent"


def test_of_several_cells_only_the_nearest_is_called_so():
    """The column that leaves a claim open may lie farther than one that does not."""
    table = synthetic.runs(synthetic.study(("original",), seeds=10), with_means(validation={CNN1: 90.0}), seed=1)
    small = table["architecture"].eq("cnn1") & table["fraction"].eq("10k")
    table.loc[small, "val_accuracy"] = 86.9
    table = table[~small | table["seed"].lt(1)]
    found = judge(runs=table)["V6"]
    assert found.verdict == INCONCLUSIVE
    assert found.readings[0].numbers.cell == CNN1_SMALL
    assert "the nearest" not in found.reason
    assert "1 Layer CNN, 1 fold, which leaves it open" in found.reason


def test_the_text_number_is_held_against_both_columns():
    near = judge(with_means(validation={CNN1: 91.39}))["V6"]
    assert near.verdict == REPRODUCED
    assert near.readings[0].numbers.cell == CNN1
    assert [check.holds for check in near.readings[0].checks][1] is True
    far = judge(with_means(validation={CNN1: 85.0, CNN1_SMALL: 86.0}))["V6"]
    assert far.verdict == NOT_REPRODUCED
    assert far.readings[0].numbers.cell == CNN1_SMALL
    assert far.reason.startswith("In no column is it reproduced")


def test_primary_readings_are_judged_as_one_family_and_others_within_their_claim():
    judged = judge(truth(0.35))
    first = {id_: claim.readings[0] for id_, claim in judged.items() if claim.family == "V"}
    assert list(first) == ["V1", "V2", "V3", "V4", "V5", "V6"]
    held = [first[f"V{i}"].numbers for i in range(1, 6)]
    both = [readings(judged["V6"])[name].numbers for name in ("column_1", "column_2")]
    adjusted = by_holm([one.p_rep for one in (*held, *both)])  # seven numbers, since V6 has two columns
    assert [one.p_rep_adjusted for one in held] == pytest.approx(adjusted[:5])
    # of V6 the readings are column 1, column 2 and its clean images; two of them are the primary reading's cells again
    clean = readings(judged["V6"])["clean"].numbers
    alone = by_holm([one.p_rep for one in (*both, clean)])
    assert [one.p_rep_adjusted for one in (*both, clean)] == pytest.approx(alone)
    assert clean.p_rep_adjusted > clean.p_rep
    assert any(one.p_rep_adjusted > one.p_rep for one in held)


def test_padded_and_unpadded_readings_of_the_best_result():
    found = readings(judge(with_means(validation={CNN4: 91.0, CNN4_SAME: 92.51}))["V4"])
    assert (found["primary"].verdict, found["padded"].verdict) == (NOT_REPRODUCED, REPRODUCED)


#: Validation images whose luck is worth half a point.
NOISY = {"image_variance": lambda cell: 0.25}


def test_a_reading_on_held_out_images_allows_for_other_images():
    options = {"run": ("original", "readings"), "truth": truth()}
    plain = readings(judge(**options)["V1"])["fold"]
    wider = readings(judge(**options, **NOISY)["V1"])["fold"]
    assert wider.numbers.p_not > plain.numbers.p_not
    assert wider.numbers.prediction[0] < plain.numbers.prediction[0]
    plain, wider = (readings(judge(**given)["G1"])["fold"] for given in (options, options | NOISY))
    assert wider.numbers.p_not > plain.numbers.p_not
    # other images matter to validation accuracies alone
    training = readings(judge(**options, **NOISY)["T1"])["fold"]
    assert training.numbers == readings(judge(**options)["T1"])["fold"].numbers


def printed(claim, **changes):
    """The original with one claim changed, as where its number is printed as the mean of n runs."""
    original = copy.deepcopy(ORIGINAL)
    next(entry for entry in original["claims"] if entry["id"] == claim).update(changes)
    return original


@pytest.mark.parametrize(("n", "sd"), [(10, 0.4), (10, None)])
def test_a_printed_mean_is_judged_as_a_second_sample(n, sd):
    """V5, 92.11, alone in its family: Welch's two one-sided tests, or one spread for both where theirs lacks."""
    mean = {"n": n, "family": "alone"} | ({} if sd is None else {"sd": sd})
    numbers = judge(truth(0.3), original=printed("V5", **mean))["V5"].readings[0].numbers
    assert (numbers.published, numbers.printed_runs, numbers.printed_sd) == (92.11, n, sd)
    x, s = np.array(numbers.values), np.std(numbers.values, ddof=1)
    if sd is None:
        p = stats.t.sf((numbers.margin - abs(x.mean() - 92.11)) / (s * np.sqrt(1 / 10 + 1 / n)), 9)
    else:
        theirs = 92.11 + sd * (y := np.linspace(-1, 1, n)) / y.std(ddof=1)
        p = max(
            stats.ttest_ind(x + numbers.margin, theirs, equal_var=False, alternative="greater").pvalue,
            stats.ttest_ind(x - numbers.margin, theirs, equal_var=False, alternative="less").pvalue,
        )
    assert numbers.p_rep == numbers.p_rep_adjusted == pytest.approx(p, rel=1e-9)
    # where means of n runs fall: Spence & Stanley's interval by their spread, else by ours
    half = stats.t.isf(0.025, 9) * (s if sd is None else sd) * np.sqrt(1 / 10 + 1 / n)
    assert numbers.prediction == pytest.approx([x.mean() - half, x.mean() + half], rel=1e-9)


def test_the_error_of_a_printed_mean_can_leave_a_claim_open():
    exact = judge(truth(0.3, sd=0.05))["V5"]
    wide = judge(truth(0.3, sd=0.05), original=printed("V5", n=3, sd=0.6))["V5"]
    assert (exact.verdict, wide.verdict) == (REPRODUCED, INCONCLUSIVE)
    assert "the published mean of 3 runs, 92.11" in wide.reason
    assert wide.operating.exact_rates[0].reproduced < exact.operating.exact_rates[0].reproduced == 1


def test_other_margins_give_other_verdicts():
    numbers = judge(truth(0.75), margins=[0.25, 2.0])["V1"].readings[0].numbers
    assert [(one.margin, one.verdict) for one in numbers.sensitivity] == [(0.25, NOT_REPRODUCED), (2.0, REPRODUCED)]
    assert numbers.break_even_reproduced > 0.75


def test_operating_characteristics_stand_beside_each_published_accuracy():
    judged = judge()
    with_family = {id_ for id_, claim in judged.items() if claim.family}
    assert with_family == {id_ for id_, claim in judged.items() if claim.operating} >= {"V1", "T1", "V6"}
    for id_ in with_family:
        rates = judged[id_].operating.rates
        assert [rate.shift for rate in rates] == [0.0, 0.6, 1.2], id_
        assert [one.reproduced + one.not_reproduced + one.inconclusive for one in rates] == pytest.approx([1] * 3)
    assert judged["V1"].operating.sd == judged["V1"].readings[0].numbers.sd


def test_a_margin_wider_than_half_the_error_is_told_first():
    """99.13% leaves an error of 0.87%: within 1 pp lies every accuracy up to 100%."""
    table = synthetic.runs(synthetic.study(), truth(sd=0.02), seed=1)
    own = rows_of(table, CNN1_SMALL)
    table.loc[own, "train_accuracy"] += 0.54
    claim = judge(runs=table)["T1"]
    mean = table.loc[own, "train_accuracy"].mean()
    assert claim.verdict == REPRODUCED
    assert claim.reason.startswith(
        f"With {0.87 / (100 - mean):.1f} times fewer errors ({100 - mean:.2f}% against 0.87%; "
    )
    half = claim.readings[0].numbers.half_error
    assert (half.margin, half.verdict) == (pytest.approx(0.435), NOT_REPRODUCED)
    assert judge(runs=table)["V1"].readings[0].numbers.half_error is None


def test_closeness_and_typicality_are_two_answers():
    """The mean 0.3 pp off, SD 0.05: close to the printed number on average, but no run gives it."""
    numbers = judge(truth(0.3, sd=0.05))["V1"].readings[0].numbers
    assert (numbers.closeness, numbers.typicality) == ("close", "atypical")
    numbers = judge(truth(0.0))["V1"].readings[0].numbers
    assert (numbers.closeness, numbers.typicality) == ("close", "typical")
    assert judge(seeds=1)["V1"].readings[0].numbers.typicality is None


def test_characteristics_of_a_claim_on_two_cells_are_of_both(monkeypatch):
    """Either column may give V6's number, so that it is reproduced at least as often as by one column."""
    monkeypatch.setattr(families, "REPETITIONS", 400)
    judged = judge(truth(sd=0.5))
    both = judged["V6"].operating.rates[0].reproduced
    primary = next(claim for claim in ORIGINAL["claims"] if claim["id"] == "V6")["readings"][0]
    one = printed("V6", readings=[primary | {"cells": primary["cells"][:1]}])
    single = judge(truth(sd=0.5), original=one)["V6"].operating.rates[0].reproduced
    assert both > single


def test_the_family_of_a_claim_is_what_it_names():
    original = copy.deepcopy(ORIGINAL)
    for claim in original["claims"]:
        if claim["id"] == "V6":
            claim["family"] = "text"
        elif claim.get("family") == "T":
            del claim["family"]
    families = {claim.id: claim.family for claim in judge(original=original).values() if claim.family}
    assert (families["V1"], families["V6"], families["T1"]) == ("V", "text", "training")


# --------------------------------------------------------------------------------------------------------- exact claims


def test_parameter_counts():
    judged = judge()
    verdicts = {id_: judged[id_].verdict for id_ in ("P1", "P2", "P3", "P4", "P5", "P6", "L1")}
    assert verdicts == {
        "P1": NOT_REPRODUCED,  # 693,932 where the rows sum to 693,962
        "P2": NOT_REPRODUCED,
        "P3": REPRODUCED,
        "P4": REPRODUCED,
        "P5": REPRODUCED,  # the trainable ones
        "P6": NOT_REPRODUCED,  # 2.77 times
        "L1": REPRODUCED,
    }
    assert judged["P1"].reason == "Trainable parameters of 1 Layer CNN: 693,962, where the original says 693,932."
    assert judged["P5"].overall == "specification-dependent"
    assert [reading.verdict for reading in judged["P6"].readings] == [NOT_REPRODUCED, REPRODUCED, NOT_REPRODUCED]
    assert judged["P6"].readings[0].checks[0].found == pytest.approx(3_384_234 / 1_221_546)


def test_a_layer_and_a_total_that_differ_are_counted():
    built = synthetic.architectures(ORIGINAL)
    built["lenet5"] |= {"rows": [["Conv2D", [28, 28, 6], 156], *built["lenet5"]["rows"][1:]], "total": 1}
    claim = judge(architectures=built)["L1"]
    assert claim.verdict == NOT_REPRODUCED
    assert [check.holds for check in claim.readings[0].checks] == [True, False, True, True]
    assert claim.reason == "LeNet-5: 2 rows or totals differ, where the original says 8 rows as printed."


def test_networks_that_were_not_built_leave_counts_open():
    judged = judge(architectures={})
    for id_ in ("P1", "P2", "P3", "P4", "P5", "P6", "L1"):
        assert judged[id_].verdict == INCONCLUSIVE
        assert judged[id_].reason.startswith("Cannot say, because ")
        assert not judged[id_].readings[0].tested


def test_counts_of_the_data():
    assert [judge()[f"D{i}"].verdict for i in range(1, 5)] == [REPRODUCED] * 4
    wrong = synthetic.description() | {"image_shape": [28, 28, 3]}
    assert judge(data=wrong)["D2"].reason == "Channels: 3, where the original says 1."
    assert judge(data=None)["D1"].verdict == INCONCLUSIVE


def test_rows_of_summaries_are_aligned_by_kind():
    printed = [["a", "Conv2D", [2, 2, 3], 10], ["b", "Dropout", [2, 2, 3], 0], ["c", "Dense", [5], 65]]
    built = [["ZeroPadding2D", (4, 4, 1), 0], ["Conv2D", (2, 2, 3), 10], ["Dense", (6,), 78]]
    assert exact.align(printed, built) == [
        ("", None, ("ZeroPadding2D", (4, 4, 1), 0)),
        ("a", ("Conv2D", (2, 2, 3), 10), ("Conv2D", (2, 2, 3), 10)),
        ("b", ("Dropout", (2, 2, 3), 0), None),
        ("c", ("Dense", (5,), 65), ("Dense", (6,), 78)),
    ]


# ---------------------------------------------------------------------------------------------------------- comparisons


SPACED = dict(zip((CNN4, LENET, CNN1_SMALL, CNN1, CNN4_SMALL), (93, 92, 91, 90, 89), strict=True))
BASELINE = "softmax/60k/none/b256_e50"


@pytest.mark.parametrize(
    ("claim", "means", "verdict"),
    [
        ("R1", {CNN4: 93.0}, REPRODUCED),
        ("R1", {LENET: 93.5}, NOT_REPRODUCED),
        ("R1", {LENET: 92.51}, INCONCLUSIVE),
        ("R2", SPACED, REPRODUCED),
        ("R2", SPACED | {CNN1: 89.0, CNN4_SMALL: 90.0}, NOT_REPRODUCED),
        # near the best of the others, which are at 90, by 2 pp, and above the linear baseline
        ("R4", dict.fromkeys(COLUMNS, 90.0) | {CNN4_SAME: 91.0, BASELINE: 84.0}, REPRODUCED),
        ("R4", dict.fromkeys(COLUMNS, 90.0) | {CNN4_SAME: 94.0, BASELINE: 84.0}, NOT_REPRODUCED),
        ("R4", dict.fromkeys(COLUMNS, 90.0) | {CNN4_SAME: 91.0, BASELINE: 92.0}, NOT_REPRODUCED),
    ],
)
def test_the_best_the_order_and_what_is_near_the_best(claim, means, verdict):
    assert judge(with_means(validation=means), run=("original", "baseline"))[claim].verdict == verdict


def test_a_comparison_tells_the_difference_that_decides():
    beaten = judge(with_means(validation={LENET: 93.5}))["R1"]
    assert (
        "4 Layer CNN, full dataset minus LeNet-5, full dataset over 10\N{NO-BREAK SPACE}seeds is \N{MINUS SIGN}"
        in beaten.reason
    )
    open_ = judge(with_means(validation={LENET: 92.51}))["R1"]
    assert open_.reason.startswith("Imprecise: 1 of 4 differences is not clear; ")
    absent = judge(with_means(validation=dict.fromkeys(COLUMNS, 90.0)))["R4"]
    assert absent.verdict == INCONCLUSIVE
    missing = "softmax, 60,000\N{NO-BREAK SPACE}images, 11,750\N{NO-BREAK SPACE}updates"
    assert absent.reason == f"Cannot say, because {missing} is not part of this study."


def augmentation_gain(gain, metric="validation"):
    """A truth in which augmentation adds `gain` pp in the factorial cells at equal updates."""
    means = {
        f"{net}/{fraction}/{augmentation}/b256_u11750": 90 + gain * (augmentation == "affine")
        for net in ("cnn1", "lenet5", "cnn4")
        for fraction in ("10k", "60k")
        for augmentation in ("none", "affine")
    }
    return with_means(**{metric: means})


@pytest.mark.parametrize(
    ("gain", "verdict"), [(2.0, REPRODUCED), (0.2, NOT_REPRODUCED), (-1.0, NOT_REPRODUCED), (1.05, INCONCLUSIVE)]
)
def test_much_worse_without_augmentation_means_more_than_the_margin(gain, verdict):
    judged = judge(augmentation_gain(gain), run=("original", "factorial"))
    assert judged["R3"].verdict == verdict


def test_much_worse_reads_clean_images_too():
    found = readings(judge(augmentation_gain(2.0, "clean"), run=("original", "factorial"))["R3"])
    assert (found["primary"].verdict, found["validated"].verdict) == (REPRODUCED, NOT_REPRODUCED)


WORK = {CNN1_SMALL: 1_000_000, CNN4_SMALL: 1_000_000, CNN1: 3_000_000, CNN4: 3_000_000}


def test_the_subset_is_less_work():
    """100 epochs of 10,000 images against 50 of 60,000."""
    claim = judge(work=WORK)["R6"]
    assert claim.verdict == REPRODUCED
    assert [check.found for check in claim.readings[0].checks] == [1_000_000, 1_000_000]
    assert "against 3,000,000 in 1 Layer CNN, full dataset" in claim.reason
    assert judge(work=WORK | {CNN4_SMALL: 3_000_000})["R6"].verdict == NOT_REPRODUCED
    assert judge(work={CNN1: 1})["R6"].reason == "Cannot say, because 1 Layer CNN, 1 fold is not part of this study."


def test_the_subset_trains_faster():
    reading = readings(judge(work=WORK)["R6"])["seconds"]
    assert reading.verdict == REPRODUCED
    assert all(check.unit == "seconds" for check in reading.checks)
    slow = synthetic.runs(synthetic.study(), truth(), seed=1)
    slow.loc[slow["fraction"] == "10k", "train_seconds"] += 1000
    assert readings(judge(runs=slow)["R6"])["seconds"].verdict == NOT_REPRODUCED


def test_times_of_different_machines_are_not_compared():
    runs = synthetic.runs(synthetic.study(), truth(), seed=1)
    runs.loc[runs["fraction"] == "10k", "cpu"] = "another"
    reading = readings(judge(runs=runs)["R6"])["seconds"]
    assert reading.verdict == INCONCLUSIVE
    assert reading.reason.endswith("have no seed in common that ran on one kind of machine.")
    runs["cpu"] = np.where(runs["seed"] % 2 == 0, "another", "one")
    times = judge(runs=runs)["W1"].readings[0].checks
    assert {check.reason for check in times} == {"the runs may have been made on different kinds of machine"}
    assert readings(judge(runs=runs)["R6"])["seconds"].verdict == REPRODUCED


def test_cells_that_share_no_batches_are_two_samples():
    """Two cells whose seeds correlate without a cause: pairing would count their spread twice (or not at all)."""
    table = synthetic.runs(synthetic.study(seeds=5), truth(), seed=1)
    wave = np.array([-0.4, -0.2, 0.0, 0.2, 0.4])
    a, b = 90.0 + wave, 90.5 - wave
    for cell, values in ((CNN1_SMALL, a), (CNN1, b)):
        table.loc[rows_of(table, cell), "val_accuracy"] = values
    stated = [Stated(CNN1_SMALL, CNN1)]
    paired, apart = (
        comparisons.checked(stated, "val_accuracy", facts(runs=table, seeds=5, share_batches=shared))[0]
        for shared in (lambda a, b: True, lambda a, b: False)
    )
    assert paired.p_against == pytest.approx(stats.ttest_rel(a, b, alternative="less").pvalue)
    assert apart.p_against == pytest.approx(stats.ttest_ind(a, b, equal_var=False, alternative="less").pvalue)
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert apart.interval == pytest.approx([low, high])
    assert "Welch" in apart.test
    assert "paired by seed p" in apart.test
    assert "unpaired (Welch) p" in paired.test


def test_cells_share_batches_if_images_and_batch_size_are_the_same():
    given = facts(run=("original", "factorial"))
    del vars(given)["share_batches"]
    other = {CNN1_SMALL: True, CNN4_SMALL: True, CNN1: False, "cnn1/10k/none/b32_e20": False}
    assert {cell: given.share_batches(CNN1_SMALL, cell) for cell in other} == other


def test_the_least_clear_difference_has_the_largest_p_and_an_open_one_tells_both_of_its_tests():
    """A small difference of little spread is clearer than a large one of much."""

    def check(label, found, p, p_against, holds):
        own = {"label": label, "found": found, "interval": [found - 1, found + 1], "p": p, "p_against": p_against}
        return Check(expected="above 0", unit="pp", test="one-sided as one of 2 (Holm)", n=5, holds=holds, **own)

    small, large = check("small", 1.0, 0.001, 0.999, True), check("large", 3.0, 0.03, 0.97, True)
    verdict, reason = comparisons.verdict_of([small, large])
    assert verdict == REPRODUCED
    assert "the least clear: the mean of large over 5\N{NO-BREAK SPACE}seeds is 3.00 pp" in reason
    assert reason.endswith("(p\u00a0=\u00a00.030; one-sided as one of 2 (Holm))")
    verdict, reason = comparisons.verdict_of([small, check("a minus b", -0.98, 1.0, 0.07, None)])
    assert verdict == INCONCLUSIVE
    assert "for it, p\u00a0=\u00a00.070 against it; one-sided as one of 2 (Holm)" in reason


# ---------------------------------------------------------------------------------------------- procedure, not testable


def losses(difference, seeds):
    """runs of the experiment `losses` in which the second loss gives `difference` (a number or one a seed) more."""
    study = synthetic.study(["losses"], seeds=seeds)
    runs = synthetic.runs(study, synthetic.Truth(), seed=2)
    for plain, sparse in next(claim for claim in ORIGINAL["claims"] if claim["id"] == "S1")["readings"][0]["pairs"]:
        same = runs.loc[rows_of(runs, plain), "val_accuracy"].to_numpy()
        runs.loc[rows_of(runs, sparse), "val_accuracy"] = same + difference
    return runs


def test_one_loss_under_two_names():
    same = judge(run=["losses"], seeds=1, runs=losses(0.0, 1))["S1"]
    assert same.verdict == REPRODUCED
    assert "the same numbers for the one seed" in same.reason
    rounding = judge(run=["losses"], seeds=10, runs=losses(0.01 * np.arange(-5, 5), 10))["S1"]
    assert rounding.verdict == REPRODUCED
    other = judge(run=["losses"], seeds=10, runs=losses(3 + 0.01 * np.arange(10), 10))["S1"]
    assert other.verdict == NOT_REPRODUCED
    assert "the largest difference is 3.09 pp" in other.reason
    elsewhere = losses(0.01, 3)
    elsewhere.loc[elsewhere["recipe"].str.endswith("_sparse"), "cpu"] = "another, which rounds otherwise"
    assert judge(run=["losses"], seeds=3, runs=elsewhere)["S1"].reason.endswith(
        "have no seed in common that ran on one kind of machine."
    )
    open_end = judge(run=["losses"], seeds=3, runs=losses(np.array([-0.6, 0.1, 0.9]), 3))["S1"]
    assert open_end.verdict == INCONCLUSIVE
    assert open_end.readings[0].tested


@pytest.mark.parametrize(
    ("validated", "clean", "verdict"),
    [(0.0, 1.5, REPRODUCED), (-1.5, 0.0, NOT_REPRODUCED), (0.0, 0.0, INCONCLUSIVE), (3.0, 3.0, INCONCLUSIVE)],
)
def test_augmented_validation_follows_from_which_numbers_fit(validated, clean, verdict):
    published = {CNN1: 90.29, CNN4: 92.51}
    means = {
        "validation": {cell: value + validated for cell, value in published.items()},
        "clean": {cell: value + clean for cell, value in published.items()},
    }
    assert judge(with_means(**means))["S2"].verdict == verdict


def test_claims_that_nothing_can_test_say_why_and_report_what_was_measured():
    judged = judge()
    for id_ in ("R5", "W1", "W2"):
        assert (judged[id_].verdict, judged[id_].overall) == (NOT_TESTABLE, NOT_TESTABLE)
    times = judged["W2"].readings[0].checks
    assert [check.unit for check in times] == ["seconds"]
    assert times[0].found == pytest.approx(65 + 37_500 / 100)
    assert "mnist, on which no cell of this study is trained" in judged["R5"].reason
    given = facts()
    config = given.study.config
    config["datasets"]["mnist"] = config["datasets"]["fashion_mnist"]
    config["fractions"]["60k"]["dataset"] = "mnist"
    trained = {claim.id: claim for claim in ledger.judge(given)}["R5"]
    assert trained.verdict == NOT_TESTABLE
    assert trained.readings[0].checks[0].unit == "percent"


# -------------------------------------------------------------------------------------------------- what cannot be said


@pytest.mark.parametrize(
    "options",
    [
        {"seeds": 1},
        {"seeds": 2},
        {"seeds": 3, "truth": truth(sd=0.0)},
        {"seeds": 3, "truth": truth(diverged=frozenset({(CNN4, 0), (CNN1, 0), (CNN1, 1), (CNN1, 2)}))},
        {"seeds": 3, "truth": truth(missing=frozenset((cell, seed) for cell in COLUMNS for seed in range(3)))},
        {"seeds": 2, "truth": truth(failed=frozenset({(LENET, 0), (LENET, 1), (CNN4, 1)}))},
        {"run": ("baseline",), "seeds": 3, "architectures": {}, "data": None},
    ],
    ids=["n=1", "n=2", "all equal", "diverged", "missing", "failed", "without the original"],
)
def test_every_verdict_has_a_reason_in_one_sentence(options):
    claims = judge(**options)
    for claim in claims.values():
        assert claim.verdict in (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE, NOT_TESTABLE)
        json.dumps(claim.model_dump(), allow_nan=False)  # no NaN, no infinity, plain types
    told = {(claim.id, reading.id): reading for claim in claims.values() for reading in claim.readings}
    for reading in told.values():
        assert re.fullmatch(r"[A-Z0-9].*\.", reading.reason), reading.reason
        assert not re.search(r"\b(None|nan|inf)\b", reading.reason), reading.reason
    untested = {name for name, reading in told.items() if reading.verdict == INCONCLUSIVE and not reading.tested}
    untested -= {("S2", "columns"), ("V6", "primary")}  # which sum up other readings
    assert ("V1", "fold") in untested
    for name in untested:
        assert told[name].reason.startswith("Cannot say, because "), name


def test_one_run_decides_nothing():
    judged = judge(seeds=1)
    assert {judged[f"V{i}"].verdict for i in range(1, 7)} == {INCONCLUSIVE}
    assert judged["V1"].reason == "Cannot say, because one seed gives no interval."
    assert judged["V1"].readings[0].numbers.values != []
    assert not judged["R1"].readings[0].tested
    assert (
        judged["R1"].reason
        == "Cannot say, because 4 Layer CNN, full dataset and 1 Layer CNN, 1 fold have only one seed in common."
    )


def test_equal_runs_decide_without_a_division_by_zero():
    same = judge(truth=truth(sd=0.0), seeds=3)
    assert {same[f"V{i}"].verdict for i in range(1, 6)} == {REPRODUCED}
    assert same["V6"].verdict == NOT_REPRODUCED
    far = judge(truth=truth(1.2, sd=0.0), seeds=3)
    assert {far[f"V{i}"].verdict for i in range(1, 6)} == {NOT_REPRODUCED}


def test_a_cell_with_a_diverged_run_is_at_most_inconclusive():
    judged = judge(truth(diverged=frozenset({(CNN4, 0)})))
    assert judged["V4"].verdict == INCONCLUSIVE
    assert "1 of 10 runs diverged" in judged["V4"].reason
    assert judged["R1"].verdict == INCONCLUSIVE
    assert judged["V1"].verdict == REPRODUCED


def test_a_cell_that_nobody_ran_says_so():
    judged = judge(truth(missing=frozenset((CNN4, seed) for seed in range(10))))
    assert judged["V4"].reason == "Cannot say, because no run of 4 Layer CNN, full dataset has finished."
    assert readings(judged["V1"])["fold"].reason.replace("\N{NO-BREAK SPACE}", " ") == (
        "Cannot say, because 1 Layer CNN, 50,000 images, validated on held-out ones, 19,600 updates is not "
        "part of this study."
    )


# ---------------------------------------------------------------------------------------------- what would end a claim


def test_a_decided_claim_needs_no_ending():
    assert {claim.ending for claim in judge().values() if claim.verdict != INCONCLUSIVE} == {None}


def commanded(command):
    """The study that a printed command plans: its settings laid over the config, as the Snakefile lays them."""
    snakemake, option, *settings = shlex.split(command)
    assert (snakemake, option) == ("snakemake", "--config")
    config = synthetic.config()
    for setting in settings:
        key, value = setting.split("=", 1)
        lay_over(config, {key: yaml.safe_load(value)})
    return load_study(config)


def test_too_few_seeds_say_how_many_and_what_they_cost():
    judged = judge(truth(0.35, sd=0.5), seeds=5)
    ending, numbers = judged["V1"].ending, judged["V1"].readings[0].numbers
    assert (ending.kind, ending.chance) == ("too few seeds", 0.8)
    assert ending.seeds == numbers.seeds_needed > 5
    seconds = 60 + 4_000 / 100 + 5  # of a run of column 1, see synthetic.runs
    assert ending.core_hours == pytest.approx((ending.seeds - 5) * seconds / 3600)
    more = commanded(ending.command).experiments
    assert [one.name for one in more] == ["original", f"{ending.seeds}_seeds"]
    assert [cell.name for cell in more[1].cells] == [CNN1_SMALL]  # its cell alone gets them


def test_what_is_not_run_here_names_its_experiment():
    ending = judge(with_means(validation=dict.fromkeys(COLUMNS, 90.0)))["R4"].ending
    assert ending.kind == "not run here"
    assert [one.name for one in commanded(ending.command).experiments] == ["original", "baseline"]
    assert judge(run=("baseline",), experiments={})["V1"].ending.command == ""


def test_a_lucky_run_is_not_ended_by_seeds():
    table = synthetic.runs(synthetic.study(seeds=5), truth(-1.6, sd=0.9), seed=4)
    kinds = {claim.id: claim.ending.kind for claim in judge(runs=table, seeds=5).values() if claim.ending}
    assert "a lucky run" in kinds.values()
    found = judge(truth(diverged=frozenset({(CNN4, 0)})))["V4"].ending
    assert found.kind == "diverged runs"


def test_an_open_difference_says_how_many_seeds():
    """N from the noncentral t, at a level shared by four differences."""
    judged = judge(with_means(validation={LENET: 92.3}), seeds=6)["R1"]
    unclear = [check for check in judged.readings[0].checks if check.holds is None]
    assert judged.verdict == INCONCLUSIVE
    needed = unclear[0].seeds_needed
    low, high = unclear[0].interval
    sd = (high - low) / 2 / stats.t.ppf(0.975, 5) * 6**0.5
    chance = [
        stats.nct.sf(stats.t.isf(0.05 / 4, n - 1), n - 1, abs(unclear[0].found) / sd * n**0.5)
        for n in (needed - 1, needed)
    ]
    assert chance[0] < 0.8 <= chance[1]


# --------------------------------------------------------------------------------------------------------- the readings


def test_overall_verdicts_name_how_readings_agree():
    judged = judge()
    assert judged["D1"].overall == "one reading"
    assert judged["T2"].overall == "robust"
    assert judged["V1"].overall == "unsettled"  # the held-out readings were not run
    assert judge(seeds=1)["V1"].overall == "unsettled"  # agreeing on nothing is no agreement
    assert judged["P6"].overall == "specification-dependent"
    assert judged["P6"].overall_reason == "Of 3 readings: 1 reproduced, 2 not reproduced."


# ------------------------------------------------------------------------------------------- numbers at the far ends


def test_a_printed_accuracy_of_100_percent_is_judged():
    """It has no error, of which half were a margin, or the runs here so many times more."""
    found = judge(original=printed("T1", value=100.0))["T1"]
    assert found.readings[0].numbers.half_error is None
    assert "errors" not in found.reason


def test_readings_without_runs_count_one_by_one_in_their_claims_family():
    """V3 has five readings; the two that no cell of this study runs are two tests, not one."""
    given = facts(truth(0.3, sd=0.3))
    claim = next(one for one in ledger.judge(given) if one.id == "V3")
    waiting = [one for one in claim.readings if not one.tested]
    assert len(waiting) > 1
    sizes = {one.numbers.family_size for one in claim.readings[1:] if one.numbers and one.tested}
    different = {tuple(one.numbers.values) for one in claim.readings if one.numbers and one.tested}
    assert sizes == {len(different) + len(waiting)}


def test_what_lies_at_no_margin_may_be_told_by_more_seeds():
    """Numbers that are not the same, and a likelihood that speaks for neither: open, and not for ever."""
    pairs = next(claim for claim in ORIGINAL["claims"] if claim["id"] == "S1")["readings"][0]["pairs"]
    given = facts(run=("original", "losses"), seeds=5)
    table = given.runs.runs.copy()
    for one, other in pairs:
        same = table.loc[rows_of(table, one), "val_accuracy"].to_numpy()
        table.loc[rows_of(table, other), "val_accuracy"] = same + np.array([0.9, -0.9, 0.7, -0.8, 0.1])
    same = judge(run=("original", "losses"), seeds=5, runs=table)["S1"]
    assert [check.seeds_needed for check in same.readings[0].checks] == [same.ending.seeds] * 2
    assert same.ending.kind == "too few seeds"
    assert same.ending.seeds > 5
    neither = Check(label="V2", found="1.5 times likelier as stated", n=10)
    reading = same.readings[0].model_copy(update={"checks": [neither]})
    end = ending.ending("S2", reading, given)
    assert (end.kind, end.seeds) == ("too few seeds", None)


def test_another_reading_is_a_rival_on_its_own_images():
    """Exactly right on images whose luck hides everything, it speaks for the number less than it would on the same."""
    fold = "cnn1/50k_fold/none/b256_e100"
    given = {"truth": with_means(validation={CNN1_SMALL: 91.55, fold: 91.97}), "run": ("original", "readings")}
    said = []
    for variance in (0.0, 400.0):
        seen = facts(**given, image_variance=lambda cell, variance=variance: variance * (cell == fold))
        first = rival_rules(seen, ledger.judge(seen)).claims[0]
        assert first.claim == "V1"
        said.append(first.says[BAYES])
    assert said == [NOT_REPRODUCED, REPRODUCED]


def test_a_diverged_run_keeps_the_pooled_rule_from_a_verdict_as_it_does_ours():
    seen = facts(truth(diverged=frozenset({(CNN1, 0)})))
    judged = ledger.judge(seen)
    ours = {claim.id: claim.verdict for claim in judged}
    pooled = {row.claim: row.says[POOLED] for row in rival_rules(seen, judged).claims}
    assert (ours["V2"], pooled["V2"]) == (INCONCLUSIVE, INCONCLUSIVE)
    assert (ours["V1"], pooled["V1"]) == (REPRODUCED, REPRODUCED)
