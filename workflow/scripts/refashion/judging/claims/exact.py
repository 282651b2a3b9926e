"""Claims that are equalities: counts of the data, of parameters and of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from refashion import formatting as fmt
from refashion.inference.verdicts import INCONCLUSIVE
from refashion.judging.claims.readings import Context, Judged, of_checks
from refashion.judging.document.claims import Check
from refashion.judging.facts import Facts


def data_facts(description: Mapping[str, Any]) -> dict[str, float]:
    """What the original counts, by its words, from `refashion.data.dataset.describe`."""
    rows, columns, *channels = description["image_shape"]
    return {
        "training images": description["train"]["images"],
        "test images": description["test"]["images"],
        "rows": rows,
        "columns": columns,
        "channels": channels[0] if channels else 1,
        "classes": len(description["test"]["per_class"]),
    }


def fact(entry: Mapping[str, Any], reading: Mapping[str, Any], context: Context) -> Judged:
    """Counts of the data set, held against its files."""
    data = context.facts.data
    known = data_facts(data) if data else {}
    unknown = "the data set has not been described"
    return equalities([_equality(name, said, known.get(name), "", unknown) for name, said in reading["facts"].items()])


def parameters(entry: Mapping[str, Any], reading: Mapping[str, Any], context: Context) -> Judged:
    """A parameter count, held against the network as built."""
    name, count = reading["architecture"], reading["count"]
    built = context.facts.architectures.get(name, {}).get(count)
    title = context.facts.names.network(name)
    label, unknown = f"{count.replace('_', '-')} parameters of {title}", f"{title} has not been built in this study"
    return equalities([_equality(label, reading["value"], built, "parameters", unknown)])


def parameter_ratio(entry: Mapping[str, Any], reading: Mapping[str, Any], context: Context) -> Judged:
    """How many times as many parameters one network has as another, rounded as the reading says."""
    top, bottom = reading["numerator"], reading["denominator"]
    ratio = parameters_ratio(context.facts.architectures, top, bottom)
    both = context.facts.names.network(top), context.facts.names.network(bottom)
    label, unknown = "parameters of {}, in times those of {}".format(*both), f"{' and '.join(both)} were not both built"
    return equalities([_equality(label, reading["value"], ratio, "times", unknown, reading["decimals"])])


def parameters_ratio(architectures: Mapping[str, Mapping[str, Any]], top: str, bottom: str) -> float | None:
    """Total parameters of one network over those of another, None if one was not built."""
    if top not in architectures or bottom not in architectures:
        return None
    return architectures[top]["total"] / architectures[bottom]["total"]


def layers(entry: Mapping[str, Any], reading: Mapping[str, Any], context: Context) -> Judged:
    """Every row and total of the summaries, held against the networks as built."""
    return equalities([_layers_check(name, context.facts) for name in reading["architectures"]])


def _layers_check(name: str, facts: Facts) -> Check:
    summary, built = facts.original["summaries"][name], facts.architectures.get(name)
    expected, found = f"{len(summary['rows'])} rows as printed", ""
    if built:
        wrong = sum(printed != ours for _, printed, ours in align(summary["rows"], built["rows"]))
        wrong += sum(built[count] != printed for count, printed in summary["printed"].items())
        found = f"{wrong} rows or totals differ" if wrong else expected
    return _equality(summary["title"], expected, found or None, "", f"{name} was not built in this study")


def _equality(label: str, expected: Any, found: Any, unit: str, why_unknown: str, decimals: int | None = None) -> Check:
    """A check that what was found, rounded to so many decimals if any, is what is expected."""
    known = found is not None
    return Check(
        label=label,
        expected=expected,
        found=found,
        unit=unit,
        holds=(found if decimals is None else round(found, decimals)) == expected if known else None,
        reason="" if known else f"cannot say, because {why_unknown}",
    )


def equalities(checks: Sequence[Check], cells: Sequence[str] = ()) -> Judged:
    """A reading that is an equality: it holds or not, and no run is needed."""
    verdict, reason = of_checks(checks, _told)
    return Judged(verdict, reason, checks, cells, tested=verdict != INCONCLUSIVE)


def _told(check: Check) -> str:
    against = f", where the original says {_count(check.expected)}" if check.holds is False else ""
    return f"{check.label}: {_count(check.found)}{against}"


def _count(value: float | str | None) -> str:
    """A count with thousands separators, a ratio to two decimals, words as they are, a dash for nothing."""
    if value is None or isinstance(value, str):
        return value or fmt.MISSING
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


LayerRow = tuple[str, tuple[int, ...], int]


def align(
    printed: Sequence[Sequence[Any]], built: Sequence[Sequence[Any]]
) -> list[tuple[str, LayerRow | None, LayerRow | None]]:
    """Rows of a printed summary beside those of the network as built: (printed name, printed, built).

    printed: [name, kind, shape, parameters] each; built: [kind, shape, parameters] each. Kinds are matched in order
    (longest common subsequence); a row without partner stands alone.
    """
    ours = [(kind, tuple(shape), count) for kind, shape, count in built]
    theirs = [(kind, tuple(shape), count) for _, kind, shape, count in printed]
    names = [row[0] for row in printed]
    matcher = SequenceMatcher(None, [row[0] for row in theirs], [row[0] for row in ours], autojunk=False)
    rows: list[tuple[str, LayerRow | None, LayerRow | None]] = []
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal":
            rows += zip(names[a0:a1], theirs[a0:a1], ours[b0:b1], strict=True)
        else:
            rows += [(names[i], theirs[i], None) for i in range(a0, a1)]
            rows += [("", None, ours[i]) for i in range(b0, b1)]
    return rows
