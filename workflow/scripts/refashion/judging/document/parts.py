"""What every part of the document is made of: the base class, fields with unit and meaning, samples, counts of runs.

A field is declared as `name: type = means("what it is", "unit")`. Numbers without a unit are counts, or say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticUndefined


class Part(BaseModel):
    """Base of every class of the document: unknown keys, NaN and infinity are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def of(cls, found: object, **others: Any) -> Self:
        """A part with the fields that a result, or an entry of a file, has under their names, and others."""
        if isinstance(found, Mapping):
            known = {name: found[name] for name in cls.model_fields if name in found}
        else:
            known = {name: getattr(found, name) for name in cls.model_fields if hasattr(found, name)}
        return cls(**known | others)


def means(meaning: str, unit: str = "", default: Any = PydanticUndefined) -> Any:
    """A field: its meaning, its unit where it has one, and its value where a part is made without it."""
    return Field(default, description=meaning, json_schema_extra={"unit": unit} if unit else None)


def reason() -> Any:
    """The field that says why another one is None."""
    return means('"" where everything exists; else one sentence, "cannot say, because ..."', default="")


#: A cell by its name.
CellName = Annotated[str, Field(description="cell, architecture/fraction/augmentation/recipe")]

#: [low, high] at the study's confidence.
Ends = Annotated[list[float], Field(min_length=2, max_length=2)]


class MetricSummary(Part):
    """One metric of one cell over its seeds. Percent for accuracies, seconds for times."""

    n: int = means("runs that count (diverged, failed and missing ones do not)")
    seeds: list[int] = means("seeds of the runs that count, ascending")
    values: list[float] = means("one value a seed, in the order of `seeds`", "percent")
    mean: float | None = means("mean over seeds; null without a run", "percent")
    sd: float | None = means("standard deviation over seeds (n - 1); null below two runs", "percent")
    interval: Ends | None = means("t interval of the mean; null below two runs", "percent")
    prediction: Ends | None = means("the interval in which one more run falls; null below two runs", "percent")
    reason: str = reason()


class RunCounts(Part):
    """How many runs there are of each kind."""

    wanted: int = means("runs that the study wants")
    finished: int = means("runs that count")
    diverged: int = means("runs whose loss was no finite number; left out")
    failed: int = means("runs that failed")
    missing: int = means("runs not done")
