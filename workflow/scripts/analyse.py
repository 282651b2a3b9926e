"""Rule `analyse`: the study's tables and facts -> analysis.json, and the CSV tables made from it."""

import json
from pathlib import Path

from refashion import files
from refashion.judging import analysis, collection, inputs, tables
from refashion.judging.csv_tables import SOURCES
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.study.original import check_original, read_original
from refashion.training import seeds


def main(job):
    """Analyse what `collect` gathered. Input `benchmark` is shown where the rule has it."""
    given, study = job.input, seeds.with_plans(load_study(job.config), job.params.plans)
    original = read_original(given.original)
    check_original(original, study)
    runs = tables.read("runs", given.runs)
    collection.check_runs(study, runs, given.runs)
    collected = collection.Collected(
        runs, tables.read("histories", given.histories), collection.read_predictions(given.predictions)
    )
    document = analysis.analyse(inputs.read(study, original, collected, given))
    analysis.write(document, job.output.analysis, {name: job.output[name] for name in SOURCES})
    files.write_alone(Path(job.output.config), json.dumps(job.config, indent=1) + "\n")
    print(document["study"]["answer"])


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
