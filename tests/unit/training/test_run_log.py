"""The last line of a run's log: which tell of a failure is tested on every message that a run can print."""

from __future__ import annotations

import ast

import pytest

from project import PROJECT
from refashion.study.model import Cell, Run
from refashion.training import run_log

SCRIPTS = PROJECT / "workflow" / "scripts"
PACKAGE = SCRIPTS / "refashion"
#: What stands in a message for each value: twenty digits may be a number or a digest.
VALUE = "01234567890123456789"

#: As TensorFlow 2.21 and its predecessors write them.
TENSORFLOW = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "WARNING:tensorflow:From x.py:12: The name tf.losses.y is deprecated.",
    "I0000 00:00:1795543576.545315   29774 port.cc:153] oneDNN custom operations are on. You may see slightly",
    "W0000 00:00:1795492433.288174   28057 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use",
    "E0000 00:00:1795492433.288174   28057 cuda_dnn.cc:8579] Unable to register cuDNN factory",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow with the appropriate",
    "2026-11-24 03:15:01.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.",
)

FAILURES = (
    "ValueError: no good",
    "The system says 'No space left on device': results/store/x.",
    "KeyError: 'epoch 1'",
    "device is gpu, but TensorFlow 2.21.0 sees no GPU (CUDA_VISIBLE_DEVICES: unset); install the gpu extra.",
    "F0000 00:00:1795492433.288174   28057 tensor.cc:12] Check failed: 1 == 2",
    "2026-11-24 03:15:01.123456: F tensorflow/core/framework/tensor.cc:12] Check failed: 1 == 2",
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "2026-11-24 is no number of images.",
)


def _text(node):
    """A message's text with VALUE for each of its values; None for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else VALUE for part in node.values)
    return None


def _messages(*names, modules):
    """The texts that these modules give, first of all, to functions or exceptions of these names."""
    calls = [
        node
        for module in modules
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in names and node.args
    ]
    return [text for call in calls if (text := _text(call.args[0]))]


def _printed():
    """What a run prints on its way, in all modules of which rule `train` consists."""
    rooms = [*(PACKAGE / "training").glob("*.py"), *(PACKAGE / "networks").glob("*.py")]
    modules = [SCRIPTS / "train.py", *rooms, *(PACKAGE / f"{name}.py" for name in ("provenance", "randomness"))]
    return _messages("print", "log", "PreemptedError", modules=modules)


def test_no_message_of_a_run_tells_of_a_failure():
    messages = _printed()
    beginnings = {message.split()[0] for message in messages}
    assert {"Run", "Using", "epoch", "Continue", "Discarded", "Set", "Done:", "Diverged:", "The", VALUE} <= beginnings
    for message in messages:
        assert not run_log.failed(message), message


def test_every_mistake_that_ends_a_run_tells_of_a_failure():
    modules = [*(PACKAGE / "training").glob("*.py"), *(PACKAGE / "data").glob("*.py")]
    messages = _messages("UserError", "BrokenRunError", modules=modules)
    assert len(messages) > 10
    for message in messages:
        assert run_log.failed(message), message


@pytest.mark.parametrize("line", ["", *TENSORFLOW])
def test_what_tensorflow_says_tells_of_no_failure(line):
    assert not run_log.failed(line)


@pytest.mark.parametrize("line", FAILURES)
def test_anything_else_tells_of_a_failure(line):
    assert run_log.failed(line)
    assert not run_log.stopped(line)


def test_only_a_run_that_was_asked_to_stop_was_stopped():
    assert [message.split(",")[0] for message in _printed() if run_log.stopped(message)] == [
        f"The job was asked to stop ({VALUE}) in epoch {VALUE}"
    ]


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGINT"])
def test_a_stop_is_none_of_the_failures_whatever_the_signal(signal):
    line = (
        f"The job was asked to stop ({signal}) in epoch 3, step 4; its state is saved, and starting it again goes on."
    )
    assert run_log.stopped(line)
    assert not run_log.failed(line)


@pytest.mark.parametrize(
    ("content", "last"),
    [
        ("", ""),
        ("\n \n", ""),
        ("one\ntwo", "two"),
        ("one\ntwo\n\n  \n", "two"),
        ("x" * 20000 + "\ntwo\n", "two"),
        ("é" * 4096 + "\nOSError: ä\n", "OSError: ä"),  # the part that is read begins within a letter
    ],
)
def test_the_last_line_is_the_last_that_is_not_empty(tmp_path, content, last):
    (tmp_path / "log").write_text(content, encoding="utf-8")
    assert run_log.last_line(tmp_path / "log") == last


def test_the_last_lines_are_those_that_are_not_empty(tmp_path):
    (tmp_path / "log").write_text("one\n\n two\nthree")
    assert run_log.last_lines(tmp_path / "log") == ["one", "two", "three"]
    assert run_log.last_lines(tmp_path / "none") == []


def test_a_log_that_is_not_there_has_no_last_line(tmp_path):
    assert run_log.last_line(tmp_path / "log") == ""
    assert run_log.last_line(tmp_path) == ""


def test_the_path_is_that_of_the_rule():
    run = Run(Cell("{architecture}", "{fraction}", "{augmentation}", "{recipe}"), "{seed}")
    assert f'"{run_log.path_of(run)}"' in (PROJECT / "Snakefile").read_text(encoding="utf-8")
