"""What is published can be restored, is what it says it is, and is what the README shows."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from project import PROJECT
from refashion import publishing, reporting, run_store, study
from refashion.analysis import read_benchmark
from refashion.errors import UserError
from refashion.run_store import RunStore

PUBLISHED = PROJECT / "published"


def _run(store: RunStore, seed: int, numerics: int = study.NUMERICS) -> str:
    spec = {"numerics": numerics, "seed": seed}
    store.publish(spec, {"status": "finished"}, "epoch\n", {"clean": np.zeros(3, np.uint8)})
    return study.digest(spec)


@pytest.fixture
def published(tmp_path):
    store = RunStore(tmp_path / "made")
    for seed in range(2):
        name = _run(store, seed)
        shutil.copytree(store.path(name), tmp_path / "published" / "runs" / name)
    (tmp_path / "published" / "derived").mkdir()
    (tmp_path / "published" / "derived" / "x.json").write_text("{}")
    (tmp_path / "published" / "benchmark.csv").write_text("architecture\n")
    return tmp_path / "published"


def test_restored_runs_are_found_and_nothing_is_overwritten(published, tmp_path):
    store, benchmark = RunStore(tmp_path / "store"), tmp_path / "benchmarks" / "published.csv"
    said = []
    assert publishing.restore(published, store, benchmark, said.append) == 2
    assert store.find({"numerics": study.NUMERICS, "seed": 1}) is not None
    assert (store.folder / "derived" / "x.json").read_text() == "{}"
    assert benchmark.read_text() == "architecture\n"
    mine = next(store.folder.glob("*/history.csv"))
    mine.write_text("not what was published")
    assert publishing.restore(published, store, benchmark, said.append) == 0
    assert mine.read_text() == "not what was published"
    assert said == ["Restored 2 published runs; 0 were there.", "Restored 0 published runs; 2 were there."]


def test_runs_under_other_numerics_are_refused_in_one_sentence(published, tmp_path):
    made = RunStore(tmp_path / "made")
    name = _run(made, 7, numerics=study.NUMERICS + 1)
    shutil.copytree(made.path(name), published / "runs" / name)
    store = RunStore(tmp_path / "store")
    with pytest.raises(UserError, match=f"numerics {study.NUMERICS + 1} and this version has {study.NUMERICS}"):
        publishing.restore(published, store, tmp_path / "benchmark.csv")
    assert not store.folder.exists()


def test_a_broken_published_run_is_refused(published, tmp_path):
    next(published.glob("runs/*/history.csv")).write_text("edited by hand")
    store = RunStore(tmp_path / "store")
    with pytest.raises(UserError, match=r"history\.csv has SHA-256"):
        publishing.restore(published, store, tmp_path / "benchmark.csv")
    assert not store.folder.exists()


def test_a_published_folder_is_named_by_its_run(published, tmp_path):
    shutil.copytree(next(published.glob("runs/*")), published / "runs" / "a_copy")
    with pytest.raises(UserError, match="by which its folder must be named"):
        publishing.restore(published, RunStore(tmp_path / "store"), tmp_path / "benchmark.csv")


@pytest.mark.parametrize(
    ("own", "told", "message"),
    [
        ({"evidence": False}, None, "is no evidence"),
        ({}, {"preset": "tiny", "evidence": True}, "holds the report of the preset “tiny”, not of “full”"),
        ({}, {"preset": "full", "evidence": False}, "snakemake report_partial"),
    ],
)
def test_only_the_evidence_of_this_study_is_published(tmp_path, full_config, own, told, message):
    results, target = tmp_path / "results", tmp_path / "published"
    results.mkdir()
    (results / "report.html").write_text("a page")
    if told:
        (results / "analysis.json").write_text(json.dumps({"format": reporting.FORMAT, "study": told}))
    asked = study.load(full_config | own)
    with pytest.raises(UserError, match=message):
        publishing.publish(asked, RunStore(tmp_path / "store"), results, tmp_path / "benchmark.csv", target)
    assert not target.exists()


def test_every_published_run_is_whole_and_of_these_numerics():
    folders = [path.parent for path in PUBLISHED.glob("runs/*/metrics.json")]
    assert folders
    for folder in folders:
        metrics = run_store.read_metrics(folder)
        assert metrics["spec"]["numerics"] == study.NUMERICS
        assert metrics["digest"] == folder.name


def test_the_readme_shows_what_is_published():
    path = PUBLISHED / "analysis.json"
    if not path.exists():
        pytest.skip("nothing is published yet")
    analysis = json.loads(path.read_text(encoding="utf-8"))
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert readme == publishing.with_block(readme, publishing.readme_block(analysis))
    shown = [row for row in reporting.original_rows(analysis) if row["measure"] == "Validation accuracy"]
    assert len(shown) == 6
    assert all(row["published"] in readme and row["ours"] in readme for row in shown)


def test_the_published_report_shows_the_published_benchmark():
    analysis = json.loads((PUBLISHED / "analysis.json").read_text(encoding="utf-8"))
    assert analysis["benchmark"]["rows"] == read_benchmark(PUBLISHED / "benchmark.csv")


def test_a_readme_without_its_marks_is_a_mistake():
    with pytest.raises(UserError, match="lacks the marks"):
        publishing.with_block("# no marks\n", "x")


def test_the_published_readme_tells_how_the_runs_were_made():
    path = PUBLISHED / "README.md"
    text, folders = path.read_text(encoding="utf-8"), list(PUBLISHED.glob("runs/*"))
    assert text == publishing.with_block(text, publishing.runs_block(PUBLISHED))
    assert f"| runs | {len(folders)}, of which" in text
    for made in (run_store.read_metrics(folder)["provenance"] for folder in folders):
        assert made["commit"][:12] in text
        assert f"tensorflow {made['tensorflow']}" in text


def test_runs_that_know_no_commit_are_told_of_too(tmp_path):
    shutil.copytree(next(PUBLISHED.glob("runs/*")), tmp_path / "runs" / "0123456789abcdef0123")
    path = tmp_path / "runs" / "0123456789abcdef0123" / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    metrics["provenance"] |= {"commit": None, "dirty": None}
    path.write_text(json.dumps(metrics), encoding="utf-8")
    assert "| commit | none |" in publishing.runs_block(tmp_path)
