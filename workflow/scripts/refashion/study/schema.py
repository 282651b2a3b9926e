"""JSON schemas as this project takes them: numbers are finite, texts are UTF-8, and defaults are filled in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema
import yaml

from refashion import violations
from refashion.project import PROJECT


@cache
def read_schema(name: str) -> dict[str, Any]:
    """A schema of config/, with every `$ref` replaced by what it names and by the keys beside it."""
    root = yaml.safe_load((PROJECT / "config" / name).read_text(encoding="utf-8"))

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(item) for item in part]
        if not isinstance(part, dict):
            return part
        named = root["$defs"][part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else {}
        return {key: resolved(value) for key, value in {**named, **part}.items() if key not in ("$ref", "$defs")}

    return resolved(root)


def config_schema() -> dict[str, Any]:
    """The schema of the config."""
    return read_schema("schema.yaml")


def recipe_defaults() -> dict[str, Any]:
    """What a recipe is unless it says otherwise."""
    options = config_schema()["properties"]["recipes"]["additionalProperties"]["properties"]
    return {name: option["default"] for name, option in options.items() if "default" in option}


def completed(value: Any, schema: Mapping[str, Any] | bool) -> Any:
    """A checked value with the schema's defaults and, where whole numbers are meant, 3 for 3.0; at every depth."""
    if isinstance(schema, bool):  # of a part that may be anything, or nothing
        return value
    for alternative in schema.get("anyOf", ()):
        value = completed(value, alternative)
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        missing = {name: entry["default"] for name, entry in known.items() if "default" in entry and name not in value}
        return {name: completed(entry, known.get(name, others)) for name, entry in {**value, **missing}.items()}
    if isinstance(value, list):
        return [completed(item, schema.get("items", True)) for item in value]
    if isinstance(value, float) and "integer" in schema.get("type", ()):
        return int(value)
    return value


def _is_number(_checker: Any, value: Any) -> bool:
    """nan and the infinities, which JSON Schema takes, are none."""
    return type(value) is int or (isinstance(value, float) and math.isfinite(value))


def _is_text(_checker: Any, value: Any) -> bool:
    r"""YAML's "\ud800" is half a character, which no file can hold."""
    return isinstance(value, str) and not violations.broken(value)


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many({"number": _is_number, "string": _is_text}),
)
