"""The four files of a data set out of a Debian package, without root."""

from __future__ import annotations

import os
import shutil
import subprocess  # for apt-get and dpkg-deb, never through a shell  # nosec B404
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from refashion.data import folders
from refashion.data.folders import Log, Order
from refashion.data.idx import IdxFile, Unusable

APT_MINUTES = 15


def read(package: str, folder: str, order: Order) -> dict[str, np.ndarray]:
    """The four files from a Debian package, without root. apt-get verifies the package by Debian's signature."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unusable(f"this machine has no {tool}")
    with tempfile.TemporaryDirectory(dir=order.work, ignore_cleanup_errors=True) as temporary:
        _unpack(_download_package(package, Path(temporary), order.log), folder, order.files, Path(temporary))
        return folders.read(Path(temporary), order)


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
    return next(folder.glob("*.deb"))


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


def _unpack(archive: Path, folder: str, files: Mapping[str, IdxFile], into: Path) -> None:
    """Copy the files wanted out of a Debian archive's folder, and nothing else, so that names and sizes are bounded."""
    limits = {name: file.packed_limit for file in files.values() for name in (file.name, f"{file.name}.gz")}
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603  # nosec B603
    try:
        with tarfile.open(fileobj=process.stdout, mode="r|") as members:
            for member in members:
                path = PurePosixPath(member.name)
                if path.parent != PurePosixPath(folder) or path.name not in limits or not member.isfile():
                    continue
                if member.size > limits[path.name]:
                    raise Unusable(f"its file {path} has {member.size:,} bytes, at most {limits[path.name]:,} expected")
                with (into / path.name).open("wb") as stream:
                    shutil.copyfileobj(members.extractfile(member), stream)
    except tarfile.TarError as error:
        raise Unusable(f"{archive.name} cannot be unpacked ({error})") from error
    finally:
        process.kill()
        process.communicate()
