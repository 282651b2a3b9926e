"""Rule `keras_fit`: Keras' own `fit`, seeded as its documentation advises, seed after seed."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from refashion.rule_log import rule_log

SCRIPT = Path(__file__).parent / "refashion" / "upkeep" / "benchmark" / "plain_script.py"


def main(job):
    """Write the final epoch of each seed: seed, accuracy, val_accuracy (0 to 1), as `fit` reports them.

    On the CPU, where the published runs beside it were trained.
    """
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    with open(job.output[0], "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("seed", "accuracy", "val_accuracy"), extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for seed in range(job.params.seeds):
            chosen = {**job.params.options, "data": job.input.data, "threads": 1, "seed": seed}
            options = [word for name, value in chosen.items() for word in (f"--{name}", str(value))]
            command = [sys.executable, str(SCRIPT), *options]
            run = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8", env=environment)  # noqa: S603
            writer.writerow({**json.loads(run.stdout.splitlines()[-1]), "seed": seed})


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
