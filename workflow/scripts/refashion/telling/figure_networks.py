"""Figures of networks against each other: pairs, ranks, interactions, and every variation beyond the original.

One function a figure, from the analysis to a `Sketch`; the functions below it draw.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling import figure_style as style
from refashion.telling.figure_parts import (
    DOT,
    MOST_ROWS,
    Analysis,
    Sketch,
    architecture_colours,
    blank,
    cell_name,
    label_ends,
    lone_note,
    low_high,
    name_rows,
    original_cells,
    place_axes,
    ring,
    sample_columns,
    text_lines,
    thin,
    wrap,
)
from refashion.telling.figure_style import BLUE, HAIR, INK, MUTED, NARROW, ORANGE, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# --- Pairs ------------------------------------------------------------------------------------------------------------


def paired_differences(analysis: Analysis) -> Sketch:
    """Every pair of the original's cells: difference, interval, corrected p, A12, number of seeds."""
    title = "Which network beats which, seed by seed"
    family = next((one for one in analysis["comparisons"] if one["kind"] == "confirmatory"), None)
    pairs = [pair for pair in family["pairs"] if pair["difference"] is not None] if family else []
    if not pairs:
        return Sketch(title, reason="No two of the original's cells share finished seeds, so no pair can be compared.")
    data = [
        {key: pair[key] for key in ("a", "b", "n", "difference")}
        | dict(zip(("low", "high"), low_high(pair["interval"]), strict=True))
        | {key: pair[key] for key in ("p", "p_adjusted", "p_sign_flip", "a12", "conclusion")}
        for pair in family["pairs"]
    ]
    decided = sum(pair["conclusion"] in ("a", "b") for pair in pairs)
    untested = sum(pair["interval"] is None for pair in pairs)
    caption = (
        f"Row minus column, in percentage points, over runs with the same seed: mean difference, its "
        f"{analysis['study']['confidence']:.0%} interval, the paired t test's p ({family['correction']}, "
        f"{len(family['pairs'])} pairs), the shared seeds, and in how many of 100 draws a run of the row beats a run "
        "of the column. p allows for all pairs of the family, those not run included; the intervals do not. Blue: the "
        "row is better; orange: the column is; pale: undecided"
        f"{'; grey: too few shared seeds for a test' if untested else ''}.{_AS_VALIDATED.get(family['metric'], '')}"
    )
    alternative = (
        f"Matrix of {fmt.plural(len(pairs), 'pair')}: {decided} decided, {untested} without a test. "
        + " ".join(
            f"{cell_name(analysis, pair['a'])} against {cell_name(analysis, pair['b'])}: "
            f"{fmt.points(pair['difference'])}, {_test_told(pair)}."
            for pair in pairs
        )
    )
    cells = [cell for cell in original_cells(analysis) if any(cell in (pair["a"], pair["b"]) for pair in pairs)]
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
    figure = blank(left + size * count, top + 0.82 * count)
    axes = place_axes(figure, left, 0, size * count, 0.82 * count)
    axes.set_xlim(0, count)
    axes.set_ylim(count, 0)
    axes.set_axis_off()
    for pair in pairs:
        _draw_pair(axes, cells.index(pair["row"]) - 1, cells.index(pair["column"]), pair)
    for i, cell in enumerate(cells):
        name = "\n".join(wrap(part, 18, 2) for part in cell_name(analysis, cell).split(", "))
        if i:
            text_lines(axes, name, (0, i - 0.5), (-8, 0), ha="right", weight="bold", size=8.5)
        if i < count:
            text_lines(axes, name, (i + 0.5, 0), (0, 20), ha="center", weight="bold", size=8.5)
    return figure


def _draw_pair(axes: Axes, row: int, column: int, pair: dict[str, Any]) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((column + 0.02, row + 0.03), 0.96, 0.94, **_pair_face(pair)))
    place = {"ha": "center", "va": "center"}
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
    figure = blank(NARROW, sum(heights))
    axes = place_axes(figure, 0, 0, NARROW, sum(heights))
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
    ahead = [DOT.join([test[1], f"ahead in {test[2]}"])] if len(test) > 2 else test[1:]
    return [
        wrap(cell_name(analysis, pair["row"]), 44, 1),
        wrap(f"minus {cell_name(analysis, pair['column'])}", 46, 1),
        DOT.join([difference, test[0]]),
        *ahead,
    ]


# --- Ranks ------------------------------------------------------------------------------------------------------------


