"""The run store: what is finished stays, what is broken is noticed, and twins and full disks lose nothing."""

from __future__ import annotations

import errno
import json
import os
import shutil

import numpy as np
import pytest

from refashion.study.model import digest
from refashion.training import run_store
from refashion.training.run_store import BrokenRunError, Checkpoint, RunStore

SPEC = {"numerics": 1, "seed": 0}
METRICS = {"status": "finished", "final": {"val_accuracy": 0.9}}
HISTORY = "epoch,loss\n1,0.5\n"
PREDICTIONS = {"clean": np.arange(10, dtype=np.uint8)}


@pytest.fixture
def store(tmp_path) -> RunStore:
    messages: list[str] = []
    made = RunStore(tmp_path / "store", log=messages.append)
    made.messages = messages
    return made


def _publish(store, spec=SPEC, **changes):
    store.publish(spec, {**METRICS, **changes}, HISTORY, PREDICTIONS)


def test_a_published_run_is_found_whole(store):
    assert store.find(SPEC) is None
    _publish(store)
    found = store.find(SPEC)
    assert found["final"] == {"val_accuracy": 0.9}
    assert found["spec"] == SPEC
    with np.load(store.path(digest(SPEC)) / "predictions.npz") as file:
        assert (file["clean"] == PREDICTIONS["clean"]).all()
    assert sorted(os.listdir(store.folder)) == [digest(SPEC)]


def test_the_first_twin_wins_and_the_second_says_so(store):
    _publish(store, seconds=1)
    _publish(store, seconds=2)
    assert store.find(SPEC)["seconds"] == 1
    assert "another job" in store.messages[0]
    assert sorted(os.listdir(store.folder)) == [digest(SPEC)]


def _cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def _empty(path):
    path.write_bytes(b"")


def _edit(path):
    path.write_bytes(path.read_bytes()[:-1] + b"9")


@pytest.mark.parametrize("name", run_store.FILES)
@pytest.mark.parametrize("harm", [_cut, _empty, _edit, os.remove], ids=["cut", "empty", "edited", "missing"])
def test_a_broken_file_is_named_in_one_sentence_and_the_run_is_set_aside(store, name, harm):
    _publish(store)
    folder = store.path(digest(SPEC))
    harm(folder / name)
    with pytest.raises(BrokenRunError, match=name) as caught:
        run_store.read_metrics(folder)
    assert "\n" not in str(caught.value)
    assert store.find(SPEC) is None
    assert "Set aside" in store.messages[0]
    assert not folder.exists()
    (aside,) = store.folder.glob("*.broken-*")
    assert {path.name for path in aside.iterdir()} == set(run_store.FILES) - ({name} if harm is os.remove else set())
    _publish(store)
    assert store.find(SPEC) is not None


def test_an_edited_spec_is_noticed(store):
    _publish(store)
    path = store.path(digest(SPEC)) / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["spec"]["seed"] = 1
    path.write_text(json.dumps(metrics))
    with pytest.raises(BrokenRunError, match="edited"):
        run_store.read_metrics(path.parent)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_spec_that_is_no_json_is_a_broken_file_like_any_other(store, number):
    _publish(store)
    path = store.path(digest(SPEC)) / "metrics.json"
    metrics = json.loads(path.read_text()) | {"spec": SPEC | {"seed": "?"}}
    path.write_text(json.dumps(metrics).replace('"?"', number))
    with pytest.raises(BrokenRunError, match=r"\(\d+ bytes\) is not the metrics.json of a run: Out of range float"):
        run_store.read_metrics(path.parent)
    assert store.find(SPEC) is None
    assert "Set aside" in store.messages[0]
    _publish(store)
    assert store.find(SPEC) is not None


def test_a_full_disk_while_publishing_leaves_nothing_behind(store, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        _publish(store)
    assert list(store.folder.iterdir()) == []
    monkeypatch.undo()
    _publish(store)
    assert store.find(SPEC) is not None


def test_nan_never_gets_into_metrics(store):
    with pytest.raises(ValueError, match="not JSON compliant"):
        _publish(store, final={"loss": float("nan")})
    assert store.find(SPEC) is None


def test_export_replaces_whole_files(store, tmp_path):
    _publish(store)
    targets = {name: tmp_path / "view" / name for name in run_store.FILES}
    targets["history.csv"].parent.mkdir()
    targets["history.csv"].write_text("old")
    store.export(SPEC, targets)
    assert targets["history.csv"].read_text() == HISTORY
    assert run_store.read_metrics(tmp_path / "view")["spec"] == SPEC
    assert {path.name for path in (tmp_path / "view").iterdir()} == set(run_store.FILES)


ARRAYS = {"model/0": np.linspace(0, 1, 7, dtype=np.float32), "iteration": np.array(3, np.int64), "none": np.zeros(0)}


def test_a_checkpoint_comes_back_bit_by_bit_and_goes_when_the_run_is_done(store):
    assert store.load_checkpoint(SPEC) is None
    store.save_checkpoint(SPEC, Checkpoint(ARRAYS, {"epoch": 2, "history": [{"loss": 0.1}]}))
    loaded = store.load_checkpoint(SPEC)
    assert loaded.progress == {"epoch": 2, "history": [{"loss": 0.1}]}
    assert loaded.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert loaded.arrays[name].dtype == array.dtype
        assert loaded.arrays[name].tobytes() == array.tobytes()
    _publish(store)
    assert not store.checkpoint_path(SPEC).exists()


def _foreign(store):
    other = {**SPEC, "seed": 1}
    store.save_checkpoint(other, Checkpoint(ARRAYS, {}))
    shutil.copy(store.checkpoint_path(other), store.checkpoint_path(SPEC))


def _altered(store):
    path = store.checkpoint_path(SPEC)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["model/0"][0] += 1
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "harm",
    [
        lambda store: _cut(store.checkpoint_path(SPEC)),
        lambda store: _empty(store.checkpoint_path(SPEC)),
        lambda store: store.checkpoint_path(SPEC).write_bytes(b"PK\x03\x04 no zip"),
        lambda store: np.savez(store.checkpoint_path(SPEC), x=np.zeros(3)),
        _foreign,
        _altered,
    ],
    ids=["cut", "empty", "no zip", "no head", "foreign", "altered"],
)
def test_a_cut_or_foreign_checkpoint_is_said_and_discarded(store, harm):
    store.save_checkpoint(SPEC, Checkpoint(ARRAYS, {}))
    harm(store)
    assert store.load_checkpoint(SPEC) is None
    assert store.messages[0].startswith("Discarded the checkpoint")
    assert "\n" not in store.messages[0]
    assert not store.checkpoint_path(SPEC).exists()


def test_a_full_disk_while_saving_keeps_the_last_checkpoint(store, monkeypatch):
    store.save_checkpoint(SPEC, Checkpoint(ARRAYS, {"epoch": 1}))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.save_checkpoint(SPEC, Checkpoint(ARRAYS, {"epoch": 2}))
    monkeypatch.undo()
    assert store.load_checkpoint(SPEC).progress == {"epoch": 1}
    assert len(list(store.checkpoint_path(SPEC).parent.iterdir())) == 1
