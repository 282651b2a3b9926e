"""The figures of the report: one function a figure, from analysis.json to a drawing with caption, alternative and data.

A figure function takes the analysis (layout: report/analysis.schema.json) and gives a `Sketch`: the words, the rows of
its CSV, and a function that draws it, wide or for a phone. What the study has not run gives a sketch with a reason
instead; there is no empty figure. Accuracies are in percent, differences in percentage points (pp).

Importing this module is cheap on purpose: the Snakefile asks it for `NAMES` in every job.
"""

from __future__ import annotations

import csv
import io
import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

from refashion import figure_style as style
from refashion import formatting as fmt
from refashion.figure_style import BLUE, HAIR, INK, MUTED, NARROW, ORANGE, PAPER, SERIES, VERDICT_COLOURS, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Analysis = dict[str, Any]

#: More seeds than this in one row are thinned to every k-th, with a note in the caption.
MOST_SEEDS = 60
#: More rows than this in one panel would be no figure any more; the CSV has them all.
MOST_ROWS = 60


@dataclass(frozen=True)
class Sketch:
    """A figure before it is drawn. `draw(narrow)` draws it; None where `reason` says why there is nothing to draw."""

    title: str
    caption: str = ""
    alternative: str = ""
    data: list[dict[str, Any]] = field(default_factory=list)
    draw: Callable[[bool], Figure] | None = None
    phone: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Drawing:
    """A figure as files: SVG for a wide page, SVG for a phone (None: the wide one serves), CSV."""

    name: str
    title: str
    caption: str
    alternative: str
    svg: str
    phone_svg: str | None
    csv: str
    reason: str


def draw(analysis: Analysis, name: str) -> Drawing:
    """Draws the figure `name` (one of NAMES)."""
    return render(name, FIGURES[name](analysis))


def draw_experiment(analysis: Analysis, name: str) -> Drawing:
    """Draws the cells of one experiment of the config."""
    return render(f"experiment-{name}", _experiment(analysis, name))


def render(name: str, sketch: Sketch) -> Drawing:
    """A sketch as SVG and CSV. One without anything to draw becomes its reason, as a sentence."""
    with style.style():
        svg = style.to_svg(sketch.draw(False) if sketch.draw else _sentence(sketch.reason), name)
        phone = style.to_svg(sketch.draw(True), f"{name}-phone") if sketch.draw and sketch.phone else None
    return Drawing(
        name=name,
        title=sketch.title,
        caption=sketch.caption,
        alternative=sketch.alternative,
        svg=svg,
        phone_svg=phone,
        csv=to_csv(sketch.data),
        reason=sketch.reason,
    )


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV; a column that a row lacks, and what is None, stays empty."""
    if not rows:
        return "reason\n"
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    return stream.getvalue()


def _plain(value: Any) -> Any:
    """A value as CSV readers of any language know it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else value


def _sentence(reason: str) -> Figure:
    from matplotlib.figure import Figure

    lines = textwrap.wrap(reason, 90)
    figure = Figure(figsize=(WIDE, 0.5 + 0.25 * len(lines)))
    figure.text(0.02, 0.5, "\n".join(lines), va="center", color=MUTED, size=11)
    return figure


# --- Words and small parts --------------------------------------------------------------------------------------------


def cell_name(analysis: Analysis, cell: str) -> str:
    """A cell in words: the original's own for its columns ('1 Layer CNN, Full dataset'), else the names of its axes."""
    for column in analysis["table"]["columns"]:
        if column["cell"] == cell:
            return f"{column['title']}, {column['data']}"
    return " \u00b7 ".join(cell.split("/"))


def original_cells(analysis: Analysis) -> list[str]:
    """The cells of the original's columns, in the table's order."""
    return [column["cell"] for column in analysis["table"]["columns"]]


def thin(values: Sequence[float], most: int = MOST_SEEDS) -> list[float]:
    """Every k-th value, so that at most `most` remain."""
    return list(values[:: math.ceil(len(values) / most) or 1]) if values else []


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """Positions for labels, in the given order, moved as little as needed to lie at least `gap` apart."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    groups: list[list[int]] = []

    def bounds(group: list[int]) -> tuple[float, float]:
        middle, half = fmean(positions[i] for i in group), gap * (len(group) - 1) / 2
        return middle - half, middle + half

    for index in order:
        groups.append([index])
        while len(groups) > 1 and bounds(groups[-2])[1] + gap > bounds(groups[-1])[0]:
            groups[-2:] = [groups[-2] + groups[-1]]
    result = [0.0] * len(positions)
    for group in groups:
        start = bounds(group)[0]
        for rank, index in enumerate(group):
            result[index] = start + gap * rank
    return result


def _colours(names: Iterable[str]) -> dict[str, str]:
    """A colour a name, in order of appearance; they repeat after six."""
    return {name: SERIES[i % len(SERIES)] for i, name in enumerate(dict.fromkeys(names))}


def _architecture_colours(analysis: Analysis) -> dict[str, str]:
    cells = [*original_cells(analysis), *(row["cell"] for row in analysis["cells"])]
    return _colours(cell.split("/")[0] for cell in cells)


def _wrap(text: str, width: int, lines: int = 3) -> str:
    """Text in at most so many lines; what is cut ends in an ellipsis."""
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" \u2026"))


def _lines(axes: Axes, text: str, xy: tuple[float, float], offset: tuple[float, float], **options: Any) -> None:
    """Text line by line beside a point of the data: an SVG viewer with another font keeps each line's alignment.

    `offset` is in points from the point to the middle of the text.
    """
    lines = text.split("\n")
    pitch = 1.25 * options.get("size", 9.5)
    for i, line in enumerate(lines):
        place = (offset[0], offset[1] + pitch * ((len(lines) - 1) / 2 - i))
        axes.annotate(line, xy, place, textcoords="offset points", va="center", annotation_clip=False, **options)


def _name_rows(axes: Axes, names: Sequence[str], width: int = 24, size: float = 9.5) -> None:
    """Names of rows 0, 1, ... left of the axes, at most two lines each, the first row on top."""
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    for y, name in enumerate(names):
        place = {"xycoords": axes.get_yaxis_transform(), "ha": "right", "size": size}
        _lines(axes, _wrap(name, width, 2), (0, y), (-6, 0), **place)


def _panel(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes placed in inches from the figure's lower left corner."""
    w, h = figure.get_size_inches()
    return figure.add_axes((left / w, bottom / h, width / w, height / h))


