"""Rule `publish`: the finished runs of the study and their report into published/, or an example's folder there."""

from pathlib import Path

from refashion import files
from refashion.judging import standing
from refashion.rule_log import rule_log
from refashion.study.config import load_study, read_config
from refashion.study.original import read_original
from refashion.training import seeds
from refashion.training.run_store import RunStore
from refashion.upkeep import crate, publishing, readmes


def main(job, terminal):
    """Copy what is new, say how many runs that was, and show the result in the READMEs."""
    published, project = Path(job.params.published), Path(job.params.project)
    example = published != project / "published"
    overlays = [Path(job.params.original).parent / "study.yaml"] if example else []
    told = load_study(read_config((project / "config" / "config.yaml", *overlays)))
    study = load_study(job.config)
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
    readmes.write(published, project)
    if not example and (metadata := crate.renewed(project)):
        files.write_text(project / crate.FILE, metadata)


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:
        main(snakemake, stderr)
