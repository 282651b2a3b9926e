"""The benchmark's programs side by side."""

from __future__ import annotations

from functools import partial
from itertools import cycle
from typing import Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Figure, Row, Sketch
from refashion.telling.words import span


def speed(analysis: Analysis) -> Sketch:
    """Images a second of this engine and of the usual programs, as `snakemake benchmark` measured them."""
    title = "Images a second, beside the usual programs"
    needed = ("architecture", "augmentation", "program", "images_per_second")
    networks = analysis["names"]["networks"]
    rows = [
        row | {"task": f"{networks.get(row['architecture'], row['architecture'])}, {row['augmentation']}"}
        for row in analysis["benchmark"]["rows"]
        if all(row.get(key) not in (None, "") for key in needed)
    ]
    if not rows:
        reason = fmt.sentence(analysis["benchmark"]["reason"], "the benchmark was not run on this machine")
        return Sketch(title, reason=reason)
    times = [row["speedup"] for row in rows if fmt.exists(row.get("speedup")) and row["speedup"] != 1]
    faster = span(times, lambda value: fmt.significant(value, 2)) if times else ""
    return Sketch(
        # A measurement of this machine, which no preset makes less true.
        f"This engine is {faster} times as fast as the other programs" if times else title,
        alternative=parts.told("Dot plot", map(_told, rows)),
        data=[{key: row.get(key) for key in (*needed, "slowest", "fastest", "speedup", "peak_share")} for row in rows],
        draw=partial(_draw_speed, rows),
    )


def _told(row: dict[str, Any]) -> str:
    rate = fmt.significant(row["images_per_second"], 2)
    return f"{row['task']}, {row['program']}: {rate} images a second."


def _draw_speed(rows: list[dict[str, Any]], phone: bool) -> Figure:
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    programs, columns = list(dict.fromkeys(row["program"] for row in rows)), 2 if phone else 4
    head = 0.15 + 0.17 * -(-len(programs) // columns)
    figure, (panel,) = parts.row_panels([("", [Row(task) for task in tasks])], phone, "training images a second", head)
    panel.set_xscale("log")
    for program, colour, marker in zip(programs, cycle(style.SERIES), cycle(style.MARKERS), strict=False):
        for row in (row for row in rows if row["program"] == program):
            y = tasks.index(row["task"])
            if fmt.exists(row.get("slowest")) and fmt.exists(row.get("fastest")):
                panel.plot([row["slowest"], row["fastest"]], [y, y], color=colour, linewidth=1.6)
            (mark,) = panel.plot(row["images_per_second"], y, marker, color=colour, markersize=6, label=program)
            style.tell(mark, _told(row))
    low, high = panel.get_xlim()
    ticks = [m * 10**e for e in range(1, 7) for m in ((1, 3) if phone else (1, 2, 5)) if low <= m * 10**e <= high]
    panel.set_xticks(ticks, [fmt.count(tick) for tick in ticks])
    panel.minorticks_off()
    parts.legend(panel, columns)
    return figure
