"""The project as a Workflow Run RO-Crate: workflow, config and published results, for archives that read such metadata.

JSON-LD in the words of schema.org, by the profile "Workflow Run Crate" 0.5 of RO-Crate 1.1
(https://w3id.org/ro/wfrun/workflow/0.5): one action, whose instrument is the Snakefile, whose object is the config and
whose result is what is published.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from refashion.training.run_store import published_in

#: The crate's name for itself, in the folder that it describes.
FILE = "ro-crate-metadata.json"

_RO_CRATE = "https://w3id.org/ro/crate/1.1"
_WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
_SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    _WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
_LICENCE = "https://spdx.org/licenses/MIT"

#: Files that the workflow is given -> what they are.
_GIVEN = {
    "config/config.yaml": "The study: networks, recipes, experiments, seeds",
    "config/original.yaml": "The report that is judged, as data",
}
#: What is published -> what it is.
_RESULTS = {
    "published/report.html": "The report: a verdict on every claim",
    "published/analysis.json": "Every number of the report",
    "published/analysis.schema.json": "What each number of analysis.json is",
    "published/runs.csv": "The runs, a row each",
    "published/cells.csv": "The cells, with intervals",
    "published/claims.csv": "The claims, with verdicts",
    "published/comparisons.csv": "Comparisons of cells",
    "published/effects.csv": "Effects of network, images and augmentation",
    "published/runs/": "The finished runs: spec, numbers, history and predictions of each",
}
_FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".yaml": "application/yaml",
}


def crate(project: Path) -> str:
    """The text of ro-crate-metadata.json for a project with published runs; "" without any."""
    store = published_in(project / "published")
    timings = [store.read(name).metrics["timing"] for name in store.names()]
    if not timings:
        return ""
    starts = [datetime.fromisoformat(one["started"]) for one in timings]
    ends = [start + timedelta(seconds=one["seconds"]) for start, one in zip(starts, timings, strict=True)]
    given = [_file(path, name) for path, name in _GIVEN.items()]
    results = [_file(path, name) for path, name in _RESULTS.items() if (project / path).exists()]
    readme = _file("README.md", "What the study found, and how to run it") | {"about": {"@id": "./"}}
    workflow = {
        "@id": "Snakefile",
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "The study as rules",
        "programmingLanguage": {"@id": _SNAKEMAKE},
        "license": {"@id": _LICENCE},
    }
    action = {
        "@id": "#published-runs",
        "@type": "CreateAction",
        "name": f"The {len(timings)} published runs and the report of them",
        "instrument": {"@id": workflow["@id"]},
        "object": _ids(given),
        "result": _ids(results),
        "startTime": min(starts).isoformat(),
        "endTime": max(ends).isoformat(timespec="seconds"),
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "refashion: the Fashion-MNIST Report, revisited",
        "description": "A Snakemake study that trains a published report's networks again and judges its numbers.",
        "datePublished": max(ends).date().isoformat(),
        "license": {"@id": _LICENCE},
        "conformsTo": [{"@id": profile} for profile in _PROFILES],
        "hasPart": _ids([workflow, readme, *given, *results]),
        "mainEntity": {"@id": workflow["@id"]},
        "mentions": {"@id": action["@id"]},
    }
    graph = [_descriptor(), root, workflow, readme, *given, *results, action, *_context()]
    return json.dumps({"@context": f"{_RO_CRATE}/context", "@graph": graph}, indent=1) + "\n"


def _ids(entities: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"@id": entity["@id"]} for entity in entities]


def _file(path: str, name: str) -> dict[str, Any]:
    """A file, or a folder, by its path in the project."""
    if path.endswith("/"):
        return {"@id": path, "@type": "Dataset", "name": name}
    return {"@id": path, "@type": "File", "name": name, "encodingFormat": _FORMATS[Path(path).suffix]}


def _descriptor() -> dict[str, Any]:
    return {
        "@id": FILE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": [{"@id": _RO_CRATE}, {"@id": _WORKFLOW_CRATE}],
    }


def _context() -> list[dict[str, Any]]:
    """What the other entities refer to: profiles, Snakemake, the licence."""
    profiles = [
        {"@id": profile, "@type": "CreativeWork", "name": name, "version": version}
        for profile, (name, version) in _PROFILES.items()
    ]
    snakemake = {
        "@id": _SNAKEMAKE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "identifier": {"@id": "https://doi.org/10.1093/bioinformatics/bts480"},
        "url": {"@id": "https://snakemake.readthedocs.io"},
    }
    return [*profiles, snakemake, {"@id": _LICENCE, "@type": "CreativeWork", "name": "MIT License"}]
