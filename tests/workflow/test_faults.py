"""What happens to runs and studies happens here on purpose. At the end nothing is lost and every number is the same."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import faults
from faults import SmallStudy, Table, assert_same, kill_started, train, trainings, wait_for
from refashion.study.config import load_study
from refashion.study.model import Cell, Run, digest
from refashion.training import run_files
from tiny_study import environment

TABLE = Table()

#: Tiny training for each of the original's networks: some seconds after the start, in several epochs.
ORIGINAL = {
    "cnn1": (Cell("cnn1", "60k", "affine", "b256_e50"), {"images": 2000, "epochs": 8}),
    "lenet5": (Cell("lenet5", "60k", "none", "b32_e20_sparse"), {"images": 1000, "epochs": 8}),
    "cnn4": (Cell("cnn4", "60k", "affine", "b256_e50"), {"images": 500, "epochs": 8}),
    "cnn4_same": (Cell("cnn4_same", "60k", "affine", "b256_e50"), {"images": 300, "epochs": 8}),
}
KILLS = 10

#: Two runs that are trained for a while, so that they can be hit.
LONG = {"seeds": 2, "images": 1500, "epochs": 20}


@pytest.fixture(autouse=True)
def _nothing_outlives_its_test():
    yield
    kill_started()


@pytest.fixture(scope="module", autouse=True)
def _print_table(request):
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{TABLE.text()}")


def _spec(config, architecture):
    cell, limits = ORIGINAL[architecture]
    return load_study(config | {"limits": limits}).spec(Run(cell, 0))


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
def test_a_run_killed_at_random_moments_ends_bit_identical(small_config, small_data, tmp_path):
    """SIGKILL at ten random moments of training, evaluation, saving and publishing, for each original network."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"random moments from seed {seed}")

    def kill(architecture):
        rng = random.Random(f"{seed} {architecture}")  # noqa: S311 (moments, not secrets)
        return _kill_often(_spec(small_config, architecture), small_data, tmp_path / architecture, rng)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        continued = dict(zip(ORIGINAL, pool.map(kill, ORIGINAL), strict=True))
    assert all(count > 0 for count in continued.values())
    happened = ", ".join(f"{name} {count}" for name, count in continued.items())
    TABLE.add(f"SIGKILL at {KILLS} random moments, each of {len(ORIGINAL)} networks", f"went on: {happened} times")


@pytest.mark.slow
@pytest.mark.parametrize("when", ["at the start", "while training"])
def test_a_run_asked_to_stop_leaves_in_time_and_continues(small_config, small_data, tmp_path, when):
    """SIGTERM, as of a preempting cluster: a checkpoint, gone within 10 s, and on from there."""
    spec = _spec(small_config, "cnn4_same")
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


# --------------------------------------------------------------------------------------------------- through Snakemake


@pytest.fixture(scope="module")
def reference(small_data, tmp_path_factory):
    """A store with the runs of every study below, trained without Snakemake and without disturbance."""
    return faults.undisturbed(
        SmallStudy(tmp_path_factory.mktemp("reference") / "study", small_data, **LONG), small_data
    )


@pytest.fixture
def study(small_data, tmp_path):
    """Two runs that take long enough to be hit."""
    return SmallStudy(tmp_path / "study", small_data, **LONG)


@pytest.fixture(scope="module")
def finished(small_data, tmp_path_factory):
    """The folder of the same study, finished, with its report."""
    made = SmallStudy(tmp_path_factory.mktemp("finished") / "study", small_data, **LONG)
    made.snakemake()
    return made.folder


@pytest.fixture
def copied(finished, small_data, tmp_path):
    """A finished study to harm."""
    shutil.copytree(finished, tmp_path / "study", symlinks=True)
    return SmallStudy(tmp_path / "study", small_data, **LONG)


@pytest.mark.slow
def test_trainings_killed_under_snakemake_are_tried_again(study, reference):
    snakemake = study.start("results/runs.csv", "--retries", "4")
    killed = set()
    for epoch in (0, 3, 7, 11):
        victim = wait_for(
            f"a training in epoch {epoch}",
            lambda epoch=epoch: next(
                (one for one in trainings(study) if one.pid not in killed and one.epoch() >= min(epoch, 3)), None
            ),
        )
        os.kill(victim.pid, signal.SIGKILL)
        killed.add(victim.pid)
    assert snakemake.wait(900) == 0, study.said.read_text()
    study.assert_undisturbed(reference)
    assert (
        sum(run_files.read(folder.parent).metrics["timing"]["resumed"] for folder in study.store.glob("*/metrics.json"))
        > 0
    )
    TABLE.add("SIGKILL of four trainings under Snakemake", "each tried again, and went on from its checkpoint")


