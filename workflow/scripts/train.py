"""Rule `train`: one run, from the store where it is there, else trained; then copied to its readable path."""

from pathlib import Path

from refashion import files
from refashion.rule_log import rule_log
from refashion.study.model import digest
from refashion.training import devices
from refashion.training import run as training
from refashion.training.run_store import RunStore


def main(job):
    """Train or find the run of ``job.params.spec`` and put its three files where Snakemake expects them."""
    store = RunStore(job.params.store)
    training.train(
        job.params.spec,
        Path(job.input.data),
        store,
        device=devices.wanted(job.config["device"], job.resources.get("gpu", 0)),
        threads=job.threads,
        checkpoint_seconds=job.config["checkpoint_seconds"],
    )
    for path in map(Path, job.output):
        files.copy(store.path(digest(job.params.spec)) / path.name, path)


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
