"""`make new-report NAME=...`: config/examples/NAME/, to be filled in."""

import re
import sys
from pathlib import Path

from refashion.errors import UserError
from refashion.project import PROJECT

#: What the skeleton's files write where the report's name is meant.
PLACEHOLDER = "SKELETON"


def new_report(name: str, examples: Path) -> list[Path]:
    """Write examples/NAME/study.yaml and original.yaml. Raises UserError for no safe name or one that is taken."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,47}", name):
        allowed = "up to 48 small letters, digits, _ and - that begin with a letter or digit"
        raise UserError(f"NAME is {name!r}; allowed are {allowed}.")
    folder = examples / name
    if folder.exists():
        raise UserError(f"{folder} is there already; choose another NAME, or move that folder away.")
    folder.mkdir()
    written = []
    for source in sorted((examples / "skeleton").glob("*.yaml")):
        text = source.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
        written.append(folder / source.name)
        written[-1].write_text(text, encoding="utf-8")
    return written


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
