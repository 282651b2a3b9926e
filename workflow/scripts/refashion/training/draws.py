"""Random numbers inside the graph: pure functions of (seed, stream, epoch, step) and what they are for."""

from __future__ import annotations

from typing import Any

from refashion.randomness import counter, stream_key
from refashion.training.runtime import tf


def moment(epoch: int, step: int) -> tf.Tensor:
    """Epoch and step as the uint64 counter that draws are keyed by."""
    return tf.constant(counter(epoch, step), tf.uint64)


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
