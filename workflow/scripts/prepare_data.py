"""Rule `prepare_data`: one verified .npz of a data set from the first source that has it, and a description of it."""

import json
from pathlib import Path

from refashion import files
from refashion.data import dataset as data
from refashion.data import sources
from refashion.rule_log import rule_log


def main(job, terminal):
    """Write the data set and its facts; a download's progress is shown on the terminal."""
    target, name = Path(job.output.data), job.wildcards.dataset
    sources.prepare(name, job.config["datasets"][name], target, progress=terminal)
    files.write_text(Path(job.output.facts), json.dumps(data.describe(data.load(target)), indent=2) + "\n")


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:
        main(snakemake, stderr)
