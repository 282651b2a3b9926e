"""Rule `plan_seeds`: how many seeds each pilot cell gets in all."""

from pathlib import Path

from refashion import files
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.training import seeds


def main(job):
    """Write results/seeds/pilots.csv from the pilot runs."""
    files.write_csv(Path(job.output[0]), seeds.plan_pilots(load_study(job.config), Path()), seeds.PILOT_COLUMNS)


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
