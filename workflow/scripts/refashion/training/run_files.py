"""The three files of a finished run: read within bounds, and held against one another, the spec and the data's labels.

    metrics.json      spec, final numbers, timings, provenance, and the SHA-256 of the other two
    history.csv       an epoch a row, columns HISTORY_COLUMNS
    predictions.npz   the predicted class of every validation image (validated: augmented as the training images; clean:
                      not augmented), and its label: uint8 [images] each; a run that diverged has labels alone

Runs are passed on from machine to machine, so nothing in them is believed: each is read here, by all who read one.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from refashion import files, kinds
from refashion.data import idx
from refashion.errors import UserError, first_line
from refashion.kinds import Kind, one_of, whole
from refashion.networks import architectures, augmentation
from refashion.study.model import FOLD, NUMERICS, digest, images_seen, steps_per_epoch

METRICS, HISTORY, PREDICTIONS = "metrics.json", "history.csv", "predictions.npz"
FILES = (METRICS, HISTORY, PREDICTIONS)

#: The layout of metrics.json; raised when a reader of the old one would misunderstand the new.
FORMAT = 1

FINISHED, DIVERGED = "finished", "diverged"

#: The columns of history.csv. Accuracies are fractions; a and b are the images in even and in odd places.
HISTORY_COLUMNS = (
    "epoch",
    "updates",
    "loss",
    "accuracy",
    *(f"{part}_{name}" for part in ("val", "clean") for name in ("loss", "accuracy", "accuracy_a", "accuracy_b")),
)

#: The "final" of metrics.json: those of the last epoch, and eval_*, on the training images without augmentation.
FINAL = ("loss", "accuracy", "eval_loss", "eval_accuracy", "val_loss", "val_accuracy", "clean_loss", "clean_accuracy")

#: Predictions in the file -> their columns in the history.
_PARTS = {"validated": "val", "clean": "clean"}

#: Bytes of a file, and of an array within predictions.npz: enough for millions of images and for 50,000 epochs.
LIMITS = {METRICS: 2**20, HISTORY: 2**24, PREDICTIONS: 2**24}
_ARRAY_LIMIT = 2**24

#: How NumPy's format 1.0 begins an array uint8 [images]. Not read by NumPy, which evaluates whatever stands there.
_ARRAY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '\|u1', 'fortran_order': (?:False|True), 'shape': \((\d{1,8}),\), \} *\n",
    re.DOTALL,
)

#: Validation labels, uint8 [images], by the SHA-256 of the label file that they come from and the kind of validation.
Labels = Mapping[tuple[str, str], np.ndarray]


class BrokenRunError(UserError):
    """A finished run whose files are not what they were when it was finished, or not a run's."""


class _Wrong(Exception):  # noqa: N818 (half a sentence about a file, never seen outside)
    """What is wrong with a file: the rest of a sentence that begins with its path."""


@dataclass(frozen=True, eq=False)
class RunFiles:
    """A checked run. history: float64 [epochs, columns]; predictions: uint8 [images] by name, as in the file."""

    metrics: dict[str, Any]
    history: np.ndarray
    predictions: dict[str, np.ndarray]

    def column(self, name: str) -> np.ndarray:
        """A column of the history, [epochs]."""
        return self.history[:, HISTORY_COLUMNS.index(name)]


def read(folder: Path, name: str | None = None, labels: Labels | None = None) -> RunFiles:
    """The run in a folder; `name` is the digest that it must have.

    labels: those that are known; of a data set that is not among them, test labels are still held against the spec's
    SHA-256. Raises BrokenRunError, in one sentence, for anything that is missing, damaged, unbounded or contradictory.
    """
    with _about(folder):
        if folder.is_symlink():
            raise _Wrong("is a link, where a folder is wanted")
    with _about(folder / METRICS):
        metrics = _metrics(_bytes(folder / METRICS), name)
    with _about(folder / HISTORY):
        history = _history(_bytes(folder / HISTORY, metrics), metrics)
    with _about(folder / PREDICTIONS):
        predictions = _predictions(_bytes(folder / PREDICTIONS, metrics), metrics, labels or {})
    found = RunFiles(metrics, history, predictions)
    if metrics["status"] == FINISHED:
        with _about(folder / METRICS):
            _check_ends(found)
        with _about(folder / HISTORY):
            _check_shares(found)
    return found


def machines(metrics: Mapping[str, Any]) -> int:
    """On how many machines a run was trained. The first runs do not say; those that were resumed may have moved."""
    known = metrics["provenance"].get("machines")
    return known if known is not None else 1 + (metrics["timing"]["resumed"] > 0)


