"""One run from data to store: exact, resumable, honest about divergence. Real images, tiny training."""

from __future__ import annotations

import copy
import json
import os
import signal

import numpy as np
import pandas as pd
import pytest

from refashion import provenance
from refashion.errors import UserError
from refashion.study.config import load_study
from refashion.study.model import Cell, Run, digest
from refashion.training import run as training
from refashion.training import run_files, run_state
from refashion.training.run_store import RunStore

CELL = Cell("cnn1", "10k", "affine", "b256_e100")


@pytest.fixture
def spec(small_config):
    small_config["limits"] = {"images": 600, "epochs": 3, "updates": 13}  # the third epoch is cut: 5 + 5 + 3 updates
    small_config["recipes"]["b256_e100"]["batch_size"] = 128
    return load_study(small_config).spec(Run(CELL, 0))


def _train(spec, data, store, checkpoint_seconds=1e9):
    training.train(spec, data, store, device="cpu", threads=1, checkpoint_seconds=checkpoint_seconds)
    return store.path(digest(spec))


@pytest.fixture
def undisturbed(spec, small_data, tmp_path):
    return _train(spec, small_data, RunStore(tmp_path / "undisturbed"))


def _same(one, other):
    for name in ("history.csv", "predictions.npz"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in (one, other)]
    assert metrics[0]["final"] == metrics[1]["final"]


def test_a_finished_run_holds_what_it_promises(undisturbed, spec):
    metrics = run_files.read(undisturbed).metrics
    history = pd.read_csv(undisturbed / "history.csv")
    assert tuple(history.columns) == run_files.HISTORY_COLUMNS
    assert list(history["epoch"]) == [1, 2, 3]
    assert list(history["updates"]) == [5, 10, 13]
    assert (metrics["status"], metrics["epochs"], metrics["updates"]) == ("finished", 3, 13)
    assert metrics["spec"] == spec
    last = history.iloc[-1]
    for name in ("loss", "accuracy", "val_loss", "val_accuracy", "clean_loss", "clean_accuracy"):
        assert metrics["final"][name] == last[name], name
    with np.load(undisturbed / "predictions.npz") as predictions:
        labels = predictions["labels"]
        assert labels.dtype == np.uint8
        assert len(labels) == 1000
        for name, column in (("validated", "val"), ("clean", "clean")):
            right = predictions[name] == labels
            assert right.mean() == last[f"{column}_accuracy"]
            assert right[0::2].mean() == last[f"{column}_accuracy_a"]
            assert right[1::2].mean() == last[f"{column}_accuracy_b"]
    assert last["val_accuracy"] != last["clean_accuracy"]  # augmented validation images are other images
    assert metrics["provenance"]["device"] == "cpu"
    assert metrics["timing"]["images_per_second"] > 0


def test_the_last_epoch_ends_at_the_last_update(spec, small_data, tmp_path, monkeypatch):
    """Counted by the optimizer itself, where the history computes it."""
    from refashion.training import engine

    counts = []
    original = engine.Engine.evaluate

    def evaluate(run, epoch):
        counts.append(int(run.iteration.numpy()))
        return original(run, epoch)

    monkeypatch.setattr(engine.Engine, "evaluate", evaluate)
    _train(spec, small_data, RunStore(tmp_path))
    assert counts == [5, 10, 13]


def test_the_seconds_of_earlier_processes_count(spec, small_data, tmp_path, monkeypatch):
    """A run that was stopped after an hour has taken more than an hour."""
    store = RunStore(tmp_path)
    with monkeypatch.context() as there:
        _Clock(there, 2)
        with pytest.raises(training.PreemptedError):
            _train(spec, small_data, store)
    arrays, progress = store.load_checkpoint(spec)
    store.save_checkpoint(spec, arrays, {**progress, "seconds": 3600.0})
    timing = run_files.read(_train(spec, small_data, store)).metrics["timing"]
    assert timing["seconds"] > 3600
    assert timing["resumed"] == 1


def test_the_same_spec_gives_the_same_run_to_the_bit(undisturbed, spec, small_data, tmp_path):
    _same(undisturbed, _train(spec, small_data, RunStore(tmp_path / "again")))


