"""Stateless randomness: every draw is a pure function of (seed, stream, epoch, step).

Nothing carries a generator's state, so a resumed run needs none, and a stream's numbers do not depend on what else is
drawn. Runs of different cells with the same seed share their streams, which is what pairs them in comparisons.
"""

from __future__ import annotations

import hashlib

import numpy as np

#: The streams of a run. A name outside this list is a programming error, never a new stream by accident.
STREAMS = ("subset", "initialiser", "shuffle", "augmentation", "validation_augmentation", "dropout")


def stream_key(seed: int, stream: str, *parts: str | int) -> int:
    """The 63-bit key of a stream: SHA-256 over seed, stream name and further parts (a layer's position, say).

    Raises ValueError for a stream that is not in STREAMS.
    """
    if stream not in STREAMS:
        raise ValueError(f"no random stream is called {stream!r}; there are {', '.join(STREAMS)}")
    text = "/".join(str(part) for part in (seed, stream, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def counter(epoch: int, step: int) -> int:
    """Epoch and step as one 63-bit counter, the second half of a stateless seed."""
    return (epoch << 32) | step


def generator(seed: int, stream: str, *parts: str | int) -> np.random.Generator:
    """A NumPy generator (Philox) for draws made once a run, such as the subset's permutation."""
    return np.random.Generator(np.random.Philox(key=stream_key(seed, stream, *parts)))
