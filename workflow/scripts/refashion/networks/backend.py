"""Keras and TensorFlow as every run has them, whatever the user's home folder and environment say."""

from __future__ import annotations

import os

#: Variables that begin so reach into what TensorFlow, Keras, oneDNN, XLA and CUDA's libraries compute: kernels chosen,
#: instruction sets, bits of a number, compilation.
_PREFIXES = (
    *("TF_", "TF2_", "KERAS_", "XLA_", "TFXLA_", "MLIR_", "ONEDNN_", "DNNL_", "MKLDNN_", "MKL_", "ITEX_"),
    *("CUBLAS_", "CUBLASLT_", "CUDNN_", "NVIDIA_TF32_"),
)
#: Of those, the ones that change no number: what is logged, and how a GPU's memory is shared.
_KEPT = frozenset(
    {
        *("TF_CPP_MIN_LOG_LEVEL", "TF_CPP_MAX_LOG_LEVEL", "TF_CPP_MIN_VLOG_LEVEL", "TF_CPP_VMODULE"),
        *("TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR", "TF_GPU_HOST_MEM_LIMIT_IN_MB"),
    }
)
#: Where XLA finds CUDA's own files: the one flag that a machine may need.
_XLA_PATH = "--xla_gpu_cuda_data_dir="


def settle() -> None:
    """Puts the environment in order for Keras and TensorFlow, which read it when they load. Call it before.

    Keras takes its defaults (float32, channels last, epsilon 1e-7): a settings file in no folder is none. oneDNN's
    kernels are on everywhere, where TensorFlow would go by the processor.
    """
    paths = [flag for flag in os.environ.get("XLA_FLAGS", "").split() if flag.startswith(_XLA_PATH)]
    for name in list(os.environ):
        if name.startswith(_PREFIXES) and name not in _KEPT:
            del os.environ[name]
    if paths:
        os.environ["XLA_FLAGS"] = paths[-1]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ |= {"TF_ENABLE_ONEDNN_OPTS": "1", "KERAS_BACKEND": "tensorflow", "KERAS_HOME": os.devnull}
