"""The published report as data: each mistake of config/original.yaml in one sentence, and the file as committed."""

from __future__ import annotations

import copy
import json

import pytest
import yaml
from snakemake.utils import update_config

import synthetic
from configs import add, drop, put
from project import PROJECT
from refashion.errors import UserError
from refashion.judging import columns
from refashion.judging.claims import exact, ledger
from refashion.judging.sections import contradictions, results_table
from refashion.study.config import load_study
from refashion.study.original import (
    _names_of_study,
    _own_names,
    check_original,
    original_path,
    read_original,
)
from tiny_study import TINY

FILE = PROJECT / "config" / "original.yaml"
SCHEMA = yaml.safe_load((PROJECT / "config" / "original.schema.yaml").read_text(encoding="utf-8"))

#: One claim of every kind, and what these name: a report of its own that reads faster than the whole.
KEPT = ("D1", "P1", "P6", "L1", "V1", "V2", "T1", "T2", "G1", "R1", "R2", "R3", "R4", "R5", "R6", "W1", "S1", "S2")
CELL = "cnn1/10k/none/b256_e100"
WORDS = {"where": "text", "quote": "words", "statement": "It is so."}


def _shortened():
    original = json.loads(json.dumps(synthetic.original()))  # no two places share a list
    original["claims"] = [claim for claim in original["claims"] if claim["id"] in KEPT]
    by_id = {claim["id"]: claim for claim in original["claims"]}
    by_id["S2"]["readings"][0]["claims"] = ["V2"]
    by_id["L1"]["readings"][0]["architectures"] = ["cnn1"]
    original["summaries"] = {"cnn1": original["summaries"]["cnn1"]}
    del original["table"]["columns"][2:]
    for row in original["table"]["rows"]:
        del row["printed"][2:]
    del original["specification_curves"][1:]
    original["inconsistencies"] = [original["inconsistencies"][number - 1] for number in (1, 4, 8, 9, 11, 13)]
    for entry in original["inconsistencies"]:
        entry["claims"] = [claim for claim in entry["claims"] if claim in KEPT]
        entry["recompute"] = [part for part in entry["recompute"] if part.get("claim", KEPT[0]) in KEPT]
    layers = [["conv", 5, 1, 6], ["dense", 84, 10]]
    original["inconsistencies"][0]["recompute"].append({"label": "two", "kind": "parameters", "layers": layers})
    return original


SHORT = _shortened()
STUDY = synthetic.study()


def _claim(kind, **keys):
    return add("claims", {"id": "X", "kind": kind, **WORDS, **keys})


def told(original, tmp_path, against=STUDY):
    """The sentence that a report gets, from reading or from the study; None if it is right."""
    path = tmp_path / "original.yaml"
    path.write_text(json.dumps(original), encoding="utf-8")  # JSON is YAML
    try:
        check_original(read_original(path), against)
    except UserError as error:
        sentence = str(error)
        assert sentence.startswith("original.yaml: ")
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert len(sentence) < 900
        return sentence
    return None


READING = {"id": "one", "title": "One"}
V1, R1 = "claims/V1/readings/0", "claims/R1/readings/0"

