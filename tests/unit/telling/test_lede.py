"""What the first screen says, of a whole study, a quick preset, one run a network, no run, and another report."""

import copy
import typing

import pytest

from analysis_fixture import analysis
from refashion.judging.document.claims import Ending
from refashion.telling import lede


def told(given) -> dict[str, str]:
    return {one.head: one.text.replace("\u00a0", " ") for one in lede.findings(given)}


def with_verdicts(given, **verdicts):
    """The study with these verdicts of its claims."""
    given = copy.deepcopy(given)
    for claim in given["claims"]:
        if claim["id"] in verdicts:
            claim["verdict"] = claim["readings"][0]["verdict"] = verdicts[claim["id"]]
    return given


def test_every_claim_is_in_one_group_and_every_group_is_counted():
    given = analysis(n=4)
    grouped = [claim["id"] for _, claims in lede.groups(given) for claim in claims]
    assert sorted(grouped) == sorted(claim["id"] for claim in given["claims"])
    assert [sum(column) for column in zip(*(lede.tally(own) for _, own in lede.groups(given)), strict=True)] == list(
        given["study"]["verdicts"].values()
    )


def test_the_letters_of_a_group_stand_beside_it():
    own = dict(lede.groups(analysis(n=4)))
    assert lede.letters(own[lede.COUNTED]) == "D, P, L"
    assert lede.letters([{"id": "1"}]) == ""


def test_accuracies_are_counted_as_they_are_judged():
    given = with_verdicts(analysis(n=4), **dict.fromkeys(("V1", "V2", "V3", "V4", "V5", "V6"), "not reproduced"))
    given = with_verdicts(
        given, T1="reproduced", T2="reproduced", T3="reproduced", T4="inconclusive", T5="inconclusive"
    )
    for claim in given["claims"]:
        if claim["kind"] == "accuracy":
            claim["readings"][0]["numbers"]["difference"] = {"V1": -1.4, "V2": 0.2, "T5": -0.5}.get(claim["id"], 0.35)
    found = told(given)
    assert found["Validation accuracies"] == (
        "Of 6 that are printed, none is reproduced and 6 are not reproduced (V1, V2, V3, V4, V5, V6: ours 1.4 pp lower "
        "to 0.35 pp higher)."
    )
    assert found["Training accuracies"] == (
        "Of 5 that are printed, 3 are reproduced (T1, T2, T3: ours 0.35 pp higher; T1 not within half the printed "
        "error) and 2 are open (T4, T5: ours 0.50 pp lower to 0.35 pp higher)."
    )


def test_statements_that_do_not_agree_are_quoted_with_what_is_counted_where_they_are_few():
    given = analysis(n=4)
    counted = [one["id"] for one in dict(lede.groups(given))[lede.COUNTED]]
    given = with_verdicts(given, **dict.fromkeys(counted, "reproduced"))
    assert told(given)["Counted"].endswith("agree with what is counted here.")
    assert told(with_verdicts(given, P6="not reproduced"))["Counted"].endswith(
        "; 1 does not: “Padding makes the 4-layer network's parameters three times as many” (counted: 2.77 times)."
    )
    few, many = (with_verdicts(given, **dict.fromkeys(counted[:n], "not reproduced")) for n in (3, 4))
    assert told(few)["Counted"].count("(counted: ") == 3
    assert told(many)["Counted"].endswith("; 4 do not.")


def test_one_accuracy_of_a_kind_is_told_with_its_number():
    given = with_verdicts(analysis(n=4), V1="not reproduced")
    [claim] = [one for one in given["claims"] if one["id"] == "V1"]
    claim["readings"][0]["numbers"]["difference"] = -3.2
    [found] = lede._accuracies([claim])
    assert found.head == "Validation accuracy"
    assert found.text.replace("\u00a0", " ") == (
        "The one that is printed, 91.97%, is not reproduced (ours 3.2 pp lower)."
    )


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([1.0, 2.5, 0.5], "ours 0.50 to 2.5 pp higher"),
        ([-1.0, -3.1], "ours 1.0 to 3.1 pp lower"),
        ([-1.0, 0.2], "ours 1.0 pp lower to 0.20 pp higher"),
        ([0.4], "ours 0.40 pp higher"),
        ([1.02, 1.04], "ours 1.0 pp higher"),
        ([0.0, 0.3], "ours 0 to 0.30 pp higher"),
        ([1e-14, -1e-14], "ours the same"),
        ([], ""),
    ],
)
def test_how_far_ours_lie_is_told_from_the_lowest_to_the_highest(differences, expected):
    claims = [{"readings": [{"numbers": {"n": 3, "difference": value}}]} for value in differences]
    waiting = {"readings": [{"numbers": {"n": 0, "difference": None}}]}
    assert lede._ours_told([*claims, waiting]).replace("\u00a0", " ") == expected


def test_every_accuracy_that_is_not_reproduced_is_told_of_in_the_table_or_not():
    """V6 stands in the text of the report alone."""
    ids = ("V1", "V5", "V6", "T5")
    given = with_verdicts(analysis(n=4), **dict.fromkeys(("V2", "V3", "V4", "T1", "T2", "T3", "T4"), "reproduced"))
    given = with_verdicts(given, **dict.fromkeys(ids, "not reproduced"))
    rows = [one for one in lede.findings(given) if one.head in ("Read otherwise", "However read")]
    assert {id for one in rows for id in one.claims} >= set(ids)


