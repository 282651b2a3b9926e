"""Cells, runs, specs and digests."""

from __future__ import annotations

import json

import pytest

from configs import overlaid, put
from project import PROJECT
from refashion.study.config import load_study
from refashion.study.model import Cell, Looks, Run, digest

LOOKS = {"looks": [5, 10], "spend": [0.01, 0.04]}
PILOT = {"pilot": 3, "half_width": 0.1, "most": 9}
CELL = {"architecture": "cnn1", "fraction": "10k", "augmentation": "none", "recipe": "b256_e100"}
AFFINE = {"architecture": "cnn1", "fraction": "60k", "augmentation": "affine", "recipe": "b256_u11750"}


def test_published_runs_keep_their_digests(config):
    """And the widest config may come to ask for each of them, so that none is trained again."""
    loaded = load_study({**overlaid(config, "full.yaml"), "run": list(config["experiments"])})
    wanted = {
        digest(loaded.spec(Run(cell, seed)))
        for experiment in loaded.experiments
        for cell in experiment.cells
        for seed in experiment.possible_seeds
    }
    published = list((PROJECT / "published" / "runs").glob("*/metrics.json"))
    for path in published:
        spec = json.loads(path.read_text(encoding="utf-8"))["spec"]
        assert digest(spec) == path.parent.name
    assert {path.parent.name for path in published} <= wanted


def test_the_full_config_wants_all_that_the_published_one_does(config):
    published = load_study(config)
    full = load_study(overlaid(config, "full.yaml"))
    assert set(published.runs()) < set(full.runs())
    assert [one.name for one in full.experiments] == [one.name for one in published.experiments]


def test_the_original_has_six_cells_with_the_published_updates(config):
    config["run"] = ["original"]
    original = load_study(config)
    # 4,000, 11,750 and 37,500 updates: 100 epochs of 40 batches, 50 of 235, 20 of 1,875 (the original's table).
    assert {cell.name: original.updates(cell) for cell in original.cells()} == {
        "cnn1/10k/none/b256_e100": 4000,
        "cnn1/60k/affine/b256_e50": 11750,
        "cnn4/10k/none/b256_e100": 4000,
        "cnn4/60k/affine/b256_e50": 11750,
        "lenet5/60k/none/b32_e20_sparse": 37500,
        "cnn4_same/60k/affine/b256_e50": 11750,
    }


def test_a_run_wanted_by_several_experiments_stands_once_and_knows_them(config):
    config |= {"run": ["original", "wide", "narrow"], "seeds": 5}
    words = {"title": "A", "question": "A?"}
    config["experiments"] = {
        "original": {**words, "cells": [CELL], "seeds": 10},
        "wide": {**words, "cells": [{**CELL, "augmentation": ["affine", "none"]}]},
        "narrow": {**words, "cells": [{**CELL, "architecture": "lenet5"}]},
    }
    loaded = load_study(config)
    runs = loaded.runs()
    assert len(runs) == len(set(runs)) == 10 + 5 + 5  # of the shared cell, of its augmented one, of the other network
    shared = Cell("cnn1", "10k", "none", "b256_e100")
    assert loaded.experiments_of(Run(shared, 0)) == ("original", "wide")
    assert loaded.experiments_of(Run(shared, 9)) == ("original",)
    assert loaded.experiments_of(Run(shared, 10)) == ()


def test_seeds_come_first_so_that_cells_grow_evenly(config):
    seeds = [run.seed for run in load_study(config).runs()]
    assert seeds == sorted(seeds)


def test_two_names_for_the_same_training_are_twins(config):
    loaded = load_study(config)
    by_epochs = Run(Cell("cnn1", "60k", "affine", "b256_e50"), 3)
    by_updates = Run(Cell("cnn1", "60k", "affine", "b256_u11750"), 3)
    assert digest(loaded.spec(by_epochs)) == digest(loaded.spec(by_updates))
    assert loaded.twin(by_updates) == by_epochs
    assert loaded.twin(by_epochs) is None


def test_a_digest_depends_on_the_definition_and_not_on_names_or_order_or_spelling(config):
    run = Run(Cell("cnn1", "60k", "affine", "b256_e50"), 0)
    before = digest(load_study(config).spec(run))
    config["augmentations"]["affine"] = dict(reversed(config["augmentations"]["affine"].items())) | {"rotation": 8.0}
    config["augmentations"]["affine"]["vertical_flip"] = False
    config["recipes"]["b256_e50"] |= {"learning_rate": 0.001, "shuffle": "each_epoch", "decay": 0.0, "nesterov": False}
    assert digest(load_study(config).spec(run)) == before
    config["augmentations"]["affine"]["rotation"] = 9
    assert digest(load_study(config).spec(run)) != before


