"""The config's mistakes, each in one sentence; cells, runs, specs and digests."""

from __future__ import annotations

import copy
import json

import pytest
import yaml
from snakemake.utils import update_config

from project import PROJECT
from refashion.errors import UserError
from refashion.study import model as study
from refashion.study.model import Cell, Run


def _set(path: str, value):
    """An edit of a config: put `value` at a path of keys and indices, as in `recipes.b256_e100.epochs`."""

    def edit(config):
        *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        for part in parents:
            config = config[part]
        config[last] = value

    return edit


def _delete(path: str):
    def edit(config):
        *parents, last = path.split("/")
        for part in parents:
            config = config[part]
        del config[last]

    return edit


CELL = {"architecture": "cnn1", "fraction": "10k", "augmentation": "none", "recipe": "b256_e100"}
FILES = "datasets/fashion_mnist/files"
SOURCE = "datasets/fashion_mnist/sources/0"
CIRCLE: list = []
CIRCLE.append(CIRCLE)
LOOP: dict = {}
LOOP["a"] = LOOP
DEEP: list = []
for _ in range(2000):
    DEEP = [DEEP]

#: name: (edit, words that the sentence must hold: the key, the value, what is allowed)
MISTAKES = {
    "unknown key at the top": (_set("colour", "red"), ["'colour'", "unknown", "experiments"]),
    "unknown key in a recipe": (_set("recipes/b256_e100/epoch", 3), ["recipes.b256_e100", "'epoch'", "epochs"]),
    "unknown key in a cell": (
        _set("experiments/original/cells/0", {**CELL, "seed": 1}),
        ["experiments.original.cells[0]", "'seed'", "recipe"],
    ),
    "missing table": (_delete("recipes"), ["lacks", "'recipes'"]),
    "missing batch size": (_set("recipes/b256_e100", {"epochs": 3}), ["recipes.b256_e100", "'batch_size'"]),
    "missing axis of a cell": (
        _set("experiments/original/cells/0", {"architecture": "cnn1"}),
        ["experiments.original.cells[0]", "'fraction'"],
    ),
    "zero epochs": (_set("recipes/b256_e100/epochs", 0), ["recipes.b256_e100.epochs is 0", "from 1 to 100000"]),
    "negative epochs": (_set("recipes/b256_e100/epochs", -3), ["recipes.b256_e100.epochs is -3", "from 1 to 100000"]),
    "epochs as text": (_set("recipes/b256_e100/epochs", "ten"), ["recipes.b256_e100.epochs is 'ten'", "whole number"]),
    "epochs with a fraction": (_set("recipes/b256_e100/epochs", 1.5), ["epochs is 1.5", "whole number"]),
    "epochs and updates": (_set("recipes/b256_e100/updates", 7), ["recipes.b256_e100", "both epochs and updates"]),
    "neither epochs nor updates": (
        _set("recipes/b256_e100", {"batch_size": 256}),
        ["recipes.b256_e100", "neither epochs nor updates"],
    ),
    "too many epochs": (_set("recipes/b256_e100/epochs", 10**9), ["epochs is 1000000000", "from 1 to 100000"]),
    "too many updates": (
        _set("recipes/b256_u11750/updates", 10**9),
        ["recipes.b256_u11750.updates is 1000000000", "from 1 to 100000000"],
    ),
    "too many resamples": (_set("analysis/resamples", 10**8), ["resamples is 100000000", "from 100 to 10000000"]),
    "recipe of nothing": (
        _set("recipes/b256_e50", None),
        ["recipes.b256_e50 is None", "a table of batch_size, of epochs or updates", "optimizer"],
    ),
    "unknown optimizer": (_set("recipes/b256_e100/optimizer", "lion"), ["optimizer is 'lion'", "adam, rmsprop, sgd"]),
    "unknown loss": (_set("recipes/b256_e100/loss", "hinge"), ["loss is 'hinge'", "categorical, sparse"]),
    "learning rate zero": (_set("recipes/b256_e100/learning_rate", 0), ["learning_rate is 0", "above 0"]),
    "learning rate as text": (_set("recipes/b256_e100/learning_rate", "1e-3"), ["learning_rate is '1e-3'", "number"]),
    "momentum for adam": (_set("recipes/b256_e100/momentum", 0.9), ["momentum is 0.9", "adam", "sgd only"]),
    "smoothing for sparse": (_set("recipes/b32_e20_sparse/label_smoothing", 0.1), ["b32_e20_sparse", "categorical"]),
    "unknown order": (_set("recipes/b256_e100/shuffle", "never"), ["shuffle is 'never'", "each_epoch, once"]),
    "unknown precision": (_set("recipes/b256_e100/precision", "float16"), ["'float16'", "mixed_bfloat16"]),
    "fraction above the data": (_set("fractions/60k/images", 60001), ["fractions.60k.images is 60001", "1 to 60000"]),
    "fraction above the fold": (
        _set("fractions/50k_fold/images", 50001),
        ["fractions.50k_fold.images is 50001", "1 to 50000"],
    ),
    "fraction of nothing": (_set("fractions/10k/images", 0), ["fractions.10k.images is 0", "at least 1"]),
    "unknown validation": (_set("fractions/10k/validation", "train"), ["'train'", "fold"]),
    "unknown data set": (_set("fractions/10k/dataset", "mnist"), ["fractions.10k.dataset is 'mnist'", "fashion_mnist"]),
    "unknown architecture": (
        _set("experiments/original/cells/0/architecture", "vgg"),
        ["experiments.original.cells[0].architecture is 'vgg'", "cnn1"],
    ),
    "unknown recipe in a list": (
        _set("experiments/original/cells/0/recipe", ["b256_e100", "b1"]),
        ["experiments.original.cells[0].recipe is 'b1'", "b256_e100"],
    ),
    "unknown builder": (_set("architectures/cnn1/builder", "vgg"), ["architectures.cnn1", "'vgg'", "lenet5"]),
    "unknown option of a builder": (_set("architectures/cnn1/width", 3), ["architectures.cnn1", "'width'", "dropout"]),
    "dropout of one": (_set("architectures/cnn1/dropout", 1.0), ["architectures.cnn1", "1.0", "to 0.99"]),
    "unknown activation": (_set("architectures/cnn1/activation", "step"), ["architectures.cnn1", "'step'", "relu"]),
    "unknown augmentation": (_set("augmentations/affine/cutout", 3), ["augmentations.affine", "'cutout'", "rotation"]),
    "negative rotation": (_set("augmentations/affine/rotation", -8), ["augmentations.affine", "-8"]),
    "unknown rescale": (_set("augmentations/none/rescale", "log"), ["augmentations.none", "'log'", "unit"]),
    "duplicate cells": (
        _set("experiments/original/cells/1", CELL),
        ["experiments.original.cells[1]", "cnn1/10k/none/b256_e100", "second time"],
    ),
    "duplicate cells in a grid": (
        _set("experiments/losses/cells/1", {**CELL, "recipe": ["b256_e100", "b32_e20"]}),
        ["experiments.losses.cells[1]", "cnn1/10k/none/b256_e100"],
    ),
    "a name twice in a grid": (
        _set("experiments/losses/cells/0/recipe", ["b256_e100", "b256_e100"]),
        ["experiments.losses.cells[0].recipe", "different"],
    ),
    "unsafe name": (_set("recipes/..%2Fx", {"batch_size": 1, "epochs": 1}), ["'..%2Fx'", "recipes", "safe file name"]),
    "name that leaves its folder": (_set("fractions/a:b", {"images": 1}), ["'a:b'", "fractions", "safe file name"]),
    "name that is a parent": (_set("experiments/..", {}), ["'..'", "safe file name"]),
    "name with a line break": (_set("recipes/x\ny", {"batch_size": 1, "epochs": 1}), ["safe file name"]),
    "name that ends in a line break": (
        _set("recipes/x\n", {"batch_size": 1, "epochs": 1}),
        ["'x\\n'", "safe file name"],
    ),
    "name with NUL": (_set("recipes/x\0y", {"batch_size": 1, "epochs": 1}), ["safe file name"]),
    "name of 300 characters": (_set("recipes/" + "x" * 300, {"batch_size": 1, "epochs": 1}), ["safe file name", "48"]),
    "names alike but for case": (_set("fractions/10K", {"images": 10000}), ["fractions", "'10k'", "'10K'", "case"]),
    "seeds given twice": (_set("seeds", [0, 1, 1]), ["seeds is [0, 1, 1]", "different"]),
    "one seed too many": (_set("seeds", 100001), ["seeds is 100001", "a count from 1 to 100000"]),
    "a seed too large": (_set("seeds", [2**32]), ["seeds is [4294967296]", "from 0 to 4294967295"]),
    "a pilot too large": (
        _set("seeds", {"pilot": 10**9, "half_width": 0.1, "most": 10**9}),
        ["seeds.pilot is 1000000000", "from 2 to 100000"],
    ),
    "most too large": (
        _set("seeds", {"pilot": 2, "half_width": 0.1, "most": 100001}),
        ["seeds.most is 100001", "from pilot to 100000"],
    ),
    "a pilot without half_width": (
        _set("seeds", {"pilot": 2, "most": 5}),
        ["seeds lacks the key 'half_width'", "pilot, half_width, most"],
    ),
    "unknown key of a pilot": (
        _set("experiments/losses/seeds", {"pilot": 2, "half_width": 1, "most": 5, "least": 1}),
        ["in experiments.losses.seeds the key 'least' is unknown", "pilot, half_width, most"],
    ),
    "half_width that no spread can reach": (
        _set("seeds", {"pilot": 2, "half_width": 1e-300, "most": 5}),
        ["seeds.half_width is 1e-300", "from 0.001 to 100"],
    ),
    "no seeds": (_set("seeds", 0), ["seeds is 0", "a count from 1 to 100000"]),
    "negative seed": (_set("seeds", [0, -1]), ["seeds is [0, -1]", "from 0 to 4294967295"]),
    "seeds of an experiment": (_set("experiments/losses/seeds", "many"), ["experiments.losses.seeds is 'many'"]),
    "most below pilot": (
        _set("seeds", {"pilot": 10, "half_width": 0.1, "most": 5}),
        ["seeds.most is 5", "at least pilot, 10"],
    ),
    "unknown experiment": (_set("run", ["original", "ablation"]), ["run[1] is 'ablation'", "original"]),
    "experiment twice": (_set("run", ["original", "original"]), ["run is", "each once"]),
    "nothing to run": (_set("run", []), ["run is []", "at least one"]),
    "unknown device": (_set("device", "tpu"), ["device is 'tpu'", "auto, gpu, cpu"]),
    "checkpoint never": (_set("checkpoint_seconds", 0), ["checkpoint_seconds is 0", "above 0"]),
    "limit of zero": (_set("limits/images", 0), ["limits.images is 0", "at least 1"]),
    "hash that ends in a line break": (
        _set(f"{FILES}/train_images/sha256", "0" * 64 + "\n"),
        ["datasets.fashion_mnist.files.train_images.sha256 is ", "64 hexadecimal digits"],
    ),
    "hash of the wrong length": (
        _set(f"{FILES}/train_images/sha256", "abc"),
        ["datasets.fashion_mnist.files.train_images.sha256 is 'abc'", "64"],
    ),
    "labels and images differ": (
        _set(f"{FILES}/train_labels/shape", [59999]),
        ["datasets.fashion_mnist", "60000", "59999"],
    ),
    "shapes differ": (_set(f"{FILES}/test_images/shape", [10000, 32, 32]), ["datasets.fashion_mnist", "shapes"]),
    "file that leaves its folder": (_set(f"{FILES}/train_images/name", "../x"), ["'../x'", "plain file name"]),
    "file name that ends in a line break": (_set(f"{FILES}/train_images/name", "x\n"), ["'x\\n'", "plain file name"]),
    "shape beyond IDX": (
        _set(f"{FILES}/train_images/shape", [60000, 28_000_000_000, 28]),
        ["train_images.shape[1] is 28000000000", "from 1 to 4294967295"],
    ),
    "shape of nothing": (_set(f"{FILES}/train_labels/shape", [0]), ["train_labels.shape[0] is 0", "from 1 to"]),
    "shape of two numbers": (_set(f"{FILES}/train_images/shape", [1, 2]), ["shape is [1, 2]", "images, rows, columns"]),
    "source of no kind": (_set(SOURCE, {"suffix": ".gz"}), ["sources[0] has suffix", "a folder"]),
    "source of nothing": (_set(SOURCE, {}), ["sources[0] has nothing", "a folder"]),
    "source of two kinds": (
        _set(SOURCE, {"folder": "/x", "url": "http://y"}),
        ["sources[0] has folder and url", "a debian package and its folder"],
    ),
    "package without its folder": (
        _set(SOURCE, {"debian": "foo", "url": "http://x"}),
        ["sources[0] has debian and url", "a debian package and its folder"],
    ),
    "suffix of a folder": (_set(SOURCE, {"folder": "/x", "suffix": ".gz"}), ["sources[0] has folder and suffix"]),
    "package that ends in a line break": (
        _set(SOURCE, {"debian": "foo\n", "folder": "x"}),
        ["sources[0].debian is 'foo\\n'", "Debian package"],
    ),
    "url with a line break": (_set(f"{SOURCE}/url", "http://x/\n"), ["sources[0].url is 'http://x/\\n'", "no blanks"]),
    "url of a file": (_set("datasets/fashion_mnist/sources/2/url", "file:///etc"), ["'file:///etc'", "https://"]),
    "confidence in percent": (_set("analysis/confidence", 95), ["analysis.confidence is 95", "between 0.5 and 1"]),
    "margin below zero": (
        _set("analysis/sensitivity_margins", [-1]),
        ["analysis.sensitivity_margins[0] is -1", "percentage points above 0"],
    ),
    "table that is a list": (_set("recipes", []), ["recipes is []", "a table of recipes"]),
    "list of names for a table": (
        _set("architectures", ["cnn1"]),
        ["architectures is ['cnn1']", "a table of architectures"],
    ),
    "name for a table": (_set("datasets", "mnist"), ["datasets is 'mnist'", "a table of data sets"]),
    "null for a table": (_set("experiments", None), ["experiments is None", "a table of experiments"]),
    "table of nothing": (
        _set("fractions", {}),
        ["fractions is {}", "a table of fractions by their names, at least one"],
    ),
    "names that are one as text": (_set("fractions", {10: {}, "10": {}}), ["fractions has the key '10' twice"]),
    "lone surrogate": (_set("title", "\ud800"), [r"title is '\ud800'", "UTF-8"]),
    "lone surrogate far down": (
        _set("datasets/fashion_mnist/classes/3", "a\udfff"),
        [r"datasets.fashion_mnist.classes[3] is 'a\udfff'", "UTF-8"],
    ),
    "lone surrogate in a name": (_set("recipes/\ud800", {}), [r"recipes has the key '\ud800'", "UTF-8"]),
    "entry within itself": (_set("title", CIRCLE), ["title[0] is a YAML alias of an entry that it stands in"]),
    "entry in its table": (_set("recipes/circle", LOOP), ["recipes.circle.a is a YAML alias"]),
    "lists without end": (_set("title", DEEP), ["title has tables or lists", "30 deep"]),
    "config that is empty": (lambda config: config.clear(), ["lacks"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_one_sentence_with_key_value_and_what_is_allowed(config, name):
    edit, words = MISTAKES[name]
    edit(config)
    with pytest.raises(UserError) as caught:
        study.load(config)
    sentence = str(caught.value)
    assert sentence.startswith("config: ")
    assert sentence.count("\n") == 0
    assert sentence.endswith(".")
    assert len(sentence) < 900
    for word in words:
        assert word in sentence


PILOT = {"pilot": 2, "half_width": 1.0, "most": 5}

#: places of numbers, with a word of what is allowed there
NUMBERS = {
    "checkpoint_seconds": "seconds above 0",
    "seeds": "a count from 1",
    "seeds/half_width": "from 0.001 to 100",
    "limits/epochs": "null for no bound",
    "analysis/confidence": "between 0.5 and 1",
    "analysis/training_margin": "percentage points above 0",
    "analysis/sensitivity_margins/0": "percentage points above 0",
    "analysis/resamples": "from 100",
    "recipes/b256_e100/learning_rate": "above 0 and at most 100",
    "recipes/b256_e100/momentum": "from 0 to below 1",
    "recipes/b256_e100/epochs": "from 1 to 100000",
    "fractions/10k/subset_seed": "at least 0",
    "architectures/cnn1/dropout": "from 0 to 0.99",
    "augmentations/affine/rotation": "from 0 to 180",
    "title": "a text",
}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
@pytest.mark.parametrize("place", NUMBERS)
def test_no_number_is_nan_or_infinite(config, place, value):
    if place == "seeds/half_width":
        config["seeds"] = PILOT.copy()
    _set(place, value)(config)
    with pytest.raises(UserError) as caught:
        study.load(config)
    sentence = str(caught.value)
    assert sentence.startswith("config: ")
    assert place.rsplit("/", 1)[-1] in sentence.replace("margins[0]", "margins/0")
    assert f" is {'inf' if isinstance(value, int) else value}" in sentence
    assert NUMBERS[place] in sentence


def test_no_option_of_a_builder_or_operation_is_nan_whatever_its_own_check_says(config, monkeypatch):
    monkeypatch.setattr("refashion.networks.architectures.check", lambda *_: None)
    _set("architectures/cnn1/rates", [0.1, {"a": float("nan")}])(config)
    with pytest.raises(UserError, match=r"^config: architectures\.cnn1\.rates\[1\]\.a is nan; allowed are finite"):
        study.load(config)


@pytest.mark.parametrize(
    ("place", "whole"),
    [
        ("seeds", 3),
        ("seeds", [1, 2]),
        ("seeds", {"pilot": 2, "half_width": 1, "most": 5}),
        ("experiments/original/seeds", [3]),
        ("limits", {"images": 1000, "epochs": 2, "updates": None}),
        ("fractions/10k/images", 9000),
        ("fractions/10k/subset_seed", 4),
        ("recipes/b256_e100", {"batch_size": 32, "epochs": 3}),
        ("recipes/b256_u11750/updates", 7),
        ("analysis/resamples", 200),
        (f"{FILES}/train_images/shape", [60000, 28, 28]),
        (f"{FILES}/test_labels/shape", [10000]),
    ],
)
def test_a_whole_number_may_be_written_with_a_point(config, place, whole):
    loaded = []
    for value in (whole, _floats(whole)):
        _set(place, value)(config)
        loaded.append(study.load(config))
    assert json.dumps(loaded[1].config).replace('"half_width": 1.0', '"half_width": 1') == json.dumps(loaded[0].config)
    runs = [[(run, study.digest(each.spec(run))) for run in each.runs()] for each in loaded]
    assert runs[0] == runs[1]
    assert all(isinstance(run.seed, int) for run, _ in runs[1])


def _floats(value):
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return None if value is None else float(value)


def test_a_hash_in_capitals_is_the_same_hash(config):
    run = Run(Cell("cnn1", "10k", "none", "b256_e100"), 0)
    before = study.load(config)
    for file in config["datasets"]["fashion_mnist"]["files"].values():
        file["sha256"] = file["sha256"].upper()
    after = study.load(config)
    assert after.config == before.config
    assert study.digest(after.spec(run)) == study.digest(before.spec(run))


def test_a_fold_of_too_few_images_is_refused(config):
    shapes = {"train_images": [6, 28, 28], "train_labels": [6]}
    config["datasets"]["tiny"] = json.loads(json.dumps(config["datasets"]["fashion_mnist"]))
    config["fractions"]["few"] = {"dataset": "tiny", "images": 5, "validation": "fold"}
    for train in (6, 5):
        for name, shape in shapes.items():
            config["datasets"]["tiny"]["files"][name]["shape"] = [train, *shape[1:]]
        if train == 6:
            study.load(config)
    with pytest.raises(
        UserError, match=r"^config: fractions\.few\.validation is fold; allowed is test, .* tiny has 5\.$"
    ):
        study.load(config)


def test_every_place_of_the_schema_says_what_is_allowed():
    """But the alternatives of an `anyOf`, which are described together."""
    silent = []

    def visit(part, path):
        if "description" not in part:
            silent.append(path)
        for key, entry in part.get("properties", {}).items():
            visit(entry, f"{path}.{key}")
        for key in ("items", "propertyNames", "additionalProperties"):
            if isinstance(part.get(key), dict):
                visit(part[key], f"{path}.{key}")

    visit(study._schema(), "")
    assert silent == []


def overlaid(config, name):
    """The config under an overlay of config/."""
    update_config(config, yaml.safe_load((PROJECT / "config" / name).read_text(encoding="utf-8")))
    return config


def test_published_runs_keep_their_digests(config):
    """And the widest config asks for each of them, so that none is trained again."""
    loaded = study.load({**overlaid(config, "full.yaml"), "run": list(config["experiments"])})
    wanted = {study.digest(loaded.spec(run)) for run in loaded.runs()}
    published = list((PROJECT / "published" / "runs").glob("*/metrics.json"))
    for path in published:
        spec = json.loads(path.read_text(encoding="utf-8"))["spec"]
        assert study.digest(spec) == path.parent.name
    assert {path.parent.name for path in published} <= wanted


def test_the_full_config_wants_all_that_the_published_one_does(config):
    published = study.load(config)
    full = study.load(overlaid(config, "full.yaml"))
    assert set(published.runs()) < set(full.runs())
    assert [one.name for one in full.experiments] == [one.name for one in published.experiments]


def test_the_committed_config_and_its_overlay_are_valid(config):
    assert [experiment.name for experiment in study.load(config).experiments] == config["run"]
    quick = study.load(overlaid(copy.deepcopy(config), "quick.yaml"))
    assert not quick.config["evidence"]
    assert {quick.images(cell) for cell in quick.cells()} == {10000, 12000}
    config["run"] = list(config["experiments"])
    assert len(study.load(config).experiments) == len(config["experiments"])


def test_every_key_of_the_committed_config_is_explained_and_every_default_has_a_place(committed_config):
    schema = yaml.safe_load((PROJECT / "config" / "schema.yaml").read_text(encoding="utf-8"))
    assert set(committed_config) == set(schema["properties"])
    assert set(committed_config["limits"]) == set(schema["properties"]["limits"]["properties"])
    assert set(committed_config["analysis"]) == set(schema["$defs"]["analysis"]["properties"])
    for name, entry in schema["$defs"]["analysis"]["properties"].items():
        assert committed_config["analysis"][name] == entry["default"], name


def test_the_original_has_six_cells_with_the_published_updates(config):
    config["run"] = ["original"]
    original = study.load(config)
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
    loaded = study.load(config)
    runs = loaded.runs()
    assert len(runs) == len(set(runs))
    shared = Run(Cell("cnn1", "10k", "none", "b256_e100"), 0)
    assert loaded.experiments_of(shared) == ("original", "readings", "factorial_published", "losses")
    assert loaded.experiments_of(Run(shared.cell, 5)) == ()
    full = study.load(overlaid(config, "full.yaml"))
    assert full.experiments_of(Run(shared.cell, 9)) == ("original",)
    assert full.experiments_of(Run(shared.cell, 10)) == ()


def test_seeds_come_first_so_that_cells_grow_evenly(config):
    seeds = [run.seed for run in study.load(config).runs()]
    assert seeds == sorted(seeds)


def test_two_names_for_the_same_training_are_twins(config):
    loaded = study.load(config)
    by_epochs = Run(Cell("cnn1", "60k", "affine", "b256_e50"), 3)
    by_updates = Run(Cell("cnn1", "60k", "affine", "b256_u11750"), 3)
    assert study.digest(loaded.spec(by_epochs)) == study.digest(loaded.spec(by_updates))
    assert loaded.twin(by_updates) == by_epochs
    assert loaded.twin(by_epochs) is None


def test_a_digest_depends_on_the_definition_and_not_on_names_or_order_or_spelling(config):
    run = Run(Cell("cnn1", "60k", "affine", "b256_e50"), 0)
    before = study.digest(study.load(config).spec(run))
    config["augmentations"]["affine"] = dict(reversed(config["augmentations"]["affine"].items())) | {"rotation": 8.0}
    config["augmentations"]["affine"]["vertical_flip"] = False
    config["recipes"]["b256_e50"] |= {"learning_rate": 0.001, "shuffle": "each_epoch"}
    assert study.digest(study.load(config).spec(run)) == before
    config["augmentations"]["affine"]["rotation"] = 9
    assert study.digest(study.load(config).spec(run)) != before


@pytest.mark.parametrize(
    "edit",
    [
        _set("recipes/b256_e100/learning_rate", 0.002),
        _set("recipes/b256_e100/batch_size", 255),
        _set("recipes/b256_e100/epochs", 99),
        _set("recipes/b256_e100/loss", "sparse"),
        _set("recipes/b256_e100/precision", "mixed_bfloat16"),
        _set("recipes/b256_e100/shuffle", "once"),
        _set("architectures/cnn1/dropout", 0.3),
        _set("fractions/10k/images", 9999),
        _set("fractions/10k/validation", "fold"),
        _set("fractions/10k/subset_seed", 0),
        _set("augmentations/none/rescale", "standardise"),
        _set(f"{FILES}/test_labels/sha256", "0" * 64),
    ],
)
def test_whatever_changes_numbers_changes_the_digest(config, edit):
    run = Run(Cell("cnn1", "10k", "none", "b256_e100"), 0)
    before = study.load(config)
    edit(config)
    after = study.load(config)
    assert study.digest(before.spec(run)) != study.digest(after.spec(run))
    assert study.digest(before.spec(run)) != study.digest(before.spec(Run(run.cell, 1)))


def test_a_spec_is_key_sorted_plain_json(config):
    spec = study.load(config).spec(Run(Cell("lenet5", "60k", "none", "b32_e20_sparse"), 0))
    assert json.dumps(spec) == json.dumps(spec, sort_keys=True)
    assert json.loads(json.dumps(spec)) == spec


def test_limits_bound_images_epochs_and_updates(config):
    config["limits"] = {"images": 1000, "epochs": 2, "updates": 7}
    loaded = study.load(config)
    cell = Cell("cnn1", "60k", "affine", "b256_e50")
    assert loaded.images(cell) == 1000
    assert loaded.updates(cell) == 7  # two epochs of four batches would be eight
    config["limits"]["updates"] = None
    assert study.load(config).updates(cell) == 8


def test_pilots_grow_by_their_plan(config):
    config["run"] = ["losses", "original"]
    config["experiments"]["losses"]["seeds"] = {"pilot": 3, "half_width": 0.1, "most": 9}
    loaded = study.load(config)
    cell = Cell("lenet5", "60k", "none", "b32_e20")
    assert [run.seed for run in loaded.runs() if run.cell == cell] == [0, 1, 2]
    assert Run(cell, 2) in loaded.pilot_runs()
    assert Run(Cell("cnn4", "10k", "none", "b256_e100"), 0) not in loaded.pilot_runs()
    grown = loaded.with_plan({cell: 5})
    assert [run.seed for run in grown.runs() if run.cell == cell] == [0, 1, 2, 3, 4]


def test_runs_of_the_second_stage_have_twins_before_it_is_planned(config):
    """Else the jobs of one training would not know of each other, and both would train."""
    config["run"] = ["original", "losses"]
    config["experiments"]["losses"]["seeds"] = {"pilot": 2, "half_width": 0.1, "most": 12}
    config["experiments"]["losses"]["cells"] = [
        {"architecture": "cnn1", "fraction": "60k", "augmentation": "affine", "recipe": ["b256_u11750", "again"]}
    ]
    config["recipes"]["again"] = {"batch_size": 256, "updates": 11750}
    loaded = study.load(config)
    first, middle, last = (Cell("cnn1", "60k", "affine", name) for name in ("b256_e50", "b256_u11750", "again"))
    for one in (loaded, loaded.with_plan({middle: 12, last: 12})):
        assert one.twin(Run(last, 4)) == Run(first, 4)
        assert one.twin(Run(last, 11)) == Run(middle, 11)  # `original` has ten seeds
        assert one.twin(Run(middle, 11)) is None
    assert Run(last, 11) not in loaded.runs()


def test_constraints_match_the_names_and_nothing_else(config):
    import re

    config["recipes"]["b.1+x"] = {"batch_size": 1, "epochs": 1}
    constraints = study.load(config).constraints()
    assert re.fullmatch(constraints["recipe"], "b.1+x")
    assert not re.fullmatch(constraints["recipe"], "bx1+x")
    assert not re.fullmatch(constraints["architecture"], "../cnn1")
