"""Edits of a config or a report, and overlays, as tests make them."""

from __future__ import annotations

import yaml

from project import PROJECT
from refashion.study.config import lay_over


def put(path: str, value):
    """An edit of a config or a report: put `value` at a path such as `recipes/b256_e100/epochs`.

    A part of the path is a key, a position, or the id of an entry of a list.
    """

    def edit(config):
        place, last = _find(config, path)
        place[last] = value

    return _named(edit, f"{path}: {value!r}")


def drop(path: str):
    """An edit: delete what stands at a path."""

    def edit(config):
        place, last = _find(config, path)
        del place[last]

    return _named(edit, f"no {path}")


def add(path: str, entry):
    """An edit: append an entry to the list at a path."""
    return _named(lambda config: _find(config, f"{path}/0")[0].append(entry), f"{path} and {entry!r}")


def _named(edit, name: str):
    """The edit under a name, by which pytest calls the test."""
    edit.__name__ = name.encode("ascii", "backslashreplace").decode()[:80]
    return edit


def _find(config, path):
    """The parent of a place and its last key."""
    *parents, last = path.split("/")
    for part in parents:
        config = config[_key(config, part)]
    return config, _key(config, last)


def _key(place, part):
    if isinstance(place, dict):
        return part
    ids = [str(entry.get("id")) if isinstance(entry, dict) else None for entry in place]
    return ids.index(part) if part in ids else int(part)


def overlaid(config, name):
    """The config under an overlay of config/."""
    lay_over(config, yaml.safe_load((PROJECT / "config" / name).read_text(encoding="utf-8")))
    return config
