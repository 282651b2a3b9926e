"""The data: where the four IDX files come from, how they are verified, and what a run is given of them.

`prepare` makes one .npz of a data set, not compressed, since every run loads it; `load` reads it, `split` draws a run's
training and validation images, `describe` counts what is in it.

Nothing that comes from outside is trusted: a file is read no further than the size that the config's shape implies, and
its IDX header, size and SHA-256 are held against the config before a byte of it is used.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import math
import os
import re
import shutil
import subprocess  # for apt-get and dpkg-deb, never through a shell  # nosec B404
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TextIO
from urllib.parse import urlsplit

import numpy as np

from refashion import files, randomness
from refashion.errors import UserError
from refashion.study.model import FOLD, fold_size

#: The four files of a data set: keys in the config, arrays in the .npz, fields of Dataset.
FILES = ("train_images", "train_labels", "test_images", "test_labels")

Log = Callable[[str], None]


class Unusable(Exception):  # noqa: N818 (a reason to try the next source, not yet an error)
    """Why a file or a source cannot be used, as half a sentence: what was found and what was expected."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set as published. Images uint8 [n, height, width], labels uint8 [n], in file order."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Split:
    """What one run sees. Images uint8 [n, height, width] and [m, height, width], labels uint8 [n] and [m]."""

    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray


# ---------------------------------------------------------------------------------------------------------------- IDX


def idx_header(shape: tuple[int, ...]) -> bytes:
    """The header of an IDX file: two zero bytes, type 8 (unsigned byte), number of dimensions, their sizes as uint32.

    Source: "The MNIST database", section "File formats" (yann.lecun.com/exdb/mnist).
    """
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


