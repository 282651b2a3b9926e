"""Run files -> tables: every number, every unit, and one sentence for every kind of broken file."""

import csv
import gzip
import json
import shutil

import numpy as np
import pandas as pd
import pytest

import run_folders
import synthetic
from refashion.errors import UserError
from refashion.judging import collection, columns, tables
from refashion.judging.run_table import RunTable, counts
from refashion.study.config import load_study
from refashion.study.model import AXES, Cell, Run, digest
from refashion.telling.redaction import redact
from refashion.training import run_files, run_state
from refashion.training.run_files import HISTORY, METRICS, PREDICTIONS
from refashion.training.run_state import RunState
from refashion.training.run_store import RunStore

IMAGES, EPOCHS = 200, 5


@pytest.fixture
def study():
    return synthetic.study(["original"], seeds=2, limits={"images": None, "epochs": EPOCHS, "updates": None})


@pytest.fixture
def root(study, tmp_path):
    run_folders.write_runs(study, tmp_path, seed=0, images=IMAGES)
    return tmp_path


def first(study):
    return Run(study.cells()[0], 0)


def collect(study, root, **options):
    return collection.collect(study, root, labels=run_folders.known(study, IMAGES), **{"strict": True} | options)


def row_of(collected, run):
    found = collected.runs
    for axis, name in vars(run.cell).items():
        found = found[found[axis] == name]
    return found[found["seed"] == run.seed].iloc[0]


# --------------------------------------------------------------------------------------------------------- good files


def test_a_row_a_wanted_run_by_cell_and_seed(study, root):
    runs = collect(study, root).runs
    assert list(runs.columns) == list(columns.COLUMNS["runs"])
    wanted = [Run(cell, seed) for cell in study.cells() for seed in (0, 1)]
    assert [Run(Cell(*row[:-1]), row[-1]) for row in runs[[*AXES, "seed"]].itertuples(index=False)] == wanted
    assert set(runs["status"]) == {"finished"}
    assert list(runs["digest"]) == [digest(study.spec(run)) for run in wanted]


def test_accuracies_become_percent_and_nothing_else_does(study, root):
    run = first(study)
    metrics = json.loads((root / run.folder / METRICS).read_text())
    row = row_of(collect(study, root), run)
    for theirs, ours in (
        ("accuracy", "train_accuracy"),
        ("eval_accuracy", "eval_accuracy"),
        ("val_accuracy", "val_accuracy"),
        ("clean_accuracy", "clean_accuracy"),
    ):
        assert row[ours] == pytest.approx(100 * metrics["final"][theirs], abs=1e-6)
    assert row["val_loss"] == metrics["final"]["val_loss"]
    assert (row["seconds"], row["images_per_second"]) == (70.0, EPOCHS * study.images(run.cell) / 60)
    assert row["images"] == study.images(run.cell)


def test_accuracy_is_that_of_the_predictions(study, root):
    collected = collect(study, root)
    for cell, found in collected.predictions.items():
        accuracy = 100 * (found.validated == found.labels).mean(1)
        np.testing.assert_allclose(RunTable(collected.runs).sample(cell, "val_accuracy").values, accuracy)


def test_best_and_honest_best_by_hand(study, root):
    run = first(study)
    history = pd.read_csv(root / run.folder / HISTORY)
    row = row_of(collect(study, root), run)
    best = history["val_accuracy"].max()
    assert row["best_val_accuracy"] == pytest.approx(100 * best, abs=1e-5)
    assert row["best_epoch"] == 1 + history["val_accuracy"].tolist().index(best)
    a, b = history["clean_accuracy_a"].tolist(), history["clean_accuracy_b"].tolist()
    honest = (b[a.index(max(a))] + a[b.index(max(b))]) / 2
    assert row["honest_best_clean_accuracy"] == pytest.approx(100 * honest, abs=1e-5)


def test_histories_keep_every_epoch_of_every_run(study, root):
    histories = collect(study, root).histories
    assert list(histories.columns) == list(columns.COLUMNS["histories"])
    assert len(histories) == 12 * EPOCHS
    run = first(study)
    own = pd.read_csv(root / run.folder / HISTORY)
    mine = histories.iloc[:EPOCHS]
    assert set(mine["seed"]) == {0}
    np.testing.assert_allclose(mine["val_accuracy_a"], 100 * own["val_accuracy_a"], atol=1e-6)
    np.testing.assert_allclose(mine["loss"], own["loss"])


