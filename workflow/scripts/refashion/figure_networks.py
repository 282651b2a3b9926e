"""Figures of networks against each other: pairs, ranks, interactions, and every variation beyond the original.

One function a figure, from the analysis to a `Sketch`; the functions below it draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refashion import figure_style as style
from refashion import formatting as fmt
from refashion.figure_parts import (
    DOT,
    MOST_ROWS,
    Analysis,
    Sketch,
    architecture_colours,
    blank,
    cell_name,
    label_ends,
    low_high,
    name_rows,
    original_cells,
    place_axes,
    sample_columns,
    text_lines,
    thin,
    wrap,
)
from refashion.figure_style import BLUE, HAIR, INK, MUTED, ORANGE, PAPER, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# --- Pairs ------------------------------------------------------------------------------------------------------------


def paired_differences(analysis: Analysis) -> Sketch:
    """Every pair of the original's cells: difference, interval, corrected p, A12."""
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
    figure = blank(left + size * count, top + 0.82 * count)
    axes = place_axes(figure, left, 0, size * count, 0.82 * count)
    axes.set_xlim(0, count)
    axes.set_ylim(count, 0)
    axes.set_axis_off()
    for pair in pairs:
        i, j = cells.index(pair["a"]), cells.index(pair["b"])
        sign = 1 if i > j else -1
        _draw_pair(axes, max(i, j) - 1, min(i, j), pair, sign)
    for i, cell in enumerate(cells):
        name = "\n".join(wrap(part, 18, 2) for part in cell_name(analysis, cell).split(", "))
        if i:
            text_lines(axes, name, (0, i - 0.5), (-8, 0), ha="right", weight="bold", size=8.5)
        if i < count:
            text_lines(axes, name, (i + 0.5, 0), (0, 20), ha="center", weight="bold", size=8.5)
    return figure