@dataclass(frozen=True)
class IdxFile:
    """A file of unsigned bytes as it must be. sha256 is that of the unpacked file."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def header(self) -> bytes:
        """Its first bytes."""
        return idx_header(self.shape)

    @property
    def size(self) -> int:
        """Bytes of the unpacked file."""
        return len(self.header) + math.prod(self.shape)

    @property
    def packed_limit(self) -> int:
        """Bytes of the gzipped file at most: gzip makes what cannot be compressed longer by far less than 1%."""
        return self.size + self.size // 100 + 4096


def read_idx(path: Path, file: IdxFile) -> np.ndarray:
    """Read an IDX file, plain or gzipped. Returns uint8 [*file.shape], read-only.

    Raises Unusable if path is not the file that it must be: no file, cut, other magic number, shape, size or SHA-256.
    """
    payload = _read_at_most(path, file.size + 1)
    _check_header(path, payload, file)
    if len(payload) != file.size:
        found = f"more than {file.size:,}" if len(payload) > file.size else f"{len(payload):,}"
        raise Unusable(f"{path} has {found} bytes unpacked, expected {file.size:,}")
    digest = hashlib.sha256(payload).hexdigest()
    if digest != file.sha256:
        raise Unusable(f"{path} has the SHA-256 {digest} unpacked, expected {file.sha256}")
    return np.frombuffer(payload, np.uint8, offset=len(file.header)).reshape(file.shape)


def _read_at_most(path: Path, limit: int) -> bytes:
    """The first `limit` bytes of a file, unpacked if it is gzipped, so that a gzip bomb fills no memory."""
    try:
        if not path.is_file():
            raise Unusable(f"{path} is a folder, expected a file" if path.is_dir() else f"{path} is no regular file")
        with path.open("rb") as packed:
            # By content, not by name: an IDX file begins with two zero bytes, a gzip file never does.
            if packed.peek(2)[:2] != b"\x1f\x8b":
                return _first_bytes(packed, limit)
            with gzip.open(packed) as unpacked:
                return _first_bytes(unpacked, limit)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unusable(f"{path} is a cut or damaged gzip file ({str(error).rstrip('.')})") from error
    except OSError as error:
        raise Unusable(f"{path} cannot be read ({error.strerror})") from error


def _first_bytes(stream: BinaryIO, limit: int) -> bytes:
    """In pieces, since `read` takes memory for all that it is asked for, and the config may ask for any size."""
    content = io.BytesIO()
    while piece := stream.read(min(1 << 20, limit - content.tell())):
        content.write(piece)
    return content.getvalue()


def _check_header(path: Path, payload: bytes, file: IdxFile) -> None:
    found, magic = payload[:4], file.header[:4]
    if found != magic:
        raise Unusable(
            f"{path} has the magic number 0x{found.hex()}, expected 0x{magic.hex()} "
            f"(IDX, unsigned bytes in {len(file.shape)} dimensions)"
        )
    found_shape = [int.from_bytes(payload[at : at + 4], "big") for at in range(4, len(file.header), 4)]
    if found_shape != list(file.shape):
        raise Unusable(f"{path} has the shape {found_shape}, expected {list(file.shape)}")


# ------------------------------------------------------------------------------------------------------------- prepare


@dataclass(frozen=True)
class _Order:
    """What a source is asked for. work: a folder for downloads; progress: the stream that shows a progress bar."""

    files: dict[str, IdxFile]
    classes: int
    work: Path
    log: Log
    progress: TextIO | None


def prepare(name: str, definition: Mapping, target: Path, log: Log = print, progress: TextIO | None = None) -> None:
    """Write the data set `name` to the .npz `target`, from the first source of its definition that has all four files.

    definition: the data set's entry in the config (classes, files, sources). progress: where a download's progress bar
    is drawn, if that is a terminal (default: standard error). Raises UserError when the folder that an environment
    variable names is wrong, when no source can be used, or when the target cannot be written. The target is whole or
    not there. Only an interrupted download is kept, in a hidden folder beside the target; the next call continues it.
    """
    work = _work_folder(target)
    order = _Order(_files(definition), len(definition["classes"]), work, log, progress)
    try:
        work.mkdir(parents=True, exist_ok=True)
        arrays = _from_first_source(name, definition["sources"], order)
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        raise UserError(f"{work.parent} cannot be written to: {error.strerror}.") from error
    finally:
        if not any(work.glob("*.part")):
            shutil.rmtree(work, ignore_errors=True)
    write_whole(target, lambda stream: np.savez(stream, **arrays))
    log(f"{name}: written to {target}")


def _files(definition: Mapping) -> dict[str, IdxFile]:
    """The four files of a definition. Raises UserError for a name that would lead out of its folder."""
    files = {key: IdxFile(f["name"], tuple(f["shape"]), f["sha256"]) for key, f in definition["files"].items()}
    for key, file in files.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}", file.name):
            raise UserError(f"The file name of {key} is {file.name!r}; allowed is a plain name, without a folder.")
    return files


def _from_first_source(name: str, sources: list[Mapping], order: _Order) -> dict[str, np.ndarray]:
    """The four arrays from the first source that can be used; those with an unset environment variable are skipped."""
    reasons, all_variables = [], []
    for source in sources:
        variables = re.findall(r"\$\{(\w+)\}", source.get("folder", ""))
        all_variables += variables
        if not all(os.environ.get(variable) for variable in variables):
            continue
        place, read = _reader(source)
        order.log(f"{name}: from {place}")
        try:
            return read(order)
        except Unusable as reason:
            if variables:  # the user has named this very folder, so another source would be a surprise
                raise UserError(f"{' and '.join(variables)} names a folder that cannot be used: {reason}.") from reason
            order.log(f"{name}: not from {place}: {reason}")
            reasons.append(f"{place}: {reason}.")
    advice = f"; set {all_variables[0]} to a folder that holds its four files" if all_variables else ""
    raise UserError("\n  ".join([f"The data set {name} cannot be had from any source{advice}.", *reasons]))


def _reader(source: Mapping) -> tuple[str, Callable[[_Order], dict[str, np.ndarray]]]:
    """A source in words, and the function that reads it."""
    if "debian" in source:
        package, folder = source["debian"], source["folder"]
        return f"Debian package {package}", lambda order: _from_debian(package, folder, order)
    if "url" in source:
        return source["url"], lambda order: _from_url(source["url"], source.get("suffix", ""), order)
    folder = Path(re.sub(r"\$\{(\w+)\}", lambda match: os.environ[match[1]], source["folder"]))
    return f"folder {folder}", lambda order: _from_folder(folder, order)


def _verified(key: str, path: Path, order: _Order) -> np.ndarray:
    """One of the four files as an array, once it has passed every check."""
    array = read_idx(path, order.files[key])
    if key.endswith("labels") and array.max() >= order.classes:
        raise Unusable(f"{path} has the label {array.max()}, expected 0 to {order.classes - 1}")
    order.log(f"{key}: {path}, shape {list(array.shape)}, SHA-256 {order.files[key].sha256} as expected")
    return array


# ------------------------------------------------------------------------------------------------------------- folders


def _from_folder(folder: Path, order: _Order) -> dict[str, np.ndarray]:
    """The four files from a folder, `~` for a home, each plain or with the suffix .gz."""
    try:
        folder = folder.expanduser()
        paths = {key: _find(folder, file.name) for key, file in order.files.items()}
    except RuntimeError as error:  # no such user
        raise Unusable(f"{folder} is in no user's home") from error
    except OSError as error:  # too long a name, or a folder above it that is closed
        raise Unusable(f"{folder} cannot be read ({error.strerror})") from error
    return {key: _verified(key, path, order) for key, path in paths.items()}


def _find(folder: Path, name: str) -> Path:
    if not folder.is_dir():
        raise Unusable(f"{folder} is {'no folder' if folder.exists() else 'not there'}")
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise Unusable(f"{folder} has neither {name} nor {name}.gz")


# ----------------------------------------------------------------------------------------------------------- downloads

#: Retries of an interrupted download; pooch waits 1, 2 and 3 s before them.
RETRIES = 3
#: Seconds to wait for a connection, and for more bytes.
TIMEOUT = (10, 30)
#: Bytes written at a time, and at most lost when a connection breaks.
CHUNK = 1 << 14


def _from_url(url: str, suffix: str, order: _Order) -> dict[str, np.ndarray]:
    """The four files from a web address. HTTP will do as well as HTTPS: the SHA-256 vouches for the files."""
    return {key: _downloaded(key, url.rstrip("/") + "/", suffix, order) for key in order.files}


def _downloaded(key: str, base: str, suffix: str, order: _Order) -> np.ndarray:
    """One file from a web address. A file begun by an earlier call that turns out wrong is fetched anew, once."""
    name = order.files[key].name + suffix
    download = _Download(order.work / f"{name}.part", order.files[key].packed_limit, order.log, order.progress)
    begun = download.part.exists() or (order.work / name).exists()
    path = _fetch(base, name, download)
    try:
        return _verified(key, path, order)
    except Unusable as reason:
        path.unlink()
        if not begun:
            raise
        order.log(f"{reason}; it was begun earlier, so once more from the first byte")
        return _downloaded(key, base, suffix, order)


def _fetch(base: str, name: str, download: _Download) -> Path:
    """The file, downloaded now or by an earlier call. Raises Unusable when the server does not give it."""
    import pooch  # imported late, as in _Download: every run imports this module, few download
    import requests

    pooch.get_logger().setLevel("WARNING")  # the log says it in our words
    # No hash here: the known one is that of the unpacked file.
    cache = pooch.create(path=download.part.parent, base_url=base, registry={name: None}, retry_if_failed=RETRIES)
    try:
        return Path(cache.fetch(name, downloader=download))
    except requests.RequestException as error:
        kept = f" after {download.received:,} bytes, which are kept for the next try" if download.received else ""
        failed = f"the connection to {urlsplit(base).netloc} failed"
        raise Unusable(f"{name}: {error if isinstance(error, requests.HTTPError) else failed}{kept}") from error


@dataclass(frozen=True)
class _Download:
    """A downloader for pooch that goes on where an interrupted download stopped, which pooch's own cannot.

    part: the file with the bytes so far; limit: how many they can be at most.
    """

    part: Path
    limit: int
    log: Log
    progress: TextIO | None

    @property
    def received(self) -> int:
        """Bytes so far."""
        return self.part.stat().st_size if self.part.exists() else 0

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Fetch url into output_file. Raises requests' errors, after which pooch tries again, or Unusable at once."""
        import requests

        headers = {"Accept-Encoding": "identity"}
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
        self.log(f"downloading {url}" + (f" from byte {self.received:,} on" if self.received else ""))
        try:
            with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                self._check(response)
                self._receive(response)
        except requests.ConnectTimeout as error:
            raise Unusable(f"no answer from {urlsplit(url).netloc} in {TIMEOUT[0]} s") from error
        except ValueError as error:  # some are requests' own errors, too
            raise Unusable(f"{url} is no web address ({_one_line(error)})") from error
        except requests.RequestException as error:
            self.log(str(error))
            raise
        os.replace(self.part, output_file)

    def _check(self, response) -> None:
        """Raise HTTPError for an answer that may be another one soon, Unusable for one that will not."""
        if response.status_code == 416:  # more bytes are here than there: begin anew
            self.part.unlink()
        elif 400 <= response.status_code < 500 and response.status_code not in (408, 429):
            raise Unusable(f"{response.url} answers {response.status_code} {response.reason}")
        response.raise_for_status()

    def _receive(self, response) -> None:
        """Write the answer behind the bytes so far (206, Partial Content), or from the start (200: the whole file)."""
        from tqdm import tqdm

        size = self.received if response.status_code == 206 else 0
        length = response.headers.get("Content-Length", "")
        bar = tqdm(
            total=size + int(length) if length.isdecimal() else None,
            initial=size,
            desc=self.part.stem,
            unit="B",
            unit_scale=True,
            file=self.progress,
            disable=None,  # unless it is a terminal
        )
        with bar, self.part.open("ab" if size else "wb") as stream:
            for chunk in response.iter_content(CHUNK):
                size += len(chunk)
                if size > self.limit:
                    self.part.unlink()
                    raise Unusable(f"{response.url} sends more than the {self.limit:,} bytes that the file can have")
                stream.write(chunk)
                bar.update(len(chunk))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


