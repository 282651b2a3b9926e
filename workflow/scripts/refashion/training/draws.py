"""Random numbers inside the graph: pure functions of (seed, stream, epoch, step) and what they are for."""

from __future__ import annotations

from refashion.randomness import counter, stream_key
from refashion.training.runtime import tf


def moment(epoch: int, step: int) -> tf.Tensor:
    """Epoch and step as the uint64 counter that draws are keyed by."""
    return tf.constant(counter(epoch, step), tf.uint64)


class Draws:
    """A stream of a run at a moment; layers that were built before are told the moment of each step as `counter`."""

    def __init__(self, seed: int, stream: str, counter: tf.Tensor | None = None):
        self.seed, self.stream, self.counter = seed, stream, counter

    def bits(self, part: str | int, *shape: int) -> tf.Tensor:
        """uint32, uniform over all integers.

        Philox's key is the stream's, the counter's upper half is the step's; the lower half counts the draws.
        """
        return tf.raw_ops.StatelessRandomUniformFullIntV2(
            shape=shape,
            dtype=tf.uint32,
            key=tf.constant([stream_key(self.seed, self.stream, part)], tf.uint64),
            counter=tf.stack([tf.constant(0, tf.uint64), self.counter]),
            alg=1,
        )

    def uniform(self, part: str | int, *shape: int) -> tf.Tensor:
        """float32 in [0, 1), from the lower 23 bits: as TensorFlow's kernels do it, where XLA takes the upper ones."""
        one_to_two = tf.bitwise.bitwise_or(tf.bitwise.bitwise_and(self.bits(part, *shape), 0x7FFFFF), 0x3F800000)
        return tf.bitcast(one_to_two, tf.float32) - 1.0
