"""Rule `publish`: the finished runs of the study, and the report of them, into published/."""

from pathlib import Path

from refashion import files, yaml_files
from refashion.judging import standing
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.study.original import read_original
from refashion.training import seeds
from refashion.training.run_store import RunStore
from refashion.upkeep import publishing


def main(job, terminal):
    """Copy what is new, say how many runs that was, and show the result in the two READMEs."""
    published, readme = Path(job.params.published), Path(job.params.readme)
    study, told = load_study(job.config), load_study(yaml_files.read(Path(job.params.told)))
    results, derived = Path(job.params.results), tuple(Path(path) for path in job.params.derived)
    store, original = RunStore(job.params.store), read_original(job.params.original)
    study, _ = standing.grown(seeds.with_plans(study, job.params.plans), original, store)
    publishing.publish(
        study,
        told,
        store,
        publishing.Made(results, derived, Path(job.params.benchmark)),
        published,
        log=lambda text: print(text, file=terminal),
    )
    analysis, told = publishing.report_in(published), published / "README.md"
    if analysis:  # none before the first report, or one of another version, of which the README tells already
        text = publishing.with_block(readme.read_text(encoding="utf-8"), publishing.readme_block(analysis))
        files.write_text(readme, text)
    text = publishing.with_block(told.read_text(encoding="utf-8"), publishing.runs_block(published))
    files.write_text(told, publishing.with_columns(text, publishing.columns_block(published)))


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:  # noqa: F821
        main(snakemake, stderr)  # noqa: F821
