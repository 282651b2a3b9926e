"""The published report as data, config/original.yaml: read and checked, each mistake in one sentence.

`read_original` holds the file against config/original.schema.yaml and against itself, `check_original` against a study.
Knows no pandas.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.exceptions import best_match

from refashion import violations, yaml_files
from refashion.errors import UserError
from refashion.study.model import AXES, TRAINING_METRICS, Study
from refashion.study.schema import Validator, completed, read_schema

SCHEMA = "original.schema.yaml"

#: How sentences name the file, wherever it lies.
NAME = "original.yaml"

#: Lists whose entries sentences name by id, and not by position.
_BY_ID = ("claims", "inconsistencies", "assumptions", "deviations")

#: A word of `names` in the schema -> what is wrong with a name of that kind, or "".
Names = Mapping[str, Callable[[str], str]]


def read_original(path: Path | str) -> dict[str, Any]:
    """The published report, complete and agreeing with itself.

    Raises UserError with one sentence for the first mistake found.
    """
    original = yaml_files.read(path)
    _check_schema(original, {})  # first the layout, on which all else relies
    _check_schema(original, _own_names(original))
    _raise_first(_mistakes_of_claims(original))
    original = completed(original, read_schema(SCHEMA))
    _raise_first(_mistakes_of_the_table(original["table"]))
    return original


def original_path(named: str, overlays: Sequence[Path], project: Path) -> Path:
    """Where `original` lies: beside the last file that names it (config.yaml at last), or else in the project."""
    naming = (path for path in reversed(overlays) if (yaml_files.read(path) or {}).get("original") == named)
    beside = next(naming, project / "config" / "config.yaml").parent / named
    found = next((path for path in (beside, project / named) if path.exists()), None)
    if found is None:
        raise UserError(
            f"config: original is {named!r}, and {beside} is missing; it names the YAML file of the report."
        )
    return found


def check_original(original: Mapping[str, Any], study: Study) -> None:
    """Raise UserError, in one sentence, if the report names what the study's config does not define.

    A cell whose four entries are defined need not be part of an experiment: its claims are inconclusive, and say why.
    """
    _check_schema(original, _names_of_study(study.config))
    _raise_first(_mistakes_of_cells(original))
    _raise_first(_mistakes_of_printed_numbers(original))


def _raise_first(mistakes: Iterator[str]) -> None:
    for mistake in mistakes:
        raise UserError(f"{NAME}: {mistake}.")


def original_dataset(original: Mapping[str, Any], study: Study) -> str:
    """The name of the data set that the report is about: that of its cells, else that of the study's first cell."""
    columns = {column["cell"] for column in original["table"]["columns"]}
    cells = [cell for cell in study.cells() if cell.name in columns] or study.cells()
    return study.dataset(cells[0])


