"""Published numbers held against our runs: the forests of verdicts, and all of a table's accuracies at once."""

from __future__ import annotations

from functools import partial
from typing import Any

from refashion import formatting as fmt
from refashion.telling.cells import cell_name
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Figure, Row, Sketch
from refashion.telling.figures.style import HAIR, INK, MUTED, PAPER, VERDICT_COLOURS
from refashion.telling.words import accuracies, kind_of, numbers_of, slug


def forest(noun: str, analysis: Analysis) -> Sketch:
    """Published `training` or `validation` accuracies: every seed, interval, prediction interval, margin, verdict."""
    rows = [_forest_row(analysis, claim) for claim in analysis["claims"] if kind_of(claim) == noun]
    title = f"Published {noun} accuracies, held against our runs"
    if not any(row["values"] for row in rows):
        return Sketch(title, reason="No run that bears on these numbers has finished, so there is nothing to compare.")
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICT_COLOURS}
    told = fmt.sentence_list(f"{count} {verdict}" for verdict, count in counts.items() if count)
    several = max(row["n"] for row in rows) > 1 and len(rows) > 1
    return Sketch(
        title,
        found=f"Of {len(rows)} published {noun} accuracies, {told}" if several else None,
        notes=parts.runs_note(row["n"] for row in rows),
        alternative=f"Forest plot of {len(rows)} published numbers: {told}. {' '.join(map(_forest_told, rows))}",
        data=[
            {"claim": row["id"], "detail": row["name"]}
            | {key: row[key] for key in ("cell", "published", "margin", "verdict")}
            | parts.sample_columns(row)
            | parts.ends(row["prediction"], "run_low", "run_high")
            for row in rows
        ],
        draw=partial(_draw_forest, rows),
    )


def _forest_row(analysis: Analysis, claim: dict[str, Any]) -> dict[str, Any]:
    """A published number: its claim, what it is held against in words, and the numbers of the claim's first reading."""
    numbers, columns = numbers_of(claim), analysis["table"]["columns"]
    in_table = any(claim["id"] in (column["training_claim"], column["validation_claim"]) for column in columns)
    said = f"published {fmt.percent(claim['value'])}{'' if in_table else ' (in the text)'}"
    name = cell_name(analysis, numbers["cell"])
    return numbers | {"id": claim["id"], "verdict": claim["verdict"], "name": name, "said": said}


def _forest_told(row: dict[str, Any]) -> str:
    """One row for who cannot see it."""
    ours = "no finished run"
    if row["mean"] is not None:
        ours = f"ours {fmt.percent(row['mean'], fmt.half_of(row['interval']))}"
        ours += f" over {fmt.plural(row['n'], 'run')}" if row["n"] > 1 else ", one run"
    if row["interval"]:
        ours += f", interval {fmt.percent_interval(row['interval'])}"
    return f"{row['id']}, {row['name']}: {row['said']}, {ours}; {row['verdict']}."


def _draw_forest(rows: list[dict[str, Any]], phone: bool) -> Figure:
    labels = [
        Row(
            f"{row['id']}  {row['name']}",
            f"{row['said']}, {fmt.plural(row['n'], 'run')}",
            row["verdict"],
            VERDICT_COLOURS[row["verdict"]],
            f"{style.CLAIM}{slug(row['id'])}",
        )
        for row in rows
    ]
    figure, (axes,) = parts.row_panels([("", labels)], phone, "ours minus published, pp")
    half = 0.17 if phone else 0.36
    for y, row in enumerate(rows):
        colour, zero = VERDICT_COLOURS[row["verdict"]], row["published"]
        axes.fill_between([-row["margin"], row["margin"]], y - half, y + half, color=HAIR, linewidth=0, zorder=0)
        axes.plot([0, 0], [y - half, y + half], color=INK, linewidth=1.4, zorder=1)
        if row["prediction"]:
            axes.plot([end - zero for end in row["prediction"]], [y, y], color=colour, linewidth=1, zorder=2)
        if row["mean"] is not None:
            parts.mark_runs(axes, y, row, colour, _forest_told(row), zero)
    # On the line of the axis' own name: which side is which needs no sum in the reader's head.
    for x, side, end in ((0, "left", "ours lower"), (1, "right", "ours higher")):
        place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
        axes.annotate(end, (x, 0), (0, -24), ha=side, va="center", color=MUTED, **place)
    return figure


def published_vs_reproduced(analysis: Analysis) -> Sketch:
    """The accuracies of the original's table on their own scale, all seeds visible."""
    title = "The original's table, published and run again"
    values = {claim["id"]: claim["value"] for claim in analysis["claims"]}
    points = [
        {
            "row": one["name"],
            "column": column["id"],
            "cell": column["cell"],
            "name": cell_name(analysis, column["cell"]),
        }
        | {"published": values.get(one["claim"]), "verdict": one["verdict"], **one["sample"]}
        for column, one in accuracies(analysis)
        if one["in_print"]
    ]
    if not any(point["n"] for point in points):
        return Sketch(title, reason="No run of the original's cells has finished, so there is nothing to show.")
    return Sketch(
        title,
        found=_outside(points),
        notes=parts.runs_note(point["n"] for point in points if point["n"] > 1),
        alternative=parts.told(
            "Dot plot", (f"{one['name']}, {one['row'].lower()}: {_both(one)}." for one in points if one["n"])
        ),
        data=[
            {key: one[key] for key in ("row", "column", "cell", "published", "verdict")} | parts.sample_columns(one)
            for one in points
        ],
        draw=partial(_draw_published, parts.architecture_colours(analysis), points),
    )


def _outside(points: list[dict[str, Any]]) -> str | None:
    """How many printed numbers no run comes to, or all do not; None where no column has several runs."""
    judged = [(one["published"], one["values"]) for one in points if one["published"] is not None and one["n"] > 1]
    if not judged:
        return None
    outside = sum(not min(values) <= printed <= max(values) for printed, values in judged)
    number = fmt.count(outside) if outside else "none"
    return f"Of {fmt.plural(len(judged), 'printed accuracy', 'printed accuracies')}, {number} outside all of our runs"


def _both(point: dict[str, Any]) -> str:
    """The published number, where there is one, and ours."""
    published = f"published {fmt.percent(point['published'])}, " if point["published"] is not None else ""
    return f"{published}ours {fmt.percent(point['mean'])}, {fmt.plural(point['n'], 'run')}"


def _draw_published(colours: dict[str, str], points: list[dict[str, Any]], phone: bool) -> Figure:
    names = dict.fromkeys(point["row"] for point in points)
    panels = [(name, [point for point in points if point["row"] == name]) for name in names]
    labels = [
        (name, [Row(point["name"], right=fmt.plural(point["n"], "run")) for point in own]) for name, own in panels
    ]
    figure, axes = parts.row_panels(labels, phone, "percent")
    for panel, (_, own) in zip(axes, panels, strict=True):
        for y, point in enumerate(own):
            colour = colours[point["cell"].split("/")[0]]
            seeds = parts.thin(point["values"])
            panel.plot(seeds, [y] * len(seeds), "o", color=colour, alpha=0.45, markersize=5, markeredgewidth=0)
            if point["n"] > 1:
                panel.plot(point["mean"], y, "|", color=colour, markersize=13, markeredgewidth=2.4)
            if point["published"] is not None:
                look: dict[str, Any] = {"markerfacecolor": PAPER, "markeredgecolor": INK, "markersize": 6, "zorder": 5}
                (mark,) = panel.plot(point["published"], y, "D", **look)
                style.tell(mark, _both(point) if point["n"] else f"published {fmt.percent(point['published'])}")
    return figure