def _blank(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def _seeds_note(most: int) -> str:
    if most <= MOST_SEEDS:
        return ""
    return f" Of {fmt.plural(most, 'seed')}, every {math.ceil(most / MOST_SEEDS)}th is drawn; the data have them all."


def _low_high(interval: list[float] | None) -> tuple[float | None, float | None]:
    return (interval[0], interval[1]) if interval else (None, None)


def _sample_columns(sample: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A sample's columns in a CSV."""
    low, high = _low_high(sample["interval"])
    values = " ".join(f"{value:.4f}" for value in sample["values"])
    return {
        f"{prefix}n": sample["n"],
        f"{prefix}mean": sample["mean"],
        f"{prefix}sd": sample["sd"],
        f"{prefix}low": low,
        f"{prefix}high": high,
        f"{prefix}values": values,
    }


# --- 1. Verdicts ------------------------------------------------------------------------------------------------------


def verdict_forest(analysis: Analysis) -> Sketch:
    """Published validation accuracies: every seed, interval, prediction interval, margin, verdict."""
    return _forest(analysis, "V", "Published validation accuracies, held against our runs")


def training_forest(analysis: Analysis) -> Sketch:
    """The same for the published training accuracies."""
    return _forest(analysis, "T", "Published training accuracies, held against our runs")


def _forest(analysis: Analysis, family: str, title: str) -> Sketch:
    rows = [_forest_row(analysis, claim) for claim in analysis["claims"] if claim["family"] == family]
    if not any(row["values"] for row in rows):
        return Sketch(title, reason="No run that bears on these numbers has finished, so there is nothing to compare.")
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICT_COLOURS}
    told = fmt.sentence_list(f"{count} {verdict}" for verdict, count in counts.items() if count)
    caption = (
        "Each row is one published number, at zero. Ticks are our runs, the ring their mean, the thick line its "
        f"{analysis['study']['confidence']:.0%} interval, the thin line where one more run would fall. The shaded band "
        "is the margin within which a number counts as reproduced. A published number (the upright line) outside "
        f"the thin one is no run like ours.{_seeds_note(max(len(row['values']) for row in rows))}"
    )
    known = [row for row in rows if row["mean"] is not None]
    far = max(known, key=lambda row: abs(row["mean"] - row["published"]))
    alternative = (
        f"Forest plot of {len(rows)} published numbers: {told}. The largest difference is "
        f"{fmt.points(far['mean'] - far['published'])} for {far['label']}, {far['detail']}."
    )
    return Sketch(
        title, caption, alternative, [_forest_csv(row) for row in rows], lambda phone: _draw_forest(rows, phone), True
    )


def _forest_row(analysis: Analysis, claim: dict[str, Any]) -> dict[str, Any]:
    numbers = claim["readings"][0]["numbers"] or {}
    columns = analysis["table"]["columns"]
    own = [column for column in columns if claim["id"] in (column["training_claim"], column["validation_claim"])]
    cells = claim["readings"][0]["cells"]
    cell = numbers.get("cell") or (cells[0] if cells else "")
    detail = cell_name(analysis, cell) + ("" if own else " (text)")
    low, high = _low_high(numbers.get("interval"))
    run_low, run_high = _low_high(numbers.get("prediction"))
    return {
        "label": claim["id"],
        "detail": detail,
        "cell": cell,
        "published": claim["value"],
        "margin": numbers.get("margin"),
        "values": numbers.get("values", []),
        "mean": numbers.get("mean"),
        "low": low,
        "high": high,
        "run_low": run_low,
        "run_high": run_high,
        "verdict": claim["verdict"],
    }


def _forest_csv(row: dict[str, Any]) -> dict[str, Any]:
    return {"claim": row["label"], **{key: row[key] for key in row if key not in ("label", "values")}} | {
        "values": " ".join(f"{value:.4f}" for value in row["values"])
    }


def _draw_forest(rows: list[dict[str, Any]], phone: bool) -> Figure:
    width = NARROW if phone else WIDE
    pitch, top, bottom = (0.68 if phone else 0.44), 0.1, 0.5
    left, right = (0.05, 0.05) if phone else (2.85, 1.35)
    figure = _blank(width, top + bottom + pitch * len(rows))
    axes = _panel(figure, left, bottom, width - left - right, pitch * len(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    for y, row in enumerate(rows):
        colour = VERDICT_COLOURS[row["verdict"]]
        _draw_forest_row(axes, y + (0.16 if phone else 0), row, colour)
        _label_forest_row(axes, y, row, colour, phone, left / (width - left - right))
    axes.set_xlabel(
        "ours minus published, percentage points"
        if phone
        else "our accuracy minus the published one, percentage points"
    )
    axes.grid(axis="x")
    return figure


def _draw_forest_row(axes: Axes, y: float, row: dict[str, Any], colour: str) -> None:
    zero = row["published"]
    if row["margin"] is not None:
        axes.fill_between([-row["margin"], row["margin"]], y - 0.32, y + 0.32, color=HAIR, linewidth=0, zorder=0)
    axes.plot([0, 0], [y - 0.32, y + 0.32], color=INK, linewidth=1.4, zorder=1)
    if row["run_low"] is not None:
        axes.plot([row["run_low"] - zero, row["run_high"] - zero], [y, y], color=colour, linewidth=1, zorder=2)
    if row["low"] is not None:
        axes.plot([row["low"] - zero, row["high"] - zero], [y, y], color=colour, linewidth=4.5, zorder=3)
    seeds = [value - zero for value in thin(row["values"])]
    axes.plot(seeds, [y + 0.2] * len(seeds), "|", color=colour, markersize=5, markeredgewidth=0.9, zorder=2)
    if row["mean"] is not None:
        ring = {"markerfacecolor": PAPER, "markeredgecolor": colour, "markersize": 6, "markeredgewidth": 1.8}
        axes.plot(row["mean"] - zero, y, "o", zorder=4, **ring)


def _label_forest_row(axes: Axes, y: float, row: dict[str, Any], colour: str, phone: bool, left: float) -> None:
    place = axes.get_yaxis_transform()
    if phone:
        axes.text(0, y - 0.3, f"{row['label']}  {_wrap(row['detail'], 26, 1)}", transform=place, va="center", size=8.5)
        axes.text(
            1, y - 0.3, row["verdict"], transform=place, color=colour, weight="bold", va="center", ha="right", size=8.5
        )
        return
    axes.text(-left, y, row["label"], transform=place, weight="bold", va="center")
    axes.text(-left * 0.86, y - 0.14, _wrap(row["detail"], 40, 1), transform=place, va="center")
    axes.text(
        -left * 0.86,
        y + 0.2,
        f"published {fmt.percent(row['published'])}",
        transform=place,
        va="center",
        color=MUTED,
        size=8.5,
    )
    axes.text(1.03, y, row["verdict"], transform=place, color=colour, weight="bold", va="center")


# --- 2. Published against reproduced ----------------------------------------------------------------------------------


def published_vs_reproduced(analysis: Analysis) -> Sketch:
    """The accuracies of the original's table on their own scale, all seeds visible."""
    title = "The original's table, published and run again"
    values = {claim["id"]: claim["value"] for claim in analysis["claims"]}
    panels = []
    for row in analysis["table"]["rows"]:
        if row["kind"] == "accuracy" and any(value["printed"] for value in row["values"]):
            points = [
                {
                    "row": row["name"],
                    "column": column["id"],
                    "cell": column["cell"],
                    "name": cell_name(analysis, column["cell"]),
                    "published": values.get(entry["claim"]),
                    "sample": entry["sample"],
                    "verdict": entry["verdict"],
                }
                for column, entry in zip(analysis["table"]["columns"], row["values"], strict=True)
            ]
            panels.append((row["name"], points))
    flat = [point for _, points in panels for point in points]
    if not any(point["sample"] and point["sample"]["n"] for point in flat):
        return Sketch(title, reason="No run of the original's cells has finished, so there is nothing to show.")
    data = [
        {key: point[key] for key in ("row", "column", "cell", "published", "verdict")}
        | (_sample_columns(point["sample"]) if point["sample"] else {})
        for point in flat
    ]
    caption = (
        "Diamonds are the published numbers, dots single runs of ours, bars of ink their means. Where the diamond lies "
        "outside the cloud of dots, luck in the seed does not explain it."
        f"{_seeds_note(max(point['sample']['n'] if point['sample'] else 0 for point in flat))}"
    )
    alternative = "Dot plot. " + " ".join(_told(point) for point in flat if point["sample"] and point["sample"]["n"])
    return Sketch(title, caption, alternative, data, lambda phone: _draw_published(analysis, panels, phone), True)


def _told(point: dict[str, Any]) -> str:
    published = f"published {fmt.percent(point['published'])}, " if point["published"] is not None else ""
    return f"{point['name']}, {point['row'].lower()}: {published}ours {fmt.percent(point['sample']['mean'])}."


def _draw_published(analysis: Analysis, panels: list[tuple[str, list[dict[str, Any]]]], phone: bool) -> Figure:
    count = len(analysis["table"]["columns"])
    height = (0.85 + 0.42 * count) * (len(panels) if phone else 1)
    shape = (len(panels), 1) if phone else (1, len(panels))
    figure, axes = style.new_figure(NARROW if phone else WIDE, height, *shape, sharey=True)
    colours = _architecture_colours(analysis)
    for panel, (name, points) in zip(axes, panels, strict=True):
        panel.set_title(name)
        for y, point in enumerate(points):
            colour = colours[point["cell"].split("/")[0]]
            panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)
            sample = point["sample"] or {"values": [], "mean": None}
            seeds = thin(sample["values"])
            panel.plot(seeds, [y] * len(seeds), "o", color=colour, alpha=0.45, markersize=5, markeredgewidth=0)
            if sample["mean"] is not None:
                panel.plot([sample["mean"]] * 2, [y - 0.22, y + 0.22], color=colour, linewidth=2.4)
            if point["published"] is not None:
                panel.plot(
                    point["published"], y, "D", markerfacecolor=PAPER, markeredgecolor=INK, markersize=6.5, zorder=5
                )
        panel.grid(axis="x")
        panel.set_xlabel("percent")
    for panel in axes if phone else axes[:1]:
        _name_rows(panel, [point["name"] for point in panels[0][1]], 15 if phone else 24, 8.5 if phone else 9.5)
    return figure


# --- 3. Pairs, 4. ranks -----------------------------------------------------------------------------------------------


def paired_differences(analysis: Analysis) -> Sketch:
    """Every pair of the original's cells: difference, interval, corrected p, A12."""
    title = "Which network beats which, seed by seed"
    family = next((one for one in analysis["comparisons"] if one["kind"] == "confirmatory"), None)
    pairs = [pair for pair in family["pairs"] if pair["difference"] is not None] if family else []
    if not pairs:
        return Sketch(title, reason="No two of the original's cells share finished seeds, so no pair can be compared.")
    data = [
        {key: pair[key] for key in ("a", "b", "n", "difference")}
        | dict(zip(("low", "high"), _low_high(pair["interval"]), strict=True))
        | {key: pair[key] for key in ("p", "p_adjusted", "p_sign_flip", "a12", "conclusion")}
        for pair in family["pairs"]
    ]
    decided = sum(pair["conclusion"] in ("a", "b") for pair in pairs)
    caption = (
        f"Row minus column, in percentage points, over runs with the same seed: mean difference, its "
        f"{analysis['study']['confidence']:.0%} interval, the paired t test's p ({family['correction']}, "
        f"{len(family['pairs'])} pairs), and in how many of 100 draws a run of the row beats a run of the column. "
        "Blue: the row is better; orange: the column is. Pale cells are undecided."
    )
    alternative = f"Matrix of {fmt.plural(len(pairs), 'pair')}; {decided} of them decided. " + " ".join(
        f"{cell_name(analysis, pair['a'])} against {cell_name(analysis, pair['b'])}: {fmt.points(pair['difference'])}."
        for pair in pairs
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_pairs(analysis, pairs))


def _draw_pairs(analysis: Analysis, pairs: list[dict[str, Any]]) -> Figure:
    cells = [cell for cell in original_cells(analysis) if any(cell in (pair["a"], pair["b"]) for pair in pairs)]
    size, left, top = 1.22, 1.7, 0.62
    count = len(cells) - 1
    figure = _blank(left + size * count, top + 0.82 * count)
    axes = _panel(figure, left, 0, size * count, 0.82 * count)
    axes.set_xlim(0, count)
    axes.set_ylim(count, 0)
    axes.set_axis_off()
    for pair in pairs:
        i, j = cells.index(pair["a"]), cells.index(pair["b"])
        sign = 1 if i > j else -1
        _draw_pair(axes, max(i, j) - 1, min(i, j), pair, sign)
    for i, cell in enumerate(cells):
        name = "\n".join(_wrap(part, 18, 2) for part in cell_name(analysis, cell).split(", "))
        if i:
            _lines(axes, name, (0, i - 0.5), (-8, 0), ha="right", weight="bold", size=8.5)
        if i < count:
            _lines(axes, name, (i + 0.5, 0), (0, 20), ha="center", weight="bold", size=8.5)
    return figure


def _draw_pair(axes: Axes, row: int, column: int, pair: dict[str, Any], sign: int) -> None:
    from matplotlib.patches import Rectangle

    difference = sign * pair["difference"]
    decided = pair["conclusion"] in ("a", "b")
    box = {"facecolor": BLUE if difference > 0 else ORANGE, "alpha": 0.3 if decided else 0.07, "linewidth": 0}
    axes.add_patch(Rectangle((column + 0.02, row + 0.03), 0.96, 0.94, **box))
    middle = column + 0.5
    axes.text(
        middle, row + 0.24, fmt.points(difference, _width(pair["interval"])), ha="center", va="center", weight="bold"
    )
    lines = []
    if pair["interval"]:
        low, high = sorted(sign * bound for bound in pair["interval"])
        lines.append(fmt.interval(low, high, sign=True))
    lines.append(fmt.p_phrase(pair["p_adjusted"]))
    if pair["a12"] is not None:
        lines.append(f"{fmt.share_of_100(pair['a12'] if sign > 0 else 1 - pair['a12'])} of 100")
    for k, line in enumerate(lines):
        axes.text(middle, row + 0.46 + 0.19 * k, line, ha="center", va="center", size=7.5)


def _width(interval: list[float] | None) -> float | None:
    return fmt.half_width(*_low_high(interval))


def ranks(analysis: Analysis) -> Sketch:
    """Chance of each rank, of means and of a study with one run a cell."""
    title = "Who is first, second, third: what the seeds allow"
    given = analysis["ranks"]
    if not given["p_rank"] or not given["cells"]:
        return Sketch(title, reason=_said(given["reason"], "The ranks need at least two cells with the same seeds."))
    names = [cell_name(analysis, cell) for cell in given["cells"]]
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
    caption = (
        "Chance, in 100, that a network takes each rank when the seeds are drawn anew. Left: comparing means. Right: "
        "what an author with a single run of each would print. A row that is spread out is a rank that one run cannot "
        f"settle.{order}"
    )
    best = max(range(len(names)), key=lambda i: given["p_rank"][i][0])
    first = fmt.share_of_100(given["p_rank"][best][0])
    alternative = f"Heat map of rank probabilities. {names[best]} is first in {first} of 100 draws.{order}"
    return Sketch(title, caption, alternative, data, lambda phone: _draw_ranks(names, panels))


def _draw_ranks(names: list[str], panels: list[tuple[str, list[list[float]]]]) -> Figure:
    figure, axes = style.new_figure(WIDE, 0.8 + 0.4 * len(names), 1, len(panels), sharey=True)
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
    _name_rows(axes[0], names, 26)
    return figure


def _tile(axes: Axes, x: float, y: float, share: float, text: str, size: float = 8.5) -> None:
    """A heat map's tile: one colour whose opacity tells the share (0..1), so that ink stays legible."""
    from matplotlib.patches import Rectangle

    patch = {"facecolor": BLUE, "alpha": 0.04 + 0.46 * min(1.0, max(0.0, share)), "linewidth": 0}
    axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, in_layout=False, **patch))
    if share > 0:
        axes.text(x, y, text, ha="center", va="center", size=size, in_layout=False)


