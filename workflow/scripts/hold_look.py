"""Rule `hold_look`: one look at the claims, which says how many seeds each cell gets next, and for which claims."""

from pathlib import Path

from refashion import files
from refashion.judging import standing
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.study.original import read_original
from refashion.training import seeds


def main(job):
    """Write results/seeds/look-N.csv from the runs of the look, and say what it decided."""
    look, table = int(job.wildcards.look), Path(job.output[0])
    study = seeds.with_plans(load_study(job.config), table.parent, looks=look - 1)
    found = standing.of_runs(study, read_original(job.input.original), Path(), strict=True, most=look)
    files.write_csv(table, standing.rows(study, found), seeds.LOOK_COLUMNS)
    for claim, state in found.claims.items():
        print(f"{claim}: {standing.word(state)}")
    print(found.told)


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
