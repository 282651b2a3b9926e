"""The training engine: a run's model, optimizer and data in TensorFlow, its steps and its evaluation.

Images stay in memory as uint8; shuffling, scaling, augmentation, the step and its bookkeeping run in the graph, many
steps a call. Every draw is keyed by (seed, stream, epoch, step), so nothing but variables has to be saved to resume a
run to the bit. Importing this module imports TensorFlow: do it late.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from refashion.data.split import Split
from refashion.networks import architectures, augmentation
from refashion.randomness import generator
from refashion.training.draws import Draws, moment
from refashion.training.kernels import CPU_KERNELS, GPU_KERNELS, with_kernels
from refashion.training.optimizers import OPTIMIZERS, learning_rate
from refashion.training.runtime import Device, tf

#: Images a call in evaluation. Draws of validation are keyed by the call, so this belongs to the numbers (`numerics`).
EVALUATION_BATCH = 1000
#: Length that a call into TensorFlow aims at, in seconds: signals are heard between calls.
CALL_SECONDS = 1.0


@dataclass(frozen=True)
class Scores:
    """Per image of the validation: cross-entropy float32 [m], predicted class uint8 [m]."""

    losses: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """The validation images, augmented the same way as the training images, and as they are."""

    validated: Scores
    clean: Scores


class Engine:
    """A run's model, optimizer and data in TensorFlow."""

    def __init__(
        self,
        spec: dict,
        split: Split,
        device: Device,
        interrupted: Callable[[], bool] = lambda: False,
        between: Callable[[], None] = lambda: None,
    ):
        """interrupted: whether `train` is to return; between: called before each batch of an evaluation, may raise."""
        self.spec, self.interrupted, self.between = spec, interrupted, between
        self.recipe, self.augmentation, self.seed = spec["recipe"], spec["augmentation"], spec["seed"]
        self.warp = augmentation.warp if device.kind == "cpu" else augmentation.gathered_warp
        self._place(split)
        self._build(split, CPU_KERNELS if device.kind == "cpu" else GPU_KERNELS)
        self._trace(device)

    def _place(self, split: Split) -> None:
        """Puts the data on the device once."""
        self.classes = self.spec["dataset"]["classes"]
        self.images, self.labels = tf.constant(split.train_images), tf.constant(split.train_labels)
        self.validation_images = tf.constant(split.validation_images)
        self.validation_labels = tf.constant(split.validation_labels)
        self.examples = len(split.train_images)
        self.batch_size = min(self.recipe["batch_size"], self.examples)
        self.steps_per_epoch = -(-self.examples // self.batch_size)
        self.updates = self.recipe["updates"]
        self.factor, self.offset = augmentation.scale(self.augmentation, split.train_images)

    def _build(self, split: Split, kernels: dict[type, type]) -> None:
        """Model, optimizer and bookkeeping variables."""
        shape = (*split.train_images.shape[1:], 1)
        model = architectures.build(self.spec["architecture"], shape, self.classes)
        self.dropout_draws = Draws(self.seed, "dropout")
        self.model = with_kernels(model, kernels, self.recipe["precision"], self.dropout_draws)
        architectures.initialise(self.model, self.seed)
        self.trainable = [variable.value for variable in self.model.trainable_variables]
        self.optimizer = OPTIMIZERS[self.recipe["optimizer"]](self.trainable, self.recipe)
        self.iteration = tf.Variable(0, dtype=tf.int64)
        self.loss_sum = tf.Variable(0, dtype=tf.float64)
        self.correct = tf.Variable(0, dtype=tf.int64)
        self.seen = tf.Variable(0, dtype=tf.int64)
        self.permutation = tf.Variable(np.arange(self.examples))  # int64, which a GPU keeps; it leaves int32 to the CPU
        self.shuffled_epoch: int | None = None
        self.seconds_per_step: float | None = None

    def _trace(self, device: Device) -> None:
        """The graph's entry points. XLA compiles them, loops and all, for GPUs.

        On CPUs its code is ten times slower than the kernels.
        """
        compiled = {"autograph": False, "jit_compile": True if device.kind == "gpu" else None}
        self._steps_call = tf.function(self._steps, **compiled)
        self._batch_call = tf.function(self._batch, **compiled)
        self._score_call = tf.function(self._score, **compiled)

    # Training -----------------------------------------------------------------------------------------------------

    def train(self, epoch: int, first: int, last: int) -> int:
        """Runs steps [first, last) of an epoch (from 0); returns the step reached, less than last if interrupted.

        At least one call is made, so that interruptions, however frequent, cannot keep a run from getting on.
        """
        self._shuffle(epoch)
        short = self.examples % self.batch_size
        full = min(last, self.steps_per_epoch - 1) if short else last
        step = first
        while step < last:
            started = time.perf_counter()
            if step >= full:
                until = step + 1
                self._batch_call(moment(epoch, 0), tf.constant(step), short)
            else:
                until = min(full, step + self._steps_a_call())
                self._steps_call(moment(epoch, 0), tf.constant(step), tf.constant(until))
            self.loss_sum.numpy()  # waits for the call to end
            if step < full:
                self.seconds_per_step = (time.perf_counter() - started) / (until - step)
            step = until
            if self.interrupted():
                break
        return step

    def _steps_a_call(self) -> int:
        return 1 if self.seconds_per_step is None else max(1, int(CALL_SECONDS / self.seconds_per_step))

    def _shuffle(self, epoch: int) -> None:
        """Draws the epoch's order; with `shuffle: once` that of the first, as Keras' seeded `fit` serves it again."""
        drawn = 0 if self.recipe.get("shuffle") == "once" else epoch
        if self.shuffled_epoch != drawn:
            self.permutation.assign(generator(self.seed, "shuffle", drawn).permutation(self.examples))
            self.shuffled_epoch = drawn

    def _steps(self, epoch_counter: tf.Tensor, first: tf.Tensor, last: tf.Tensor) -> None:
        """Full batches [first, last)."""

        def body(step: tf.Tensor) -> tf.Tensor:
            self._batch(epoch_counter, step, self.batch_size)
            return step + 1

        tf.while_loop(lambda step: step < last, body, [first], parallel_iterations=1)

    def _batch(self, epoch_counter: tf.Tensor, step: tf.Tensor, size: int) -> None:
        """Gathers, augments and scales a batch of so many images, and updates on it."""
        now = epoch_counter + tf.cast(step, tf.uint64)
        chosen = tf.slice(self.permutation, [step * self.batch_size], [size])
        inputs = self._inputs(tf.gather(self.images, chosen), Draws(self.seed, "augmentation", now))
        self._update(inputs, tf.cast(tf.gather(self.labels, chosen), tf.int32), now)

    def _inputs(self, images: tf.Tensor, draws: Draws | None) -> tf.Tensor:
        """uint8 [n, h, w] -> the network's input float32 [n, h, w, 1], augmented if draws are given."""
        inputs = tf.cast(images[..., tf.newaxis], tf.float32)
        if draws is not None:
            inputs = augmentation.augment(inputs, self.augmentation, draws.uniform, self.warp)
        if self.factor != 1:
            inputs *= self.factor
        return inputs + self.offset if self.offset else inputs

    def _update(self, inputs: tf.Tensor, labels: tf.Tensor, now: tf.Tensor) -> None:
        """One step of the optimizer, and the epoch's running sums."""
        self.dropout_draws.counter = now
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.trainable)
            logits = tf.cast(self.model(inputs, training=True), tf.float32)
            losses = self._losses(logits, labels)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self.trainable)
        iteration = self.iteration.read_value()
        self.optimizer.apply(gradients, learning_rate(self.recipe, iteration, self.updates), iteration)
        self.iteration.assign_add(1)
        self.loss_sum.assign_add(tf.reduce_sum(tf.cast(losses, tf.float64)))
        hits = tf.argmax(logits, axis=-1, output_type=tf.int32) == labels
        self.correct.assign_add(tf.reduce_sum(tf.cast(hits, tf.int64)))
        self.seen.assign_add(inputs.shape[0])

    def _losses(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Cross-entropy [n] of logits [n, classes] and labels int32 [n]; both losses are this one function."""
        if self.recipe["loss"] == "sparse":
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        smoothing = self.recipe["label_smoothing"]
        share = smoothing / self.classes
        targets = tf.one_hot(labels, self.classes, on_value=1 - smoothing + share, off_value=share)
        return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)

    def reset_sums(self) -> None:
        """Starts an epoch's running means."""
        for variable in (self.loss_sum, self.correct, self.seen):
            variable.assign(tf.zeros_like(variable))

    def sums(self) -> tuple[float, float]:
        """(loss, accuracy) over the images of the epoch so far, in training mode, as Keras reports them."""
        seen = max(1, int(self.seen.numpy()))
        return float(self.loss_sum.numpy()) / seen, int(self.correct.numpy()) / seen

    # Evaluation ---------------------------------------------------------------------------------------------------

    def evaluate(self, epoch: int) -> Evaluation:
        """The validation images in evaluation mode; the augmentation's draws are keyed by the epoch."""
        images, labels = self.validation_images, self.validation_labels
        clean = self._scores(images, labels, None)
        random = augmentation.is_random(self.augmentation)
        return Evaluation(self._scores(images, labels, epoch) if random else clean, clean)

    def evaluate_training(self) -> tuple[float, float]:
        """(loss, accuracy) on the training images in evaluation mode, not augmented."""
        scores = self._scores(self.images, self.labels, None)
        return float(scores.losses.mean(dtype=np.float64)), float(np.mean(scores.classes == self.labels.numpy()))

    def _scores(self, images: tf.Tensor, labels: tf.Tensor, epoch: int | None) -> Scores:
        batches = []
        for number, start in enumerate(range(0, len(images), EVALUATION_BATCH)):
            self.between()
            part = slice(start, start + EVALUATION_BATCH)
            now = None if epoch is None else moment(epoch, number)
            batches.append(self._score_call(images[part], labels[part], now))
        return Scores(*(np.concatenate([part.numpy() for part in parts]) for parts in zip(*batches, strict=True)))

    def _score(self, images: tf.Tensor, labels: tf.Tensor, now: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        draws = None if now is None else Draws(self.seed, "validation_augmentation", now)
        logits = tf.cast(self.model(self._inputs(images, draws), training=False), tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.cast(labels, tf.int32), logits=logits)
        return losses, tf.cast(tf.argmax(logits, axis=-1), tf.uint8)

    # State --------------------------------------------------------------------------------------------------------

    def _variables(self) -> dict[str, tf.Variable]:
        named = {"iteration": self.iteration, "loss_sum": self.loss_sum, "correct": self.correct, "seen": self.seen}
        named |= {f"model/{number:03d}": variable.value for number, variable in enumerate(self.model.weights)}
        for number, slots in enumerate(self.optimizer.slot_variables):
            named |= {f"optimizer/{number:03d}/{slot}": variable for slot, variable in enumerate(slots)}
        return named

    def state(self) -> dict[str, np.ndarray]:
        """Everything that changes during training, as arrays."""
        return {name: np.asarray(variable.numpy()) for name, variable in self._variables().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Takes back a state. Raises ValueError if it is not one of this engine's, and changes nothing then."""
        variables = self._variables()
        if state.keys() != variables.keys():
            odd = ", ".join(sorted(state.keys() ^ variables.keys())[:3])
            raise ValueError(f"the state is of another model or optimizer: {odd}")
        for name, variable in variables.items():
            if state[name].shape != tuple(variable.shape) or state[name].dtype != variable.dtype.as_numpy_dtype:
                raise ValueError(f"the state's {name} is {state[name].dtype} {state[name].shape}")
        for name, variable in variables.items():
            variable.assign(state[name])


def augmented(images: np.ndarray, definition: dict, seed: int) -> np.ndarray:
    """Images uint8 [n, h, w] as augmentation leaves them, float32 [n, h, w] in 0..1: to show, not to train on."""
    inputs, draws = tf.cast(images[..., np.newaxis], tf.float32), Draws(seed, "augmentation", moment(0, 0))
    return augmentation.augment(inputs, definition, draws.uniform).numpy()[..., 0] / 255
