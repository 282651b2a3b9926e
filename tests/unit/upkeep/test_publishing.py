"""What is published can be restored, is what it says it is, and is what the README shows."""

from __future__ import annotations

import contextlib
import json
import shutil

import pytest

import run_folders
from project import PROJECT
from refashion import files
from refashion.errors import UserError
from refashion.judging import benchmark_table
from refashion.study.config import load_study
from refashion.study.model import NUMERICS, Run, digest
from refashion.telling import document
from refashion.training.run_store import RunStore, published_in
from refashion.upkeep import publishing

PUBLISHED = PROJECT / "published"


@pytest.fixture
def published(tmp_path):
    """Two published runs, a derived file and a benchmark."""
    for seed in range(2):
        run_folders.publish(tmp_path / "published", seed)
    published_in(tmp_path / "published").derived({"made": "from this"}, ".json", lambda stream: stream.write(b"{}"))
    row = dict.fromkeys(benchmark_table.COLUMNS) | {"architecture": "cnn1", "cores": 2, "images_per_second": 1000}
    benchmark_table.write(tmp_path / "published" / "benchmark.csv", [row])
    return tmp_path / "published"


def test_restored_runs_are_found_and_nothing_is_overwritten(published, tmp_path):
    store, benchmark = RunStore(tmp_path / "store"), tmp_path / "benchmarks" / "published.csv"
    said = []
    assert publishing.restore(published, store, benchmark, said.append) == 2
    assert store.whole(digest(run_folders.spec(1))) is not None
    assert [path.read_text() for path in store.derived_files()] == ["{}"]
    assert benchmark.read_bytes() == (published / "benchmark.csv").read_bytes()
    places = {path: path.stat().st_ino for path in store.folder.glob("*/*")}
    assert publishing.restore(published, store, benchmark, said.append) == 0
    assert {path: path.stat().st_ino for path in store.folder.glob("*/*")} == places
    assert said == ["Restored 2 published runs; 0 were there.", "Restored 0 published runs; 2 were there."]


def test_a_run_that_the_store_has_broken_is_set_aside_and_restored(published, tmp_path):
    store, benchmark = RunStore(tmp_path / "store"), tmp_path / "benchmark.csv"
    publishing.restore(published, store, benchmark)
    mine = next(store.folder.glob("*/history.csv"))
    whole = mine.read_text()
    mine.write_text("cut")
    assert publishing.restore(published, store, benchmark) == 1
    assert mine.read_text() == whole
    assert next(store.folder.glob("*.broken-*/history.csv")).read_text() == "cut"


def _other_numerics(published):
    return run_folders.publish(published, 7, numerics=NUMERICS + 1) / "metrics.json"


def _edited(published):
    path = published / "runs" / digest(run_folders.spec(0)) / "history.csv"
    path.write_text("edited by hand")
    return path


def _another_name(published):
    shutil.copytree(published / "runs" / digest(run_folders.spec(0)), published / "runs" / "a_copy")
    return "runs/a_copy/metrics.json"


def _linked(published):
    folder = published / "runs" / digest(run_folders.spec(0))
    folder.rename(published / "elsewhere")
    folder.symlink_to(published / "elsewhere")
    return folder


def _cut_derived(published):
    (path,) = (published / "derived").iterdir()
    path.write_text("{")
    return path


def _linked_benchmark(published):
    (published / "benchmark.csv").rename(published / "elsewhere.csv")
    (published / "benchmark.csv").symlink_to("elsewhere.csv")
    return "benchmark.csv"


@pytest.mark.parametrize(
    ("harm", "words", "good"),
    [
        (_other_numerics, f"was made under numerics {NUMERICS + 1} and this version has {NUMERICS}", 2),
        (_edited, "has SHA-256", 1),
        (_another_name, "expected a_copy: it is another run", 2),
        (_linked, "is a link", 1),
        (_cut_derived, "has SHA-256", 2),
        (_linked_benchmark, "is a link", 2),
    ],
)
def test_what_is_broken_is_named_and_left_out_and_what_is_good_is_restored(published, tmp_path, harm, words, good):
    path = str(harm(published))
    store, said = RunStore(tmp_path / "store", log=lambda text: None), []
    with pytest.raises(UserError, match=words) as caught:
        publishing.restore(published, store, tmp_path / "benchmark.csv", said.append)
    assert path in str(caught.value)
    assert path in said[0]
    assert said[0].startswith("Left out: ")
    assert said[1] == f"Restored {good} published runs; 0 were there."
    assert len(store.names()) == good
    assert len(list(store.folder.glob("*"))) == good + (harm is not _cut_derived)  # and the folder of the derived files
    assert (tmp_path / "benchmark.csv").exists() is (harm is not _linked_benchmark)


