"""What may leave this machine: no home folder, no character that HTML or XML refuses, none that turns text round."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Home folders wherever they lie, /gpfs/home/ for one; a cluster's scratch folders bear their users' names, too.
_HOMES = r"(?:(?:/[\w.-]+){0,4}/(?:homes?|[uU]sers|scratch)/|[A-Za-z]:\\Users\\)[^/\\\s'\":]+|/root(?=[/\s'\":]|$)"
#: What neither HTML nor XML may hold: control characters (save tab and line end), lone surrogates, non-characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

#: What turns the direction of writing round, so that a text reads as another one: shown by its number instead.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def redact(value: Any) -> Any:
    """The same value, fit to publish: in its strings (keys included) a home folder is `~`, nothing is hidden."""
    home = re.escape(str(Path.home()).rstrip("/\\"))
    own = rf"{home}(?=[/\\\s'\":]|$)|" if home else ""
    return _redact(value, re.compile(rf"(?<![\w.~-])(?:{own}{_HOMES})"))


def _redact(value: Any, homes: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        shown = _UNPRINTABLE.sub("\ufffd", homes.sub("~", value))
        return _TURNING.sub(lambda found: f"[U+{ord(found.group()):04X}]", shown)
    if isinstance(value, Mapping):
        return {_redact(key, homes): _redact(entry, homes) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(entry, homes) for entry in value]
    return value
