"""Networks against each other: every pair, and every rank."""

from __future__ import annotations

from functools import partial
from typing import Any

from refashion import formatting as fmt
from refashion.telling.cells import cell_name
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Figure, Row, Sketch
from refashion.telling.figures.style import BLUE, INK, MUTED, ORANGE

#: Colour of a pair by its conclusion.
_COLOURS = {"a": BLUE, "b": ORANGE}


def paired_differences(analysis: Analysis) -> Sketch:
    """Every pair of the original's cells: difference, interval, corrected p, A12, number of seeds."""
    title = "Which network beats which, seed by seed"
    family = next((one for one in analysis["comparisons"] if one["kind"] == "confirmatory"), None)
    pairs = [pair for pair in family["pairs"] if pair["difference"] is not None] if family else []
    if family is None or not pairs:
        return Sketch(title, reason="No two of the original's cells share finished seeds, so no pair can be compared.")
    pairs.sort(key=lambda pair: pair["difference"], reverse=True)
    names = {cell: cell_name(analysis, cell) for pair in pairs for cell in (pair["a"], pair["b"])}
    decided = sum(pair["conclusion"] in _COLOURS for pair in pairs)
    untested = sum(pair["interval"] is None for pair in pairs)
    as_validated = family["metric"] == "val_accuracy" and parts.validated_on_augmented(analysis)
    return Sketch(
        title,
        found=f"Of {fmt.plural(len(pairs), 'pair')} of columns, {decided or 'none'} decided",
        notes=f" p is after {family['correction']}, for {len(family['pairs'])} pairs."
        f"{_AS_VALIDATED if as_validated else ''}",
        alternative=parts.told(
            f"Forest plot of {fmt.plural(len(pairs), 'pair')}: {decided} decided, {untested} without a test",
            (_pair_told(names, pair) for pair in pairs),
        ),
        data=[
            {key: pair[key] for key in ("a", "b", "n", "difference")}
            | parts.ends(pair["interval"])
            | {key: pair[key] for key in ("p", "p_adjusted", "p_sign_flip", "a12", "conclusion")}
            for pair in family["pairs"]
        ],
        draw=partial(_draw_pairs, names, pairs),
    )


#: What a caption adds for a measure of accuracy that is not of the same images in every column.
_AS_VALIDATED = (
    " Accuracy as the original validated: augmented columns on augmented images, so part of such a difference is "
    "the images, not the network."
)


def _pair_told(names: dict[str, str], pair: dict[str, Any]) -> str:
    """A pair in words; one without an interval has no test, and says so."""
    told = [f"{names[pair['a']]} against {names[pair['b']]}: {fmt.points(pair['difference'])}"]
    told.append(fmt.p_phrase(pair["p_adjusted"]) if pair["interval"] else "no test")
    told.append(fmt.plural(pair["n"], "seed"))
    if pair["interval"] and pair["a12"] is not None:
        told.append(f"ahead in {fmt.share_of_100(pair['a12'])} of 100")
    return f"{', '.join(told)}."


def _draw_pairs(names: dict[str, str], pairs: list[dict[str, Any]], phone: bool) -> Figure:
    labels = [
        Row(
            names[pair["a"]],
            f"minus {names[pair['b']]}",
            f"{fmt.points(pair['difference'], fmt.half_of(pair['interval']))}, "
            + (fmt.p_phrase(pair["p_adjusted"]) if pair["interval"] else "no test"),
            _COLOURS.get(pair["conclusion"], INK),
        )
        for pair in pairs
    ]
    figure, (panel,) = parts.row_panels([("", labels)], phone, "difference, pp")
    for y, pair in enumerate(pairs):
        colour = _COLOURS.get(pair["conclusion"], MUTED)
        panel.plot([0, 0], [y - 0.2, y + 0.2], color=INK, linewidth=1, zorder=1)
        if pair["interval"]:
            panel.plot(pair["interval"], [y, y], color=colour, linewidth=3)
        (mark,) = panel.plot(pair["difference"], y, **parts.ring(colour, pair["n"]))
        style.tell(mark, _pair_told(names, pair))
    return figure


def ranks(analysis: Analysis) -> Sketch:
    """Chance of each rank, of means and of a study with one run a cell."""
    title = "Who is first, second, third: what the seeds allow"
    given = analysis["ranks"]
    if not given["p_rank"]:
        reason = fmt.sentence(given["reason"], "The ranks need at least two cells with the same seeds.")
        return Sketch(title, reason=reason)
    names = [cell_name(analysis, cell) for cell in given["cells"]]
    panels = [
        (f"Means over {fmt.plural(given['n'], 'seed')}", given["p_rank"]),
        ("A study with one run a network", given["p_rank_one_run"]),
    ]
    # In at least 95 of 100 draws, as the caption says.
    settled = sum(max(row) >= 0.95 for row in given["p_rank_one_run"])
    order, chance = "", given["p_published_order"]
    if chance is not None:
        times = fmt.share_of_100(chance)
        order = f" A study with one run a network prints the published order in {times} of 100 tries."
    best = max(range(len(names)), key=lambda i: given["p_rank"][i][0])
    first = fmt.share_of_100(given["p_rank"][best][0])
    return Sketch(
        title,
        found=f"One run of each network settles {settled or 'none'} of {len(names)} ranks",
        notes=order,
        alternative=f"Heat map of rank probabilities. {names[best]} is first in {first} of 100 draws.{order}",
        data=[
            {"of": of, "cell": cell, **{f"rank {r + 1}": chance for r, chance in enumerate(row)}}
            for of, matrix in panels
            for cell, row in zip(given["cells"], matrix, strict=True)
        ],
        draw=partial(_draw_ranks, names, panels),
    )


def _draw_ranks(names: list[str], panels: list[tuple[str, list[list[float]]]], phone: bool) -> Figure:
    figure, axes = parts.grid(len(panels), phone, 0.5 + 0.4 * len(names))
    for i, (panel, (title, matrix)) in enumerate(zip(axes, panels, strict=True)):
        panel.set_title(parts.wrap(title, 24 if phone else 60, 2))
        for y, row in enumerate(matrix):
            for x, chance in enumerate(row):
                told = fmt.share_of_100(chance).replace("fewer than ", "<").replace("more than ", ">")
                parts.tile(panel, x, y, BLUE, 0.04 + 0.46 * chance, told if chance else "", 8.5)
        panel.set_xlim(-0.5, len(names) - 0.5)
        panel.spines["bottom"].set_visible(False)
        panel.tick_params(length=0)
        panel.set_xticks(range(len(names)), [str(rank + 1) for rank in range(len(names))])
        panel.set_xlabel("rank")
        parts.name_rows(panel, names if phone or i == 0 else [""] * len(names), 22 if phone else 26)
    return figure
