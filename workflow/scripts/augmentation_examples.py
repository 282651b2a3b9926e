"""Rule `augmentation_examples`: one garment of each class under every augmentation, by the code that training uses."""

from pathlib import Path

import numpy as np

from refashion import data, engine
from refashion.rule_log import rule_log


def main(job):
    """Write an array [classes, rows, columns], 0..1, for each augmentation, and `originals`."""
    dataset = data.load(Path(job.input.data))
    first = [int(np.argmax(dataset.train_labels == label)) for label in np.unique(dataset.train_labels)]
    images = dataset.train_images[first]
    engine.configure("cpu", threads=1)
    shown = {name: engine.augmented(images, entry, seed=0) for name, entry in job.params.augmentations.items()}
    np.savez_compressed(job.output[0], originals=images.astype(np.float32) / 255, **shown)


if __name__ == "__main__":
    with rule_log(snakemake):  # noqa: F821
        main(snakemake)  # noqa: F821
