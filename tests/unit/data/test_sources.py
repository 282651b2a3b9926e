"""Sources in their order, folders, writing, the rule, the real data."""

import hashlib
import json
import resource
import runpy
import shutil
import time
import types
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml

from project import PROJECT
from refashion.data import dataset as data
from refashion.data import sources
from refashion.data.split import split
from refashion.errors import UserError
from tiny_data import assert_prepared, fraction, idx_bytes, left_behind, remove_file

DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
VARIABLE = "REFASHION_TEST_DATA"


def test_plain_and_gzipped_files_are_prepared(prepare, folder, target, arrays):
    lines = prepare({"folder": str(folder)})
    assert_prepared(target, arrays)
    for array in arrays.values():
        assert any(hashlib.sha256(idx_bytes(array)).hexdigest() in line for line in lines)


def test_same_files_give_the_same_bytes(prepare, folder, target):
    contents = []
    for _ in range(2):
        prepare({"folder": str(folder)})
        contents.append(target.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"folder": "~nobody-of-this-name/x"}, "~nobody-of-this-name/x is in no user's home"),
        ({"folder": "x" * 300}, f"{'x' * 300} cannot be read (File name too long)"),
        ({"folder": "a\0b"}, "a\0b is not there"),
        ({"url": "http://[::1/"}, "http://[::1/train-x is no web address ("),
        ({"url": "http://x:99999/"}, "http://x:99999/train-x is no web address ("),
        ({"url": "http://a..b/"}, "http://a..b/train-x is no web address ("),
    ],
)
def test_source_that_can_be_none_is_told_at_once_and_the_next_one_taken(
    prepare, folder, target, arrays, source, reason, monkeypatch
):
    monkeypatch.setenv("NO_PROXY", "*")
    began = time.monotonic()
    with pytest.raises(UserError) as caught:
        prepare(source)
    assert reason in str(caught.value).splitlines()[1]
    assert any(reason in line for line in prepare(source, {"folder": str(folder)}))
    assert_prepared(target, arrays)
    assert time.monotonic() - began < 3  # else it was tried again


