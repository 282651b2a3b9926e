"""Networks against each other: every pair, and every rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import BLUE, HAIR, NARROW, ORANGE, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def paired_differences(analysis: Analysis) -> Sketch:
    """Every pair of the original's cells: difference, interval, corrected p, A12, number of seeds."""
    title = "Which network beats which, seed by seed"
    family = next((one for one in analysis["comparisons"] if one["kind"] == "confirmatory"), None)
    pairs = [pair for pair in family["pairs"] if pair["difference"] is not None] if family else []
    if family is None or not pairs:
        return Sketch(title, reason="No two of the original's cells share finished seeds, so no pair can be compared.")
    data = [
        {key: pair[key] for key in ("a", "b", "n", "difference")}
        | dict(zip(("low", "high"), parts.low_high(pair["interval"]), strict=True))
        | {key: pair[key] for key in ("p", "p_adjusted", "p_sign_flip", "a12", "conclusion")}
        for pair in family["pairs"]
    ]
    decided = sum(pair["conclusion"] in ("a", "b") for pair in pairs)
    untested = sum(pair["interval"] is None for pair in pairs)
    title = parts.finding(
        analysis,
        title,
        f"Of {fmt.plural(len(pairs), 'pair')} of columns, {decided or 'none'} decided",
    )
    caption = (
        f"Row minus column, in percentage points, over runs with the same seed: mean difference, its "
        f"{analysis['study']['confidence']:.0%} interval, the paired t test's p ({family['correction']}, "
        f"{len(family['pairs'])} pairs), the shared seeds, and in how many of 100 draws a run of the row beats a run "
        "of the column. p allows for all pairs of the family, those not run included; the intervals do not. Blue: the "
        "row is better; orange: the column is; pale: undecided"
        f"{'; grey: too few shared seeds for a test' if untested else ''}."
        f"{_AS_VALIDATED.get(family['metric'], '') if parts.validated_on_augmented(analysis) else ''}"
    )
    alternative = (
        f"Matrix of {fmt.plural(len(pairs), 'pair')}: {decided} decided, {untested} without a test. "
        + " ".join(
            f"{parts.cell_name(analysis, pair['a'])} against {parts.cell_name(analysis, pair['b'])}: "
            f"{fmt.points(pair['difference'])}, {_test_told(pair)}."
            for pair in pairs
        )
    )
    cells = [cell for cell in parts.original_cells(analysis) if any(cell in (pair["a"], pair["b"]) for pair in pairs)]
    placed = [_placed(cells, pair) for pair in pairs]
    return Sketch(
        title,
        caption,
        alternative,
        data,
        lambda phone: _list_pairs(analysis, placed) if phone else _draw_pairs(analysis, cells, placed),
        True,
    )


#: What a caption adds for a measure of accuracy that is not of the same images in every column.
_AS_VALIDATED = {
    "val_accuracy": (
        " Accuracy as the original validated: augmented columns on augmented images, so part of such a difference is "
        "the images, not the network."
    )
}


def _placed(cells: list[str], pair: dict[str, Any]) -> dict[str, Any]:
    """A pair as the lower triangle shows it: the later of `cells` is the row, and the signs are row minus column."""
    turned = cells.index(pair["a"]) < cells.index(pair["b"])
    row, column = (pair["b"], pair["a"]) if turned else (pair["a"], pair["b"])
    sign = -1 if turned else 1
    a12 = pair["a12"]
    return {
        "row": row,
        "column": column,
        "n": pair["n"],
        "difference": sign * pair["difference"],
        "interval": sorted(sign * bound for bound in pair["interval"]) if pair["interval"] else None,
        "p_adjusted": pair["p_adjusted"],
        "a12": a12 if a12 is None or not turned else 1 - a12,
        "decided": pair["conclusion"] in ("a", "b"),
    }


def _test_told(pair: dict[str, Any]) -> str:
    """p and seeds of a pair; a pair without an interval has no test, and says so."""
    seeds = fmt.plural(pair["n"], "seed")
    return f"{seeds}, no test" if pair["interval"] is None else f"{fmt.p_phrase(pair['p_adjusted'])}, {seeds}"