def test_tables_survive_writing_and_reading(study, root, tmp_path):
    collected = collect(study, root)
    tables.write(collected.runs, tmp_path / "runs.csv")
    pd.testing.assert_frame_equal(tables.read("runs", tmp_path / "runs.csv"), collected.runs)
    tables.write(collected.histories, tmp_path / "histories.csv.gz")
    again = tables.read("histories", tmp_path / "histories.csv.gz")
    pd.testing.assert_frame_equal(again, collected.histories.astype(again.dtypes))
    collection.write_predictions(collected.predictions, tmp_path / "predictions.npz")
    read = collection.read_predictions(tmp_path / "predictions.npz")
    assert set(read) == set(collected.predictions)
    for cell, found in collected.predictions.items():
        for name, array in vars(found).items():
            np.testing.assert_array_equal(getattr(read[cell], name), array)


def test_the_same_runs_give_the_same_bytes(study, root, tmp_path):
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        collected = collect(study, root)
        tables.write(collected.runs, tmp_path / name / "runs.csv")
        tables.write(collected.histories, tmp_path / name / "histories.csv.gz")
        collection.write_predictions(collected.predictions, tmp_path / name / "predictions.npz")
        written.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert written[0] == written[1]


def test_names_that_look_like_missing_values_stay_names(tmp_path):
    changes = synthetic.config(seeds=1)
    changes["augmentations"]["NA"] = {"rescale": "unit"}
    changes["experiments"]["original"]["cells"] = [
        {"architecture": "cnn1", "fraction": "10k", "augmentation": "NA", "recipe": "b256_e100"}
    ]
    study = load_study(changes)
    table = synthetic.runs(study, synthetic.Truth(), seed=0)
    tables.write(table, tmp_path / "runs.csv")
    assert tables.read("runs", tmp_path / "runs.csv")["augmentation"].tolist() == ["NA"]


def test_published_runs_are_known_by_their_digest(study, root):
    name = digest(study.spec(first(study)))
    assert collect(study, root, published={name}).runs["published"].sum() == 1


def test_a_diverged_run_has_a_row_without_accuracies_and_no_predictions(study, root):
    run = first(study)
    spec = study.spec(run)
    run_folders.write(spec, root / run.folder, run_folders.parts(spec, IMAGES, diverged_epoch=2))
    collected = collect(study, root)
    row = row_of(collected, run)
    assert (row["status"], row["diverged_epoch"]) == ("diverged", 2)
    assert pd.isna(row["val_accuracy"])
    assert pd.isna(row["best_val_accuracy"])
    assert collected.predictions[run.cell.name].seeds.tolist() == [1]
    assert len(collected.histories) == 11 * EPOCHS + 1
    assert RunTable(collected.runs).counts(run.cell.name) == counts(["finished", "diverged"])


# -------------------------------------------------------------------------------------------------------- broken files


def spoil_empty(folder):
    (folder / METRICS).write_bytes(b"")


def spoil_another_run(folder):
    for name in run_files.FILES:
        (folder / name).write_bytes((folder.parent / "seed-1" / name).read_bytes())


def spoil_missing_history(folder):
    (folder / HISTORY).unlink()


def spoil_few(folder):
    with np.load(folder / PREDICTIONS) as found:
        few = {name: found[name][:5] for name in found}
    np.savez(folder / PREDICTIONS, **few)
    run_folders.edit(folder)


#: Damage to each file, and a good run in another's place; `test_run_files` has every kind that is known.
BROKEN = [
    (spoil_empty, "metrics.json (0 bytes) is not the metrics.json of a run"),
    (spoil_another_run, "it is another run"),
    (spoil_missing_history, "history.csv is missing"),
    (spoil_few, "predictions.npz has 5 labels, which are not those of the data set's validation images"),
]


