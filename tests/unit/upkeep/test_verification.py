"""Published runs against their retraining: identical here, and every way to differ is told."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import run_folders
from refashion.errors import UserError
from refashion.study.config import load_study
from refashion.study.model import NUMERICS, Cell, Run, digest
from refashion.training import run as training
from refashion.training import run_files
from refashion.training.run_store import RunStore
from refashion.upkeep import verification


def _published(folder, config, data, architecture):
    config = json.loads(json.dumps(config)) | {"limits": {"images": 512, "epochs": 3}}
    spec = load_study(config).spec(Run(Cell(architecture, "10k", "none", "b256_e100"), 0))
    training.train(spec, data, RunStore(folder / "runs"), device="cpu", threads=1, checkpoint_seconds=1e9)
    (folder / "runs" / "checkpoints").rmdir()
    return folder


@pytest.fixture(scope="module")
def published(_small_config, small_data, tmp_path_factory):
    """One finished run of `cnn1`, as published/ would hold it."""
    return _published(tmp_path_factory.mktemp("published"), _small_config, small_data, "cnn1")


@pytest.fixture(scope="module")
def published_cnn4(_small_config, small_data, tmp_path_factory):
    """One finished run of `cnn4`, which has batch normalisation."""
    return _published(tmp_path_factory.mktemp("published"), _small_config, small_data, "cnn4")


@pytest.fixture(scope="module")
def retrained(tmp_path_factory):
    """Where the retrainings of these tests are kept."""
    return RunStore(tmp_path_factory.mktemp("retrained"))


@pytest.fixture(autouse=True)
def _trained_once(retrained, monkeypatch):
    """A retraining depends on its spec alone, so each is made once for all tests."""
    train = training.train

    def remembered(spec, data, store, **options):
        if not retrained.has(digest(spec)):
            train(spec, data, retrained, **options)
        store.take(digest(spec), retrained)

    monkeypatch.setattr(training, "train", remembered)


def _verify(published, data, epochs=2):
    return list(verification.verify(published, data, epochs=epochs, device="cpu", threads=1))


def test_the_same_machine_gives_the_same_bits(published, small_data):
    (found,) = _verify(published, small_data)
    assert found.passes
    assert found.identical
    assert found.same_kind
    assert (found.epochs, found.accuracy, found.loss) == (2, 0.0, 0.0)
    assert str(found).startswith("passes: cnn1 on 512 images, seed 0, ")


def _copied(published, tmp_path, change=lambda metrics: None, seed=0):
    """The one run of `published` below `tmp_path`, its metrics as `change` leaves them; returns its folder."""
    (source,) = published.glob("runs/*")
    metrics = json.loads((source / "metrics.json").read_text())
    metrics["spec"]["seed"] = seed
    change(metrics)
    metrics["digest"] = digest(metrics["spec"])
    folder = tmp_path / "runs" / metrics["digest"]
    shutil.copytree(source, folder)
    run_folders.write_metrics(folder, metrics)
    return folder


def _edited(published, tmp_path, column, change, cpu=None):
    folder = _copied(published, tmp_path)
    path, value = folder / "history.csv", run_files.read(folder).column(column)[0]
    path.write_text(run_folders.with_values(path.read_text(), 1, **{column: repr(float(value * change))}))
    run_folders.edit(folder, **({"provenance__cpu": cpu} if cpu else {}))
    return tmp_path


@pytest.mark.parametrize(
    ("network", "column", "change", "cpu", "passes"),
    [
        ("cnn1", "loss", 1 + 1e-12, None, False),
        ("cnn1", "loss", 1.01, "another", True),
        ("cnn1", "loss", 1.20, "another", False),
        ("cnn1", "accuracy", 1.20, "another", False),
        ("cnn1", "val_loss", 1.20, "another", False),
        ("cnn1", "val_loss", 1 + 1e-12, None, False),
        # of batch normalisation elsewhere, training alone is judged
        ("cnn4", "val_loss", 2.0, "another", True),
        ("cnn4", "val_loss", 1 + 1e-12, None, False),
        ("cnn4", "loss", 1.01, "another", True),
        ("cnn4", "loss", 1.20, "another", False),
    ],
)
def test_a_difference_is_told_and_judged_by_the_kind_of_machine(
    published, published_cnn4, small_data, tmp_path, network, column, change, cpu, passes
):
    whole = {"cnn1": published, "cnn4": published_cnn4}[network]
    (found,) = _verify(_edited(whole, tmp_path, column, change, cpu), small_data, epochs=1)
    assert found.passes is passes
    assert found.same_kind is (cpu is None)
    assert found.training_only is (network == "cnn4" and cpu is not None)
    assert not found.identical
    assert ("in training" in str(found)) is found.training_only
    assert str(found).startswith("passes" if passes else "FAILS")


@pytest.mark.parametrize(
    ("provenance", "resumed", "same_kind"),
    [
        ({"machines": 1}, 3, True),
        ({"machines": 2}, 1, False),
        ({"machines": None}, 0, True),
        ({"machines": None}, 1, False),  # of the first runs, which do not tell
        ({"cpu": "another"}, 0, False),
        ({"device": "gpu"}, 0, False),
        ({"device_name": "another"}, 0, False),
        ({"threads": 7}, 0, False),
        ({"tensorflow": "0.0"}, 0, False),
        ({"keras": "0.0"}, 0, False),
        ({"numpy": "0.0"}, 0, False),
    ],
)
def test_a_run_that_may_have_moved_or_of_other_software_is_of_another_kind(
    published, small_data, tmp_path, provenance, resumed, same_kind
):
    def change(metrics):
        found = metrics["provenance"] | provenance
        metrics["provenance"] = {name: value for name, value in found.items() if value is not None}
        metrics["timing"]["resumed"] = resumed

    _copied(published, tmp_path, change)
    (found,) = _verify(tmp_path, small_data, epochs=1)
    assert (found.same_kind, found.identical, found.passes) == (same_kind, True, True)


def test_a_retraining_that_diverges_fails_and_says_so(published, small_data, tmp_path, monkeypatch):
    (folder,) = published.glob("runs/*")
    known = json.loads((folder / "metrics.json").read_text())
    lines = (folder / "history.csv").read_text().splitlines()

    def diverge(spec, data, store, **options):
        metrics = {name: known[name] for name in ("provenance", "timing", "steps_per_epoch")}
        metrics |= {"status": "diverged", "diverged_epoch": 2, "epochs": 1, "updates": 2}
        metrics["final"] = dict.fromkeys(known["final"])
        with np.load(folder / "predictions.npz") as whole:
            predictions = {name: whole[name][: None if name == "labels" else 0] for name in whole}
        store.publish(spec, metrics, "\n".join(lines[:2]) + "\n", predictions)

    monkeypatch.setattr(training, "train", diverge)
    (found,) = _verify(published, small_data)
    assert not found.passes
    assert str(found).startswith("FAILS: cnn1 on 512 images, seed 0, ")
    assert "the retraining diverged in epoch 2 of 2 epochs, on the same kind of machine" in str(found)


def test_a_broken_published_run_is_one_sentence(published, small_data, tmp_path):
    folder = _copied(published, tmp_path)
    (folder / "history.csv").write_text("edited by hand")
    with pytest.raises(UserError, match=r"history\.csv has SHA-256"):
        _verify(tmp_path, small_data)
    (folder / "metrics.json").write_text("[]")
    with pytest.raises(UserError, match=r"metrics\.json .* is not the metrics\.json of a run"):
        verification.dataset(tmp_path, {})


def test_runs_of_other_numerics_are_not_verified(published, small_data, tmp_path):
    other = NUMERICS + 1
    _copied(published, tmp_path, lambda metrics: metrics["spec"].update(numerics=other))
    sentence = f"made under numerics {other} and this version has {NUMERICS}"
    with pytest.raises(UserError, match=sentence):
        verification.dataset(tmp_path, {})
    with pytest.raises(UserError, match=sentence):
        _verify(tmp_path, small_data)


def test_runs_of_another_data_set_are_not_compared_on_the_first_ones_images(published, published_cnn4, tmp_path):
    _copied(published, tmp_path, lambda metrics: None)
    _copied(published_cnn4, tmp_path, lambda metrics: metrics["spec"]["dataset"].update(train_images="ab" * 32))
    (chosen,) = verification.sample(tmp_path, "any")
    first = min(tmp_path.glob("runs/*")).name
    assert chosen.metrics["digest"] == first


def test_a_run_of_this_processor_goes_before_a_cheaper_one(published, tmp_path):
    (original,) = published.glob("runs/*/metrics.json")
    here = json.loads(original.read_text())["provenance"]["cpu"]
    made = (("another", 1.0, 1), (here, 3.0, 1), (here, 2.0, 1), (here, 0.5, 2))
    for seed, (cpu, seconds, machines) in enumerate(made):

        def change(metrics, cpu=cpu, seconds=seconds, machines=machines):
            metrics["provenance"] |= {"cpu": cpu, "machines": machines}
            speed = 3 * 512 / seconds  # three epochs of 512 images
            metrics["timing"] |= {"train_seconds": seconds, "images_per_second": speed, "seconds": 1000.0}

        _copied(published, tmp_path, change, seed)
    assert [run.metrics["spec"]["seed"] for run in verification.sample(tmp_path, here)] == [2]
    assert [run.metrics["spec"]["seed"] for run in verification.sample(tmp_path, "another")] == [0]
