"""One run: spec -> engine -> metrics, history and predictions in the run store. Survives kills; knows no statistics."""

from __future__ import annotations

import contextlib
import datetime
import math
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from refashion import provenance
from refashion.data import dataset as data
from refashion.data.split import split
from refashion.errors import first_line
from refashion.files import csv_text
from refashion.study.model import digest, images_seen
from refashion.training import devices, run_state
from refashion.training.run_files import DIVERGED, FINAL, FINISHED, HISTORY_COLUMNS
from refashion.training.run_state import PreemptedError, RunState
from refashion.training.run_store import RunStore

if TYPE_CHECKING:
    from refashion.training.engine import Engine, Evaluation, Scores


@dataclass
class _Progress:
    """How far a run is. All of it goes into a checkpoint."""

    epoch: int = 0  # finished epochs
    step: int = 0  # finished steps of the epoch that is under way
    history: list[dict[str, Any]] = field(default_factory=list)
    resumed: int = 0
    train_seconds: float = 0.0
    eval_seconds: float = 0.0
    seconds: float = 0.0  # of earlier processes
    images: int = 0  # images trained on in train_seconds
    machines: list[list[str]] = field(default_factory=list)  # what the processes computed on and with, each once


def train(
    spec: dict[str, Any], dataset: Path, store: RunStore, *, device: str, threads: int, checkpoint_seconds: float
) -> None:
    """Train a run, unless the store has it, and publish it there.

    `device` is "cpu" or "gpu"; `threads` is the size of TensorFlow's thread pools. Raises PreemptedError after a
    SIGTERM or a SIGINT (Ctrl-C), with the state saved, and UserError where data or device are not there.
    """
    name = digest(spec)
    if store.whole(name):
        print(f"Run {name} is in the store.")
        run_state.drop(store.folder, name)
        return
    started = time.monotonic()
    with run_state.kept(store.folder, name), contextlib.ExitStack() as stack:
        if device == "gpu":
            print(f"Using GPU {stack.enter_context(devices.one_gpu())}.")
        stops = stack.enter_context(_stop_signals())
        _Run(spec, dataset, store, device, threads, checkpoint_seconds, stops, started).go()


