"""Published numbers held against our runs: the forests of verdicts, and all of a table's accuracies at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.study.model import TRAINING_METRICS
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import HAIR, INK, MUTED, NARROW, PAPER, VERDICT_COLOURS, WIDE
from refashion.telling.words import slug

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def verdict_forest(analysis: Analysis) -> Sketch:
    """Published validation accuracies: every seed, interval, prediction interval, margin, verdict."""
    return _forest(analysis, False, "validation")


def training_forest(analysis: Analysis) -> Sketch:
    """The same for the published training accuracies."""
    return _forest(analysis, True, "training")


def _forest(analysis: Analysis, training: bool, noun: str) -> Sketch:
    """training: the published accuracies on training images, else those on validation images."""
    rows = [
        _forest_row(analysis, claim)
        for claim in analysis["claims"]
        if claim["kind"] == "accuracy" and (claim["readings"][0]["metric"] in TRAINING_METRICS) == training
    ]
    title = f"Published {noun} accuracies, held against our runs"
    if not any(row["values"] for row in rows):
        return Sketch(title, reason="No run that bears on these numbers has finished, so there is nothing to compare.")
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICT_COLOURS}
    told = fmt.sentence_list(f"{count} {verdict}" for verdict, count in counts.items() if count)
    if max(row["n"] for row in rows) > 1 and len(rows) > 1:
        title = parts.finding(analysis, title, f"Of {len(rows)} published {noun} accuracies, {told}")
    caption = (
        "Each row is one published number, at zero. Ticks are our runs, the ring their mean, the thick line its "
        f"{analysis['study']['confidence']:.0%} interval, the thin line where one more run would fall. The shaded band "
        "is the margin within which a number counts as reproduced. A published number (the upright line) outside "
        "the thin one would be an unusual run of ours, taken by itself; the verdict allows for the number of claims."
        f"{parts.lone_note(row['n'] for row in rows)}{parts.seeds_note(max(len(row['values']) for row in rows))}"
    )
    alternative = f"Forest plot of {len(rows)} published numbers: {told}. " + " ".join(
        _forest_told(row) for row in rows
    )
    return Sketch(
        title, caption, alternative, [_forest_csv(row) for row in rows], lambda phone: _draw_forest(rows, phone), True
    )


def _forest_told(row: dict[str, Any]) -> str:
    """One row for who cannot see it."""
    ours = "no finished run"
    if row["mean"] is not None:
        ours = f"ours {fmt.percent(row['mean'], fmt.half_width(row['low'], row['high']))}"
        ours += f" over {fmt.plural(row['n'], 'run')}" if row["n"] > 1 else ", one run"
    if row["low"] is not None:
        ours += f", interval {fmt.percent_interval(row['low'], row['high'])}"
    published = f"published {fmt.percent(row['published'])}{row['where']}"
    return f"{row['label']}, {row['detail']}: {published}, {ours}; {row['verdict']}."


def _forest_row(analysis: Analysis, claim: dict[str, Any]) -> dict[str, Any]:
    """A published number beside ours: the claim's own numbers, named as in the CSV, and what names the row."""
    reading, columns = claim["readings"][0], analysis["table"]["columns"]
    numbers = {"n": 0, "values": [], "interval": None, "prediction": None} | (reading["numbers"] or {})
    in_table = any(claim["id"] in (column["training_claim"], column["validation_claim"]) for column in columns)
    cell = numbers.get("cell") or next(iter(reading["cells"]), "")
    low, high = parts.low_high(numbers["interval"])
    run_low, run_high = parts.low_high(numbers["prediction"])
    return {
        "label": claim["id"],
        "detail": parts.cell_name(analysis, cell),
        "where": "" if in_table else " (in the text)",
        "cell": cell,
        "published": claim["value"],
        **{key: numbers.get(key) for key in ("margin", "n", "values", "mean")},
        "low": low,
        "high": high,
        "run_low": run_low,
        "run_high": run_high,
        "verdict": claim["verdict"],
    }


def _forest_csv(row: dict[str, Any]) -> dict[str, Any]:
    values = " ".join(f"{value:.4f}" for value in row["values"])
    return {"claim": row["label"], **{key: row[key] for key in row if key not in ("label", "where")}, "values": values}


