"""Ways to call Snakemake on this Snakefile, each as far as its plan."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from project import PROJECT
from tiny_study import TINY, environment

TWO_LOOKS = {"looks": [2, 3], "spend": [0.01, 0.04]}


def plan(folder, *arguments, snakefile=PROJECT / "Snakefile"):
    """A dry run in a folder of its own; its output is in stdout."""
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--snakefile", str(snakefile)]
    profile = ["--workflow-profile", str(PROJECT / "profiles" / "default")]
    return subprocess.run(
        [*command, "--directory", str(folder), *profile, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )


def test_braces_in_the_name_of_an_overlay_are_no_wildcards(tmp_path):
    overlay = tmp_path / "{o}, l'été.yaml"
    overlay.write_text(yaml.safe_dump(TINY))
    done = plan(tmp_path, "--configfile", str(overlay))
    assert done.returncode == 0, done.stdout
    assert "train" in done.stdout


def test_the_project_and_its_python_may_lie_in_a_folder_with_spaces_an_accent_and_apostrophes(tmp_path):
    project = tmp_path / "L'été d'après (2)"
    for part in ("config", "workflow", "report", "envs", "profiles"):
        shutil.copytree(PROJECT / part, project / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "Snakefile", project)
    (project / ".venv").symlink_to(sys.prefix)
    command = [str(project / ".venv" / "bin" / "python"), "-m", "snakemake", "--cores", "1"]
    done = subprocess.run([*command, "cost"], cwd=project, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "runs" in (project / "logs" / "cost.log").read_text(encoding="utf-8")


def test_a_project_in_a_folder_with_braces_is_told_in_a_sentence(tmp_path):
    lab = tmp_path / "{lab}"
    lab.symlink_to(PROJECT)
    done = plan(tmp_path, snakefile=lab / "Snakefile")
    assert done.returncode
    assert "takes braces in the path of a script or an input for wildcards; rename it." in done.stdout
    assert "WildcardError" not in done.stdout


def test_numbers_inside_of_what_the_command_line_sets_are_numbers(tmp_path):
    given = ["seeds=[0,1]", "evidence=false", "limits={images: 500, epochs: 2}", "run=[original]"]
    done = plan(tmp_path, "--config", *given)
    assert done.returncode == 0, done.stdout
    refused = plan(tmp_path, "--config", "seeds=[0,x]")
    assert "config: seeds[1] is 'x'; allowed is" in refused.stdout


def test_seeds_of_an_overlay_or_the_command_line_replace_those_below_as_a_whole(tmp_path):
    layers = []
    for name, seeds in (("pilots", {"pilot": 2, "half_width": 1.0, "most": 4}), ("looks", TWO_LOOKS)):
        layers.append(tmp_path / f"{name}.yaml")
        layers[-1].write_text(yaml.safe_dump(TINY | {"seeds": seeds}))
    done = plan(tmp_path, "--configfile", *map(str, layers))
    assert done.returncode == 0, done.stdout
    assert "Look 1 of 2, at 2 seeds of 2 cells, is to come." in done.stdout
    done = plan(tmp_path, "--configfile", str(layers[1]), "--config", "seeds={pilot: 2, half_width: 1.0, most: 4}")
    assert done.returncode == 0, done.stdout
    assert "plan_seeds" in done.stdout


@pytest.mark.parametrize("use", ["include: {!r}", "module other:\n    snakefile: {!r}\nuse rule * from other"])
def test_as_a_part_of_another_workflow_it_says_that_it_is_none(tmp_path, use):
    outer = tmp_path / "Snakefile"
    outer.write_text(use.format(str(PROJECT / "Snakefile")) + "\n")
    done = plan(tmp_path, snakefile=outer)
    assert done.returncode
    assert "is a whole workflow" in done.stdout
    assert "ModuleNotFoundError" not in done.stdout


@pytest.mark.parametrize("rule", ["collect", "analyse", "figures", "report"])
def test_an_edit_of_the_code_judges_and_tells_anew(rule):
    """A dry run of these rules would need a finished study, so their parameters are read where they stand."""
    text = (PROJECT / "Snakefile").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^rule {rule}:\n((?: +.*\n|\n(?= ))*)", text, re.MULTILINE)
    (params,) = re.findall(r"^    params:\n((?:        .*\n)*)", body, re.MULTILINE)
    assert "**TELLING," in params


@pytest.mark.parametrize(
    ("build", "arguments", "granted"),
    [("tensorflow", [], 2), ("tensorflow", ["--resources", "gpu=1"], 1), ("tensorflow_cpu", [], None)],
)
def test_each_gpu_trains_one_run_unless_the_command_line_says_otherwise(
    tmp_path, monkeypatch, build, arguments, granted
):
    """On a stand-in for a machine with two, with TensorFlow's build for GPUs and without."""
    smi, metadata = tmp_path / "nvidia-smi", tmp_path / f"{build}-2.21.0.dist-info" / "METADATA"
    smi.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: x)'\necho 'GPU 1: A (UUID: y)'\n")
    smi.chmod(0o755)
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {build}\nVersion: 2.21.0\n")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    command = [sys.executable, "-m", "snakemake", "cost", "--snakefile", str(PROJECT / "Snakefile"), "--cores", "2"]
    done = subprocess.run(
        [*command, "--directory", str(tmp_path), *arguments], capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 0, done.stderr
    found = re.findall(r"gpu=\D*(\d+)", "".join(re.findall("^Provided resources: .*", done.stderr, re.MULTILINE)))
    assert found == ([str(granted)] if granted else [])


@pytest.mark.parametrize("rule", ["describe_architectures", "augmentation_examples"])
def test_what_is_derived_from_builders_and_operations_is_made_anew_where_numerics_is_raised(rule):
    text = (PROJECT / "Snakefile").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^rule {rule}:\n((?: +.*\n|\n(?= ))*)", text, re.MULTILINE)
    assert "numerics=NUMERICS," in body