def ranks(analysis: Analysis) -> Sketch:
    """Chance of each rank, of means and of a study with one run a cell."""
    title = "Who is first, second, third: what the seeds allow"
    given = analysis["ranks"]
    if not given["p_rank"] or not given["cells"]:
        return Sketch(
            title, reason=fmt.sentence(given["reason"], "The ranks need at least two cells with the same seeds.")
        )
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
        "Chance, in 100, that a network takes each rank when the seeds are drawn anew. First: comparing means. Second: "
        "what an author with a single run of each would print. A row that is spread out is a rank that one run cannot "
        f"settle. 100 and 0 mean that none of the few seeds there are shows otherwise, not that it is certain.{order}"
    )
    best = max(range(len(names)), key=lambda i: given["p_rank"][i][0])
    first = fmt.share_of_100(given["p_rank"][best][0])
    alternative = f"Heat map of rank probabilities. {names[best]} is first in {first} of 100 draws.{order}"
    return Sketch(title, caption, alternative, data, lambda phone: _draw_ranks(names, panels, phone), True)


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
        name_rows(panel, names, 22 if phone else 26, 8.5 if phone else 9.5)
    return figure


def _tile(axes: Axes, x: float, y: float, share: float, text: str, size: float = 8.5) -> None:
    """A heat map's tile: one colour whose opacity tells the share (0..1), so that ink stays legible."""
    from matplotlib.patches import Rectangle

    patch = {"facecolor": BLUE, "alpha": 0.04 + 0.46 * min(1.0, max(0.0, share)), "linewidth": 0}
    axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, in_layout=False, **patch))
    if share > 0:
        axes.text(x, y, text, ha="center", va="center", size=size, in_layout=False)


# --- Interaction ------------------------------------------------------------------------------------------------------


def interaction(analysis: Analysis) -> Sketch:
    """Augmentation's effect by network and number of images, at equal updates and as published."""
    title = "Network, images and augmentation, taken apart"
    policies = analysis["effects"]["policies"]
    if not policies:
        return Sketch(
            title, reason=fmt.sentence(analysis["effects"]["reason"], "The factorial experiment has not been run.")
        )
    panels = [panel for policy in policies for panel in _panels(policy)]
    if not panels:
        return Sketch(
            title,
            reason="No network has finished runs both without and with augmentation at the same number of images, so "
            "there is no effect of augmentation to draw.",
        )
    data = [
        {"policy": policy["title"], "metric": policy["metric"]}
        | {key: cell[key] for key in ("cell", "architecture", "fraction", "augmentation", "images")}
        | sample_columns(cell["sample"])
        for policy in policies
        for cell in policy["cells"]
    ]
    shown = [(name, cell) for name, cells, _ in panels for cell in cells]
    alone = any(len(line) == 1 for _, cells, _ in panels for line in _lines(cells).values())
    wanted = sum(len({cell["fraction"] for cell in policy["cells"]}) for policy in policies)
    notes = [
        "A ring without a line is a network of which the other end has not been run." if alone else "",
        "Numbers of images at which no network has both ends are left out." if len(panels) < wanted else "",
    ]
    caption = (
        "Each line joins the same network without and with augmentation; whiskers are "
        f"{analysis['study']['confidence']:.0%} intervals of the mean. Parallel lines would mean that augmentation "
        "does the same for every network. Compare the panels: with few images, and with all of them. "
        "Accuracy is that on images not augmented, so that both ends of a line are judged alike."
        f"{''.join(f' {note}' for note in notes if note)}{lone_note(cell['sample']['n'] for _, cell in shown)}"
    )
    alternative = "Interaction plot. " + " ".join(
        f"{name}, {cell['architecture']}, {cell['augmentation']}: {fmt.percent(cell['sample']['mean'])}, "
        f"{fmt.plural(cell['sample']['n'], 'run')}."
        for name, cell in shown
    )
    return Sketch(title, caption, alternative, data, lambda phone: _draw_interaction(analysis, panels, phone), True)


def _panels(policy: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]], list[str]]]:
    """(title, cells that have runs, levels of augmentation) a number of images at which some network has both ends."""
    known = [cell for cell in policy["cells"] if cell["sample"]["mean"] is not None]
    panels = []
    for fraction in dict.fromkeys(cell["fraction"] for cell in policy["cells"]):
        cells = [cell for cell in known if cell["fraction"] == fraction]
        if any(len(line) > 1 for line in _lines(cells).values()):
            name = f"{_short(policy['title'])}, {fmt.count(cells[0]['images'])} images"
            panels.append((name, cells, policy["levels"]["augmentation"]))
    return panels


def _short(title: str) -> str:
    """What tells one grid from the other: the words in brackets at the end of its title, or all of it."""
    found = re.search(r"\(([^()]+)\)$", title)
    return found.group(1) if found else title