def _draw_pair(axes: Axes, row: int, column: int, pair: dict[str, Any], sign: int) -> None:
    from matplotlib.patches import Rectangle

    difference = sign * pair["difference"]
    decided = pair["conclusion"] in ("a", "b")
    box = {"facecolor": BLUE if difference > 0 else ORANGE, "alpha": 0.3 if decided else 0.07, "linewidth": 0}
    axes.add_patch(Rectangle((column + 0.02, row + 0.03), 0.96, 0.94, **box))
    middle = column + 0.5
    axes.text(
        middle,
        row + 0.24,
        fmt.points(difference, fmt.half_of(pair["interval"])),
        ha="center",
        va="center",
        weight="bold",
    )
    lines = []
    if pair["interval"]:
        low, high = sorted(sign * bound for bound in pair["interval"])
        lines.append(fmt.interval(low, high, sign=True))
    lines.append(fmt.p_phrase(pair["p_adjusted"]))
    if pair["a12"] is not None and pair["n"] > 1:
        lines.append(f"{fmt.share_of_100(pair['a12'] if sign > 0 else 1 - pair['a12'])} of 100")
    for k, line in enumerate(lines):
        axes.text(middle, row + 0.46 + 0.19 * k, line, ha="center", va="center", size=7.5)


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
    name_rows(axes[0], names, 26)
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
    policies = [
        policy
        for policy in analysis["effects"]["policies"]
        if sum(cell["sample"]["mean"] is not None for cell in policy["cells"]) > 1
    ]
    if not policies:
        return Sketch(
            title, reason=fmt.sentence(analysis["effects"]["reason"], "The factorial experiment has not been run.")
        )
    data = [
        {"policy": policy["title"], "metric": policy["metric"]}
        | {key: cell[key] for key in ("cell", "architecture", "fraction", "augmentation", "images")}
        | sample_columns(cell["sample"])
        for policy in policies
        for cell in policy["cells"]
    ]
    caption = (
        "Each line joins the same network without and with augmentation; whiskers are "
        f"{analysis['study']['confidence']:.0%} intervals of the mean. Parallel lines would mean that augmentation "
        "does the same for every network. Compare the columns: with few images, and with all of them. "
        "Accuracy is that on images not augmented, so that both ends of a line are judged alike."
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
    colours = architecture_colours(analysis)
    ends = []
    for row, policy in enumerate(policies):
        for column, fraction in enumerate(fractions):
            panel = axes[row * len(fractions) + column]
            cells = [cell for cell in policy["cells"] if cell["fraction"] == fraction]
            images = f"{fmt.count(cells[0]['images'])} images" if cells else fraction
            panel.set_title(f"{wrap(policy['title'], 44, 2)}\n{images}", size=9)
            ends.append((panel, _draw_lines(panel, cells, policy["levels"]["augmentation"], colours)))
        axes[row * len(fractions)].set_ylabel("accuracy, percent")
    for panel, names in ends:
        label_ends(panel, names, panel.get_xlim()[1] - 0.63, 0.075)
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
    return Sketch(title, caption, alternative, data, lambda phone: _draw_fractions(analysis, groups))


def _draw_fractions(analysis: Analysis, groups: dict[tuple[str, str, str], list[dict[str, Any]]]) -> Figure:
    figure, (panel,) = style.new_figure(WIDE, 3.2)
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
    panel.set_xticks(sorted(sizes), [fmt.count(size) for size in sorted(sizes)])
    panel.minorticks_off()
    panel.set_xlim(min(sizes) * 0.9, max(sizes) * 1.6)
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
    caption = f"Every cell, grouped by network, most accurate first. {_strip_caption(analysis)}"
    alternative = "Dot plots. " + " ".join(_best_told(name, rows) for name, rows in panels)
    return Sketch(title, caption, alternative, data, lambda phone: _draw_strips(panels))


def experiment(analysis: Analysis, name: str) -> Sketch:
    given = next(one for one in analysis["experiments"] if one["name"] == name)
    rows = _experiment_rows(analysis, name)
    if not rows:
        return Sketch(given["title"], reason=fmt.sentence(given["reason"], "No run of this experiment has finished."))
    axes = zip(("architecture", "fraction", "augmentation", "recipe"), _by_axis(rows), strict=True)
    same = [f"{axis} {values[0]}" for axis, values in axes if len(set(values)) == 1]
    common = f" In all cells: {', '.join(same)}." if same and len(rows) > 1 else ""
    caption = f"Grouped by network, most accurate first. {_strip_caption(analysis)}{common}"
    alternative = f"Dot plot. {_best_told(given['title'], rows)}"
    data = [_experiment_csv(row, given["title"]) for row in rows]
    return Sketch(given["title"], caption, alternative, data, lambda phone: _draw_strips([("", rows)]))


def _strip_caption(analysis: Analysis) -> str:
    return (
        f"Ring: mean over seeds; line: its {analysis['study']['confidence']:.0%} interval; ticks: single runs. "
        "Accuracy on the validation images, not augmented."
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


def _draw_strips(panels: list[tuple[str, list[dict[str, Any]]]]) -> Figure:
    left, right, bottom, pitch = 2.9, 0.75, 0.5, 0.21
    heights = [(0.4 if title else 0.05) + pitch * len(rows) + bottom for title, rows in panels]
    figure = blank(WIDE, sum(heights))
    ceiling = sum(heights)
    for (title, rows), height in zip(panels, heights, strict=True):
        panel = place_axes(figure, left, ceiling - height + bottom, WIDE - left - right, pitch * len(rows))
        place = {"transform": panel.transAxes, "weight": "bold", "va": "bottom"}
        panel.text(-left / (WIDE - left - right), 1, wrap(title, 60, 1), **place)
        _draw_strip(panel, rows)
        ceiling -= height
    return figure


def _draw_strip(panel: Axes, rows: list[dict[str, Any]]) -> None:
    for y, row in enumerate(rows):
        sample, colour = row["sample"], row["colour"]
        panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)
        seeds = thin(sample["values"])
        panel.plot(seeds, [y] * len(seeds), "|", color=MUTED, markersize=5, markeredgewidth=0.8)
        if sample["interval"]:
            panel.plot(sample["interval"], [y, y], color=colour, linewidth=2.4)
        ring = {"markerfacecolor": PAPER, "markeredgecolor": colour, "markersize": 5, "markeredgewidth": 1.5}
        panel.plot(sample["mean"], y, "o", **ring)
        mean = fmt.percent(sample["mean"], fmt.half_of(sample["interval"]))
        panel.text(1.02, y, mean, transform=panel.get_yaxis_transform(), va="center", size=8.5)
    name_rows(panel, [wrap(row["name"], 44, 1) for row in rows], 44, 8.5)
    panel.grid(axis="x")
    panel.set_xlabel("percent")