def test_a_run_is_trained_on_the_data_of_its_spec_or_not_at_all(config, small_data, tmp_path):
    spec = load_study(config).spec(Run(CELL, 0))  # of the real data; here is a part of it
    store = RunStore(tmp_path)
    with pytest.raises(UserError, match=r"small\.npz holds other train_images than the config names .*delete it"):
        _train(spec, small_data, store)
    assert store.find(spec) is None
    failed = run_state.read(store.folder, digest(spec))
    assert (failed.state, "holds other train_images" in failed.reason) == ("failed", True)


def test_a_run_that_is_in_the_store_is_not_trained_again(undisturbed, spec, tmp_path):
    before = (undisturbed / "metrics.json").read_bytes()
    _train(spec, tmp_path / "no data at all", RunStore(undisturbed.parent))
    assert (undisturbed / "metrics.json").read_bytes() == before


def test_saving_all_the_time_changes_nothing(undisturbed, spec, small_data, tmp_path):
    store = RunStore(tmp_path / "saving")
    saved = _train(spec, small_data, store, checkpoint_seconds=1e-9)
    _same(undisturbed, saved)
    assert not store.checkpoint_path(spec).exists()


class _Clock:
    """Stops a run at the n-th question whether it should stop, as a signal at that moment would."""

    def __init__(self, monkeypatch, count, number=signal.SIGTERM):
        self.left = count
        original = training._Run._interrupted

        def interrupted(run):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), number)
            return original(run)

        monkeypatch.setattr(training._Run, "_interrupted", interrupted)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_stop_saves_and_a_second_start_ends_bit_identical(
    undisturbed, spec, small_data, tmp_path, monkeypatch, count
):
    store = RunStore(tmp_path / "stopped")
    _Clock(monkeypatch, count)
    with pytest.raises(training.PreemptedError, match=r"asked to stop \(SIGTERM\) in epoch \d, step \d+; its state"):
        _train(spec, small_data, store)
    assert store.checkpoint_path(spec).exists()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    stopped = run_state.read(store.folder, digest(spec))
    assert (stopped.state, stopped.epochs, stopped.epoch < 3) == ("stopped", 3, True)
    assert (stopped.seconds > 0) is (stopped.epoch > 0)
    resumed = _train(spec, small_data, store)
    assert run_state.read(store.folder, digest(spec)) is None
    _same(undisturbed, resumed)
    assert run_files.read(resumed).metrics["timing"]["resumed"] == 1


@pytest.fixture(autouse=True)
def _as_in_a_terminal():
    """Ctrl-C is heard, however the tests were started: a job in the background of a script begins with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_saves_and_is_named_like_any_stop(undisturbed, spec, small_data, tmp_path, monkeypatch):
    store = RunStore(tmp_path / "stopped")
    _Clock(monkeypatch, 2, signal.SIGINT)
    with pytest.raises(training.PreemptedError, match=r"asked to stop \(SIGINT\) in epoch \d, step \d+; its state"):
        _train(spec, small_data, store)
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
    _same(undisturbed, _train(spec, small_data, store))


def test_ctrl_c_stops_no_job_that_was_started_to_ignore_it(undisturbed, spec, small_data, tmp_path, monkeypatch):
    _Clock(monkeypatch, 2, signal.SIGINT)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _same(undisturbed, _train(spec, small_data, RunStore(tmp_path / "background")))
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_run_names_the_commit_that_it_began_with(spec, small_data, tmp_path, monkeypatch):
    from refashion.training import engine

    now = {"commit": "begun", "dirty": False}
    original = engine.Engine.evaluate

    def evaluate(*arguments):
        now.update(commit="made meanwhile", dirty=True)
        return original(*arguments)

    monkeypatch.setattr(engine.Engine, "evaluate", evaluate)
    monkeypatch.setattr(provenance, "commit", lambda: dict(now))
    found = run_files.read(_train(spec, small_data, RunStore(tmp_path))).metrics["provenance"]
    assert now["dirty"]
    assert (found["commit"], found["dirty"]) == ("begun", False)


def test_a_run_that_went_on_elsewhere_says_so(undisturbed, spec, small_data, tmp_path, monkeypatch, capsys):
    """Its last bits may be neither machine's; the report flags its cell."""
    assert run_files.read(undisturbed).metrics["provenance"]["machines"] == 1
    store = RunStore(tmp_path / "moved")
    with monkeypatch.context() as there:
        _Clock(there, 2)
        there.setattr(training._Run, "_machine", lambda run: ["another processor", "cpu", "CPU", "2.20.0"])
        with pytest.raises(training.PreemptedError):
            _train(spec, small_data, store)
    moved = run_files.read(_train(spec, small_data, store)).metrics
    assert moved["provenance"]["machines"] == 2
    assert ", on another machine." in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("method", ["evaluate", "evaluate_training"])
