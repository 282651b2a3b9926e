"""A tiny study on the real data, run as a user would run it: through the Snakefile, in a folder of its own."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from project import PROJECT

#: Two cheap cells of the original, cut to seconds.
TINY = {
    "seeds": 2,
    "device": "cpu",
    "limits": {"images": 600, "epochs": 2},
    "run": ["tiny"],
    "experiments": {
        "tiny": {
            "title": "Tiny",
            "question": "Does every rule work?",
            "cells": [
                {"architecture": "cnn1", "fraction": "10k", "augmentation": "none", "recipe": "b256_e100"},
                {"architecture": "lenet5", "fraction": "60k", "augmentation": "none", "recipe": "b32_e20_sparse"},
            ],
        }
    },
}


class Study:
    """A folder with an overlay config, in which the project's Snakefile is run."""

    def __init__(self, folder: Path, data: Path | None = None, overlay: dict | None = None, project: Path = PROJECT):
        self.folder, self.project = folder, project
        self.overlay = copy.deepcopy(TINY if overlay is None else overlay)
        folder.mkdir(parents=True, exist_ok=True)
        if data is not None:  # prepared once for all tests, not once a test
            (folder / "results" / "data").mkdir(parents=True)
            for path in (data, data.with_suffix(".json")):
                shutil.copy2(path, folder / "results" / "data" / path.name)

    def snakemake(self, *arguments: str, check: bool = True, cores: int = 2) -> subprocess.CompletedProcess:
        """Run Snakemake in the study's folder; its output is in stdout. A failure fails the test with what was said."""
        done = subprocess.run(
            self.command(*arguments, cores=cores), capture_output=True, text=True, env=environment(), timeout=1500
        )
        done.stdout += done.stderr
        if check:
            assert done.returncode == 0, done.stdout + self.logs()
        return done

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        """The command line of `snakemake`."""
        path = self.folder / "overlay.yaml"
        path.write_text(yaml.safe_dump(self.overlay), encoding="utf-8")
        return [
            *(sys.executable, "-m", "snakemake", *arguments),
            *("--snakefile", str(self.project / "Snakefile"), "--directory", str(self.folder)),
            *("--configfile", str(path), "--cores", str(cores)),
        ]

    def planned(self, *arguments: str) -> tuple[dict[str, int], str]:
        """What a dry run would do, the number of jobs of each rule, and all that it says."""
        text = self.snakemake(*arguments, "--dry-run", "--quiet", "rules").stdout
        counts = re.findall(r"^(\w+)\s+(\d+)$", text, re.M)
        return {name: int(count) for name, count in counts if name != "total"}, text

    def jobs(self, *arguments: str) -> dict[str, int]:
        """The number of jobs of each rule that a dry run would do."""
        return self.planned(*arguments)[0]

    def trained(self) -> int:
        """How many runs have been trained to their end in this folder: what the store has."""
        return len(list(self.folder.glob("results/store/*/metrics.json")))

    def trained_last(self) -> int:
        """How many of the runs' logs (Snakemake keeps the last of each) tell of training, not of the store."""
        logs = self.folder.glob("logs/train/**/*.log")
        return sum(bool(re.search(r"^Run \w+: ", log.read_text(encoding="utf-8"), re.M)) for log in logs)

    def logs(self) -> str:
        """The end of every log, for the message of a failed test."""
        return "".join(
            f"\n--- {path}\n{path.read_text(encoding='utf-8', errors='replace')[-2000:]}"
            for path in sorted(self.folder.glob("logs/**/*.log"))
        )


def environment() -> dict[str, str]:
    """The environment of a user's shell: nothing of pytest's."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "SNAKEMAKE"))}
