"""Rule `describe_architectures`: every network as it was built, layer by layer."""

import json
from pathlib import Path

from refashion import files
from refashion.errors import UserError
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.study.model import NUMERICS
from refashion.study.original import original_dataset, read_original
from refashion.training.run_store import RunStore


def describe(entries, shape, classes):
    """{name: {rows: [[kind, output shape, parameters], ...], total, trainable, non_trainable, training_flops}}."""
    from refashion.networks import architectures
    from refashion.training import runtime

    runtime.configure("cpu", threads=1)  # or TensorFlow would take a GPU's memory, while others train on it
    described = {}
    for name, entry in entries.items():
        try:
            model = architectures.build(entry, shape, classes)
        except UserError as error:
            raise UserError(f"config: architectures.{name}: {error}") from error
        described[name] = {
            "rows": architectures.summary_rows(model),
            **architectures.parameter_counts(model),
            "training_flops": architectures.training_flops(model),
        }
    return described


def main(job):
    """Write results/architectures.json; from the store, without building anything, where it is known."""
    entries = dict(job.params.architectures)
    dataset = job.params.datasets[original_dataset(read_original(job.input.original), load_study(job.config))]
    shape, classes = [*dataset["files"]["train_images"]["shape"][1:], 1], len(dataset["classes"])

    def make(stream):
        stream.write((json.dumps(describe(entries, shape, classes), indent=1) + "\n").encode())

    key = {"architectures": entries, "shape": shape, "classes": classes, "numerics": NUMERICS}
    files.copy(RunStore(job.params.store).derived(key, ".json", make), Path(job.output[0]))


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