def test_a_folder_without_published_runs_is_told(tmp_path):
    with pytest.raises(UserError, match=r"nothing/runs is not there; what is restored is a folder with published runs"):
        publishing.restore(tmp_path / "nothing", RunStore(tmp_path / "store"), tmp_path / "benchmark.csv")


def test_what_is_no_evidence_is_not_published(tmp_path, committed_config):
    target = tmp_path / "published"
    asked = load_study(committed_config | {"evidence": False})
    made = publishing.Made(tmp_path, (), tmp_path / "benchmark.csv")
    with pytest.raises(UserError, match="is no evidence"):
        publishing.publish(asked, asked, RunStore(tmp_path / "store"), made, target)
    assert not target.exists()


def test_a_twin_that_is_faster_stays_and_restoring_goes_on(published, tmp_path, monkeypatch):
    store, whole_folder = RunStore(tmp_path / "store", log=lambda text: None), files.whole_folder
    first = min(path.name for path in published.glob("runs/*"))

    @contextlib.contextmanager
    def race(target):
        with whole_folder(target) as work:
            yield work
            if target.name == first:
                shutil.copytree(published / "runs" / first, target)
                (target / "mark").touch()

    monkeypatch.setattr(files, "whole_folder", race)
    publishing.restore(published, store, tmp_path / "benchmark.csv", lambda text: None)
    assert (store.path(first) / "mark").exists()
    assert len(store.names()) == 2
    assert not list(store.folder.glob("*.tmp-*"))


class _Place:
    """A study with a store, a folder of the report and a folder of what is published, all in `folder`."""

    def __init__(self, folder, config):
        sha256 = run_folders.sha256(run_folders.labels(run_folders.IMAGES))
        config["datasets"]["fashion_mnist"]["files"]["test_labels"]["sha256"] = sha256
        self.study = self.told = load_study(config)
        self.store, self.results, self.published = RunStore(folder / "store"), folder / "partial", folder / "published"
        self.benchmark, self.derived, self.said = folder / "benchmark.csv", folder / "architectures.json", []
        self.wanted = list(dict.fromkeys(digest(self.study.spec(run)) for run in self.study.runs()))

    def finish(self, seed, status="finished", store=None):
        """Finish the run of the first cell with this seed."""
        spec = self.study.spec(Run(self.study.cells()[0], seed))
        made = run_folders.parts(spec, diverged_epoch=2 if status == "diverged" else None)
        metrics = made.metrics | {"made": str(store)}
        (store or self.store).publish(spec, metrics, made.history, made.predictions)
        return digest(spec)

    def measure(self, speed):
        """Leave what the rule `benchmark` does: a table of one row."""
        row = dict.fromkeys(benchmark_table.COLUMNS) | {"architecture": "cnn1", "cores": 2, "images_per_second": speed}
        benchmark_table.write(self.benchmark, [row])

    def report(self, ended, page="", **other):
        """Leave what `report_partial` does; ended: the status by digest."""
        self.results.mkdir(exist_ok=True)
        told = {"preset": self.study.config["preset"], "evidence": True} | other
        rows = benchmark_table.read(self.benchmark) if self.benchmark.exists() else []
        shown = {"format": document.FORMAT, "study": told, "benchmark": {"rows": rows}}
        (self.results / "analysis.json").write_text(json.dumps(shown))
        lines = [f"{name},{ended.get(name, 'missing')}\n" for name in self.wanted]
        (self.results / "runs.csv").write_text("digest,status\n" + "".join(lines))
        (self.results / "report.html").write_text(page or f"of {len(ended)}")

    def publish(self):
        self.said.clear()
        made = publishing.Made(self.results, (self.derived,), self.benchmark)
        return publishing.publish(self.study, self.told, self.store, made, self.published, log=self.said.append)

    @property
    def page(self):
        path = self.published / "report.html"
        return path.read_text() if path.exists() else None


@pytest.fixture
def place(tmp_path, config):
    return _Place(tmp_path, config)


def test_publish_report_and_publish_again(place):
    """The order of `make publish`: the report of an earlier time lies there at first, and in the end the one of now."""
    ended = {place.finish(0): "finished"}
    place.measure(1000)
    assert place.publish() == 1
    assert place.page is None
    assert "snakemake report_partial, and then snakemake publish again" in place.said[-1]
    place.report(ended)
    assert place.publish() == 0
    assert place.page == "of 1"
    assert len(place.said) == 1
    ended |= {place.finish(1): "finished", place.finish(2, "diverged"): "diverged"}
    place.measure(2000)
    assert place.publish() == 2
    assert place.page == "of 1"
    assert "no report of just the 3 finished runs that are published now" in place.said[-1]
    place.report(ended)
    place.publish()
    assert place.page == "of 3"
    assert benchmark_table.read(place.published / "benchmark.csv")[0]["images_per_second"] == 2000


