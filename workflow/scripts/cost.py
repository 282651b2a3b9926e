"""Rule `cost`: what each experiment still costs, at speeds of machines like this one where there are any."""

from refashion.judging import standing
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.study.original import read_original
from refashion.training import seeds
from refashion.training.run_store import RunStore
from refashion.upkeep import costing


def main(job, terminal):
    """Print a line an experiment and a total, and what the next look costs, on the terminal and into the log."""
    study = seeds.with_plans(load_study(job.config), job.params.plans)
    original, store = read_original(job.params.original), RunStore(job.params.store)
    text = costing.table(costing.bill(standing.grown(study, original, store)[0]))
    if study.looks:
        text += f"\n{costing.look_table(*standing.grown(study.with_every_look, original, store))}"
    for stream in (None, terminal):
        print(text, file=stream)


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:
        main(snakemake, stderr)
