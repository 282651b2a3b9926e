"""The published report as data: each mistake of config/original.yaml in one sentence, and the file as committed."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import pytest
import yaml
from snakemake.utils import update_config

import synthetic
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


def _find(original, path):
    """The parent of a place and its last key; a part of the path is a key, a position or the id of an entry."""
    *parents, last = path.split("/")
    for part in parents:
        original = original[_key(original, part)]
    return original, _key(original, last)


def _key(place, part):
    if isinstance(place, dict):
        return part
    ids = [str(entry.get("id")) if isinstance(entry, dict) else None for entry in place]
    return ids.index(part) if part in ids else int(part)


def _set(path, value):
    def edit(original):
        place, key = _find(original, path)
        place[key] = value

    return edit


def _delete(path):
    def edit(original):
        place, key = _find(original, path)
        del place[key]

    return edit


def _add(path, entry):
    return lambda original: _find(original, f"{path}/0")[0].append(entry)


def _claim(kind, **keys):
    return _add("claims", {"id": "X", "kind": kind, **WORDS, **keys})


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

#: edit: words that the sentence must hold
MISTAKES = {
    # keys
    **{f"without {key}": (_delete(key), [f"lacks the key '{key}'", "needs title"]) for key in SCHEMA["required"]},
    "unknown key at the top": (_set("colour", "red"), ["'colour' is unknown", "citation"]),
    "unknown key of a claim": (_set("claims/V1/notee", "x"), ["in claims.V1 the key 'notee'", "note"]),
    "unknown key of a reading": (_set(f"{V1}/cell", CELL), ["in claims.V1.readings[0] the key 'cell'", "cells"]),
    "unknown key of a column": (_set("table/columns/c1/train", "T1"), ["table.columns[0]", "'train'", "training"]),
    "unknown key of a row": (_set("table/rows/0/hold", "x"), ["table.rows[0]", "'hold'", "holds"]),
    "unknown key of a summary": (_set("summaries/cnn1/total", 1), ["summaries.cnn1", "'total'", "printed"]),
    "unknown key of a total": (_set("summaries/cnn1/printed/all", 1), ["summaries.cnn1.printed", "'all'", "total"]),
    "unknown key of a curve": (_set("specification_curves/0/x", 1), ["specification_curves[0]", "'x'", "experiment"]),
    "unknown key of an inconsistency": (_set("inconsistencies/1/x", 1), ["inconsistencies.1 the key 'x'", "said"]),
    "unknown key of a recomputation": (
        _set("inconsistencies/1/recompute/0/x", 1),
        ["inconsistencies.1.recompute[0]", "'x'", "summary"],
    ),
    "unknown key of an assumption": (_set("assumptions/affine/x", 1), ["in assumptions.affine the key 'x'", "why"]),
    "a value that its kind has not": (_set("claims/R1/value", 92.51), ["in claims.R1 the key 'value' is unknown"]),
    "readings of a gap": (_set("claims/G1/readings", []), ["in claims.G1 the key 'readings' is unknown"]),
    **{
        f"a claim without {key}": (_delete(f"claims/V1/{key}"), ["lacks", f"'{key}'", "claims.V1"])
        for key in ("kind", "quote", "statement", "where", "value", "margin", "readings")
    },
    "a claim without id": (_delete("claims/V1/id"), ["claims[4] lacks the key 'id'"]),
    **{
        f"a reading without {key}": (_delete(f"{V1}/{key}"), [f"claims.V1.readings[0] lacks the key '{key}'"])
        for key in ("id", "title", "cells", "metric")
    },
    "a column without data": (_delete("table/columns/c1/data"), ["table.columns[0] lacks the key 'data'"]),
    "a recomputation without kind": (_delete("inconsistencies/1/recompute/0/kind"), ["recompute[0] lacks", "'kind'"]),
    # values
    "title that is no text": (_set("title", 1), ["title is 1", "a text"]),
    "empty quote": (_set("claims/V1/quote", " "), ["claims.V1.quote is ' '", "not empty"]),
    "half a character": (_set("claims/V1/quote", "\ud800"), ["claims.V1.quote is '\\ud800'", "UTF-8"]),
    "a number that no float holds": (_set("validation_images", 10**400), ["validation_images is 1000", "10^12"]),
    "unknown kind": (_set("claims/V1/kind", "guess"), ["claims.V1.kind is 'guess'", "accuracy, gap"]),
    "value with a sign": (_set("claims/V1/value", "91.97%"), ["claims.V1.value is '91.97%'", "a number in percent"]),
    "value above 100": (_set("claims/V1/value", 919.7), ["claims.V1.value is 919.7", "at most 100"]),
    "value as a fraction": (_set("claims/V1/value", 0.9197), ["claims.V1.value is 0.9197", "percent", "fraction"]),
    "value of one": (_set("claims/V1/value", 1), ["claims.V1.value is 1", "percent, above 1"]),
    "value that is true": (_set("claims/V1/value", True), ["claims.V1.value is True", "percent"]),
    "all right, with a margin of 0": (_set("claims/V1/value", 100), ["claims.V1.margin is 'binomial'", "0"]),
    "no validation images": (_set("validation_images", 0), ["validation_images is 0", "at least 1"]),
    "validation images as text": (_set("validation_images", "10,000"), ["validation_images is '10,000'", "commas"]),
    "validation images as a decimal": (_set("validation_images", 1e4), ["validation_images is 10000.0", "whole"]),
    "no claims": (_set("claims", []), ["claims is []", "at least one"]),
    "claims as a table": (_set("claims", {}), ["claims is {}", "a list"]),
    "no readings": (_set("claims/V1/readings", []), ["claims.V1.readings is []", "at least one"]),
    "no columns": (_set("table/columns", []), ["table.columns is []", "at least one"]),
    "no claim in any column": (
        lambda original: [
            column.pop(part) for column in original["table"]["columns"] for part in ("training", "validation")
        ],
        ["table.columns is", "training or validation claim"],
    ),
    "unknown key of the registration": (_set("registration/date", "x"), ["in registration the key 'date'", "readings"]),
    "registration of nothing": (_set("registration/margins", " "), ["registration.margins is ' '", "a text"]),
    "a deviation without its reason": (_delete("deviations/S1_pairs/why"), ["lacks the key 'why'", "otherwise"]),
    "a deviation of no day": (_set("deviations/S1_pairs/when", "yesterday"), ["deviations.S1_pairs.when", "'2026-"]),
    "a deviation of no commit": (_set("deviations/S1_pairs/commit", 1234567), ["commit is 1234567", "in quotes"]),
    "two deviations of one id": (_set("deviations/S1_pairs/id", "five_seeds"), ["deviations[1] has the id", "once"]),
    "a cell for cells": (_set(f"{V1}/cells", CELL), ["claims.V1.readings[0].cells is", "a list"]),
    "no cells": (_set(f"{V1}/cells", []), ["claims.V1.readings[0].cells is []", "at least one"]),
    "a cell twice": (_set(f"{V1}/cells", [CELL, CELL]), ["claims.V1.readings[0].cells", "different"]),
    "a cell of three parts": (_set(f"{V1}/cells/0", "cnn1/10k/none"), ["cells[0] is 'cnn1/10k/none'", "recipe"]),
    "a cell of five parts": (_set("table/columns/c1/cell", CELL + "/0"), ["table.columns[0].cell", "recipe"]),
    "unknown metric": (
        _set(f"{V1}/metric", "val_acc"),
        ["claims.V1.readings[0].metric is 'val_acc'", "val_accuracy, clean_accuracy"],
    ),
    "seconds of an accuracy": (_set(f"{V1}/metric", "seconds"), ["metric is 'seconds'", "val_accuracy"]),
    "an accuracy for seconds": (_set("claims/R6/readings/0/metric", "val_accuracy"), ["claims.R6", "train_seconds"]),
    "three in a pair": (_add("claims/R3/readings/0/pairs/0", CELL), ["claims.R3.readings[0].pairs[0]", "two"]),
    "an order of one": (_set("claims/R2/readings/0/order", [CELL]), ["claims.R2.readings[0].order", "two"]),
    "unknown fact": (
        _claim("fact", readings=[READING | {"facts": {"train images": 60000}}]),
        ["claims.X.readings[0].facts", "'train images'", "training images, test images"],
    ),
    "a fact as text": (_set("claims/D1/readings/0/facts/test images", "10,000"), ["claims.D1", "'10,000'", "whole"]),
    "unknown count": (_set("claims/P1/readings/0/count", "all"), ["count is 'all'", "total, trainable, non_trainable"]),
    "parameters as text": (_set("claims/P1/readings/0/value", "693,932"), ["claims.P1", "'693,932'", "commas"]),
    "parameters as a decimal": (_set("claims/P1/readings/0/value", 693932.0), ["value is 693932.0", "whole"]),
    "shape as text": (_set("summaries/cnn1/rows/0/2", "26, 26, 32"), ["summaries.cnn1.rows[0][2]", "list of whole"]),
    "a layer of three": (_delete("summaries/cnn1/rows/0/3"), ["summaries.cnn1.rows[0]", "output shape, parameters"]),
    "a layer of five": (_add("summaries/cnn1/rows/0", 1), ["summaries.cnn1.rows[0]", "output shape, parameters"]),
    "unknown margin": (_set("claims/V1/margin", "wide"), ["claims.V1.margin is 'wide'", "binomial", "much_worse"]),
    **{
        f"{key} for a margin": (_set("claims/V1/margin", key), [f"margin is '{key}'", "binomial"])
        for key in ("confidence", "resamples", "seed", "sensitivity_margins")
    },
    "binomial where nothing is published": (_set("claims/R3/margin", "binomial"), ["claims.R3.margin", "much_worse"]),
    "unknown row": (_set("table/rows/0/holds", "dates"), ["table.rows[0].holds is 'dates'", "loss"]),
    "printed as text": (_set("table/rows/0/printed", "1 fold"), ["table.rows[0].printed is '1 fold'", "a list"]),
    "printed number": (_set("table/rows/3/printed/0", 693932), ["table.rows[3].printed[0] is 693932", "quotes"]),
    "unknown recomputation": (_set("inconsistencies/1/recompute/0/kind", "guess"), ["kind is 'guess'", "updates"]),
    "unknown layer": (
        _set("inconsistencies/1/recompute/2/layers/0/0", "pool"),
        ["inconsistencies.1.recompute[2].layers[0]", "[dense, in, out]"],
    ),
    "a size of a layer too few": (_delete("inconsistencies/1/recompute/2/layers/0/3"), ["layers[0]", "kernel, in"]),
    "more decimals than are compared": (_set("claims/P6/readings/0/value", 2.77), ["2.77", "at most 1 decimals"]),
    # ids
    "two claims of one id": (_set("claims/V2/id", "V1"), ["claims[5] has the id 'V1' of claims[4]", "once"]),
    "two readings of one id": (_set("claims/V1/readings/1/id", "primary"), ["readings[1] has the id", "once"]),
    "two columns of one id": (_set("table/columns/c2/id", "c1"), ["table.columns[1] has the id 'c1'", "once"]),
    "two columns of one cell": (_set("table/columns/c2/cell", CELL), ["table.columns[1] has the cell", "once"]),
    "two inconsistencies of one id": (_set("inconsistencies/4/id", 1), ["inconsistencies[1] has the id 1", "once"]),
    "two assumptions of one id": (_set("assumptions/affine/id", "activation"), ["assumptions[4]", "once"]),
    "id that is a number": (_set("claims/V1/id", 1), ["claims.1.id is 1", "a short text"]),
    "id with a space": (_set("claims/V1/id", "V 1"), ["claims[4].id is 'V 1'", "a short text"]),
    # names within the file
    "training claim of a gap": (_set("claims/G1/training", "T9"), ["claims.G1.training is 'T9'", "allowed are T1, T2"]),
    "validation claim of a gap": (_set("claims/G1/validation", "V9"), ["claims.G1.validation is 'V9'", "are V1, V2"]),
    "a gap the wrong way round": (_set("claims/G1/training", "V1"), ["claims.G1.training is 'V1'", "are T1, T2."]),
    "a gap of two cells": (_set("claims/G1/training", "T2"), ["claims.G1 is a gap of two cells", "T2"]),
    "column of no claim": (_set("table/columns/c1/training", "T9"), ["table.columns[0].training is 'T9'", "T1, T2"]),
    "column of another kind": (_set("table/columns/c1/validation", "D1"), ["table.columns[0].validation is 'D1'"]),
    "column of another cell": (_set("table/columns/c1/validation", "V2"), ["columns[0].validation is 'V2'", CELL]),
    "row that is too short": (
        _delete("table/rows/1/printed/0"),
        ["table.rows[1].printed has length 1", "is 2"],
    ),
    "row that is too long": (_add("table/rows/1/printed", "x"), ["table.rows[1].printed has length 3", "allowed is 2"]),
    "a network without summary": (_set("claims/L1/readings/0/architectures/0", "cnn5"), ["'cnn5'", "are cnn1."]),
    "the sum of no summary": (_set("inconsistencies/1/recompute/0/summary", "cnn5"), ["'cnn5'", "are cnn1."]),
    "a curve of no claim": (
        _set("specification_curves/0/claim", "V9"),
        ["curves[0].claim is 'V9'", "V1"],
    ),
    "a curve of no accuracy": (_set("specification_curves/0/claim", "R1"), ["claim is 'R1'", "V1, V2, T1"]),
    "an inconsistency of no claim": (_set("inconsistencies/1/claims/0", "P9"), ["inconsistencies.1.claims[0]", "P1"]),
    "a recomputation of no claim": (_set("inconsistencies/9/recompute/0/claim", "S9"), ["recompute[0].claim is 'S9'"]),
    "published number of no accuracy": (_set("inconsistencies/11/recompute/2/claim", "D1"), ["is 'D1'", "V1, V2"]),
    "a consequence of no claim": (_set("claims/S2/readings/0/claims/0", "V9"), ["claims[0] is 'V9'", "V1"]),
    "a consequence of itself": (_set("claims/S2/readings/0/claims/0", "S2"), ["names S2", "stand before S2"]),
    "a consequence of no reading": (
        _set("claims/S2/readings/0/alternative", "cleen"),
        ["claims.S2.readings[0].alternative is 'cleen'", "primary, clean"],
    ),
    "better than itself": (_set(f"{R1}/best", CELL), ["claims.R1.readings[0] compares", CELL, "itself"]),
    "its own baseline": (
        _set("claims/R4/readings/0/baseline", "cnn1/60k/affine/b256_e50"),
        ["claims.R4.readings[0] compares", "itself"],
    ),
    # names of the study
    "unknown architecture of a cell": (
        _set(f"{V1}/cells/0", "cnn9/10k/none/b256_e100"),
        ["claims.V1.readings[0].cells[0] is 'cnn9/", "no architecture 'cnn9'", "allowed are cnn1, lenet5"],
    ),
    "unknown fraction": (_set("claims/V2/readings/0/cells/0", "cnn1/9k/none/b256_e50"), ["no fraction '9k'", "10k"]),
    "unknown augmentation": (_set(f"{R1}/others/0", "cnn1/10k/warp/b256_e50"), ["augmentation 'warp'", "affine"]),
    "unknown recipe": (_set("inconsistencies/13/recompute/0/cell", "cnn1/10k/none/b1"), ["recipe 'b1'", "modern"]),
    "unknown cell of a time": (_set("claims/W1/readings/0/times/0", "cnn1/9k/none/b1"), ["claims.W1", "'9k'"]),
    "summary of no architecture": (
        lambda original: original["summaries"].update(cnn9=original["summaries"]["cnn1"]),
        ["a name in summaries is 'cnn9'", "lenet5"],
    ),
    "parameters of no architecture": (_set("claims/P1/readings/0/architecture", "cnn9"), ["claims.P1", "'cnn9'"]),
    "no numerator": (_set("claims/P6/readings/0/numerator", "cnn9"), ["numerator is 'cnn9'", "cnn4_same"]),
    "no denominator": (_set("inconsistencies/4/recompute/1/denominator", "cnn9"), ["denominator is 'cnn9'", "cnn4"]),
    "unknown experiment of a curve": (
        _set("specification_curves/0/experiment", "x"),
        ["is 'x'", "unstated"],
    ),
    "unknown experiment of an assumption": (
        _set("assumptions/affine/experiment", "x"),
        ["assumptions.affine.experiment is 'x'", "'', original", "augmentations"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_one_sentence_with_key_value_and_what_is_allowed(name, tmp_path):
    edit, words = MISTAKES[name]
    original = copy.deepcopy(SHORT)
    edit(original)
    sentence = told(original, tmp_path)
    assert sentence, "it was accepted"
    for word in words:
        assert word in sentence


ALLOWED = {
    "as it is": lambda original: None,
    "a cell that is defined and in no experiment": _set(f"{R1}/others/0", "lenet5_tanh/3k/zoom/modern"),
    "a data set that the config lacks": _set("claims/R5/readings/0/dataset", "imagenet"),
    "an assumption that nothing varies": _set("assumptions/affine/experiment", ""),
    "a column that is defined and in no experiment": _set(
        "table/columns/c1", {"id": "c1", "title": "A", "data": "All", "cell": "lenet5_tanh/3k/zoom/modern"}
    ),
    "an empty entry of the table": _set("table/rows/0/printed/0", None),
    "a printed total alone": _set("summaries/cnn1/printed", {"total": 693962}),
    "no printed totals": _delete("summaries/cnn1/printed"),
    "no note of a summary": _delete("summaries/cnn1/note"),
    "a column that names no claim": lambda original: [
        original["table"]["columns"].append({"id": "c3", "title": "C", "data": "all", "cell": "cnn4/60k/none/b256_e50"})
    ],
    "training claims alone": lambda original: [column.pop("validation") for column in original["table"]["columns"]],
    "no rows": _delete("table/rows"),
    **{
        f"no {key}": _delete(key)
        for key in SCHEMA["properties"]
        if "default" in SCHEMA["properties"][key] and key != "summaries"
    },
    "a whole percentage": _set("claims/V1/value", 92),
    "100 percent with a margin": _set("claims/T1/value", 100),
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
    assert original_path("original.yaml", [other], project) == project / "config" / "original.yaml"
    assert original_path("mine.yaml", [mine, other], project) == mine.parent / "mine.yaml"
    project.mkdir()
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


@pytest.mark.parametrize("content", [None, "a: [", "title: A\ntitle: B"])
def test_a_file_that_cannot_be_read_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "original.yaml").write_text(content)
    with pytest.raises(UserError, match=r"original\.yaml.*\.$"):
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


def test_the_module_imports_neither_pandas_nor_tensorflow():
    code = (
        "import sys, refashion.study.original; print(*({'pandas', 'scipy', 'tensorflow', 'keras'} & set(sys.modules)))"
    )
    scripts = PROJECT / "workflow" / "scripts"
    done = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