@pytest.mark.slow
def test_snakemake_killed_and_started_again_while_its_orphans_run(study, reference):
    """The orphans are held until their twins train, so that both surely write the same runs."""
    first = study.start("results/runs.csv")
    orphans = wait_for(
        "two trainings", lambda: [one for one in trainings(study) if one.epoch()][1:] and trainings(study)
    )
    first.kill()
    first.wait()
    for orphan in orphans:
        os.kill(orphan.pid, signal.SIGSTOP)
    study.snakemake("--unlock")
    second = study.start("results/runs.csv")
    mine = {orphan.pid for orphan in orphans}
    wait_for("their twins", lambda: _two([one for one in trainings(study) if one.pid not in mine]))
    for orphan in orphans:
        os.kill(orphan.pid, signal.SIGCONT)
    assert second.wait(900) == 0, study.said.read_text()
    wait_for("the orphans' end", lambda: not trainings(study))
    study.assert_undisturbed(reference)
    assert study.trained() == len(orphans)
    TABLE.add("Snakemake killed, unlocked and started again while its orphans trained", "twins: one of each pair won")


@pytest.mark.slow
def test_a_second_study_in_the_same_folder_is_turned_away(study, reference):
    first = study.start("results/runs.csv")
    wait_for("a training", lambda: trainings(study))
    second = study.snakemake("results/runs.csv", check=False)
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stdout
    assert "Traceback" not in second.stdout
    assert first.wait(900) == 0, study.said.read_text()
    study.assert_undisturbed(reference)
    TABLE.add("two studies started in one folder", "the second was turned away by the first one's lock")


@contextlib.contextmanager
def _small_disk(folder, megabytes):
    """A disk of its own for a folder, this small (a tmpfs); skips where it cannot be mounted."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "refashion-test", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root, where the system allows it")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _remount(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


@contextlib.contextmanager
def _filled(folder):
    """The disk of a folder, full to the last byte for the block."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass
    try:
        yield
    finally:
        filler.unlink()


@pytest.mark.slow
def test_a_disk_that_fills_while_training_loses_nothing(small_data, reference, tmp_path):
    """The whole folder, with Snakemake's own files: there is room for the data and one checkpoint, not for two."""
    with _small_disk(tmp_path / "disk", 20) as disk:
        study = SmallStudy(disk / "study", small_data, **LONG)
        done = study.snakemake("results/runs.csv", check=False)
        assert done.returncode != 0
        assert "No space left on device" in done.stdout + study.logs()
        assert not list(study.store.glob("*/metrics.json"))
        assert not list(study.store.glob("**/*.tmp-*"))
        _remount(disk, "size=100m")
        study.snakemake("results/runs.csv")
        study.assert_undisturbed(reference)
    TABLE.add("a disk that fills while training", "the runs failed with a sentence; with room, they went on")


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["collect", "report"])
def test_a_full_disk_during_the_tables_and_the_report_loses_nothing(finished, small_data, tmp_path, rule):
    with _small_disk(tmp_path / "disk", 200) as disk:
        shutil.copytree(finished, disk / "study", symlinks=True)
        study = SmallStudy(disk / "study", small_data, **LONG)
        before = _results(study)
        with _filled(disk):
            done = study.snakemake("--forcerun", rule, check=False)
            assert done.returncode != 0
            assert "No space left on device" in done.stdout + study.logs()
        study.snakemake()
        assert _results(study) == before
    TABLE.add(f"a full disk during {rule}", "the rule failed with a sentence; with room, the same tables and report")


@pytest.mark.slow
def test_a_read_only_folder_is_told_and_changes_nothing(finished, small_data, tmp_path):
    with _small_disk(tmp_path / "disk", 200) as disk:
        shutil.copytree(finished, disk / "study", symlinks=True)
        study = SmallStudy(disk / "study", small_data, **LONG)
        before = _results(study)
        command = study.command("--forcerun", "collect")  # writes its config while it can
        _remount(disk, "ro")
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=600)
        _remount(disk, "rw")
        assert done.returncode != 0
        assert "Read-only file system" in done.stdout + done.stderr
        assert _results(study) == before
        study.snakemake("--forcerun", "collect")
        assert _results(study) == before
    TABLE.add("a read-only results folder", "Snakemake stopped at once; writable again, all was as before")


