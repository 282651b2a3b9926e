"""The pinned environments: complete, hashed, from nowhere in particular, and in step with pyproject.toml."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

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


def _make(*arguments, **environment):
    """`make`, as from a shell: not as part of the `make test` that may run these tests."""
    plain = {name: value for name, value in os.environ.items() if not re.match(r"MAKE|MFLAGS|DEVICE|GPUS|CUDA_V", name)}
    make = ["make", "-C", str(PROJECT), *arguments]
    return subprocess.run(make, capture_output=True, text=True, env=plain | environment)


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


PLATFORMS = [
    {"sys_platform": "linux", "platform_machine": "x86_64"},
    {"sys_platform": "linux", "platform_machine": "aarch64"},
    {"sys_platform": "darwin", "platform_machine": "arm64"},
]


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: " ".join(platform.values()))
def test_the_conda_file_has_the_pins_of_the_lock(platform):
    """In the file itself: Snakemake copies it into a folder of its own, where no lock lies beside it."""
    environment = yaml.safe_load((PROJECT / "envs" / "conda.yaml").read_text(encoding="utf-8"))
    (python,) = [entry for entry in environment["dependencies"] if str(entry).startswith("python=")]
    low, high = re.match(r">=3\.(\d+),<3\.(\d+)", _project()["project"]["requires-python"]).groups()
    assert int(low) <= int(python.removeprefix("python=3.")) < int(high)
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    version = python.removeprefix("python=")
    here = {**platform, "python_version": version, "python_full_version": f"{version}.0"}

    def chosen(lines):
        requirements = [Requirement(line) for line in lines]
        return {str(one).split(";")[0].strip() for one in requirements if not one.marker or one.marker.evaluate(here)}

    locked = [line.removesuffix("\\").strip() for line in _text("cpu").splitlines() if re.match(r"[a-z]", line)]
    assert len(locked) > 100
    assert chosen(pip) == chosen(locked)


def test_an_environment_that_is_there_is_kept(tmp_path):
    """A login node sees no GPU; `make` there must not replace the environment that its cluster's jobs use."""
    stamp = tmp_path / "venv" / "made-from-gpu.lock"
    stamp.parent.mkdir()
    stamp.touch()
    assert "rm -rf" not in _make("-n", "progress", f"VENV={stamp.parent}").stdout
    assert "rm -rf" not in _make("-n", "progress", f"VENV={stamp.parent}", DEVICE="cpu").stdout
    assert f"rm -rf {stamp.parent}" in _make("-n", "progress", f"VENV={stamp.parent}", "DEVICE=cpu").stdout


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("DEVICE=tpu", "DEVICE is tpu; allowed are cpu and gpu"),
        ("GPUS=0,1", "GPUS is 0,1; it must be how many"),
        ("GPUS=all", "GPUS is all; it must be how many"),
        ("GPUS=0", "GPUS is 0; it must be how many may be busy"),
    ],
)
def test_make_checks_what_it_is_given_and_takes_none_of_it_from_the_environment(wrong, sentence):
    done = _make("-n", "study", wrong)
    assert sentence in done.stderr
    assert done.returncode
    name, value = wrong.split("=")
    assert _make("-n", "study", **{name: value}).returncode == 0


def test_without_a_gpu_that_jobs_may_use_its_tests_do_not_begin(tmp_path):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    (tmp_path / "made-from-cpu.lock").touch()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    done = _make("test-gpu", f"VENV={tmp_path}", CUDA_VISIBLE_DEVICES="")
    assert "make test-gpu needs a GPU" in done.stderr
    assert done.returncode
    assert "pytest" not in done.stdout


def _fake_python(folder, snakemake=True):
    """A Python whose `-m venv` makes an environment whose pip notes its variables and may install snakemake."""
    made = 'printf "#!/bin/sh\\n" > "$VENV/bin/snakemake"; chmod +x "$VENV/bin/snakemake"' if snakemake else ":"
    python = folder / "python3.12"
    python.write_text(
        "#!/bin/sh\n"
        'case "$2" in\n'
        '  venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;\n'
        f'  pip) VENV=$(dirname "$0")/..; env | grep ^PIP_ > "{folder}/seen"; {made};;\n'
        "esac\n"
    )
    python.chmod(0o755)
    return f"PYTHON={python}"


def test_what_pip_finds_in_the_environment_puts_the_packages_nowhere_else(tmp_path):
    elsewhere = {
        "PIP_TARGET": "/x",
        "PIP_PREFIX": "/x",
        "PIP_DRY_RUN": "1",
        "PIP_USER": "1",
        "PIP_INDEX_URL": "http://x",
    }
    done = _make("environment", f"VENV={tmp_path}/venv", _fake_python(tmp_path), **elsewhere)
    assert done.returncode == 0, done.stderr
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
    assert "http://x" in seen["PIP_INDEX_URL"]  # a mirror is needed where there is no other way out
    assert not {"PIP_TARGET", "PIP_PREFIX", "PIP_DRY_RUN", "PIP_USER"} & seen.keys()
    assert list((tmp_path / "venv").glob("made-from-*.lock"))


