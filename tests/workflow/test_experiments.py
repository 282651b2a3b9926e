"""Every experiment of the config, at a tiny scale, from training to its section in the report."""

from __future__ import annotations

import copy
import json

import numpy as np
import pandas as pd
import pytest

from refashion.data import dataset as data
from refashion.study.config import lay_over, load_study
from refashion.training import run as training
from refashion.training.run_store import RunStore
from tiny_data import as_idx_files
from tiny_study import Study

pytestmark = pytest.mark.slow

#: The real images, one in fifty.
TRAIN, TEST = 1200, 200


@pytest.fixture(scope="module")
def few_images(real_data, tmp_path_factory):
    """The config's entry of the data set, for its first images as IDX files."""
    whole = data.load(real_data)
    kept = {role: getattr(whole, role)[: TRAIN if role.startswith("train") else TEST] for role in data.FILES}
    return as_idx_files(tmp_path_factory.mktemp("idx"), kept)


def _first_two(value):
    """Of a list of names, two: every axis that an experiment varies is still varied."""
    return value[:2] if isinstance(value, list) else value


def _overlay(committed_config, few_images):
    experiments = copy.deepcopy(committed_config["experiments"])
    for experiment in experiments.values():
        experiment["cells"] = [
            {axis: _first_two(names) for axis, names in cell.items()} for cell in experiment["cells"]
        ]
        experiment["seeds"] = 2
    experiments["losses"]["seeds"] = {"pilot": 2, "half_width": 1.0, "most": 3}
    return {
        "device": "cpu",
        "limits": {"epochs": 2, "updates": 8},
        "run": list(experiments),
        "experiments": experiments,
        "datasets": {"fashion_mnist": few_images},
        "fractions": {
            name: {"images": max(20, fraction["images"] // 50)}
            for name, fraction in committed_config["fractions"].items()
        },
    }


def test_every_experiment_runs_from_training_to_its_section(committed_config, few_images, tmp_path):
    tiny = Study(tmp_path, overlay=_overlay(committed_config, few_images))
    config = copy.deepcopy(committed_config)
    lay_over(config, tiny.overlay)
    loaded = load_study(config)
    tiny.snakemake("results/data/fashion_mnist.npz")
    store = RunStore(tmp_path / "results" / "store")
    for run in loaded.runs():  # in one process, which imports TensorFlow once and not once a run
        training.train(
            loaded.spec(run),
            tmp_path / "results" / "data" / "fashion_mnist.npz",
            store,
            device="cpu",
            threads=1,
            checkpoint_seconds=1e9,
        )
    tiny.snakemake()
    results = tmp_path / "results"
    seeds = pd.read_csv(results / "seeds" / "pilots.csv")
    assert set(seeds["experiment"]) == {"losses"}
    runs = pd.read_csv(results / "runs.csv")
    assert set(runs["status"]) <= {"finished", "diverged"}
    page = (results / "report.html").read_text(encoding="utf-8")
    analysis = json.loads((results / "analysis.json").read_text(encoding="utf-8"))
    ran = {entry["name"] for entry in analysis["experiments"] if entry["finished"]}
    assert ran == set(committed_config["experiments"])
    for name, experiment in committed_config["experiments"].items():
        assert any(name in cell for cell in runs["experiments"].str.split(";")), name
        assert experiment["title"] in page.replace("&#39;", "'"), name
    for word in ("NaN", "None", "Infinity"):
        assert f">{word}<" not in page
    same = runs[(runs["architecture"] == "lenet5") & (runs["recipe"].isin(["b32_e20", "b32_e20_sparse"]))]
    same = same[(same["fraction"] == "60k") & (same["augmentation"] == "none")]
    pairs = same.pivot_table(index="seed", columns="recipe", values="val_loss")
    assert np.allclose(pairs["b32_e20"], pairs["b32_e20_sparse"], rtol=1e-5)