def test_a_reading_that_rescues_is_named_and_one_that_does_not_is_not():
    given = with_verdicts(analysis(n=4), V1="not reproduced")
    claim = next(one for one in given["claims"] if one["id"] == "V1")
    for reading in claim["readings"][1:]:
        reading.update(verdict="not reproduced", tested=True)
    assert "Read otherwise" not in told(given)
    assert "validation 91.97% (ours" in told(given)["However read"]
    claim["readings"][1]["verdict"] = "reproduced"
    text = told(given)["Read otherwise"]
    assert (
        f"Read as \u201c{claim['readings'][1]['title']}\u201d, one of {len(claim['readings']) - 1} other readings, "
        in text
    )
    assert "V1" in text
    assert text.endswith(("are reproduced.", "is reproduced."))
    assert "91.97%" not in told(given).get("However read", "")


def test_what_no_unstated_choice_brings_back_is_said_with_how_many_were_tried():
    given = with_verdicts(analysis(n=4), V1="not reproduced", V5="not reproduced")

    def curve(claim, published, *samples):
        points = [
            {"primary": not i, "sample": {"n": n, "mean": mean}} for i, (n, mean) in enumerate([(9, 70), *samples])
        ]
        return {"claim": claim, "points": points, "published": published, "margin": 0.5}

    given["specification_curves"] = [curve("V1", 91.97, (1, 87.1), (1, 89.1)), curve("V5", 92.11, (1, 91.61), (3, 90))]
    assert told(given)["Other settings"] == (
        "Settings that the original does not state, at final and at best epochs: of 2 tried (ours 87.10% to 89.10%), "
        "none come within the margin of 91.97%; of 2 tried (ours 90.00% to 91.61%), 1 comes within the margin of "
        "92.11%; 1 to 3 runs each, and one run is no verdict."
    )
    given["specification_curves"] = [curve("V1", 91.97)]
    assert "Other settings" not in told(given), "the primary specification alone"
    reproduced = with_verdicts(given, V1="reproduced")
    reproduced["specification_curves"] = [curve("V1", 91.97, (1, 87.1))]
    assert "Other settings" not in told(reproduced)


def test_a_preset_that_is_no_evidence_finds_nothing_of_accuracies():
    given = analysis(n=2)
    given["study"]["evidence"] = False
    assert set(told(given)) == {"No evidence", "Counted"}


def test_one_run_each_says_that_none_can_be_judged():
    found = told(analysis(n=1))
    assert found["One run each"].startswith("Each network was trained once.")
    assert not {"Validation accuracies", "Training accuracies", "Open"} & set(found)


def test_verdicts_between_looks_are_called_interim():
    given = analysis(n=4)
    plain = lede.findings(given)
    given["study"]["interim"] = "These verdicts are interim. Look 1 of 3 was held."
    *found, last = lede.findings(given)
    assert found == plain
    assert (last.head, last.text) == ("Interim", given["study"]["interim"])


def test_no_run_yet_is_said():
    found = told(analysis(n=0))
    assert "No run yet" in found
    assert not {"Validation accuracies", "Training accuracies", "Open", *lede.SAID} & set(found)


def test_one_accuracy_waits_in_the_singular():
    given = analysis(n=0)
    given["claims"] = [claim for claim in given["claims"] if claim["id"] == "V1"]
    assert told(given)["No run yet"] == "The one printed accuracy waits for the first runs."


def test_a_report_without_accuracies_or_counted_claims_has_a_lede_of_what_it_has():
    given = analysis(n=4)
    given["claims"] = [claim for claim in given["claims"] if claim["id"] == "R1"]
    given["table"]["columns"] = []
    assert set(told(with_verdicts(given, R1="reproduced"))) == {lede.SAID[0]}
    given["claims"] = []
    assert told(given) == {}


def ending(kind, seeds=None, core_hours=None):
    chance = 0.8 if seeds else None
    return {"kind": kind, "words": "x", "seeds": seeds, "chance": chance, "core_hours": core_hours}


def test_why_claims_are_open_is_counted_by_reason():
    claims = [{"ending": ending(kind)} for kind in ("too few seeds", "at the margin", "too few seeds")]
    assert lede.endings_told([*claims, {"ending": None}]).replace("\u00a0", " ") == (
        "3 claims are open, 2 for too few seeds and 1 at the margin, where more seeds will not tell."
    )
    assert lede.endings_told(claims[:1]).replace("\u00a0", " ") == "1 claim is open, for too few seeds."
    assert lede.endings_told([{"ending": None}]) == ""


def test_every_kind_of_ending_has_its_words():
    kinds = typing.get_args(Ending.model_fields["kind"].annotation)
    assert set(lede.ENDINGS) == set(kinds)


def test_an_open_comparison_says_what_would_end_it():
    given = with_verdicts(analysis(n=4), R4="inconclusive")
    claim = next(one for one in given["claims"] if one["id"] == "R4")
    claim["ending"] = ending("too few seeds", seeds=46, core_hours=127.8)
    for one in given["claims"]:
        if one["id"] in ("R1", "R2", "R3", "R6"):
            one["verdict"], one["ending"] = "reproduced", None
    text = told(given)[lede.SAID[2]]
    assert text.startswith(f"{claim['statement'].rstrip('.')}. ")
    assert text.endswith(" 46 seeds a network would settle it in 80 of 100 studies, at 130 core-hours.")


def test_what_was_decided_after_looking_is_one_line_of_the_readme():
    given = {"original": {"deviations": [{"id": "seeds"}, {"id": "R3"}]}}
    assert lede.deviations_told(given).startswith("2 rules were decided after looking: ")
    assert lede.deviations_told({"original": {"deviations": []}}) == ""
