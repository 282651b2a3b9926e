"""The rooms of the package: who may import whom stands in pyproject.toml, and a breach is noticed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import PROJECT

LINT = Path(sys.executable).with_name("lint-imports")


def _lint(folder):
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [str(LINT), "--no-cache", "--config", str(PROJECT / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def package(tmp_path) -> Path:
    """A copy of the package to spoil."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(PROJECT / "workflow" / "scripts" / "refashion", tmp_path / "refashion", ignore=ignored)


def test_nobody_imports_upward(package):
    done = _lint(package.parent)
    assert done.returncode == 0, done.stdout


def test_an_upward_import_is_noticed(package):
    (package / "inference" / "spoiled.py").write_text("from refashion.upkeep import costing\n", encoding="utf-8")
    done = _lint(package.parent)
    assert done.returncode == 1
    assert "refashion.inference.spoiled -> refashion.upkeep.costing" in done.stdout


def test_a_module_outside_all_rooms_is_noticed(package):
    (package / "attic.py").write_text("", encoding="utf-8")
    done = _lint(package.parent)
    assert done.returncode == 1
    assert "attic" in done.stdout


def test_rooms_have_no_code_of_their_own_and_are_not_crowded(package):
    rooms = [path for path in package.iterdir() if path.is_dir()]
    assert len(rooms) == 8
    for room in rooms:
        modules = [path for path in room.iterdir() if path.suffix == ".py" and path.name != "__init__.py"]
        assert (room / "__init__.py").read_text(encoding="utf-8") == ""
        assert 1 <= len(modules) <= 14, room.name
