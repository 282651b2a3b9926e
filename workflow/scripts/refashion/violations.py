"""Violations of a JSON schema, each told in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jsonschema


def sentence(file: str, error: jsonschema.ValidationError) -> str:
    """One sentence for a violation: the file, the key, the value, and what is allowed by the key's description."""
    key = path(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = sorted(str(name) for name in error.instance if name not in known)
        where = f"in {key}" if key else "at the top"
        return f"{file}: {where} the key {unknown[0]!r} is unknown; allowed are {', '.join(known)}."
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        needed = ", ".join(error.validator_value)
        return f"{file}: {place(error.absolute_path)} lacks the key {missing!r}; it needs {needed}."
    if error.validator == "dependentRequired":
        key, needed = next((key, names) for key, names in error.validator_value.items() if key in error.instance)
        return f"{file}: {place(error.absolute_path)} has {key} and lacks {', '.join(needed)}; {key} needs it."
    if "propertyNames" in error.absolute_schema_path:
        return f"{file}: the name {short(error.instance)} in {key} is not allowed; a name is {allowed(error)}."
    if isinstance(error.instance, str) and broken(error.instance):
        utf8 = "allowed are characters of UTF-8, so none of \\ud800 to \\udfff"
        return f"{file}: {place(error.absolute_path)} is {short(error.instance)}; {utf8}."
    return f"{file}: {place(error.absolute_path)} is {short(error.instance)}; allowed is {allowed(error)}."


def allowed(error: jsonschema.ValidationError) -> str:
    """The description of the key that is violated; alternatives are described together, above them."""
    while "description" not in error.schema and error.parent is not None:
        error = error.parent
    return error.schema.get("description", "")


def broken(text: str) -> bool:
    """Whether a text holds half a character, which no file can."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def path(parts: Iterable[str | int]) -> str:
    """Keys and positions as one writes them: recipes.b256_e50.epochs, cells[0]."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part if part.isprintable() else repr(part)}"
    return text.lstrip(".")


def place(parts: Iterable[str | int]) -> str:
    """A path, also where it is empty."""
    return path(parts) or "the whole"


def short(value: Any) -> str:
    """A value as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
