"""A rule's log: what is printed goes there, a failure is one sentence outside and a traceback inside."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from refashion.errors import UserError
from refashion.rule_log import rule_log


@pytest.fixture
def job(tmp_path):
    return SimpleNamespace(rule="analyse", log=[str(tmp_path / "logs" / "analyse.log")])


def _read(job):
    with open(job.log[0], encoding="utf-8") as file:
        return file.read()


def test_the_block_can_still_speak_to_the_terminal(job, capfd):
    with rule_log(job) as terminal:
        print("seen", file=terminal)
        print("logged")
    assert capfd.readouterr() == ("", "seen\n")
    assert _read(job) == "logged\n"


def test_python_and_descriptor_output_go_to_the_log(job, capfd):
    with rule_log(job):
        print("from Python")
        os.write(2, b"from C\n")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    assert _read(job) == "from Python\nfrom C\nfrom a child\n"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("The data are cut; fetch them again."), "The data are cut; fetch them again."),
        (OSError(28, "No space left on device", "x.npz"), "The system says 'No space left on device': x.npz."),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_a_failure_is_one_line_outside_and_exit_code_one(job, capfd, error, sentence):
    with pytest.raises(SystemExit) as caught, rule_log(job):
        raise error
    assert caught.value.code == 1
    assert capfd.readouterr().err == f"analyse: {sentence} (log: {job.log[0]})\n"


def test_the_traceback_of_a_bug_stays_in_the_log_and_that_of_a_mistake_does_not(job):
    with pytest.raises(SystemExit), rule_log(job):
        raise ZeroDivisionError
    assert "Traceback" in _read(job)
    with pytest.raises(SystemExit), rule_log(job):
        raise UserError("A mistake.")
    assert _read(job) == "A mistake.\n"