def _pair_lines(pair: dict[str, Any]) -> list[str]:
    """What stands below the difference of a pair: interval, test, and how often a run of the row is ahead."""
    lines = [_test_told(pair)]
    if pair["interval"]:
        lines.insert(0, fmt.interval(*pair["interval"], sign=True))
        if pair["a12"] is not None:
            lines.append(f"{fmt.share_of_100(pair['a12'])} of 100")
    return lines


def _pair_face(pair: dict[str, Any]) -> dict[str, Any]:
    """Blue or orange for who is better, pale while undecided, grey where nothing was tested."""
    if pair["interval"] is None:
        return {"facecolor": HAIR, "alpha": 0.75, "linewidth": 0}
    colour = BLUE if pair["difference"] > 0 else ORANGE
    return {"facecolor": colour, "alpha": 0.3 if pair["decided"] else 0.1, "linewidth": 0}


def _draw_pairs(analysis: Analysis, cells: list[str], pairs: list[dict[str, Any]]) -> Figure:
    size, left, top = 1.22, 1.7, 0.62
    count = len(cells) - 1
    figure = parts.blank(left + size * count, top + 0.82 * count)
    axes = parts.place_axes(figure, left, 0, size * count, 0.82 * count)
    axes.set_xlim(0, count)
    axes.set_ylim(count, 0)
    axes.set_axis_off()
    for pair in pairs:
        _draw_pair(axes, cells.index(pair["row"]) - 1, cells.index(pair["column"]), pair)
    for i, cell in enumerate(cells):
        name = "\n".join(parts.wrap(part, 18, 2) for part in parts.cell_name(analysis, cell).split(", "))
        if i:
            parts.text_lines(axes, name, (0, i - 0.5), (-8, 0), ha="right", weight="bold", size=8.5)
        if i < count:
            parts.text_lines(axes, name, (i + 0.5, 0), (0, 20), ha="center", weight="bold", size=8.5)
    return figure


def _draw_pair(axes: Axes, row: int, column: int, pair: dict[str, Any]) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((column + 0.02, row + 0.03), 0.96, 0.94, **_pair_face(pair)))
    place: dict[str, Any] = {"ha": "center", "va": "center"}
    difference = fmt.points(pair["difference"], fmt.half_of(pair["interval"]))
    axes.text(column + 0.5, row + 0.24, difference, weight="bold", **place)
    for k, line in enumerate(_pair_lines(pair)):
        axes.text(column + 0.5, row + 0.46 + 0.19 * k, line, size=7.5, **place)


def _list_pairs(analysis: Analysis, pairs: list[dict[str, Any]]) -> Figure:
    """The matrix as a list, a block a pair: a phone is too narrow for six columns of words."""
    from matplotlib.patches import Rectangle

    blocks = [_pair_block(analysis, pair) for pair in pairs]
    pitch, rim, gap = 0.17, 0.09, 0.05
    heights = [pitch * len(lines) + 2 * rim + gap for lines in blocks]
    figure = parts.blank(NARROW, sum(heights))
    axes = parts.place_axes(figure, 0, 0, NARROW, sum(heights))
    axes.set_xlim(0, NARROW)
    axes.set_ylim(sum(heights), 0)
    axes.set_axis_off()
    top = 0.0
    for pair, lines, height in zip(pairs, blocks, heights, strict=True):
        axes.add_patch(Rectangle((0.02, top), NARROW - 0.04, height - gap, **_pair_face(pair)))
        for k, line in enumerate(lines):
            weight = "bold" if k == 0 else "normal"
            axes.text(0.12, top + rim + pitch * (k + 0.5), line, va="center", size=8.5, weight=weight)
        top += height
    return figure


def _pair_block(analysis: Analysis, pair: dict[str, Any]) -> list[str]:
    """The lines of a pair in a list."""
    difference = fmt.points(pair["difference"], fmt.half_of(pair["interval"]))
    test = _pair_lines(pair)
    ahead = [parts.DOT.join([test[1], f"ahead in {test[2]}"])] if len(test) > 2 else test[1:]
    return [
        parts.wrap(parts.cell_name(analysis, pair["row"]), 44, 1),
        parts.wrap(f"minus {parts.cell_name(analysis, pair['column'])}", 46, 1),
        parts.DOT.join([difference, test[0]]),
        *ahead,
    ]


