"""The config: its mistakes, each in one sentence, and the committed one with its overlays."""

from __future__ import annotations

import copy
import json

import pytest
import yaml
from snakemake.utils import update_config

from configs import drop, overlaid, put
from project import PROJECT
from refashion.errors import UserError
from refashion.study.config import lay_over, load_study, read_config
from refashion.study.model import Cell, Run, digest
from refashion.study.schema import config_schema

CELL = {"architecture": "cnn1", "fraction": "10k", "augmentation": "none", "recipe": "b256_e100"}
FILES = "datasets/fashion_mnist/files"
SOURCE = "datasets/fashion_mnist/sources/0"

#: An edit, and words that the sentence must hold: the key, the value, what is allowed.
MISTAKES = [
    (put("colour", "red"), ["'colour'", "unknown", "experiments"]),
    (put("recipes/b256_e100/epoch", 3), ["recipes.b256_e100", "'epoch'", "epochs"]),
    (put("experiments/original/cells/0", {**CELL, "seed": 1}), ["experiments.original.cells[0]", "'seed'", "recipe"]),
    (drop("recipes"), ["lacks", "'recipes'"]),
    (put("recipes/b256_e100", {"epochs": 3}), ["recipes.b256_e100", "'batch_size'"]),
    (put("experiments/original/cells/0", {"architecture": "cnn1"}), ["experiments.original.cells[0]", "'fraction'"]),
    (put("recipes/b256_e100/epochs", 0), ["recipes.b256_e100.epochs is 0", "from 1 to 100000"]),
    (put("recipes/b256_e100/epochs", -3), ["recipes.b256_e100.epochs is -3", "from 1 to 100000"]),
    (put("recipes/b256_e100/epochs", "ten"), ["recipes.b256_e100.epochs is 'ten'", "whole number"]),
    (put("recipes/b256_e100/epochs", 1.5), ["epochs is 1.5", "whole number"]),
    (put("recipes/b256_e100/updates", 7), ["recipes.b256_e100", "both epochs and updates"]),
    (put("recipes/b256_e100", {"batch_size": 256}), ["recipes.b256_e100", "neither epochs nor updates"]),
    (put("recipes/b256_e100/epochs", 10**9), ["epochs is 1000000000", "from 1 to 100000"]),
    (put("recipes/b256_u11750/updates", 10**9), ["recipes.b256_u11750.updates is 1000000000", "from 1 to 100000000"]),
    (put("analysis/resamples", 10**8), ["resamples is 100000000", "from 100 to 10000000"]),
    (
        put("recipes/b256_e50", None),
        ["recipes.b256_e50 is empty (null)", "a table of batch_size, of epochs or updates", "optimizer"],
    ),
    (put("recipes/b256_e100/optimizer", "lion"), ["optimizer is 'lion'", "adam, rmsprop, sgd"]),
    (put("recipes/b256_e100/loss", "hinge"), ["loss is 'hinge'", "categorical, sparse"]),
    (put("recipes/b256_e100/learning_rate", 0), ["learning_rate is 0", "above 0"]),
    (put("recipes/b256_e100/learning_rate", "1e-3"), ["learning_rate is '1e-3'", "number"]),
    (put("recipes/b256_e100/momentum", 0.9), ["momentum is 0.9", "adam", "sgd only"]),
    (put("recipes/b32_e20_sparse/label_smoothing", 0.1), ["b32_e20_sparse", "categorical"]),
    (put("recipes/b256_e100/nesterov", True), ["nesterov is true", "momentum only"]),
    (put("recipes/modern/decay", 0.1), ["modern.decay is 0.1", "cosine", "constant only"]),
    (put("recipes/b256_e100/weight_decay", 1), ["weight_decay is 1", "from 0 to below 1"]),
    (put("recipes/b256_e100/shuffle", "never"), ["shuffle is 'never'", "each_epoch, once"]),
    (put("recipes/b256_e100/precision", "float16"), ["'float16'", "mixed_bfloat16"]),
    (put("fractions/60k/images", 60001), ["fractions.60k.images is 60001", "1 to 60000"]),
    (put("fractions/50k_fold/images", 50001), ["fractions.50k_fold.images is 50001", "1 to 50000"]),
    (put("fractions/10k/images", 0), ["fractions.10k.images is 0", "at least 1"]),
    (put("fractions/10k/validation", "train"), ["'train'", "fold"]),
    (put("fractions/10k/dataset", "mnist"), ["fractions.10k.dataset is 'mnist'", "fashion_mnist"]),
    (
        put("experiments/original/cells/0/architecture", "vgg"),
        ["experiments.original.cells[0].architecture is 'vgg'", "cnn1"],
    ),
    (
        put("experiments/original/cells/0/recipe", ["b256_e100", "b1"]),
        ["experiments.original.cells[0].recipe is 'b1'", "b256_e100"],
    ),
    (drop("architectures/cnn1/builder"), ["architectures.cnn1 lacks the key 'builder'"]),
    (
        put("architectures/mine", {"builder": "layers", "layers": ["flatten", {"linear": {"units": 3}}]}),
        ["architectures.mine.layers[1] is 'linear'"],
    ),
    (put("architectures/cnn1/builder", "vgg"), ["architectures.cnn1", "'vgg'", "lenet5"]),
    (put("architectures/cnn1/width", 3), ["architectures.cnn1", "'width'", "dropout"]),
    (put("architectures/cnn1/dropout", 1.0), ["architectures.cnn1", "1.0", "to 0.99"]),
    (put("architectures/cnn1/activation", "step"), ["architectures.cnn1", "'step'", "relu"]),
    (put("augmentations/affine/cutout", 3), ["augmentations.affine", "'cutout'", "rotation"]),
    (put("augmentations/affine/rotation", -8), ["augmentations.affine", "-8"]),
    (put("augmentations/none/rescale", "log"), ["augmentations.none", "'log'", "unit"]),
    (
        put("experiments/original/cells/1", CELL),
        ["experiments.original.cells[1]", "cnn1/10k/none/b256_e100", "second time"],
    ),
    (
        put("experiments/losses/cells/1", {**CELL, "recipe": ["b256_e100", "b32_e20"]}),
        ["experiments.losses.cells[1]", "cnn1/10k/none/b256_e100"],
    ),
    (
        put("experiments/losses/cells/0/recipe", ["b256_e100", "b256_e100"]),
        ["experiments.losses.cells[0].recipe", "different"],
    ),
    (put("recipes/..%2Fx", {"batch_size": 1, "epochs": 1}), ["'..%2Fx'", "recipes", "safe file name"]),
    (
        put("datasets/fashion_mnist/sources", [{"url": "https://me:secret@example.org/x"}]),
        ["datasets.fashion_mnist.sources[0].url holds a user's name or password"],
    ),
    (put("fractions/con", {"images": 1}), ["'con'", "fractions", "safe file name"]),
    (put("fractions/Nul.x", {"images": 1}), ["'Nul.x'", "no device of Windows"]),
    (put("fractions/a.", {"images": 1}), ["'a.'", "ends without a dot"]),
    (put("augmentations/originals", {"rescale": "unit"}), ["augmentations.originals"]),
    (put("fractions/a:b", {"images": 1}), ["'a:b'", "fractions", "safe file name"]),
    (put("experiments/..", {}), ["'..'", "safe file name"]),
    (put("recipes/x\ny", {"batch_size": 1, "epochs": 1}), ["safe file name"]),
    (put("recipes/x\n", {"batch_size": 1, "epochs": 1}), ["'x\\n'", "safe file name"]),
    (put("recipes/x\x00y", {"batch_size": 1, "epochs": 1}), ["safe file name"]),
    (put("recipes/" + "x" * 300, {"batch_size": 1, "epochs": 1}), ["safe file name", "48"]),
    (put("fractions/10K", {"images": 10000}), ["fractions", "'10k'", "'10K'", "case"]),
    (put("seeds", [0, 1, 1]), ["seeds is [0, 1, 1]", "different"]),
    (put("seeds", 100001), ["seeds is 100001", "a count from 1 to 100000"]),
    (put("seeds", [2**32]), ["seeds[0] is 4294967296", "from 0 to 4294967295"]),
    (put("seeds", {"pilot": 10**9, "half_width": 0.1, "most": 5}), ["seeds.pilot is 1000000000", "from 2 to 100000"]),
    (put("seeds", {"pilot": 2, "half_width": 0.1, "most": 100001}), ["seeds.most is 100001", "from pilot to 100000"]),
    (put("seeds", {"pilot": 2, "most": 5}), ["seeds lacks the key 'half_width'", "pilot, half_width, most"]),
    (
        put("experiments/losses/seeds", {"pilot": 2, "half_width": 1, "most": 5, "least": 1}),
        ["in experiments.losses.seeds the key 'least' is unknown", "pilot, half_width, most"],
    ),
    (put("seeds", {"pilot": 2, "half_width": 1e-300, "most": 5}), ["seeds.half_width is 1e-300", "from 0.001 to 100"]),
    (put("seeds", {"looks": [5, 10]}), ["seeds lacks the key 'spend'", "looks, spend"]),
    (
        put("seeds", {"looks": [5, 5], "spend": [0.01, 0.04]}),
        ["seeds.looks is [5, 5]", "more seeds than the one before"],
    ),
    (
        put("seeds", {"looks": [1, 5], "spend": [0.01, 0.04]}),
        ["seeds.looks[0] is 1", "a whole number of seeds from 2 to 1000"],
    ),
    (
        put("experiments/losses/seeds", {"looks": [5, 10], "spend": [0.05]}),
        ["experiments.losses.seeds.spend has 1 levels for 2 looks"],
    ),
    (put("seeds", {"looks": [5, 10], "spend": [0.01, 0.04], "held": 3}), ["seeds.held is 3; there are 2 looks"]),
    (
        put("experiments/seeded_keras/beside/architecture", "cnn4"),
        ["experiments.seeded_keras.beside.architecture is 'cnn4'", "cnn1, lenet5"],
    ),
    (put("seeds", {"looks": [5, 10], "spend": [0.05, 0.05]}), ["seeds.spend adds up to 0.1", "0.05"]),
    (put("seeds", {"looks": [5, 10], "spend": [0, 0.05]}), ["seeds.spend[0] is 0", "above 0 and at most 0.05"]),
    (
        put("seeds", {"looks": [5], "spend": [0.05], "pilot": 2, "half_width": 1, "most": 5}),
        ["seeds has both looks and pilot", "allowed is one"],
    ),
    (put("seeds", {"looks": [5], "spend": [0.05], "most": 5, "often": 1}), ["in seeds the key 'often' is unknown"]),
    (
        lambda config: [
            put("experiments/readings/seeds", {"looks": [5, 10], "spend": [0.01, 0.04]})(config),
            put("experiments/original/seeds", {"looks": [5], "spend": [0.05]})(config),
            put("run", ["original", "readings"])(config),
        ],
        ["the experiments original and readings have different looks", "must have the same"],
    ),
    (put("seeds", 0), ["seeds is 0", "a count from 1 to 100000"]),
    (put("seeds", [0, -1]), ["seeds[1] is -1", "from 0 to 4294967295"]),
    (put("experiments/losses/seeds", "many"), ["experiments.losses.seeds is 'many'"]),
    (put("seeds", {"pilot": 10, "half_width": 0.1, "most": 5}), ["seeds.most is 5", "at least pilot, 10"]),
    (put("run", ["original", "ablation"]), ["run[1] is 'ablation'", "original"]),
    (put("run", ["original", "original"]), ["run is", "each once"]),
    (put("run", []), ["run is []", "at least one"]),
    (put("device", "tpu"), ["device is 'tpu'", "auto, gpu, cpu"]),
    (put("checkpoint_seconds", 0), ["checkpoint_seconds is 0", "above 0"]),
    (put("limits/images", 0), ["limits.images is 0", "from 1 to 10^9"]),
    (
        put(f"{FILES}/train_images/sha256", "0" * 64 + "\n"),
        ["datasets.fashion_mnist.files.train_images.sha256 is ", "64 hexadecimal digits"],
    ),
    (put(f"{FILES}/train_images/sha256", "abc"), ["datasets.fashion_mnist.files.train_images.sha256 is 'abc'", "64"]),
    (put(f"{FILES}/train_labels/shape", [59999]), ["datasets.fashion_mnist", "60000", "59999"]),
    (put(f"{FILES}/test_images/shape", [10000, 32, 32]), ["datasets.fashion_mnist", "shapes"]),
    (put(f"{FILES}/train_images/name", "../x"), ["'../x'", "plain file name"]),
    (put(f"{FILES}/train_images/name", "x\n"), ["'x\\n'", "plain file name"]),
    (
        put(f"{FILES}/train_images/shape", [60000, 28000000000, 28]),
        ["train_images.shape[1] is 28000000000", "from 1 to 4294967295"],
    ),
    (put(f"{FILES}/train_labels/shape", [0]), ["train_labels.shape[0] is 0", "from 1 to"]),
    (put(f"{FILES}/train_images/shape", [1, 2]), ["shape is [1, 2]", "images, rows, columns"]),
    (put(SOURCE, {"suffix": ".gz"}), ["sources[0] has suffix", "a folder"]),
    (put(SOURCE, {}), ["sources[0] has nothing", "a folder"]),
    (
        put(SOURCE, {"folder": "/x", "url": "http://y"}),
        ["sources[0] has folder and url", "a debian package and its folder"],
    ),
    (
        put(SOURCE, {"debian": "foo", "url": "http://x"}),
        ["sources[0] has debian and url", "a debian package and its folder"],
    ),
    (put(SOURCE, {"folder": "/x", "suffix": ".gz"}), ["sources[0] has folder and suffix"]),
    (put(SOURCE, {"debian": "foo\n", "folder": "x"}), ["sources[0].debian is 'foo\\n'", "Debian package"]),
    (put(f"{SOURCE}/url", "http://x/\n"), ["sources[0].url is 'http://x/\\n'", "no blanks"]),
    (put("datasets/fashion_mnist/sources/2/url", "file:///etc"), ["'file:///etc'", "https://"]),
    (put("analysis/confidence", 95), ["analysis.confidence is 95", "between 0.5 and 1"]),
    (put("analysis/sensitivity_margins", [-1]), ["analysis.sensitivity_margins[0] is -1", "percentage points above 0"]),
    (put("recipes", []), ["recipes is []", "a table of recipes"]),
    (put("architectures", ["cnn1"]), ["architectures is ['cnn1']", "a table of architectures"]),
    (put("datasets", "mnist"), ["datasets is 'mnist'", "a table of data sets"]),
    (put("experiments", None), ["experiments is empty (null)", "a table of experiments"]),
    (put("fractions", {}), ["fractions is {}", "a table of fractions by their names, at least one"]),
    (put("fractions", {10: {}, "10": {}}), ["fractions has the key '10' twice"]),
    (put("title", ""), ["title is ''", "heading of the report"]),
    (put("title", "\ud800"), ["title is '\\ud800'", "UTF-8"]),
    (put("datasets/fashion_mnist/classes/3", "a\udfff"), ["datasets.fashion_mnist.classes[3] is 'a\\udfff'", "UTF-8"]),
    (put("recipes/\ud800", {}), ["the name '\\ud800' in recipes", "safe file name"]),
    (lambda config: config.clear(), ["lacks"]),
]