@pytest.mark.parametrize(
    "edit",
    [
        put("recipes/b256_e100/learning_rate", 0.002),
        put("recipes/b256_e100/batch_size", 255),
        put("recipes/b256_e100/epochs", 99),
        put("recipes/b256_e100/loss", "sparse"),
        put("recipes/b256_e100/precision", "mixed_bfloat16"),
        put("recipes/b256_e100/shuffle", "once"),
        put("recipes/b256_e100/decay", 0.001),
        put("recipes/b256_e100/weight_decay", 0.001),
        put("architectures/cnn1/dropout", 0.3),
        put("fractions/10k/images", 9999),
        put("fractions/10k/validation", "fold"),
        put("fractions/10k/subset_seed", 0),
        put("augmentations/none/rescale", "standardise"),
        put("datasets/fashion_mnist/files/test_labels/sha256", "0" * 64),
    ],
)
def test_whatever_changes_numbers_changes_the_digest(config, edit):
    run = Run(Cell("cnn1", "10k", "none", "b256_e100"), 0)
    before = load_study(config)
    edit(config)
    after = load_study(config)
    assert digest(before.spec(run)) != digest(after.spec(run))
    assert digest(before.spec(run)) != digest(before.spec(Run(run.cell, 1)))


def test_a_spec_is_key_sorted_plain_json(config):
    spec = load_study(config).spec(Run(Cell("lenet5", "60k", "none", "b32_e20_sparse"), 0))
    assert json.dumps(spec) == json.dumps(spec, sort_keys=True)
    assert json.loads(json.dumps(spec)) == spec


def test_limits_bound_images_epochs_and_updates(config):
    config["limits"] = {"images": 1000, "epochs": 2, "updates": 7}
    loaded = load_study(config)
    cell = Cell("cnn1", "60k", "affine", "b256_e50")
    assert loaded.images(cell) == 1000
    assert loaded.updates(cell) == 7  # two epochs of four batches would be eight
    config["limits"]["updates"] = None
    assert load_study(config).updates(cell) == 8


def _two_experiments(config, original, losses, cell):
    """A study of `original` and, of one cell, `losses`, each with its seeds; and the experiments by name."""
    config["run"] = ["original", "losses"]
    config["experiments"]["original"]["seeds"] = original
    config["experiments"]["losses"] |= {"seeds": losses, "cells": [cell]}
    study = load_study(config)
    return study, {experiment.name: experiment for experiment in study.experiments}


def test_pilots_grow_by_their_plan(config):
    study, _ = _two_experiments(config, 5, PILOT, {**CELL, "architecture": "lenet5"})
    cell = Cell("lenet5", "10k", "none", "b256_e100")
    assert [run.seed for run in study.runs() if run.cell == cell] == [0, 1, 2]
    assert Run(cell, 2) in study.pilot_runs()
    assert Run(Cell("cnn4", "10k", "none", "b256_e100"), 0) not in study.pilot_runs()
    grown = study.with_plan({("losses", cell): 5})
    assert [run.seed for run in grown.runs() if run.cell == cell] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("original", "losses", "plans", "counts"),
    [(LOOKS, 2, {"original": 10}, (10, 2)), (PILOT, PILOT, {"original": 8, "losses": 5}, (8, 5))],
)
def test_a_cell_of_two_experiments_keeps_a_count_in_each(config, original, losses, plans, counts):
    cell = Cell(**CELL)
    study, by_name = _two_experiments(config, original, losses, CELL)
    grown = study.with_plan({(name, cell): count for name, count in plans.items()})
    assert tuple(len(grown.seeds(by_name[name], cell)) for name in ("original", "losses")) == counts
    assert [run.seed for run in grown.runs() if run.cell == cell] == list(range(counts[0]))
    assert grown.experiments_of(Run(cell, counts[1] - 1)) == ("original", "losses")
    assert grown.experiments_of(Run(cell, counts[1])) == ("original",)


def test_a_study_knows_its_looks(config):
    study, _ = _two_experiments(config, LOOKS, 2, CELL)
    assert (study.looks, [one.name for one in study.looking]) == (Looks((5, 10), (0.01, 0.04), 2), ["original"])


def test_the_runs_of_looks_to_come_have_twins(config):
    """Here and below, else the jobs of one training would not know of each other, and both would train."""
    study, _ = _two_experiments(config, LOOKS, 9, AFFINE)
    first, other = (Cell("cnn1", "60k", "affine", name) for name in ("b256_e50", "b256_u11750"))
    assert Run(first, 8) not in study.runs()
    assert study.twin(Run(other, 8)) == Run(first, 8)


def test_runs_of_the_second_stage_have_twins_before_it_is_planned(config):
    config["recipes"]["again"] = {"batch_size": 256, "updates": 11750}
    study, _ = _two_experiments(config, 10, PILOT | {"most": 12}, {**AFFINE, "recipe": ["b256_u11750", "again"]})
    first, middle, last = (Cell("cnn1", "60k", "affine", name) for name in ("b256_e50", "b256_u11750", "again"))
    for one in (study, study.with_plan({("losses", middle): 12, ("losses", last): 12})):
        assert one.twin(Run(last, 4)) == Run(first, 4)
        assert one.twin(Run(last, 11)) == Run(middle, 11)  # `original` has ten seeds
        assert one.twin(Run(middle, 11)) is None
    assert Run(last, 11) not in study.runs()


def test_constraints_match_the_names_and_nothing_else(config):
    import re

    config["recipes"]["b.1+x"] = {"batch_size": 1, "epochs": 1}
    constraints = load_study(config).constraints()
    assert re.fullmatch(constraints["recipe"], "b.1+x")
    assert not re.fullmatch(constraints["recipe"], "bx1+x")
    assert not re.fullmatch(constraints["architecture"], "../cnn1")
