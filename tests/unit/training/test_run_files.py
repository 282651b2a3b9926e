"""A run agrees with itself: every edit that one can see without training it again is refused, named with its number."""

from __future__ import annotations

import io
import os
import zipfile

import numpy as np
import pytest

import run_folders
from project import PROJECT
from refashion.data import dataset
from refashion.data.split import validation_labels
from refashion.study.model import digest
from refashion.training import run_files
from refashion.training.run_files import HISTORY, METRICS, PREDICTIONS, BrokenRunError

SPEC = run_folders.spec()
NAME = digest(SPEC)


@pytest.fixture
def folder(tmp_path):
    run_folders.write(SPEC, tmp_path / NAME, run_folders.parts(SPEC))
    return tmp_path / NAME


def _refused(folder, words, name=NAME, **options):
    with pytest.raises(BrokenRunError, match=words) as caught:
        run_files.read(folder, name, **options)
    sentence = str(caught.value)
    assert NAME in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_run_as_training_writes_it_is_read(folder):
    found = run_files.read(folder, NAME)
    assert found.history.shape == (3, 12)
    assert found.column("updates").tolist() == [4, 8, 11]
    assert found.column("val_accuracy")[-1] == found.metrics["final"]["val_accuracy"]
    assert {name: (a.dtype, len(a)) for name, a in found.predictions.items()} == dict.fromkeys(
        ("validated", "clean", "labels"), (np.uint8, run_folders.IMAGES)
    )


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_run_that_diverged_is_read(tmp_path, epoch):
    run_folders.write(SPEC, tmp_path / NAME, run_folders.parts(SPEC, diverged_epoch=epoch))
    found = run_files.read(tmp_path / NAME, NAME)
    assert found.history.shape == (epoch - 1, 12)
    assert found.metrics["diverged_epoch"] == epoch


def test_every_published_run_agrees_with_itself(prepared_data):
    labels = validation_labels(dataset.load(prepared_data))
    folders = sorted((PROJECT / "published" / "runs").iterdir())
    assert len(folders) >= 100
    for folder in folders:
        run_files.read(folder, folder.name, labels)


def test_an_edited_accuracy_is_refused_with_its_number(folder):
    true = run_files.read(folder).metrics["final"]["val_accuracy"]
    run_folders.edit(folder, final__val_accuracy=0.921)
    sentence = _refused(folder, "it was edited")
    assert sentence == f"{folder / METRICS} has final.val_accuracy 0.921, but history.csv gives {true}; it was edited."


