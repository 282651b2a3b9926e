"""Sections of the document on small tables whose answer is known by hand: each would change if its rule did."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

import synthetic
from refashion.inference.evidence import image_margin
from refashion.inference.factorial import anova, logit_percent
from refashion.judging import collection, columns
from refashion.judging.claims import comparisons, ledger, published
from refashion.judging.claims.stated import Stated
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.judging.sections import answer, effects, images, learning, results_table, variance
from refashion.judging.sections.comparisons import ranks
from refashion.judging.sections.runs import cost
from refashion.study.model import AXES
from synthetic import rows_of

ORIGINAL = synthetic.original()
COLUMNS = [column["cell"] for column in ORIGINAL["table"]["columns"]]
CNN1_SMALL, CNN1, CNN4_SMALL, CNN4, LENET, CNN4_SAME = COLUMNS


def facts(runs, run=("original",), **settings):
    study = synthetic.study(run, analysis=synthetic.config()["analysis"] | settings)
    made = Facts(study, ORIGINAL, RunTable(runs))
    vars(made)["share_batches"] = lambda a, b: True  # so that they are paired
    return made


def drawn(run=("original",), seeds=5, **truth):
    return synthetic.runs(synthetic.study(run, seeds=seeds), synthetic.Truth(**truth), seed=1)


def test_a_gap_takes_both_numbers_of_the_same_seed():
    runs = drawn()
    own = rows_of(runs, CNN1_SMALL)
    runs.loc[own, "val_accuracy"] = [np.nan, 91.0, 92.0, 93.0, 94.0]
    runs.loc[own, "train_accuracy"] = [95.0, 96.0, 98.0, 95.0, np.nan]
    found = published.sample_of(CNN1_SMALL, "train_accuracy - val_accuracy", facts(runs))
    assert found.seeds.tolist() == [1, 2, 3]
    assert found.values.tolist() == [5.0, 6.0, 2.0]


def test_both_sides_of_a_comparison_are_corrected():
    runs = drawn(seeds=6, validation={CNN4: 90.0})
    stated = [Stated(CNN4, other) for other in (LENET, CNN1, CNN1_SMALL)]
    found = facts(runs)
    checks = comparisons.checked(stated, "val_accuracy", found)
    raw = [
        stats.ttest_rel(*found.runs.paired((CNN4, one.b), "val_accuracy")[1], alternative="less").pvalue
        for one in stated
    ]
    order = np.argsort(raw)
    by_hand = np.minimum(1, np.maximum.accumulate(np.array(raw)[order] * [3, 2, 1]))  # Holm 1979
    assert [checks[i].p_against for i in order] == pytest.approx(by_hand)


def test_each_claim_has_its_own_place_in_the_other_margins():
    truth = synthetic.published(ORIGINAL)
    validation = {**truth.validation, CNN1: 80.0}  # V2 alone is far off
    runs = drawn(seeds=10, validation=validation, training=truth.training)
    judged = {claim.id: claim for claim in ledger.judge(facts(runs, sensitivity_margins=[2.0]))}
    words = {id_: judged[id_].readings[0].numbers.sensitivity[0].verdict for id_ in ("V1", "V2", "V3")}
    assert words == {"V1": "reproduced", "V2": "not reproduced", "V3": "reproduced"}


def test_the_confidence_of_the_config_is_that_of_the_intervals():
    runs = drawn()
    check = comparisons.checked([Stated(CNN4, CNN1)], "val_accuracy", facts(runs, confidence=0.8))[0]
    a, b = RunTable(runs).paired((CNN4, CNN1), "val_accuracy")[1]
    assert check.interval == pytest.approx(list(stats.ttest_rel(a, b).confidence_interval(0.8)))


def test_times_of_runs_that_diverged_do_not_count_and_failed_ones_are_still_to_pay():
    runs = drawn(diverged=frozenset({(CNN1, 0)}), failed=frozenset({(CNN1, 1)}), missing=frozenset({(CNN1, 2)}))
    own = rows_of(runs, CNN1)
    runs.loc[own & (runs["status"] == columns.DIVERGED), "seconds"] = 1e6
    runs.loc[own & (runs["status"] == columns.FINISHED), "seconds"] = 3600.0
    row = next(row for row in cost(facts(runs)).cells if row.cell == CNN1)
    assert (row.n, row.seconds, row.core_hours) == (2, 3600.0, 2.0)
    assert row.missing_core_hours == 2.0  # one failed, one missing


def test_subsets_and_initialisers_keep_their_names():
    study = synthetic.study(["variance"], seeds=4)
    runs = synthetic.runs(study, synthetic.Truth(sd=0.01), seed=1)
    subsets = sorted(runs["fraction"].unique())
    runs["val_accuracy"] += runs["fraction"].map({name: float(i) for i, name in enumerate(subsets)})
    found = variance.variance(facts(runs, ["variance"])).components
    share = {source.source: source.share for source in found.sources}
    assert share["subset"] > 0.99 > share["initialiser and order"]


def test_a_band_spans_all_of_few_runs_and_95_percent_of_many():
    few, many = np.arange(39.0)[:, None], np.arange(201.0)[:, None]
    assert (learning._band(few).low, learning._band(few).high) == ([0.0], [38.0])
    assert (learning._band(many).low, learning._band(many).high) == ([5.0], [195.0])


def test_effects_and_the_hardest_images_are_of_images_that_are_not_augmented():
    study = synthetic.study(["factorial"], seeds=3)
    runs = synthetic.runs(study, synthetic.Truth(), seed=1)
    runs["clean_accuracy"] = runs["val_accuracy"] - 5
    policy = effects.effects(facts(runs, ["factorial"])).policies[0]
    for cell in policy.cells:
        runs.loc[rows_of(runs, cell.cell), "val_accuracy"] += 9 * (cell.fraction == "60k")
    policy = effects.effects(facts(runs, ["factorial"])).policies[0]
    cell = policy.cells[0]
    clean = runs.groupby("fraction")["clean_accuracy"].mean()
    effect = next(one for one in policy.contrasts if one.label.startswith("60,000"))
    assert cell.sample.mean == pytest.approx(runs.loc[rows_of(runs, cell.cell), "clean_accuracy"].mean())
    assert effect.estimate == pytest.approx(clean["60k"] - clean["10k"])
    labels = np.array([0, 1], np.uint8)
    right, wrong = labels[None], (1 - labels)[None]
    said = {LENET: collection.Predictions(np.arange(1), wrong, right, labels)}
    known = Facts(synthetic.study(), ORIGINAL, RunTable(drawn()), predictions=said)
    assert images.hardest(known).always_right == 2


def test_robust_tests_and_those_of_log_odds_stand_in_their_columns():
    study = synthetic.study(["factorial"], seeds=3)
    runs = synthetic.runs(study, synthetic.Truth(sd=1.0), seed=1)
    policy = effects.effects(facts(runs, ["factorial"])).policies[0]
    names = [cell.cell for cell in policy.cells]
    _, scores = RunTable(runs).paired(names, "clean_accuracy")
    factors = {axis: np.repeat([name.split("/")[i] for name in names], 3) for i, axis in enumerate(AXES[:3])}
    y, block = scores.ravel(), np.tile(np.arange(3), len(names))
    hc3, logit = anova(y, factors, block, hc3=True).effects[0], anova(logit_percent(y), factors, block).effects[0]
    first = policy.anova[0]
    assert (first.term, first.p_hc3, first.p_logit) == ("architecture", pytest.approx(hc3.p), pytest.approx(logit.p))
    assert len({first.p, first.p_hc3, first.p_logit}) == 3


def test_ranks_of_single_runs_are_shares_of_all_their_combinations():
    """One run a cell, each of any seed: a cell is first with the chance that all others' runs are below its own."""
    runs = drawn(seeds=10, validation=dict(zip(COLUMNS, (90.0, 90.2, 90.4, 90.6, 90.8, 91.0), strict=True)), sd=0.3)
    found = ranks(facts(runs))
    _, scores = RunTable(runs).paired(COLUMNS, "val_accuracy")
    below = (scores[:, None, :, None] > scores[None, :, None, :]).mean(-1)  # [cell, other, run]
    shares = [np.delete(below[cell], cell, axis=0).prod(0).mean() for cell in range(6)]
    # 20,000 resamples: the standard error of a share is at most 0.0036
    assert [row[0] for row in found.p_rank_one_run] == pytest.approx(shares, abs=0.02)
    assert max(row[0] for row in found.p_rank) > max(shares) + 0.05


