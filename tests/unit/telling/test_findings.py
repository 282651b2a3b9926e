"""What an experiment found, in sentences."""

from refashion.telling.findings import experiment_told

MINUS = "\N{MINUS SIGN}"
CONFIG = {
    "architectures": {"cnn1": {"builder": "cnn1"}, "lenet5": {"builder": "lenet5"}},
    "fractions": {"10k": {"images": 10000}},
    "augmentations": {"none": {"rescale": "unit"}},
    "recipes": {
        "adam": {"optimizer": "adam", "learning_rate": 0.001, "nesterov": False},
        "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.001, "nesterov": False},
        "slow": {"optimizer": "adam", "learning_rate": 0.0003, "nesterov": False},
        "sgd": {"optimizer": "sgd", "learning_rate": 0.001, "nesterov": True},
    },
}


def pair(a, b, difference, conclusion, n=5):
    return {
        "a": a,
        "b": b,
        "n": n,
        "difference": difference,
        "interval": [difference - 0.2, difference + 0.2],
        "p_adjusted": 0.01,
        "conclusion": conclusion,
    }


def analysis(*pairs):
    return {
        "comparisons": [{"id": "optimizers", "pairs": list(pairs)}],
        "names": {"cells": {}},
    }


def test_better_worse_and_open_are_the_familys_conclusions_told_by_what_differs():
    base = "cnn1/10k/none/adam"
    (told,) = experiment_told(
        analysis(
            pair("cnn1/10k/none/rmsprop", base, 0.5, "a"),
            pair("cnn1/10k/none/sgd", base, -0.9, "b"),
            pair("cnn1/10k/none/slow", base, -0.1, "open"),
            pair("lenet5/10k/none/adam", base, 3.0, "a"),
        ),
        CONFIG,
        "optimizers",
    )
    assert "over 5" in told
    assert "seeds, against Adam and learning rate 0.001: better with RMSprop (+0.5" in told
    assert f"worse with SGD and nesterov ({MINUS}0.90" in told
    assert told.endswith(f"open for learning rate 0.0003 (differences of {MINUS}0.30 to +0.10).")
    assert "lenet" not in told


def test_two_seeds_tell_nothing():
    few = analysis(pair("cnn1/10k/none/rmsprop", "cnn1/10k/none/adam", 0.5, "open", 2))
    assert experiment_told(few, CONFIG, "optimizers") == []


def test_that_nothing_is_better_comes_first():
    base = "cnn1/10k/none/adam"
    worse = (pair(f"cnn1/10k/none/{name}", base, -0.9, "b") for name in ("rmsprop", "sgd"))
    (told,) = experiment_told(analysis(*worse), CONFIG, "optimizers")
    assert ": none of 2 others is shown to be better; worse with" in told


def test_two_seeds_tell_what_is_the_same_run_for_run():
    same = pair("cnn1/10k/none/rmsprop", "cnn1/10k/none/adam", 0.0, "open", 2) | {"interval": [0.0, 0.0]}
    (told,) = experiment_told(analysis(same), CONFIG, "optimizers")
    assert told.endswith("seeds, against Adam: the same accuracy in every run with RMSprop.")


def test_another_network_is_told_by_the_name_of_its_cell():
    given = analysis(pair("lenet5/10k/none/adam", "cnn1/10k/none/adam", 3.0, "a"))
    given["names"]["cells"] = {"lenet5/10k/none/adam": "LeNet-5, 1 fold", "cnn1/10k/none/adam": "1 Layer CNN, 1 fold"}
    (told,) = experiment_told(given, CONFIG, "optimizers")
    assert told.startswith("1 Layer CNN, 1 fold, over 5\N{NO-BREAK SPACE}seeds: better with LeNet-5, 1 fold (+3.0")


def test_a_reference_that_has_nothing_of_its_own_is_told_without_a_dash():
    recipes = {"plain": {"optimizer": "sgd", "nesterov": False}, "nesterov": {"optimizer": "sgd", "nesterov": True}}
    given = analysis(pair("cnn1/10k/none/nesterov", "cnn1/10k/none/plain", 0.5, "a"))
    (told,) = experiment_told(given, CONFIG | {"recipes": recipes}, "optimizers")
    assert told.startswith("cnn1/10k/none/plain, over 5\N{NO-BREAK SPACE}seeds: better with nesterov (")