# -------------------------------------------------------------------------------------------------------------- Debian

APT_MINUTES = 15


def _from_debian(package: str, folder: str, order: _Order) -> dict[str, np.ndarray]:
    """The four files from a Debian package, without root. apt-get verifies the package by Debian's signature."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unusable(f"this machine has no {tool}")
    with tempfile.TemporaryDirectory(dir=order.work, ignore_cleanup_errors=True) as temporary:
        _unpack(_download_package(package, Path(temporary), order.log), folder, order.files, Path(temporary))
        return _from_folder(Path(temporary), order)


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


# ------------------------------------------------------------------------------------------------------------- writing


def _work_folder(target: Path) -> Path:
    """Where interrupted downloads lie, beside the target."""
    return target.with_name(f".{target.stem}-work")


def write_whole(target: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file such that it is whole or not there; clears the work folder. Raises UserError (a full disk, say)."""
    try:
        with files.whole_file(target) as stream:
            write(stream)
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(_work_folder(target), ignore_errors=True)


def write_description(target: Path, dataset: Dataset) -> None:
    """Write `describe(dataset)` as JSON."""
    text = json.dumps(describe(dataset), indent=2) + "\n"
    write_whole(target, lambda stream: stream.write(text.encode()))


# ------------------------------------------------------------------------------------------------------------ a run's


