"""Rule `keras_fit`: the plain script once a seed, and the last epoch of each."""

import csv
import runpy
from types import SimpleNamespace

import numpy as np

from refashion.project import PROJECT


def test_a_row_a_seed_is_that_of_the_last_epoch_and_a_seed_gives_the_same_again(tmp_path):
    rng = np.random.default_rng(0)
    parts = {"train_images": (64, 28, 28), "test_images": (40, 28, 28), "train_labels": (64,), "test_labels": (40,)}
    arrays = {name: rng.integers(0, 10, shape, dtype=np.uint8) for name, shape in parts.items()}
    np.savez(tmp_path / "data.npz", **arrays)
    script = runpy.run_path(str(PROJECT / "workflow" / "scripts" / "keras_fit.py"))
    rows = []
    for name in ("first.csv", "again.csv"):
        job = SimpleNamespace(
            input=SimpleNamespace(data=tmp_path / "data.npz"),
            output=[tmp_path / name],
            params=SimpleNamespace(
                options={"network": "lenet5", "images": "arrays", "batch": 32, "epochs": 2}, seeds=1
            ),
        )
        script["main"](job)
        with open(tmp_path / name, newline="", encoding="utf-8") as file:
            rows.append(list(csv.DictReader(file)))
    assert [list(row) for row in rows[0]] == [["seed", "accuracy", "val_accuracy"]]
    assert rows[0] == rows[1]
    right = 40 * float(rows[0][0]["val_accuracy"])
    assert abs(right - round(right)) < 1e-4
