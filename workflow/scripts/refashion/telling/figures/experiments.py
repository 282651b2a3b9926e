"""What goes beyond the original: accuracy by number of images, and the cells of any experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import HAIR, INK, MUTED, NARROW, WIDE
from refashion.telling.words import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
        | parts.sample_columns(cell["metrics"]["clean_accuracy"])
        for cells in groups.values()
        for cell in cells
    ]
    gains = [
        cells[-1]["metrics"]["clean_accuracy"]["mean"] - cells[0]["metrics"]["clean_accuracy"]["mean"]
        for cells in groups.values()
    ]
    title = parts.finding(
        analysis, title, f"From the fewest to the most images accuracy moves by {span(gains, fmt.points)}"
    )
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
    colours = parts.architecture_colours(analysis)
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
    parts.label_ends(panel, ends, max(sizes) * 1.06, 0.06)
    return figure


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
    title = parts.finding(analysis, given["title"], f"{given['title']}: {span(map(_mean, rows), fmt.percent)}")
    return Sketch(title, caption, alternative, data, lambda phone: _draw_strips([("", rows)], phone), True)


def _strip_caption(analysis: Analysis, rows: list[dict[str, Any]]) -> str:
    return (
        f"Ring: mean over seeds; line: its {analysis['study']['confidence']:.0%} interval; ticks: single runs. "
        f"Accuracy on the validation images, not augmented.{parts.lone_note(row['sample']['n'] for row in rows)}"
    )


def _experiment_rows(analysis: Analysis, name: str) -> list[dict[str, Any]]:
    """The cells of an experiment that have runs, named by what varies in it; at most MOST_ROWS, the best of them."""
    colours = parts.architecture_colours(analysis)
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
    rows = sorted(rows, key=lambda row: -row["sample"]["mean"])[: parts.MOST_ROWS]
    axes = [values for values in _by_axis(rows) if len(set(values)) > 1 or len(rows) == 1]
    for position, row in enumerate(rows):
        row["name"] = parts.DOT.join(values[position] for values in axes)
    networks = list(dict.fromkeys(row["network"] for row in rows))
    return sorted(rows, key=lambda row: networks.index(row["network"]))


def _by_axis(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The names of the rows' cells, axis by axis."""
    return list(zip(*(row["cell"].split("/") for row in rows), strict=True))


def _experiment_csv(row: dict[str, Any], title: str) -> dict[str, Any]:
    return {"experiment": title, "cell": row["cell"], **parts.sample_columns(row["sample"])}


def _best_told(title: str, rows: list[dict[str, Any]]) -> str:
    last, best = min(rows, key=_mean), max(rows, key=_mean)
    return (
        f"{title}: {fmt.plural(len(rows), 'cell')}, from {fmt.percent(_mean(last))} ({last['name']}) to "
        f"{fmt.percent(_mean(best))} ({best['name']})."
    )


def _mean(row: dict[str, Any]) -> float:
    return row["sample"]["mean"]


def _draw_strips(panels: list[tuple[str, list[dict[str, Any]]]], phone: bool) -> Figure:
    width, left, right, bottom, pitch = (NARROW, 0.05, 0.05, 0.5, 0.44) if phone else (WIDE, 2.9, 1.05, 0.5, 0.21)
    heights = [(0.4 if title else 0.05) + pitch * len(rows) + bottom for title, rows in panels]
    figure = parts.blank(width, sum(heights))
    ceiling = sum(heights)
    for (title, rows), height in zip(panels, heights, strict=True):
        panel = parts.place_axes(figure, left, ceiling - height + bottom, width - left - right, pitch * len(rows))
        place: dict[str, Any] = {"transform": panel.transAxes, "weight": "bold", "va": "bottom"}
        panel.text(-left / (width - left - right), 1, parts.wrap(title, 44 if phone else 60, 1), **place)
        _draw_strip(panel, rows, phone)
        ceiling -= height
    return figure


def _draw_strip(panel: Axes, rows: list[dict[str, Any]], phone: bool) -> None:
    """A row a cell: its name beside the marks on a wide page, above them on a phone."""
    for y, row in enumerate(rows):
        sample, colour, level = row["sample"], row["colour"], y + (0.2 if phone else 0)
        panel.axhline(level, color=HAIR, linewidth=0.8, zorder=0)
        seeds = parts.thin(sample["values"]) if sample["n"] > 1 else []
        panel.plot(seeds, [level] * len(seeds), "|", color=MUTED, markersize=5, markeredgewidth=0.8)
        if sample["interval"]:
            panel.plot(sample["interval"], [level, level], color=colour, linewidth=2.4)
        panel.plot(sample["mean"], level, linestyle="none", **parts.ring(colour, sample["n"], 5))
        mean = fmt.percent(sample["mean"], fmt.half_of(sample["interval"]))
        mean += f", n = {sample['n']}" if sample["n"] == 2 else ""
        place: dict[str, Any] = {"transform": panel.get_yaxis_transform(), "va": "center", "size": 8.5}
        if phone:
            panel.text(0, y - 0.2, parts.wrap(row["name"], 42, 1), **place)
            panel.text(1, y - 0.2, mean, ha="right", **place)
        else:
            panel.text(1.02, y, mean, **place)
    parts.name_rows(panel, ["" if phone else parts.wrap(row["name"], 44, 1) for row in rows], 44, 8.5)
    panel.grid(axis="x")
    panel.set_xlabel("percent")