def _said(reason: str, otherwise: str) -> str:
    """A reason of the analysis as a sentence."""
    if not reason:
        return otherwise
    return reason[0].upper() + reason[1:].rstrip(".") + "."


# --- 5. Interaction ---------------------------------------------------------------------------------------------------


def interaction(analysis: Analysis) -> Sketch:
    """Augmentation's effect by network and number of images, at equal updates and as published."""
    title = "Network, images and augmentation, taken apart"
    policies = [
        policy
        for policy in analysis["effects"]["policies"]
        if sum(cell["sample"]["mean"] is not None for cell in policy["cells"]) > 1
    ]
    if not policies:
        return Sketch(title, reason=_said(analysis["effects"]["reason"], "The factorial experiment has not been run."))
    data = [
        {"policy": policy["title"], "metric": policy["metric"]}
        | {key: cell[key] for key in ("cell", "architecture", "fraction", "augmentation", "images")}
        | _sample_columns(cell["sample"])
        for policy in policies
        for cell in policy["cells"]
    ]
    caption = (
        "Each line joins the same network without and with augmentation; whiskers are "
        f"{analysis['study']['confidence']:.0%} intervals of the mean. Parallel lines would mean that augmentation "
        "does the same for every network. Compare the columns: with few images, and with all of them."
    )
    alternative = "Interaction plot. " + " ".join(
        f"{policy['title']}, {cell['architecture']} with {fmt.count(cell['images'])} images, {cell['augmentation']}: "
        f"{fmt.percent(cell['sample']['mean'])}."
        for policy in policies
        for cell in policy["cells"]
        if cell["sample"]["mean"] is not None
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_interaction(analysis, policies))


