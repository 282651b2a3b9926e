"""What the engine takes, of tiny trainings: specs and the first real images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from refashion.data import dataset
from refashion.data.split import Split
from refashion.networks import architectures, augmentation

#: The original's augmentation, as far as it is known.
AFFINE = {"rotation": 8, "width_shift": 0.08, "height_shift": 0.08, "shear": 0.3, "zoom": 0.08}
RECIPE = {
    "loss": "categorical",
    "optimizer": "adam",
    "learning_rate": 0.001,
    "momentum": 0.0,
    "schedule": "constant",
    "label_smoothing": 0.0,
    "batch_size": 64,
    "updates": 9,
    "precision": "float32",
}


def spec(
    builder: str, affine: bool = False, seed: int = 5, options: dict[str, Any] | None = None, **recipe: Any
) -> dict[str, Any]:
    """A run of a network with its default options, unless others are given; `recipe` changes RECIPE."""
    return {
        "numerics": 1,
        "seed": seed,
        "dataset": {"classes": 10, "shape": [28, 28]},
        "architecture": {"builder": builder, **architectures.options(builder), **(options or {})},
        "augmentation": augmentation.DEFAULTS | (AFFINE if affine else {}),
        "recipe": RECIPE | recipe,
    }


def first_images(data: Path, train: int, validation: int) -> Split:
    """So many training images to train on, and test images to validate, in the order of their files."""
    return Split(*vars(dataset.load(data).first(train, validation)).values())
