"""What an experiment found, in sentences made from its pairs of cells: what is better, what is worse, what is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from refashion import formatting as fmt
from refashion.study.model import AXES, TABLES
from refashion.study.names import augmentation, unlike
from refashion.telling.cells import Analysis, cell_name

#: Seeds of a pair from which it is told: of two, an interval is so wide that it tells nothing.
LEAST_SEEDS = 3


def experiment_told(analysis: Analysis, config: Mapping[str, Any], experiment: str) -> list[str]:
    """A sentence for each cell with which others are compared, in the axis that the experiment varies most.

    Better and worse are the conclusions of the corrected family; of what is open, the intervals' outermost ends tell
    how large a difference can be. Pairs of fewer than LEAST_SEEDS seeds are in no sentence, unless their accuracies are
    the same run for run. `config`: with the settings of every entry filled in.
    """
    families = [family["pairs"] for family in analysis["comparisons"] if family["id"] == experiment]
    pairs = [pair for family in families for pair in family]
    if not pairs:
        return []
    (axis, _), *_ = Counter(map(_axis, pairs)).most_common(1)
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for pair in pairs:
        enough = pair["n"] >= LEAST_SEEDS or _is_same(pair)
        if _axis(pair) == axis and enough and pair["p_adjusted"] is not None:
            groups.setdefault(pair["b"], []).append(pair)
    return [_told(analysis, config, reference, axis, group) for reference, group in groups.items()]


def _axis(pair: Mapping[str, Any]) -> str:
    """The axis in which a pair's cells differ."""
    differing = zip(AXES, pair["a"].split("/"), pair["b"].split("/"), strict=True)
    return next(axis for axis, a, b in differing if a != b)


def _is_same(pair: Mapping[str, Any]) -> bool:
    """Whether both cells' accuracies are equal in every shared seed, of which there are two at least."""
    return pair["difference"] == 0 and pair["interval"] == [0, 0]


def _told(
    analysis: Analysis, config: Mapping[str, Any], reference: str, axis: str, pairs: list[Mapping[str, Any]]
) -> str:
    def with_difference(pair: Mapping[str, Any]) -> str:
        ends = pair["interval"]
        return f"{name(pair)} ({fmt.points(pair['difference'], fmt.half_of(ends))}, {fmt.interval(ends, sign=True)})"

    def name(pair: Mapping[str, Any]) -> str:
        has, lacks = _apart(analysis, config, axis, pair["a"], [reference])
        return fmt.sentence_list([*has, *lacks] or [_entry(pair["a"], axis)])

    pairs = sorted(pairs, key=lambda pair: pair["difference"], reverse=True)
    better = [with_difference(pair) for pair in pairs if pair["conclusion"] == "a"]
    worse = [with_difference(pair) for pair in reversed(pairs) if pair["conclusion"] == "b"]
    same = [name(pair) for pair in pairs if _is_same(pair)]
    unsettled = [pair for pair in pairs if pair["conclusion"] == "open" and not _is_same(pair)]
    parts = []
    if better:
        parts.append(f"better with {fmt.sentence_list(better)}")
    elif len(pairs) > 1:
        parts.append(f"none of {fmt.count(len(pairs))} others is shown to be better")
    if worse:
        parts.append(f"worse with {fmt.sentence_list(worse)}")
    if same:
        parts.append(f"the same accuracy in every run with {fmt.sentence_list(same)}")
    if unsettled:
        low, high = min(pair["interval"][0] for pair in unsettled), max(pair["interval"][1] for pair in unsettled)
        names = fmt.sentence_list([name(pair) for pair in unsettled], "or")
        parts.append(f"open for {names} (differences of {fmt.interval((low, high), sign=True)})")
    seeds = fmt.plural(min(pair["n"] for pair in pairs), "seed")
    cell = cell_name(analysis, reference)
    own, _ = _apart(analysis, config, axis, reference, [pair["a"] for pair in pairs])
    against = fmt.sentence_list(own) if own else ""
    against = f", against {against}" if against not in cell else ""
    return f"{cell}, over {seeds}{against}: {'; '.join(parts)}."


def _apart(
    analysis: Analysis, config: Mapping[str, Any], axis: str, cell: str, others: Sequence[str]
) -> tuple[list[str], list[str]]:
    """What a cell has on an axis that one of the others has not, and what it lacks, each in the settings' words.

    An augmentation goes by its name; a network among those of other builders, of which no setting tells the difference,
    by the name of its cell.
    """
    name, *names = (_entry(one, axis) for one in (cell, *others))
    if axis == "augmentation":
        return [augmentation(name)], []
    own, *entries = (config[TABLES[axis]][one] for one in (name, *names))
    if any(own.get("builder") != other.get("builder") for other in entries):
        return [cell_name(analysis, cell)], []
    lacks = [key for other in entries for key in other if other[key] and not own.get(key)]
    return unlike(own, entries), [f"without {key.replace('_', ' ')}" for key in lacks]


def _entry(cell: str, axis: str) -> str:
    """The name of a cell's entry of an axis."""
    return cell.split("/")[AXES.index(axis)]