@pytest.mark.parametrize(("spoil", "words"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_run_ends_a_strict_collection_with_one_sentence(study, root, spoil, words):
    run = first(study)
    spoil(root / run.folder)
    with pytest.raises(UserError) as caught:
        collect(study, root)
    sentence = str(caught.value)
    assert words in sentence
    assert "seed-0" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_run_store_is_read_by_digest(study, root, tmp_path):
    """As `report_partial` does: runs that were restored, or trained under another name, have no folder of their own."""
    store, run = RunStore(tmp_path / "store"), first(study)
    wanted = {digest(study.spec(one)): root / one.folder for one in study.runs() if one != run}
    for name, folder in wanted.items():
        shutil.copytree(folder, store.path(name))
    found = collect(study, store, strict=False)
    assert row_of(found, run)["status"] == "missing"
    assert (found.runs["status"] == "finished").sum() == len(wanted)


def test_a_missing_run_ends_a_strict_collection(study, root):
    (root / first(study).folder / METRICS).unlink()
    with pytest.raises(UserError, match=r"metrics.json is missing, so the run is not finished"):
        collect(study, root)


@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        (None, "missing", ""),
        (RunState(epoch=3, epochs=5, seconds=1.0), "missing", ""),
        (RunState("stopped"), "missing", ""),
        (RunState("failed", reason="No space left on device."), "failed", "No space left on device."),
    ],
)
def test_a_runs_state_says_whether_it_failed(study, root, tmp_path, state, status, reason):
    run = first(study)
    name, store = digest(study.spec(run)), RunStore(tmp_path / "store")
    if state is not None:
        run_state.write(store.folder, name, state)
    row = row_of(collect(study, store, strict=False), run)
    assert (row["status"], row["reason"]) == (status, reason)
    other = Run(run.cell, 1)
    assert row_of(collect(study, store, strict=False), other)["status"] == "missing"


def test_a_reason_tells_no_home(study, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    store = RunStore(tmp_path / "store")
    reason = f"lost /home/somebody/x and {tmp_path.cwd()}/results/y"
    run_state.write(store.folder, digest(study.spec(first(study))), RunState("failed", reason=reason))
    row = row_of(collect(study, store, strict=False), first(study))
    assert redact(row["reason"]) == "lost ~/x and results/y"  # as `report_partial` does before anything else


def test_a_study_without_any_run_gives_empty_tables(study, tmp_path):
    collected = collect(study, tmp_path, strict=False)
    assert set(collected.runs["status"]) == {"missing"}
    assert collected.histories.empty
    assert list(collected.histories.columns) == list(columns.COLUMNS["histories"])
    collection.write_predictions(collected.predictions, tmp_path / "predictions.npz")
    assert collection.read_predictions(tmp_path / "predictions.npz") == {}


def test_every_kind_of_damage_at_once_leaves_the_good_runs(tmp_path):
    """One bad run is one bad run: each is named and counted, and none condemns another."""
    study = synthetic.study(["original"], seeds=3, limits={"images": None, "epochs": EPOCHS, "updates": None})
    run_folders.write_runs(study, tmp_path, seed=0, images=IMAGES)
    bad = [Run(cell, 0) for cell in study.cells()[:4]]
    for run, (spoil, _) in zip(bad, BROKEN, strict=True):
        spoil(tmp_path / run.folder)
    collected = collect(study, tmp_path, strict=False)
    assert collected.runs["status"].value_counts().to_dict() == {"finished": 14, "failed": 4}
    for run, (_, words) in zip(bad, BROKEN, strict=True):
        assert words in row_of(collected, run)["reason"]
        assert run.folder in row_of(collected, run)["reason"]
        assert pd.isna(row_of(collected, run)["val_accuracy"])
    assert [found.seeds.tolist() for found in collected.predictions.values()] == [[1, 2]] * 4 + [[0, 1, 2]] * 2
    assert len(collected.histories) == 14 * EPOCHS


def test_labels_are_held_against_the_data(study, root):
    run = first(study)
    known = {key: (values + 1) % 10 for key, values in run_folders.known(study, IMAGES).items()}
    found = collection.collect(study, root, strict=False, labels=known)
    assert set(found.runs["status"]) == {"failed"}
    assert "not those of the data set" in row_of(found, run)["reason"]


def test_the_labels_of_prepared_data_are_those_of_both_kinds_of_validation(prepared_data, committed_config):
    known = collection.labels_of([prepared_data])
    files = committed_config["datasets"]["fashion_mnist"]["files"]
    assert {key: len(found) for key, found in known.items()} == {
        (files["test_labels"]["sha256"], "test"): 10_000,
        (files["train_labels"]["sha256"], "fold"): 10_000,
    }


# -------------------------------------------------------------------------------------------------------------- tables


def test_a_file_that_is_no_table_is_told(tmp_path):
    (tmp_path / "runs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="has other columns than the table runs of this version"):
        tables.read("runs", tmp_path / "runs.csv")
    with pytest.raises(UserError, match="cannot be read as the table runs"):
        tables.read("runs", tmp_path / "nothing.csv")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"architecture,fraction\n" * 100)[:30])
    packed = gzip.compress(np.random.default_rng(0).bytes(3000).hex().encode())
    (tmp_path / "damaged.csv.gz").write_bytes(packed[:60] + b"\xff" * 10 + packed[70:])
    for name in ("cut.csv.gz", "damaged.csv.gz"):
        with pytest.raises(UserError, match="cannot be read as the table histories"):
            tables.read("histories", tmp_path / name)
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", **{"cell|other": np.zeros(3)})
    for name in ("nothing.npz", "array.npy", "other.npz"):
        with pytest.raises(UserError, match="cannot be read as predictions"):
            collection.read_predictions(tmp_path / name)


