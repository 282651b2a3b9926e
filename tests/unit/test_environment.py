"""The pinned environments: complete, hashed, from nowhere in particular, and in step with pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from project import PROJECT

LOCKS = ("cpu", "gpu")


def _pins(lock: str) -> dict[str, set[str]]:
    """{package: versions} of a lock; several versions where Python versions need different ones."""
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+)", _text(lock), re.M):
        pins.setdefault(name.lower(), set()).add(version)
    return pins


def _text(lock: str) -> str:
    return (PROJECT / "envs" / f"{lock}.lock").read_text(encoding="utf-8")


def _project() -> dict:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


def _names(requirements: list[str]) -> set[str]:
    return {re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_pinned_with_hashes_and_without_an_address(lock):
    project, text = _project(), _text(lock)
    wanted = _names(project["project"]["dependencies"]) | _names(project["dependency-groups"]["test"])
    wanted |= _names(project["project"]["optional-dependencies"][lock])
    assert wanted <= _pins(lock).keys()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?://|file:|--index-url|--find-links", text)


def test_nobody_gets_both_builds_of_tensorflow():
    assert "nvidia" not in _text("cpu")
    assert "tensorflow-cpu" not in _pins("gpu")
    assert "torch" not in _pins("cpu").keys() | _pins("gpu").keys()


def test_both_locks_agree_on_what_they_share():
    cpu, gpu = _pins("cpu"), _pins("gpu")
    assert {name: cpu[name] for name in cpu.keys() & gpu} == {name: gpu[name] for name in cpu.keys() & gpu}


def test_the_conda_file_installs_the_lock():
    environment = yaml.safe_load((PROJECT / "envs" / "conda.yaml").read_text(encoding="utf-8"))
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip == ["--require-hashes", "-r cpu.lock"]
    (python,) = [entry for entry in environment["dependencies"] if str(entry).startswith("python=")]
    low, high = re.match(r">=3\.(\d+),<3\.(\d+)", _project()["project"]["requires-python"]).groups()
    assert int(low) <= int(python.removeprefix("python=3.")) < int(high)


def test_what_runs_here_is_what_is_pinned():
    from importlib import metadata

    pins = _pins("cpu")
    for name in _names(_project()["project"]["dependencies"]):
        assert metadata.version(name) in pins[name], name


def test_a_python_that_is_too_old_gets_one_sentence(tmp_path):
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.10 && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "-C", str(PROJECT), "environment", f"PYTHON={old}", "VENV=" + str(tmp_path / "venv")],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "refashion needs Python 3.11, 3.12 or 3.13; found Python 3.8.10." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "venv").exists()


def test_the_package_names_tensorflow_in_the_engine_alone():
    package = PROJECT / "workflow" / "scripts" / "refashion"
    importing = {
        path.name
        for path in package.glob("*.py")
        if re.search(r"^\s*(?:import|from) tensorflow", path.read_text(), re.M)
    }
    competitors = {"plain_script.py", "peak_script.py"}  # of the benchmark, programs of their own
    assert importing - competitors == {"engine.py"}


def test_planning_a_study_imports_neither_tensorflow_nor_keras():
    code = "import refashion.study, refashion.figures, refashion.reporting, refashion.run_store, sys; " + (
        "sys.exit(bool({'tensorflow', 'keras', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": str(PROJECT / "workflow" / "scripts"), "PATH": ""}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
