"""Rule `publish`: the finished runs of the study, and the report of them, into published/."""

from pathlib import Path

from refashion import publishing
from refashion import study as studies
from refashion.rule_log import rule_log
from refashion.run_store import RunStore


def main(job, terminal):
    """Copy what is new, and say how many runs that was."""
    publishing.publish(
        studies.load(job.config),
        RunStore(job.params.store),
        Path(job.params.results),
        Path(job.params.published),
        log=lambda text: print(text, file=terminal),
    )


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:  # noqa: F821
        main(snakemake, stderr)  # noqa: F821
