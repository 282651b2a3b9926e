"""The run store: what is finished stays, what is broken is noticed, and twins and full disks lose nothing."""

from __future__ import annotations

import errno
import io
import os
import shutil

import numpy as np
import pytest

import run_folders
from refashion.errors import UserError
from refashion.study.model import digest
from refashion.training import run_files, run_store
from refashion.training.run_files import BrokenRunError
from refashion.training.run_store import RunStore

SPEC = run_folders.spec()
NAME = digest(SPEC)
RUN = run_folders.parts(SPEC)


@pytest.fixture
def store(tmp_path) -> RunStore:
    messages: list[str] = []
    made = RunStore(tmp_path / "store", log=messages.append)
    made.messages = messages
    return made


def _publish(store, spec=SPEC, **changes):
    store.publish(spec, {**RUN.metrics, **changes}, RUN.history, RUN.predictions)


def test_a_published_run_is_found_whole(store):
    assert store.whole(NAME) is None
    _publish(store)
    found = store.whole(NAME).metrics
    assert found["final"] == RUN.metrics["final"]
    assert found["spec"] == SPEC
    with np.load(store.path(NAME) / "predictions.npz") as file:
        assert (file["clean"] == RUN.predictions["clean"]).all()
    assert sorted(os.listdir(store.folder)) == [NAME]


def test_the_first_twin_wins_and_the_second_says_so(store):
    _publish(store, made="first")
    _publish(store, made="second")
    assert store.whole(NAME).metrics["made"] == "first"
    assert "another job" in store.messages[0]
    assert sorted(os.listdir(store.folder)) == [NAME]


def _cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def _empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("name", run_files.FILES)
@pytest.mark.parametrize("harm", [_cut, _empty, os.remove], ids=["cut", "empty", "missing"])
def test_a_run_with_a_broken_file_is_set_aside_and_the_file_named(store, name, harm):
    _publish(store)
    folder = store.path(NAME)
    harm(folder / name)
    assert store.whole(NAME) is None
    (aside,) = store.folder.glob("*.broken-*")
    assert store.messages[0].startswith(f"Set aside as {aside.name}: {folder / name} ")
    assert not folder.exists()
    assert {path.name for path in aside.iterdir()} == set(run_files.FILES) - ({name} if harm is os.remove else set())
    _publish(store)
    assert store.whole(NAME) is not None


@pytest.mark.parametrize("trouble", [errno.EIO, errno.ESTALE, errno.EMFILE])
def test_what_a_disk_in_trouble_cannot_read_now_stays_where_it_is(store, monkeypatch, trouble):
    _publish(store)
    store.save_checkpoint(NAME, {}, {"epoch": 1})

    def fail(*_):
        raise OSError(trouble, "In trouble")

    with monkeypatch.context() as trouble_now:
        trouble_now.setattr(run_files.files, "_read_plain", fail)
        for read in (store.whole, store.load_checkpoint):
            with pytest.raises(UserError, match=r"cannot be read now \(In trouble\); nothing is lost"):
                read(NAME)
    assert store.whole(NAME) is not None
    assert store.load_checkpoint(NAME) is not None
    assert store.messages == []


def test_a_flipped_bit_in_a_checkpoint_is_noticed_or_harmless(store):
    store.save_checkpoint(NAME, {"weights": np.arange(4, dtype=np.float32)}, {"epoch": 1})
    path = store.checkpoint_path(NAME)
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        broken = bytearray(whole)
        broken[position] ^= 1 << position % 8
        path.write_bytes(broken)
        store.load_checkpoint(NAME)


