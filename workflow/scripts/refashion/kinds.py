"""What a value may be: a check, and its words for the sentence that refuses another value."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: The largest whole number that JSON's readers agree on.
_LARGEST = 2**53


@dataclass(frozen=True)
class Kind:
    """A kind of value; `words` are those of "allowed is {words}"."""

    words: str
    accepts: Callable[[Any], bool]

    def __or__(self, other: None) -> Kind:
        return Kind(f"{self.words}, or null", lambda value: value is None or self.accepts(value))


def number(low: float, high: float = math.inf, what: str = "a number") -> Kind:
    """A finite number from `low` to `high`; `what` it is may be told nearer, as "degrees"."""
    words = f"{what} from {low} {'on' if high == math.inf else f'to {high}'}"
    least, most = max(low, -sys.float_info.max), min(high, sys.float_info.max)
    return Kind(words, lambda value: type(value) in (int, float) and least <= value <= most)


def whole(low: int, high: int = _LARGEST) -> Kind:
    """A whole number from `low` to `high`."""
    words = f"a whole number from {low} {'on' if high == _LARGEST else f'to {high}'}"
    return Kind(words, lambda value: type(value) is int and low <= value <= high)


def one_of(*values: str) -> Kind:
    """One of some words."""
    return Kind(f"one of {', '.join(values)}", lambda value: value in values)


YES_OR_NO = Kind("true or false", lambda value: isinstance(value, bool))
