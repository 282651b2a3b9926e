"""Rule `cost`: what each experiment still costs, at speeds measured on this machine where there are any."""

from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.training import seeds
from refashion.upkeep import costing


def main(job, terminal):
    """Print a line an experiment and a total, on the terminal and into the log."""
    study = seeds.with_plans(load_study(job.config), job.params.plans)
    text = costing.table(costing.bill(study))
    for stream in (None, terminal):
        print(text, file=stream)


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:  # noqa: F821
        main(snakemake, stderr)  # noqa: F821
