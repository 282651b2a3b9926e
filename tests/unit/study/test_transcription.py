"""config/original.yaml: the transcription agrees with itself and with the study's names."""

import re

import pytest

import synthetic

ORIGINAL = synthetic.original()
CLAIMS = {claim["id"]: claim for claim in ORIGINAL["claims"]}
CONFIG = synthetic.config()
CELL = re.compile(r"[\w.+-]+/[\w.+-]+/[\w.+-]+/[\w.+-]+")


def texts(value):
    """Every text in a nested structure."""
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, str):
        yield value
    elif not isinstance(value, int | float | bool | None):
        for one in value:
            yield from texts(one)


def cells_named():
    machinery = (
        ORIGINAL["claims"],
        ORIGINAL["table"]["columns"],
        [i["recompute"] for i in ORIGINAL["inconsistencies"]],
    )
    return sorted({text for text in texts(machinery) if CELL.fullmatch(text)})


@pytest.mark.parametrize("name", ORIGINAL["summaries"])
def test_the_rows_of_a_summary_sum_to_its_total(name):
    summary = ORIGINAL["summaries"][name]
    printed = summary["printed"]
    assert sum(row[3] for row in summary["rows"]) == printed["total"]
    assert printed["trainable"] + printed["non_trainable"] == printed["total"]
    # a batch normalisation has four numbers a channel, two of which are statistics and not trained
    statistics = sum(row[3] // 2 for row in summary["rows"] if row[1] == "BatchNormalization")
    assert statistics == printed["non_trainable"]


@pytest.mark.parametrize("name", ORIGINAL["summaries"])
def test_the_parameters_of_each_row_follow_from_the_shapes(name):
    """Dense: (inputs + 1) outputs. Convolution: (k k inputs + 1) outputs, k = 3, in LeNet-5 5. Others: none or 4."""
    kernel = 5 if name == "lenet5" else 3
    before = [1]
    for _, kind, shape, parameters in ORIGINAL["summaries"][name]["rows"]:
        expected = {
            "Dense": (before[-1] + 1) * shape[-1],
            "Conv2D": (kernel**2 * before[-1] + 1) * shape[-1],
            "BatchNormalization": 4 * shape[-1],
        }
        assert parameters == expected.get(kind, 0), (kind, shape)
        before = shape


def test_a_published_accuracy_stands_in_its_quote_and_statement():
    for claim in CLAIMS.values():
        if claim["kind"] == "accuracy":
            assert f"{claim['value']:.2f}%" in claim["quote"]
            assert f"{claim['value']:.2f}%" in claim["statement"]


def test_the_gaps_are_those_of_the_printed_accuracies():
    for claim in CLAIMS.values():
        if claim["kind"] == "gap":
            gap = round(CLAIMS[claim["training"]]["value"] - CLAIMS[claim["validation"]]["value"], 2)
            side = "above" if gap > 0 else "below"
            assert f"{abs(gap):.2f} pp {side} validation accuracy" in claim["statement"]


def test_the_table_prints_the_claimed_accuracies():
    rows = {row["holds"]: row["printed"] for row in ORIGINAL["table"]["rows"]}
    for position, column in enumerate(ORIGINAL["table"]["columns"]):
        for part in {"training", "validation"} & column.keys():
            assert rows[part][position] == f"{CLAIMS[column[part]]['value']:.2f}%"
            assert CLAIMS[column[part]]["readings"][0]["cells"] == [column["cell"]]


def test_the_stated_order_is_that_of_the_printed_numbers():
    primary = CLAIMS["R2"]["readings"][0]["order"]
    printed = [column for column in ORIGINAL["table"]["columns"] if "validation" in column]
    value = {column["cell"]: CLAIMS[column["validation"]]["value"] for column in printed}
    assert primary == sorted(value, key=value.get, reverse=True)


@pytest.mark.parametrize("cell", cells_named())
def test_every_cell_is_one_that_an_experiment_of_the_config_holds(cell):
    study = synthetic.study(CONFIG["experiments"])
    assert cell in {one.name for one in study.cells()}
