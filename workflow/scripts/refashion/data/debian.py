"""The four files of a data set out of a Debian package, without root."""

from __future__ import annotations

import os
import shutil
import subprocess  # for apt-get and dpkg-deb, never through a shell  # nosec B404
import tempfile
from pathlib import Path

import numpy as np

from refashion.data import folders
from refashion.data.folders import Log, Order
from refashion.data.idx import Unusable

APT_MINUTES = 15


def read(package: str, folder: str, order: Order) -> dict[str, np.ndarray]:
    """The four files from a Debian package, without root. apt-get verifies the package by Debian's signature."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unusable(f"this machine has no {tool}")
    with tempfile.TemporaryDirectory(dir=order.work, ignore_cleanup_errors=True) as temporary:
        archive, tree = _download_package(package, Path(temporary), order.log), Path(temporary) / "tree"
        failure = _run(["dpkg-deb", "-x", str(archive), str(tree)], Path(temporary))
        if failure:
            raise Unusable(f"{archive.name} cannot be unpacked ({failure})")
        return folders.read(tree / folder, order)


def _download_package(package: str, folder: Path, log: Log) -> Path:
    """Fetch a package's archive into an empty folder; where the machine has no package lists, with lists of our own."""
    folder = folder.resolve()
    options = ["-q", "-o", "Acquire::Retries=3", "-o", "Acquire::http::Timeout=30"]
    failure = _run(["apt-get", *options, "download", "--", package], folder)
    if failure:
        log(f"apt-get download {package}: {failure}; once more, with fresh package lists")
        for own in ("lists", "cache"):
            (folder / own).mkdir()
        options += ["-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache"]
        options += ["-o", "APT::Sandbox::User="]  # run by root, apt would take a user who cannot write here
        failure = _run(["apt-get", *options, "update"], folder)
        failure = failure or _run(["apt-get", *options, "download", "--", package], folder)
    if failure:
        raise Unusable(f"apt-get cannot download it ({failure})")
    archive = next(folder.glob("*.deb"), None)
    if archive is None:
        raise Unusable("apt-get says that it has downloaded it, and left no file")
    return archive


def _run(command: list[str], folder: Path) -> str:
    """Run a command; returns an empty string, or if it failed the last line of its complaint."""
    try:
        done = subprocess.run(  # noqa: S603 (a list, no shell)  # nosec B603
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60 * APT_MINUTES,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done in {APT_MINUTES} minutes"
    complaint = done.stderr.strip() or f"exit code {done.returncode}"
    return complaint.splitlines()[-1] if done.returncode else ""
