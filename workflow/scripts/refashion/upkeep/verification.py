"""Are the published runs what this code gives? A small sample is trained again, for its first epochs, and compared."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from refashion import provenance
from refashion.errors import UserError
from refashion.networks import architectures
from refashion.study.model import digest
from refashion.training.run_files import HISTORY_COLUMNS, RunFiles, machines
from refashion.training.run_store import RunStore, published_in

#: On another kind of machine, sums are rounded in another order and training multiplies the difference. These bounds,
#: on each of the first epochs, are far above that and far below what another network or another recipe would give.
ACCURACY_TOLERANCE = 0.02  # of accuracies, as fractions
LOSS_TOLERANCE = 0.05  # relative, of losses
#: What is compared there of a network with moving averages. They lag in the first epochs, when its validation is near
#: chance on one machine and not yet on another: differences of 17 points were seen, with 0.3 points in training.
TRAINING = ("loss", "accuracy")


@dataclass(frozen=True)
class Comparison:
    """One published run against its retraining: largest differences in accuracy (fraction) and loss (relative)."""

    digest: str
    name: str
    epochs: int
    training_only: bool  # whether the differences leave out validation
    same_kind: bool  # of machine and software
    identical: bool
    accuracy: float
    loss: float
    diverged_epoch: int | None = None  # of the retraining, which then has no more to compare

    @property
    def passes(self) -> bool:
        """Identical on the same kind of machine, within the tolerances elsewhere; never if the retraining diverged."""
        if self.diverged_epoch is not None:
            return False
        if self.same_kind:
            return self.identical
        return self.accuracy <= ACCURACY_TOLERANCE and self.loss <= LOSS_TOLERANCE

    def __str__(self) -> str:
        machine = "the same kind of machine" if self.same_kind else "another kind of machine or software"
        if self.diverged_epoch is not None:
            found = f"the retraining diverged in epoch {self.diverged_epoch} of"
        elif self.identical:
            found = "bit-identical over"
        else:
            what = "in training, accuracies" if self.training_only else "accuracies"
            found = f"{what} differ by up to {100 * self.accuracy:.2f} pp, losses by up to {100 * self.loss:.2f}% over"
        verdict = "passes" if self.passes else "FAILS"
        return f"{verdict}: {self.name}, {self.digest}: {found} {self.epochs} epochs, on {machine}."


def dataset(published: Path, datasets: Mapping[str, Any]) -> str:
    """The name, in the config's `datasets`, of the data set that the published runs were trained on.

    Raises UserError if there are no published runs, if the first is broken, or if no data set of the config has their
    files.
    """
    store = published_in(published)
    if not (runs := store.names()):
        raise UserError(f"There are no published runs in {published}, so there is nothing to verify.")
    wanted = store.read(runs[0]).metrics["spec"]["dataset"]
    for name, definition in datasets.items():
        if all(wanted.get(part) == file["sha256"] for part, file in definition["files"].items()):
            return name
    raise UserError(f"The runs in {published} were trained on a data set that the config does not define.")


def sample(published: Path, cpu: str) -> list[RunFiles]:
    """A published run of each builder: one of this processor, if any, and of those the cheapest.

    All were trained on one data set, that of `dataset`. cpu: as `provenance.machine` names it. The cheapest run has the
    fewest seconds an epoch. Raises UserError if a run is broken, or was made under another `numerics`.
    """

    def preference(metrics: dict[str, Any]) -> tuple[bool, float]:
        elsewhere = metrics["provenance"]["cpu"] != cpu or machines(metrics) > 1
        return elsewhere, metrics["timing"]["train_seconds"] / metrics["epochs"]

    chosen: dict[str, RunFiles] = {}
    first, store = None, published_in(published)
    for name in store.names():
        run = store.read(name)
        metrics = run.metrics
        first = first or metrics["spec"]["dataset"]
        if metrics["spec"]["dataset"] != first:
            continue
        if metrics["status"] != "finished" or metrics["spec"]["recipe"]["schedule"] != "constant":
            continue  # a schedule depends on the number of updates, so its first epochs cannot be had alone
        builder = metrics["spec"]["architecture"]["builder"]
        if builder not in chosen or preference(metrics) < preference(chosen[builder].metrics):
            chosen[builder] = run
    return list(chosen.values())


def verify(published: Path, data: Path, *, epochs: int, device: str, threads: int) -> Iterator[Comparison]:
    """Train each run of the sample again for its first `epochs` and compare the histories.

    `data` is the prepared .npz; device and threads as in `training.train`.
    """
    from refashion.training import run as training  # imports TensorFlow, which the Snakefile has no use for

    for run in sample(published, provenance.machine()["cpu"]):
        whole = run.metrics["spec"]
        spec = whole | {"recipe": whole["recipe"] | {"updates": int(run.column("updates")[:epochs][-1])}}
        with tempfile.TemporaryDirectory() as folder:
            store = RunStore(folder)
            training.train(spec, data, store, device=device, threads=threads, checkpoint_seconds=math.inf)
            yield _compare(run, store.read(digest(spec)), epochs)


def _compare(run: RunFiles, retraining: RunFiles, epochs: int) -> Comparison:
    metrics, again = run.metrics, retraining.metrics
    known, found = run.history[:epochs], retraining.history
    same_kind = machines(metrics) == 1 and _kind(metrics) == _kind(again)
    training_only = not same_kind and _has_moving_averages(metrics["spec"])
    differences = {"accuracy": 0.0, "loss": 0.0}
    for name in TRAINING if training_only else HISTORY_COLUMNS[2:]:
        before, after = run.column(name)[: len(found)][:epochs], retraining.column(name)  # it may have diverged early
        kind = "loss" if name.endswith("loss") else "accuracy"
        apart = np.abs(after - before) / np.where((kind == "loss") & (before > 0), before, 1.0)
        differences[kind] = max(differences[kind], float(apart.max(initial=0.0)))
    return Comparison(
        digest=metrics["digest"],
        name=_name(metrics["spec"]),
        epochs=len(known),
        training_only=training_only,
        same_kind=same_kind,
        identical=np.array_equal(known, found),
        diverged_epoch=again["diverged_epoch"],
        **differences,
    )


def _name(spec: dict[str, Any]) -> str:
    return f"{spec['architecture']['builder']} on {spec['fraction']['images']} images, seed {spec['seed']}"


def _has_moving_averages(spec: dict[str, Any]) -> bool:
    """Whether the network has parameters that no gradient trains, as batch normalisation has."""
    dataset = spec["dataset"]
    model = architectures.build(spec["architecture"], (*dataset["shape"], 1), dataset["classes"])
    return architectures.parameter_counts(model)["non_trainable"] > 0


def _kind(metrics: dict[str, Any]) -> tuple[Any, ...]:
    """What decides in which order sums are rounded: processor, device and software."""
    found = metrics["provenance"]
    names = ("cpu", "device", "device_name", "tensorflow", "keras", "numpy", "threads", "precision")
    return tuple(found[name] for name in names)