def _draw_interaction(analysis: Analysis, policies: list[dict[str, Any]]) -> Figure:
    fractions = list(dict.fromkeys(cell["fraction"] for policy in policies for cell in policy["cells"]))
    grid = style.new_figure(WIDE, 0.5 + 2.5 * len(policies), len(policies), len(fractions), sharey=True, sharex=False)
    figure, axes = grid
    colours = _architecture_colours(analysis)
    ends = []
    for row, policy in enumerate(policies):
        for column, fraction in enumerate(fractions):
            panel = axes[row * len(fractions) + column]
            cells = [cell for cell in policy["cells"] if cell["fraction"] == fraction]
            images = f"{fmt.count(cells[0]['images'])} images" if cells else fraction
            panel.set_title(f"{_wrap(policy['title'], 44, 2)}\n{images}", size=9)
            ends.append((panel, _draw_lines(panel, cells, policy["levels"]["augmentation"], colours)))
        axes[row * len(fractions)].set_ylabel("accuracy, percent")
    for panel, names in ends:
        _label_ends(panel, names, panel.get_xlim()[1] - 0.63, 0.075)
    return figure


def _draw_lines(
    panel: Axes, cells: list[dict[str, Any]], levels: list[str], colours: dict[str, str]
) -> list[tuple[str, float, str]]:
    """A line a network; their ends (name, height, colour) for labels, once the shared limits are final."""
    panel.set_xlim(-0.35, len(levels) - 1 + 0.75)
    panel.set_xticks(range(len(levels)), levels)
    panel.grid(axis="y")
    ends = []
    for name in dict.fromkeys(cell["architecture"] for cell in cells):
        points = [(levels.index(c["augmentation"]), c["sample"]) for c in cells if c["architecture"] == name]
        points = sorted((x, sample) for x, sample in points if sample["mean"] is not None)
        if not points:
            continue
        colour = colours.get(name, INK)
        panel.plot([x for x, _ in points], [sample["mean"] for _, sample in points], color=colour, linewidth=1.8)
        for x, sample in points:
            if sample["interval"]:
                panel.plot([x, x], sample["interval"], color=colour, linewidth=1.2)
            panel.plot(
                x,
                sample["mean"],
                "o",
                markerfacecolor=PAPER,
                markeredgecolor=colour,
                markersize=5.5,
                markeredgewidth=1.6,
            )
        ends.append((name, points[-1][1]["mean"], colour))
    return ends


def _label_ends(panel: Axes, ends: list[tuple[str, float, str]], x: float, gap: float, size: float = 8.5) -> None:
    """Names beside the ends of lines, kept apart by `gap` of the panel's height (its limits must be final)."""
    if not ends:
        return
    low, high = panel.get_ylim()
    heights = spread([value for _, value, _ in ends], gap * (high - low) * (len(ends) > 1))
    for (name, _, colour), height in zip(ends, heights, strict=True):
        panel.text(x, height, name, color=colour, va="center", size=size, weight="bold")


# --- 6. Where the spread comes from -----------------------------------------------------------------------------------


def variance_components(analysis: Analysis) -> Sketch:
    """The spread between runs, taken apart: luck on single images, true differences, subset, initialiser."""
    title = "Where the spread between runs comes from"
    given = analysis["variance"]
    noise = [
        one for one in given["image_noise"] if one["seed_variance"] is not None and one["within_images"] is not None
    ]
    noise = [one for one in noise if one["cell"] in original_cells(analysis)] or noise[:8]
    sources = [one for one in (given["components"] or {"sources": []})["sources"] if one["variance"] is not None]
    if not noise and not sources:
        return Sketch(title, reason=_said(given["reason"], "A spread needs at least two runs of a cell."))
    data = [
        {"part": part, "cell": one["cell"], "n": one["n"], "sd": math.sqrt(max(0.0, one[key]))}
        for one in noise
        for part, key in _NOISE.items()
        if one[key] is not None
    ]
    data += [
        {"part": one["source"], "cell": "crossed experiment", "sd": one["sd"], "share": one["share"], "p": one["p"]}
        for one in sources
    ]
    crossed = " Right: the crossed experiment splits it by what was drawn." if sources and noise else ""
    caption = (
        "Standard deviations in percentage points. Two runs of one recipe differ because they get single images right "
        "or wrong by luck, and because they are truly better or worse networks; the ring is what an author who trains "
        f"once cannot see.{crossed}"
    )
    alternative = "Dot plot of standard deviations. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: {fmt.number(math.sqrt(one['seed_variance']))} pp between runs."
        for one in noise
    )
    alternative += " ".join(
        f" {one['source']}: {fmt.share_of_100(one['share'])} of 100." for one in sources if one["share"] is not None
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_variance(analysis, noise, sources))


_NOISE = {
    "between runs, as measured": "seed_variance",
    "luck on single images": "within_images",
    "true differences between runs": "true_seed_variance",
}


def _draw_variance(analysis: Analysis, noise: list[dict[str, Any]], sources: list[dict[str, Any]]) -> Figure:
    parts = [bool(noise), bool(sources)]
    rows = max(len(noise), len(sources), 2)
    figure, axes = style.new_figure(WIDE, 1.35 + 0.4 * rows, 1, sum(parts))
    remaining = list(axes)
    if noise:
        panel = remaining.pop(0)
        marks = zip(_NOISE.items(), ("o", "s", "D"), (INK, ORANGE, BLUE), strict=True)
        for (part, key), marker, colour in marks:
            known = [(math.sqrt(max(0.0, one[key])), y) for y, one in enumerate(noise) if one[key] is not None]
            face = PAPER if key == "seed_variance" else colour
            panel.plot(*zip(*known, strict=True), marker, color=colour, markerfacecolor=face, markersize=6, label=part)
        _name_rows(panel, [cell_name(analysis, one["cell"]) for one in noise])
        _rule_rows(panel, len(noise))
        panel.set_xlim(left=0)
        panel.set_xlabel("standard deviation, pp")
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1, fontsize=8.5)
    if sources:
        panel = remaining.pop(0)
        panel.set_title("Crossed experiment")
        for y, one in enumerate(sources):
            if one["interval"]:
                panel.plot([math.sqrt(max(0.0, bound)) for bound in one["interval"]], [y, y], color=BLUE, linewidth=1.4)
            panel.plot(one["sd"], y, "o", color=BLUE, markersize=6)
        _name_rows(panel, [one["source"] for one in sources])
        _rule_rows(panel, len(sources))
        panel.set_xlim(left=0)
        panel.set_xlabel("standard deviation, pp")
    return figure


def _rule_rows(panel: Axes, rows: int) -> None:
    panel.grid(axis="x")
    for y in range(rows):
        panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)


# --- 7. Specification curve -------------------------------------------------------------------------------------------


