"""One run from data to store: exact, resumable, honest about divergence. Real images, tiny training."""

from __future__ import annotations

import copy
import os
import signal

import numpy as np
import pandas as pd
import pytest

from faults import assert_same
from refashion import provenance
from refashion.data import dataset
from refashion.errors import UserError
from refashion.study.config import load_study
from refashion.study.model import Cell, Run, digest
from refashion.training import run as training
from refashion.training import run_files, run_state
from refashion.training.run_store import RunStore

CELL = Cell("cnn1", "10k", "affine", "b256_e100")


@pytest.fixture(scope="module")
def spec(_small_config):
    config = copy.deepcopy(_small_config)
    config["limits"] = {"images": 600, "epochs": 3, "updates": 13}  # the third epoch is cut: 5 + 5 + 3 updates
    config["recipes"]["b256_e100"]["batch_size"] = 128
    return load_study(config).spec(Run(CELL, 0))


def _train(spec, data, store, checkpoint_seconds=1e9):
    training.train(spec, data, store, device="cpu", threads=1, checkpoint_seconds=checkpoint_seconds)
    return store.path(digest(spec))


@pytest.fixture(scope="module")
def undisturbed(spec, small_data, tmp_path_factory):
    return _train(spec, small_data, RunStore(tmp_path_factory.mktemp("undisturbed")))


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "store")


def test_a_finished_run_holds_what_it_promises(undisturbed, spec, small_data):
    metrics = run_files.read(undisturbed).metrics  # which holds its numbers against one another
    history = pd.read_csv(undisturbed / "history.csv")
    assert tuple(history.columns) == run_files.HISTORY_COLUMNS
    assert list(history["epoch"]) == [1, 2, 3]
    assert list(history["updates"]) == [5, 10, 13]
    assert (metrics["status"], metrics["epochs"], metrics["updates"]) == ("finished", 3, 13)
    assert metrics["spec"] == spec
    assert metrics["provenance"]["device"] == "cpu"
    assert metrics["provenance"]["machines"] == 1
    with np.load(undisturbed / "predictions.npz") as predictions:
        assert np.array_equal(predictions["labels"], dataset.load(small_data).test_labels)
    last = history.iloc[-1]
    assert 0.3 < last["clean_accuracy"] != last["val_accuracy"]  # augmented validation images are other images


# ------------------------------------------------------------------------------------------------ what a run is made of


def test_the_same_spec_gives_the_same_run_to_the_bit_and_another_seed_does_not(undisturbed, spec, small_data, store):
    assert_same(undisturbed, _train(spec, small_data, store))
    other = _train({**spec, "seed": 1}, small_data, store)
    assert (other / "history.csv").read_text() != (undisturbed / "history.csv").read_text()


def test_a_run_is_trained_on_the_data_of_its_spec_or_not_at_all(config, small_data, store):
    spec = load_study(config).spec(Run(CELL, 0))  # of the real data; here is a part of it
    with pytest.raises(UserError, match=r"small\.npz holds other train_images than the config names .*delete it"):
        _train(spec, small_data, store)
    assert store.whole(digest(spec)) is None
    failed = run_state.read(store.folder, digest(spec))
    assert (failed.state, "holds other train_images" in failed.reason) == ("failed", True)


def test_a_run_that_is_in_the_store_is_not_trained_again(undisturbed, spec, tmp_path):
    before = (undisturbed / "metrics.json").read_bytes()
    _train(spec, tmp_path / "no data at all", RunStore(undisturbed.parent))
    assert (undisturbed / "metrics.json").read_bytes() == before


@pytest.fixture
def engine(monkeypatch):
    """Wraps a method of the engine: `before(engine)` is called before it, `after(found)` with what it has returned."""
    from refashion.training.engine import Engine

    def wrap(method, before=lambda run: None, after=lambda found: found):
        original = getattr(Engine, method)

        def wrapped(run, *arguments):
            before(run)
            return after(original(run, *arguments))

        monkeypatch.setattr(Engine, method, wrapped)

    return wrap


def test_the_last_epoch_ends_at_the_last_update(spec, small_data, store, engine):
    """Counted by the optimizer itself, where the history computes it."""
    counts = []
    engine("evaluate", before=lambda run: counts.append(int(run.iteration.numpy())))
    _train(spec, small_data, store)
    assert counts == [5, 10, 13]


def test_a_run_names_the_commit_that_it_began_with(spec, small_data, store, engine, monkeypatch):
    now = {"commit": "begun", "dirty": False}
    engine("evaluate", before=lambda run: now.update(commit="made meanwhile", dirty=True))
    monkeypatch.setattr(provenance, "commit", lambda: dict(now))
    found = run_files.read(_train(spec, small_data, store)).metrics["provenance"]
    assert now["dirty"]
    assert (found["commit"], found["dirty"]) == ("begun", False)


# ------------------------------------------------------------------------------------------------- stopped and resumed


def test_saving_all_the_time_changes_nothing(undisturbed, spec, small_data, store):
    assert_same(undisturbed, _train(spec, small_data, store, checkpoint_seconds=1e-9))
    assert not store.checkpoint_path(digest(spec)).exists()


