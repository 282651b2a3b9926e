"""Edits of a config, and its overlays, as tests make them."""

from __future__ import annotations

import yaml
from snakemake.utils import update_config

from project import PROJECT


def put(path: str, value):
    """An edit of a config: put `value` at a path of keys and indices, as in `recipes.b256_e100.epochs`."""

    def edit(config):
        *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        for part in parents:
            config = config[part]
        config[last] = value

    return edit


def drop(path: str):
    """An edit of a config: delete what stands at a path of keys."""

    def edit(config):
        *parents, last = path.split("/")
        for part in parents:
            config = config[part]
        del config[last]

    return edit


def overlaid(config, name):
    """The config under an overlay of config/."""
    update_config(config, yaml.safe_load((PROJECT / "config" / name).read_text(encoding="utf-8")))
    return config
