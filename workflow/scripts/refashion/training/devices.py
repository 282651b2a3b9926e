"""Which device a job may use, decided without TensorFlow."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from refashion.errors import UserError

#: Seconds that nvidia-smi may take to list the GPUs.
PATIENCE = 10


def visible_gpus() -> tuple[str, ...]:
    """The GPUs of this machine that a job may use, as CUDA_VISIBLE_DEVICES writes them.

    A preset CUDA_VISIBLE_DEVICES is the answer, up to the first entry that is none, as CUDA reads it; else
    `nvidia-smi -L` is asked. No driver, no GPU; one that does not answer is told on stderr.
    """
    preset = os.environ.get("CUDA_VISIBLE_DEVICES")
    if preset is not None:
        entries = (part.strip() for part in preset.split(","))
        return tuple(itertools.takewhile(lambda entry: entry not in ("", "-1", "NoDevFiles"), entries))
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        asked = subprocess.Popen(  # noqa: S603
            [program, "-L"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        found, _ = asked.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        asked.kill()  # and not waited for: where a driver hangs, this may not end it
        print(f"nvidia-smi did not answer in {PATIENCE} s, so no GPU is used.", file=sys.stderr)
        return ()
    except OSError:
        return ()
    if asked.returncode:
        print(f"nvidia-smi failed (exit code {asked.returncode}), so no GPU is used.", file=sys.stderr)
        return ()
    return tuple(re.findall(r"^GPU (\d+):", found, re.MULTILINE))  # parts of a GPU (MIG) are lines of their own


def usable_gpus() -> tuple[str, ...]:
    """The visible GPUs, where this environment has TensorFlow's build for them; none where it has that for CPUs."""
    try:
        metadata.version("tensorflow")
    except metadata.PackageNotFoundError:  # tensorflow-cpu, or none here and envs/conda.yaml's for the jobs
        return ()
    return visible_gpus()


def wanted(device: str, gpus_given: int) -> str:
    """What a job trains on: "gpu" or "cpu". `device` is the config's; `gpus_given` is what Snakemake granted."""
    if device == "auto":
        return "gpu" if gpus_given else "cpu"
    return device


@contextlib.contextmanager
def one_gpu() -> Iterator[str]:
    """Reserve one visible GPU of this machine for the block, and make it the only visible one.

    Concurrent jobs land on different GPUs as long as there are enough; a job beyond that shares the last one. Two jobs
    of a cluster may see different GPUs under one number, so each of these has locks of its own. The reservation is a
    lock on a file, which the system drops when the process ends, however it ends.
    """
    gpus = visible_gpus()
    if not gpus:
        raise UserError(
            "This job was given a GPU and the machine shows none (nvidia-smi, CUDA_VISIBLE_DEVICES); "
            "run on a machine with one, or set device: cpu in the config."
        )
    preset, job = os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ.get("SLURM_JOB_ID")
    with contextlib.ExitStack() as stack:
        chosen = gpus[-1]
        for gpu in gpus:
            path = _lock_folder() / f"gpu-{f'{job}-' if job else ''}{gpu.replace('/', '_')}.lock"
            lock = stack.enter_context(open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "rb"))
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                chosen = gpu
                break
        os.environ["CUDA_VISIBLE_DEVICES"] = chosen
        try:
            yield chosen
        finally:
            if preset is None:
                os.environ.pop("CUDA_VISIBLE_DEVICES", None)
            else:
                os.environ["CUDA_VISIBLE_DEVICES"] = preset


def _lock_folder() -> Path:
    """A folder in the machine's temporary one that is this user's alone, so that nobody can lay links there."""
    folder = Path(tempfile.gettempdir()) / f"refashion-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise UserError(f"{folder} must be a folder of yours that nobody else may write to; remove it, or set TMPDIR.")
    return folder
