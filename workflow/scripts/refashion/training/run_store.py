"""Finished runs and checkpoints, by digest. Everything is written beside its place and renamed into it.

    {store}/{digest}/                                a finished run: see `run_files`
    {store}/checkpoints/{digest}.npz                 the state of an unfinished one
    {store}/derived/{digest}.{SHA-256}{suffix}       what else only TensorFlow can make, by what it is made from

Twins (two jobs that train the same spec) need no lock: each writes a folder of its own, the first rename wins, and the
other throws its equal result away. A finished run is never overwritten. What is no run is set aside, never deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from refashion import files
from refashion.errors import UserError, first_line
from refashion.study.model import digest
from refashion.training import run_files
from refashion.training.run_files import FILES, FORMAT, HISTORY, METRICS, PREDICTIONS, BrokenRunError, RunFiles

#: Bytes that a derived file has at most, far above what the summaries and examples of any study have.
_DERIVED_LIMIT = 2**26
#: And a checkpoint: weights and slots of networks that are a hundred times the original's.
_CHECKPOINT_LIMIT = 2**32
#: What reading a damaged checkpoint may raise. RuntimeError: of an archive that seems encrypted.
_NO_CHECKPOINT = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


#: The state of an unfinished run: arrays by name, and progress (plain JSON types).
Checkpoint = tuple[dict[str, np.ndarray], dict[str, Any]]


class RunStore:
    """The store in `folder`, which need not exist yet. What is derived lies in it, or in a folder of its own."""

    def __init__(
        self, folder: Path | str, log: Callable[[str], None] = print, derived_folder: Path | None = None
    ) -> None:
        self.folder = Path(folder)
        self.derived_folder = derived_folder or self.folder / "derived"
        self.log = log

    def path(self, name: str) -> Path:
        """The folder of the finished run with this digest."""
        return self.folder / name

    def has(self, name: str) -> bool:
        """Whether something is there that says it is the finished run with this digest."""
        return os.path.lexists(self.path(name) / METRICS)

    def names(self) -> list[str]:
        """The digests of the finished runs, in order; `read` tells whether they are what their folders say."""
        try:
            return sorted(path.name for path in self.folder.iterdir() if self.has(path.name) and "." not in path.name)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, name: str) -> RunFiles:
        """A finished run. Raises BrokenRunError for one that is not whole or contradicts itself."""
        return run_files.read(self.path(name), name)

    def whole(self, name: str) -> RunFiles | None:
        """The finished run with this digest, or None. What lies there and is no run is said and set aside."""
        folder = self.path(name)
        if not os.path.lexists(folder):
            return None
        try:
            return self.read(name)
        except BrokenRunError as error:
            self._set_aside(folder, error)
            return None

    def _set_aside(self, path: Path, reason: Exception | str) -> None:
        with contextlib.suppress(FileNotFoundError):  # a twin may have set it aside first
            self.log(f"Set aside as {files.set_aside(path).name}: {reason}")

    def publish(self, spec: Mapping[str, Any], metrics: dict[str, Any], history: str, predictions: dict) -> None:
        """Write a finished run. If a twin was faster, its run stays and this one goes.

        `metrics` lacks digest, spec, format and files, which are added here; `history` is CSV text; `predictions` maps
        names to uint8 arrays. Raises BrokenRunError if they contradict one another.
        """
        name = digest(spec)
        arrays = io.BytesIO()
        np.savez_compressed(arrays, **predictions)
        parts = {HISTORY: history.encode(), PREDICTIONS: arrays.getvalue()}
        sums = {part: hashlib.sha256(content).hexdigest() for part, content in parts.items()}
        whole = {"format": FORMAT, "digest": name, "spec": spec, **metrics, "files": sums}
        text = json.dumps(whole, indent=1, sort_keys=True, allow_nan=False) + "\n"
        self._write(name, {**parts, METRICS: text.encode()})
        self.drop_checkpoint(name)

    def take(self, name: str, source: RunStore) -> bool:
        """Copy a finished run from another store, once it is known to be whole; False where it was here already.

        If a twin is faster, its run stays.
        """
        source.read(name)  # told, whatever is here
        if self.whole(name):
            return False
        self._write(name, {part: (source.path(name) / part).read_bytes() for part in FILES})
        return True

    def _write(self, name: str, parts: Mapping[str, bytes]) -> None:
        try:
            if self.whole(name):
                raise FileExistsError
            with files.whole_folder(self.path(name)) as work:
                for part, content in parts.items():
                    (work / part).write_bytes(content)
                run_files.read(work, name)
        except FileExistsError:
            self.log(f"{name} was finished by another job meanwhile; that run stays.")
        files.sweep(self.path(name))

    # ---------------------------------------------------------------------------------------------------------- derived

    def derived(self, key: Mapping[str, Any], suffix: str, make: Callable[[BinaryIO], object]) -> Path:
        """The file that `make` writes for this key; made only where the store does not have it whole.

        With it, a report can be rendered from a filled store on a machine without TensorFlow. Its name has the SHA-256
        of its content; one that was damaged is said in the log and set aside.
        """
        for path in sorted(self.derived_folder.glob(f"{digest(key)}.*{suffix}")):
            if self._whole_derived(path):
                return path
        content = io.BytesIO()
        make(content)
        sha256 = hashlib.sha256(content.getvalue()).hexdigest()
        path = self.derived_folder / f"{digest(key)}.{sha256}{suffix}"
        with files.whole_file(path) as stream:
            stream.write(content.getvalue())
        return path

    def derived_files(self) -> list[Path]:
        """What the store has derived, in the order of the names."""
        unfit = (".tmp-", ".broken-")
        return sorted(path for path in self.derived_folder.glob("*") if not any(mark in path.name for mark in unfit))

    def take_derived(self, path: Path) -> None:
        """Copy a derived file from another store, unless it is here. Raises UserError if it is damaged."""
        content, target = read_derived(path), self.derived_folder / path.name
        if not self._whole_derived(target):
            with files.whole_file(target) as stream:
                stream.write(content)

    def _whole_derived(self, path: Path) -> bool:
        if not os.path.lexists(path):
            return False
        try:
            read_derived(path)
        except UserError as error:
            self._set_aside(path, error)
            return False
        return True

    # ------------------------------------------------------------------------------------------------------ checkpoints

    def checkpoint_path(self, name: str) -> Path:
        """Where the checkpoint of the run with this digest lies."""
        return self.folder / "checkpoints" / f"{name}.npz"

    def save_checkpoint(self, name: str, arrays: dict[str, Any], progress: Mapping[str, Any]) -> None:
        """Replace the checkpoint of a run as a whole."""
        head = json.dumps({"digest": name, "progress": progress})
        with files.whole_file(self.checkpoint_path(name)) as stream:
            np.savez(stream, __head__=np.frombuffer(head.encode(), np.uint8), **arrays)

    def load_checkpoint(self, name: str) -> Checkpoint | None:
        """The checkpoint of a run, or None. What lies there and is none, or another run's, is said and set aside."""
        try:
            content = files.read_plain(self.checkpoint_path(name), _CHECKPOINT_LIMIT)
            with np.lib.npyio.NpzFile(io.BytesIO(content)) as file:
                arrays = {key: file[key] for key in file.files}
            head = json.loads(arrays.pop("__head__").tobytes())
            if head["digest"] != name:
                raise ValueError(f"it belongs to the run {head['digest']}")
            return arrays, head["progress"]
        except FileNotFoundError:
            return None
        except _NO_CHECKPOINT as error:
            self.set_checkpoint_aside(name, first_line(error))
            return None

    def set_checkpoint_aside(self, name: str, reason: str) -> None:
        """Rename the checkpoint of a run, which cannot be used here, and say why, in half a sentence."""
        path = self.checkpoint_path(name)
        self._set_aside(path, f"the checkpoint {path.name} ({reason}).")

    def drop_checkpoint(self, name: str) -> None:
        """Remove the checkpoint of a run, if there is one, and what killed jobs have left of it."""
        path = self.checkpoint_path(name)
        path.unlink(missing_ok=True)
        files.sweep(path)


def published_in(folder: Path, log: Callable[[str], None] = print) -> RunStore:
    """The store that a folder of published runs is: published/runs/{digest}/ and published/derived/."""
    return RunStore(folder / "runs", log, folder / "derived")


def read_derived(path: Path) -> bytes:
    """A derived file. Raises UserError, in one sentence, if it is not the plain file whose SHA-256 its name has."""
    expected = path.name.split(".")[1] if path.name.count(".") > 1 else ""
    try:
        content = files.read_plain(path, _DERIVED_LIMIT)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UserError(f"{path} {error}.") from None
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise UserError(f"{path} has SHA-256 {found}; expected {expected or 'it in the name'}.")
    return content
