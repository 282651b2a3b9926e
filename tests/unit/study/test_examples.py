"""Reports judged by files alone: each folder of config/examples, and a new one made of the skeleton."""

from __future__ import annotations

import re
import shutil
from html import unescape

import pytest
import yaml
from snakemake.utils import update_config

import synthetic
from new_report import PLACEHOLDER, new_report
from project import PROJECT
from refashion.errors import UserError
from refashion.judging import analysis
from refashion.judging.claims import families
from refashion.judging.facts import Facts
from refashion.judging.run_table import RunTable
from refashion.networks import architectures
from refashion.study.config import load_study
from refashion.study.original import check_original, original_path, read_original
from refashion.telling import markup, page, pictures
from refashion.telling.figures import catalogue

EXAMPLES = PROJECT / "config" / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir())
KINDS = {"fact", "parameters", "accuracy", "not_testable"}


def overlay(name):
    return yaml.safe_load((EXAMPLES / name / "study.yaml").read_text(encoding="utf-8"))


def judged(config, name, shift):
    """The document of ten seeds whose cells truly lie `shift` pp above what the report prints, and the report."""
    update_config(config, overlay(name))
    config["seeds"] = 10
    study = load_study(config)
    original = read_original(EXAMPLES / name / "original.yaml")
    check_original(original, study)
    facts = Facts(
        study=study,
        original=original,
        runs=RunTable(synthetic.runs(study, synthetic.published(original, shift), seed=3)),
        architectures=synthetic.architectures(original),
        descriptions={"fashion_mnist": synthetic.description()},
    )
    return analysis.analyse(facts), original


@pytest.fixture(autouse=True)
def few_repetitions(monkeypatch):
    """Simulations whose precision is not tested here."""
    monkeypatch.setattr(families, "REPETITIONS", 50)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "reproduced"), (-3.0, "not reproduced")])
def test_every_example_is_judged_by_its_files_alone(config, name, shift, verdict):
    document, original = judged(config, name, shift)
    printed = {
        column[part] for column in original["table"]["columns"] for part in ("training", "validation") if part in column
    }
    verdicts = {claim["id"]: claim["verdict"] for claim in document["claims"]}
    assert list(verdicts) == [claim["id"] for claim in original["claims"]]
    assert {verdicts[claim] for claim in printed} == {verdict}
    assert document["data"]["name"] == "fashion_mnist"  # by which the page finds the data set's images


#: Words of the report that config/original.yaml is of.
OF_ANOTHER = (
    "Fashion MNIST Report",
    "LeNet",
    "padded",
    "1 fold",
    "trial runs",
    "DanialK",
    "five columns",
    "list of things",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_an_example_speaks_of_no_other_report(config, name, monkeypatch):
    monkeypatch.setattr(catalogue, "render", _undrawn)
    document, original = judged(config, name, 0.0)
    page_of = page.render(document, pictures.Pictures(), load_study(config).config)
    told = " ".join(unescape(re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", page_of, flags=re.DOTALL)).split())
    assert original["title"] in told
    assert [words for words in OF_ANOTHER if words in told] == []
    assert {key for key in original["registration"] if original["registration"][key] not in told} == set()


def _undrawn(name, sketch, caption="", folder=None):
    words = (sketch.title, caption, sketch.alternative)
    return catalogue.Drawing(name, *words, "<svg></svg>", "<svg></svg>", markup.to_csv(sketch.data), sketch.reason)


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("name", NAMES)
def test_every_network_of_an_example_is_what_its_report_prints(name):
    original = read_original(EXAMPLES / name / "original.yaml")
    built = {key: architectures.build(entry, (28, 28, 1), 10) for key, entry in overlay(name)["architectures"].items()}
    for key, summary in original["summaries"].items():
        assert [list(row[1:]) for row in summary["rows"]] == [
            [kind, list(shape), count] for kind, shape, count in architectures.summary_rows(built[key])
        ]
        assert sum(row[3] for row in summary["rows"]) == summary["printed"]["total"]
    for claim in original["claims"]:
        if claim["kind"] == "parameters":
            reading = claim["readings"][0]
            assert architectures.parameter_counts(built[reading["architecture"]])[reading["count"]] == reading["value"]


def test_the_skeleton_has_a_claim_of_each_usual_kind():
    assert {claim["kind"] for claim in read_original(EXAMPLES / "skeleton" / "original.yaml")["claims"]} == KINDS


@pytest.fixture
def examples(tmp_path):
    shutil.copytree(EXAMPLES / "skeleton", tmp_path / "skeleton")
    return tmp_path


def test_a_new_report_is_the_skeleton_under_its_name_and_passes_as_it_is(examples, config):
    study, original = sorted(new_report("mine-2", examples), reverse=True)
    assert (study, original) == (examples / "mine-2" / "study.yaml", examples / "mine-2" / "original.yaml")
    assert PLACEHOLDER not in study.read_text(encoding="utf-8") + original.read_text(encoding="utf-8")
    update_config(config, yaml.safe_load(study.read_text(encoding="utf-8")))
    assert original_path(config["original"], [study], PROJECT) == original
    check_original(read_original(original), load_study(config))


@pytest.mark.parametrize("name", ["", "My Report", "../x", "x" * 49])
def test_a_new_report_wants_a_safe_name(examples, name):
    with pytest.raises(UserError, match=r"^NAME is .*; allowed are up to 48 small letters, .*\.$"):
        new_report(name, examples)


def test_a_new_report_overwrites_nothing(examples):
    with pytest.raises(UserError, match=r"skeleton is there already; choose another NAME, or move that folder away\.$"):
        new_report("skeleton", examples)
