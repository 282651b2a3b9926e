"""The benchmark's programs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refashion import formatting as fmt
from refashion.telling.figures import parts, style
from refashion.telling.figures.parts import Analysis, Sketch
from refashion.telling.figures.style import NARROW, WIDE
from refashion.telling.words import span

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def speed(analysis: Analysis) -> Sketch:
    """Images a second of this engine and of the usual programs, as `snakemake benchmark` measured them."""
    title = "Images a second, beside the usual programs"
    needed = ("architecture", "augmentation", "program", "images_per_second")
    rows = [row for row in analysis["benchmark"]["rows"] if all(row.get(key) not in (None, "") for key in needed)]
    if not rows:
        reason = fmt.sentence(analysis["benchmark"]["reason"], "the benchmark was not run on this machine")
        return Sketch(title, reason=reason)
    times = [row["speedup"] for row in rows if fmt.exists(row.get("speedup")) and row["speedup"] != 1]
    if times:
        faster = span(times, lambda value: fmt.significant(value, 2))
        title = f"This engine is {faster} times as fast as the other programs"
    programs = list(dict.fromkeys(row["program"] for row in rows))
    caption = (
        "Whole jobs, the validation of each epoch included, on a logarithmic scale: marks are medians, lines run from "
        "the slowest to the fastest repetition. All programs were measured in one session on one machine, in turn."
    )
    alternative = "Dot plot. " + " ".join(
        f"{row['architecture']}, {row['augmentation']}, {row['program']}: "
        f"{fmt.significant(row['images_per_second'], 2)} images a second."
        for row in rows
    )
    data = [{key: row.get(key) for key in (*needed, "slowest", "fastest", "speedup", "peak_share")} for row in rows]
    return Sketch(title, caption, alternative, data, lambda phone: _draw_speed(rows, programs, phone), True)


def _draw_speed(rows: list[dict[str, Any]], programs: list[str], phone: bool) -> Figure:
    tasks = list(dict.fromkeys((row["architecture"], row["augmentation"]) for row in rows))
    figure, (panel,) = style.new_figure(
        *((NARROW, 1.4 + 0.42 * len(tasks)) if phone else (WIDE, 1.1 + 0.32 * len(tasks)))
    )
    panel.set_xscale("log")
    for program, colour, marker in zip(programs, _cycle(style.SERIES), _cycle(style.MARKERS), strict=False):
        mine = [row for row in rows if row["program"] == program]
        heights = [tasks.index((row["architecture"], row["augmentation"])) for row in mine]
        for row, y in zip(mine, heights, strict=True):
            if fmt.exists(row.get("slowest")) and fmt.exists(row.get("fastest")):
                panel.plot([row["slowest"], row["fastest"]], [y, y], color=colour, linewidth=1.6)
        panel.plot(
            [row["images_per_second"] for row in mine], heights, marker, color=colour, markersize=6, label=program
        )
    names = [f"{architecture}, {augmentation}" for architecture, augmentation in tasks]
    parts.name_rows(panel, names, *((12, 8.5) if phone else ()))
    parts.rule_rows(panel, len(tasks))
    low, high = panel.get_xlim()
    steps = (1, 3) if phone else (1, 2, 5)
    ticks = [m * 10**e for e in range(1, 7) for m in steps if low <= m * 10**e <= high]
    panel.set_xticks(ticks, [fmt.count(tick) for tick in ticks])
    panel.minorticks_off()
    panel.set_xlabel("training images a second")
    panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=min(2 if phone else 4, len(programs)), fontsize=8.5)
    return figure


def _cycle(values: tuple[str, ...]) -> tuple[str, ...]:
    """The values again and again, for more programs than there are colours."""
    return values * 8
