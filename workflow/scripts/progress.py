"""How far the study in this folder is: python workflow/scripts/progress.py [CONFIG OVERLAY ...] (make progress).

It only reads, so it can be asked at any time; Snakemake itself would wait for the study that holds its lock.
"""

import sys
from pathlib import Path

from refashion.errors import UserError
from refashion.upkeep import progress


def main(overlays):
    """Print three lines, and the failed runs."""
    try:
        print(progress.show([Path(one) for one in overlays]))
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