def test_a_claim_on_images_of_its_own_has_their_margin():
    given = facts(drawn(seeds=2))
    claim = next(one for one in given.original["claims"] if one["id"] == "V1")
    assert published.margin(claim, given) == image_margin(91.97, 10_000)
    assert published.margin({**claim, "validation_images": 12_000}, given) == image_margin(91.97, 12_000)


def test_accuracy_on_plain_images_has_a_row_where_it_is_not_the_printed_one():
    """Where no column is augmented, the printed row has it; a report of training accuracies has ours nowhere else."""
    plain = "Validation accuracy, images not augmented"

    def names(given):
        return [row.name for row in results_table.table(given, []).rows]

    given = facts(drawn(seeds=2))
    assert plain in names(given)
    columns = [one for one in given.original["table"]["columns"] if "/none/" in one["cell"]][:1]
    rows = [row | {"printed": row["printed"][:1]} for row in given.original["table"]["rows"]]
    few = dataclasses.replace(given, original={**given.original, "table": {"columns": columns, "rows": rows}})
    assert plain not in names(few)
    training = [row for row in rows if row["holds"] != "validation"]
    few = dataclasses.replace(given, original={**given.original, "table": {"columns": columns, "rows": training}})
    assert plain in names(few)


def test_a_table_without_rows_prints_all_of_its_columns_and_one_with_rows_those_that_they_reach():
    given = facts(drawn(seeds=2))
    columns = given.original["table"]["columns"]
    bare = dataclasses.replace(given, original={**given.original, "table": {"columns": columns, "rows": []}})
    assert [one.printed for one in results_table.table(given, []).columns] == [True] * 5 + [False]
    assert [one.printed for one in results_table.table(bare, []).columns] == [True] * 6
    judged = ledger.judge(bare)
    assert "Each of the 6 columns of its table has 2 finished runs." in answer.answer(bare, judged).answer
    assert "Each of the 5 columns" in answer.answer(given, judged).answer
