"""Numbers, claims and cells in words."""

import re

import pytest

from analysis_fixture import analysis
from refashion.telling import words


@pytest.mark.parametrize(
    ("value", "unit", "interval", "expected"),
    [
        (91.973, "percent", [91.6, 92.4], "92.0%"),
        (91.973, "percent", None, "91.97%"),
        (-0.412, "pp", [-0.5, -0.3], "\u22120.41\u00a0pp"),
        (2.7705, "times", None, "2.77 times"),
        (1_000_000.0, "images", None, "1,000,000\u00a0images"),
        (693962, "parameters", None, "693,962"),
        (75.0, "seconds", None, "1\u00a0min 15\u00a0s"),
        ("10 classes", "", None, "10 classes"),
        (None, "percent", None, "\u2013"),
        (True, "", None, "yes"),
    ],
)
def test_amount(value, unit, interval, expected):
    assert words.amount(value, unit, interval) == expected


def test_a_claims_numbers_name_every_seed_and_both_sides_of_the_correction():
    (numbers,) = [c["readings"][0]["numbers"] for c in analysis(4)["claims"] if c["id"] == "V1"]
    told = dict(words.numbers_told(numbers | {"p_rep": 0.02, "p_rep_adjusted": 0.14, "p_not": 0.5}, "percent"))
    assert told["seed: run"] == ", ".join(
        f"{seed}: {value:.2f}" for seed, value in zip(numbers["seeds"], numbers["values"], strict=True)
    )
    assert told["test of “within the margin”"] == "p\u00a0=\u00a00.14 after Holm, 0.020 by itself"
    many = numbers | {"seeds": list(range(40)), "values": [90.0] * 40, "p_not": None, "p_not_adjusted": None}
    told = dict(words.numbers_told(many, "percent"))
    assert told["seed: run"].endswith("11: 90.00, and 28 more")
    assert "test of “beyond it”" not in told


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        (True, "p\u00a0=\u00a00.011, one-sided; 3\u00a0seeds"),
        (False, "p\u00a0=\u00a00.98 against it, one-sided; 3\u00a0seeds"),
        (None, "p\u00a0=\u00a00.011 for it, p\u00a0=\u00a00.98 against it, one-sided; 3\u00a0seeds"),
    ],
)
def test_a_check_tells_the_test_that_decides_or_both(holds, expected):
    check = {"label": "a minus b", "expected": "above 0", "found": 1.2, "unit": "seconds", "interval": [-90.0, 92.4]}
    check |= {"p": 0.011, "p_against": 0.98, "test": "one-sided", "n": 3, "holds": holds, "reason": ""}
    told = words.check_told(check)
    assert "(\u22121\u00a0min 30\u00a0s to 1\u00a0min 32\u00a0s)" in told
    assert told.endswith(expected)


def test_other_names_have_other_anchors():
    names = ["a+b", "a-b", "a b", "D1", "D1-", "-D1", "R5", "R5\n", "R5 ", "", "-", "\u00e9", "e", "\ud800", "x"]
    anchors = [words.slug(name) for name in names]
    assert len(set(anchors)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", anchor) for anchor in anchors)
    assert words.slug("verdict_forest") == "verdict_forest", "a name that is an anchor stays as it is"


def test_the_crossed_experiment_is_told_with_its_intervals_the_largest_part_first():
    given = analysis(n=4)
    sources = [
        {"source": "subset", "share": 0.2, "sd": 0.1, "interval": [-0.01, 0.04]},
        {"source": "initialiser and order", "share": 0.0, "sd": 0.0, "interval": [0.0, 0.01]},
        {"source": "residual", "share": 0.8, "sd": 0.2, "interval": [0.01, 0.09]},
    ]
    given["variance"] = {"components": {"cells": ["a", "b", "c"], "sources": sources}}
    assert words.components_told(given).replace("\u00a0", " ") == (
        "Where 3 samples of images met the same seeds, of 100 parts of the variance come "
        "80 from how the two combine (SD 0.20 pp, 0.10 to 0.30), "
        "20 from which images were drawn (SD 0.10 pp, 0.00 to 0.20) and "
        "0 from what the seed draws, initialisation and order (SD 0.00 pp, 0.00 to 0.10)."
    )
    given["variance"]["components"] = None
    assert words.components_told(given) == ""


def test_every_source_of_the_crossed_experiment_has_its_words():
    sources = analysis(n=4)["variance"]["components"]["sources"]
    assert {one["source"] for one in sources} == set(words.SOURCES)
