"""YAML files, read strictly: each key once, and each mistake in one sentence with its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from refashion import files
from refashion.errors import UserError


def read(path: Path | str) -> Any:
    """The content of a YAML file, as plain types.

    Raises UserError for a file that is missing, no file, not readable, not UTF-8 or broken YAML; for a key that stands
    twice in one mapping, of which YAML's own reader keeps the last without a word; for an entry that holds itself;
    and for one that, its aliases written out, is of more than `MOST_ENTRIES`.
    """
    return _parse(path, _text(path))


def typed(value: Any) -> Any:
    """A value in which numbers, truth values and null may be texts, as they are in YAML."""
    if isinstance(value, Mapping):
        return {key: typed(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [typed(entry) for entry in value]
    if not isinstance(value, str):
        return value
    try:
        found = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return found if found is None or isinstance(found, bool | int | float) else value


def _text(path: Path | str) -> str:
    try:
        if kind := files.other_kind(path):
            raise UserError(f"{path} is {kind}; a YAML file is wanted.")
        content = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; a YAML file is wanted.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise UserError(f"{path}, line {line}: the byte 0x{byte:02x} is no UTF-8; save the file as UTF-8.") from error


def _parse(path: Path | str, text: str) -> Any:
    try:
        return yaml.load(text, _Reader)  # noqa: S506 (a SafeLoader)  # nosec B506
    except _Refused as error:
        raise UserError(f"{path}, line {error.line}: {error}.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}, line {mark.line + 1}" if mark else f"{path}"
        raise UserError(f"{where}: no valid YAML ({_one_line(error.problem or error.context)}).") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(f"{path}, line {line}: the character {error.character:#06x} is not allowed in YAML.") from error
    except RecursionError as error:
        raise UserError(f"{path}: no valid YAML (it is nested too deeply).") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2025-13-45
        raise UserError(f"{path}: no valid YAML ({_one_line(error)}).") from error


def _one_line(problem: object) -> str:
    return " ".join(str(problem).split())


class _Refused(Exception):  # noqa: N818 (told as a UserError by `_parse`, which knows the file)
    """Valid YAML that has no place here, as half a sentence, and its line."""

    def __init__(self, problem: str, line: int):
        super().__init__(problem)
        self.line = line


#: Keys and values with the aliases written out, far more than a config of ten thousand cells has.
MOST_ENTRIES = 1_000_000


class _Reader(yaml.SafeLoader):
    """PyYAML's safe loader, strict. What `<<` merges into a mapping may still be overridden there."""

    def __init__(self, text: str):
        super().__init__(text)
        self._keys: dict[yaml.Node, set] = {}  # of each mapping, as they stand in the file
        self._entries: dict[yaml.Node, int] = {}  # of each node that is complete

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        """A node; it is a key where a mapping asks for it and has no key for it, and a circle if it has no end yet."""
        line = self.peek_event().start_mark.line + 1
        node = cast(yaml.Node, super().compose_node(parent, index))  # none only where the file is empty, before
        if node.end_mark is None:
            raise _Refused("an alias names the entry that it stands in", line)
        self._count(node, line)
        if isinstance(parent, yaml.MappingNode) and index is None and isinstance(node, yaml.ScalarNode):
            key = node.value if node.tag in _SPECIAL else self.construct_object(node)
            keys = self._keys.setdefault(parent, set())
            if key in keys:
                raise _Refused(f"the key {key!r} stands twice", line)
            keys.add(key)
        return node

    def _count(self, node: yaml.Node, line: int) -> None:
        """How much a node holds: aliases share it here, but whoever copies or merges the content writes them out."""
        if node not in self._entries:
            parts = node.value if isinstance(node, yaml.CollectionNode) else ()
            flat = (part for pair in parts for part in pair) if isinstance(node, yaml.MappingNode) else parts
            self._entries[node] = 1 + sum(self._entries[part] for part in flat)
        if self._entries[node] > MOST_ENTRIES:
            raise _Refused(f"its aliases, written out, are more than {MOST_ENTRIES:,} entries", line)


#: The keys `<<` and `=`, which are no values of a type.
_SPECIAL = ("tag:yaml.org,2002:merge", "tag:yaml.org,2002:value")