def load(path: Path, hashes: Mapping[str, str] | None = None) -> Dataset:
    """Read a file that `prepare` has written. Raises UserError for a missing, cut, damaged or foreign file.

    `hashes` are the SHA-256 that the arrays must have as IDX files, by the keys of FILES: who trains names them, so
    that no run bears the spec of other data than its own.
    """
    remedy = "delete it and start snakemake again, which makes it anew."
    try:
        with path.open("rb") as stream:
            if not zipfile.is_zipfile(stream):
                raise UserError(f"{path} is empty, cut or no data file of this study; {remedy}")
            with np.load(stream, allow_pickle=False) as arrays:
                dataset = Dataset(**{key: arrays[key] for key in FILES})
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}; {remedy}") from error
    except (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged or no data file of this study ({error}); {remedy}") from error
    if not _is_consistent(dataset):
        raise UserError(f"{path} has arrays of other types or shapes than this study's data files; {remedy}")
    for key, found in hashes_of(dataset).items() if hashes else ():
        if found != hashes[key]:
            raise UserError(f"{path} holds other {key} than the config names (SHA-256 {found}); {remedy}")
    return dataset


def _is_consistent(dataset: Dataset) -> bool:
    arrays = [getattr(dataset, key) for key in FILES]
    return (
        all(array.dtype == np.uint8 for array in arrays)
        and [array.ndim for array in arrays] == [3, 1, 3, 1]
        and len(dataset.train_images) == len(dataset.train_labels)
        and len(dataset.test_images) == len(dataset.test_labels)
    )


def subset(available: int, pool: int, images: int, seed: int) -> np.ndarray:
    """The positions of a run's training images, int64 [images], in the order of the seed's permutation.

    One permutation a seed over all `available` training images; a run takes the first `images` of those that lie in the
    pool (the first `pool` in file order). So fewer images are a part of more, and with and without the held-out fold a
    seed draws as nearly the same images as can be.
    """
    order = randomness.generator(seed, "subset").permutation(available)
    return order[order < pool][:images]


def split(dataset: Dataset, fraction: Mapping, seed: int) -> Split:
    """The training and validation images of one run.

    fraction: {"images": int, "validation": "test" | "fold", "subset_seed": None | int}; a subset_seed takes the seed's
    place. Raises UserError when more images are wanted than there are, or a fold of too few.
    """
    available = len(dataset.train_images)
    held_out = fold_size(available) if fraction["validation"] == FOLD else 0
    if fraction["validation"] == FOLD and not held_out:
        raise UserError(f"A held-out fold is a sixth of the training images, at least 6; there are {available}.")
    pool, images = available - held_out, fraction["images"]
    if not 1 <= images <= pool:
        raise UserError(f"{images:,} training images are wanted; there are {pool:,} and {held_out:,} held out.")
    chosen = subset(available, pool, images, seed if fraction["subset_seed"] is None else fraction["subset_seed"])
    return Split(
        train_images=dataset.train_images[chosen],
        train_labels=dataset.train_labels[chosen],
        validation_images=dataset.train_images[pool:] if held_out else dataset.test_images,
        validation_labels=dataset.train_labels[pool:] if held_out else dataset.test_labels,
    )


# ------------------------------------------------------------------------------------------------------------ describe


def describe(dataset: Dataset) -> dict:
    """Facts about a data set, as plain types.

    Keys: image_shape; dtype; sha256 (of each array as an IDX file); train and test: {images, per_class (how many images
    have each label), pixels: {min, max, mean, sd} of 0..255}; duplicates: {train, test (images that repeat an earlier
    one of the same part, pixel for pixel), test_in_train (test images that are a training image too)}.
    """
    train, test = _digests(dataset.train_images), _digests(dataset.test_images)
    distinct = set(train)
    classes = 1 + int(max(dataset.train_labels.max(), dataset.test_labels.max()))
    return {
        "image_shape": list(dataset.train_images.shape[1:]),
        "dtype": str(dataset.train_images.dtype),
        "sha256": hashes_of(dataset),
        "train": _describe_part(dataset.train_images, dataset.train_labels, classes),
        "test": _describe_part(dataset.test_images, dataset.test_labels, classes),
        "duplicates": {
            "train": len(train) - len(distinct),
            "test": len(test) - len(set(test)),
            "test_in_train": sum(digest in distinct for digest in test),
        },
    }


def _describe_part(images: np.ndarray, labels: np.ndarray, classes: int) -> dict:
    return {
        "images": len(images),
        "per_class": np.bincount(labels, minlength=classes).tolist(),
        "pixels": pixel_statistics(images),
    }


def pixel_statistics(images: np.ndarray) -> dict:
    """Minimum, maximum, mean and (population) standard deviation of all pixels of uint8 images [n, height, width].

    From the histogram of the 256 values, which is exact and needs no copy of the images in floats.
    """
    counts = sum(np.bincount(chunk.ravel(), minlength=256) for chunk in np.array_split(images, 1 + len(images) // 1000))
    values = np.arange(256)
    mean = (counts * values).sum() / counts.sum()
    variance = (counts * (values - mean) ** 2).sum() / counts.sum()
    present = np.flatnonzero(counts)
    return {"min": int(present[0]), "max": int(present[-1]), "mean": float(mean), "sd": math.sqrt(variance)}


def _digests(images: np.ndarray) -> list[bytes]:
    """A digest of each image's pixels; 16 bytes make a chance match of 70,000 images rarer than 1 in 10^28."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]


def hashes_of(dataset: Dataset) -> dict[str, str]:
    """The SHA-256 of each array as an IDX file, by the keys of FILES, as the config names them."""
    arrays = {key: getattr(dataset, key) for key in FILES}
    return {key: hashlib.sha256(idx_header(a.shape) + a.tobytes()).hexdigest() for key, a in arrays.items()}
