"""A rule's log: what is printed goes there, a failure is one sentence outside and a traceback inside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
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


def _deep_down(error):
    raise error


@pytest.mark.parametrize("error", [ZeroDivisionError("no"), OSError(28, "No space left on device", "x.npz"), OSError()])
def test_the_traceback_of_all_but_a_mistake_stays_in_the_log_and_the_sentence_ends_it(job, capfd, error):
    with pytest.raises(SystemExit), rule_log(job):
        _deep_down(error)
    told = capfd.readouterr().err
    assert "Traceback" not in told
    log = _read(job)
    assert "in _deep_down" in log
    assert told == f"analyse: {log.splitlines()[-1]} (log: {job.log[0]})\n"


def test_a_mistake_is_a_sentence_in_the_log_too(job):
    with pytest.raises(SystemExit), rule_log(job):
        _deep_down(UserError("A mistake."))
    assert _read(job) == "A mistake.\n"


def test_ctrl_c_is_a_sentence_without_a_traceback_and_no_failure(job, capfd):
    with pytest.raises(SystemExit) as caught, rule_log(job):
        _deep_down(KeyboardInterrupt())
    assert caught.value.code == 1
    sentence = "The job was asked to stop (SIGINT) and left at once."
    assert _read(job) == f"{sentence}\n"
    assert capfd.readouterr().err == f"analyse: {sentence} (log: {job.log[0]})\n"


def test_a_log_tells_of_the_last_attempt(job):
    for text in ("first", "second"):
        with rule_log(job):
            print(text)
    assert _read(job) == "second\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_disk_too_full_for_the_log_is_told_on_the_terminal(capfd, end):
    def block():
        print("epoch 1", end=end)
        raise OSError(28, "No space left on device")

    with pytest.raises(SystemExit) as caught, rule_log(SimpleNamespace(rule="train", log=["/dev/full"])):
        block()
    assert caught.value.code == 1
    assert capfd.readouterr().err == "train: The system says 'No space left on device'. (log: /dev/full)\n"
    print("heard again")
    assert capfd.readouterr().out == "heard again\n"


def test_a_failure_moves_no_cursor_and_turns_no_text_round(job, capfd):
    with pytest.raises(SystemExit), rule_log(job):
        raise UserError("The name \x1b[2J\u202egpj.exe is none.")
    assert "The name \\x1b[2J\\u202egpj.exe is none." in capfd.readouterr().err


def test_a_log_that_cannot_be_written_is_told_in_a_sentence(job):
    Path(job.log[0]).mkdir(parents=True)
    with pytest.raises(SystemExit) as caught, rule_log(job):
        raise AssertionError("the rule does not run")
    assert caught.value.code == f"analyse: the log {job.log[0]} cannot be written (Is a directory)."