@contextlib.contextmanager
def _about(path: Path) -> Iterator[None]:
    """Turns what goes wrong in a block into one sentence about a file."""
    try:
        yield
    except FileNotFoundError:
        raise BrokenRunError(f"{path} is missing, so the run is not finished.") from None
    except OSError as error:
        raise BrokenRunError(f"{path} cannot be read: {error.strerror or first_line(error)}.") from None
    except _Wrong as error:
        raise BrokenRunError(f"{path} {error}.") from None


def _bytes(path: Path, metrics: Mapping[str, Any] | None = None) -> bytes:
    """What a file holds, if that is what `metrics` says."""
    try:
        content = files.read_plain(path, LIMITS[path.name])
    except ValueError as error:
        raise _Wrong(str(error)) from None
    if metrics:
        found, expected = hashlib.sha256(content).hexdigest(), metrics["files"][path.name]
        if found != expected:
            raise _Wrong(f"has SHA-256 {found}; expected {expected}")
    return content


# -------------------------------------------------------------------------------------------------------- metrics.json


def _metrics(content: bytes, name: str | None) -> dict[str, Any]:
    """The metrics.json, each value of its kind, and what follows from the spec as it must be."""
    metrics = _json(content)
    _check_identity(metrics, name)
    _check(metrics, _METRICS, "")
    _check_plan(metrics)
    return metrics


def _json(content: bytes) -> dict[str, Any]:
    def refuse(number: str) -> None:
        raise ValueError(f"{number} is no number of JSON")

    try:
        found = json.loads(content, parse_constant=refuse)
        if not isinstance(found, dict):
            raise ValueError("it holds no table")
    except (ValueError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else first_line(error)
        raise _Wrong(f"({len(content)} bytes) is not the metrics.json of a run: {reason}") from None
    return found


def _check_identity(metrics: Mapping[str, Any], name: str | None) -> None:
    """Whether this is the run `name`, of a layout and under `numerics` that this version knows."""
    if metrics.get("format") != FORMAT:
        raise _Wrong(f"has the format {_short(metrics.get('format'))}; this version reads format {FORMAT}")
    _check(metrics.get("spec"), {}, "spec")
    spec = metrics["spec"]
    try:
        identity = digest(spec)
    except (ValueError, RecursionError) as error:  # infinity (1e999) or too deep
        raise _Wrong(f"has a spec that no run has: {first_line(error)}") from None
    if identity != metrics.get("digest"):
        raise _Wrong(f"says digest {_short(metrics.get('digest'))}, but its spec has {identity}; it was edited")
    if name not in (None, identity):
        raise _Wrong(f"has the digest {identity}, expected {name}: it is another run")
    if spec.get("numerics") != NUMERICS:
        raise _Wrong(
            f"was made under numerics {_short(spec.get('numerics'))} and this version has {NUMERICS}: the same spec "
            "gives other numbers now, so its runs cannot be mixed with new ones; use the version that made it"
        )


_NUMBER, _SHARE = kinds.number(0), kinds.number(0, 1)
_TEXT = Kind(
    "a short text of printable characters",
    lambda value: isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable(),
)
_SHA256 = Kind("a SHA-256", lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value)))

#: What is in every metrics.json; there may be more.
_METRICS = {
    "status": one_of(FINISHED, DIVERGED),
    "diverged_epoch": whole(1) | None,
    "epochs": whole(0),
    "updates": whole(0),
    "steps_per_epoch": whole(1),
    "final": {name: (_SHARE if name.endswith("accuracy") else _NUMBER) | None for name in FINAL},
    "files": dict.fromkeys((HISTORY, PREDICTIONS), _SHA256),
    "spec": {
        "seed": whole(0),
        "dataset": {
            "classes": whole(1, 256),
            **{f"{part}_{kind}": _SHA256 for part in ("train", "test") for kind in ("images", "labels")},
        },
        "fraction": {"images": whole(1), "validation": one_of("test", FOLD)},
        "architecture": {"builder": _TEXT},
        "augmentation": {},
        "recipe": {"batch_size": whole(1), "updates": whole(1), "precision": _TEXT, "schedule": _TEXT},
    },
    "timing": {
        "started": _TEXT,
        "resumed": whole(0),
        **dict.fromkeys(("seconds", "train_seconds", "eval_seconds", "setup_seconds", "images_per_second"), _NUMBER),
    },
    "provenance": {
        "device": one_of("cpu", "gpu"),
        "threads": whole(1),
        "cores": whole(1) | None,
        "machines": whole(1) | None,  # the first runs do not say
        "commit": _TEXT | None,
        "dirty": kinds.YES_OR_NO | None,
        **dict.fromkeys(("device_name", "cpu", "platform", "precision"), _TEXT),
        **dict.fromkeys(("tensorflow", "keras", "numpy", "python"), _TEXT),
    },
}