def test_a_stop_during_an_evaluation_saves_too(undisturbed, spec, small_data, tmp_path, monkeypatch, method, number):
    from refashion.training import engine

    original = getattr(engine.Engine, method)

    def evaluate(*arguments):
        os.kill(os.getpid(), number)
        return original(*arguments)

    monkeypatch.setattr(engine.Engine, method, evaluate)
    store = RunStore(tmp_path / "stopped")
    with pytest.raises(training.PreemptedError):
        _train(spec, small_data, store)
    monkeypatch.undo()
    _same(undisturbed, _train(spec, small_data, store))


def test_a_checkpoint_that_does_not_fit_is_discarded(undisturbed, spec, small_data, tmp_path, capsys):
    store = RunStore(tmp_path / "other")
    store.save_checkpoint(spec, {"model/000": np.zeros(3, np.float32)}, {"epoch": 1})
    _same(undisturbed, _train(spec, small_data, store))
    assert "Discarded a checkpoint that does not fit" in capsys.readouterr().out


def test_divergence_ends_the_run_and_is_recorded_with_its_epoch(spec, small_data, tmp_path):
    spec = copy.deepcopy(spec)
    spec["recipe"] |= {"optimizer": "sgd", "learning_rate": 10**20, "momentum": 0.9}
    spec["augmentation"] = {"rescale": "none"}
    folder = _train(spec, small_data, RunStore(tmp_path / "diverged"))
    metrics = run_files.read(folder).metrics
    assert metrics["status"] == "diverged"
    assert metrics["diverged_epoch"] == metrics["epochs"] + 1
    assert set(metrics["final"].values()) == {None}
    assert len(pd.read_csv(folder / "history.csv")) == metrics["epochs"]
    with np.load(folder / "predictions.npz") as predictions:
        assert len(predictions["clean"]) == 0


def test_a_network_lost_in_the_last_update_of_an_epoch_has_diverged_in_that_epoch(
    spec, small_data, tmp_path, monkeypatch
):
    from refashion.training import engine

    original = engine.Engine.evaluate

    def evaluate(self, epoch):
        found = original(self, epoch)
        if epoch == 1:
            found.validated.losses[3] = np.inf
        return found

    monkeypatch.setattr(engine.Engine, "evaluate", evaluate)
    folder = _train(spec, small_data, RunStore(tmp_path / "diverged"))
    metrics = run_files.read(folder).metrics
    assert (metrics["status"], metrics["diverged_epoch"], metrics["epochs"]) == ("diverged", 2, 1)
    assert set(metrics["final"].values()) == {None}
    assert len(pd.read_csv(folder / "history.csv")) == 1


@pytest.mark.parametrize("loss", [np.inf, np.nan])
def test_a_network_that_only_its_training_images_show_lost_has_diverged_in_its_last_epoch(
    spec, small_data, tmp_path, monkeypatch, capsys, loss
):
    from refashion.training import engine

    monkeypatch.setattr(engine.Engine, "evaluate_training", lambda self: (float(loss), 0.1))
    store = RunStore(tmp_path / "diverged")
    folder = _train(spec, small_data, store)
    metrics = run_files.read(folder).metrics
    assert (metrics["status"], metrics["diverged_epoch"], metrics["epochs"]) == ("diverged", 3, 2)
    assert set(metrics["final"].values()) == {None}
    assert len(pd.read_csv(folder / "history.csv")) == 2
    assert "Diverged: the loss of epoch 3 is no finite number." in capsys.readouterr().out


def test_seeds_give_different_runs(undisturbed, spec, small_data, tmp_path):
    other = _train({**spec, "seed": 1}, small_data, RunStore(tmp_path / "seed"))
    assert (other / "history.csv").read_text() != (undisturbed / "history.csv").read_text()
