"""The report as one HTML file, from analysis.json.

Everything that the templates in report/ say comes from the analysis, the drawings of `figures` and the circumstances
of rendering. Autoescape is on, and an undefined name is an error: text from the config can neither script the page nor
leave a hole in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from refashion import formatting, provenance, yaml_files
from refashion.project import PROJECT
from refashion.telling import cells, lede, one_run, source, waiting, words
from refashion.telling.cells import Analysis
from refashion.telling.figures import catalogue, experiments, parts, style
from refashion.telling.figures.catalogue import Drawing
from refashion.telling.findings import experiment_told
from refashion.telling.pictures import Pictures
from refashion.telling.redaction import redact

TEMPLATES = PROJECT / "report"


def render(
    analysis: Analysis,
    pictures: Pictures,
    config: Mapping[str, Any],
    drawings: Mapping[str, Drawing] | None = None,
    partial: bool = False,
    text: str = "",
    overlays: str = "",
) -> str:
    """The whole report as one HTML file. `partial`: rendered while runs are still missing.

    `drawings`: those of `catalogue.draw_all`, where they have been drawn already. `text`: the original's own.
    `overlays`: what a snakemake command that is about this study ends with.
    """
    analysis, config, text, overlays = (redact(given) for given in (analysis, config, text, overlays))
    drawings = catalogue.draw_all(analysis) if drawings is None else drawings
    environment = _environment()
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    idle = waiting.experiments(analysis, config)
    sections, appendix = _sections(analysis, drawings, pictures, text, idle)
    passages = source.passages(text, analysis["claims"])
    anchors = {anchor for anchor, _ in (*sections, *appendix)}
    anchors |= {f"fig-{words.slug(name)}" for name, drawing in drawings.items() if not drawing.reason}
    return environment.get_template("report.html.jinja").render(
        a=analysis,
        anchors=anchors,
        appendix=appendix,
        config=_yaml(waiting.without_others(config, idle)),
        drawings=drawings,
        made=_circumstances(),
        margins=config["analysis"],
        overlays=overlays,
        names_of_cells=cells.names_of_cells(analysis, config),
        partial=partial,
        pictures=pictures,
        quoted={claim for passage in passages for claim in passage.claims},
        references=yaml_files.read(TEMPLATES / "references.yaml"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        sections=sections,
        source=source.blocks(passages),
        waiting=idle,
        style_sheet=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        told={one["name"]: experiment_told(analysis, config, one["name"]) for one in experiments.extensions(analysis)},
    )


def _sections(
    analysis: Analysis,
    drawings: Mapping[str, Drawing],
    pictures: Pictures,
    text: str,
    idle: Sequence[waiting.Waiting],
) -> list[list[tuple[str, str]]]:
    """The sections that have something to show, in the order of reading, then those of the appendix.

    Each is (anchor, title); its template has the anchor's name.
    """

    def drawn(*names: str) -> bool:
        return any(not drawings[name].reason for name in names)

    evidence = analysis["study"]["evidence"]
    tried = any(one["enabled"] for one in experiments.extensions(analysis))
    judged_by_others = any(any(one["says"]) for one in analysis["rival_rules"]["claims"])
    sections: list[tuple[str, str, object]] = [
        ("table", "The table, published and run again", analysis["table"]["columns"]),
        ("one_run", "If the author had run another seed", evidence and one_run.papers(analysis)),
        ("claims", "Every claim and its verdict", analysis["claims"]),
        ("inconsistencies", "Where the original contradicts itself", analysis["inconsistencies"]),
        ("source", "The original's own words", text),
        ("readings", "Readings and unstated choices", drawn("specification_curves")),
        ("effects", "What changed together, taken apart", drawn("interaction")),
        ("comparisons", "Which network is better", drawn("paired_differences", "ranks")),
        ("learning", "Learning curves", drawn("learning_curves")),
        ("optimism", "Choosing the best epoch", drawn("optimism")),
        ("spread", "Where the spread comes from", drawn("variance_components", "half_widths")),
        ("mistakes", "What the networks get wrong", drawn("confusion", "image_difficulty")),
        # The first row is of garments as they are.
        ("augmentations", "What augmentation does to a garment", pictures.augmentations[1:]),
        ("extensions", "Beyond the original", tried),
        ("missing", "What is missing", words.anything_missing(analysis) or idle),
        ("deviations", "What was decided after looking", analysis["original"]["deviations"]),
        ("methods", "Methods, in plain words", True),
        ("reproduce", "How to reproduce this", True),
    ]
    # What is looked up rather than read.
    appendix: list[tuple[str, str, object]] = [
        ("audit", "Parameters, layer by layer", analysis["audit"]),
        ("assumptions", "Assumptions", analysis["assumptions"]),
        ("rules", "By whose rule?", evidence and judged_by_others),
        ("cost", "Cost and speed", True),
        ("provenance", "Provenance", True),
        ("references", "References", True),
    ]
    return [[(anchor, title) for anchor, title, shown in part if shown] for part in (sections, appendix)]


@cache
def _environment() -> Any:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # With style.inline's, the only strings that reach the page unescaped: our own files, not a user's words.
    environment.filters["trusted"] = Markup
    for module in (formatting, cells, words, lede):
        environment.globals |= {
            name: value
            for name, value in vars(module).items()
            if callable(value) and name[0].islower() and value.__module__ == module.__name__
        }
    environment.globals |= {
        "MISSING": formatting.MISSING,
        "VERDICTS": lede.VERDICTS,
        "extensions": experiments.extensions,
        "inline": lambda svg, told: Markup(style.inline(svg, told)),  # noqa: S704
        "one_run": one_run,
        "validated_on_augmented": parts.validated_on_augmented,
    }
    return environment


def _circumstances() -> dict[str, Any]:
    """When, from which commit and with what the page is rendered."""
    packages = provenance.versions("jinja2", "matplotlib", "snakemake")
    return {**provenance.collect(), "packages": packages, "date": datetime.now(UTC).isoformat(timespec="minutes")}


def _yaml(config: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(config, default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
