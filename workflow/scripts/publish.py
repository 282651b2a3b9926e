"""Rule `publish`: the finished runs of the study, and the report of them, into published/."""

from pathlib import Path

from refashion import planning, publishing, reporting
from refashion import study as studies
from refashion.rule_log import rule_log
from refashion.run_store import RunStore


def main(job, terminal):
    """Copy what is new, say how many runs that was, and show the result in the two READMEs."""
    published, readme = Path(job.params.published), Path(job.params.readme)
    publishing.publish(
        planning.with_plan(studies.load(job.config), job.params.seeds),
        RunStore(job.params.store),
        Path(job.params.results),
        Path(job.params.benchmark),
        published,
        log=lambda text: print(text, file=terminal),
    )
    analysis = reporting.read_analysis(published / "analysis.json")
    for path, block in (
        (readme, publishing.readme_block(analysis)),
        (published / "README.md", publishing.runs_block(published)),
    ):
        path.write_text(publishing.with_block(path.read_text(encoding="utf-8"), block), encoding="utf-8")


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:  # noqa: F821
        main(snakemake, stderr)  # noqa: F821
