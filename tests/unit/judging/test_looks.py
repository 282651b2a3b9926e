"""Looks at the claims of synthetic studies: which cells go on, when a claim ends, and what its verdict rests on."""

import dataclasses
import json

import numpy as np
import pytest

import synthetic
from refashion import files
from refashion.inference.evidence import weigh
from refashion.inference.looks import State
from refashion.inference.verdicts import judge_family
from refashion.judging import collection, standing
from refashion.judging.claims import ledger, published
from refashion.judging.claims.looks import hold
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.study.config import load_study
from refashion.study.model import AXES, Cell
from refashion.telling import words
from refashion.training import seeds

ORIGINAL = synthetic.original()
COLUMNS = [column["cell"] for column in ORIGINAL["table"]["columns"]]
CNN1_SMALL, CNN1, CNN4_SMALL, CNN4, LENET, CNN4_SAME = COLUMNS
LOOKS = {"looks": [5, 10, 20, 40], "spend": [0.005, 0.01, 0.015, 0.02]}


def study(**rule):
    """The original's experiment with these looks, or some of LOOKS changed."""
    config = synthetic.config()
    config["experiments"]["original"]["seeds"] = LOOKS | rule
    return load_study(config)


def facts(truth=None, table=None, of=None):
    """A study with looks that has all 40 runs of each cell, as if they had come out of order."""
    made = synthetic.runs(synthetic.study(seeds=40), truth or synthetic.published(ORIGINAL), seed=1)
    return Facts(of or study(), ORIGINAL, RunTable(made if table is None else table))


def judge(given):
    return {claim.id: claim for claim in ledger.judge(given)}


def at_margin(claim, cell, share=1.0):
    """Validation means as published, but one at (a share of) its margin."""
    base = synthetic.published(ORIGINAL)
    entry = next(entry for entry in ORIGINAL["claims"] if entry["id"] == claim)
    shifted = entry["value"] + share * published.margin(entry, facts())
    return dataclasses.replace(base, validation={**base.validation, cell: shifted})


def test_claims_end_and_their_cells_with_them():
    """Each cell has 40 runs, as if for another experiment's sake; a look has its own alone."""
    found = hold(facts())
    assert found.is_through
    assert all(stand.evidence.n == stand.seeds for stand in found.members.values())
    assert {found.claims[f"V{number}"] for number in range(1, 6)} == {State.REPRODUCED}
    assert {found.claims[f"T{number}"] for number in range(1, 6)} == {State.REPRODUCED}
    assert found.cells[CNN4_SAME] == 5  # no primary reading names it
    assert found.cells[CNN1_SMALL] == 40  # 91.39, another claim's number, lies near its margin
    assert found.cells[CNN1] == 10  # what it is compared with is clearly better or worse


def test_a_cell_goes_on_for_the_claims_that_are_open_and_for_no_other():
    found = hold(facts(at_margin("V4", CNN4)), most=1)
    assert found.held == 1
    assert "V4" in found.wants[CNN4]
    for cell, claims in found.wants.items():
        assert all(found.claims[claim] == State.OPEN for claim in claims), cell
        assert found.planned[cell] == 10
    assert {cell for cell, planned in found.planned.items() if planned == 5} == set(COLUMNS) - set(found.wants)


def test_a_study_holds_so_many_looks_as_its_config_says_and_tells_what_the_next_would_take():
    truth, one_look = at_margin("V4", CNN4), study(held=1)
    held = facts(truth, of=one_look)
    found = hold(held)
    assert (found.held, found.is_through) == (1, False)
    assert found.claims == hold(facts(truth), most=1).claims
    assert set(standing.plan(one_look, found).values()) == {5}
    end = judge(held)["V4"].ending
    assert (end.seeds, end.kind) == (10, "too few seeds")
    assert end.words.startswith("It waits for look 2 of 4, at 10 seeds of 1\N{NO-BREAK SPACE}cell")
    wants = hold(held).wants
    assert ("A look is held for all open claims together, here " in end.words) == (len(wants) > 1)
    settings = {"seeds": {**LOOKS, "held": 2}}
    assert end.command == f"snakemake --config 'experiments={json.dumps({'original': settings})}'"