def test_runs_are_paired_by_seed():
    study = synthetic.study(["original"], seeds=[3, 1, 8])
    cells = [cell.name for cell in study.cells()][:2]
    table = RunTable(synthetic.runs(study, synthetic.Truth(missing=frozenset({(cells[0], 3)})), seed=0))
    seeds, scores = table.paired(cells, "val_accuracy")
    assert seeds.tolist() == [1, 8]
    for row, cell in zip(scores, cells, strict=True):
        found = table.sample(cell, "val_accuracy")
        assert row.tolist() == [dict(zip(found.seeds, found.values, strict=True))[seed] for seed in (1, 8)]


def test_runs_that_do_not_say_on_how_many_machines_may_have_moved_if_resumed(study, root):
    run = first(study)
    path = root / run.folder / METRICS
    metrics = json.loads(path.read_text())
    del metrics["provenance"]["machines"]
    for resumed, machines in ((0, 1), (2, 2)):
        metrics["timing"]["resumed"] = resumed
        path.write_text(json.dumps(metrics))
        assert row_of(collect(study, root), run)["machines"] == machines


@pytest.mark.parametrize("dirty", [False, True, None])
def test_the_commit_of_a_run_says_whether_files_differed_from_it(study, root, dirty):
    run = first(study)
    run_folders.edit(root / run.folder, provenance__dirty=dirty)
    commit = json.loads((root / run.folder / METRICS).read_text())["provenance"]["commit"]
    assert row_of(collect(study, root), run)["commit"] == commit + "-dirty" * bool(dirty)


@pytest.mark.parametrize(("column", "value"), [("device", "gpu"), ("machines", 2)])
def test_a_cell_of_several_machines_is_noticed(column, value):
    """Runs that were made on different ones, or one that moved from one to another."""
    study = synthetic.study(["original"], seeds=2)
    runs = synthetic.runs(study, synthetic.Truth(), seed=0)
    runs.loc[0, column] = value
    table = RunTable(runs)
    assert [table.mixed_machines(cell.name) for cell in study.cells()] == [True] + [False] * 5


@pytest.mark.parametrize("text", ["=1+1", "@x", "-1+2", "+x", "\tx", "'=x", "''=x", "'x", "-0.5", "x=1", ""])
def test_text_that_a_spreadsheet_would_compute_comes_back_as_it_was(tmp_path, text):
    runs = synthetic.runs(synthetic.study(seeds=1), synthetic.Truth(), seed=0).assign(reason=text)
    tables.write(runs, tmp_path / "runs.csv")
    with open(tmp_path / "runs.csv", newline="", encoding="utf-8") as file:
        written = next(csv.DictReader(file))["reason"]
    computed = text.lstrip("'")[:1] in tuple("=@+\t") or text == "-1+2"
    assert written == (f"'{text}" if computed else text)
    assert set(tables.read("runs", tmp_path / "runs.csv")["reason"]) == {text}


def test_a_row_with_a_column_that_no_table_has_is_refused():
    with pytest.raises(ValueError, match="no such columns: luck"):
        tables.frame(columns.COLUMNS["histories"], [{"luck": 1.0}])
