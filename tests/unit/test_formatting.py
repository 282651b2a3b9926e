"""The formatter: digits that the uncertainty supports, a dash for what does not exist, true minus signs."""

import math

import pytest

from refashion import formatting


@pytest.mark.parametrize(
    ("uncertainty", "places"),
    [
        # The Particle Data Group's own example: 0.827 +- 0.119 is 0.83 +- 0.12, and 0.827 +- 0.367 is 0.8 +- 0.4.
        (0.119, 2),
        (0.367, 1),
        # The edges of its rule: 354 keeps two digits, 355 keeps one, 950 rounds up to 1000 and keeps two.
        (0.354, 2),
        (0.355, 1),
        (0.949, 1),
        (0.950, 1),
        (9.5, 0),
        (0.0996, 2),
        (1.2, 1),
        (4.0, 0),
        (37.0, 0),
    ],
)
def test_decimals_follow_the_particle_data_group(uncertainty, places):
    assert formatting.decimals(uncertainty) == places


def test_decimals_never_exceed_what_ten_thousand_images_resolve():
    assert formatting.decimals(0.0001) == 2
    assert formatting.decimals(0) == formatting.decimals(None) == formatting.decimals(math.nan) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formatting.percent(91.968, 0.119), "91.97%"),
        (formatting.percent(91.968, 0.367), "92.0%"),
        (formatting.percent(100), "100.00%"),
        (formatting.points(-0.416), "\u22120.42\u00a0pp"),
        (formatting.points(0.416), "+0.42\u00a0pp"),
        (formatting.points(-0.004), "0.00\u00a0pp"),
        (formatting.percent_interval([91.62, 92.04]), "91.62 to 92.04%"),
        (formatting.percent_interval([91.0, 93.0]), "91.0 to 93.0%"),
        (formatting.percent_interval([99.5, 100.5]), "99.5 to 100.0%"),
        (formatting.percent_interval([-0.2, 0.8]), "0.0 to 0.8%"),
        (formatting.points_interval([-0.31, 0.29]), "\u22120.31 to +0.29\u00a0pp"),
        (formatting.count(60000), "60,000"),
        (formatting.plural(0, "run"), "no\u00a0runs"),
        (formatting.plural(1, "run"), "1\u00a0run"),
        (formatting.plural(1200, "study", "studies"), "1,200\u00a0studies"),
        (formatting.significant(2.7705), "2.77"),
        (formatting.significant(12345.6), "12,300"),
        (formatting.significant(0), "0"),
        (formatting.share_of_100(0.873), "87"),
        (formatting.share_of_100(0.999), "more than 99"),
        (formatting.share_of_100(0.001), "fewer than 1"),
        (formatting.share_of_100(1), "100"),
        (formatting.date("2026-11-24T03:13:53+00:00"), "24 November 2026"),
        (formatting.date("soon"), "soon"),
        (formatting.sentence_list(["a", "b", "c"]), "a, b and c"),
        (formatting.sentence_list(["a"]), "a"),
        (formatting.text_or_missing(True), "yes"),
        (formatting.text_or_missing([1, "b"]), "1, b"),
    ],
)
def test_examples(text, expected):
    assert text == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (3.21, "3.2\u00a0s"),
        (45, "45\u00a0s"),
        (59.6, "1\u00a0min"),
        (200, "3\u00a0min 20\u00a0s"),
        (3599.9, "1\u00a0h"),
        (7500, "2\u00a0h 5\u00a0min"),
        (100800, "1\u00a0d 4\u00a0h"),
        (-5659.3, "\u22121\u00a0h 34\u00a0min"),
    ],
)
def test_durations(seconds, expected):
    assert formatting.duration(seconds) == expected


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.0004, "<\u00a00.001"),
        (0.00099, "<\u00a00.001"),
        (0.001, "0.001"),
        (0.0042, "0.004"),
        (0.0321, "0.032"),
        (0.4262, "0.43"),
        (0.0996, "0.100"),
        (0.99, "0.99"),
        (0.999, ">\u00a00.99"),
        (0.05, "0.050"),
        # Rounded to three decimals these two would sit on the level; they must stay on their side of it.
        (0.05003, "0.05003"),
        (0.0498, "0.0498"),
    ],
)
def test_p_values_stay_on_their_side_of_the_level(p, expected):
    assert formatting.p_value(p) == expected


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "shape",
    [
        formatting.percent,
        formatting.points,
        formatting.p_value,
        formatting.count,
        formatting.significant,
        formatting.share_of_100,
        formatting.duration,
        formatting.number,
        formatting.text_or_missing,
        lambda value: formatting.percent_interval([value, 92.0]),
        lambda value: formatting.points_interval([0.1, value]),
    ],
)
def test_what_does_not_exist_is_a_dash(value, shape):
    assert shape(value) == formatting.MISSING


def test_a_missing_p_value_is_a_sentence_part():
    assert formatting.p_phrase(None) == "p\u00a0not available"
    assert formatting.p_phrase(0.2) == "p\u00a0=\u00a00.20"
    assert formatting.p_phrase(1e-9) == "p\u00a0<\u00a00.001"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot say, because of this", "Cannot say, because of this."),
        ("Done.", "Done."),
        ("Really?", "Really?"),
        ("cnn1/10k is better", "cnn1/10k is better."),
        ("", ""),
    ],
)
def test_sentence(text, expected):
    assert formatting.sentence(text) == expected


def test_a_missing_reason_has_a_stand_in():
    assert formatting.sentence("", "it was not run") == "It was not run."
    assert formatting.half_of([1.0, 2.0]) == 0.5
    assert formatting.half_of(None) is None
