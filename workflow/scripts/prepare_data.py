"""Rule prepare_data: one verified .npz of a data set from the first source that has it, and a description of it."""

import os
from pathlib import Path

from refashion import data, rule_log


def main(job):
    # Standard error as it is now, before the log takes it over: a download's progress bar belongs on the terminal.
    with os.fdopen(os.dup(2), "w") as terminal, rule_log.rule_log(job):
        target = Path(job.output[0])
        data.prepare(job.params.name, job.params.definition, target, progress=terminal)
        data.write_description(Path(job.output[1]), data.load(target))


main(snakemake)  # noqa: F821
