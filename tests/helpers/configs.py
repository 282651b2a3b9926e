"""Edits of a config, and its overlays, as tests make them."""

from __future__ import annotations

import yaml

from project import PROJECT
from refashion.study.config import lay_over


def put(path: str, value):
    """An edit of a config: put `value` at a path of keys and positions, as in `recipes/b256_e100/epochs`."""

    def edit(config):
        place, last = _find(config, path)
        place[last] = value

    return edit


def drop(path: str):
    """An edit of a config: delete what stands at a path of keys and positions."""

    def edit(config):
        place, last = _find(config, path)
        del place[last]

    return edit


def _find(config, path):
    """The parent of a place and its last key."""
    *parents, last = path.split("/")
    for part in parents:
        config = config[int(part) if isinstance(config, list) else part]
    return config, int(last) if isinstance(config, list) else last


def overlaid(config, name):
    """The config under an overlay of config/."""
    lay_over(config, yaml.safe_load((PROJECT / "config" / name).read_text(encoding="utf-8")))
    return config
