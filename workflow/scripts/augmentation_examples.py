"""Rule `augmentation_examples`: one garment of each class under every augmentation, by the code that training uses."""

import zipfile
from pathlib import Path

import numpy as np

from refashion import files
from refashion.data import dataset as data
from refashion.rule_log import rule_log
from refashion.study.config import load_study
from refashion.study.model import NUMERICS
from refashion.study.original import original_dataset, read_original
from refashion.training.run_store import RunStore


def examples(dataset, entries):
    """{"originals": [classes, rows, columns] float32 in 0..1, and the same for each augmentation by name}."""
    from refashion.training import engine, runtime

    first = [int(np.argmax(dataset.train_labels == label)) for label in np.unique(dataset.train_labels)]
    images = dataset.train_images[first]
    runtime.configure("cpu", threads=1)
    shown = {name: engine.augmented(images, entry, seed=0) for name, entry in entries.items()}
    return {"originals": images.astype(np.float32) / 255, **shown}


def write(stream, arrays):
    """An .npz of arrays of any name: `np.savez` has parameters of its own, `file` for one."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def main(job):
    """Write results/augmentation_examples.npz; from the store, without drawing anything, where it is known."""
    entries = dict(job.params.augmentations)
    name = original_dataset(read_original(job.input.original), load_study(job.config))
    path = next(Path(one) for one in job.input.data if Path(one).stem == name)

    def make(stream):
        write(stream, examples(data.load(path), entries))

    key = {"augmentations": entries, "dataset": job.params.datasets[name], "numerics": NUMERICS}
    files.copy(RunStore(job.params.store).derived(key, ".npz", make), Path(job.output[0]))


if __name__ == "__main__":
    with rule_log(snakemake):
        main(snakemake)
