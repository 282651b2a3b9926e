"""Rule `collect`: the files of every run -> runs.csv, histories.csv.gz and predictions.npz."""

from pathlib import Path

from refashion.judging import collection, tables
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.training import seeds


def main(job):
    """Read every run of the study; one that is missing or broken ends the rule with one sentence."""
    study = seeds.with_plans(load_study(job.config), job.params.plans)
    labels = collection.labels_of(map(Path, job.input.data))
    collected = collection.collect(study, Path(), strict=True, labels=labels, published=job.params.published.split())
    tables.write(collected.runs, job.output.runs)
    tables.write(collected.histories, job.output.histories)
    collection.write_predictions(collected.predictions, job.output.predictions)
    print(f"Collected {len(collected.runs)} runs of {len(study.cells())} cells.")


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
