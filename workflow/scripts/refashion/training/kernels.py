"""Keras' layers with TensorFlow's fused kernels, and the conversion of a model to them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from refashion.errors import UserError
from refashion.training.draws import Draws
from refashion.training.runtime import keras, tf


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
        return tf.cast(tf.floor(threshold), tf.uint8)  # at most 254, see `layers.MOST_DROPOUT`


class SlicedMaxPooling(keras.layers.MaxPooling2D):
    """Max pooling of strided slices. XLA compiles its gradient, which goes to a window's first maximum in row order.

    TensorFlow's own gradient does that, too, but no deterministic one compiles: "GPU MaxPool gradient ops do not yet
    have a deterministic XLA implementation". Equal to it to the bit where windows do not overlap, ties included.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        if self.padding == "same":
            margins = [_same_margins(*sizes) for sizes in zip(x.shape[1:3], self.pool_size, self.strides, strict=True)]
            x = tf.pad(x, [(0, 0), *margins, (0, 0)], constant_values=x.dtype.min)
        return _largest(x, self.pool_size, self.strides)


def _same_margins(size: int, window: int, stride: int) -> tuple[int, int]:
    """What padding `same` adds before and after an axis."""
    missing = max((-(-size // stride) - 1) * stride + window - size, 0)
    return missing // 2, missing - missing // 2


def _largest(x: tf.Tensor, window: tuple[int, int], strides: tuple[int, int]) -> tf.Tensor:
    """The largest of each window of x [n, h, w, c], whose shape is known; windows lie within x."""
    rows, columns = ((size - one) // stride for size, one, stride in zip(x.shape[1:3], window, strides, strict=True))
    places = [
        {
            "begin": [0, row, column, 0],
            "end": [x.shape[0], row + rows * strides[0] + 1, column + columns * strides[1] + 1, x.shape[3]],
            "strides": [1, *strides, 1],
        }
        for row in range(window[0])
        for column in range(window[1])
    ]

    @tf.custom_gradient
    def largest(x: tf.Tensor) -> Any:
        parts = [tf.strided_slice(x, **place) for place in places]
        y = functools.reduce(tf.maximum, parts)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            taken, shares = tf.zeros_like(y, tf.bool), []
            for part, place in zip(parts, places, strict=True):
                first = (part == y) & ~taken
                taken |= first
                share = tf.where(first, upstream, tf.zeros_like(upstream))
                shares.append(tf.raw_ops.StridedSliceGrad(shape=x.shape.as_list(), **place, dy=share))
            return tf.add_n(shares)

        return y, gradient

    return largest(x)


#: The layers for which the engine has a kernel of its own. Others run as Keras has them.
_KERNELS: dict[type, type[keras.layers.Layer]] = {
    keras.layers.Conv2D: Convolution,
    keras.layers.Dense: FullyConnected,
    keras.layers.Dropout: ByteDropout,
    keras.layers.Add: Sum,
}
#: On CPUs TensorFlow's own max pooling is the faster one; XLA, which compiles for GPUs, has the fused normalisation.
CPU_KERNELS = _KERNELS | {keras.layers.BatchNormalization: SplitBatchNormalization}
GPU_KERNELS = _KERNELS | {
    keras.layers.BatchNormalization: FusedBatchNormalization,
    keras.layers.MaxPooling2D: SlicedMaxPooling,
}


def with_kernels(
    model: keras.Model, kernels: dict[type, type[keras.layers.Layer]], precision: str, draws: Draws
) -> keras.Model:
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
