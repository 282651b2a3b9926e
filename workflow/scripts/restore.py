"""Rule `restore`: the published runs into the run store, so that only what is new is trained."""

from pathlib import Path

from refashion.judging import standing
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.study.original import read_original
from refashion.training import seeds
from refashion.training.run_store import RunStore
from refashion.upkeep import costing, publishing


def main(job, terminal):
    """Copy every published run that the store has not got; say how many, what is left to train, and how to look."""
    store = RunStore(job.params.store)
    publishing.restore(
        Path(job.params.published),
        store,
        Path(job.params.benchmark),
        log=lambda text: print(text, file=terminal),
    )
    study = seeds.with_plans(load_study(job.config), job.params.plans)
    study, looks = standing.grown(study, read_original(job.params.original), store)
    print(costing.one_line(study), file=terminal)
    if looks is not None:
        print(looks.told, file=terminal)
    known = not study.awaits_plan and (looks is None or looks.is_held)  # else more runs come, nobody knows which
    whole = known and set(costing.digests(study).values()) <= set(store.names())
    command = f"snakemake {'report' if whole else 'report_partial'}{job.params.overlays}"
    print(f"The report of the runs that are there, without training: {command}", file=terminal)


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:
        main(snakemake, stderr)
