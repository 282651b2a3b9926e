"""The one formatter: every number that a reader sees goes through here.

Two rules hold everywhere. A value shows no digit that its uncertainty does not support (the rounding rule of the
Particle Data Group, Review of Particle Physics, Introduction, section "Rounding"). A value that does not exist (None,
NaN, infinite) becomes a dash, never a word of the programming language.

Accuracies are in percent (0..100), differences in percentage points (pp), times in seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeGuard

from refashion import LEVEL

MISSING = "\u2013"
MINUS = "\u2212"
#: A no-break space: a number and its unit stay on one line.
SPACE = "\u00a0"
#: One of 10,000 images is 0.01 %: no accuracy here carries more decimals.
MOST_DECIMALS = 2


def exists(value: object) -> TypeGuard[float]:
    """True for a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def decimals(uncertainty: float | None, most: int = MOST_DECIMALS, least: int = 0) -> int:
    """Decimals that an uncertainty (a standard error, a half-width) supports, at most `most` and at least `least`.

    The three leading digits of the uncertainty decide: 100..354 keep two digits, 355..949 keep one, 950 and above round
    up to 1000 and keep two. A value without uncertainty, or one that is exact (0), gets `most`.
    """
    if not exists(uncertainty) or uncertainty <= 0:
        return most
    exponent = math.floor(math.log10(uncertainty))
    leading = round(uncertainty / 10 ** (exponent - 2))
    if leading >= 950:
        exponent, leading = exponent + 1, 100
    digits = 2 if leading < 355 else 1
    return min(most, max(least, digits - 1 - exponent))


def number(value: float | None, places: int = MOST_DECIMALS, sign: bool = False) -> str:
    """A fixed-point number with thousands separators and a true minus; zero never carries a sign."""
    if not exists(value):
        return MISSING
    text = f"{abs(value):,.{places}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def percent(value: float | None, uncertainty: float | None = None, unit: bool = True) -> str:
    """An accuracy in percent: 91.97%. It has a decimal even where two seeds support none: margins are below 1 pp."""
    if not exists(value):
        return MISSING
    return number(value, decimals(uncertainty, least=1)) + ("%" if unit else "")


def points(value: float | None, uncertainty: float | None = None, unit: bool = True) -> str:
    """A signed difference in percentage points: +0.42 pp, with a decimal at least, as `percent`."""
    if not exists(value):
        return MISSING
    return number(value, decimals(uncertainty, least=1), sign=True) + (f"{SPACE}pp" if unit else "")


def half_of(ends: Sequence[float] | None) -> float | None:
    """Half the width of an interval [low, high], None where there is none."""
    return (ends[1] - ends[0]) / 2 if ends and all(map(exists, ends)) else None


def interval(ends: Sequence[float] | None, sign: bool = False) -> str:
    """An interval without unit: 91.62 to 92.04. Both ends have the digits that its half-width supports, or one."""
    width = half_of(ends)
    if ends is None or width is None:
        return MISSING
    return " to ".join(number(end, decimals(width, least=1), sign) for end in ends)


def percent_interval(ends: Sequence[float] | None, unit: bool = True) -> str:
    """An interval of accuracies: 91.62 to 92.04%. What lies beyond 0 or 100 is not shown, as no accuracy lies there."""
    width = half_of(ends)
    if ends is None or width is None:
        return MISSING
    shown = (number(min(max(end, 0.0), 100.0), decimals(width, least=1)) for end in ends)
    return " to ".join(shown) + ("%" if unit else "")


def points_interval(ends: Sequence[float] | None) -> str:
    """An interval of differences: +0.12 to +0.72 pp."""
    text = interval(ends, sign=True)
    return text if text == MISSING else f"{text}{SPACE}pp"


def p_value(p: float | None) -> str:
    """A p-value without its letter: 0.032, < 0.001, > 0.99. It is never rounded onto the level that judges it."""
    if not exists(p):
        return MISSING
    if p < 0.001:
        return f"<{SPACE}0.001"
    if p > 0.99:
        return f">{SPACE}0.99"
    for places in range(2 if p >= 0.1 else 3, 8):
        text = f"{p:.{places}f}"
        if float(text) != LEVEL or p == LEVEL:
            return text
    return f"{p:.8f}"