#: An edit, and words that the sentence must hold.
MISTAKES = [
    # keys
    *((drop(key), [f"lacks the key '{key}'", "needs title"]) for key in SCHEMA["required"]),
    (put("colour", "red"), ["'colour' is unknown", "citation"]),
    (put("claims/V1/notee", "x"), ["in claims.V1 the key 'notee'", "note"]),
    (put(f"{V1}/cell", CELL), ["in claims.V1.readings[0] the key 'cell'", "cells"]),
    (put("table/columns/c1/train", "T1"), ["table.columns[0]", "'train'", "training"]),
    (put("table/rows/0/hold", "x"), ["table.rows[0]", "'hold'", "holds"]),
    (put("summaries/cnn1/total", 1), ["summaries.cnn1", "'total'", "printed"]),
    (put("summaries/cnn1/printed/all", 1), ["summaries.cnn1.printed", "'all'", "total"]),
    (put("specification_curves/0/x", 1), ["specification_curves[0]", "'x'", "experiment"]),
    (put("inconsistencies/1/x", 1), ["inconsistencies.1 the key 'x'", "said"]),
    (put("inconsistencies/1/recompute/0/x", 1), ["inconsistencies.1.recompute[0]", "'x'", "summary"]),
    (put("assumptions/affine/x", 1), ["in assumptions.affine the key 'x'", "why"]),
    (put("claims/R1/value", 92.51), ["in claims.R1 the key 'value' is unknown"]),
    (put("claims/G1/readings", []), ["in claims.G1 the key 'readings' is unknown"]),
    *(
        (drop(f"claims/V1/{key}"), ["lacks", f"'{key}'", "claims.V1"])
        for key in ("kind", "quote", "statement", "where", "value", "margin", "readings")
    ),
    (drop("claims/V1/id"), ["claims[4] lacks the key 'id'"]),
    *(
        (drop(f"{V1}/{key}"), [f"claims.V1.readings[0] lacks the key '{key}'"])
        for key in ("id", "title", "cells", "metric")
    ),
    (drop("table/columns/c1/data"), ["table.columns[0] lacks the key 'data'"]),
    (drop("inconsistencies/1/recompute/0/kind"), ["recompute[0] lacks", "'kind'"]),
    # values
    (put("title", 1), ["title is 1", "a text"]),
    (put("claims/V1/quote", " "), ["claims.V1.quote is ' '", "not empty"]),
    (put("claims/V1/quote", "\ud800"), ["claims.V1.quote is '\\ud800'", "UTF-8"]),
    (put("validation_images", 10**400), ["validation_images is 1000", "10^12"]),
    (put("claims/V1/kind", "guess"), ["claims.V1.kind is 'guess'", "accuracy, gap"]),
    (put("claims/V1/value", "91.97%"), ["claims.V1.value is '91.97%'", "a number in percent"]),
    (put("claims/V1/value", 919.7), ["claims.V1.value is 919.7", "at most 100"]),
    (put("claims/V1/value", 0.9197), ["claims.V1.value is 0.9197", "percent", "fraction"]),
    (put("claims/V1/value", 1), ["claims.V1.value is 1", "percent, above 1"]),
    (put("claims/V1/value", True), ["claims.V1.value is True", "percent"]),
    (put("claims/V1/n", 1), ["claims.V1.n is 1", "from 2"]),
    (put("claims/V1/sd", 0.2), ["claims.V1 has sd and lacks n"]),
    (put("claims/V1/value", 100), ["claims.V1.margin is 'binomial'", "0"]),
    (put("validation_images", 0), ["validation_images is 0", "at least 1"]),
    (put("validation_images", "10,000"), ["validation_images is '10,000'", "commas"]),
    (put("validation_images", 10000.0), ["validation_images is 10000.0", "whole"]),
    (put("claims", []), ["claims is []", "at least one"]),
    (put("claims", {}), ["claims is {}", "a list"]),
    (put("claims/V1/readings", []), ["claims.V1.readings is []", "at least one"]),
    (put("table/columns", []), ["table.columns is []", "at least one"]),
    (
        lambda original: [
            column.pop(part) for column in original["table"]["columns"] for part in ("training", "validation")
        ],
        ["table.columns is", "training or validation claim"],
    ),
    (put("registration/date", "x"), ["in registration the key 'date'", "readings"]),
    (put("registration/margins", " "), ["registration.margins is ' '", "a text"]),
    (drop("deviations/S1_pairs/why"), ["lacks the key 'why'", "otherwise"]),
    (put("deviations/S1_pairs/when", "yesterday"), ["deviations.S1_pairs.when", "'2026-"]),
    (put("deviations/S1_pairs/commit", 1234567), ["commit is 1234567", "in quotes"]),
    (put("deviations/S1_pairs/id", "five_seeds"), ["deviations[1] has the id", "once"]),
    (put(f"{V1}/cells", CELL), ["claims.V1.readings[0].cells is", "a list"]),
    (put(f"{V1}/cells", []), ["claims.V1.readings[0].cells is []", "at least one"]),
    (put(f"{V1}/cells", [CELL, CELL]), ["claims.V1.readings[0].cells", "different"]),
    (put(f"{V1}/cells/0", "cnn1/10k/none"), ["cells[0] is 'cnn1/10k/none'", "recipe"]),
    (put("table/columns/c1/cell", CELL + "/0"), ["table.columns[0].cell", "recipe"]),
    (put(f"{V1}/metric", "val_acc"), ["claims.V1.readings[0].metric is 'val_acc'", "val_accuracy, clean_accuracy"]),
    (put(f"{V1}/metric", "seconds"), ["metric is 'seconds'", "val_accuracy"]),
    (put("claims/R6/readings/0/metric", "val_accuracy"), ["claims.R6", "train_seconds"]),
    (add("claims/R3/readings/0/pairs/0", CELL), ["claims.R3.readings[0].pairs[0]", "two"]),
    (put("claims/R2/readings/0/order", [CELL]), ["claims.R2.readings[0].order", "two"]),
    (
        _claim("fact", readings=[READING | {"facts": {"train images": 60000}}]),
        ["claims.X.readings[0].facts", "'train images'", "training images, test images"],
    ),
    (put("claims/D1/readings/0/facts/test images", "10,000"), ["claims.D1", "'10,000'", "whole"]),
    (put("claims/P1/readings/0/count", "all"), ["count is 'all'", "total, trainable, non_trainable"]),
    (put("claims/P1/readings/0/value", "693,932"), ["claims.P1", "'693,932'", "commas"]),
    (put("claims/P1/readings/0/value", 693932.0), ["value is 693932.0", "whole"]),
    (put("summaries/cnn1/rows/0/2", "26, 26, 32"), ["summaries.cnn1.rows[0][2]", "list of whole"]),
    (drop("summaries/cnn1/rows/0/3"), ["summaries.cnn1.rows[0]", "output shape, parameters"]),
    (add("summaries/cnn1/rows/0", 1), ["summaries.cnn1.rows[0]", "output shape, parameters"]),
    (put("claims/V1/margin", "wide"), ["claims.V1.margin is 'wide'", "binomial", "much_worse"]),
    *(
        (put("claims/V1/margin", key), [f"margin is '{key}'", "binomial"])
        for key in ("confidence", "resamples", "seed", "sensitivity_margins")
    ),
    (put("claims/R3/margin", "binomial"), ["claims.R3.margin", "much_worse"]),
    (put("table/rows/0/holds", "dates"), ["table.rows[0].holds is 'dates'", "loss"]),
    (put("table/rows/0/printed", "1 fold"), ["table.rows[0].printed is '1 fold'", "a list"]),
    (put("table/rows/3/printed/0", 693932), ["table.rows[3].printed[0] is 693932", "quotes"]),
    (put("inconsistencies/1/recompute/0/kind", "guess"), ["kind is 'guess'", "updates"]),
    (
        put("inconsistencies/1/recompute/2/layers/0/0", "pool"),
        ["inconsistencies.1.recompute[2].layers[0]", "[dense, in, out]"],
    ),
    (drop("inconsistencies/1/recompute/2/layers/0/3"), ["layers[0]", "kernel, in"]),
    (put("claims/P6/readings/0/value", 2.77), ["2.77", "at most 1 decimals"]),
    # ids
    (put("claims/V2/id", "V1"), ["claims[5] has the id 'V1' of claims[4]", "once"]),
    (put("claims/V1/readings/1/id", "primary"), ["readings[1] has the id", "once"]),
    (put("table/columns/c2/id", "c1"), ["table.columns[1] has the id 'c1'", "once"]),
    (put("table/columns/c2/cell", CELL), ["table.columns[1] has the cell", "once"]),
    (put("inconsistencies/4/id", 1), ["inconsistencies[1] has the id 1", "once"]),
    (put("assumptions/affine/id", "activation"), ["assumptions[4]", "once"]),
    (put("claims/V1/id", 1), ["claims.1.id is 1", "a short text"]),
    (put("claims/V1/id", "V 1"), ["claims[4].id is 'V 1'", "a short text"]),
    # names within the file
    (put("claims/G1/training", "T9"), ["claims.G1.training is 'T9'", "allowed are T1, T2"]),
    (put("claims/G1/validation", "V9"), ["claims.G1.validation is 'V9'", "are V1, V2"]),
    (put("claims/G1/training", "V1"), ["claims.G1.training is 'V1'", "are T1, T2."]),
    (put("claims/G1/training", "T2"), ["claims.G1 is a gap of two cells", "T2"]),
    (put("table/columns/c1/training", "T9"), ["table.columns[0].training is 'T9'", "T1, T2"]),
    (put("table/columns/c1/validation", "D1"), ["table.columns[0].validation is 'D1'"]),
    (put("table/columns/c1/validation", "V2"), ["columns[0].validation is 'V2'", CELL]),
    (drop("table/rows/1/printed/0"), ["table.rows[1].printed has length 1", "is 2"]),
    (put("claims/V1/value", 91.79), ["table.rows[6].printed[0]", "claim V1", "value 91.79", "must be alike"]),
    (add("table/rows/1/printed", "x"), ["table.rows[1].printed has length 3", "allowed is 2"]),
    (put("claims/L1/readings/0/architectures/0", "cnn5"), ["'cnn5'", "are cnn1."]),
    (put("inconsistencies/1/recompute/0/summary", "cnn5"), ["'cnn5'", "are cnn1."]),
    (put("specification_curves/0/claim", "V9"), ["curves[0].claim is 'V9'", "V1"]),
    (put("specification_curves/0/claim", "R1"), ["claim is 'R1'", "V1, V2, T1"]),
    (put("inconsistencies/1/claims/0", "P9"), ["inconsistencies.1.claims[0]", "P1"]),
    (put("inconsistencies/9/recompute/0/claim", "S9"), ["recompute[0].claim is 'S9'"]),
    (put("inconsistencies/11/recompute/2/claim", "D1"), ["is 'D1'", "V1, V2"]),
    (put("claims/S2/readings/0/claims/0", "V9"), ["claims[0] is 'V9'", "V1"]),
    (put("claims/S2/readings/0/claims/0", "S2"), ["names S2", "stand before S2"]),
    (
        put("claims/S2/readings/0/alternative", "cleen"),
        ["claims.S2.readings[0].alternative is 'cleen'", "primary, clean"],
    ),
    (put(f"{R1}/best", CELL), ["claims.R1.readings[0] compares", CELL, "itself"]),
    (put("claims/R4/readings/0/baseline", "cnn1/60k/affine/b256_e50"), ["claims.R4.readings[0] compares", "itself"]),
    # names of the study
    (
        put(f"{V1}/cells/0", "cnn9/10k/none/b256_e100"),
        ["claims.V1.readings[0].cells[0] is 'cnn9/", "no architecture 'cnn9'", "allowed are cnn1, lenet5"],
    ),
    (put("claims/V2/readings/0/cells/0", "cnn1/9k/none/b256_e50"), ["no fraction '9k'", "10k"]),
    (put(f"{R1}/others/0", "cnn1/10k/warp/b256_e50"), ["augmentation 'warp'", "affine"]),
    (put("inconsistencies/13/recompute/0/cell", "cnn1/10k/none/b1"), ["recipe 'b1'", "modern"]),
    (put("claims/W1/readings/0/times/0", "cnn1/9k/none/b1"), ["claims.W1", "'9k'"]),
    (
        lambda original: original["summaries"].update(cnn9=original["summaries"]["cnn1"]),
        ["a name in summaries is 'cnn9'", "lenet5"],
    ),
    (put("claims/P1/readings/0/architecture", "cnn9"), ["claims.P1", "'cnn9'"]),
    (put("claims/P6/readings/0/numerator", "cnn9"), ["numerator is 'cnn9'", "cnn4_same"]),
    (put("inconsistencies/4/recompute/1/denominator", "cnn9"), ["denominator is 'cnn9'", "cnn4"]),
    (put("specification_curves/0/experiment", "x"), ["is 'x'", "unstated"]),
    (
        put("assumptions/affine/experiment", "x"),
        ["assumptions.affine.experiment is 'x'", "'', original", "augmentations"],
    ),
]


