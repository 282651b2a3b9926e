"""What goes beyond the original: accuracy by number of images, and the cells of any experiment."""

from __future__ import annotations

from functools import partial
from typing import Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Figure, Row, Sketch
from refashion.telling.figures.style import NARROW, WIDE
from refashion.telling.words import span


def _cells(analysis: Analysis, experiment: str) -> list[dict[str, Any]]:
    """The cells of an experiment that have runs: the cell's entry and its sample on images not augmented, in one."""
    return [
        cell | cell["metrics"]["clean_accuracy"]
        for cell in analysis["cells"]
        if experiment in cell["experiments"] and cell["metrics"]["clean_accuracy"]["n"]
    ]


def fractions(analysis: Analysis) -> Sketch:
    """Accuracy over the number of training images."""
    title = "Accuracy over the number of training images"
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for cell in sorted(_cells(analysis, "fractions"), key=lambda one: one["images"]):
        groups.setdefault((cell["architecture"], cell["augmentation"], cell["recipe"]), []).append(cell)
    lines = [cells for cells in groups.values() if len(cells) > 1]
    if not lines:
        return Sketch(title, reason="The experiment `fractions` was not run in this study.")
    gains = span((cells[-1]["mean"] - cells[0]["mean"] for cells in lines), fmt.points)
    return Sketch(
        title,
        found=f"From the fewest to the most images accuracy moves by {gains}",
        alternative=parts.told(
            "Line chart",
            (
                f"{_network(analysis, first)}: {fmt.percent(first['mean'])} with {fmt.count(first['images'])} images, "
                f"{fmt.percent(last['mean'])} with {fmt.count(last['images'])}."
                for first, *_, last in lines
            ),
        ),
        data=[
            {key: cell[key] for key in ("cell", "architecture", "images", "updates")} | parts.sample_columns(cell)
            for cells in lines
            for cell in cells
        ],
        draw=partial(
            _draw_fractions,
            parts.architecture_colours(analysis),
            [(_network(analysis, cells[0]), cells) for cells in lines],
        ),
    )


def _network(analysis: Analysis, cell: dict[str, Any]) -> str:
    """The network of a cell in words."""
    words: str = analysis["names"]["networks"][cell["architecture"]]
    return words


def _draw_fractions(colours: dict[str, str], lines: list[tuple[str, list[dict[str, Any]]]], phone: bool) -> Figure:
    figure, (panel,) = style.new_figure(NARROW if phone else WIDE, 3.2)
    panel.set_xscale("log")
    for _, cells in lines:
        colour = colours[cells[0]["architecture"]]
        panel.plot([cell["images"] for cell in cells], [cell["mean"] for cell in cells], color=colour, linewidth=1.6)
        for cell in cells:
            parts.mark_mean(panel, cell["images"], cell, colour)
    sizes = sorted({cell["images"] for _, cells in lines for cell in cells})
    shown = (sizes[0], sizes[-1]) if phone else sizes
    panel.set_xticks(shown, [fmt.count(size) for size in shown])
    panel.minorticks_off()
    panel.set_xlim(sizes[0] * 0.9, sizes[-1] * (3 if phone else 1.6))
    panel.set_xlabel("training images")
    panel.set_ylabel("percent")
    panel.grid()
    ends = [(network, cells[-1]["mean"], colours[cells[-1]["architecture"]]) for network, cells in lines]
    parts.label_ends(panel, ends, sizes[-1] * 1.06, 0.06)
    return figure


#: Experiments that have a section of their own; all others are told in "Beyond the original".
CORE = ("original", "readings", "factorial", "factorial_published", "unstated", "variance")


def extensions(analysis: Analysis) -> list[dict[str, Any]]:
    """The experiments beyond the core ones, in the order of the config, run or not."""
    return [one for one in analysis["experiments"] if one["name"] not in CORE]


def experiments(analysis: Analysis) -> Sketch:
    """Every cell of the experiments that go beyond the original."""
    title = "Beyond the original: every variation that was run"
    panels = [
        (f"{one['title']}: {network}" if network else one["title"], rows)
        for one in extensions(analysis)
        for network, rows in _panels(analysis, one)
    ]
    if not panels:
        return Sketch(title, reason="This study ran none of the experiments that go beyond the original.")
    return _strips(analysis, title, None, panels)


def experiment(analysis: Analysis, name: str) -> Sketch:
    """The cells of one experiment."""
    given = next(one for one in analysis["experiments"] if one["name"] == name)
    panels = _panels(analysis, given)
    if not panels:
        return Sketch(given["title"], reason=fmt.sentence(given["reason"], "No run of this experiment has finished."))
    found = f"{given['title']}: {span((row['mean'] for _, rows in panels for row in rows), fmt.percent)}"
    return _strips(analysis, given["title"], found, panels)


def _panels(analysis: Analysis, experiment: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rows of an experiment by network, or together where each has a single one; at most MOST_ROWS, the best."""
    cells = sorted(_cells(analysis, experiment["name"]), key=lambda cell: -cell["mean"])[: parts.MOST_ROWS]
    networks: dict[str, list[dict[str, Any]]] = {}
    for cell in cells:
        networks.setdefault(_network(analysis, cell), []).append(cell | {"experiment": experiment["title"]})
    if all(len(rows) == 1 for rows in networks.values()):
        return [("", [row | {"name": name} for name, (row,) in networks.items()])] if cells else []
    variants = experiment["variants"]
    return [(name, [row | {"name": variants[row["cell"]] or name} for row in rows]) for name, rows in networks.items()]


def _strips(
    analysis: Analysis, title: str, found: str | None, panels: list[tuple[str, list[dict[str, Any]]]]
) -> Sketch:
    """Panels under each other, by their headings, a row a cell."""
    every = [row for _, rows in panels for row in rows]
    images = {row["images"] for row in every}
    same = f" All are trained on {fmt.plural(images.pop(), 'image')}." if len(images) == 1 else ""
    return Sketch(
        title,
        found=found,
        notes=parts.runs_note(row["n"] for row in every) + same,
        alternative=parts.told(
            "Dot plot", (_best_told(heading or rows[0]["experiment"], rows) for heading, rows in panels)
        ),
        data=[{key: row[key] for key in ("experiment", "cell")} | parts.sample_columns(row) for row in every],
        draw=partial(_draw_strips, parts.architecture_colours(analysis), panels),
    )


def _best_told(title: str, rows: list[dict[str, Any]]) -> str:
    ordered = sorted(rows, key=lambda row: row["mean"])
    ends = (f"{fmt.percent(row['mean'])} ({row['name']})" for row in (ordered[0], ordered[-1]))
    return f"{title}: {fmt.plural(len(rows), 'cell')}, from {' to '.join(ends)}."


def _draw_strips(colours: dict[str, str], panels: list[tuple[str, list[dict[str, Any]]]], phone: bool) -> Figure:
    labels = [(heading, [Row(row["name"], right=_mean(row)) for row in rows]) for heading, rows in panels]
    figure, axes = parts.row_panels(labels, phone, "percent")
    for axis, (_, rows) in zip(axes, panels, strict=True):
        for y, row in enumerate(rows):
            parts.mark_runs(axis, y, row, colours[row["architecture"]], f"{row['name']}: {_mean(row)}")
    return figure


def _mean(row: dict[str, Any]) -> str:
    mean = fmt.percent(row["mean"], fmt.half_of(row["interval"]))
    return f"{mean}, n = 2" if row["n"] == 2 else mean
