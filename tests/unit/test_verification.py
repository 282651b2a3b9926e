"""Published runs against their retraining: identical here, and every way to differ is told."""

from __future__ import annotations

import json
import shutil

import pytest

from refashion import study, training, verification
from refashion.run_store import RunStore


def _published(folder, config, data, architecture):
    config = json.loads(json.dumps(config)) | {"limits": {"images": 512, "epochs": 3}}
    spec = study.load(config).spec(study.Run(study.Cell(architecture, "10k", "none", "b256_e100"), 0))
    training.train(spec, data, RunStore(folder / "runs"), device="cpu", threads=1, checkpoint_seconds=1e9)
    return folder


@pytest.fixture(scope="module")
def published(_small_config, small_data, tmp_path_factory):
    """One finished run of `cnn1`, as published/ would hold it."""
    return _published(tmp_path_factory.mktemp("published"), _small_config, small_data, "cnn1")


@pytest.fixture(scope="module")
def published_cnn4(_small_config, small_data, tmp_path_factory):
    """One finished run of `cnn4`, which has batch normalisation."""
    return _published(tmp_path_factory.mktemp("published"), _small_config, small_data, "cnn4")


def _verify(published, data, epochs=2):
    return list(verification.verify(published, data, epochs=epochs, device="cpu", threads=1))


def test_the_same_machine_gives_the_same_bits(published, small_data):
    (found,) = _verify(published, small_data)
    assert found.passes
    assert found.identical
    assert found.same_kind
    assert (found.epochs, found.accuracy, found.loss) == (2, 0.0, 0.0)
    assert str(found).startswith("passes: cnn1 on 512 images, seed 0, ")


def _edited(published, tmp_path, column, change, cpu=None):
    copy = tmp_path / "published"
    shutil.copytree(published, copy)
    (path,) = copy.glob("runs/*/history.csv")
    lines = path.read_text().splitlines()
    position = lines[0].split(",").index(column)
    fields = lines[1].split(",")
    fields[position] = repr(float(fields[position]) * change)
    path.write_text("\n".join([lines[0], ",".join(fields), *lines[2:]]) + "\n")
    if cpu:
        (metrics,) = copy.glob("runs/*/metrics.json")
        content = json.loads(metrics.read_text())
        content["provenance"]["cpu"] = cpu
        metrics.write_text(json.dumps(content))
    return copy


@pytest.mark.parametrize(
    ("column", "change", "cpu", "passes"),
    [
        ("loss", 1 + 1e-12, None, False),
        ("loss", 1.01, "another", True),
        ("loss", 1.20, "another", False),
        ("accuracy", 1.20, "another", False),
        ("val_loss", 1.20, "another", False),
        ("val_loss", 1 + 1e-12, None, False),
    ],
)
def test_a_difference_is_told_and_judged_by_the_kind_of_machine(
    published, small_data, tmp_path, column, change, cpu, passes
):
    (found,) = _verify(_edited(published, tmp_path, column, change, cpu), small_data, epochs=1)
    assert found.passes is passes
    assert not found.identical
    assert found.same_kind is (cpu is None)
    assert str(found).startswith("passes" if passes else "FAILS")


@pytest.mark.parametrize(
    ("column", "change", "cpu", "passes"),
    [
        ("val_loss", 2.0, "another", True),
        ("val_loss", 1 + 1e-12, None, False),
        ("loss", 1.01, "another", True),
        ("loss", 1.20, "another", False),
    ],
)
def test_of_batch_normalisation_elsewhere_training_alone_is_judged(
    published_cnn4, small_data, tmp_path, column, change, cpu, passes
):
    (found,) = _verify(_edited(published_cnn4, tmp_path, column, change, cpu), small_data, epochs=1)
    assert found.passes is passes
    assert found.training_only is (cpu is not None)
    assert ("in training" in str(found)) is (found.training_only and not found.identical)


def test_a_run_of_this_processor_goes_before_a_cheaper_one(published, tmp_path):
    (original,) = published.glob("runs/*/metrics.json")
    here = json.loads(original.read_text())["provenance"]["cpu"]
    for digest, cpu, seconds in (("a", "another", 1.0), ("b", here, 3.0), ("c", here, 2.0)):
        metrics = json.loads(original.read_text())
        metrics["digest"], metrics["provenance"]["cpu"], metrics["timing"]["train_seconds"] = digest, cpu, seconds
        path = tmp_path / "runs" / digest / "metrics.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(metrics))
    assert [metrics["digest"] for metrics in verification.sample(tmp_path, here)] == ["c"]
    assert [metrics["digest"] for metrics in verification.sample(tmp_path, "another")] == ["a"]