# ------------------------------------------------------------------------------------------------------- metrics.json


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"final__val_accuracy": 7.5}, r"final\.val_accuracy 7\.5; allowed is a number from 0 to 1"),
        ({"final__eval_accuracy": 1.01}, r"final\.eval_accuracy 1\.01; allowed"),
        ({"final__eval_loss": -1}, r"final\.eval_loss -1; allowed is a number from 0 on"),
        ({"final__loss": "0.5"}, r'final\.loss "0\.5"; allowed'),
        ({"final__loss": 10**400}, r"final\.loss 10*\.\.\.; allowed is a number from 0 on"),
        ({"final__clean_loss": True}, r"final\.clean_loss true; allowed"),
        ({"final__val_accuracy": None}, r"final\.val_accuracy null, which no run has whose status is finished"),
        ({"final__accuracy": 0.5}, r"final\.accuracy 0\.5, but history\.csv gives"),
        ({"final__extra": 0.5}, "has in final .*extra.*; expected"),
        ({"final": []}, r"has final \[\]; allowed is a table"),
        ({"status": "running"}, r'status "running"; allowed is one of finished, diverged'),
        ({"status": "diverged"}, "has diverged_epoch null, but its number of epochs gives 4"),
        ({"diverged_epoch": 2}, "has diverged_epoch 2, but the status finished gives null"),
        ({"epochs": 2}, "has epochs 2, but the spec gives 3"),
        ({"updates": 12}, "has updates 12, but the spec gives 11"),
        ({"updates": 11.0}, r"has updates 11\.0; allowed is a whole number"),
        ({"steps_per_epoch": 5}, "has steps_per_epoch 5, but the spec gives 4"),
        ({"timing__seconds": 1}, r"timing\.seconds 1, less than its parts"),
        ({"timing__seconds": -1}, r"timing\.seconds -1; allowed"),
        ({"timing__images_per_second": 1000}, r"timing\.images_per_second 1000 .*, but \d+ images were seen"),
        ({"timing__resumed": None}, r"timing\.resumed null; allowed is a whole number"),
        ({"timing__started": "a\nb"}, r"timing\.started .*; allowed is a short text"),
        ({"provenance__device": "tpu"}, r'provenance\.device "tpu"; allowed is one of cpu, gpu'),
        ({"provenance__threads": 0}, r"provenance\.threads 0; allowed is a whole number from 1 on"),
        ({"provenance__cpu": "\x1b[31m"}, r"provenance\.cpu .*; allowed is a short text of printable characters"),
        ({"provenance__cpu": "x" * 300}, r"provenance\.cpu .*; allowed is a short text of printable characters"),
        ({"provenance__precision": "mixed_bfloat16"}, r"provenance\.precision .*, but the spec gives"),
        ({"provenance__commit": 5}, r"provenance\.commit 5; allowed is a short text"),
        ({"provenance": []}, r"has provenance \[\]; allowed is a table"),
        ({"format": 2}, "has the format 2; this version reads format 1"),
        ({"spec": []}, r"has spec \[\]; allowed is a table"),
        ({"spec__seed": 1}, f"says digest .*{NAME}"),
        ({"digest": None}, "says digest null"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_value_that_no_run_has_is_refused(folder, changes, words):
    run_folders.edit(folder, **changes)
    _refused(folder, words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"numerics": 2}, "was made under numerics 2 and this version has 1"),
        ({"numerics": None}, "was made under numerics null"),
        ({"fraction": {"images": 0, "validation": "test"}}, r"spec\.fraction\.images 0; allowed"),
        ({"fraction": {"images": 100, "validation": "train"}}, r"spec\.fraction\.validation \"train\"; allowed"),
        ({"recipe": {}}, r"spec\.recipe\.batch_size null; allowed"),
        ({"architecture": {"builder": "unknown"}}, r"spec\.architecture: there is no builder 'unknown'"),
        ({"architecture": {"builder": "cnn1", "dropout": "much"}}, r"spec\.architecture: dropout is 'much'"),
        ({"augmentation": {"shout": 1}}, r"spec\.augmentation: there is no 'shout'"),
        ({"seed": -1}, r"spec\.seed -1; allowed"),
        ({"seed": [[]]}, r"spec\.seed \[\[\]\]; allowed"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_spec_that_no_study_makes_is_refused(folder, changes, words):
    spec = run_folders.spec() | changes
    run_folders.edit(folder, spec=spec, digest=digest(spec))
    _refused(folder, words, name=digest(spec))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"\(0 bytes\) is not the metrics.json of a run"),
        ("{", "is not the metrics.json of a run"),
        ("[]", "it holds no table"),
        ("null", "it holds no table"),
        ('{"a": ' * 100_000, "too deep"),
        ("[" * 100_000 + "]" * 100_000, "too deep"),
        ('{"format": Infinity}', "Infinity is no number of JSON"),
        ('{"format": ' + "9" * 5000 + "}", "is not the metrics.json of a run"),
        ('{"format": 1, "spec": {"seed": 1e999}}', "a spec that no run has"),
        ('{"format": 1}', "has spec null"),
        (" " * (2**20 + 1), "has 1,048,577 bytes, more than the 1,048,576 that are allowed"),
    ],
    ids=range(11),
)
def test_what_is_no_metrics_json_is_refused(folder, text, words):
    (folder / METRICS).write_text(text)
    _refused(folder, words)


# -------------------------------------------------------------------------------------------------------- history.csv


def _with_history(folder, change):
    (folder / HISTORY).write_text(change((folder / HISTORY).read_text()))
    run_folders.edit(folder)