def test_folder_in_ones_home(prepare, folder, target, arrays, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    prepare({"folder": "~/source"})
    assert_prepared(target, arrays)


@pytest.mark.parametrize("value", [None, ""])
def test_source_with_an_unset_variable_is_skipped_silently(prepare, folder, target, arrays, monkeypatch, value):
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    lines = prepare({"folder": f"${{{VARIABLE}}}"}, {"folder": str(folder)})
    assert VARIABLE not in "".join(lines)
    assert_prepared(target, arrays)


def test_folder_named_by_a_variable_is_taken_before_the_rest(prepare, folder, target, arrays, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(folder.parent))
    lines = prepare({"folder": f"${{{VARIABLE}}}/source"}, {"folder": "/nowhere"})
    assert lines[0] == f"tiny: from folder {folder}"
    assert_prepared(target, arrays)


def test_variable_that_names_no_folder_is_an_error(prepare, folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, "/nowhere")
    with pytest.raises(UserError, match=f"^{VARIABLE} names a folder that cannot be used: /nowhere is not there.$"):
        prepare({"folder": f"${{{VARIABLE}}}"}, {"folder": str(folder)})


def test_error_names_every_source_and_its_reason(prepare, folder, target, tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    remove_file(folder)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as caught:
        prepare(
            {"folder": f"${{{VARIABLE}}}"},
            {"folder": "/nowhere"},
            {"folder": str(folder)},
            {"debian": "dataset-tiny", "folder": "usr/share"},
        )
    assert str(caught.value).splitlines() == [
        f"The data set tiny cannot be had from any source; set {VARIABLE} to a folder that holds its four files.",
        "  folder /nowhere: /nowhere is not there.",
        f"  folder {folder}: {folder} has neither test-y nor test-y.gz.",
        "  Debian package dataset-tiny: this machine has no apt-get.",
    ]
    assert left_behind(target) == []


def test_file_that_cannot_be_written_to_the_end_leaves_nothing(prepare, folder, target):
    """A real write that fails half-way: the process may write no file of more than 1,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(UserError, match=r"tiny\.npz cannot be written: File too large\.$"):
            prepare({"folder": str(folder)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_behind(target) == []


def test_folder_that_cannot_be_made_is_an_error(prepare, folder, tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(UserError, match=r"results/data cannot be written to: Not a directory\.$"):
        prepare({"folder": str(folder)})


def test_what_a_killed_job_left_is_cleared(prepare, folder, target, arrays):
    work = target.parent / ".tiny-work"
    work.mkdir(parents=True)
    (work / "tiny.npz.123").write_bytes(b"half")
    (work / "train-x.gz.part").write_bytes(b"half")
    prepare({"folder": str(folder)})
    assert_prepared(target, arrays)


class Output(NamedTuple):
    """The rule's outputs, by name and by position."""

    data: str
    facts: str


def run_rule(definition, name, folder):
    job = types.SimpleNamespace(
        rule="prepare_data",
        wildcards=types.SimpleNamespace(dataset=name),
        config={"datasets": {name: definition}},
        output=Output(data=str(folder / f"{name}.npz"), facts=str(folder / f"{name}.json")),
        log=[str(folder / "logs" / f"{name}.log")],
    )
    script = PROJECT / "workflow" / "scripts" / "prepare_data.py"
    runpy.run_path(str(script), init_globals={"snakemake": job}, run_name="__main__")
    return job


def test_rule_writes_data_and_description(definition, folder, tmp_path, arrays):
    job = run_rule({**definition, "sources": [{"folder": str(folder)}]}, "tiny", tmp_path / "out")
    facts = json.loads(Path(job.output[1]).read_text())
    assert facts["train"]["images"] == len(arrays["train_images"])
    assert "SHA-256" in Path(job.log[0]).read_text()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["logs", "tiny.json", "tiny.npz"]


def test_rule_tells_one_sentence(definition, folder, tmp_path, capfd):
    remove_file(folder)
    with pytest.raises(SystemExit) as caught:
        run_rule({**definition, "sources": [{"folder": str(folder)}]}, "tiny", tmp_path / "out")
    assert caught.value.code == 1
    shown = capfd.readouterr().err
    assert f"{folder} has neither test-y nor test-y.gz." in shown
    assert "Traceback" not in shown + (tmp_path / "out/logs/tiny.log").read_text()


@pytest.fixture(scope="module")
def fashion_mnist():
    return yaml.safe_load((PROJECT / "config" / "config.yaml").read_text())["datasets"]["fashion_mnist"]


def assert_fashion_mnist(facts, definition):
    """As the paper says (Xiao, Rasul & Vollgraf 2017, arXiv 1708.07747): 28 x 28 pixels, 6,000 and 1,000 a class."""
    assert facts["image_shape"] == [28, 28]
    assert facts["train"]["per_class"] == [6_000] * 10
    assert facts["test"]["per_class"] == [1_000] * 10
    assert facts["sha256"] == {key: file["sha256"] for key, file in definition["files"].items()}


@pytest.mark.skipif(not DEBIAN_FOLDER.is_dir(), reason="the Debian package dataset-fashion-mnist is not installed")
def test_real_data_from_the_debian_folder(fashion_mnist, tmp_path, monkeypatch):
    monkeypatch.delenv("FASHION_MNIST_DIR", raising=False)
    job = run_rule(fashion_mnist, "fashion_mnist", tmp_path)
    assert_fashion_mnist(json.loads(Path(job.output[1]).read_text()), fashion_mnist)
    dataset = data.load(Path(job.output[0]))
    images = dataset.train_images.reshape(60_000, -1)
    assert len(np.unique(images.view("V784"))) == 60_000  # no image twice, found by sorting instead of hashing
    found = split(dataset, fraction(50_000, "fold"), 1)
    np.testing.assert_array_equal(found.validation_images, dataset.train_images[50_000:])


@pytest.mark.slow
@pytest.mark.parametrize("lists", [True, False], ids=["lists of the machine", "no package lists"])
def test_real_data_from_the_debian_package(fashion_mnist, tmp_path, monkeypatch, lists):
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("apt-get and dpkg-deb are not on this machine")
    if not lists:
        (tmp_path / "apt.conf").write_text(f'Dir::State::Lists "{tmp_path}/no-lists";\n')
        monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    target, lines = tmp_path / "data" / "fashion_mnist.npz", []
    definition = {**fashion_mnist, "sources": fashion_mnist["sources"][-1:]}
    try:
        sources.prepare("fashion_mnist", definition, target, log=lines.append)
    except UserError as error:
        if "apt-get cannot download it" not in str(error):
            raise
        pytest.skip(f"no Debian mirror: {error}")
    assert lists or any("with fresh package lists" in line for line in lines)
    assert_fashion_mnist(data.describe(data.load(target)), fashion_mnist)
    assert left_behind(target) == ["fashion_mnist.npz"]
