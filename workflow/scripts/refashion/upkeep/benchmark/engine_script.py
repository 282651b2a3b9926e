"""One job of this engine, as the rule `train` starts it: one of the programs that `snakemake benchmark` compares.

Given spec, data, store, device, threads and checkpoint_seconds as one JSON text. Prints the log of a run, a line an
epoch; the finished run lies in the store.
"""

import json
import sys
from pathlib import Path

from refashion.training import run as training
from refashion.training.run_store import RunStore

if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    training.train(job.pop("spec"), Path(job.pop("data")), RunStore(job.pop("store")), **job)