@pytest.mark.slow
def test_a_data_file_cut_between_jobs_is_noticed(copied, small_data, tmp_path):
    data = copied.folder / "results" / "data" / "small.npz"
    before = {run: (copied.folder / run.folder / "history.csv").read_bytes() for run in copied.plan.runs()}
    os.truncate(data, data.stat().st_size // 2)
    copied.overlay["seeds"] = 3
    done = copied.snakemake("results/runs.csv", check=False)
    assert done.returncode != 0
    (log,) = (copied.folder / "logs" / "train").rglob("seed-2.log")
    sentence = log.read_text(encoding="utf-8").strip().splitlines()[-1]
    assert "small.npz is cut, damaged or no data file of this study (File is not a zip file)" in sentence
    assert "delete it and start snakemake again, which makes it anew" in sentence
    assert "Traceback" not in copied.logs()
    assert copied.trained() == 2
    data.unlink()
    copied.snakemake("results/runs.csv")
    assert copied.trained() == 3
    assert {run: (copied.folder / run.folder / "history.csv").read_bytes() for run in before} == before
    copied.assert_undisturbed(faults.undisturbed(copied, small_data))
    TABLE.add("the data file cut between jobs", f"the next job said: {sentence}")


@pytest.mark.slow
def test_a_run_file_cut_after_it_was_written_is_noticed(copied, reference):
    """In view it comes back from the store; in the store it is set aside and trained again."""
    first, second = copied.plan.runs()
    view = copied.folder / first.folder
    os.truncate(view / "history.csv", 100)
    done = copied.snakemake("results/runs.csv", "--forcerun", "collect", check=False)
    assert done.returncode != 0
    assert f"{first.folder}/history.csv has SHA-256" in done.stdout + copied.logs()
    shutil.rmtree(view)
    copied.snakemake("results/runs.csv")
    assert copied.trained_last() == 1  # the log of the other run, from the first time
    copied.assert_undisturbed(reference)
    broken = copied.store / digest(copied.plan.spec(second))
    os.truncate(broken / "predictions.npz", 100)
    shutil.rmtree(copied.folder / second.folder)
    copied.snakemake("results/runs.csv", "--forcerun", "collect")  # else nothing needs the view
    assert [path.name.startswith(f"{broken.name}.broken-") for path in copied.store.glob("*.broken-*")] == [True]
    copied.assert_undisturbed(reference)
    TABLE.add("a run's file cut after it was written", "named by its SHA-256; back from the store, or trained again")


@pytest.mark.slow
def test_files_with_times_in_the_future_train_nothing(copied, reference):
    """Store and config may be as young as they like; an input younger than what is made of it stops Snakemake."""
    results = copied.folder / "results"
    trained = {path: path.stat().st_ino for path in copied.store.iterdir()}
    views = {path: path.stat().st_mtime for path in results.glob("runs/**/*") if path.is_file()}
    before = _results(copied)
    tomorrow = time.time() + 86400
    _set_time(tomorrow, copied.folder / "overlay.yaml", *copied.store.glob("**/*"))
    copied.snakemake()
    assert {path: path.stat().st_mtime for path in views} == views  # nothing seemed old
    _set_time(tomorrow, *views, *results.glob("data/*"))
    done = copied.snakemake("results/runs.csv", check=False)
    assert done.returncode != 0
    assert "clock skew" in done.stdout
    _set_time(time.time(), *views, *results.glob("data/*"))
    copied.snakemake()
    assert {path: path.stat().st_ino for path in copied.store.iterdir()} == trained
    copied.assert_undisturbed(reference)
    assert _results(copied) == before
    TABLE.add("files with times in the future", "Snakemake named the clock; touched, all went on without training")


def _set_time(when, *paths):
    for path in paths:
        if path.is_file():
            os.utime(path, (when, when))


def _two(trainings_now):
    return trainings_now if len(trainings_now) == 2 else None


def _results(study):
    """The study's tables, and whether there is a report (which bears a date)."""
    results = study.folder / "results"
    tables = {
        name: (results / name).read_bytes() for name in ("runs.csv", "histories.csv.gz", "cells.csv", "claims.csv")
    }
    return tables | {"report.html": (results / "report.html").stat().st_size > 100_000}
