"""Which device a job may use, decided without TensorFlow."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from refashion.errors import UserError


def visible_gpus() -> tuple[str, ...]:
    """The GPUs of this machine that a job may use, as CUDA_VISIBLE_DEVICES writes them.

    A preset CUDA_VISIBLE_DEVICES is the answer; else `nvidia-smi -L` is asked. No driver, no GPU.
    """
    preset = os.environ.get("CUDA_VISIBLE_DEVICES")
    if preset is not None:
        return tuple(part.strip() for part in preset.split(",") if part.strip() not in ("", "-1", "NoDevFiles"))
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        found = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(re.findall(r"^GPU (\d+):", found.stdout, re.MULTILINE))  # parts of a GPU (MIG) are lines of their own


def wanted(device: str, gpus_given: int) -> str:
    """What a job trains on: "gpu" or "cpu". `device` is the config's; `gpus_given` is what Snakemake granted."""
    if device == "auto":
        return "gpu" if gpus_given else "cpu"
    return device


@contextlib.contextmanager
def one_gpu() -> Iterator[str]:
    """Reserve one visible GPU of this machine for the block, and make it the only visible one.

    Concurrent jobs land on different GPUs as long as there are enough; a job beyond that shares the last one. The
    reservation is a lock on a file, which the system drops when the process ends, however it ends.
    """
    gpus = visible_gpus()
    if not gpus:
        raise UserError(
            "This job was given a GPU and the machine shows none (nvidia-smi, CUDA_VISIBLE_DEVICES); "
            "run on a machine with one, or set device: cpu in the config."
        )
    preset = os.environ.get("CUDA_VISIBLE_DEVICES")
    with contextlib.ExitStack() as stack:
        chosen = gpus[-1]
        for gpu in gpus:
            path = Path(tempfile.gettempdir()) / f"refashion-{os.getuid()}-gpu-{gpu.replace('/', '_')}.lock"
            lock = stack.enter_context(open(path, "w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
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