def test_a_claim_that_is_decided_stays_decided_whatever_later_runs_say():
    first = facts()
    before = hold(first, most=1)
    decided = {claim for claim, state in before.claims.items() if state != State.OPEN}
    table = first.runs.runs.copy()
    late = table["seed"] >= 5
    table.loc[late, "val_accuracy"] = table.loc[late, "val_accuracy"] - 3
    after = hold(facts(table=table))
    assert decided
    for claim in decided:
        assert after.claims[claim] == before.claims[claim]


def test_the_ledger_gives_the_verdict_and_the_numbers_of_the_look_that_decided():
    given = facts(at_margin("V4", CNN4))
    found, judged = hold(given), judge(given)
    for claim, state in found.claims.items():
        verdict = {State.REPRODUCED: "reproduced", State.NOT_REPRODUCED: "not reproduced"}.get(state, "inconclusive")
        assert judged[claim].verdict == verdict, claim
    stand = found.of("V1", CNN1_SMALL)
    numbers = judged["V1"].readings[0].numbers
    assert numbers.n == stand.seeds == len(numbers.seeds)
    assert numbers.p_rep == stand.evidence.p_rep
    assert numbers.p_rep_adjusted <= 0.05
    assert f"look {stand.look} of 4, at {stand.seeds} seeds" in judged["V1"].readings[0].reason


def test_a_claim_at_its_margin_stops_and_says_with_what_chance():
    ends = {}
    for share in np.linspace(0.9, 1.1, 9):
        given = facts(at_margin("V4", CNN4, share))
        found = hold(given)
        ends[found.claims["V4"]] = judge(given)["V4"].readings[0].reason
    assert "no more seeds are added for it (look " in ends[State.STOPPED]
    assert "% to be decided at 40)" in ends[State.STOPPED]
    assert found.is_through


def test_a_claim_that_stops_for_its_spread_says_how_many_seeds_a_study_of_its_own_would_take():
    """Ten seeds cannot tell with this spread, so the looks end; that more would is not denied."""
    given = facts(
        dataclasses.replace(synthetic.published(ORIGINAL), sd=0.9), of=study(looks=[5, 10], spend=[0.02, 0.03])
    )
    found, judged = hold(given), judge(given)
    stopped = [
        judged[claim]
        for claim, state in found.claims.items()
        if state == State.STOPPED and judged[claim].kind == "accuracy"
    ]
    assert stopped
    for claim in stopped:
        needed = claim.readings[0].numbers.seeds_needed
        assert needed is None or needed > 10
        if claim.readings[0].numbers.cause == "imprecise":
            assert (claim.ending.kind, claim.ending.seeds) == ("too few seeds", needed)
            assert f"planned with {needed:,} seeds would decide" in claim.readings[0].reason
    assert any(claim.readings[0].numbers.cause == "imprecise" for claim in stopped)


def test_an_order_is_judged_difference_by_difference_at_each_look():
    """Columns 4, 5, 1, 2, 3 stand .40, .14, 1.68 and .37 pp apart; seeds are added for what is near."""
    given = facts()
    found, judged = hold(given), judge(given)
    ends = [
        found.of("R2", *pair) for pair in ((CNN4, LENET), (LENET, CNN1_SMALL), (CNN1_SMALL, CNN1), (CNN1, CNN4_SMALL))
    ]
    assert ends[2].look <= min(ends[1].look, ends[3].look)
    assert ends[1].seeds > ends[2].seeds
    reading = judged["R2"].readings[0]
    assert [check.n for check in reading.checks] == [stand.seeds for stand in ends]
    assert [check.p for check in reading.checks] == [stand.p_rep for stand in ends]
    assert (judged["R2"].verdict == "reproduced") == (found.claims["R2"] == State.REPRODUCED)


def test_one_wrong_difference_ends_a_claim():
    base = synthetic.published(ORIGINAL)
    truth = dataclasses.replace(base, validation={**base.validation, LENET: 93.6})
    found = hold(facts(truth))
    assert found.claims["R1"] == found.claims["R2"] == State.NOT_REPRODUCED
    assert not [claim for claims in hold(facts(truth), most=1).wants.values() for claim in claims if claim[0] == "R"]


def test_a_look_waits_for_all_runs_of_its_cells():
    given = facts(at_margin("V4", CNN4))
    table = given.runs.runs
    cell = given.runs.column(CNN4, "digest")
    lost = (table["seed"] == 7) & table["digest"].isin(cell)
    found = hold(facts(table=table[~lost]))
    assert found.held == 1
    assert CNN4 in found.wants
    assert not found.is_through
    assert "V4" in found.told