def _cell(row, column, value):
    return lambda text: run_folders.with_values(text, row, **{column: value})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: "", "has other columns than epoch, updates"),
        (lambda text: text.replace("\n", ",extra\n", 1), "has other columns than epoch, updates"),
        (lambda text: text.split("\n", 1)[0] + "\n", r"has 0 rows, but metrics\.json has epochs 3"),
        (lambda text: text + "\n", r"has 4 rows, but metrics\.json has epochs 3"),
        (lambda text: text.replace("\n2,", "\n\n2,").rsplit("\n", 2)[0], "has 1 values in row 2; expected 12"),
        (_cell(1, "loss", "half"), 'has loss "half" in row 1; allowed is a number from 0 on'),
        (_cell(1, "loss", ""), 'has loss "" in row 1'),
        (_cell(2, "val_loss", "nan"), 'has val_loss "nan" in row 2'),
        (_cell(2, "val_loss", "inf"), 'has val_loss "inf" in row 2'),
        (_cell(2, "val_loss", "1_0"), 'has val_loss "1_0" in row 2'),
        (_cell(2, "val_loss", "-1"), 'has val_loss "-1" in row 2'),
        (_cell(1, "accuracy", "75"), 'has accuracy "75" in row 1; allowed is a number from 0 to 1'),
        (_cell(1, "epoch", "7"), "has epoch 7 in row 1; expected 1"),
        (_cell(3, "updates", "12"), "has updates 12 in row 3; expected 11"),
        (_cell(1, "val_accuracy", "0.99"), r"has val_accuracy 0\.99 in row 1, which its halves do not give"),
        (
            _cell(3, "clean_accuracy_b", "0.01"),
            r"has clean_accuracy_b in its last row 0\.01, but predictions\.npz gives",
        ),
        (lambda text: text.replace("0.5", "0,5"), "values in row 1; expected 12"),
        (lambda text: "\ufeff" + text, "has other columns than epoch, updates"),
    ],
    ids=range(18),
)
def test_a_history_that_is_none_is_refused(folder, change, words):
    _with_history(folder, change)
    assert HISTORY in _refused(folder, words)


def test_an_accuracy_that_is_edited_everywhere_but_in_the_predictions_is_refused(folder):
    for column in ("val_accuracy", "val_accuracy_a", "val_accuracy_b"):
        _with_history(folder, _cell(3, column, "0.05"))
    run_folders.edit(folder, final__val_accuracy=0.05)
    _refused(folder, r"history\.csv has val_accuracy in its last row 0\.05, but predictions\.npz gives")


# ---------------------------------------------------------------------------------------------------- predictions.npz


def _arrays(folder):
    with np.load(folder / PREDICTIONS) as found:
        return {name: found[name] for name in found}


