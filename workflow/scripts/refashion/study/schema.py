"""JSON schemas as this project takes them: numbers are finite, texts are UTF-8. And the config's, with its defaults."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import jsonschema
import yaml

from refashion import violations
from refashion.project import PROJECT

SCHEMA_FILE = PROJECT / "config" / "schema.yaml"


@cache
def config_schema() -> dict[str, Any]:
    """The schema, with every `$ref` replaced by what it names and by the keys beside it."""
    root = yaml.safe_load(SCHEMA_FILE.read_text(encoding="utf-8"))

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(item) for item in part]
        if not isinstance(part, dict):
            return part
        named = root["$defs"][part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else {}
        return {key: resolved(value) for key, value in {**named, **part}.items() if key not in ("$ref", "$defs")}

    return resolved(root)


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