def p_phrase(p: float | None) -> str:
    """A p-value with its letter: p = 0.032, p < 0.001."""
    text = p_value(p)
    if text == MISSING:
        return f"p{SPACE}not available"
    return f"p{SPACE}{text}" if text[0] in "<>" else f"p{SPACE}={SPACE}{text}"


def corrections(together: int, spent: float) -> str:
    """What a p-value is adjusted for: tests judged together, the share of the level that a look spends; or ""."""
    what = ["Holm"] * (together > 1) + ["the looks"] * (spent < 1)
    return f"after {' and '.join(what)}" if what else ""


def p_of(holds: bool | None, p: float | None, against: float | None) -> str:
    """The p of the test that decides: for a statement that holds, against one that does not; both where none does."""
    if holds:
        return p_phrase(p)
    return (
        f"{p_phrase(against)} against it" if holds is False else f"{p_phrase(p)} for it, {p_phrase(against)} against it"
    )


def count(value: float | None) -> str:
    """A whole number with thousands separators: 60,000."""
    return number(value, 0)


def plural(value: int | None, one: str, many: str | None = None) -> str:
    """A count and its noun: 1 seed, 5 seeds."""
    noun = one if value == 1 else many or f"{one}s"
    return f"{'no' if value == 0 else count(value)}{SPACE}{noun}"


def significant(value: float | None, digits: int = 3) -> str:
    """A number to so many significant digits, without exponent: 2.77, 12,300."""
    if not exists(value):
        return MISSING
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return number(round(value, places), max(0, places))


def share_of_100(share: float | None) -> str:
    """A probability (0..1) as a count out of 100, never a false 'never' (0) or 'always' (100)."""
    if not exists(share):
        return MISSING
    if 0 < share < 0.005:
        return "fewer than 1"
    if 0.995 < share < 1:
        return "more than 99"
    return number(100 * share, 0)


def duration(seconds: float | None) -> str:
    """A time for people, two units at most: 45 s, 3 min 20 s, 2 h 5 min, 1 d 4 h."""
    if not exists(seconds):
        return MISSING
    if seconds < 0:
        return MINUS + duration(-seconds)
    if seconds < 10:
        return f"{number(seconds, 1)}{SPACE}s"
    for size, part, big, small in ((86400, 3600, "d", "h"), (3600, 60, "h", "min"), (60, 1, "min", "s")):
        if seconds >= size - part / 2:
            whole, rest = divmod(round(seconds / part), size // part)
            return f"{count(whole)}{SPACE}{big}" + (f" {rest}{SPACE}{small}" if rest else "")
    return f"{number(seconds, 0)}{SPACE}s"


def date(text: str | None) -> str:
    """An ISO date or time as a day: 24 November 2026. Anything else is shown as it is."""
    if not text:
        return MISSING
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B} {day.year}"


def sentence_list(words: Iterable[str], last: str = "and") -> str:
    """Words as a list in a sentence: a, b and c."""
    items = list(words)
    if not items:
        return MISSING
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def sentence(text: str, otherwise: str = "") -> str:
    """A reason as a sentence of its own: capital letter (unless a name is first), full stop. Empty: `otherwise`."""
    text = (text or otherwise).strip()
    if not text:
        return ""
    start = text[0].upper() if text.split(maxsplit=1)[0].strip(",;:").isalpha() else text[0]
    return start + text[1:] + ("" if text[-1] in ".!?" else ".")


def text_or_missing(value: object) -> str:
    """Any value of a table cell as text; what does not exist becomes a dash, yes and no instead of True and False."""
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = significant(value, 4)
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, list | tuple):
        return ", ".join(text_or_missing(item) for item in value) or MISSING
    return str(value)


#: Text that a spreadsheet would compute (OWASP, "CSV injection"), or that was kept from it; a number is none.
_FORMULA = re.compile(r"'*(?:[=@\t\r]|[+-](?!\d+(?:\.\d*)?(?:e[+-]?\d+)?$))", re.IGNORECASE)


def spreadsheet_text(text: str) -> str:
    """Text for a cell of a CSV file: begun with an apostrophe where a spreadsheet would compute it."""
    return f"'{text}" if _FORMULA.match(text) else text


def text_of_spreadsheet(text: str) -> str:
    """The text of which `spreadsheet_text` made this."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
