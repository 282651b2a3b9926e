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
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from refashion import formatting, provenance
from refashion.project import PROJECT
from refashion.telling import cells, lede, one_run, source, waiting, words
from refashion.telling.cells import Analysis
from refashion.telling.figures import catalogue, experiments, parts, style
from refashion.telling.figures.catalogue import Drawing
from refashion.telling.findings import experiment_told
from refashion.telling.pictures import Pictures
from refashion.telling.redaction import redact

TEMPLATES = PROJECT / "report"


@dataclass(frozen=True)
class _Given:
    """What the sections of a page are made of."""

    analysis: Analysis
    drawings: Mapping[str, Drawing]
    pictures: Pictures
    text: str
    idle: Sequence[waiting.Waiting]

    def drawn(self, *names: str) -> bool:
        """Whether any of these figures shows something."""
        return any(not self.drawings[name].reason for name in names)

    def judged_by_others(self) -> bool:
        """Whether other rules have something to say of a published accuracy."""
        return any(any(one["says"]) for one in self.analysis["rival_rules"]["claims"])


#: The sections of the page in the order of reading: anchor (also the template's name), title, and whether there is
#: anything to show in it.
SECTIONS: tuple[tuple[str, str, Callable[[_Given], object]], ...] = (
    ("table", "The table, published and run again", lambda given: given.analysis["table"]["columns"]),
    (
        "one_run",
        "If the author had run another seed",
        lambda given: given.analysis["study"]["evidence"] and one_run.papers(given.analysis),
    ),
    ("claims", "Every claim and its verdict", lambda given: given.analysis["claims"]),
    ("inconsistencies", "Where the original contradicts itself", lambda given: given.analysis["inconsistencies"]),
    ("source", "The original's own words", lambda given: given.text),
    ("readings", "Readings and unstated choices", lambda given: given.drawn("specification_curves")),
    ("effects", "What changed together, taken apart", lambda given: given.drawn("interaction")),
    ("comparisons", "Which network is better", lambda given: given.drawn("paired_differences", "ranks")),
    ("learning", "Learning curves", lambda given: given.drawn("learning_curves")),
    ("optimism", "Choosing the best epoch", lambda given: given.drawn("optimism")),
    ("spread", "Where the spread comes from", lambda given: given.drawn("variance_components", "half_widths")),
    ("mistakes", "What the networks get wrong", lambda given: given.drawn("confusion", "image_difficulty")),
    (
        "augmentations",
        "What augmentation does to a garment",
        lambda given: given.pictures.augmentations[1:],  # the first row is of garments as they are
    ),
    (
        "extensions",
        "Beyond the original",
        lambda given: any(one["enabled"] for one in experiments.extensions(given.analysis)),
    ),
    ("missing", "What is missing", lambda given: words.anything_missing(given.analysis) or given.idle),
    ("deviations", "What was decided after looking", lambda given: given.analysis["original"]["deviations"]),
    ("methods", "Methods, in plain words", lambda given: True),
    ("reproduce", "How to reproduce this", lambda given: True),
)
#: What is looked up rather than read, after the sections.
APPENDIX: tuple[tuple[str, str, Callable[[_Given], object]], ...] = (
    ("audit", "Parameters, layer by layer", lambda given: given.analysis["audit"]),
    ("assumptions", "Assumptions", lambda given: given.analysis["assumptions"]),
    ("rules", "By whose rule?", lambda given: given.analysis["study"]["evidence"] and given.judged_by_others()),
    ("cost", "Cost and speed", lambda given: True),
    ("provenance", "Provenance", lambda given: True),
    ("references", "References", lambda given: True),
)


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
    analysis = redact(analysis)
    drawings = catalogue.draw_all(analysis) if drawings is None else drawings
    environment = _environment()
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    idle = waiting.experiments(analysis, config)
    given = _Given(analysis, drawings, pictures, text, idle)
    shown, appendix = ([(anchor, title) for anchor, title, has in part if has(given)] for part in (SECTIONS, APPENDIX))
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
        overlays=redact(overlays),
        names_of_cells=cells.names_of_cells(analysis, config),
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
    import yaml

    plain = json.loads(json.dumps(config, default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