@pytest.fixture(autouse=True)
def _as_in_a_terminal():
    """Ctrl-C is heard, however the tests were started: a job in the background of a script begins with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _signal_at(monkeypatch, count, number=signal.SIGTERM):
    """Sends this process a signal when the run asks for the n-th time whether it should stop."""
    original, asked = training._Run._interrupted, []

    def interrupted(run):
        asked.append(1)
        if len(asked) == count:
            os.kill(os.getpid(), number)
        return original(run)

    monkeypatch.setattr(training._Run, "_interrupted", interrupted)


def _stopped(monkeypatch, spec, data, store, count=2, number=signal.SIGTERM):
    """Trains a run until it is stopped."""
    words = rf"asked to stop \({number.name}\) in epoch \d, step \d+; its state"
    with monkeypatch.context() as there:
        _signal_at(there, count, number)
        with pytest.raises(training.PreemptedError, match=words):
            _train(spec, data, store)


@pytest.mark.parametrize(
    ("count", "number", "epoch"), [(1, signal.SIGTERM, 0), (2, signal.SIGINT, 0), (7, signal.SIGTERM, 1)], ids=str
)
def test_a_stop_saves_and_a_second_start_ends_bit_identical(
    undisturbed, spec, small_data, store, monkeypatch, count, number, epoch
):
    """An epoch asks four to six times, by the number of its calls."""
    handler = signal.getsignal(number)
    _stopped(monkeypatch, spec, small_data, store, count, number)
    assert store.checkpoint_path(digest(spec)).exists()
    assert signal.getsignal(number) == handler
    state = run_state.read(store.folder, digest(spec))
    assert (state.state, state.epochs, state.epoch) == ("stopped", 3, epoch)
    assert (state.seconds > 0) is (epoch > 0)
    resumed = _train(spec, small_data, store)
    assert run_state.read(store.folder, digest(spec)) is None
    assert_same(undisturbed, resumed)
    assert run_files.read(resumed).metrics["timing"]["resumed"] == 1


@pytest.mark.parametrize(("method", "number"), [("evaluate", signal.SIGTERM), ("evaluate_training", signal.SIGINT)])
def test_a_stop_during_an_evaluation_saves_too(
    undisturbed, spec, small_data, store, monkeypatch, engine, method, number
):
    engine(method, before=lambda run: os.kill(os.getpid(), number))
    with pytest.raises(training.PreemptedError):
        _train(spec, small_data, store)
    monkeypatch.undo()
    assert_same(undisturbed, _train(spec, small_data, store))


def test_ctrl_c_stops_no_job_that_was_started_to_ignore_it(undisturbed, spec, small_data, store, monkeypatch):
    _signal_at(monkeypatch, 2, signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert_same(undisturbed, _train(spec, small_data, store))


def test_the_seconds_of_all_earlier_processes_count(spec, small_data, store, monkeypatch):
    """A run that was stopped after an hour, of which validation took ten minutes, and once more, has taken longer."""
    _stopped(monkeypatch, spec, small_data, store)
    arrays, progress = store.load_checkpoint(digest(spec))
    assert progress["seconds"] > progress["train_seconds"] > 0
    store.save_checkpoint(digest(spec), arrays, {**progress, "seconds": 3600.0, "eval_seconds": 600.0})
    _stopped(monkeypatch, spec, small_data, store)
    timing = run_files.read(_train(spec, small_data, store)).metrics["timing"]
    assert timing["seconds"] > 3600
    assert timing["eval_seconds"] > 600
    assert timing["resumed"] == 2


def test_a_run_that_went_on_elsewhere_says_so(spec, small_data, store, monkeypatch, capsys):
    """Its last bits may be neither machine's; the report flags its cell."""
    with monkeypatch.context() as there:
        there.setattr(training._Run, "_machine", lambda run: ["another processor", "cpu", "CPU", "2.20.0"])
        _stopped(there, spec, small_data, store)
    moved = run_files.read(_train(spec, small_data, store)).metrics
    assert moved["provenance"]["machines"] == 2
    assert ", on another machine." in capsys.readouterr().out


def test_a_checkpoint_that_does_not_fit_is_set_aside(undisturbed, spec, small_data, store, capsys):
    store.save_checkpoint(digest(spec), {"model/000": np.zeros(3, np.float32)}, {"epoch": 1})
    assert_same(undisturbed, _train(spec, small_data, store))
    assert "it does not fit this version" in capsys.readouterr().out
    assert len(list(store.folder.glob("checkpoints/*.broken-*"))) == 1


# ---------------------------------------------------------------------------------------------------------- divergence


def _assert_diverged(folder, epoch):
    metrics = run_files.read(folder).metrics
    assert (metrics["status"], metrics["diverged_epoch"], metrics["epochs"]) == ("diverged", epoch, epoch - 1)
    assert set(metrics["final"].values()) == {None}
    assert len(pd.read_csv(folder / "history.csv")) == epoch - 1
    with np.load(folder / "predictions.npz") as predictions:
        assert len(predictions["clean"]) == 0


def test_divergence_ends_the_run_and_is_recorded_with_its_epoch(spec, small_data, store):
    spec = copy.deepcopy(spec)
    spec["recipe"] |= {"optimizer": "sgd", "learning_rate": 10**20, "momentum": 0.9}
    spec["augmentation"] = {"rescale": "none"}
    _assert_diverged(_train(spec, small_data, store), 1)


def test_a_network_lost_in_the_last_update_of_an_epoch_has_diverged_in_that_epoch(spec, small_data, store, engine):
    found = []

    def lose_the_second(evaluation):
        found.append(evaluation)
        if len(found) == 2:
            evaluation.validated.losses[3] = np.inf
        return evaluation

    engine("evaluate", after=lose_the_second)
    _assert_diverged(_train(spec, small_data, store), 2)


def test_a_network_that_only_its_training_images_show_lost_has_diverged_in_its_last_epoch(
    spec, small_data, store, engine, capsys
):
    engine("evaluate_training", after=lambda found: (float("nan"), 0.1))
    _assert_diverged(_train(spec, small_data, store), 3)
    assert "Diverged: the loss of epoch 3 is no finite number." in capsys.readouterr().out
