"""A reproducibility study of a small published Fashion-MNIST report."""

__version__ = "0.1.0"

#: Level of every test (what the levels of all looks add up to), and 1 - that of intervals unless a call says otherwise.
LEVEL = 0.05
