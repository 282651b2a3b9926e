"""Rule `benchmark`: images a second and fixed cost of this engine, the plain script and PyTorch, side by side."""

import os
import tempfile
from pathlib import Path

from refashion.judging import benchmark_table
from refashion.rule_log import rule_log
from refashion.training import devices
from refashion.upkeep.benchmark import contestants, measuring


def main(job, terminal):
    """Measure, write the table, and show it on the terminal; the log has every measurement."""
    machine = contestants.Machine(job.threads, devices.wanted(job.config["device"], job.resources.get("gpu", 0)))
    load = os.getloadavg()[0]
    if load > 0.1 * machine.cores:
        warning = (
            f"The load of this machine was {load:.1f} in the last minute: something else runs, and the figures suffer."
        )
        print(warning)
        print(warning, file=terminal, flush=True)  # now, while the 45 minutes can still be saved
    with tempfile.TemporaryDirectory(prefix="refashion-benchmark-") as folder:
        workshop = contestants.Workshop(Path(folder), Path(job.input.data), machine, job.config["checkpoint_seconds"])
        found = measuring.run(workshop, repetitions=job.params.repetitions, seconds=job.params.seconds)
    table = measuring.rows(found, machine, load)
    benchmark_table.write(Path(job.params.table), table)
    print(benchmark_table.told(table), file=terminal, flush=True)


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:
        main(snakemake, stderr)
