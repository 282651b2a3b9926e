"""Rule `describe_architectures`: every network as it was built, layer by layer."""

import json
from pathlib import Path

from refashion import architectures
from refashion.rule_log import rule_log


def main(job):
    """Write {name: {rows: [[kind, shape, parameters], ...], total, trainable, non_trainable, training_flops}}."""
    dataset = next(iter(job.params.datasets.values()))
    shape = (*dataset["files"]["train_images"]["shape"][1:], 1)
    described = {}
    for name, entry in job.params.architectures.items():
        chosen = {key: value for key, value in entry.items() if key != "builder"}
        model = architectures.build(entry["builder"], shape, len(dataset["classes"]), chosen)
        described[name] = {
            "rows": architectures.summary_rows(model),
            **architectures.parameter_counts(model),
            "training_flops": architectures.training_flops(model),
        }
    Path(job.output[0]).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with rule_log(snakemake):  # noqa: F821
        main(snakemake)  # noqa: F821