def ranks(analysis: Analysis) -> Sketch:
    """Chance of each rank, of means and of a study with one run a cell."""
    title = "Who is first, second, third: what the seeds allow"
    given = analysis["ranks"]
    if not given["p_rank"] or not given["cells"]:
        return Sketch(
            title, reason=fmt.sentence(given["reason"], "The ranks need at least two cells with the same seeds.")
        )
    names = [parts.cell_name(analysis, cell) for cell in given["cells"]]
    panels = [(f"Means over {fmt.plural(given['n'], 'seed')}", given["p_rank"])]
    if given["p_rank_one_run"]:
        panels.append(("A study with one run a network", given["p_rank_one_run"]))
    data = [
        {"of": of, "cell": cell, **{f"rank {r + 1}": chance for r, chance in enumerate(row)}}
        for of, matrix in panels
        for cell, row in zip(given["cells"], matrix, strict=True)
    ]
    chance = given["p_published_order"]
    order = ""
    if chance is not None:
        order = (
            f" A study with one run a network prints the published order in {fmt.share_of_100(chance)} of 100 tries."
        )
    title = parts.finding(analysis, title, _settled(given["p_rank_one_run"]))
    caption = (
        "Chance, in 100, that a network takes each rank when the seeds are drawn anew. First: comparing means. Second: "
        "what an author with a single run of each would print. A row that is spread out is a rank that one run cannot "
        f"settle, in at least 95 of 100 draws. "
        f"100 and 0 mean that none of the few seeds there are shows otherwise, not that it is certain.{order}"
    )
    best = max(range(len(names)), key=lambda i: given["p_rank"][i][0])
    first = fmt.share_of_100(given["p_rank"][best][0])
    alternative = f"Heat map of rank probabilities. {names[best]} is first in {first} of 100 draws.{order}"
    return Sketch(title, caption, alternative, data, lambda phone: _draw_ranks(names, panels, phone), True)


def _settled(one_run: list[list[float]] | None) -> str | None:
    """How many of the ranks a single run of each network settles, in at least 95 of 100 draws."""
    if not one_run:
        return None
    settled = sum(max(row) >= 0.95 for row in one_run)
    return f"One run of each network settles {fmt.count(settled) if settled else 'none'} of {len(one_run)} ranks"


def _draw_ranks(names: list[str], panels: list[tuple[str, list[list[float]]]], phone: bool) -> Figure:
    height = 0.8 + 0.4 * len(names)
    size = (NARROW, height * len(panels), len(panels), 1) if phone else (WIDE, height, 1, len(panels))
    figure, axes = style.new_figure(*size, sharey=True)
    for panel, (title, matrix) in zip(axes, panels, strict=True):
        panel.set_title(title)
        for y, row in enumerate(matrix):
            for x, chance in enumerate(row):
                _tile(
                    panel, x, y, chance, fmt.share_of_100(chance).replace("fewer than ", "<").replace("more than ", ">")
                )
        panel.set_xlim(-0.5, len(matrix[0]) - 0.5)
        panel.set_xticks(range(len(matrix[0])), [str(rank + 1) for rank in range(len(matrix[0]))])
        panel.set_xlabel("rank")
        panel.spines["bottom"].set_visible(False)
        panel.tick_params(length=0)
    for panel in axes if phone else axes[:1]:
        parts.name_rows(panel, names, 22 if phone else 26, 8.5 if phone else 9.5)
    return figure


def _tile(axes: Axes, x: float, y: float, share: float, text: str, size: float = 8.5) -> None:
    """A heat map's tile: one colour whose opacity tells the share (0..1), so that ink stays legible."""
    from matplotlib.patches import Rectangle

    patch: dict[str, Any] = {"facecolor": BLUE, "alpha": 0.04 + 0.46 * min(1.0, max(0.0, share)), "linewidth": 0}
    axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, in_layout=False, **patch))
    if share > 0:
        axes.text(x, y, text, ha="center", va="center", size=size, in_layout=False)