@contextlib.contextmanager
def _stop_signals() -> Iterator[list[str]]:
    """The signals that came while the block runs, by name: SIGTERM (a cluster's, a time limit's), SIGINT (Ctrl-C).

    They are read between calls to TensorFlow, so that none interrupts the saving of a checkpoint.
    """
    came: list[str] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    if before[signal.SIGINT] == signal.SIG_IGN:  # a script's job in the background: Ctrl-C is not meant for it
        del before[signal.SIGINT]
    try:
        for number in before:
            signal.signal(number, lambda which, _: came.append(signal.Signals(which).name))
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Run:
    """The life of one run in this process."""

    def __init__(
        self,
        spec: dict[str, Any],
        dataset: Path,
        store: RunStore,
        device: str,
        threads: int,
        checkpoint_seconds: float,
        stops: list[str],
        started: float,
    ) -> None:
        from refashion.training import engine, runtime  # TensorFlow, which a run that is in the store never needs

        self.name, self.spec, self.store, self.stops, self.started = digest(spec), spec, store, stops, started
        self.checkpoint_seconds, self.threads = checkpoint_seconds, threads
        self.origin = provenance.collect()  # now, since the files may be other ones when the run ends
        self.started_at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.device = runtime.configure(device, threads)
        self.split = split(data.load(dataset, spec["dataset"]), spec["fraction"], spec["seed"])
        self.engine: Engine = engine.Engine(spec, self.split, self.device, self._interrupted, self._save_and_stop)
        self.steps = self.engine.steps_per_epoch
        self.epochs = -(-self.engine.updates // self.steps)
        self.progress = self._resume()
        machine = self._machine()
        if machine not in self.progress.machines:
            self.progress.machines.append(machine)
        self.evaluation: Evaluation | None = None  # of the last finished epoch
        self.setup_seconds = time.monotonic() - started
        self.saved = time.monotonic()

    def go(self) -> None:
        """Train to the end, or until the run diverges or is asked to stop."""
        print(
            f"Run {self.name}: {len(self.split.train_images)} images, {self.epochs} epochs, "
            f"{self.engine.updates} updates on {self.device.name}, {self.threads} thread(s); "
            f"ready after {self.setup_seconds:.1f} s."
        )
        self._report()
        while self.progress.epoch < self.epochs:
            if not (self._train_epoch(self.progress.epoch) and self._evaluate_epoch()):
                self._publish_diverged()
                return
        self._publish_finished()

    def _resume(self) -> _Progress:
        checkpoint = self.store.load_checkpoint(self.name)
        if checkpoint is None:
            return _Progress()
        try:
            arrays, saved = checkpoint
            progress = _Progress(**saved)
            self.engine.restore(arrays)  # changes nothing unless everything fits
        except (ValueError, TypeError) as error:
            self.store.set_checkpoint_aside(self.name, f"it does not fit this version: {first_line(error)}")
            return _Progress()
        progress.resumed += 1
        elsewhere = progress.machines not in ([], [self._machine()])
        print(f"Continue after epoch {progress.epoch}, step {progress.step}{', on another machine' * elsewhere}.")
        return progress

    def _machine(self) -> list[str]:
        """What can change a run's last bits: processor, device, TensorFlow."""
        return [provenance.machine()["cpu"], self.device.kind, self.device.name, self.device.tensorflow]

    # --------------------------------------------------------------------------------------------------------- training

    def _train_epoch(self, epoch: int) -> bool:
        """Train the rest of an epoch; False if the loss is no longer a finite number."""
        end = min(self.steps, self.engine.updates - epoch * self.steps)
        of = len(self.split.train_images), self.spec["recipe"]["batch_size"]
        if self.progress.step == 0:
            self.engine.reset_sums()
        while self.progress.step < end:
            begin, clock = self.progress.step, time.monotonic()
            self.progress.step = self.engine.train(epoch, begin, end)
            self.progress.train_seconds += time.monotonic() - clock
            self.progress.images += images_seen(*of, self.progress.step) - images_seen(*of, begin)
            if not math.isfinite(self.engine.sums()[0]):
                return False
            if self._interrupted():
                self._save()
        return True

    def _interrupted(self) -> bool:
        """Whether the engine should hand back control: to stop, or to save."""
        return bool(self.stops) or time.monotonic() - self.saved > self.checkpoint_seconds

    def _save(self) -> None:
        """Write a checkpoint; raise PreemptedError if the job was asked to stop."""
        seconds = self.progress.seconds + time.monotonic() - self.started
        self.store.save_checkpoint(self.name, self.engine.state(), {**vars(self.progress), "seconds": seconds})
        self.saved = time.monotonic()
        if self.stops:
            raise PreemptedError(
                f"The job was asked to stop ({self.stops[0]}) in epoch {self.progress.epoch + 1}, "
                f"step {self.progress.step}; its state is saved, and starting it again continues there."
            )

    def _save_and_stop(self) -> None:
        """Between the batches of an evaluation, which changes no state: it is made again from the start."""
        if self.stops:
            self._save()

    def _evaluate_epoch(self) -> bool:
        """Validate, add a row to the history and tell the log; False if a loss is no finite number.

        That a network is lost in an epoch's last update shows only here: the loss of that update was still finite.
        """
        loss, accuracy = self.engine.sums()
        self.evaluation = self._timed(self.engine.evaluate, self.progress.epoch)
        row = {
            "epoch": self.progress.epoch + 1,
            "updates": min((self.progress.epoch + 1) * self.steps, self.engine.updates),
            "loss": loss,
            "accuracy": accuracy,
            **self._scores("val", self.evaluation.validated),
            **self._scores("clean", self.evaluation.clean),
        }
        if not (math.isfinite(row["val_loss"]) and math.isfinite(row["clean_loss"])):
            return False
        self.progress.history.append(row)
        self.progress.epoch += 1
        self.progress.step = 0
        self._tell(row)
        return True

    def _timed(self, evaluate: Callable[..., Any], *arguments: Any) -> Any:
        clock = time.monotonic()
        found = evaluate(*arguments)
        self.progress.eval_seconds += time.monotonic() - clock
        return found

    def _scores(self, prefix: str, result: Scores) -> dict[str, float]:
        right = result.classes == self.split.validation_labels
        return {
            f"{prefix}_loss": float(result.losses.mean(dtype=np.float64)),
            f"{prefix}_accuracy": float(right.mean()),
            f"{prefix}_accuracy_a": float(right[0::2].mean()),
            f"{prefix}_accuracy_b": float(right[1::2].mean()),
        }

    def _tell(self, row: dict[str, Any]) -> None:
        """A line in the log for people, and the state for those who watch."""
        left = self._report().left or 0.0
        print(
            f"epoch {row['epoch']}/{self.epochs}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
            f"val_loss {row['val_loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}  "
            f"clean {row['clean_accuracy']:.4f}  "
            f"{self._images_per_second():,.0f} images/s  {datetime.timedelta(seconds=round(left))} left"
        )

    def _report(self) -> RunState:
        """Tell those who watch how far the run is."""
        done = self.progress
        state = RunState(epoch=done.epoch, epochs=self.epochs, seconds=done.train_seconds + done.eval_seconds)
        run_state.write(self.store.folder, self.name, state)
        return state

    def _images_per_second(self) -> float:
        return self.progress.images / max(self.progress.train_seconds, 1e-9)

    # ------------------------------------------------------------------------------------------------------ the result

    def _publish_finished(self) -> None:
        eval_loss, eval_accuracy = self._timed(self.engine.evaluate_training)
        if not math.isfinite(eval_loss):  # lost in its last update, and only a training image shows it
            self.progress.history.pop()
            self.progress.epoch -= 1
            self._publish_diverged()
            return
        if self.evaluation is None:  # stopped in the line above, and resumed
            self.evaluation = self._timed(self.engine.evaluate, self.progress.epoch - 1)
        last = self.progress.history[-1]
        final = {key: last[key] for key in FINAL if key in last}
        final |= {"eval_loss": eval_loss, "eval_accuracy": eval_accuracy}
        self._publish(final, self.evaluation.validated.classes, self.evaluation.clean.classes)
        print(f"Done: val_accuracy {final['val_accuracy']:.4f}, clean {final['clean_accuracy']:.4f}.")

    def _publish_diverged(self) -> None:
        epoch = self.progress.epoch + 1
        nothing = np.zeros(0, np.uint8)
        self._publish(dict.fromkeys(FINAL), nothing, nothing, diverged_epoch=epoch)
        print(f"Diverged: the loss of epoch {epoch} is no finite number.")

    def _publish(
        self, final: dict[str, Any], validated: np.ndarray, clean: np.ndarray, diverged_epoch: int | None = None
    ) -> None:
        done = self.progress
        metrics = {
            "status": FINISHED if diverged_epoch is None else DIVERGED,
            "diverged_epoch": diverged_epoch,
            "final": final,
            "epochs": done.epoch,
            "updates": done.history[-1]["updates"] if done.history else 0,
            "steps_per_epoch": self.steps,
            "timing": {
                "started": self.started_at,
                "seconds": done.seconds + time.monotonic() - self.started,
                "train_seconds": done.train_seconds,
                "eval_seconds": done.eval_seconds,
                "setup_seconds": self.setup_seconds,
                "images_per_second": self._images_per_second(),
                "resumed": done.resumed,
            },
            "provenance": {
                **self.origin,
                **provenance.versions("keras", "numpy"),
                "tensorflow": self.device.tensorflow,
                "device": self.device.kind,
                "device_name": self.device.name,
                "threads": self.threads,
                "precision": self.spec["recipe"]["precision"],
                "machines": len(done.machines),
            },
        }
        predictions = {"validated": validated, "clean": clean, "labels": self.split.validation_labels}
        self.store.publish(self.spec, metrics, csv_text(done.history, HISTORY_COLUMNS), predictions)