def _lines(cells: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Cells by network."""
    names = dict.fromkeys(cell["architecture"] for cell in cells)
    return {name: [cell for cell in cells if cell["architecture"] == name] for name in names}


def _draw_interaction(
    analysis: Analysis, panels: list[tuple[str, list[dict[str, Any]], list[str]]], phone: bool
) -> Figure:
    columns = 1 if phone else min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = style.new_figure(NARROW if phone else WIDE, 0.3 + 2.5 * rows, rows, columns, sharey=True)
    colours = architecture_colours(analysis)
    ends = [_draw_lines(panel, cells, levels, colours) for panel, (_, cells, levels) in zip(axes, panels, strict=False)]
    for panel, (name, _, _), found in zip(axes, panels, ends, strict=False):
        panel.set_title(wrap(name, 46, 2), size=9)
        for x in dict.fromkeys(end[0] for end in found):  # the limits, which the panels share, are final only now
            label_ends(panel, [end[1:] for end in found if end[0] == x], x + 0.1, 0.075)
    for panel in axes[len(panels) :]:
        panel.set_axis_off()
    for row in range(rows):
        axes[row * columns].set_ylabel("accuracy, percent")
    return figure


def _draw_lines(
    panel: Axes, cells: list[dict[str, Any]], levels: list[str], colours: dict[str, str]
) -> list[tuple[int, str, float, str]]:
    """A line a network; where each ends, for its label: (level, name, height, colour)."""
    panel.set_xlim(-0.35, len(levels) - 1 + 0.75)
    panel.set_xticks(range(len(levels)), levels)
    panel.grid(axis="y")
    ends = []
    for name, line in _lines(cells).items():
        points = sorted((levels.index(cell["augmentation"]), cell["sample"]["mean"]) for cell in line)
        colour = colours.get(name, INK)
        panel.plot(*zip(*points, strict=True), color=colour, linewidth=1.8)
        for cell in line:
            x, sample = levels.index(cell["augmentation"]), cell["sample"]
            if sample["interval"]:
                panel.plot([x, x], sample["interval"], color=colour, linewidth=1.2)
            panel.plot(x, sample["mean"], linestyle="none", **ring(colour, sample["n"], 5.5))
        ends.append((points[-1][0], name, points[-1][1], colour))
    return ends


# --- Number of images -------------------------------------------------------------------------------------------------


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
        | sample_columns(cell["metrics"]["clean_accuracy"])
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
    return Sketch(title, caption, alternative, data, lambda phone: _draw_fractions(analysis, groups, phone), True)


def _draw_fractions(
    analysis: Analysis, groups: dict[tuple[str, str, str], list[dict[str, Any]]], phone: bool
) -> Figure:
    figure, (panel,) = style.new_figure(NARROW if phone else WIDE, 3.2)
    colours = architecture_colours(analysis)
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
    shown = (min(sizes), max(sizes)) if phone else sorted(sizes)
    panel.set_xticks(shown, [fmt.count(size) for size in shown])
    panel.minorticks_off()
    panel.set_xlim(min(sizes) * 0.9, max(sizes) * (3 if phone else 1.6))
    panel.set_xlabel("training images")
    panel.set_ylabel("percent")
    panel.grid()
    label_ends(panel, ends, max(sizes) * 1.06, 0.06)
    return figure


# --- Experiments ------------------------------------------------------------------------------------------------------


#: Experiments that have a section of their own; all others are told in "Beyond the original".
CORE = ("original", "readings", "factorial", "factorial_published", "unstated", "variance")


def extensions(analysis: Analysis) -> list[dict[str, Any]]:
    """The experiments beyond the core ones, in the order of the config, run or not."""
    return [one for one in analysis["experiments"] if one["name"] not in CORE]


def experiments(analysis: Analysis) -> Sketch:
    """Every cell of the experiments that go beyond the original."""
    title = "Beyond the original: every variation that was run"
    panels = [(one["title"], _experiment_rows(analysis, one["name"])) for one in extensions(analysis)]
    panels = [(name, rows) for name, rows in panels if rows]
    if not panels:
        return Sketch(title, reason="This study ran none of the experiments that go beyond the original.")
    data = [_experiment_csv(row, name) for name, rows in panels for row in rows]
    every = [row for _, rows in panels for row in rows]
    caption = f"Every cell, grouped by network, most accurate first. {_strip_caption(analysis, every)}"
    alternative = "Dot plots. " + " ".join(_best_told(name, rows) for name, rows in panels)
    return Sketch(title, caption, alternative, data, lambda phone: _draw_strips(panels, phone), True)


def experiment(analysis: Analysis, name: str) -> Sketch:
    given = next(one for one in analysis["experiments"] if one["name"] == name)
    rows = _experiment_rows(analysis, name)
    if not rows:
        return Sketch(given["title"], reason=fmt.sentence(given["reason"], "No run of this experiment has finished."))
    axes = zip(("architecture", "fraction", "augmentation", "recipe"), _by_axis(rows), strict=True)
    same = [f"{axis} {values[0]}" for axis, values in axes if len(set(values)) == 1]
    common = f" In all cells: {', '.join(same)}." if same and len(rows) > 1 else ""
    caption = f"Grouped by network, most accurate first. {_strip_caption(analysis, rows)}{common}"
    alternative = f"Dot plot. {_best_told(given['title'], rows)}"
    data = [_experiment_csv(row, given["title"]) for row in rows]
    return Sketch(given["title"], caption, alternative, data, lambda phone: _draw_strips([("", rows)], phone), True)


def _strip_caption(analysis: Analysis, rows: list[dict[str, Any]]) -> str:
    return (
        f"Ring: mean over seeds; line: its {analysis['study']['confidence']:.0%} interval; ticks: single runs. "
        f"Accuracy on the validation images, not augmented.{lone_note(row['sample']['n'] for row in rows)}"
    )


def _experiment_rows(analysis: Analysis, name: str) -> list[dict[str, Any]]:
    """The cells of an experiment that have runs, named by what varies in it; at most MOST_ROWS, the best of them."""
    colours = architecture_colours(analysis)
    rows = [
        {
            "cell": cell["cell"],
            "sample": cell["metrics"]["clean_accuracy"],
            "colour": colours[cell["architecture"]],
            "network": cell["architecture"],
        }
        for cell in analysis["cells"]
        if name in cell["experiments"] and cell["metrics"].get("clean_accuracy", {"mean": None})["mean"] is not None
    ]
    rows = sorted(rows, key=lambda row: -row["sample"]["mean"])[:MOST_ROWS]
    axes = [values for values in _by_axis(rows) if len(set(values)) > 1 or len(rows) == 1]
    for position, row in enumerate(rows):
        row["name"] = DOT.join(values[position] for values in axes)
    networks = list(dict.fromkeys(row["network"] for row in rows))
    return sorted(rows, key=lambda row: networks.index(row["network"]))


def _by_axis(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The names of the rows' cells, axis by axis."""
    return list(zip(*(row["cell"].split("/") for row in rows), strict=True))


def _experiment_csv(row: dict[str, Any], title: str) -> dict[str, Any]:
    return {"experiment": title, "cell": row["cell"], **sample_columns(row["sample"])}


def _best_told(title: str, rows: list[dict[str, Any]]) -> str:
    last, best = min(rows, key=_mean), max(rows, key=_mean)
    return (
        f"{title}: {fmt.plural(len(rows), 'cell')}, from {fmt.percent(_mean(last))} ({last['name']}) to "
        f"{fmt.percent(_mean(best))} ({best['name']})."
    )


def _mean(row: dict[str, Any]) -> float:
    return row["sample"]["mean"]


def _draw_strips(panels: list[tuple[str, list[dict[str, Any]]]], phone: bool) -> Figure:
    width, left, right, bottom, pitch = (NARROW, 0.05, 0.05, 0.5, 0.44) if phone else (WIDE, 2.9, 0.75, 0.5, 0.21)
    heights = [(0.4 if title else 0.05) + pitch * len(rows) + bottom for title, rows in panels]
    figure = blank(width, sum(heights))
    ceiling = sum(heights)
    for (title, rows), height in zip(panels, heights, strict=True):
        panel = place_axes(figure, left, ceiling - height + bottom, width - left - right, pitch * len(rows))
        place = {"transform": panel.transAxes, "weight": "bold", "va": "bottom"}
        panel.text(-left / (width - left - right), 1, wrap(title, 44 if phone else 60, 1), **place)
        _draw_strip(panel, rows, phone)
        ceiling -= height
    return figure


def _draw_strip(panel: Axes, rows: list[dict[str, Any]], phone: bool) -> None:
    """A row a cell: its name beside the marks on a wide page, above them on a phone."""
    for y, row in enumerate(rows):
        sample, colour, level = row["sample"], row["colour"], y + (0.2 if phone else 0)
        panel.axhline(level, color=HAIR, linewidth=0.8, zorder=0)
        seeds = thin(sample["values"]) if sample["n"] > 1 else []
        panel.plot(seeds, [level] * len(seeds), "|", color=MUTED, markersize=5, markeredgewidth=0.8)
        if sample["interval"]:
            panel.plot(sample["interval"], [level, level], color=colour, linewidth=2.4)
        panel.plot(sample["mean"], level, linestyle="none", **ring(colour, sample["n"], 5))
        mean = fmt.percent(sample["mean"], fmt.half_of(sample["interval"]))
        place = {"transform": panel.get_yaxis_transform(), "va": "center", "size": 8.5}
        if phone:
            panel.text(0, y - 0.2, wrap(row["name"], 42, 1), **place)
            panel.text(1, y - 0.2, mean, ha="right", **place)
        else:
            panel.text(1.02, y, mean, **place)
    name_rows(panel, ["" if phone else wrap(row["name"], 44, 1) for row in rows], 44, 8.5)
    panel.grid(axis="x")
    panel.set_xlabel("percent")