def printed_columns(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The columns that the report prints: those that its rows reach; all where the report's table has no rows."""
    rows = table["rows"]
    return list(table["columns"][: len(rows[0]["printed"])] if rows else table["columns"])


# ----------------------------------------------------------------------------------------------------------- the schema


def _check_schema(original: Any, names: Names) -> None:
    """Raise UserError for the violation of the schema that tells most; `names` are the names to look up."""
    error = best_match(_validator(names).iter_errors(original))
    if error is not None:
        raise UserError(_sentence(error, original))


def _validator(names: Names) -> jsonschema.protocols.Validator:
    """A validator that knows the schema's two keywords of ours, and whole numbers as a report prints them."""

    def look_up(_validator: Any, kind: str, name: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
        if kind in names and isinstance(name, str) and (wrong := names[kind](name)):
            yield jsonschema.ValidationError(wrong)

    types = Validator.TYPE_CHECKER.redefine("integer", _is_whole)
    keywords = {"names": look_up, "distinct": _distinct}
    return jsonschema.validators.extend(Validator, keywords, type_checker=types)(read_schema(SCHEMA))


def _is_whole(_checker: Any, value: Any) -> bool:
    """693962.0 would be printed as such, so it is no whole number here."""
    return type(value) is int


def _distinct(_validator: Any, keys: list[str], entries: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    for key in keys:
        seen: dict[Any, int] = {}
        for position, entry in enumerate(entries if isinstance(entries, list) else ()):
            value = entry.get(key) if isinstance(entry, dict) else None
            if not isinstance(value, str | int):
                continue  # missing or of another type, which is a mistake of its own
            if value in seen:
                yield jsonschema.ValidationError(str(seen[value]), path=(position, key), instance=value)
            seen.setdefault(value, position)


def _sentence(error: jsonschema.ValidationError, original: Any) -> str:
    """One sentence for a violation: the key, the value and what is allowed."""
    if error.validator == "distinct":
        return _told_twice(error)
    path = _named(error.absolute_path, original)
    if error.validator == "names":
        where = violations.path(path)
        if "propertyNames" in error.absolute_schema_path:
            where = f"a name in {where}"
        return f"{NAME}: {where} is {violations.short(error.instance)}; {error.message}."
    error.relative_path = path
    return violations.sentence(NAME, error)


def _told_twice(error: jsonschema.ValidationError) -> str:
    """Two entries with one id: positions tell which are meant."""
    *entries, position, key = error.absolute_path
    first = violations.path([*entries, int(error.message)])
    second = violations.path([*entries, position])
    return f"{NAME}: {second} has the {key} {violations.short(error.instance)} of {first}; each {key} may stand once."


def _named(path: Iterable[str | int], original: Any) -> deque[str | int]:
    """A path in which a claim, an inconsistency or an assumption is named by its id, where it has a proper one."""
    named = deque(path)
    if len(named) > 1 and named[0] in _BY_ID:
        entry = original[named[0]][named[1]]
        name = str(entry.get("id", "")) if isinstance(entry, dict) else ""
        if name.replace("_", "").isalnum():
            named[1] = name
    return named


# ---------------------------------------------------------------------------------------------------------------- names


def _own_names(original: Mapping[str, Any]) -> Names:
    """Lookups of what the file itself defines."""
    entries = original["claims"]
    accuracies = [claim for claim in entries if claim["kind"] == "accuracy"]
    training = [claim for claim in accuracies if claim["readings"][0]["metric"] in TRAINING_METRICS]
    return {
        "claims": _one_of([claim["id"] for claim in entries]),
        "accuracy claims": _one_of([claim["id"] for claim in accuracies]),
        "training claims": _one_of([claim["id"] for claim in training]),
        "validation claims": _one_of([claim["id"] for claim in accuracies if claim not in training]),
        "summaries": _one_of(list(original.get("summaries", ()))),
    }


def _names_of_study(config: Mapping[str, Any]) -> Names:
    """Lookups of what the config defines, whether or not an experiment that runs uses it."""
    entries = {axis: _one_of(list(config[f"{axis}s"])) for axis in AXES}

    def cells(name: str) -> str:
        parts = zip(AXES, name.split("/"), strict=True)
        wrong = ((axis, part, entries[axis](part)) for axis, part in parts)
        return next((f"the config has no {axis} {part!r}; {allowed}" for axis, part, allowed in wrong if allowed), "")

    return {
        "architectures": entries["architecture"],
        "experiments": _one_of(list(config["experiments"])),
        "experiments or none": _one_of(["", *config["experiments"]]),
        "cells": cells,
    }


def _one_of(names: Sequence[str]) -> Callable[[str], str]:
    allowed = ", ".join(name or "''" for name in names)
    wrong = f"allowed are {allowed}" if names else "there is none that it could name"
    return lambda name: "" if name in names else wrong


# ------------------------------------------------------------------------------------------ what a schema cannot say


def _mistakes_of_claims(original: Mapping[str, Any]) -> Iterator[str]:
    by_id = {claim["id"]: claim for claim in original["claims"]}
    for claim in original["claims"]:
        where = f"claims.{claim['id']}"
        if claim["kind"] == "accuracy" and claim["margin"] == "binomial" and claim["value"] == 100:
            yield f"{where}.margin is 'binomial', which is 0 at 100 percent; allowed is a key of `analysis`"
        for position, reading in enumerate(claim.get("readings", ())):
            place = f"{where}.readings[{position}]"
            yield from _mistakes_of_a_reading(place, claim["kind"], reading)
            if claim["kind"] == "follows_from":
                yield from _mistakes_of_a_consequence(place, claim, reading, by_id)


def _mistakes_of_a_reading(where: str, kind: str, reading: Mapping[str, Any]) -> Iterator[str]:
    if kind == "parameter_ratio" and round(reading["value"], reading["decimals"]) != reading["value"]:
        most = f"at most {reading['decimals']} decimals, as `decimals` says"
        yield f"{where}.value is {reading['value']}; allowed is a number with {most}"
    if kind in ("best", "near_best"):
        key = "best" if kind == "best" else "cell"
        for other in (*reading["others"], reading.get("baseline")):
            if other == reading[key]:
                yield f"{where} compares {other} with itself; others and baseline must be other cells than {key}"


def _mistakes_of_a_consequence(
    where: str, claim: Mapping[str, Any], reading: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """A consequence is drawn from claims that stand before it, each with both of the readings that it compares."""
    before = list(by_id)[: list(by_id).index(claim["id"])]
    for name in reading["claims"]:
        if name not in before:
            yield f"{where}.claims names {name}, which must stand before {claim['id']}; move {claim['id']} behind it"
            continue
        gap = by_id[name]["kind"] == "gap"  # whose readings `claims.gap` makes
        known = ["primary", "evaluated"] if gap else [one["id"] for one in by_id[name]["readings"]]
        for key in ("stated", "alternative"):
            if reading[key] not in known:
                has = f"the readings of {name} are {', '.join(known)}"
                yield f"{where}.{key} is {reading[key]!r}, which {name} does not have; {has}"


def _mistakes_of_the_table(table: Mapping[str, Any]) -> Iterator[str]:
    """Every row has as many entries as columns are printed: at least all that name a claim."""
    columns = table["columns"]
    least = max(position + 1 for position, column in enumerate(columns) if {"training", "validation"} & column.keys())
    length = len(table["rows"][0]["printed"]) if table["rows"] else 0
    for position, row in enumerate(table["rows"]):
        where, found = f"table.rows[{position}].printed has length {len(row['printed'])}", len(row["printed"])
        if not least <= found <= len(columns):
            allowed = f"{least} to {len(columns)}" if least < len(columns) else f"{least}"
            yield f"{where}; allowed is {allowed}, one for each column but those at the end that name no claim"
        if found != length:
            yield f"{where}, that of rows[0] {length}; they must be alike"


def _mistakes_of_printed_numbers(original: Mapping[str, Any]) -> Iterator[str]:
    """An accuracy is printed in the table as its claim says, to as many decimals as are printed."""
    values = {claim["id"]: claim["value"] for claim in original["claims"] if claim["kind"] == "accuracy"}
    columns = original["table"]["columns"]
    for position, row in enumerate(original["table"]["rows"]):
        for at, (printed, column) in enumerate(zip(row["printed"], columns, strict=False)):
            claim = column.get(row["holds"]) if row["holds"] in ("training", "validation") else None
            if claim and not _is_printed(values[claim], printed or ""):
                where = f"table.rows[{position}].printed[{at}] is {printed!r}"
                yield f"{where}, and claim {claim}, which it prints, has the value {values[claim]}; they must be alike"


def _is_printed(value: float, text: str) -> bool:
    """Whether a text prints an accuracy of so many percent: as it is, as a share of 1, or as the error.

    True of a text without a number that could be one, that is, has a point (or a comma) or a percent sign.
    """
    numbers = re.findall(r"\d*\.\d+|\d+(?=\s*%)", re.sub(r"(\d),(\d)", r"\1.\2", text))
    ways = (value, 100 - value, value / 100, 1 - value / 100)
    return not numbers or any(
        math.isclose(float(number), round(way, len(number.partition(".")[2])), abs_tol=1e-9)
        for number in numbers
        for way in ways
    )


def _mistakes_of_cells(original: Mapping[str, Any]) -> Iterator[str]:
    """What stands side by side is about one cell: the claims of a gap, and a column and its claims."""
    cells = {claim["id"]: claim["readings"][0].get("cells") for claim in original["claims"] if "readings" in claim}
    for claim in original["claims"]:
        if claim["kind"] == "gap":
            training, validation = (cells[claim[part]][0] for part in ("training", "validation"))
            if training != validation:
                told = f"{claim['training']} is about {training} and {claim['validation']} about {validation}"
                yield f"claims.{claim['id']} is a gap of two cells ({told}); both claims must be about one"
    for position, column in enumerate(original["table"]["columns"]):
        for part in ("training", "validation"):
            if part in column and column["cell"] not in cells[column[part]]:
                wanted = f"allowed is a claim whose first reading is about this column's cell, {column['cell']}"
                yield f"table.columns[{position}].{part} is {column[part]!r}; {wanted}"
