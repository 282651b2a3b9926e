"""The READMEs show what is published: the result, the runs, the columns of the tables."""

from __future__ import annotations

import csv
import json
import os

import pytest

import run_folders
from project import PROJECT
from refashion import files
from refashion.errors import UserError
from refashion.judging.csv_tables import COLUMNS
from refashion.telling import exports, markup
from refashion.training import run_files
from refashion.upkeep import publishing, readmes

PUBLISHED = PROJECT / "published"


def test_the_readme_shows_what_is_published():
    analysis = json.loads((PUBLISHED / "analysis.json").read_text(encoding="utf-8"))
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert readme == readmes.with_block(readme, "result", readmes.result_block(analysis))
    shown = [row for row in exports.original_rows(analysis) if row["measure"] == "Validation accuracy"]
    assert shown
    assert all(row["published"] in readme and row["ours"] in readme for row in shown)


def test_a_table_without_a_row_of_validation_accuracies_shows_its_first_accuracy(monkeypatch):
    row = dict.fromkeys(("network", "data", "published", "ours", "interval", "seeds", "verdict"), "x")
    analysis = {"study": {"interim": "", "answer": "An answer.", "confidence": 0.95, "evidence": True}, "claims": []}
    analysis["original"] = {"deviations": []}
    rows = [row | {"measure": "Test accuracy", "published": "91.0"}, row | {"measure": "Top-5", "published": "99.0"}]
    monkeypatch.setattr(readmes.exports, "original_rows", lambda _: rows)
    told = readmes.result_block(analysis)
    assert "Test accuracy, mean over seeds with its 95% interval:" in told
    assert "91.0" in told
    assert "99.0" not in told
    monkeypatch.setattr(readmes.exports, "original_rows", lambda _: [])
    assert readmes.result_block(analysis) == "An answer."


def test_a_readme_without_its_marks_is_a_mistake():
    with pytest.raises(UserError, match="lacks the marks"):
        readmes.with_block("# no marks\n", "result", "x")


def test_the_published_readme_tells_how_the_runs_were_made():
    path = PUBLISHED / "README.md"
    text, folders = path.read_text(encoding="utf-8"), list(PUBLISHED.glob("runs/*"))
    assert text == readmes.with_block(text, "result", readmes.runs_block(PUBLISHED))
    assert f"| runs | {len(folders)}, of which" in text
    for made in (run_files.read(folder).metrics["provenance"] for folder in folders):
        assert made["commit"][:12] in text
        assert f"tensorflow {made['tensorflow']}" in text


def test_runs_that_know_no_commit_are_told_of_too(tmp_path):
    run_folders.edit(run_folders.publish(tmp_path), provenance__commit=None, provenance__dirty=None)
    assert "| commit | none |" in readmes.runs_block(tmp_path)


def test_runs_of_another_precision_have_costs_of_their_own():
    spec = run_files.read(next(PUBLISHED.glob("runs/*"))).metrics["spec"]
    low = spec | {"recipe": spec["recipe"] | {"precision": "mixed_bfloat16"}}
    assert spec["recipe"]["precision"] == "float32"
    assert readmes._work(low) != readmes._work(spec)
    assert "mixed_bfloat16" in readmes._work(low)[0]


def test_a_list_of_layers_is_told_by_their_kinds():
    spec = run_files.read(next(PUBLISHED.glob("runs/*"))).metrics["spec"]
    listed = {"builder": "layers", "layers": [{"flatten": {}}, {"dense": {"units": 10}}]}
    assert readmes._work(spec | {"architecture": listed})[0] == "layers, flatten, dense"


def test_the_published_readme_tells_what_the_columns_of_every_table_hold():
    text = (PUBLISHED / "README.md").read_text(encoding="utf-8")
    assert text == readmes.with_block(text, "columns", readmes.columns_block())
    for path in PUBLISHED.glob("*.csv"):
        if path.stem in COLUMNS:
            with open(path, newline="", encoding="utf-8") as file:
                for column in next(csv.reader(file)):
                    assert markup.to_markdown([{"column": column}]).splitlines()[-1] in text


def test_the_readmes_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    published, readme = tmp_path / "published", tmp_path / "README.md"
    files.copy(PUBLISHED / "analysis.json", published / "analysis.json")
    marks = "".join(f"<!-- {name}:begin (by hand) -->\n<!-- {name}:end -->\n" for name in ("columns", "result"))
    for path in (readme, published / "README.md"):
        path.write_text(f"# Title\n\n{marks}\nThe end.\n")
    whole = readme.read_text()

    def full_disk(handle):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(OSError, match="No space"):
            readmes.write(published, tmp_path)
    assert readme.read_text() == whole
    readmes.write(published, tmp_path)
    for path, words in ((readme, "| 1 Layer CNN |"), (published / "README.md", "| runs | 0, of which 0 diverged |")):
        assert words in path.read_text()
        assert path.read_text().endswith("<!-- result:end -->\n\nThe end.\n")
        assert [one.name for one in path.parent.glob("README.md.*")] == []


def test_an_example_is_published_into_a_folder_of_its_own_and_the_index_names_it(tmp_path):
    example = tmp_path / "config" / "examples" / "mine" / "original.yaml"
    published = publishing.folder_of(example, tmp_path)
    assert published == tmp_path / "published" / "examples" / "mine"
    assert publishing.folder_of(tmp_path / "config" / "original.yaml", tmp_path) == tmp_path / "published"
    assert publishing.folder_of(tmp_path / "elsewhere" / "mine" / "original.yaml", tmp_path) == tmp_path / "published"
    assert readmes.example_readme(published, None).startswith("# mine\n\n## Runs\n")
    files.copy(PUBLISHED / "analysis.json", published / "analysis.json")
    analysis = publishing.report_in(published)
    told = readmes.example_readme(published, analysis)
    assert markup.markdown_text(analysis["original"]["citation"]) in told
    assert "`make report CONFIG=config/examples/mine/study.yaml`" in told
    answer = markup.markdown_text(analysis["study"]["answer"])
    assert readmes.index(tmp_path / "published").count(f"](mine/README.md)** {answer}") == 1
    files.copy(PUBLISHED / "analysis.json", tmp_path / "published" / "analysis.json")
    assert readmes.index(tmp_path / "published").index("](../README.md)") < told.index(answer)