@pytest.mark.parametrize(("edit", "words"), MISTAKES)
def test_a_mistake_gets_one_sentence_with_key_value_and_what_is_allowed(edit, words, tmp_path):
    original = copy.deepcopy(SHORT)
    edit(original)
    sentence = told(original, tmp_path)
    assert sentence, "it was accepted"
    for word in words:
        assert word in sentence


def printed(claim, value, words):
    """An edit of an accuracy, in its claim and in the table."""

    def edit(original):
        put(f"claims/{claim}/value", value)(original)
        put(f"table/rows/{6 if claim[0] == 'V' else 5}/printed/0", words)(original)

    return edit


ALLOWED = {
    "as it is": lambda original: None,
    "a cell that is defined and in no experiment": put(f"{R1}/others/0", "lenet5_tanh/3k/zoom/modern"),
    "a data set that the config lacks": put("claims/R5/readings/0/dataset", "imagenet"),
    "an assumption that nothing varies": put("assumptions/affine/experiment", ""),
    "a column that is defined and in no experiment": put(
        "table/columns/c1", {"id": "c1", "title": "A", "data": "All", "cell": "lenet5_tanh/3k/zoom/modern"}
    ),
    "an empty entry of the table": put("table/rows/0/printed/0", None),
    "a printed total alone": put("summaries/cnn1/printed", {"total": 693962}),
    "no printed totals": drop("summaries/cnn1/printed"),
    "no note of a summary": drop("summaries/cnn1/note"),
    "a column that names no claim": lambda original: [
        original["table"]["columns"].append({"id": "c3", "title": "C", "data": "all", "cell": "cnn4/60k/none/b256_e50"})
    ],
    "training claims alone": lambda original: [column.pop("validation") for column in original["table"]["columns"]],
    "no rows": drop("table/rows"),
    **{
        f"no {key}": drop(key)
        for key in SCHEMA["properties"]
        if "default" in SCHEMA["properties"][key] and key != "summaries"
    },
    "a whole percentage": printed("V1", 92, "92%"),
    "100 percent with a margin": printed("T1", 100, "100%"),
    "a share of 1 in the table": printed("V1", 91.97, "Test acc. 1: .9197"),
    "an accuracy rounded in the table": printed("V1", 91.97, "about 0.92"),
    "a comma for a point": printed("V1", 91.97, "91,97 %"),
    "the error in the table": printed("V1", 91.97, "8.03% error"),
    "a whole number that is none": printed("V1", 91.97, "see column 2"),
    "a table that prints words": printed("V1", 91.97, "about nine in ten"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed(name, tmp_path):
    original = copy.deepcopy(SHORT)
    ALLOWED[name](original)
    assert told(original, tmp_path) is None


def test_what_a_report_does_not_have_is_read_as_nothing(tmp_path):
    claims = [claim for claim in SHORT["claims"] if claim["id"] == "V1"]
    column = {"id": "c1", "title": "A", "data": "all", "cell": CELL, "validation": "V1"}
    table = {"columns": [column]}
    little = {"title": "A", "citation": "A.", "validation_images": 10000, "claims": claims, "table": table}
    path = tmp_path / "original.yaml"
    path.write_text(json.dumps(little), encoding="utf-8")
    nothing = {"about": "", "data_citation": "", "registration": {}, "summaries": {}}
    lists = {key: [] for key in ("deviations", "specification_curves", "inconsistencies", "assumptions")}
    assert read_original(path) == {**little, **nothing, **lists, "table": {**table, "rows": []}}


def test_the_report_lies_beside_the_config_that_names_it_or_in_the_project(tmp_path):
    mine = tmp_path / "elsewhere" / "study.yaml"
    other = tmp_path / "other.yaml"
    mine.parent.mkdir()
    mine.write_text("original: mine.yaml\n")
    other.write_text("seeds: 3\n")
    project = tmp_path / "project"
    with pytest.raises(UserError, match=r"^config: original is 'mine.yaml', and .*/elsewhere/mine.yaml is missing; "):
        original_path("mine.yaml", [mine, other], project)
    (project / "config").mkdir(parents=True)
    (project / "config" / "original.yaml").write_text("title: C\n")
    assert original_path("original.yaml", [other], project) == project / "config" / "original.yaml"
    (project / "mine.yaml").write_text("title: A\n")
    assert original_path("mine.yaml", [mine, other], project) == project / "mine.yaml"
    (mine.parent / "mine.yaml").write_text("title: B\n")
    assert original_path("mine.yaml", [mine, other], project) == mine.parent / "mine.yaml"
    assert original_path(str(other), [mine], project) == other


@pytest.mark.parametrize("content", ["", "[]", "text", "1: 2"])
def test_a_file_that_holds_something_else_is_told(tmp_path, content):
    (tmp_path / "original.yaml").write_text(content)
    with pytest.raises(UserError, match=r"^original\.yaml: .*\.$"):
        read_original(tmp_path / "original.yaml")


def test_a_file_with_a_key_twice_is_told(tmp_path):
    (tmp_path / "original.yaml").write_text("title: A\ntitle: B")
    with pytest.raises(UserError, match=r"original\.yaml, line 2: the key 'title' stands twice\.$"):
        read_original(tmp_path / "original.yaml")


@pytest.mark.parametrize("number", [".nan", ".inf", "2024-01-01"])
def test_yaml_numbers_that_are_none_are_told(tmp_path, number):
    text = FILE.read_text(encoding="utf-8").replace("    value: 91.97\n", f"    value: {number}\n", 1)
    (tmp_path / "original.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"claims\.V1\.value is .*; allowed is a number in percent"):
        read_original(tmp_path / "original.yaml")


# ------------------------------------------------------------------------------------- the committed report, the schema


@pytest.mark.parametrize("overlay", ["config", "quick", "full", "tiny"])
def test_the_committed_report_passes_with_every_config(config, overlay):
    quick, full = (
        yaml.safe_load((PROJECT / "config" / name).read_text(encoding="utf-8")) for name in ("quick.yaml", "full.yaml")
    )
    update_config(config, {"config": {}, "quick": quick, "full": full, "tiny": copy.deepcopy(TINY)}[overlay])
    original = read_original(FILE)
    assert original == synthetic.original()
    check_original(original, load_study(config))


def test_a_config_that_lacks_an_architecture_of_the_report_is_told(config):
    """Overlays only add names, so this takes another config.yaml, whose report is to be another, too."""
    config["architectures"] = {"softmax": config["architectures"]["softmax"]}
    config["experiments"] = {"baseline": config["experiments"]["baseline"]}
    config["run"] = ["baseline"]
    with pytest.raises(UserError, match=r"allowed are (softmax|baseline)\.$|'', baseline\.$"):
        check_original(read_original(FILE), load_study(config))


def _nodes(schema, path=""):
    """Every subschema, with its path."""
    yield path, schema
    entries = schema.items() if isinstance(schema, dict) else enumerate(schema)
    for key, entry in entries:
        if isinstance(entry, dict | list):
            yield from _nodes(entry, f"{path}/{key}")


def test_every_key_of_the_schema_is_described():
    for path, node in _nodes(SCHEMA):
        if path.endswith("/properties") and "/if/" not in path:
            for key, entry in node.items():
                resolved = SCHEMA["$defs"][entry["$ref"].rsplit("/", 1)[1]] if "$ref" in entry else {}
                assert {**resolved, **entry}.get("description"), f"{path}/{key}"


def test_every_list_of_words_is_in_its_description():
    for path, node in _nodes(SCHEMA):
        if isinstance(node, dict) and isinstance(node.get("enum"), list):
            for word in node["enum"]:
                assert word in node["description"], path


def test_the_schema_has_the_words_of_the_code():
    words = SCHEMA["$defs"]
    assert words["claim"]["properties"]["kind"]["enum"] == list(ledger.KINDS)
    assert [entry["if"]["properties"]["kind"]["const"] for entry in words["claim"]["allOf"]] == list(ledger.KINDS)
    kinds = words["recomputation"]
    assert kinds["properties"]["kind"]["enum"] == list(contradictions.RECOMPUTE)
    assert [entry["if"]["properties"]["kind"]["const"] for entry in kinds["allOf"]] == list(contradictions.RECOMPUTE)
    held = {*results_table.WORDS, *results_table.ACCURACIES, "parameters"}
    assert set(words["row"]["properties"]["holds"]["enum"]) == held
    assert set(words["accuracy"]["enum"]) == set(columns.ACCURACIES)
    facts = words["fact_kind"]["properties"]["readings"]["items"]["properties"]["facts"]["properties"]
    assert set(facts) == set(exact.data_facts(synthetic.description()))
    seconds = words["faster_kind"]["properties"]["readings"]["items"]["properties"]["metric"]["enum"]
    assert set(seconds) - {"work"} < set(columns.COLUMNS["runs"])
    assert set(words["margin"]["enum"]) < set(STUDY.config["analysis"])


def test_every_kind_of_name_is_looked_up():
    known = {*_own_names(SHORT), *_names_of_study(STUDY.config)}
    used = {
        node["names"] for _, node in _nodes(SCHEMA) if isinstance(node, dict) and isinstance(node.get("names"), str)
    }
    assert used == known


def test_the_short_report_has_every_kind():
    assert {claim["kind"] for claim in SHORT["claims"]} == set(ledger.KINDS)
