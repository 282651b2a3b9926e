"""What happens to runs and studies happens here on purpose. At the end nothing is lost and every number is the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from faults import Table, assert_same, train, wait_for
from refashion.study import Cell, Run, digest, load

TABLE = Table()

#: Tiny training for each of the original's networks: some seconds after the start, in several epochs.
ORIGINAL = {
    "cnn1": (Cell("cnn1", "60k", "affine", "b256_e50"), {"images": 2000, "epochs": 8}),
    "lenet5": (Cell("lenet5", "60k", "none", "b32_e20_sparse"), {"images": 1000, "epochs": 8}),
    "cnn4": (Cell("cnn4", "60k", "affine", "b256_e50"), {"images": 500, "epochs": 8}),
    "cnn4_same": (Cell("cnn4_same", "60k", "affine", "b256_e50"), {"images": 300, "epochs": 8}),
}
KILLS = 10


@pytest.fixture(scope="module", autouse=True)
def _print_table(request):
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{TABLE.text()}")


def _spec(config, architecture):
    cell, limits = ORIGINAL[architecture]
    return load(config | {"limits": limits}).spec(Run(cell, 0))


def _start(spec, data, store, checkpoint_seconds=0.2):
    """Start a training in a process; its words can be read line by line."""
    return train([spec], data, store, checkpoint_seconds, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _until(process, words):
    """Read what a training says up to a line with these words; "" if it ends without."""
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    return ""


def _undisturbed(spec, data, store):
    """Train without disturbance; returns the finished run and the seconds of an epoch."""
    process = _start(spec, data, store, checkpoint_seconds=1e9)
    assert _until(process, "ready after")
    clock = time.monotonic()
    epochs = process.stdout.read().count("epoch ")
    assert process.wait() == 0
    return store / digest(spec), (time.monotonic() - clock) / epochs


def _kill_often(spec, data, folder, rng):
    """Kill the training of a run KILLS times, each 0 to 2 epochs after its last start; start anew if it has ended.

    Each time that it ends, it must have ended as if undisturbed. Returns how many starts continued an earlier one.
    """
    whole, epoch_seconds = _undisturbed(spec, data, folder / "undisturbed")
    kills, lives, continued = 0, 0, 0
    while kills < KILLS:
        lives += 1
        store, finished = folder / f"killed-{lives}", False
        while not finished:
            process = _start(spec, data, store)
            continued += "Continue after" in _until(process, "ready after")
            if kills < KILLS:
                _kill(process, rng.uniform(0, 2), epoch_seconds)
            process.stdout.read()
            finished = process.wait() == 0
            kills += not finished
        assert_same(whole, store / digest(spec))
        assert not list((store / "checkpoints").glob("*.npz"))
    return continued


def _kill(process, epochs, epoch_seconds):
    for _ in range(int(epochs)):
        _until(process, "epoch ")
    time.sleep(epochs % 1 * epoch_seconds)
    process.kill()


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_bit_identical(config, small_data, tmp_path):
    """SIGKILL at ten random moments of training, evaluation, saving and publishing, for each original network."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"random moments from seed {seed}")

    def kill(architecture):
        rng = random.Random(f"{seed} {architecture}")  # noqa: S311 (moments, not secrets)
        return _kill_often(_spec(config, architecture), small_data, tmp_path / architecture, rng)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        continued = dict(zip(ORIGINAL, pool.map(kill, ORIGINAL), strict=True))
    assert all(count > 0 for count in continued.values())
    happened = ", ".join(f"{name} {count}" for name, count in continued.items())
    TABLE.add(f"SIGKILL at {KILLS} random moments, each of {len(ORIGINAL)} networks", f"went on: {happened} times")


@pytest.mark.slow
@pytest.mark.parametrize("when", ["at the start", "while training"])
def test_a_run_asked_to_stop_leaves_in_time_and_continues(config, small_data, tmp_path, when):
    """SIGTERM, as of a preempting cluster: a checkpoint, gone within 10 s, and on from there."""
    spec = _spec(config, "cnn4_same")
    whole, _ = _undisturbed(spec, small_data, tmp_path / "undisturbed")
    store = tmp_path / "stopped"
    process = _start(spec, small_data, store, checkpoint_seconds=1e9)
    if when == "while training":
        assert _until(process, "epoch 1/")
    else:
        wait_for("the signal's handler", lambda: _catches(process.pid, signal.SIGTERM))
    clock = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.stdout.read()
    assert process.wait(60) == 1
    seconds = time.monotonic() - clock
    assert seconds <= 10
    assert (store / "checkpoints" / f"{digest(spec)}.npz").exists()
    again = _start(spec, small_data, store)
    assert _until(again, "Continue after")
    again.stdout.read()
    assert again.wait() == 0
    assert_same(whole, store / digest(spec))
    TABLE.add(f"SIGTERM {when}", f"a checkpoint, gone after {seconds:.1f} s; the next start continued")


def _catches(pid, number):
    """Whether a process has a handler for a signal (proc(5), SigCgt)."""
    with open(f"/proc/{pid}/status") as status:
        caught = next(line.split()[1] for line in status if line.startswith("SigCgt"))
    return int(caught, 16) >> (number - 1) & 1
