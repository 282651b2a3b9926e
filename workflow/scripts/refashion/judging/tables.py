"""Making, reading and writing the study's tables."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from refashion import files, formatting
from refashion.errors import UserError, first_line
from refashion.judging.columns import COLUMNS, TEXT, Column


def frame(columns: Mapping[str, Column], rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a table with exactly these columns, empty where a row has None or nothing; ValueError for another key."""
    if unknown := {name for row in rows for name in row} - set(columns):
        raise ValueError(f"no such columns: {', '.join(sorted(unknown))}")
    table = pd.DataFrame(rows, columns=list(columns), dtype="object")
    table = table.fillna({name: "" for name, column in columns.items() if column.kind == TEXT})
    return table.astype({name: column.kind for name, column in columns.items()})


def write(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table as CSV (compressed if `path` ends in .gz), the same bytes for the same table, as a whole.

    Text that a spreadsheet would compute begins with an apostrophe there, which `read` takes away again.
    """
    packed: Any = {"method": "gzip", "compresslevel": 3, "mtime": 0} if str(path).endswith(".gz") else None
    texts = [str(name) for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    plain = table.assign(**{name: table[name].map(formatting.spreadsheet_text) for name in texts})
    with files.whole_file(Path(path)) as stream:
        plain.to_csv(stream, index=False, lineterminator="\n", compression=packed, mode="wb")


def read(name: str, path: Path | str) -> pd.DataFrame:
    """Read the table `name` of `COLUMNS` that `write` wrote. Raises UserError if it is something else."""
    columns = COLUMNS[name]
    texts = [column for column, known in columns.items() if known.kind == TEXT]
    try:
        table = pd.read_csv(
            path,
            dtype={column: known.kind for column, known in columns.items()},
            keep_default_na=False,
            na_values={column: [""] for column in columns if column not in texts},
        )
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise UserError(f"{path} cannot be read as the table {name}: {first_line(error)}.") from None
    if list(table.columns) != list(columns):
        raise UserError(f"{path} has other columns than the table {name} of this version; run collect again.")
    for text in texts:
        quoted = table[text].str.startswith("'")
        table.loc[quoted, text] = table.loc[quoted, text].map(formatting.text_of_spreadsheet)
    return table