def _check(value: Any, wanted: Kind | Mapping[str, Any], where: str) -> None:
    """Whether a value, and all that is wanted in it, is of its kind."""
    if isinstance(wanted, Kind):
        if not wanted.accepts(value):
            raise _Wrong(f"has {where} {_short(value)}; allowed is {wanted.words}")
        return
    if not isinstance(value, dict):
        raise _Wrong(f"has {where} {_short(value)}; allowed is a table")
    for key, part in wanted.items():
        _check(value.get(key), part, f"{where}.{key}" if where else key)


def _check_plan(metrics: Mapping[str, Any]) -> None:
    """What follows from the spec: which numbers there are, and how many epochs and updates."""
    spec, recipe = metrics["spec"], metrics["spec"]["recipe"]
    try:
        architectures.check(spec["architecture"], "has spec.architecture")
        augmentation.check(spec["augmentation"], "has spec.augmentation")
    except (UserError, TypeError) as error:
        raise _Wrong(first_line(error)) from None
    if set(metrics["final"]) != set(FINAL):
        raise _Wrong(f"has in final {', '.join(sorted(metrics['final']))}; expected {', '.join(sorted(FINAL))}")
    steps = steps_per_epoch(spec["fraction"]["images"], recipe["batch_size"])
    _agree("steps_per_epoch", metrics["steps_per_epoch"], steps, "the spec")
    epochs = steps_per_epoch(recipe["updates"], steps)
    _agree("provenance.precision", metrics["provenance"]["precision"], recipe["precision"], "the spec")
    if metrics["status"] == FINISHED:
        _agree("epochs", metrics["epochs"], epochs, "the spec")
        _agree("updates", metrics["updates"], recipe["updates"], "the spec")
        _agree("diverged_epoch", metrics["diverged_epoch"], None, "the status finished")
        _check_speed(metrics)
    else:
        _agree("diverged_epoch", metrics["diverged_epoch"], metrics["epochs"] + 1, "its number of epochs")
        _agree("updates", metrics["updates"], metrics["epochs"] * steps, "its number of epochs")
        if metrics["diverged_epoch"] > epochs:
            raise _Wrong(f"has diverged_epoch {metrics['diverged_epoch']}, but the spec ends after {epochs}")
    for name, value in metrics["final"].items():
        if (value is None) is (metrics["status"] == FINISHED):
            raise _Wrong(f"has final.{name} {_short(value)}, which no run has whose status is {metrics['status']}")


def _check_speed(metrics: Mapping[str, Any]) -> None:
    """Whether the images of all epochs, and the seconds for them, give the speed, and the parts of the time fit in."""
    timing, spec = metrics["timing"], metrics["spec"]
    seen = images_seen(spec["fraction"]["images"], spec["recipe"]["batch_size"], metrics["updates"])
    if not math.isclose(float(timing["images_per_second"]) * timing["train_seconds"], seen, rel_tol=1e-6):
        speed = f"{timing['images_per_second']:.6g} in {timing['train_seconds']:.6g} s"
        raise _Wrong(f"has timing.images_per_second {speed}, but {seen} images were seen; it was edited")
    if timing["train_seconds"] + timing["eval_seconds"] > timing["seconds"]:
        raise _Wrong(f"has timing.seconds {timing['seconds']:.6g}, less than its parts; it was edited")


def _agree(what: str, found: Any, expected: Any, source: str) -> None:
    if found != expected:
        raise _Wrong(f"has {what} {_short(found)}, but {source} gives {_short(expected)}; it was edited")


def _short(value: Any) -> str:
    """A value as JSON has it, in one line and cut where it is long."""
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."


# --------------------------------------------------------------------------------------------------------- history.csv


def _history(content: bytes, metrics: Mapping[str, Any]) -> np.ndarray:
    """history.csv as numbers, float64 [epochs, columns]."""
    header, *lines = content.decode("ascii", "replace").removesuffix("\n").split("\n")
    if header != ",".join(HISTORY_COLUMNS):
        raise _Wrong(f"has other columns than {', '.join(HISTORY_COLUMNS)}")
    if len(lines) != metrics["epochs"]:
        raise _Wrong(f"has {len(lines)} rows, but {METRICS} has epochs {metrics['epochs']}")
    table = np.array([_row(line, number) for number, line in enumerate(lines, 1)]).reshape(-1, len(HISTORY_COLUMNS))
    epochs = np.arange(1, len(lines) + 1)
    updates = np.minimum(epochs * metrics["steps_per_epoch"], metrics["spec"]["recipe"]["updates"])
    for column, expected in (("epoch", epochs), ("updates", updates)):
        found = table[:, HISTORY_COLUMNS.index(column)]
        for row in np.flatnonzero(found != expected)[:1]:
            raise _Wrong(f"has {column} {found[row]:g} in row {row + 1}; expected {expected[row]}")
    return table


