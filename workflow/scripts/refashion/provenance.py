"""Where a run or a report comes from: versions, hardware, commit. No host name, no path, nothing secret."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from refashion import __version__
from refashion.project import PROJECT


def versions(*packages: str) -> dict[str, str | None]:
    """The installed version of each package, None where it is not installed. Nothing is imported."""
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def commit() -> dict[str, Any]:
    """The project's commit and whether tracked files differ from it; None where Git cannot say.

    It counts only where this project is the top of the checkout and its Snakefile is tracked: unpacked inside another
    repository, it has no commit.
    """
    top = _git("rev-parse", "--show-toplevel")
    is_ours = top is not None and Path(top) == PROJECT and _git("ls-files", "--error-unmatch", "Snakefile") is not None
    revision = _git("rev-parse", "HEAD") if is_ours else None
    changes = None if revision is None else _git("status", "--porcelain", "--untracked-files=no")
    return {"commit": revision, "dirty": None if changes is None else bool(changes)}


def machine() -> dict[str, Any]:
    """The processor's name, cores that this process may use, memory in GiB, operating system and Python."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def collect() -> dict[str, Any]:
    """Machine, commit and the version of this project together."""
    return {"refashion": __version__, **commit(), **machine()}


def digest(folders: Iterable[Path]) -> str:
    """The SHA-256 of what lies in folders, hidden files and bytecode aside: names and bytes, in order of the names."""
    whole = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            inner = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in inner.parts):
                whole.update(f"{inner.as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return whole.hexdigest()


def _git(*arguments: str) -> str | None:
    """What Git answers, None if it does not. Variables of other repositories (a hook sets GIT_DIR) are none of ours."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(PROJECT), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=20,
            env=environment | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if "dubious ownership" in done.stderr:
        print(f"No commit is recorded: {PROJECT} is another user's checkout, of which Git says nothing.")
    return None if done.returncode else done.stdout.strip()


def _cpu_name() -> str:
    """The processor's name as Linux tells it, with family, model and widest vector unit where the name says little."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    flags = facts.get("flags", "").split()
    vector = next((unit for unit in ("avx512f", "avx2", "avx") if unit in flags), "no AVX")
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')}, {vector})"
