"""Where a data set comes from: the first of its sources that has its four files, verified, becomes one .npz.

The file is not compressed, since every run loads it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

import numpy as np

from refashion import files
from refashion.data import dataset, debian, downloads, folders
from refashion.data.dataset import Dataset
from refashion.data.folders import Log, Order
from refashion.data.idx import IdxFile, Unusable
from refashion.errors import UserError

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def prepare(name: str, definition: Mapping, target: Path, log: Log = print, progress: TextIO | None = None) -> None:
    """Write the data set `name` to the .npz `target`, from the first source of its definition that has all four files.

    definition: the data set's entry in the config (classes, files, sources). progress: where a download's progress bar
    is drawn, if that is a terminal (default: standard error). Raises UserError when the folder that an environment
    variable names is wrong, when no source can be used, or when the target cannot be written. The target is whole or
    not there. Only an interrupted download is kept, in a hidden folder beside the target; the next call continues it.
    """
    work = target.with_name(f".{target.stem}-work")
    wanted = {key: IdxFile(f["name"], tuple(f["shape"]), f["sha256"]) for key, f in definition["files"].items()}
    order = Order(wanted, len(definition["classes"]), work, log, progress)
    keeps = False
    try:
        work.mkdir(parents=True, exist_ok=True)
        dataset.write(target, Dataset(**_from_first_source(name, definition["sources"], order)))
    except OSError as error:
        raise UserError(f"{work.parent} cannot be written to: {error.strerror}.") from error
    except UserError:
        keeps = any(work.glob("*.part"))
        raise
    finally:
        if not keeps:
            shutil.rmtree(work, ignore_errors=True)
    files.sweep(target)
    log(f"{name}: written to {target}")


def _from_first_source(name: str, sources: list[Mapping], order: Order) -> dict[str, np.ndarray]:
    """The four arrays from the first source that can be used; those with an unset environment variable are skipped."""
    reasons, all_variables = [], []
    for source in sources:
        variables = _VARIABLE.findall(source.get("folder", ""))
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


def _reader(source: Mapping) -> tuple[str, Callable[[Order], dict[str, np.ndarray]]]:
    """A source in words, and the function that reads it."""
    if "debian" in source:
        package, folder = source["debian"], source["folder"]
        return f"Debian package {package}", lambda order: debian.read(package, folder, order)
    if "url" in source:
        return source["url"], lambda order: downloads.read(source["url"], source.get("suffix", ""), order)
    folder = Path(_VARIABLE.sub(lambda match: os.environ[match[1]], source["folder"]))
    return f"folder {folder}", lambda order: folders.read(folder, order)
