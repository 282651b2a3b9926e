"""Finished runs of a known speed, as far as the study's cost depends on them."""

from __future__ import annotations

import json

from refashion import provenance
from refashion.study.model import Cell, digest
from refashion.training import run_files
from refashion.training.speeds import work

CNN1 = Cell("cnn1", "10k", "none", "b256_e100")
CPU = provenance.machine()["cpu"]


def finish(folder, loaded, run, speed, cpu=CPU, status="finished", resumed=0, updates=None, device="cpu"):
    """A finished run in a store, made at `speed`."""
    spec = loaded.spec(run)
    if updates:
        spec = spec | {"recipe": spec["recipe"] | {"updates": updates}}
    done = work(spec, loaded)
    parts = {"train_seconds": done.trained * speed.image, "eval_seconds": done.scored * speed.score}
    metrics = {
        "format": run_files.FORMAT,
        "spec": spec,
        "status": status,
        "timing": {**parts, "setup_seconds": speed.fixed, "seconds": speed.seconds(done), "resumed": resumed},
        "provenance": {"cpu": cpu, "cores": 64, "device": device, "device_name": "GeForce 256"},
    }
    path = folder / digest(spec)
    path.mkdir(parents=True)
    (path / "metrics.json").write_text(json.dumps(metrics))