def specification_curves(analysis: Analysis) -> Sketch:
    """A published number under every choice that the original left unsaid."""
    title = "One published number, every unstated choice"
    curves = [curve for curve in analysis["specification_curves"] if curve["points"]]
    if not curves:
        reasons = [curve["reason"] for curve in analysis["specification_curves"] if curve["reason"]]
        return Sketch(
            title,
            reason=_said(reasons[0] if reasons else "", "The experiment that varies the unstated choices was not run."),
        )
    data = [
        {"claim": curve["claim"], "published": curve["published"], "cell": point["cell"], "metric": point["metric"]}
        | {"primary": point["primary"], "verdict": point["verdict"], **_sample_columns(point["sample"])}
        | {f"choice: {key}": value for key, value in point["choices"].items()}
        for curve in curves
        for point in curve["points"]
    ]
    caption = (
        "Each column is one way to fill in what the original left unsaid, sorted by the accuracy it gives; the ring "
        "marks our primary choice. The level line is the published number with its margin. Below, what each column "
        "changes. Columns that reach the band are choices under which the number would reproduce."
    )
    alternative = "Specification curve. " + " ".join(
        f"{curve['claim']}, published {fmt.percent(curve['published'])}: "
        f"{fmt.plural(len(curve['points']), 'specification')} from "
        f"{fmt.percent(curve['points'][0]['sample']['mean'])} to {fmt.percent(curve['points'][-1]['sample']['mean'])}, "
        f"of which {curve['within']} reproduce it."
        for curve in curves
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_specifications(curves))


def _choices(curve: dict[str, Any]) -> list[tuple[str, Any]]:
    """Every (key, value) that a specification changes, grouped by key."""
    found = dict.fromkeys((key, value) for point in curve["points"] for key, value in point["choices"].items())
    order = list(dict.fromkeys(key for key, _ in found))
    return sorted(found, key=lambda choice: (order.index(choice[0]), str(choice[1])))


def _draw_specifications(curves: list[dict[str, Any]]) -> Figure:
    left, right, top, gap = 2.1, 0.1, 0.35, 0.5
    matrices = [0.19 * max(1, len(_choices(curve))) for curve in curves]
    height = sum(top + 1.9 + 0.1 + matrix + gap for matrix in matrices)
    figure = _blank(WIDE, height)
    ceiling = height
    for curve, matrix in zip(curves, matrices, strict=True):
        upper = _panel(figure, left, ceiling - top - 1.9, WIDE - left - right, 1.9)
        lower = _panel(figure, left, ceiling - top - 2.0 - matrix, WIDE - left - right, matrix)
        _draw_curve(upper, curve)
        _draw_choices(lower, curve)
        ceiling -= top + 2.0 + matrix + gap
    return figure


def _draw_curve(panel: Axes, curve: dict[str, Any]) -> None:
    points = curve["points"]
    published, margin = curve["published"], curve["margin"]
    panel.axhspan(published - margin, published + margin, color=HAIR, linewidth=0)
    panel.axhline(published, color=INK, linewidth=1.4)
    for x, point in enumerate(points):
        colour = VERDICT_COLOURS[point["verdict"]]
        if point["sample"]["interval"]:
            panel.plot([x, x], point["sample"]["interval"], color=colour, linewidth=1.2)
        face = PAPER if point["primary"] else colour
        panel.plot(
            x,
            point["sample"]["mean"],
            "o",
            color=colour,
            markerfacecolor=face,
            markersize=7 if point["primary"] else 4.5,
            markeredgewidth=1.6,
        )
    panel.set_xlim(-0.8, len(points) - 0.2)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.grid(axis="y")
    panel.set_title(f"{curve['claim']}: published {fmt.percent(published)}")
    panel.text(-0.6, published, "published", va="bottom", size=8.5)


def _draw_choices(panel: Axes, curve: dict[str, Any]) -> None:
    choices = _choices(curve)
    for y, (key, value) in enumerate(choices):
        if y % 2 == 0:
            panel.axhspan(y - 0.5, y + 0.5, color=HAIR, alpha=0.5, linewidth=0)
        chosen = [x for x, point in enumerate(curve["points"]) if point["choices"].get(key) == value]
        panel.plot(chosen, [y] * len(chosen), "s", color=INK, markersize=3.6, markeredgewidth=0)
    _name_rows(panel, [_wrap(f"{key}: {fmt.text_or_missing(value)}", 34, 1) for key, value in choices], 34, 8)
    panel.set_ylim(max(1, len(choices)) - 0.5, -0.5)
    panel.set_xlim(-0.8, len(curve["points"]) - 0.2)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)


# --- 8. Learning curves, 9. optimism ----------------------------------------------------------------------------------


def learning_curves(analysis: Analysis) -> Sketch:
    """Accuracy over epochs: median and band over seeds, final and best epoch, published number."""
    title = "Accuracy over the epochs of training"
    wanted = original_cells(analysis)
    curves = [one for one in analysis["learning_curves"] if one["cell"] in wanted and one["epochs"]]
    curves.sort(key=lambda one: wanted.index(one["cell"]))
    if not curves:
        return Sketch(title, reason="No run of the original's cells has finished, so there is no curve to draw.")
    data = [
        {"cell": one["cell"], "n": one["n"], "epoch": epoch}
        | {
            f"{kind}_{part}": one[kind][part][i]
            for kind in ("train", "val", "clean")
            for part in ("median", "low", "high")
        }
        for one in curves
        for i, epoch in enumerate(one["epochs"])
    ]
    caption = (
        "Blue: validation accuracy as the original measured it, median and range over the seeds. Grey: accuracy on the "
        "training images. The ring is the final epoch, the triangle the median best one; the level line is the "
        "published validation accuracy. A gap that opens between grey and blue is overfitting."
    )
    alternative = "Learning curves. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: final validation accuracy {fmt.percent(_last(one['val']['median']))} "
        f"after {fmt.plural(one['epochs'][-1], 'epoch')}."
        for one in curves
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_curves(analysis, curves, phone), True)