@pytest.mark.parametrize(("edit", "words"), MISTAKES)
def test_a_mistake_gets_one_sentence_with_key_value_and_what_is_allowed(config, edit, words):
    edit(config)
    with pytest.raises(UserError) as caught:
        load_study(config)
    sentence = str(caught.value)
    assert sentence.startswith("config: ")
    assert sentence.count("\n") == 0
    assert sentence.endswith(".")
    assert len(sentence) < 900
    for word in words:
        assert word in sentence


def test_seeds_of_an_overlay_replace_those_below_as_a_whole(config):
    looks, pilot = {"looks": [5], "spend": [0.05]}, {"pilot": 2, "half_width": 1, "most": 5}
    asked = config["experiments"]["losses"]["question"]
    config["seeds"] = config["experiments"]["losses"]["seeds"] = {**looks, **pilot}  # as Snakemake merges them
    lay_over(config, {"seeds": pilot, "experiments": {"losses": {"seeds": looks}}, "title": "Other"})
    assert (config["seeds"], config["experiments"]["losses"]["seeds"]) == (pilot, looks)
    assert (config["title"], load_study(config).config["experiments"]["losses"]["question"]) == ("Other", asked)


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
    "fractions/10k/subset_seed": "from 0 to 4294967295",
    "architectures/cnn1/dropout": "from 0 to 0.99",
    "augmentations/affine/rotation": "from 0 to 180",
    "title": "a text",
}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
@pytest.mark.parametrize("place", NUMBERS)
def test_no_number_is_nan_or_infinite(config, place, value):
    if place == "seeds/half_width":
        config["seeds"] = PILOT.copy()
    put(place, value)(config)
    with pytest.raises(UserError) as caught:
        load_study(config)
    sentence = str(caught.value)
    assert sentence.startswith("config: ")
    assert place.rsplit("/", 1)[-1] in sentence.replace("margins[0]", "margins/0")
    assert f" is {str(value)[:70]}" in sentence
    assert NUMBERS[place] in sentence


