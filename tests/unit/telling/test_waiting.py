"""Experiments that wait: the study's own, with the runs that they add and about what these take."""

import copy

import pytest
from snakemake.utils import update_config

from analysis_fixture import analysis
from project import PROJECT
from refashion import yaml_files
from refashion.study.config import load_study
from refashion.study.model import Run
from refashion.telling import waiting
from refashion.training.speeds import work

CONFIG = yaml_files.read(PROJECT / "config" / "config.yaml")


def told(given, config=CONFIG):
    return {one.name: one for one in waiting.experiments(given, config)}


def idle(given, *names):
    """The study, in which these experiments do not run."""
    for one in given["experiments"]:
        one["enabled"] = one["name"] not in names
    return given


def test_an_experiment_that_waits_takes_the_images_of_its_runs_at_the_speed_seen():
    """A millionth of an hour an image. By hand: 10 runs in one order and 5 seeds more of each of two networks.

    cnn1: 100 epochs of 10,000 images; lenet5: 20 epochs of 60,000.
    """
    given = idle(analysis(n=4), "seeded_keras")
    study = load_study(CONFIG | {"seeds": 5, "run": ["original", "baseline"]})
    trained = {cell.name: work(study.spec(Run(cell, 0)), study).trained for cell in study.cells()}
    for row in given["cost"]["cells"]:
        row.update(n=2, core_hours=2e-6 * trained.get(row["cell"], 0))
    (found,) = told(given, study.config).values()
    assert (found.name, found.runs) == ("seeded_keras", 30)
    assert found.core_hours == pytest.approx(15 * 1.0 + 15 * 1.2)


def test_what_no_run_tells_of_has_no_hours():
    given = idle(analysis(n=4), "ceiling")
    assert told(given)["ceiling"].core_hours is None


def test_runs_that_the_study_has_are_not_counted_again():
    given = idle(analysis(n=4), "fractions")
    study = load_study(CONFIG | {"run": ["fractions"]})
    assert told(given)["fractions"].runs < len(study.runs())


def test_another_report_waits_for_none_of_the_experiments_that_it_inherits():
    """Of an example's study: only what its own file defines waits, here `described`."""
    folder = PROJECT / "config" / "examples" / "three_convolutions"
    config = copy.deepcopy(CONFIG)
    update_config(config, yaml_files.read(folder / "study.yaml") | {"run": ["original"]})
    given = {"cost": {"cells": []}}
    given["experiments"] = [{"name": name, "enabled": name == "original"} for name in config["experiments"]]
    assert list(told(given, config)) == ["described"]
