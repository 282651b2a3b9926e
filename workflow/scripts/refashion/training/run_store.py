"""Finished runs and checkpoints, by digest. Everything is written beside its place and renamed into it.

    {store}/{digest}/metrics.json, history.csv, predictions.npz     a finished run; metrics.json has the others' SHA-256
    {store}/checkpoints/{digest}.npz                                 the state of an unfinished one
    {store}/derived/{digest}{suffix}                                 what else only TensorFlow can make

Twins (two jobs that train the same spec) need no lock: each writes a folder of its own, the first rename wins, and the
other throws its equal result away. A finished run is never overwritten.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from refashion import files
from refashion.errors import UserError, first_line
from refashion.study.model import digest

METRICS, HISTORY, PREDICTIONS = "metrics.json", "history.csv", "predictions.npz"
FILES = (METRICS, HISTORY, PREDICTIONS)

#: The layout of metrics.json; raised when a reader of the old one would misunderstand the new.
FORMAT = 1


class BrokenRunError(UserError):
    """A finished run whose files are not what they were when it was finished."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of an unfinished run: arrays by name, and progress (plain JSON types)."""

    arrays: dict[str, np.ndarray]
    progress: dict[str, Any]


def read_metrics(folder: Path) -> dict[str, Any]:
    """The checked metrics.json of a finished run in `folder`.

    Raises BrokenRunError, in one sentence, if a file is missing, empty or cut, if a digest differs, or if the spec is
    not the one that the digest names.
    """
    path = folder / METRICS
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        sums = {METRICS: None, **metrics["files"]}
        named, layout = metrics["digest"], metrics["format"]
        identity = digest(metrics["spec"])  # a ValueError if it holds NaN, which Python's JSON reads
    except FileNotFoundError:
        raise BrokenRunError(f"{path} is missing, so the run is not finished.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        size = path.stat().st_size if path.is_file() else 0
        raise BrokenRunError(f"{path} ({size} bytes) is not the metrics.json of a run: {first_line(error)}.") from None
    if layout != FORMAT:
        raise BrokenRunError(f"{path} has the format {layout}; this version reads format {FORMAT}.")
    if identity != named:
        raise BrokenRunError(f"{path} says digest {named}, but its spec has {identity}; it was edited.")
    if set(sums) != set(FILES):
        raise BrokenRunError(f"{path} lists the files {', '.join(sorted(sums))}; expected {', '.join(FILES)}.")
    for name in (HISTORY, PREDICTIONS):
        found = _sha256(folder / name)
        if found != sums[name]:
            raise BrokenRunError(f"{folder / name} has SHA-256 {found}; expected {sums[name]}.")
    return metrics


class RunStore:
    """The store in `folder`, which need not exist yet."""

    def __init__(self, folder: Path | str, log: Callable[[str], None] = print) -> None:
        self.folder = Path(folder)
        self.log = log

    def path(self, name: str) -> Path:
        """The folder of the finished run with this digest."""
        return self.folder / name

    def find(self, spec: Mapping[str, Any]) -> dict[str, Any] | None:
        """The metrics of a finished run, or None. A broken one is said in the log and set aside, never deleted."""
        folder = self.path(digest(spec))
        if not folder.exists():
            return None
        try:
            return read_metrics(folder)
        except BrokenRunError as error:
            with contextlib.suppress(FileNotFoundError):  # a twin may have set it aside first
                self.log(f"Set aside as {files.set_aside(folder).name} and train again: {error}")
            return None

    def publish(self, spec: Mapping[str, Any], metrics: dict[str, Any], history: str, predictions: dict) -> None:
        """Write a finished run. If a twin was faster, its run stays and this one goes.

        `metrics` lacks digest, spec, format and files, which are added here; `history` is CSV text; `predictions` maps
        names to uint8 arrays.
        """
        name = digest(spec)
        with self._finishing(name) as work:
            (work / HISTORY).write_text(history, encoding="utf-8")
            with open(work / PREDICTIONS, "wb") as file:
                np.savez_compressed(file, **predictions)
            sums = {part: _sha256(work / part) for part in (HISTORY, PREDICTIONS)}
            whole = {"format": FORMAT, "digest": name, "spec": spec, **metrics, "files": sums}
            text = json.dumps(whole, indent=1, sort_keys=True, allow_nan=False) + "\n"
            (work / METRICS).write_text(text, encoding="utf-8")
        self.drop_checkpoint(spec)

    def take(self, folder: Path) -> None:
        """Copy the finished run in `folder`, which the caller has checked. If a twin was faster, its run stays."""
        with self._finishing(folder.name) as work:
            for part in FILES:
                shutil.copyfile(folder / part, work / part)

    @contextlib.contextmanager
    def _finishing(self, name: str) -> Iterator[Path]:
        """A folder that becomes the finished run `name`, unless there is one by then."""
        try:
            with files.whole_folder(self.path(name)) as work:
                yield work
        except FileExistsError:
            self.log(f"{name} was finished by another job meanwhile; that run stays.")

    def export(self, spec: Mapping[str, Any], targets: Mapping[str, Path | str]) -> None:
        """Copy a finished run's files to `targets` (file name -> path), each as a whole."""
        for name, target in targets.items():
            files.copy(self.path(digest(spec)) / name, Path(target))

    def derived(self, key: Mapping[str, Any], suffix: str, make: Callable[[BinaryIO], object]) -> Path:
        """The file that `make` writes for this key; made only where the store does not have it yet.

        With it, a report can be rendered from a filled store on a machine without TensorFlow.
        """
        path = self.folder / "derived" / f"{digest(key)}{suffix}"
        if not path.exists():
            with files.whole_file(path) as stream:
                make(stream)
        return path

    # ------------------------------------------------------------------------------------------------------ checkpoints

    def checkpoint_path(self, spec: Mapping[str, Any]) -> Path:
        """Where the checkpoint of a spec lies."""
        return self.folder / "checkpoints" / f"{digest(spec)}.npz"

    def save_checkpoint(self, spec: Mapping[str, Any], checkpoint: Checkpoint) -> None:
        """Replace the checkpoint of a spec as a whole."""
        head = json.dumps(
            {"digest": digest(spec), "progress": checkpoint.progress, "sum": _digest_of(checkpoint.arrays)}
        )
        with files.whole_file(self.checkpoint_path(spec)) as stream:
            np.savez(stream, __head__=np.frombuffer(head.encode(), np.uint8), **checkpoint.arrays)

    def load_checkpoint(self, spec: Mapping[str, Any]) -> Checkpoint | None:
        """The checkpoint of a spec, or None. One that is cut or foreign is said in the log and discarded."""
        path = self.checkpoint_path(spec)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            head = json.loads(arrays.pop("__head__").tobytes())
            if head["digest"] != digest(spec):
                raise ValueError(f"it belongs to the run {head['digest']}")
            if head["sum"] != _digest_of(arrays):
                raise ValueError("its content is not what was saved")
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            self.log(f"Discarded the checkpoint {path.name}: {first_line(error)}.")
            self.drop_checkpoint(spec)
            return None
        return Checkpoint(arrays, head["progress"])

    def drop_checkpoint(self, spec: Mapping[str, Any]) -> None:
        """Remove the checkpoint of a spec, if there is one, and what killed jobs have left of it."""
        path = self.checkpoint_path(spec)
        path.unlink(missing_ok=True)
        files.sweep(path)


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BrokenRunError(f"{path} cannot be read: {error.strerror}.") from None


def _digest_of(arrays: Mapping[str, np.ndarray]) -> str:
    whole = hashlib.sha256()
    for name in sorted(arrays):
        whole.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        whole.update(np.ascontiguousarray(arrays[name]).view(np.uint8).data if arrays[name].size else b"")
    return whole.hexdigest()


def machines(metrics: Mapping[str, Any]) -> int:
    """On how many machines a run was trained. The first runs do not say; those that were resumed may have moved."""
    known = metrics["provenance"].get("machines")
    return known if known is not None else 1 + (metrics["timing"]["resumed"] > 0)
