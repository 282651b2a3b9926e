"""The schema of the config, in which its defaults stand."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

SCHEMA_FILE = Path(__file__).resolve().parents[4] / "config" / "schema.yaml"


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
