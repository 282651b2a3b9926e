"""Violations of a JSON schema, each told in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import jsonschema


def sentence(file: str, error: jsonschema.ValidationError) -> str:
    """One sentence for a violation: the file, the key, the value, and what is allowed by the key's description."""
    key, value, found = path(error.absolute_path), cast(Any, error.validator_value), cast(Any, error.instance)
    if error.validator == "additionalProperties":
        known = _schema(error).get("properties", {})
        unknown = sorted(str(name) for name in found if name not in known)
        where = f"in {key}" if key else "at the top"
        return f"{file}: {where} the key {unknown[0]!r} is unknown; allowed are {', '.join(known)}."
    if error.validator == "required":
        missing = next(name for name in value if name not in found)
        needed = ", ".join(value)
        return f"{file}: {place(error.absolute_path)} lacks the key {missing!r}; it needs {needed}."
    if error.validator == "dependentRequired":
        key, needed = next((key, names) for key, names in value.items() if key in found)
        return f"{file}: {place(error.absolute_path)} has {key} and lacks {', '.join(needed)}; {key} needs it."
    if "propertyNames" in error.absolute_schema_path:
        return f"{file}: the name {short(found)} in {key} is not allowed; a name is {allowed(error)}."
    if isinstance(found, str) and broken(found):
        utf8 = "allowed are characters of UTF-8, so none of \\ud800 to \\udfff"
        return f"{file}: {place(error.absolute_path)} is {short(found)}; {utf8}."
    return f"{file}: {place(error.absolute_path)} is {short(found)}; allowed is {allowed(error)}."


def allowed(error: jsonschema.ValidationError) -> str:
    """The description of the key that is violated; alternatives are described together, above them."""
    while "description" not in _schema(error) and error.parent is not None:
        error = cast(jsonschema.ValidationError, error.parent)
    return _schema(error).get("description", "")


def _schema(error: jsonschema.ValidationError) -> Mapping[str, Any]:
    """The part of the schema that is violated; parts that are true or false violate nothing that has a description."""
    return error.schema if isinstance(error.schema, Mapping) else {}


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
    """A value as Python writes it, cut where it is long; nothing as YAML's reader sees it."""
    text = "empty (null)" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