def _row(line: str, number: int) -> list[float]:
    fields = line.split(",")
    if len(fields) != len(HISTORY_COLUMNS):
        raise _Wrong(f"has {len(fields)} values in row {number}; expected {len(HISTORY_COLUMNS)}")
    return [_value(name, field, number) for name, field in zip(HISTORY_COLUMNS, fields, strict=True)]


def _value(name: str, field: str, number: int) -> float:
    kind = _SHARE if "accuracy" in name else _NUMBER
    if re.fullmatch(r"[0-9.e+-]+", field):
        with contextlib.suppress(ValueError):
            if kind.accepts(value := float(field)):
                return value
    raise _Wrong(f"has {name} {_short(field)} in row {number}; allowed is {kind.words}")


# ----------------------------------------------------------------------------------------------------- predictions.npz


def _predictions(content: bytes, metrics: Mapping[str, Any], labels: Labels) -> dict[str, np.ndarray]:
    """validated, clean and labels, uint8 [images]; validated and clean are empty where the run diverged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(archive.namelist())
            if names != ["clean.npy", "labels.npy", "validated.npy"]:
                raise _Wrong(f"holds {_short(', '.join(names))}; expected clean, labels and validated")
            found = {name.removesuffix(".npy"): _array(archive, archive.getinfo(name)) for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise _Wrong(f"is no archive of arrays: {first_line(error)}") from None
    images = len(found["labels"])
    for name in _PARTS:
        expected = images if metrics["status"] == FINISHED else 0
        if len(found[name]) != expected:
            raise _Wrong(f"has {len(found[name])} in {name}; expected {expected}")
    classes = metrics["spec"]["dataset"]["classes"]
    for name, array in found.items():
        if array.size and array.max() >= classes:
            raise _Wrong(f"has the class {array.max()} in {name}; allowed are 0 to {classes - 1}")
    _check_labels(found["labels"], metrics["spec"], labels)
    return found


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """An array of bytes from an archive, which says itself how large it is before it is unpacked."""
    if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _Wrong(f"has {_short(member.filename)} encrypted, or packed in a way that no run is")
    if member.file_size > _ARRAY_LIMIT:
        raise _Wrong(
            f"has {member.file_size:,} bytes in {_short(member.filename)}, more than the {_ARRAY_LIMIT:,} allowed"
        )
    content = archive.read(member)
    header = _ARRAY_HEADER.match(content)
    if header is None:
        raise _Wrong(f"has {_short(member.filename)}, which is no array of the kind uint8 and the shape [images]")
    values = content[header.end() :]
    if len(values) != int(header[1]):
        raise _Wrong(f"has {len(values)} values in {_short(member.filename)}, whose header says {int(header[1])}")
    return np.frombuffer(values, np.uint8)


def _check_labels(found: np.ndarray, spec: Mapping[str, Any], known: Labels) -> None:
    """Whether these are the data set's labels; those of a held-out fold are known only where the data are."""
    kind, dataset = spec["fraction"]["validation"], spec["dataset"]
    source = dataset["train_labels" if kind == FOLD else "test_labels"]
    expected = known.get((source, kind))
    if expected is not None:
        same = np.array_equal(found, expected)
    else:
        content = idx.header(found.shape) + found.tobytes()
        same = kind == FOLD or hashlib.sha256(content).hexdigest() == source
    if not same:
        raise _Wrong(f"has {len(found)} labels, which are not those of the data set's validation images")


# ------------------------------------------------------------------------------------------------------- all in accord


def _check_ends(run: RunFiles) -> None:
    """Whether the final numbers are those of the history's last row."""
    for name in FINAL:
        if name in HISTORY_COLUMNS:
            _agree(f"final.{name}", run.metrics["final"][name], run.column(name)[-1], HISTORY)


def _check_shares(run: RunFiles) -> None:
    """Whether the history's last accuracies are the shares of right predictions, and each what its two halves give."""
    labels = run.predictions["labels"]
    halves = len(labels[0::2]), len(labels[1::2])
    for name, part in _PARTS.items():
        right = run.predictions[name] == labels
        whole, a, b = (run.column(f"{part}_accuracy{half}") for half in ("", "_a", "_b"))
        for half, values, own in (("", whole, right), ("_a", a, right[0::2]), ("_b", b, right[1::2])):
            _agree(f"{part}_accuracy{half} in its last row", values[-1], float(own.mean()), PREDICTIONS)
        apart = np.abs(whole * len(labels) - (a * halves[0] + b * halves[1]))
        for row in np.flatnonzero(apart > 1e-6)[:1]:
            found = f"{part}_accuracy {whole[row]} in row {row + 1}"
            raise _Wrong(f"has {found}, which its halves do not give; it was edited")