@pytest.mark.parametrize(
    ("place", "whole"),
    [
        ("seeds", 3),
        ("seeds", [1, 2]),
        ("seeds", {"pilot": 2, "half_width": 1, "most": 5}),
        ("seeds", {"looks": [5, 10], "spend": [0.01, 0.04]}),
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
        put(place, value)(config)
        loaded.append(load_study(config))
    assert json.dumps(loaded[1].config).replace('"half_width": 1.0', '"half_width": 1') == json.dumps(loaded[0].config)
    runs = [[(run, digest(each.spec(run))) for run in each.runs()] for each in loaded]
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
    before = load_study(config)
    for file in config["datasets"]["fashion_mnist"]["files"].values():
        file["sha256"] = file["sha256"].upper()
    after = load_study(config)
    assert after.config == before.config
    assert digest(after.spec(run)) == digest(before.spec(run))


def test_a_fold_of_too_few_images_is_refused(config):
    shapes = {"train_images": [6, 28, 28], "train_labels": [6]}
    config["datasets"]["tiny"] = json.loads(json.dumps(config["datasets"]["fashion_mnist"]))
    config["fractions"]["few"] = {"dataset": "tiny", "images": 5, "validation": "fold"}
    for train in (6, 5):
        for name, shape in shapes.items():
            config["datasets"]["tiny"]["files"][name]["shape"] = [train, *shape[1:]]
        if train == 6:
            load_study(config)
    with pytest.raises(
        UserError, match=r"^config: fractions\.few\.validation is fold; allowed is test, .* tiny has 5\.$"
    ):
        load_study(config)


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

    visit(config_schema(), "")
    assert silent == []


def test_the_committed_config_and_its_overlay_are_valid(config):
    assert [experiment.name for experiment in load_study(config).experiments] == config["run"]
    quick = load_study(overlaid(copy.deepcopy(config), "quick.yaml"))
    assert not quick.config["evidence"]
    assert {quick.images(cell) for cell in quick.cells()} == {10000, 12000}
    config["run"] = list(config["experiments"])
    assert len(load_study(config).experiments) == len(config["experiments"])


def test_every_key_of_the_committed_config_is_explained_and_every_default_has_a_place(committed_config):
    schema = yaml.safe_load((PROJECT / "config" / "schema.yaml").read_text(encoding="utf-8"))
    assert set(committed_config) == set(schema["properties"])
    assert set(committed_config["limits"]) == set(schema["properties"]["limits"]["properties"])
    assert set(committed_config["analysis"]) == set(schema["$defs"]["analysis"]["properties"])
    for name, entry in schema["$defs"]["analysis"]["properties"].items():
        assert committed_config["analysis"][name] == entry["default"], name


def test_overlays_are_laid_as_snakemake_lays_them(committed_config):
    paths = [PROJECT / "config" / name for name in ("config.yaml", "quick.yaml")]
    layers = [yaml.safe_load(path.read_text()) for path in paths]
    wanted = layers[0]
    update_config(wanted, layers[1])
    found = read_config(paths, {"title": "Mine"})
    assert found == wanted | {"title": "Mine"}
    assert found["limits"] == committed_config["limits"] | layers[1]["limits"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "is missing; a YAML file is wanted"), ("seeds: [1", "no valid YAML "), ("- seeds\n", "holds no config")],
)
def test_a_wrong_overlay_is_told_in_a_sentence(tmp_path, content, message):
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        read_config([PROJECT / "config" / "config.yaml", path])
    assert "\n" not in str(error.value)