@pytest.fixture
def full_disk(monkeypatch):
    """A disk on which nothing can be written to its end, once this is called."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    return lambda: monkeypatch.setattr(os, "fsync", full)


def test_a_full_disk_while_publishing_leaves_nothing_behind(store, full_disk, monkeypatch):
    full_disk()
    with pytest.raises(OSError, match="No space left"):
        _publish(store)
    assert list(store.folder.iterdir()) == []
    monkeypatch.undo()
    _publish(store)
    assert store.whole(NAME) is not None


def test_nan_never_gets_into_metrics(store):
    with pytest.raises(ValueError, match="not JSON compliant"):
        _publish(store, final={"loss": float("nan")})
    assert store.whole(NAME) is None


ARRAYS = {"model/0": np.linspace(0, 1, 7, dtype=np.float32), "iteration": np.array(3, np.int64), "none": np.zeros(0)}


def test_a_checkpoint_comes_back_bit_by_bit_and_goes_when_the_run_is_done(store):
    assert store.load_checkpoint(NAME) is None
    store.save_checkpoint(NAME, ARRAYS, {"epoch": 2, "history": [{"loss": 0.1}]})
    arrays, progress = store.load_checkpoint(NAME)
    assert progress == {"epoch": 2, "history": [{"loss": 0.1}]}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].tobytes() == array.tobytes()
    _publish(store)
    assert not store.checkpoint_path(NAME).exists()


def _foreign(store):
    other = digest({**SPEC, "seed": 1})
    store.save_checkpoint(other, ARRAYS, {})
    shutil.copy(store.checkpoint_path(other), store.checkpoint_path(NAME))


def _altered(store):
    path = store.checkpoint_path(NAME)
    content, number = path.read_bytes(), ARRAYS["model/0"][3].tobytes()
    path.write_bytes(content.replace(number, bytes([number[0] ^ 1]) + number[1:]))


def _npy(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def _another(make):
    """Something else in the place of the checkpoint."""

    def harm(store):
        store.checkpoint_path(NAME).unlink()
        make(store.checkpoint_path(NAME))

    return harm


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda store: _cut(store.checkpoint_path(NAME)), "zip file"),
        (lambda store: _empty(store.checkpoint_path(NAME)), "zip file"),
        (lambda store: store.checkpoint_path(NAME).write_bytes(b"PK\x03\x04 no zip"), "zip file"),
        (lambda store: np.savez(store.checkpoint_path(NAME), x=np.zeros(3)), "__head__"),
        (lambda store: store.checkpoint_path(NAME).write_bytes(_npy(np.zeros(3))), "zip file"),
        (_foreign, "it belongs to the run"),
        (_altered, "Bad CRC-32 for file 'model/0.npy'"),
        (_another(os.mkdir), "is a folder, where a plain file is wanted"),
        (_another(os.mkfifo), "is a FIFO, where a plain file is wanted"),
        (_another(lambda path: path.symlink_to("/dev/zero")), "is a link, where a plain file is wanted"),
    ],
    ids=["cut", "empty", "no zip", "no head", "an array", "foreign", "altered", "folder", "FIFO", "link"],
)
def test_what_is_no_checkpoint_is_said_in_a_sentence_and_set_aside(store, harm, reason):
    store.save_checkpoint(NAME, ARRAYS, {})
    harm(store)
    path = store.checkpoint_path(NAME)
    assert store.load_checkpoint(NAME) is None
    (said,) = store.messages
    (aside,) = path.parent.glob("*.broken-*")
    assert said.startswith(f"Set aside as {aside.name}: the checkpoint {path.name} (")
    assert reason in said
    assert "\n" not in said
    store.save_checkpoint(NAME, ARRAYS, {})  # and the run begins anew
    assert store.load_checkpoint(NAME) is not None


def test_a_full_disk_while_saving_keeps_the_last_checkpoint(store, full_disk):
    store.save_checkpoint(NAME, ARRAYS, {"epoch": 1})
    full_disk()
    with pytest.raises(OSError, match="No space left"):
        store.save_checkpoint(NAME, ARRAYS, {"epoch": 2})
    assert store.load_checkpoint(NAME)[1] == {"epoch": 1}
    assert len(list(store.checkpoint_path(NAME).parent.iterdir())) == 1


# ------------------------------------------------------------------------------------- what lies where a run should be


def _without_metrics(store, folder):
    folder.mkdir(parents=True)
    (folder / "history.csv").write_text("half")


def _link_to_nothing(store, folder):
    folder.parent.mkdir(parents=True)
    folder.symlink_to(folder.parent / "nothing")


def _link_to_a_run(store, folder):
    elsewhere = RunStore(store.folder.parent / "elsewhere", log=lambda text: None)
    _publish(elsewhere)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(elsewhere.path(folder.name))


def _a_file(store, folder):
    folder.parent.mkdir(parents=True)
    folder.write_text("?")


def _fifos(store, folder):
    folder.mkdir(parents=True)
    os.mkfifo(folder / "metrics.json")


@pytest.mark.parametrize("lie", [_without_metrics, _link_to_nothing, _link_to_a_run, _a_file, _fifos])
def test_a_finished_run_is_never_thrown_away_for_what_lies_in_its_place(store, lie):
    folder = store.path(NAME)
    lie(store, folder)
    assert store.whole(NAME) is None
    assert store.whole(NAME) is None
    _publish(store)
    assert store.whole(NAME).metrics["final"] == RUN.metrics["final"]
    (aside,) = store.folder.glob("*.broken-*")
    assert store.messages[0].startswith(f"Set aside as {aside.name}: ")
    assert len(store.messages) == 1
    assert store.names() == [NAME]


def test_what_contradicts_itself_is_never_published(store):
    with pytest.raises(BrokenRunError, match=r"final\.val_accuracy 0\.1"):
        _publish(store, final=RUN.metrics["final"] | {"val_accuracy": 0.1})
    assert list(store.folder.iterdir()) == []


def test_what_a_killed_save_left_goes_with_the_next_checkpoint_or_the_run(store):
    store.save_checkpoint(NAME, ARRAYS, {})
    left = store.checkpoint_path(NAME).with_name(f"{NAME}.npz.tmp-0123abcd")
    left.write_bytes(b"half")
    half = store.path(f"{NAME}.tmp-0123abcd")
    half.mkdir()
    other = store.path(f"{digest(run_folders.spec(1))}.tmp-0123abcd")
    other.mkdir()
    _publish(store)
    assert [path.name for path in store.folder.glob("**/*.tmp-*")] == [other.name]


def test_runs_go_from_store_to_store_whole_or_not_at_all(store, tmp_path):
    _publish(store)
    other = RunStore(tmp_path / "other", log=store.messages.append)
    other.take(NAME, store)
    assert other.whole(NAME).metrics == store.whole(NAME).metrics
    third = RunStore(tmp_path / "third")
    _cut(store.path(NAME) / "predictions.npz")
    with pytest.raises(BrokenRunError, match=r"store/\w+/predictions\.npz has SHA-256"):
        third.take(NAME, store)
    assert not third.folder.exists()


# ------------------------------------------------------------------------------------------------------------- derived

KEY = {"made": "from this"}


def _derived(store, made):
    def make(stream):
        made.append(1)
        stream.write(b"{}")

    return store.derived(KEY, ".json", make)


def test_a_derived_file_is_made_once_and_named_by_its_sum(store):
    made = []
    path = _derived(store, made)
    # sha256sum of the two characters {}
    assert path.name == f"{digest(KEY)}.44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a.json"
    assert _derived(store, made) == path
    assert made == [1]


@pytest.mark.parametrize("harm", [_cut, lambda path: path.write_bytes(b"[]")])
def test_a_derived_file_that_was_damaged_is_told_set_aside_and_made_again(store, harm):
    made = []
    path = _derived(store, made)
    path.write_bytes(b"{123456}")
    harm(path)
    assert _derived(store, made).read_bytes() == b"{}"
    assert made == [1, 1]
    assert f"derived/{path.name} has SHA-256" in store.messages[0]
    (aside,) = path.parent.glob("*.broken-*")
    assert aside.read_bytes() in (b"[]", b"{12")
    assert store.derived_files() == [path]


def _linked(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _old_name(path):
    path.rename(path.with_name("old.json"))


@pytest.mark.parametrize(
    ("harm", "words"),
    [(_cut, "has SHA-256"), (_linked, "is a link"), (_old_name, r"old\.json has SHA-256 \w+; expected it in the name")],
)
def test_a_derived_file_that_is_not_what_its_name_says_is_not_taken(store, tmp_path, harm, words):
    path = _derived(store, [])
    path.write_bytes(b"{1234567}")
    path = path.rename(path.with_name(f"x.{run_store.hashlib.sha256(b'{1234567}').hexdigest()}.json"))
    harm(path)
    (path,) = [one for one in store.derived_files() if one.name != "elsewhere"]
    other = RunStore(tmp_path / "other")
    with pytest.raises(UserError, match=words) as caught:
        other.take_derived(path)
    assert str(path) in str(caught.value)
    assert not other.folder.exists()


def test_a_derived_file_that_is_there_is_never_overwritten(store, tmp_path):
    path = _derived(store, [])
    other = RunStore(tmp_path / "other")
    other.take_derived(path)
    there = other.derived_folder / path.name
    before = there.stat().st_ino
    other.take_derived(path)
    assert there.stat().st_ino == before
    assert there.read_bytes() == b"{}"
