"""Where the project lies: the folder with the Snakefile, config/ and published/; and what its own path may contain."""

import os
import shlex
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


def call_python_by_name() -> None:
    """Let jobs call Python by its name, where its path has a space or the like.

    Snakemake writes `sys.executable` into a job's command as it is, and a shell would take such a path apart.
    """
    if shlex.quote(sys.executable) != sys.executable:
        python = Path(sys.executable)
        os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        sys.executable = python.name
