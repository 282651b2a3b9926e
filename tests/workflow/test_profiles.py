"""The profiles: what `default` promises holds on a cluster too, and `slurm` asks for what a job needs."""

from __future__ import annotations

import re

import pytest
import yaml
from snakemake.cli import parse_args

from project import PROJECT
from refashion.study.config import load_study


def _profile(name):
    return yaml.safe_load((PROJECT / "profiles" / name / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def settings(monkeypatch):
    """What Snakemake makes of a command line, the profiles included."""
    monkeypatch.chdir(PROJECT)
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    return lambda *arguments: parse_args(list(arguments))[1]


def test_the_slurm_profile_says_all_that_the_default_one_says():
    default, slurm = _profile("default"), _profile("slurm")
    assert {key: slurm.get(key) for key in default} == default


@pytest.mark.parametrize("name", ["profiles/slurm", "slurm"])
def test_as_workflow_profile_it_takes_the_place_of_the_default_one(settings, name):
    got = settings("--workflow-profile", name)
    assert (got.executor, got.jobs, got.retries, got.keep_going) == ("slurm", 100, 2, True)
    assert got.slurm_status_command == "squeue"


def test_as_profile_it_means_the_same(settings):
    """What profiles/README.md says of --profile: `default` is loaded beside it, and changes nothing."""
    cluster, beside = settings("--workflow-profile", "profiles/slurm"), settings("--profile", "profiles/slurm")
    different = {name for name in vars(cluster) if _text(cluster, name) != _text(beside, name)}
    assert different == {"profile", "workflow_profile"}


def _text(settings, name):
    """A setting as text; a function (of a resource) has no equal, so its address goes."""
    value = getattr(settings, name)
    return re.sub(r" at 0x\w+", "", repr(sorted(value, key=repr) if isinstance(value, set) else value))


def test_without_a_profile_nothing_goes_to_a_cluster(settings):
    assert settings().executor is None


@pytest.mark.parametrize("resource", ["runtime", "mem_mb"])
def test_every_architecture_of_the_config_has_its_time_and_memory(settings, committed_config, resource):
    """The expressions as Snakemake evaluates them, for each name of the config: the small networks ask for less."""
    asked = settings("--workflow-profile", "profiles/slurm").set_resources["train"][resource]
    known = load_study(committed_config).config["architectures"]
    values = {name: _evaluate(asked, name, attempt=1) for name in known}
    small = {name for name, entry in known.items() if entry["builder"] in ("softmax", "cnn1", "lenet5")}
    assert max(values[name] for name in small) < min(values[name] for name in known.keys() - small)


def test_a_second_attempt_gets_more_memory_and_the_same_time(settings):
    asked = settings("--workflow-profile", "profiles/slurm").set_resources["train"]
    assert _evaluate(asked["mem_mb"], "cnn4", attempt=2) == 2 * _evaluate(asked["mem_mb"], "cnn4", attempt=1)
    assert _evaluate(asked["runtime"], "cnn4", attempt=2) == _evaluate(asked["runtime"], "cnn4", attempt=1)


def _evaluate(resource, architecture, attempt):
    wildcards = type("Wildcards", (), {"architecture": architecture})()
    return resource.evaluate(wildcards, input=[], attempt=attempt, threads=1, rulename="train", async_run=None).value


def test_every_rule_that_the_profile_names_exists():
    rules = set(re.findall(r"^(?:rule|checkpoint) (\w+):", (PROJECT / "Snakefile").read_text(encoding="utf-8"), re.M))
    slurm = _profile("slurm")
    assert set(slurm["set-resources"]) | {entry.split("=")[0] for entry in slurm["groups"]} <= rules