def _packed(**arrays):
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def _archive(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return packed.getvalue()


def _header(text, content=b""):
    """An array's file with this header."""
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + content


def _encrypted(content):
    """The archive with the flag that its members are encrypted, in both of its lists."""
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(mark)
        while place >= 0:
            content = content[: place + offset] + bytes([content[place + offset] | 1]) + content[place + offset + 1 :]
            place = content.find(mark, place + 4)
    return content


def _bomb():
    """A small archive of arrays that unpack to a gibibyte of zeros."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("clean", "labels", "validated"):
            with archive.open(f"{name}.npy", "w") as stream:
                stream.write(_header("{'descr': '|u1', 'fortran_order': False, 'shape': (33554432,), }"))
                for _ in range(32):
                    stream.write(bytes(2**20))
    return packed.getvalue()


HUGE = "{'descr': '|u1', 'fortran_order': False, 'shape': (%s,), }"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda arrays: b"", "is no archive of arrays"),
        (lambda arrays: b"PK\x03\x04 no zip", "is no archive of arrays"),
        (lambda arrays: _packed(**arrays)[:-40], "is no archive of arrays"),
        (lambda arrays: _packed(**arrays).replace(b"'|u1'", b"'|u1 ", 1), "is no archive of arrays"),
        (lambda arrays: _packed(**arrays, extra=np.zeros(1)), "holds .*extra.*; expected clean, labels and validated"),
        (
            lambda arrays: _packed(clean=arrays["clean"], labels=arrays["labels"]),
            "expected clean, labels and validated",
        ),
        (lambda arrays: _packed(**arrays | {"clean": arrays["clean"][:5]}), "has 5 in clean; expected 20"),
        (lambda arrays: _packed(**{name: a[:5] for name, a in arrays.items()}), "has 5 labels, which are not those of"),
        (lambda arrays: _packed(**arrays | {"labels": (arrays["labels"] + 1) % 10}), "has 20 labels, which are not"),
        (lambda arrays: _packed(**arrays | {"clean": np.full(20, 10, np.uint8)}), "has the class 10 in clean; allowed"),
        (lambda arrays: _packed(**arrays | {"clean": np.zeros(20)}), "no array of the kind"),
        (lambda arrays: _packed(**arrays | {"clean": np.zeros((4, 5), np.uint8)}), "no array of the kind"),
        (lambda arrays: _packed(**arrays | {"clean": np.array([None] * 20)}), "no array of the kind"),
        (lambda arrays: _encrypted(_packed(**arrays)), "encrypted"),
        (lambda arrays: _bomb(), "has 33,554,560 bytes in .*, more than the 16,777,216 allowed"),
        (
            lambda arrays: _archive(clean=_header(HUGE % 10**15), labels=b"", validated=b""),
            "no array of the kind",
        ),
        (lambda arrays: _archive(clean=_header("(" * 90), labels=b"", validated=b""), "no array of the kind"),
        (
            lambda arrays: _archive(clean=_header(HUGE % 10**7), labels=b"", validated=b""),
            "0 values .* says 10000000",
        ),
        (lambda arrays: bytes(2**24 + 1), "more than the 16,777,216 that are allowed"),
    ],
    ids=range(19),
)
def test_predictions_that_are_none_are_refused(folder, change, words):
    (folder / PREDICTIONS).write_bytes(change(_arrays(folder)))
    run_folders.edit(folder)
    assert PREDICTIONS in _refused(folder, words)


def test_a_diverged_run_has_no_predictions(tmp_path):
    run_folders.write(SPEC, tmp_path / NAME, run_folders.parts(SPEC, diverged_epoch=2))
    own = run_folders.labels(run_folders.IMAGES)
    (tmp_path / NAME / PREDICTIONS).write_bytes(_packed(validated=own, clean=own, labels=own))
    run_folders.edit(tmp_path / NAME)
    _refused(tmp_path / NAME, "has 20 in validated; expected 0")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"final__loss": 0.5}, r"final\.loss 0\.5, which no run has whose status is diverged"),
        ({"diverged_epoch": 3}, "has diverged_epoch 3, but its number of epochs gives 2"),
        ({"updates": 5}, "has updates 5, but its number of epochs gives 4"),
    ],
)
def test_a_diverged_run_agrees_with_itself(tmp_path, changes, words):
    run_folders.write(SPEC, tmp_path / NAME, run_folders.parts(SPEC, diverged_epoch=2))
    run_folders.edit(tmp_path / NAME, **changes)
    _refused(tmp_path / NAME, words)


def test_no_run_diverges_after_its_end(tmp_path):
    made = run_folders.parts(SPEC)
    metrics = made.metrics | {"status": "diverged", "diverged_epoch": 4, "final": dict.fromkeys(made.metrics["final"])}
    run_folders.write(SPEC, tmp_path / NAME, run_folders.Parts(metrics, made.history, made.predictions))
    _refused(tmp_path / NAME, "has updates 11, but its number of epochs gives 12")


def test_labels_of_a_held_out_fold_are_held_against_the_data_where_these_are_known(tmp_path):
    spec = run_folders.spec(fraction={"images": 100, "validation": "fold", "subset_seed": None})
    name = digest(spec)
    run_folders.write(spec, tmp_path / name, run_folders.parts(spec))
    known = {(spec["dataset"]["train_labels"], "fold"): run_folders.labels(run_folders.IMAGES, "fold")}
    assert run_files.read(tmp_path / name, name, known).metrics["digest"] == name
    with pytest.raises(BrokenRunError, match="labels, which are not those"):
        run_files.read(tmp_path / name, name, {key: values[::-1] for key, values in known.items()})


# ------------------------------------------------------------------------------------------------------ kinds of files


@pytest.mark.parametrize("name", run_files.FILES)
@pytest.mark.parametrize("kind", ["missing", "fifo", "link", "broken link", "device", "folder"])
def test_what_is_no_plain_file_is_refused_and_not_opened(folder, name, kind):
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        (folder / "elsewhere").write_bytes(content)
        path.symlink_to("elsewhere")
    elif kind == "broken link":
        path.symlink_to("nothing")
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    words = {"missing": "is missing, so the run is not finished", "fifo": "is a FIFO", "folder": "is a folder"}
    _refused(folder, words.get(kind, "is a link"))


def test_a_folder_that_is_a_link_is_refused(folder, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / NAME).symlink_to(folder)
    _refused(tmp_path / "other" / NAME, "is a link, where a folder is wanted")


def test_a_file_that_may_not_be_read_is_told(folder, monkeypatch):
    def refuse(path, limit):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(run_files.files, "read_plain", refuse)
    _refused(folder, r"metrics\.json cannot be read: Permission denied")
