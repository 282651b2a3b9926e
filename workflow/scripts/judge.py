"""A printed number and your own runs: does it reproduce? Needs neither TensorFlow nor Snakemake.

python workflow/scripts/judge.py 91.97 88.8 88.2 89.5 89.1 88.6
python workflow/scripts/judge.py 91.97 runs.csv --column val_accuracy --images 10000
python workflow/scripts/judge.py 91.97 88.8 88.2 89.5 89.1 88.6 --published-n 10 --published-sd 0.2 --margin 0.5
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
from pathlib import Path

from refashion.errors import UserError
from refashion.judging import one_number


def main(arguments: list[str] | None = None) -> str:
    """The verdict in words; UserError for what cannot be judged."""
    given = _parser().parse_args(arguments)
    published = _number(given.published, "the published number")
    values = _column(given) if given.column else [_number(text, "a run") for text in given.runs]
    margin = None if given.margin is None else _number(given.margin, "--margin")
    if margin is not None and margin < 0:
        raise UserError(f"--margin is {given.margin}; allowed is a number from 0 up, in the unit of the runs.")
    if margin is None:
        _percentages(published, values)
    if given.images < 1:
        raise UserError(f"--images is {given.images}; allowed is the number of test images, 1 or more.")
    if given.published_sd is not None and given.published_n is None:
        raise UserError("--published-sd needs --published-n: a spread is that of so many runs.")
    spread = None if given.published_sd is None else _number(given.published_sd, "--published-sd")
    runs = 1 if given.published_n is None else given.published_n
    if (spread is not None and spread < 0) or (given.published_n is not None and runs < 2):
        raise UserError("--published-sd is a spread from 0 up, and --published-n a number of runs, 2 or more.")
    return one_number.judge(values, published, margin, given.images, runs, spread)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="judge.py", description="Does a published number reproduce? Judges it by your own runs, in words."
    )
    parser.add_argument("published", help="the printed number, in percent")
    parser.add_argument("runs", nargs="+", help="the same number of your own runs; or a CSV file, with --column")
    parser.add_argument("--column", help="the column of the CSV file that holds the runs")
    parser.add_argument("--images", type=int, default=10_000, help="test images (10,000): they give the margin")
    parser.add_argument("--margin", help="the largest difference that counts as the same, in the unit of the runs")
    parser.add_argument("--published-sd", help="the printed number is a mean: the SD of its runs")
    parser.add_argument("--published-n", type=int, help="the printed number is a mean: of so many runs")
    return parser


def _number(text: str, what: str) -> float:
    """A finite number; a percent sign and a comma for thousands are no part of one."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{what} is {text!r}; allowed is a finite number such as 91.97.")
    return value


def _column(given: argparse.Namespace) -> list[float]:
    """The runs in a column of a CSV file; empty cells, of runs that lack, are left out."""
    if len(given.runs) != 1:
        raise UserError(f"--column reads one CSV file, and {len(given.runs)} were named.")
    path = Path(given.runs[0])
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if given.column not in (rows.fieldnames or ()):
                known = ", ".join(rows.fieldnames or ()) or "none"
                raise UserError(f"{path} has no column {given.column!r}; its columns are: {known}.")
            cells = [row[given.column] for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as a CSV file: {getattr(error, 'strerror', None) or error}.") from error
    values = [_number(cell, f"a cell of column {given.column!r} in {path}") for cell in cells if cell and cell.strip()]
    if not values:
        raise UserError(f"Column {given.column!r} of {path} holds no number.")
    return values


def _percentages(published: float, values: list[float]) -> None:
    """The margin that images resolve is one of percentages: refuse shares and what lies beyond 0 to 100."""
    beyond = next((value for value in (published, *values) if not 0 <= value <= 100), None)
    if beyond is not None:
        raise UserError(f"{beyond:g} is no percentage; give numbers from 0 to 100, or --margin for another unit.")
    shares = [what for what, most in (("the published number", published), ("the runs", max(values))) if most <= 1]
    if shares:
        what = f"{' and '.join(shares)} {'lies' if shares == ['the published number'] else 'lie'} between 0 and 1"
        raise UserError(f"{what}; give percentages such as 91.97, or --margin for another unit.")


if __name__ == "__main__":
    try:
        print(main(), flush=True)
    except UserError as error:
        sys.exit(f"judge.py: {error}")
    except BrokenPipeError:  # whoever reads, as `head` does, has had enough
        os._exit(0)