def test_an_environment_without_snakemake_gets_no_stamp(tmp_path):
    done = _make("environment", f"VENV={tmp_path}/venv", _fake_python(tmp_path, snakemake=False), PIP_INDEX_URL="x")
    assert "pip has installed nothing into" in done.stderr
    assert done.returncode
    assert not list((tmp_path / "venv").glob("made-from-*.lock"))


@pytest.mark.parametrize("target", ["quick", "study", "report", "restore", "publish"])
@pytest.mark.parametrize("gpus", ["", "2"])
def test_make_calls_snakemake_as_it_can_be_called(target, gpus, tmp_path):
    """`--resources` and `--configfile` swallow a target that stands behind them, and Snakemake then fails."""
    from snakemake.cli import get_argument_parser

    done = _make("-n", target, f"GPUS={gpus}", "CONFIG=config/full.yaml", f"VENV={tmp_path}")
    told = (re.split(r" (?=\d?>|\|)", line)[0] for line in done.stdout.splitlines())
    calls = [line.split()[1:] for line in told if line.startswith(f"{tmp_path}/bin/snakemake")]
    assert calls
    for call in calls:
        given = get_argument_parser().parse_args(call)
        assert set(given.targets) <= {target, "report_partial"}
        assert bool(given.targets) == (target not in ("quick", "study"))
        assert len(given.resources) == len(gpus)


def test_make_tells_of_an_overlay_that_is_not_there():
    done = _make("-n", "study", "CONFIG=config/fulll.yaml")
    assert done.returncode
    assert "CONFIG names config/fulll.yaml, which is not there" in done.stderr


def test_an_environment_variable_named_config_is_none_of_ours(tmp_path):
    done = _make("-n", "study", f"VENV={tmp_path}", CONFIG="Release")
    assert done.stdout
    assert "--configfile" not in done.stdout


def test_what_runs_here_is_what_is_pinned():
    from importlib import metadata

    pins = _pins("cpu")
    for name in _names(_project()["project"]["dependencies"]):
        assert metadata.version(name) in pins[name], name


def test_a_python_that_is_too_old_gets_one_sentence(tmp_path):
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.10 && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = _make("environment", f"PYTHON={old}", f"VENV={tmp_path}/venv")
    assert done.returncode != 0
    assert "refashion needs Python 3.11, 3.12 or 3.13; found Python 3.8.10." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "venv").exists()


def test_the_package_names_tensorflow_in_one_module():
    package = PROJECT / "workflow" / "scripts" / "refashion"
    importing = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^\s*(?:import|from) tensorflow", path.read_text(), re.M)
    }
    # Programs of their own, which the benchmark compares.
    competitors = {f"upkeep/benchmark/{name}_script.py" for name in ("plain", "peak")}
    assert importing - competitors == {"training/runtime.py"}


@pytest.mark.parametrize(
    ("modules", "late"),
    [
        (["yaml_files"], {"numpy", "jsonschema", "snakemake"}),
        (["study.original"], {"pandas", "scipy", "tensorflow", "keras"}),
        (
            ["study.config", "training.run_store", "telling.exports", "telling.figures.catalogue"],
            {"tensorflow", "keras", "matplotlib", "scipy", "jinja2", "PIL"},
        ),
    ],
)
def test_what_is_imported_early_imports_nothing_slow(modules, late):
    names = ", ".join(f"refashion.{module}" for module in modules)
    code = f"import sys, {names}; print({late} & set(sys.modules))"
    scripts = PROJECT / "workflow" / "scripts"
    done = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("arguments", "left", "folder"),
    [
        ([], {}, ""),
        ([], {"FROM": "/left/there", "REFASHION_FROM": "/left/there"}, ""),
        (["FROM=/a folder/with o'clock"], {}, "/a folder/with o'clock"),
    ],
)
def test_restore_takes_the_folder_of_the_command_line(tmp_path, arguments, left, folder):
    (tmp_path / "bin").mkdir()
    (tmp_path / "made-from-cpu.lock").touch()
    snakemake = tmp_path / "bin" / "snakemake"
    snakemake.write_text('#!/bin/sh\necho "$1 from <$REFASHION_FROM>"\n')
    snakemake.chmod(0o755)
    make = ["make", "-C", str(PROJECT), "restore", f"VENV={tmp_path}", *arguments]
    done = subprocess.run(make, capture_output=True, text=True, check=True, env=os.environ | left)
    assert f"restore from <{folder}>\n" in done.stdout
