"""Rule `verify`: a small sample of the published runs, trained again and compared."""

from pathlib import Path

from refashion.errors import UserError
from refashion.rule_log import rule_log
from refashion.training import devices
from refashion.upkeep import verification


def main(job, terminal):
    """Print a line a run; fail if one differs by more than it may."""
    published = Path(job.params.published)
    found = []
    for comparison in verification.verify(
        published,
        Path(job.input.data),
        epochs=job.params.epochs,
        device=devices.wanted(job.config["device"], job.resources.get("gpu", 0)),
        threads=job.threads,
    ):
        print(comparison)
        print(comparison, file=terminal)
        found.append(comparison)
    if not found:
        raise UserError(f"No published run in {published} can be trained in part, so there is nothing to verify.")
    failed = [comparison for comparison in found if not comparison.passes]
    if failed:
        raise UserError(f"{len(failed)} of {len(found)} published runs do not come out again: {failed[0]}")


if __name__ == "__main__":
    with rule_log(snakemake) as stderr:
        main(snakemake, stderr)