def test_a_diverged_run_stops_its_claims():
    given = facts()
    table = given.runs.runs.copy()
    first = (table["seed"] == 0) & table["digest"].isin(given.runs.column(LENET, "digest"))
    table.loc[first, "status"] = "diverged"
    found = hold(facts(table=table))
    assert found.of("V5", LENET).state == State.STOPPED
    assert found.cells[LENET] == 5


def test_a_written_look_makes_the_study_grow_and_says_for_what(tmp_path):
    found, loaded = hold(facts(at_margin("V4", CNN4)), most=1), study()
    rows = standing.rows(loaded, found)
    files.write_csv(seeds.look_table(tmp_path, 1), rows, seeds.LOOK_COLUMNS)
    grown = seeds.with_plans(loaded, tmp_path)
    (experiment,) = grown.looking
    for cell in experiment.cells:
        assert len(grown.seeds(experiment, cell)) == found.planned[cell.name]
    assert seeds.told(loaded, tmp_path) == found.told
    row = next(row for row in rows if Cell(*(row[axis] for axis in AXES)).name == CNN4)
    assert "V4" in row["claims"].split(";")
    assert seeds.with_plans(loaded, tmp_path, looks=0) == loaded
    one_look = seeds.with_plans(study(held=1), tmp_path)
    assert {run.seed for run in one_look.alone(one_look.looking).runs()} == set(range(5))
    assert not one_look.awaits_plan


def test_a_look_by_another_rule_counts_as_none(tmp_path):
    rows = standing.rows(study(), hold(facts(), most=1))
    files.write_csv(seeds.look_table(tmp_path, 1), rows, seeds.LOOK_COLUMNS)
    other = study(looks=[5, 10], spend=[0.01, 0.04])
    assert seeds.with_plans(other, tmp_path) == other
    assert seeds.told(other, tmp_path) == "Look 1 of 2, at 5 seeds of 6 cells, is to come."


def test_a_store_alone_tells_where_the_looks_stand(monkeypatch):
    """As after `restore`, where no look has left a table: the runs that are there are enough."""
    whole = facts().runs.runs
    loaded = study()

    def collect(asked, source, strict):
        wanted = {(run.cell.name, run.seed) for run in asked.runs()}
        rows = [key in wanted for key in zip(synthetic.names(whole), whole["seed"], strict=True)]
        return collection.Collected(whole[rows], None, {})

    monkeypatch.setattr(collection, "collect", collect)
    grown, found = standing.grown(loaded, ORIGINAL, store=None)
    assert found.is_through
    assert found.cells == hold(facts()).cells
    (experiment,) = grown.looking
    assert {cell.name: len(grown.seeds(experiment, cell)) for cell in experiment.cells} == found.cells


def test_the_rule_is_simulated_with_the_looks_that_the_study_holds():
    judged = judge(facts(at_margin("V4", CNN4), of=study(held=2)))
    assert {tuple(claim.operating.seeds) for claim in judged.values() if claim.operating} == {(5, 10)}


def test_half_of_the_error_is_judged_by_the_looks_too():
    """Within .435 pp by the whole level, and not by the tenth of it that the first look spends."""
    judged = judge(facts(dataclasses.replace(synthetic.published(ORIGINAL), sd=0.3), of=study(held=1)))
    first, *others = (judged[f"T{number}"].readings[0].numbers for number in range(1, 6))
    assert first.spent == pytest.approx(0.1)
    assert first.half_error.margin == pytest.approx(0.435)
    assert first.half_error.verdict == "inconclusive"
    whole = [weigh(first.values, first.published, first.half_error.margin)]
    whole += [weigh(one.values, one.published, one.margin) for one in others]
    assert judge_family(whole)[0].verdict == "reproduced"


def test_a_p_value_after_the_looks_is_told_as_such():
    judged = judge(facts(at_margin("V4", CNN4), of=study(held=1)))
    numbers = judged["V4"].readings[0].numbers.model_dump()
    assert numbers["p_rep_adjusted"] > numbers["p_rep"]
    told = dict(words.numbers_told(numbers, "percent"))
    assert " after Holm and the looks, " in told["test of “within the margin”"]
    gap = judged["G1"].readings[0].numbers.model_dump()
    assert gap["family_size"] == 1
    assert "Holm" not in dict(words.numbers_told(gap, "pp"))["test of “beyond it”"]
    assert all("(after Holm and the looks)" in check.test for check in judged["R2"].readings[0].checks)
