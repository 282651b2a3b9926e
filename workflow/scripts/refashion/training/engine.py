"""The training engine: everything that is TensorFlow's own.

Images stay in memory as uint8; shuffling, scaling, augmentation, the step and its bookkeeping run in the graph, many
steps a call. Every draw is keyed by (seed, stream, epoch, step), so nothing but variables has to be saved to resume a
run to the bit. Importing this module imports TensorFlow: do it late.
"""

from __future__ import annotations

import os

# Read when TensorFlow loads, which has oneDNN's kernels on or off by the processor; said here, they are on everywhere.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from refashion.errors import UserError
from refashion.networks import architectures, augmentation
from refashion.randomness import counter, generator, stream_key

#: Images a call in evaluation. Draws of validation are keyed by the call, so this belongs to the numbers (`numerics`).
EVALUATION_BATCH = 1000
#: Length that a call into TensorFlow aims at, in seconds: signals are heard between calls.
CALL_SECONDS = 1.0
#: Share of all updates over which the cosine schedule first rises to its learning rate.
WARM_UP = 0.05


@dataclass(frozen=True)
class Device:
    """What a run computes on."""

    kind: str
    name: str
    tensorflow: str
    keras: str


class Split(Protocol):
    """The images of a run: uint8 [n, h, w] and labels uint8 [n], for training and for validation."""

    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray


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


def configure(device: str, threads: int) -> Device:
    """Prepares TensorFlow: threads, visible devices, memory growth, deterministic kernels. Once a process.

    CUDA_VISIBLE_DEVICES is left as it is. float32 means float32: no TF32 on a GPU. Raises UserError if there is no GPU.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    gpus = tf.config.list_physical_devices("GPU")
    name = "CPU"
    if device == "gpu":
        if not gpus:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", "unset")
            raise UserError(
                f"device is gpu, but TensorFlow {tf.__version__} sees no GPU (CUDA_VISIBLE_DEVICES: {visible}); "
                "install the gpu extra and a driver, or set device to cpu or auto."
            )
        tf.config.set_visible_devices(gpus[0], "GPU")
        tf.config.experimental.set_memory_growth(gpus[0], True)
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    else:
        tf.config.set_visible_devices([], "GPU")
    return Device(device, name, tf.__version__, keras.__version__)


# ---------------------------------------------------------------------------------------------------------------------
# Layers with TensorFlow's fused kernels


class Draws:
    """The counter of the present step, from which layers draw inside a traced step."""

    def __init__(self, seed: int, stream: str):
        self.seed, self.stream = seed, stream
        self.counter: tf.Tensor | None = None

    def _philox(self, part: str | int) -> dict[str, Any]:
        """Philox's key is the stream's, the counter's upper half is the step's; the lower half counts the draws."""
        key = tf.constant([stream_key(self.seed, self.stream, part)], tf.uint64)
        return {"key": key, "counter": tf.stack([tf.constant(0, tf.uint64), self.counter]), "alg": 1}

    def uniform(self, part: str | int, *shape: Any) -> tf.Tensor:
        """float32 in [0, 1)."""
        return tf.raw_ops.StatelessRandomUniformV2(shape=tf.stack(shape), dtype=tf.float32, **self._philox(part))

    def bits(self, part: str | int, count: int) -> tf.Tensor:
        """uint32 [count], uniform over all integers."""
        return tf.raw_ops.StatelessRandomUniformFullIntV2(shape=[count], dtype=tf.uint32, **self._philox(part))


def channel_sums(x: tf.Tensor) -> tf.Tensor:
    """Sums [c] over all axes but the last, in the fastest kernel that TensorFlow has for it.

    The reshape keeps oneDNN from fusing a bias gradient into the convolution's, which takes longer than both apart.
    """
    return tf.raw_ops.BiasAddGrad(out_backprop=tf.reshape(x, [-1, x.shape[-1]]))


@tf.custom_gradient
def add_bias(x: tf.Tensor, bias: tf.Tensor) -> Any:
    """x [..., c] + bias [c]."""
    return tf.nn.bias_add(x, bias), lambda gradient: (gradient, channel_sums(gradient))


@tf.custom_gradient
def add_bias_relu(x: tf.Tensor, bias: tf.Tensor) -> Any:
    """max(x [..., c] + bias [c], 0), with nothing between the ops, so that the kernel that gives x does both."""
    y = tf.nn.relu(tf.nn.bias_add(x, bias))

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        passed = tf.raw_ops.ReluGrad(gradients=upstream, features=y)
        return passed, channel_sums(passed)

    return y, gradient


def with_bias_and_activation(x: tf.Tensor, layer: Convolution | FullyConnected) -> tf.Tensor:
    """What the layer does to its product x."""
    if not layer.use_bias:
        return layer.activation(x)
    bias = tf.cast(layer.bias.value, x.dtype)
    return add_bias_relu(x, bias) if layer.activation is keras.activations.relu else layer.activation(add_bias(x, bias))


class Convolution(keras.layers.Conv2D):
    """Conv2D with TensorFlow's bias kernel, whose gradient is one op."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        kernel = tf.cast(self.kernel.value, x.dtype)
        x = tf.nn.conv2d(x, kernel, self.strides, self.padding.upper(), dilations=self.dilation_rate)
        return with_bias_and_activation(x, self)