def _last(values: list[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _known(x: Sequence[float], *series: Sequence[float | None]) -> list[tuple[float, ...]]:
    """Columns of x and series without the places where a series has no value."""
    rows = [row for row in zip(x, *series, strict=True) if None not in row]
    return list(zip(*rows, strict=True)) if rows else [()] * (1 + len(series))


def _draw_curves(analysis: Analysis, curves: list[dict[str, Any]], phone: bool) -> Figure:
    columns = 1 if phone else min(3, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure, axes = style.new_figure(
        NARROW if phone else WIDE, (1.9 if phone else 2.35) * rows + 0.2, rows, columns, sharey=True
    )
    published = {column["cell"]: column["validation_claim"] for column in analysis["table"]["columns"]}
    values = {claim["id"]: claim["value"] for claim in analysis["claims"]}
    lines = [values.get(published.get(one["cell"])) for one in curves]
    for panel, one, line in zip(axes, curves, lines, strict=False):
        panel.set_title(_wrap(cell_name(analysis, one["cell"]), 34, 2))
        _draw_learning(panel, one)
        if line is not None:
            panel.axhline(line, color=INK, linewidth=1.1)
        panel.grid(axis="y")
    for panel in axes[len(curves) :]:
        panel.set_axis_off()
    late = [value for one in curves for value in one["val"]["low"][len(one["epochs"]) // 10 :] if value is not None]
    low = min([*late, *(line for line in lines if line is not None)], default=0)
    axes[0].set_ylim(low - 1, None)
    for panel in axes[max(0, len(curves) - columns) : len(curves)]:
        panel.set_xlabel("epoch")
    for row in range(rows):
        axes[row * columns].set_ylabel("percent")
    return figure


def _draw_learning(panel: Axes, one: dict[str, Any]) -> None:
    epochs = one["epochs"]
    x, low, high, middle = _known(epochs, one["val"]["low"], one["val"]["high"], one["val"]["median"])
    panel.plot(*_known(epochs, one["train"]["median"]), color=MUTED, linewidth=1.2)
    panel.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
    panel.plot(x, middle, color=BLUE, linewidth=1.8)
    if x:
        panel.plot(
            x[-1],
            middle[-1],
            "o",
            markerfacecolor=PAPER,
            markeredgecolor=BLUE,
            markersize=5.5,
            markeredgewidth=1.6,
            clip_on=False,
        )
    if x and one["best_epoch"] is not None:
        nearest = min(range(len(x)), key=lambda i: abs(x[i] - one["best_epoch"]))
        panel.plot(x[nearest], middle[nearest], "^", color=BLUE, markersize=5.5)


def optimism(analysis: Analysis) -> Sketch:
    """Final, honest best and best epoch: what choosing on the validation images is worth."""
    title = "What picking the best epoch buys"
    rows = [
        one
        for one in analysis["optimism"]
        if one["metric"] == "val" and None not in (one["final"], one["honest_best"], one["best"])
    ]
    rows = [one for one in rows if one["cell"] in original_cells(analysis)] or rows[:8]
    if not rows:
        return Sketch(title, reason="No run has finished, so there is no epoch to choose.")
    data = [
        {key: one[key] for key in ("cell", "n", "final", "honest_best", "best", "optimism", "best_epoch")}
        | dict(zip(("low", "high"), _low_high(one["interval"]), strict=True))
        for one in rows
    ]
    caption = (
        "From the final epoch to the best one. Honest best chooses the epoch on one half of the validation images and "
        "scores it on the other; best chooses and scores on the same images. The last step, given beside each name, is "
        "optimism: accuracy that is not there on new images. It is an upper bound."
    )
    alternative = "Slope chart. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: final {fmt.percent(one['final'])}, honest best "
        f"{fmt.percent(one['honest_best'])}, best {fmt.percent(one['best'])}."
        for one in rows
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_optimism(analysis, rows))


def _draw_optimism(analysis: Analysis, rows: list[dict[str, Any]]) -> Figure:
    figure, (panel,) = style.new_figure(WIDE, 3.6)
    colours = _architecture_colours(analysis)
    ends = []
    for one in rows:
        colour = colours[one["cell"].split("/")[0]]
        heights = [one["final"], one["honest_best"], one["best"]]
        panel.plot([0, 1, 2], heights, color=colour, linewidth=1.6)
        panel.plot(
            [0, 1, 2], heights, "o", markerfacecolor=PAPER, markeredgecolor=colour, markersize=5.5, markeredgewidth=1.6
        )
        name = f"{fmt.points(one['optimism'], _width(one['interval']))}  {cell_name(analysis, one['cell'])}"
        ends.append((_wrap(name, 46, 1), one["best"], colour))
    panel.set_xticks([0, 1, 2], ["final epoch", "honest best", "best"])
    panel.set_xlim(-0.15, 3.7)
    panel.set_ylabel("validation accuracy, percent")
    panel.grid(axis="y")
    _label_ends(panel, ends, 2.08, 0.06)
    return figure


# --- 10. How many seeds -----------------------------------------------------------------------------------------------


def half_widths(analysis: Analysis) -> Sketch:
    """Half-width of the interval against the number of seeds."""
    title = "How many seeds a statement needs"
    given = analysis["half_widths"]
    wanted = original_cells(analysis)
    cells = [one for one in given["cells"] if one["sd"] is not None and any(v is not None for v in one["curve"])]
    cells = [one for one in cells if one["cell"] in wanted] or cells[:8]
    if not cells:
        return Sketch(title, reason="A half-width needs at least two runs of a cell.")
    data = [
        {"cell": one["cell"], "sd": one["sd"], "n": n, "half_width": width, "ours": n == one["n"]}
        for one in cells
        for n, width in zip(given["ns"], one["curve"], strict=True)
    ]
    caption = (
        "Half the width of the interval of a mean, at the spread seen here, against the number of seeds; rings mark "
        "what this study has. Halving the width takes about four times the seeds."
    )
    alternative = "Line chart. " + " ".join(
        f"{cell_name(analysis, one['cell'])}: half-width {fmt.number(one['half_width'])} pp with "
        f"{fmt.plural(one['n'], 'seed')}."
        for one in cells
        if one["half_width"] is not None
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_half_widths(analysis, given, cells))


def _draw_half_widths(analysis: Analysis, given: dict[str, Any], cells: list[dict[str, Any]]) -> Figure:
    figure, (panel,) = style.new_figure(WIDE, 3.4)
    colours = _architecture_colours(analysis)
    ticks = [n for n in (2, 3, 5, 10, 20, 40, 100) if n <= max(given["ns"])]
    panel.set_xscale("log")
    ends = []
    for i, one in enumerate(cells):
        colour = colours[one["cell"].split("/")[0]]
        x, y = _known(given["ns"], one["curve"])
        panel.plot(
            x,
            y,
            color=colour,
            linewidth=1.6,
            linestyle=("-", "--")[sum(c["cell"].split("/")[0] == one["cell"].split("/")[0] for c in cells[:i]) % 2],
        )
        if one["half_width"] is not None:
            panel.plot(
                one["n"],
                one["half_width"],
                "o",
                markerfacecolor=PAPER,
                markeredgecolor=colour,
                markersize=6,
                markeredgewidth=1.8,
            )
        ends.append((_wrap(cell_name(analysis, one["cell"]), 34, 1), math.log10(y[-1]), colour))
    panel.set_yscale("log")
    shown = [y for one in cells for y in one["curve"] if y is not None]
    panel.set_ylim(min(shown) * 0.6, min(max(shown) * 1.1, 5))
    low, high = (math.log10(bound) for bound in panel.get_ylim())
    heights = spread([height for _, height, _ in ends], 0.055 * (high - low))
    for (name, _, colour), height in zip(ends, heights, strict=True):
        panel.text(max(given["ns"]) * 1.05, 10**height, name, color=colour, va="center", size=8.5, weight="bold")
    panel.set_xlim(min(given["ns"]), max(given["ns"]) * 3.2)
    panel.set_xticks(ticks, [str(tick) for tick in ticks])
    panel.set_yticks(
        marks := [m for m in (0.05, 0.1, 0.2, 0.5, 1, 2, 5) if 10**low <= m <= 10**high], [f"{m:g}" for m in marks]
    )
    panel.minorticks_off()
    panel.set_xlabel("seeds")
    panel.set_ylabel("half-width, pp")
    panel.grid()
    return figure


# --- 11. Mistakes -----------------------------------------------------------------------------------------------------


def confusion(analysis: Analysis) -> Sketch:
    """Which class is taken for which, mean over runs."""
    title = "What is taken for what"
    cells = [one for one in analysis["confusion"] if one["counts"]]
    names = analysis["classes"]
    if not cells:
        reasons = [one["reason"] for one in analysis["confusion"] if one["reason"]]
        return Sketch(title, reason=_said(reasons[0] if reasons else "", "No predictions are there to count."))
    data = [
        {"cell": one["cell"], "n": one["n"], "true": names[i], "predicted": names[j], "images": value}
        for one in cells
        for i, row in enumerate(one["counts"])
        for j, value in enumerate(row)
    ]
    mistakes = [row for row in data if row["true"] != row["predicted"] and row["cell"] == cells[0]["cell"]]
    worst = max(mistakes, key=lambda row: row["images"])
    mistake = f"{worst['true']} taken for {worst['predicted']}, {fmt.plural(round(worst['images']), 'image')} a run"
    caption = (
        "Rows are what a garment is, columns what the network says; numbers are images a run, mean over runs, mistakes "
        f"only (right answers are grey). The most frequent one of {cell_name(analysis, worst['cell'])} is {mistake}."
    )
    alternative = (
        f"Confusion matrices of {fmt.plural(len(cells), 'cell')}. The most frequent mistake of "
        f"{cell_name(analysis, worst['cell'])} is {mistake}."
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_confusion(analysis, cells, names))


def _draw_confusion(analysis: Analysis, cells: list[dict[str, Any]], names: list[str]) -> Figure:
    columns = min(3, len(cells))
    rows = math.ceil(len(cells) / columns)
    figure, axes = style.new_figure(WIDE, 0.7 + 2.75 * rows + 0.5, rows, columns, sharey=True, sharex=True)
    top = max(v for one in cells for i, row in enumerate(one["counts"]) for j, v in enumerate(row) if i != j) or 1
    short = [_wrap(name, 12, 1) for name in names]
    for panel, one in zip(axes, cells, strict=False):
        panel.set_title(_wrap(cell_name(analysis, one["cell"]), 34, 2))
        for i, row in enumerate(one["counts"]):
            for j, value in enumerate(row):
                _mistake(panel, i, j, value, top)
        panel.spines["bottom"].set_visible(False)
        panel.tick_params(length=0)
    for panel in axes[len(cells) :]:
        panel.set_axis_off()
    axes[0].set_xlim(-0.5, len(names) - 0.5)
    axes[0].set_xticks([])
    for row in range(rows):
        _name_rows(axes[row * columns], short, 12, 8)
    below = {"rotation": 90, "rotation_mode": "anchor", "ha": "right", "size": 8}
    for panel in axes[max(0, len(cells) - columns) : len(cells)]:
        for x, name in enumerate(short):
            place = {"xycoords": panel.get_xaxis_transform(), "textcoords": "offset points", "annotation_clip": False}
            panel.annotate(name, (x, 0), (0, -4), va="center", **place, **below)
    return figure


def _mistake(panel: Axes, i: int, j: int, value: float, top: float) -> None:
    """A tile of a confusion matrix. It takes no part in the layout, which would measure a thousand of them."""
    from matplotlib.patches import Rectangle

    if i == j or value >= 1:
        look = {"facecolor": HAIR} if i == j else {"facecolor": ORANGE, "alpha": 0.55 * value / top}
        panel.add_patch(Rectangle((j - 0.48, i - 0.48), 0.96, 0.96, linewidth=0, in_layout=False, **look))
    if i != j and value >= 9.5:
        panel.text(j, i, f"{value:.0f}", ha="center", va="center", size=6.5, in_layout=False)


def image_difficulty(analysis: Analysis) -> Sketch:
    """How many images are right in which share of the runs."""
    title = "How many runs are right about each garment"
    given = analysis["hardest"]
    bins = given["histogram"]
    if not bins or not sum(one["images"] for one in bins):
        return Sketch(title, reason=_said(given["reason"], "No predictions are there to count."))
    total = sum(one["images"] for one in bins)
    caption = (
        f"Images by the share of {fmt.plural(given['n'], 'run')} that are right about them (logarithmic scale). "
        f"{fmt.count(given['always_right'])} of {fmt.count(total)} are right in every run, "
        f"{fmt.count(given['always_wrong'])} wrong in every run; only those between are decided by the seed."
    )
    return Sketch(title, caption, f"Histogram. {caption}", list(bins), lambda phone: _draw_difficulty(bins))


def _draw_difficulty(bins: list[dict[str, Any]]) -> Figure:
    figure, (panel,) = style.new_figure(WIDE, 2.6)
    panel.set_yscale("log")
    counts = [max(one["images"], 0) for one in bins]
    for one in bins:
        if one["images"]:
            panel.bar(
                (one["low"] + one["high"]) / 2,
                one["images"],
                width=(one["high"] - one["low"]) * 0.94,
                color=BLUE,
                alpha=0.75,
            )
            panel.text(
                (one["low"] + one["high"]) / 2,
                one["images"] * 1.12,
                fmt.count(one["images"]),
                ha="center",
                va="bottom",
                size=8.5,
            )
    panel.set_ylim(max(0.5, min(count for count in counts if count) * 0.5), max(counts) * 2.2)
    panel.set_xlim(0, 1)
    panel.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 of 100", "50 of 100", "75 of 100", "all"])
    panel.set_yticks([])
    panel.minorticks_off()
    panel.set_xlabel("runs that are right")
    return figure


# --- 12. Parameters ---------------------------------------------------------------------------------------------------


def parameter_audit(analysis: Analysis) -> Sketch:
    """Parameters of every layer, as printed and as built."""
    title = "Every layer, as printed and as built"
    networks = [one for one in analysis["audit"] if one["rows"]]
    data = [
        {"architecture": one["architecture"], "name": row["name"], "agrees": row["agrees"]}
        | {
            f"{side}_{key}": row[side][key]
            for side in ("printed", "built")
            if row[side]
            for key in ("layer", "parameters")
        }
        for one in networks
        for row in one["rows"]
    ]
    if not data:
        return Sketch(title, reason="The networks have not been built, so their parameters cannot be counted.")
    wrong = sum(not row["agrees"] for row in data)
    agree = "Every layer agrees." if not wrong else f"{fmt.plural(wrong, 'layer')} do not agree (crosses)."
    caption = (
        "Parameters of each layer that has any, on a logarithmic scale: squares as printed, dots as built here. "
        f"{agree} {_heaviest(networks)}"
    )
    alternative = f"Dot plots of the parameters of {fmt.plural(len(networks), 'network')}, layer by layer. {agree}"
    return Sketch(title, caption, alternative, data, lambda phone: _draw_audit(networks))


def _heaviest(networks: list[dict[str, Any]]) -> str:
    """Where most parameters sit, as a sentence."""
    shares = []
    for one in networks:
        counts = [_parameters(row) for row in one["rows"]]
        if sum(counts):
            shares.append(f"{round(100 * max(counts) / sum(counts))} of 100 in {one['title']}")
    return f"A single layer holds this share of the parameters: {fmt.sentence_list(shares)}."


def _draw_audit(networks: list[dict[str, Any]]) -> Figure:
    columns = min(2, len(networks))
    rows = math.ceil(len(networks) / columns)
    shown = [[row for row in one["rows"] if _parameters(row)] for one in networks]
    most = [max(len(part) for part in shown[r * columns : (r + 1) * columns]) for r in range(rows)]
    figure, axes = style.new_figure(WIDE, sum(0.75 + 0.19 * m for m in most), rows, columns, height_ratios=most)
    for panel, one, layers in zip(axes, networks, shown, strict=False):
        panel.set_title(one["title"])
        panel.set_xscale("log")
        for y, row in enumerate(layers):
            panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)
            if row["printed"]:
                panel.plot(
                    row["printed"]["parameters"], y, "s", markerfacecolor="none", markeredgecolor=INK, markersize=7
                )
            if row["built"] and row["built"]["parameters"]:
                panel.plot(
                    row["built"]["parameters"],
                    y,
                    "o" if row["agrees"] else "X",
                    color=BLUE if row["agrees"] else ORANGE,
                    markersize=4,
                )
        _name_rows(panel, [row["name"] for row in layers], 26, 8)
        panel.set_xlim(50, 6e6)
        panel.set_xticks([1e2, 1e3, 1e4, 1e5, 1e6], ["100", "1,000", "10,000", "100,000", "1,000,000"], size=8)
        panel.minorticks_off()
    for panel in axes[len(networks) :]:
        panel.set_axis_off()
    return figure


def _parameters(row: dict[str, Any]) -> int:
    return max((row[side]["parameters"] for side in ("printed", "built") if row[side]), default=0)


# --- Beyond the original ----------------------------------------------------------------------------------------------


def fractions(analysis: Analysis) -> Sketch:
    """Accuracy over the number of training images."""
    title = "Accuracy over the number of training images"
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for cell in analysis["cells"]:
        sample = cell["metrics"].get("clean_accuracy")
        if "fractions" in cell["experiments"] and cell["images"] and sample and sample["mean"] is not None:
            groups.setdefault((cell["architecture"], cell["augmentation"], cell["recipe"]), []).append(cell)
    groups = {key: sorted(cells, key=lambda one: one["images"]) for key, cells in groups.items() if len(cells) > 1}
    if not groups:
        return Sketch(title, reason="The experiment `fractions` was not run in this study.")
    data = [
        {key: cell[key] for key in ("cell", "architecture", "images", "updates")}
        | _sample_columns(cell["metrics"]["clean_accuracy"])
        for cells in groups.values()
        for cell in cells
    ]
    caption = (
        "Accuracy on the validation images, not augmented, against the number of training images (logarithmic scale); "
        f"whiskers are {analysis['study']['confidence']:.0%} intervals."
    )
    alternative = "Line chart. " + " ".join(
        f"{key[0]}: {fmt.percent(cells[0]['metrics']['clean_accuracy']['mean'])} with "
        f"{fmt.count(cells[0]['images'])} images, {fmt.percent(cells[-1]['metrics']['clean_accuracy']['mean'])} with "
        f"{fmt.count(cells[-1]['images'])}."
        for key, cells in groups.items()
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_fractions(analysis, groups))


def _draw_fractions(analysis: Analysis, groups: dict[tuple[str, str, str], list[dict[str, Any]]]) -> Figure:
    figure, (panel,) = style.new_figure(WIDE, 3.2)
    colours = _architecture_colours(analysis)
    panel.set_xscale("log")
    ends, sizes = [], set()
    for key, cells in groups.items():
        samples = [cell["metrics"]["clean_accuracy"] for cell in cells]
        images = [cell["images"] for cell in cells]
        sizes.update(images)
        colour = colours.get(key[0], INK)
        panel.plot(images, [sample["mean"] for sample in samples], "o-", color=colour, markersize=5, linewidth=1.6)
        for x, sample in zip(images, samples, strict=True):
            if sample["interval"]:
                panel.plot([x, x], sample["interval"], color=colour, linewidth=1.4)
        ends.append((key[0], samples[-1]["mean"], colour))
    panel.set_xticks(sorted(sizes), [fmt.count(size) for size in sorted(sizes)])
    panel.minorticks_off()
    panel.set_xlim(min(sizes) * 0.9, max(sizes) * 1.6)
    panel.set_xlabel("training images")
    panel.set_ylabel("percent")
    panel.grid()
    _label_ends(panel, ends, max(sizes) * 1.06, 0.06)
    return figure


def experiments(analysis: Analysis) -> Sketch:
    """Every cell of the experiments that go beyond the original."""
    title = "Beyond the original: every variation that was run"
    panels = [(one["title"], _experiment_rows(analysis, one["name"])) for one in extensions(analysis)]
    panels = [(name, rows[:MOST_ROWS]) for name, rows in panels if rows]
    if not panels:
        return Sketch(title, reason="This study ran none of the experiments that go beyond the original.")
    data = [_experiment_csv(row, name) for name, rows in panels for row in rows]
    caption = (
        "Mean and interval over seeds of every cell; ticks are single runs. Accuracy on the validation images, not "
        "augmented."
    )
    alternative = "Dot plots. " + " ".join(_best_told(name, rows) for name, rows in panels)
    return Sketch(title, caption, alternative, data, lambda phone: _draw_strips(panels))


#: Experiments that have a section of their own; all others are told in "Future improvements and extensions".
CORE = ("original", "readings", "factorial", "factorial_published", "unstated", "variance")


def extensions(analysis: Analysis) -> list[dict[str, Any]]:
    """The experiments beyond the core ones, in the order of the config, run or not."""
    return [one for one in analysis["experiments"] if one["name"] not in CORE]


def _experiment(analysis: Analysis, name: str) -> Sketch:
    given = next(one for one in analysis["experiments"] if one["name"] == name)
    rows = _experiment_rows(analysis, name)
    if not rows:
        return Sketch(given["title"], reason=_said(given["reason"], "No run of this experiment has finished."))
    shown = rows[:MOST_ROWS]
    cut = f" The {MOST_ROWS} most accurate of {fmt.count(len(rows))} cells are drawn." if len(rows) > MOST_ROWS else ""
    caption = (
        f"Most accurate first. Ring: mean over seeds; line: {analysis['study']['confidence']:.0%} interval; ticks: "
        f"runs. Accuracy on the validation images, not augmented.{cut}"
    )
    alternative = f"Dot plot. {_best_told(given['title'], rows)}"
    data = [_experiment_csv(row, given["title"]) for row in rows]
    return Sketch(given["title"], caption, alternative, data, lambda phone: _draw_strips([("", shown)]))


def _experiment_rows(analysis: Analysis, name: str) -> list[dict[str, Any]]:
    rows = [
        {
            "cell": cell["cell"],
            "name": cell_name({"table": {"columns": []}}, cell["cell"]),
            "sample": cell["metrics"]["clean_accuracy"],
        }
        for cell in analysis["cells"]
        if name in cell["experiments"] and cell["metrics"].get("clean_accuracy", {"mean": None})["mean"] is not None
    ]
    return sorted(rows, key=lambda row: -row["sample"]["mean"])


def _experiment_csv(row: dict[str, Any], title: str) -> dict[str, Any]:
    return {"experiment": title, "cell": row["cell"], **_sample_columns(row["sample"])}


def _best_told(title: str, rows: list[dict[str, Any]]) -> str:
    best, last = rows[0], rows[-1]
    return (
        f"{title}: {fmt.plural(len(rows), 'cell')}, from {fmt.percent(last['sample']['mean'])} ({last['name']}) to "
        f"{fmt.percent(best['sample']['mean'])} ({best['name']})."
    )


def _draw_strips(panels: list[tuple[str, list[dict[str, Any]]]]) -> Figure:
    left, right, bottom, pitch = 3.6, 0.75, 0.5, 0.21
    heights = [(0.3 if title else 0.05) + pitch * len(rows) + bottom for title, rows in panels]
    figure = _blank(WIDE, sum(heights))
    ceiling = sum(heights)
    for (title, rows), height in zip(panels, heights, strict=True):
        panel = _panel(figure, left, ceiling - height + bottom, WIDE - left - right, pitch * len(rows))
        if title:
            panel.text(
                -left / (WIDE - left - right),
                1,
                _wrap(title, 60, 1),
                transform=panel.transAxes,
                weight="bold",
                va="bottom",
            )
        _draw_strip(panel, rows)
        ceiling -= height
    return figure


def _draw_strip(panel: Axes, rows: list[dict[str, Any]]) -> None:
    for y, row in enumerate(rows):
        sample = row["sample"]
        panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)
        seeds = thin(sample["values"])
        panel.plot(seeds, [y] * len(seeds), "|", color=MUTED, markersize=5, markeredgewidth=0.8)
        if sample["interval"]:
            panel.plot(sample["interval"], [y, y], color=BLUE, linewidth=2.4)
        panel.plot(
            sample["mean"], y, "o", markerfacecolor=PAPER, markeredgecolor=BLUE, markersize=5, markeredgewidth=1.5
        )
        mean = fmt.percent(sample["mean"], _width(sample["interval"]))
        panel.text(1.02, y, mean, transform=panel.get_yaxis_transform(), va="center", size=8.5)
    _name_rows(panel, [_wrap(row["name"], 54, 1) for row in rows], 54, 8.5)
    panel.grid(axis="x")
    panel.set_xlabel("percent")


FIGURES: dict[str, Callable[[Analysis], Sketch]] = {
    "verdict_forest": verdict_forest,
    "training_forest": training_forest,
    "published_vs_reproduced": published_vs_reproduced,
    "paired_differences": paired_differences,
    "ranks": ranks,
    "interaction": interaction,
    "variance_components": variance_components,
    "specification_curves": specification_curves,
    "learning_curves": learning_curves,
    "optimism": optimism,
    "half_widths": half_widths,
    "confusion": confusion,
    "image_difficulty": image_difficulty,
    "parameter_audit": parameter_audit,
    "fractions": fractions,
    "experiments": experiments,
}
#: Every figure: results/figures/{name}.svg and results/figures/{name}.csv.
NAMES = tuple(FIGURES)
