"""`make new-report NAME=...`: config/examples/NAME/, to be filled in."""

import sys

from refashion.errors import UserError
from refashion.project import PROJECT
from refashion.study.skeleton import new_report


def main(name: str) -> None:
    """Write the files, and say what comes next."""
    for path in new_report(name, PROJECT / "config" / "examples"):
        print(path.relative_to(PROJECT))
    print("Fill them in: “A report of your own” in config/README.md. Then:")
    print(f"make study CONFIG=config/examples/{name}/study.yaml")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "")
    except UserError as error:
        sys.exit(str(error))
