"""A reproducibility study of a small published Fashion-MNIST report."""

__version__ = "0.1.0"
