"""TensorFlow and Keras in this process: how they are settled, and what a run computes on.

All of `training` has them from here, so that nothing loads them unsettled. Importing this module imports TensorFlow,
which takes seconds: do it late.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from refashion.errors import UserError
from refashion.networks import backend

backend.settle()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

__all__ = ["Device", "configure", "keras", "tf"]


@dataclass(frozen=True)
class Device:
    """What a run computes on."""

    kind: str
    name: str
    tensorflow: str


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
                "install the gpu extra and a driver, or set device to cpu."
            )
        tf.config.set_visible_devices(gpus[0], "GPU")
        tf.config.experimental.set_memory_growth(gpus[0], True)
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    else:
        tf.config.set_visible_devices([], "GPU")
    return Device(device, name, tf.__version__)
