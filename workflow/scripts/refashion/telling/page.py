"""The report as one HTML file, from analysis.json.

Everything that the templates in report/ say comes from the analysis, the drawings of `figures` and the circumstances
of rendering. Autoescape is on, and an undefined name is an error: text from the config can neither script the page nor
leave a hole in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from refashion import formatting, provenance
from refashion.project import PROJECT
from refashion.telling import lede, one_run, source, waiting, words
from refashion.telling.figures import catalogue, experiments, parts, style
from refashion.telling.figures.catalogue import Drawing
from refashion.telling.findings import experiment_told
from refashion.telling.pictures import Pictures
from refashion.telling.redaction import redact

Analysis = dict[str, Any]

TEMPLATES = PROJECT / "report"

#: The sections of the page: anchor (also the template's name) and title, in the order of reading.
SECTIONS = (
    ("table", "The table, published and run again"),
    ("one_run", "If the author had run another seed"),
    ("claims", "Every claim and its verdict"),
    ("inconsistencies", "Where the report contradicts itself"),
    ("source", "The original's own words"),
    ("readings", "Readings and unstated choices"),
    ("effects", "What changed together, taken apart"),
    ("comparisons", "Which network is better"),
    ("learning", "Learning curves"),
    ("optimism", "Choosing the best epoch"),
    ("spread", "Where the spread comes from"),
    ("mistakes", "What the networks get wrong"),
    ("augmentations", "What augmentation does to a garment"),
    ("extensions", "Beyond the original"),
    ("missing", "What is missing"),
    ("deviations", "What was decided after looking"),
    ("methods", "Methods, in plain words"),
    ("reproduce", "How to reproduce this"),
)
#: What is looked up rather than read, after the sections.
APPENDIX = (
    ("audit", "Parameters, layer by layer"),
    ("assumptions", "Assumptions"),
    ("rules", "By whose rule?"),
    ("cost", "Cost and speed"),
    ("provenance", "Provenance"),
    ("references", "References"),
)


def _has(
    section: str,
    analysis: Analysis,
    drawings: Mapping[str, Drawing],
    images: Pictures,
    text: str,
    idle: Sequence[waiting.Waiting],
) -> bool:
    """Whether there is anything to show in a section."""

    def drawn(*names: str) -> bool:
        return any(not drawings[name].reason for name in names)

    conditions: dict[str, Callable[[], bool]] = {
        "table": lambda: bool(analysis["table"]["columns"]),
        "one_run": lambda: analysis["study"]["evidence"] and bool(one_run.papers(analysis)),
        "claims": lambda: bool(analysis["claims"]),
        "inconsistencies": lambda: bool(analysis["inconsistencies"]),
        "source": lambda: bool(text),
        "readings": lambda: drawn("specification_curves"),
        "effects": lambda: drawn("interaction"),
        "comparisons": lambda: drawn("paired_differences", "ranks"),
        "learning": lambda: drawn("learning_curves"),
        "optimism": lambda: drawn("optimism"),
        "spread": lambda: drawn("variance_components", "half_widths"),
        "mistakes": lambda: drawn("confusion", "image_difficulty"),
        "augmentations": lambda: len(images.augmentations) > 1,  # the first row is of garments as they are
        "extensions": lambda: any(one["enabled"] for one in experiments.extensions(analysis)),
        "missing": lambda: words.anything_missing(analysis) or bool(idle),
        "deviations": lambda: bool(analysis["original"]["deviations"]),
        "audit": lambda: bool(analysis["audit"]),
        "assumptions": lambda: bool(analysis["assumptions"]),
        "rules": lambda: (
            analysis["study"]["evidence"]
            and any(one["interval"] is not None for one in analysis["rival_rules"]["claims"])
        ),
    }
    return conditions.get(section, lambda: True)()


def render(
    analysis: Analysis,
    pictures: Pictures,
    config: Mapping[str, Any],
    drawings: Mapping[str, Drawing] | None = None,
    partial: bool = False,
    text: str = "",
) -> str:
    """The whole report as one HTML file. `partial`: rendered while runs are still missing.

    `drawings`: those of `catalogue.draw_all`, where they have been drawn already. `text`: the original's own.
    """
    analysis = redact(analysis)
    drawings = catalogue.draw_all(analysis) if drawings is None else drawings
    environment = _environment()
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    idle = waiting.experiments(analysis, config)
    shown, appendix = (
        [one for one in part if _has(one[0], analysis, drawings, pictures, text, idle)] for part in (SECTIONS, APPENDIX)
    )
    passages = source.passages(redact(text), analysis["claims"])
    anchors = {anchor for anchor, _ in (*shown, *appendix)}
    anchors |= {f"fig-{words.slug(name)}" for name, drawing in drawings.items() if not drawing.reason}
    return environment.get_template("report.html.jinja").render(
        a=analysis,
        anchors=anchors,
        appendix=appendix,
        config=redact(_yaml(waiting.without_others(config, idle))),
        drawings=drawings,
        made=_circumstances(),
        margins=config["analysis"],
        names_of_cells=words.names_of_cells(analysis, config),
        partial=partial,
        pictures=pictures,
        quoted={claim for passage in passages for claim in passage.claims},
        references=_references(),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        sections=shown,
        source=source.blocks(passages),
        waiting=redact([vars(one) for one in idle]),
        style_sheet=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        told={one["name"]: experiment_told(analysis, config, one["name"]) for one in experiments.extensions(analysis)},
    )


def _references() -> list[dict[str, str]]:
    """The works that the page cites, from report/references.yaml."""
    import yaml

    return yaml.safe_load((TEMPLATES / "references.yaml").read_text(encoding="utf-8"))


@cache
def _environment() -> Any:
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Our own files, not a user's words: the only strings that reach the page unescaped, besides style.inline's.
    environment.filters["trusted"] = Markup
    for module in (formatting, words, lede):
        environment.globals |= {
            name: value
            for name, value in vars(module).items()
            if callable(value) and name[0].islower() and value.__module__ == module.__name__
        }
    environment.globals |= {
        "MISSING": formatting.MISSING,
        "VERDICTS": lede.VERDICTS,
        "cell_name": parts.cell_name,
        "extensions": experiments.extensions,
        "inline": lambda svg, prefix, told: Markup(style.inline(svg, prefix, told)),  # noqa: S704
        "one_run": one_run,
        "validated_on_augmented": parts.validated_on_augmented,
    }
    return environment


def _circumstances() -> dict[str, Any]:
    """When, from which commit and with what the page is rendered."""
    packages = provenance.versions("jinja2", "matplotlib", "snakemake")
    return {**provenance.collect(), "packages": packages, "date": datetime.now(UTC).isoformat(timespec="minutes")}


def _yaml(config: Mapping[str, Any]) -> str:
    import yaml

    plain = json.loads(json.dumps(config, default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
