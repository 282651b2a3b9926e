"""Where the project lies: the folder with the Snakefile, config/ and published/."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
