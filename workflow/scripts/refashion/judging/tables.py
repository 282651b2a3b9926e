"""Reading and writing the study's tables, whose columns `columns` names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from refashion import files, formatting
from refashion.errors import UserError, first_line
from refashion.judging.columns import COLUMNS, FLAG, INTEGER, NUMBER, TEXT

_PANDAS: dict[str, Any] = {TEXT: "str", INTEGER: "Int64", NUMBER: "float64", FLAG: "boolean"}


# ----------------------------------------------------------------------------------------------------- reading, writing


def frame(name: str, rows: Sequence[dict]) -> pd.DataFrame:
    """Rows as a table with exactly the columns of `COLUMNS[name]`, None where a value does not exist.

    ValueError for another column and for NaN or infinity, which are programming errors.
    """
    columns = COLUMNS[name]
    for row in rows:
        if row.keys() != columns.keys():
            raise ValueError(f"table {name}: columns {sorted(row.keys() ^ columns.keys())} are not as documented")
    return pd.DataFrame(
        {column: _typed(column, [row[column] for row in rows], kind.kind) for column, kind in columns.items()}
    )


def _typed(name: str, values: list, kind: str) -> pd.Series:
    """Values in a column's documented type."""
    if kind == TEXT:
        return pd.Series(["" if value is None else value for value in values], dtype="str")
    column = pd.Series(values, dtype="object").astype(_PANDAS[kind])
    if kind == NUMBER and not np.isfinite([value for value in values if value is not None]).all():
        raise ValueError(f"column {name} holds NaN or infinity")
    return column


def write(table: pd.DataFrame, name: str, path: Path | str) -> None:
    """Write a table as CSV (compressed if `path` ends in .gz), the same bytes for the same table, as a whole.

    Text that a spreadsheet would compute begins with an apostrophe there, which `read` takes away again.
    """
    if list(table.columns) != list(COLUMNS[name]):
        raise ValueError(f"table {name}: the header is not as documented")
    packed: Any = {"method": "gzip", "compresslevel": 3, "mtime": 0} if str(path).endswith(".gz") else None
    plain = table.assign(**{text: table[text].map(formatting.spreadsheet_text) for text in _texts(name)})
    with files.whole_file(Path(path)) as stream:
        plain.to_csv(stream, index=False, lineterminator="\n", compression=packed, mode="wb")


def read(name: str, path: Path | str) -> pd.DataFrame:
    """Read a table that `write` wrote. Raises UserError if it is something else."""
    columns = COLUMNS[name]
    try:
        table = pd.read_csv(
            path,
            dtype={column: _PANDAS[kind.kind] for column, kind in columns.items()},
            keep_default_na=False,
            na_values={column: [""] for column, kind in columns.items() if kind.kind != TEXT},
        )
    except (OSError, EOFError, ValueError, pd.errors.ParserError) as error:
        raise UserError(f"{path} cannot be read as the table {name}: {first_line(error)}.") from None
    if list(table.columns) != list(columns):
        raise UserError(f"{path} has other columns than the table {name} of this version; run collect again.")
    for text in _texts(name):
        quoted = table[text].str.startswith("'")
        table.loc[quoted, text] = table.loc[quoted, text].map(formatting.text_of_spreadsheet)
    return table


def _texts(name: str) -> list[str]:
    return [column for column, kind in COLUMNS[name].items() if kind.kind == TEXT]
