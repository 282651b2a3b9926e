"""A user adds an architecture, an augmentation and a data set, each in one place, in the words of config/README.md."""

from __future__ import annotations

import re
import shutil
import textwrap

import numpy as np
import pandas as pd
import pytest

from project import PROJECT
from tiny_data import as_idx_files
from tiny_study import TINY, Study

PARTS = ("Snakefile", "config", "workflow", "report", "profiles", "envs")


def _block(starting_with: str) -> str:
    """A code block of config/README.md, by its first line."""
    text = (PROJECT / "config" / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"(?:^    .*\n)+", text, re.M):
        code = textwrap.dedent(block).strip()
        if code.startswith(starting_with):
            return code
    raise AssertionError(f"config/README.md has no code block that starts with {starting_with}")


@pytest.fixture
def dots(tmp_path):
    """A data set in IDX format: 12x10 noise, brighter on the left (class 0) or on the right (class 1)."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 300), ("test", 100)):
        labels = rng.integers(0, 2, count, dtype=np.uint8)
        images = rng.integers(0, 100, (count, 12, 10), dtype=np.uint8)
        images[labels == 0, :, :5] += 100
        images[labels == 1, :, 5:] += 100
        arrays |= {f"{part}_images": images, f"{part}_labels": labels}
    return {"title": "Dots", "classes": ["left", "right"]} | as_idx_files(tmp_path, arrays)


def test_one_of_each_is_added_in_one_place(tmp_path, dots):
    project = tmp_path / "project"
    project.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
        copy(PROJECT / part, project / part)
    package = project / "workflow" / "scripts" / "refashion" / "networks"
    for module, start in (("architectures", "@architecture"), ("augmentation", "@pixels")):
        with open(package / f"{module}.py", "a", encoding="utf-8") as file:
            file.write("\n\n" + _block(start) + "\n")
    overlay = {
        **TINY,
        "datasets": {"dots": dots},
        "fractions": {"dots_200": {"dataset": "dots", "images": 200}},
        "architectures": {"mlp": {"builder": "mlp", "units": 16}},
        "augmentations": {"dark": {"rescale": "unit", "darken": 0.3}},
        "limits": {"epochs": 40},
    }
    cell = {"architecture": "mlp", "fraction": "dots_200", "augmentation": "dark", "recipe": "b32_e50"}
    overlay["experiments"] = {"tiny": {**TINY["experiments"]["tiny"], "cells": [cell]}}
    study = Study(tmp_path / "study", overlay=overlay, project=project)
    study.snakemake()
    runs = pd.read_csv(study.folder / "results" / "runs.csv")
    assert list(runs["status"]) == ["finished", "finished"]
    assert (runs["clean_accuracy"] > 95).all()  # the classes differ by 100 of 255 grey levels on half of the image
    assert "mlp" in (study.folder / "results" / "report.html").read_text(encoding="utf-8")
