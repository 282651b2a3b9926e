"""The benchmark's table: what its columns mean, written, read and told."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from refashion import files
from refashion.errors import UserError

ENGINE, PLAIN, TORCH, PEAK = "this engine", "plain script", "PyTorch", "matrix product"
PLAIN_ONEDNN = "plain script, oneDNN"

#: benchmarks/benchmark.csv, a row for each network, augmentation and program; what does not apply is empty.
COLUMNS = {
    "architecture": "network of the original",
    "augmentation": "none (pixels scaled only) or affine",
    "program": "this engine; plain script (model.fit in one process), without and with oneDNN; PyTorch, channels_last; "
    "matrix product",
    "processes": "started together, each a whole job",
    "threads": "of each process",
    "batch_size": "images an update",
    "repetitions": "measurements behind the median, interleaved with those of the others",
    "images_per_second": "training images a second of all processes together, validation included; median",
    "slowest": "images a second, the slowest repetition",
    "fastest": "images a second, the fastest repetition",
    "speedup": "images a second of this engine for one of this program, medians",
    "gflops": "10^9 floating-point operations a second of training steps alone; validation takes time, but counts none",
    "peak_share": "gflops as a share of the matrix product's",
    "fixed_seconds": "of a job: from its start to the end of its first epoch, less a later epoch; median",
    "first_step_seconds": "of a job on all 60,000 images: from its start to the end of its first update",
    "peak_memory_mb": "most resident memory of a job on all 60,000 images, 10^6 bytes",
    "device": "cpu or gpu: what all of them computed on",
    "cpu": "processor",
    "cores": "that the programs may use",
    "load": "average number of running processes in the minute before the benchmark; 0 on a quiet machine",
    "note": "what else there is to say",
}
_TEXTS = ("architecture", "augmentation", "program", "device", "cpu", "note")


def write(path: Path, table: Sequence[Mapping[str, Any]]) -> None:
    """Write benchmark.csv; numbers with four significant digits, which is more than a measurement supports."""
    files.write_csv(path, ({name: _cell(value) for name, value in row.items()} for row in table), COLUMNS)


def _cell(value: Any) -> Any:
    """A value as it is written."""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return "" if value is None else value


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a benchmark.csv: texts, numbers, None where a field is empty. Raises UserError for another file."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != tuple(COLUMNS):
                raise ValueError("it has other columns")
            rows = [_read_row(row, reader.line_num) for row in reader]
            if not rows:
                raise ValueError("it has no rows")
            return rows
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(
            f"{path} is no table of the benchmark: {error}; make it anew with snakemake benchmark."
        ) from None


def _read_row(row: Mapping[str, Any], line: int) -> dict[str, Any]:
    """A row with its values as they are meant; ValueError if it is cut, or too long, or tells a speed of nothing."""
    if None in row or None in row.values():
        raise ValueError(f"line {line} has not {len(COLUMNS)} entries")
    values = {name: _value(name, text) for name, text in row.items()}
    measured = [values[name] for name in ("images_per_second", "processes", "fixed_seconds")]
    if values["program"] == ENGINE and not all(value is not None and value > 0 for value in measured):
        raise ValueError(f"line {line} has no speed of this engine")
    return values


def _value(name: str, text: str) -> Any:
    if name in _TEXTS:
        return text
    if not text:
        return None
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {text}")
    return int(number) if number.is_integer() and name not in ("load", "peak_share", "speedup") else number


def told(table: Sequence[Mapping[str, Any]]) -> str:
    """The table as lines for a terminal."""
    lines = [f"{'':20}{'program':22}{'images/s':>10}{'range':>18}{'speedup':>9}{'of peak':>9}{'fixed s':>9}{'MB':>7}"]
    for row in table:
        name = f"{row['architecture']} {row['augmentation']}".ljust(20)
        if row["images_per_second"] is None:
            lines.append(f"{name}{row['program']}: {row['note']}")
            continue
        lines.append(
            f"{name}{row['program']:22}{row['images_per_second']:>10,.0f}"
            + f"{row['slowest']:,.0f} - {row['fastest']:,.0f}".rjust(18)
            + f"{row['speedup']:>9.2f}{row['peak_share']:>9.0%}{row['fixed_seconds']:>9.1f}"
            + (f"{row['peak_memory_mb']:>7,.0f}" if row["peak_memory_mb"] is not None else "")
        )
    return "\n".join(lines)