class FullyConnected(keras.layers.Dense):
    """Dense with TensorFlow's bias kernel."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        x = tf.matmul(x, tf.cast(self.kernel.value, x.dtype))
        return with_bias_and_activation(x, self)


class Sum(keras.layers.Add):
    """Add, kept apart from what comes before: TensorFlow 2.21 fails to fuse a depthwise convolution, a sum and ReLU."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        return super().call([tf.ensure_shape(x, x.shape) for x in inputs])


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation in one kernel, as tf.keras of 2019-2021 had it: the running variance is Bessel-corrected."""

    def call(self, x: tf.Tensor, training: bool = False, mask: None = None) -> tf.Tensor:
        shape = tf.shape(x)
        planar = x if x.shape.rank == 4 else tf.reshape(x, [-1, 1, 1, x.shape[-1]])
        moving_mean, moving_variance = self.moving_mean.value, self.moving_variance.value
        result = tf.raw_ops.FusedBatchNormV3(
            x=planar,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=moving_mean,
            variance=moving_variance,
            epsilon=self.epsilon,
            exponential_avg_factor=1 - self.momentum if training else 1.0,
            is_training=training,
        )
        if training:
            moving_mean.assign(result.batch_mean)
            moving_variance.assign(result.batch_variance)
        return result.y if x.shape.rank == 4 else tf.reshape(result.y, shape)


class SplitBatchNormalization(FusedBatchNormalization):
    """The same in separate CPU kernels, 1.6 times as fast in training and 3 times in inference (22 MB, Zen 3, oneDNN).

    Mean and mean square take one pass each, the normalisation is a 1 x 1 depthwise convolution with a bias. The
    variance is the mean square less the squared mean, as Flax has it; its rounding error is far below epsilon.
    """

    def call(self, x: tf.Tensor, training: bool = False, mask: None = None) -> tf.Tensor:
        if x.shape.rank != 4 or x.dtype != tf.float32:
            return super().call(x, training)
        if not training:
            return self._affine(
                x, self.gamma.value, self.beta.value, self.moving_mean.value, self.moving_variance.value
            )
        y, mean, variance = self._normalise(x, self.gamma.value, self.beta.value)
        count = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance * count / (count - 1))):
            moving.value.assign_add((batch - moving.value) * (1 - self.momentum))
        return y

    def _affine(
        self, x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor
    ) -> tf.Tensor:
        scale = gamma * tf.math.rsqrt(variance + self.epsilon)
        scaled = tf.nn.depthwise_conv2d(x, tf.reshape(scale, [1, 1, -1, 1]), [1, 1, 1, 1], "VALID")
        return tf.nn.bias_add(scaled, beta - mean * scale)

    def _normalise(self, x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """(normalised x, its mean [c], its variance [c]); the gradient is the fused kernel's."""

        @tf.custom_gradient
        def normalise(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> Any:
            channels = x.shape[-1]
            count = tf.cast(tf.size(x) // channels, tf.float32)
            mean = channel_sums(x) / count
            mean_square = tf.square(tf.math.reduce_euclidean_norm(tf.reshape(x, [-1, channels]), 0)) / count
            variance = tf.maximum(mean_square - tf.square(mean), 0.0)

            def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
                result = tf.raw_ops.FusedBatchNormGradV3(
                    y_backprop=upstream[0],
                    x=x,
                    scale=gamma,
                    reserve_space_1=mean,
                    reserve_space_2=variance,
                    reserve_space_3=tf.zeros([0]),
                    epsilon=self.epsilon,
                )
                return result.x_backprop, result.scale_backprop, result.offset_backprop

            return (self._affine(x, gamma, beta, mean, variance), mean, variance), gradient

        return normalise(x, gamma, beta)


class ByteDropout(keras.layers.Dropout):
    """Dropout whose mask comes from random bytes: a unit is dropped if its byte is below rate * 256.

    Where that is no whole number, the step's threshold is the one below or above it, drawn so that the rate is exact on
    average: 51.2 is 51 in four steps of five and 52 in the fifth.
    """

    draws: Draws
    position: int

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not training or self.rate == 0:
            return x
        size = int(np.prod(x.shape))
        random_bytes = tf.reshape(tf.bitcast(self.draws.bits(self.position, -(-size // 4)), tf.uint8), [-1])[:size]
        keep = tf.reshape(random_bytes, x.shape) >= self._threshold()
        return x * (tf.cast(keep, x.dtype) * tf.constant(1 / (1 - self.rate), x.dtype))

    def _threshold(self) -> tf.Tensor:
        threshold = self.rate * 256
        if not threshold.is_integer():
            threshold += self.draws.uniform(f"{self.position}/threshold", 1)
        return tf.cast(tf.floor(threshold), tf.uint8)  # at most 254, see `architectures.MOST_DROPOUT`


#: The layers for which the engine has a kernel of its own. Others run as Keras has them.
KERNELS: dict[type, type] = {
    keras.layers.Conv2D: Convolution,
    keras.layers.Dense: FullyConnected,
    keras.layers.BatchNormalization: FusedBatchNormalization,
    keras.layers.Dropout: ByteDropout,
    keras.layers.Add: Sum,
}
CPU_KERNELS = KERNELS | {keras.layers.BatchNormalization: SplitBatchNormalization}


def with_kernels(model: keras.Model, kernels: dict[type, type], precision: str, draws: Draws) -> keras.Model:
    """The same model with the engine's layers, in the given precision, that ends in logits instead of a softmax."""
    output = model.layers[-1]
    if getattr(output, "activation", None) is not keras.activations.softmax:
        raise UserError(f"layer {output.name}: a model's last layer must be Dense with activation softmax.")
    positions = iter(range(len(model.layers)))

    def convert(layer: keras.layers.Layer) -> keras.layers.Layer:
        kind = kernels.get(type(layer), type(layer))
        config = layer.get_config()
        if kind is not keras.layers.InputLayer:
            config["dtype"] = precision
        if layer is output:
            config["activation"] = "linear"
        converted = kind.from_config(config)
        if isinstance(converted, ByteDropout):
            converted.draws, converted.position = draws, next(positions)
        elif hasattr(converted, "seed_generator"):
            raise UserError(
                f"layer {layer.name}: {kind.__name__} draws random numbers; the only such layer is Dropout."
            )
        return converted

    return keras.models.clone_model(model, clone_function=convert)


# ---------------------------------------------------------------------------------------------------------------------
# Optimizers, one fused kernel a variable; Keras' definitions and defaults


class Optimizer:
    """Slots of zeros beside each variable, and an update in place. `apply` works on one variable at a time."""

    slots = 0

    def __init__(self, variables: list[tf.Variable], recipe: dict):
        self.variables = variables
        self.momentum = recipe.get("momentum") or 0.0
        self.slot_variables = [
            [tf.Variable(tf.zeros_like(variable)) for _ in range(self.slots)] for variable in variables
        ]

    def apply(self, gradients: list[tf.Tensor], learning_rate: tf.Tensor, iteration: tf.Tensor) -> None:
        """One update; learning_rate float32, iteration int64 (0 for the first update)."""
        shared = self.shared(iteration)
        for variable, slots, gradient in zip(self.variables, self.slot_variables, gradients, strict=True):
            self.update(variable.handle, [slot.handle for slot in slots], gradient, learning_rate, shared)

    def shared(self, iteration: tf.Tensor) -> Any:
        """What all variables of an update share."""

    def update(self, variable: Any, slots: list, gradient: tf.Tensor, learning_rate: tf.Tensor, shared: Any) -> None:
        raise NotImplementedError


class Adam(Optimizer):
    """Kingma & Ba (2015); beta 0.9 and 0.999, epsilon 1e-7 outside the root's bias correction, as in Keras."""

    slots = 2

    def shared(self, iteration: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        count = tf.cast(iteration + 1, tf.float64)
        return tuple(tf.cast(tf.pow(tf.constant(beta, tf.float64), count), tf.float32) for beta in (0.9, 0.999))

    def update(self, variable: Any, slots: list, gradient: tf.Tensor, learning_rate: tf.Tensor, shared: Any) -> None:
        tf.raw_ops.ResourceApplyAdam(
            var=variable,
            m=slots[0],
            v=slots[1],
            beta1_power=shared[0],
            beta2_power=shared[1],
            lr=learning_rate,
            beta1=0.9,
            beta2=0.999,
            epsilon=1e-7,
            grad=gradient,
        )


class RMSprop(Optimizer):
    """Hinton's; rho 0.9, epsilon 1e-7 under the root, momentum 0 unless given, as in Keras."""

    slots = 2

    def update(self, variable: Any, slots: list, gradient: tf.Tensor, learning_rate: tf.Tensor, shared: Any) -> None:
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable,
            ms=slots[0],
            mom=slots[1],
            lr=learning_rate,
            rho=0.9,
            momentum=self.momentum,
            epsilon=1e-7,
            grad=gradient,
        )


class SGD(Optimizer):
    """Gradient descent, with Keras' momentum (velocity = momentum * velocity - learning rate * gradient)."""

    slots = 1

    def update(self, variable: Any, slots: list, gradient: tf.Tensor, learning_rate: tf.Tensor, shared: Any) -> None:
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable, accum=slots[0], lr=learning_rate, momentum=self.momentum, grad=gradient
        )


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD}


def learning_rate(recipe: dict, iteration: tf.Tensor, updates: int) -> tf.Tensor:
    """The rate of an update: constant, or a rise over WARM_UP of all updates and half a cosine down to zero.

    The cosine is Loshchilov & Hutter's (2017), without restarts.
    """
    peak = recipe["learning_rate"]
    if recipe["schedule"] == "constant":
        return tf.constant(peak, tf.float32)
    warm_up = max(1.0, WARM_UP * updates)
    done = tf.cast(iteration, tf.float32)
    progress = (done - warm_up) / max(1.0, updates - warm_up)
    falling = 0.5 * peak * (1 + tf.cos(np.pi * tf.clip_by_value(progress, 0.0, 1.0)))
    return tf.where(done < warm_up, peak * (done + 1) / (warm_up + 1), falling)


# ---------------------------------------------------------------------------------------------------------------------


class Engine:
    """A run's model, optimizer and data in TensorFlow."""

    def __init__(self, spec: dict, split: Split, device: Device, interrupted: Callable[[], bool] = lambda: False):
        self.spec, self.interrupted = spec, interrupted
        self.recipe, self.augmentation, self.seed = spec["recipe"], spec["augmentation"], spec["seed"]
        self._place(split)
        self._build(split, CPU_KERNELS if device.kind == "cpu" else KERNELS)
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
        self.updates = self.recipe.get("updates") or self.recipe["epochs"] * self.steps_per_epoch
        self.factor, self.offset = augmentation.scale(self.augmentation, split.train_images)

    def _build(self, split: Split, kernels: dict[type, type]) -> None:
        """Model, optimizer and bookkeeping variables."""
        shape = (*split.train_images.shape[1:], 1)
        options = dict(self.spec["architecture"])
        model = architectures.build(options.pop("builder"), shape, self.classes, options)
        self.dropout_draws = Draws(self.seed, "dropout")
        self.model = with_kernels(model, kernels, self.recipe["precision"], self.dropout_draws)
        architectures.initialise(self.model, self.seed)
        self.trainable = [variable.value for variable in self.model.trainable_variables]
        self.optimizer = OPTIMIZERS[self.recipe["optimizer"]](self.trainable, self.recipe)
        self.iteration = tf.Variable(0, dtype=tf.int64)
        self.loss_sum = tf.Variable(0, dtype=tf.float64)
        self.correct = tf.Variable(0, dtype=tf.int64)
        self.seen = tf.Variable(0, dtype=tf.int64)
        self.permutation = tf.Variable(np.arange(self.examples, dtype=np.int32))
        self.shuffled_epoch: int | None = None
        self.seconds_per_step: float | None = None

    def _trace(self, device: Device) -> None:
        """The graph's entry points. XLA compiles the step on GPUs; on CPUs it is ten times slower than the kernels."""
        self._step = tf.function(self._update, jit_compile=True) if device.kind == "gpu" else self._update
        self._steps_call = tf.function(self._steps, autograph=False)
        self._last_step_call = tf.function(self._last_step, autograph=False)
        self._score_call = tf.function(self._score, autograph=False)

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
                self._last_step_call(_counter(epoch, 0), tf.constant(step))
                self.loss_sum.numpy()  # waits for the call to end
            else:
                until = min(full, step + self._steps_a_call())
                self._steps_call(_counter(epoch, 0), tf.constant(step), tf.constant(until))
                self.loss_sum.numpy()
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
            order = generator(self.seed, "shuffle", drawn).permutation(self.examples)
            self.permutation.assign(order.astype(np.int32))
            self.shuffled_epoch = drawn

    def _steps(self, epoch_counter: tf.Tensor, first: tf.Tensor, last: tf.Tensor) -> None:
        """Full batches [first, last)."""

        def body(step: tf.Tensor) -> tf.Tensor:
            self._batch(epoch_counter, step, self.batch_size)
            return step + 1

        tf.while_loop(lambda step: step < last, body, [first], parallel_iterations=1)

    def _last_step(self, epoch_counter: tf.Tensor, step: tf.Tensor) -> None:
        """The short batch that ends an epoch."""
        self._batch(epoch_counter, step, self.examples % self.batch_size)

    def _batch(self, epoch_counter: tf.Tensor, step: tf.Tensor, size: int) -> None:
        """Gathers, augments and scales a batch, and updates on it."""
        now = epoch_counter + tf.cast(step, tf.uint64)
        start = step * self.batch_size
        chosen = self.permutation[start : start + size]
        chosen.set_shape([size])
        draws = Draws(self.seed, "augmentation")
        draws.counter = now
        inputs = self._inputs(tf.gather(self.images, chosen), draws)
        self._step(inputs, tf.cast(tf.gather(self.labels, chosen), tf.int32), now)

    def _inputs(self, images: tf.Tensor, draws: Draws | None) -> tf.Tensor:
        """uint8 [n, h, w] -> the network's input float32 [n, h, w, 1], augmented if draws are given."""
        inputs = tf.cast(images[..., tf.newaxis], tf.float32)
        if draws is not None:
            inputs = augmentation.augment(inputs, self.augmentation, draws.uniform)
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
        smoothing = self.recipe.get("label_smoothing") or 0.0
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
        batches = [
            self._score_call(
                images[start : start + EVALUATION_BATCH],
                labels[start : start + EVALUATION_BATCH],
                None if epoch is None else _counter(epoch, number),
            )
            for number, start in enumerate(range(0, len(images), EVALUATION_BATCH))
        ]
        return Scores(*(np.concatenate([part.numpy() for part in parts]) for parts in zip(*batches, strict=True)))

    def _score(self, images: tf.Tensor, labels: tf.Tensor, now: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        draws = None
        if now is not None:
            draws = Draws(self.seed, "validation_augmentation")
            draws.counter = now
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


def _counter(epoch: int, step: int) -> tf.Tensor:
    return tf.constant(counter(epoch, step), tf.uint64)


def augmented(images: np.ndarray, definition: dict, seed: int) -> np.ndarray:
    """Images uint8 [n, h, w] as augmentation leaves them, float32 [n, h, w] in 0..1: to show, not to train on."""
    draws = Draws(seed, "augmentation")
    draws.counter = tf.constant(0, tf.uint64)
    inputs = tf.cast(images[..., np.newaxis], tf.float32)
    return augmentation.augment(inputs, definition, draws.uniform).numpy()[..., 0] / 255
