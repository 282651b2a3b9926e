"""Which device a job gets, decided without TensorFlow; `nvidia-smi` is a stand-in, since few machines have one."""

from __future__ import annotations

import os

import pytest

from refashion.errors import UserError
from refashion.training import devices


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: x)'\necho 'GPU 1: A (UUID: y)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_the_driver_tells_which_gpus_there_are_and_their_parts_are_none(two_gpus, tmp_path):
    """`nvidia-smi -L` lists the instances of a GPU (MIG) in lines of their own."""
    lines = ["GPU 0: A (UUID: x)", "  MIG 1g.5gb Device 0: (UUID: p)", "GPU 1: A (UUID: y)"]
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    assert devices.visible_gpus() == ("0", "1")


@pytest.mark.parametrize(
    ("preset", "expected"), [("1", ("1",)), ("", ()), ("-1", ()), ("0,-1,1", ("0",)), ("GPU-ab, 3", ("GPU-ab", "3"))]
)
def test_a_preset_choice_is_respected(two_gpus, monkeypatch, preset, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", preset)
    assert devices.visible_gpus() == expected


def test_no_driver_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert devices.visible_gpus() == ()


def test_a_driver_that_hangs_stops_nobody(two_gpus, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(devices, "PATIENCE", 0.2)
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexec sleep 600\n")
    started = []
    popen = devices.subprocess.Popen
    monkeypatch.setattr(devices.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[0])
    assert devices.visible_gpus() == ()
    assert started[0].wait() == -9
    assert "nvidia-smi did not answer" in capsys.readouterr().err


def test_a_driver_that_fails_shows_no_gpu_and_says_so(two_gpus, tmp_path, capsys):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'GPU 0: A'\nexit 9\n")
    assert devices.visible_gpus() == ()
    assert capsys.readouterr().err == "nvidia-smi failed (exit code 9), so no GPU is used.\n"


@pytest.mark.parametrize("build", ["tensorflow", "tensorflow-cpu", None])
def test_gpus_are_of_use_to_tensorflows_build_for_them(two_gpus, monkeypatch, build):
    def version(name):
        if name != build:
            raise devices.metadata.PackageNotFoundError(name)
        return "2.21.0"

    monkeypatch.setattr(devices.metadata, "version", version)
    assert devices.usable_gpus() == (("0", "1") if build == "tensorflow" else ())


def test_two_jobs_of_a_cluster_do_not_share_locks(two_gpus, monkeypatch):
    """Each may see other GPUs under the same numbers."""
    with devices.one_gpu() as first:
        os.environ["CUDA_VISIBLE_DEVICES"] = "0,1"  # the other job's; the first one's end takes it away again
        monkeypatch.setenv("SLURM_JOB_ID", "17")
        with devices.one_gpu() as other:
            assert (first, other) == ("0", "0")
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_a_lock_follows_no_link_and_cuts_no_file(two_gpus, tmp_path):
    """A file that the lock's name leads to, laid there by somebody else, stays as it is."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    with devices.one_gpu():
        (folder,) = tmp_path.glob(f"refashion-{os.getuid()}")
    assert folder.stat().st_mode & 0o777 == 0o700
    lock = folder / "gpu-0.lock"
    lock.unlink()
    lock.symlink_to(victim)
    with pytest.raises(OSError, match=r"gpu-0\.lock"), devices.one_gpu():
        pass
    assert victim.read_text() == "precious"


def test_a_folder_that_others_may_write_to_is_no_place_for_locks(two_gpus, tmp_path):
    (tmp_path / f"refashion-{os.getuid()}").mkdir()
    (tmp_path / f"refashion-{os.getuid()}").chmod(0o777)
    with pytest.raises(UserError, match="must be a folder of yours that nobody else may write to"), devices.one_gpu():
        pass


def test_concurrent_jobs_get_different_gpus_and_give_them_back(two_gpus):
    with devices.one_gpu() as first, _other_job() as second:
        assert (first, second) == ("0", "1")
    with devices.one_gpu() as again:
        assert again == "0"
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def _other_job():
    """Another job starts with its own environment, not with the first one's choice."""
    os.environ.pop("CUDA_VISIBLE_DEVICES")
    return devices.one_gpu()


def test_a_job_that_was_given_a_gpu_and_finds_none_says_so(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match="given a GPU and the machine shows none"), devices.one_gpu():
        pass


@pytest.mark.parametrize(
    ("device", "given", "expected"),
    [("auto", 0, "cpu"), ("auto", 1, "gpu"), ("cpu", 1, "cpu"), ("gpu", 0, "gpu"), ("gpu", 1, "gpu")],
)
def test_what_a_job_trains_on(device, given, expected):
    assert devices.wanted(device, given) == expected
