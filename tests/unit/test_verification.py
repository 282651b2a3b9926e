"""Published runs against their retraining: identical here, and every way to differ is told."""

from __future__ import annotations

import json
import shutil

import pytest

from refashion import study, training, verification
from refashion.run_store import RunStore


@pytest.fixture(scope="module")
def published(_small_config, small_data, tmp_path_factory):
    """One finished run of `cnn1`, as published/ would hold it."""
    config = json.loads(json.dumps(_small_config)) | {"limits": {"images": 512, "epochs": 3}}
    spec = study.load(config).spec(study.Run(study.Cell("cnn1", "10k", "none", "b256_e100"), 0))
    folder = tmp_path_factory.mktemp("published")
    store = RunStore(folder / "runs")
    training.train(spec, small_data, store, device="cpu", threads=1, checkpoint_seconds=1e9)
    return folder


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
