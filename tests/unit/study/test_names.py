"""What networks, cells and settings are called in words."""

import dataclasses
from collections import Counter

import pytest

import synthetic
from refashion.study.model import Cell
from refashion.study.names import Names, setting, unlike
from refashion.study.original import read_original

SPACE = "\N{NO-BREAK SPACE}"


def names(*experiments):
    return Names(synthetic.study(run=list(experiments), seeds=1), read_original("config/original.yaml"))


@pytest.fixture(scope="module")
def everything():
    whole = synthetic.study(run=["original"], seeds=1)
    return names(*whole.config["experiments"])


def test_the_first_sample_of_images_has_its_seed_in_its_name_like_the_others():
    words = names("variance").cell(Cell("cnn1", "10k_subset0", "none", "b256_e100"))
    assert words.endswith("subset seed 0")


def test_settings_read_as_words():
    assert setting("optimizer", "rmsprop") == "RMSprop"
    assert setting("learning_rate", 0.0003) == "learning rate 0.0003"
    assert setting("epochs", 1) == f"1{SPACE}epoch"
    assert setting("horizontal_flip", True) == "horizontal flip"
    assert setting("validation", "fold") == "validated on held-out images"


def test_what_is_off_or_equal_has_no_words_and_a_learning_rate_follows_its_optimizer():
    ours = {"learning_rate": 0.1, "epochs": 5, "momentum": 0.9, "optimizer": "sgd", "nesterov": False, "layers": [1]}
    other = {"learning_rate": 0.1, "epochs": 5, "momentum": 0, "optimizer": "adam", "nesterov": True, "layers": [2]}
    assert unlike(ours, [other]) == ["SGD", "momentum 0.9"]
    assert unlike(ours, [other, {**other, "learning_rate": 0.01}]) == ["SGD", "learning rate 0.1", "momentum 0.9"]


def test_the_originals_columns_go_by_its_own_words(everything):
    for column in everything.original["table"]["columns"]:
        told = everything.cell(Cell(*column["cell"].split("/")))
        assert told.lower() == f"{column['title']}, {column['data']}".lower()
        assert told.startswith(column["title"])


def test_a_network_of_the_same_builder_is_told_by_what_is_unlike(everything):
    assert everything.network("lenet5_classic") == "LeNet-5, tanh activation, average pooling"
    assert everything.network("cnn1_dropout0") == "1 Layer CNN, no dropout"
    assert everything.network("resnet_small") == "resnet small"


def test_networks_that_differ_have_different_words(everything):
    entries = {
        "cnn4_plain": {"builder": "cnn4", "conv_dropout": 0.0, "dense_dropout": 0.0},
        "cnn1_bare": {"builder": "cnn1", "dropout": 0.0, "activation": "tanh"},
        "cnn1_again": {"builder": "cnn1"},
    }
    config = everything.study.config
    more = {**config, "architectures": {**config["architectures"], **entries}}
    told = Names(dataclasses.replace(everything.study, config=more), everything.original)
    assert told.network("cnn4_plain") == "4 Layer CNN, no conv dropout, no dense dropout"
    assert told.network("cnn1_bare") == "1 Layer CNN, no dropout, tanh activation"
    assert told.network("cnn1_again") == "1 Layer CNN (cnn1_again)"


def test_two_networks_of_one_name_go_by_their_architectures(everything):
    columns = [column | {"title": "CNN"} for column in everything.original["table"]["columns"]]
    told = Names(everything.study, {**everything.original, "table": {"columns": columns}, "summaries": {}})
    assert told.network("cnn1") == "CNN (cnn1)"
    assert told.network("cnn4") == "CNN (cnn4)"


def test_an_acronym_keeps_its_capitals(everything):
    column = everything.original["table"]["columns"][0] | {"data": "MNIST, all"}
    told = Names(everything.study, {**everything.original, "table": {"columns": [column]}})
    assert told.columns[column["cell"]] == f"{column['title']}, MNIST, all"


def test_cells_that_do_not_run_are_told_apart_too():
    cells = [Cell("cnn4", "10k", "none", f"b256_e100{end}") for end in ("_adam3e-4", "_rmsprop1e-3")]
    base = names("original")
    told = [dataclasses.replace(base, beside=tuple(cells)).cell(cell) for cell in cells]
    assert told[0].endswith(", learning rate 0.0003")
    assert told[1].endswith(", RMSprop")


def test_no_two_cells_of_the_study_read_the_same_unless_their_runs_are_the_same(everything):
    study = everything.study
    told = Counter(everything.cell(cell) for cell in study.cells())
    twice = [cell for cell in study.cells() if told[everything.cell(cell)] > 1]
    assert not twice


def test_words_are_as_short_as_the_study_allows():
    """What sets a cell apart is told where another cell reads the same, and only then."""
    cell = Cell("cnn1", "10k", "none", "b256_e100_rmsprop1e-3")
    whole = f"1 Layer CNN, 10,000{SPACE}images, 4,000{SPACE}updates"
    assert names("original", "optimizers").cell(cell) == f"{whole}, RMSprop"
    assert names("original").cell(Cell("softmax", "10k", "none", "b256_e50")).startswith("softmax, 10,000")


def test_variants_are_what_sets_a_cell_apart_in_its_network(everything):
    experiment = next(one for one in everything.study.experiments if one.name == "optimizers")
    told = everything.variants(experiment.cells)
    assert told[Cell("cnn1", "10k", "none", "b256_e100")] == "Adam, learning rate 0.001"
    assert told[Cell("lenet5", "60k", "none", "b32_e20_sgd3e-2")] == "SGD, learning rate 0.03, momentum 0.9"
    assert len(set(told.values())) < len(told), "each network has its own"
    one = Cell("cnn4", "10k", "none", "b256_e100")
    assert everything.variants([one]) == {one: ""}
    flipped = Cell("cnn4", "10k", "horizontal_flip", "b256_e100")
    assert list(everything.variants([one, flipped]).values()) == ["no augmentation", "horizontal flip"]
