"""One job of this engine, as the rule `train` starts it: one of the programs that `snakemake benchmark` compares.

Prints the log of a run, a line an epoch; the finished run lies in the store that is named.
"""

import argparse
import json
from pathlib import Path

from refashion.training import run as training
from refashion.training.run_store import RunStore


def main():
    """Train the run whose spec is in a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--device", choices=("cpu", "gpu"), required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--checkpoint-seconds", type=float, required=True)
    chosen = parser.parse_args()
    training.train(
        json.loads(chosen.spec.read_text(encoding="utf-8")),
        chosen.data,
        RunStore(chosen.store),
        device=chosen.device,
        threads=chosen.threads,
        checkpoint_seconds=chosen.checkpoint_seconds,
    )


if __name__ == "__main__":
    main()