def _draw_forest(rows: list[dict[str, Any]], phone: bool) -> Figure:
    width = NARROW if phone else WIDE
    pitch, top, bottom = (0.86 if phone else 0.44), 0.1, 0.5
    left, right = (0.05, 0.05) if phone else (2.85, 1.35)
    figure = parts.blank(width, top + bottom + pitch * len(rows))
    axes = parts.place_axes(figure, left, bottom, width - left - right, pitch * len(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    for y, row in enumerate(rows):
        colour = VERDICT_COLOURS[row["verdict"]]
        _draw_forest_row(axes, y + (0.24 if phone else 0), row, colour, 0.22 if phone else 0.32)
        _label_forest_row(axes, y, row, colour, phone, left / (width - left - right))
    axes.set_xlabel("ours minus published, pp" if phone else "ours minus published, percentage points")
    axes.grid(axis="x")
    # On the line of the axis' own name: which side is which needs no sum in the reader's head.
    for x, side, end in ((0, "left", "ours lower"), (1, "right", "ours higher")):
        place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
        axes.annotate(end, (x, 0), (0, -24), ha=side, va="center", color=MUTED, size=9.5, **place)
    return figure


def _draw_forest_row(axes: Axes, y: float, row: dict[str, Any], colour: str, half: float) -> None:
    """One published number: margin, runs, interval and mean, within `half` a row's height of `y`."""
    zero = row["published"]
    if row["margin"] is not None:
        axes.fill_between([-row["margin"], row["margin"]], y - half, y + half, color=HAIR, linewidth=0, zorder=0)
    axes.plot([0, 0], [y - half, y + half], color=INK, linewidth=1.4, zorder=1)
    if row["run_low"] is not None:
        axes.plot([row["run_low"] - zero, row["run_high"] - zero], [y, y], color=colour, linewidth=1, zorder=2)
    if row["low"] is not None:
        axes.plot([row["low"] - zero, row["high"] - zero], [y, y], color=colour, linewidth=4.5, zorder=3)
    if row["mean"] is None:
        place = axes.get_yaxis_transform()
        axes.text(0.01, y, "no finished run", transform=place, va="center", size=8.5, color=MUTED)
        return
    if row["n"] > 1:
        seeds = [value - zero for value in parts.thin(row["values"])]
        for seed, value in zip(seeds, parts.thin(row["values"]), strict=True):
            look: dict[str, Any] = {"markersize": 5, "markeredgewidth": 0.9, "zorder": 2}
            (mark,) = axes.plot(seed, y + 0.62 * half, "|", color=colour, **look)
            style.tell(mark, f"a run: {fmt.percent(value)}")
    (mark,) = axes.plot(row["mean"] - zero, y, linestyle="none", zorder=4, **parts.ring(colour, row["n"]))
    style.tell(mark, _forest_told(row))


def _label_forest_row(axes: Axes, y: float, row: dict[str, Any], colour: str, phone: bool, left: float) -> None:
    place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
    published = f"published {fmt.percent(row['published'])}{row['where']}, {fmt.plural(row['n'], 'run')}"
    if phone:
        name = f"{row['label']}  {parts.wrap(row['detail'], 38, 1)}"
        axes.text(0, y - 0.34, name, size=8.5, url=f"{style.CLAIM}{slug(row['label'])}", **place)
        axes.text(1, y - 0.34, row["verdict"], color=colour, weight="bold", ha="right", size=8.5, **place)
        axes.text(0, y - 0.12, published, color=MUTED, size=8.5, **place)
        return
    axes.text(-left, y, row["label"], weight="bold", url=f"{style.CLAIM}{slug(row['label'])}", **place)
    axes.text(-left * 0.86, y - 0.14, parts.wrap(row["detail"], 40, 1), **place)
    axes.text(-left * 0.86, y + 0.2, published, color=MUTED, size=8.5, **place)
    axes.text(1.03, y, row["verdict"], color=colour, weight="bold", **place)


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
                    "name": parts.cell_name(analysis, column["cell"]),
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
        | (parts.sample_columns(point["sample"]) if point["sample"] else {})
        for point in flat
    ]
    title = parts.finding(analysis, title, _outside(flat))
    caption = (
        "Diamonds are the published numbers, dots single runs of ours, upright lines their means where there are "
        "several. A diamond outside a few dots proves nothing: intervals and verdicts judge it."
        f"{parts.seeds_note(max(point['sample']['n'] if point['sample'] else 0 for point in flat))}"
    )
    alternative = "Dot plot. " + " ".join(_told(point) for point in flat if point["sample"] and point["sample"]["n"])
    return Sketch(title, caption, alternative, data, lambda phone: _draw_published(analysis, panels, phone), True)


def _outside(points: list[dict[str, Any]]) -> str | None:
    """How many printed numbers no run comes to, or all do not; None where no column has several runs."""
    judged = [
        (one["published"], one["sample"]["values"])
        for one in points
        if one["published"] is not None and one["sample"] and one["sample"]["n"] > 1
    ]
    if not judged:
        return None
    outside = sum(not min(values) <= printed <= max(values) for printed, values in judged)
    number = fmt.count(outside) if outside else "none"
    return f"Of {fmt.plural(len(judged), 'printed accuracy', 'printed accuracies')}, {number} outside all of our runs"


def _told(point: dict[str, Any]) -> str:
    published = f"published {fmt.percent(point['published'])}, " if point["published"] is not None else ""
    ours = f"ours {fmt.percent(point['sample']['mean'])}, {fmt.plural(point['sample']['n'], 'run')}"
    return f"{point['name']}, {point['row'].lower()}: {published}{ours}."


def _draw_published(analysis: Analysis, panels: list[tuple[str, list[dict[str, Any]]]], phone: bool) -> Figure:
    count = len(analysis["table"]["columns"])
    height = (0.85 + 0.42 * count) * (len(panels) if phone else 1)
    shape = (len(panels), 1) if phone else (1, len(panels))
    figure, axes = style.new_figure(NARROW if phone else WIDE, height, *shape, sharey=True)
    colours = parts.architecture_colours(analysis)
    for panel, (name, points) in zip(axes, panels, strict=True):
        panel.set_title(name)
        for y, point in enumerate(points):
            colour = colours[point["cell"].split("/")[0]]
            panel.axhline(y, color=HAIR, linewidth=0.8, zorder=0)
            sample = point["sample"] or {"n": 0, "values": []}
            seeds = parts.thin(sample["values"])
            panel.plot(seeds, [y] * len(seeds), "o", color=colour, alpha=0.45, markersize=5, markeredgewidth=0)
            if sample["n"] > 1:
                panel.plot([sample["mean"]] * 2, [y - 0.22, y + 0.22], color=colour, linewidth=2.4)
            if point["published"] is not None:
                panel.plot(
                    point["published"], y, "D", markerfacecolor=PAPER, markeredgecolor=INK, markersize=6.5, zorder=5
                )
        panel.grid(axis="x")
        panel.set_xlabel("percent")
    for panel in axes if phone else axes[:1]:
        parts.name_rows(panel, [point["name"] for point in panels[0][1]], 22 if phone else 24, 8.5 if phone else 9.5)
    return figure
