"""The project as a Workflow Run RO-Crate: workflow, config and published results, for archives that read such metadata.

JSON-LD in the words of schema.org, by the profile "Workflow Run Crate" 0.5 of RO-Crate 1.1
(https://w3id.org/ro/wfrun/workflow/0.5): one action, whose instrument is the Snakefile, whose object is the config and
whose result is what is published. The file is kept by hand; how many runs there are, and from when, is renewed.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from refashion.errors import UserError, first_line
from refashion.training.run_store import published_in

#: The crate's name for itself, in the folder that it describes.
FILE = "ro-crate-metadata.json"


def renewed(project: Path) -> str:
    """The text of a project's crate with the number and the times of its published runs; "" without crate or runs.

    Raises UserError for a crate that lacks what is renewed.
    """
    store, path = published_in(project / "published"), project / FILE
    timings = [store.read(name).metrics["timing"] for name in store.names()]
    if not timings or not path.exists():
        return ""
    starts = [datetime.fromisoformat(one["started"]) for one in timings]
    ends = [start + timedelta(seconds=one["seconds"]) for start, one in zip(starts, timings, strict=True)]
    try:
        crate = json.loads(path.read_text(encoding="utf-8"))
        entities = {entity["@id"]: entity for entity in crate["@graph"]}
        entities["./"]["datePublished"] = max(ends).date().isoformat()
        entities["#published-runs"] |= {
            "name": f"The {len(timings)} published runs and the report of them",
            "startTime": min(starts).isoformat(),
            "endTime": max(ends).isoformat(timespec="seconds"),
        }
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else first_line(error)
        raise UserError(
            f"{path} is no crate that can be renewed: {reason}; mend it, or take the last good one from Git, and "
            "publish again."
        ) from None
    return json.dumps(crate, indent=1) + "\n"