def test_the_published_benchmark_is_that_of_the_report(place):
    ended = {place.finish(0): "finished"}
    place.measure(1000)
    place.report(ended)
    place.publish()
    place.measure(2000)
    place.publish()
    assert benchmark_table.read(place.published / "benchmark.csv")[0]["images_per_second"] == 1000


def test_of_what_needs_tensorflow_just_what_the_report_was_made_from_is_published(place):
    ended = {place.finish(0): "finished"}
    place.derived.write_text("the networks of this study")
    for number, content in enumerate((b"those of another", b"the networks of this study")):
        kept = place.store.derived({"number": number}, ".json", lambda stream, content=content: stream.write(content))
    place.report(ended)
    earlier = published_in(place.published)
    earlier.derived({"number": 3}, ".json", lambda stream: stream.write(b"of an earlier one"))
    place.publish()
    assert [path.name for path in earlier.derived_files()] == [kept.name]


@pytest.mark.parametrize(
    ("runs", "status", "other"),
    [
        ([1], "finished", {}),
        ([0, 1], "finished", {}),  # more than are published
        ([0, 1], "diverged", {}),
        ([0], "finished", {"preset": "tiny"}),
        ([0], "finished", {"evidence": False}),
    ],
)
def test_a_report_of_other_runs_is_not_taken(place, runs, status, other):
    place.report({place.finish(0): "finished"}, page="the right one")
    place.publish()
    place.report({place.wanted[run]: status for run in runs}, page="another", **other)
    place.publish()
    assert place.page == "the right one"
    assert "holds no report of just the 1 finished runs that are published now" in place.said[-1]


@pytest.mark.parametrize("position", [0, 1])
def test_where_a_run_is_broken_nothing_is_published(place, position):
    names = [place.finish(0), place.finish(1)]
    path = place.store.path(names[position]) / "metrics.json"
    path.write_text(path.read_text().replace('"seconds": 70.0', '"seconds": 7.0'))
    with pytest.raises(UserError, match=rf"{names[position]}/metrics.json has timing.seconds 7"):
        place.publish()
    assert not place.published.exists()


def test_an_overlay_publishes_runs_and_no_report(place, config):
    place.report({place.finish(0): "finished"})
    place.told = load_study(config | {"seeds": 7})
    assert place.publish() == 1
    assert place.page is None
    assert (
        place.said[-1] == "The published report stays as it is: it is that of config/config.yaml, without an overlay."
    )
    place.told = load_study(config | {"device": "cpu"})
    place.publish()
    assert place.page == "of 1"


def test_a_report_of_another_layout_is_none(place):
    place.report({place.finish(0): "finished"})
    text = json.dumps({"format": document.FORMAT + 1})
    (place.results / "analysis.json").write_text(text)
    assert place.publish() == 1
    assert place.page is None


def test_published_runs_are_restored_before_others_are_published(place, tmp_path):
    name = place.finish(0)
    place.publish()
    place.report({name: "finished"})
    place.store = RunStore(tmp_path / "fresh")
    place.finish(1)
    with pytest.raises(UserError, match=r"fresh lacks 1 of the published runs .*: make restore first\.$"):
        place.publish()
    assert len(list(place.published.glob("runs/*"))) == 1
    assert place.page is None


def test_a_twin_of_a_published_run_is_not_reported_in_its_place(place, tmp_path):
    name = place.finish(0)
    place.publish()
    place.store = RunStore(tmp_path / "fresh")
    place.finish(0, store=place.store)
    with pytest.raises(UserError, match=rf"{name} is not the run that is published under this digest"):
        place.publish()


def test_published_runs_that_the_study_does_not_want_are_no_matter(place, tmp_path):
    place.finish(0)
    place.publish()
    (folder,) = place.published.glob("runs/*")
    folder.rename(folder.parent / "another")
    place.store = RunStore(tmp_path / "fresh")
    assert place.publish() == 0


def test_published_holds_every_run_of_the_config(committed_config):
    """So that `restore` and `report` train nothing in a fresh clone."""
    asked = load_study(committed_config)
    wanted = {digest(asked.spec(run)) for run in asked.runs()}
    assert wanted <= set(published_in(PUBLISHED).names())


def test_the_published_report_shows_the_published_benchmark():
    analysis = json.loads((PUBLISHED / "analysis.json").read_text(encoding="utf-8"))
    assert analysis["benchmark"]["rows"] == benchmark_table.read(PUBLISHED / "benchmark.csv")
