"""Kinds of values: what they accept, and their words."""

from __future__ import annotations

import math

import pytest

from refashion.kinds import YES_OR_NO, number, one_of, whole


@pytest.mark.parametrize(
    ("kind", "words", "good", "bad"),
    [
        (number(0), "a number from 0 on", [0, 0.5, 10**300], [-1, math.nan, math.inf, 10**400, True, "1", None, [1]]),
        (number(-math.inf), "a number from -inf on", [-(10**300), 0], [-math.inf, 10**400]),
        (number(0, 180, "degrees"), "degrees from 0 to 180", [0, 180], [-1, 180.1]),
        (whole(1, 9), "a whole number from 1 to 9", [1, 9], [0, 10, 3.0, True, "3"]),
        (whole(1), "a whole number from 1 on", [2**53], [2**53 + 1]),
        (one_of("a", "b"), "one of a, b", ["a"], ["c", ["a"], None]),
        (YES_OR_NO, "true or false", [True, False], [0, 1, "yes"]),
        (whole(1) | None, "a whole number from 1 on, or null", [None, 3], [0]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_kind_accepts_what_its_words_say(kind, words, good, bad):
    assert kind.words == words
    assert [value for value in good if not kind.accepts(value)] == []
    assert [value for value in bad if kind.accepts(value)] == []
