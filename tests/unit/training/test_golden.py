"""Golden numbers: the draws and the first losses of a spec, so that nobody changes the numbers unknowingly.

The draws must be equal to the bit on every machine. Losses differ between CPUs by their kernels' rounding, which batch
normalisation enlarges from the first update on: with oneDNN's kernels and without them the losses below differ by at
most 8e-5 of their value (Zen 3). Tolerances: 2e-4, and 1e-3 after an update with batch normalisation. In one cell
AVX2 and AVX-512 differ by more, and weights that are changed by 1e-7 of their value make the same difference on one
machine: there the losses of both are known, and no others pass.

A change that is meant to change numbers raises `NUMERICS` in study.py. Then, from the project's folder, this prints the
new tables to put below (DATA is results/data/fashion_mnist.npz):

    PYTHONPATH=workflow/scripts:tests/helpers .venv/bin/python tests/unit/training/test_golden.py DATA
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

engine = pytest.importorskip("refashion.training.engine", reason="TensorFlow is not installed")

from engine_specs import first_images, spec
from refashion import randomness
from refashion.data.split import Split
from refashion.networks import architectures
from refashion.training.draws import Draws, moment
from refashion.training.runtime import Device, configure

#: Losses of the first three steps, batches of 64 of the first 192 training images, Adam at 0.001, seed 1.
LOSSES: dict[str, list[float]] = {
    "softmax/none": [2.42701, 2.248183, 2.175333],
    "softmax/affine": [2.432131, 2.248585, 2.215408],
    "cnn1/none": [2.296112, 2.154484, 1.983879],
    "cnn1/affine": [2.299945, 2.229313, 2.089659],
    "lenet5/none": [2.298456, 2.246479, 2.183391],
    "lenet5/affine": [2.296871, 2.261639, 2.203657],
    "cnn4/none": [3.856067, 3.290647, 2.673761],
    "cnn4/affine": [3.897032, 3.259575, 3.009473],
    "cnn4_same/none": [3.252259, 2.570761, 2.225123],
    "cnn4_same/affine": [3.293997, 2.629729, 2.379176],
    "resnet_small/none": [2.594635, 2.183805, 1.76192],
    "resnet_small/affine": [2.628369, 2.184915, 1.844085],
}

#: Where AVX-512 (Zen 5) gives others than AVX2 (Zen 3), beyond the tolerance.
LOSSES_AVX512 = {"cnn4_same/affine": [3.293998, 2.629037, 2.384579]}

#: Loss and accuracy of the second epoch (three steps each, as above) and, after it, of 100 test images as they are
#: validated and clean.
SECOND_EPOCH: dict[str, list[float]] = {
    "softmax/affine": [2.082277, 0.2708333, 1.995971, 0.25, 2.006357, 0.27],
    "cnn1/affine": [1.84297, 0.4114583, 1.573076, 0.5, 1.484021, 0.51],
    "lenet5/none": [2.081428, 0.3958333, 1.981691, 0.36, 1.981691, 0.36],
}

#: The first draws of each stream, seed 1: integers, or float32 as its bits.
DRAWS: dict[str, list[int]] = {
    "subset": [37532, 2501, 47754, 46848],
    "initialiser": [1044451044, 1040227580, 1055267758, 1060950733],
    "shuffle": [38877, 39695, 5800, 43794],
    "dropout": [3862410262, 2599787682, 1809073711, 650412276],
    "augmentation": [1049079008, 1025286144, 994221568, 1034700944],
    "validation_augmentation": [1058683688, 1062494920, 1053155264, 1063775934],
}


#: The listed network is, unless said otherwise, the linear baseline: draws and losses are those of its own builder.
LOSSES |= {f"layers/{kind}": LOSSES[f"softmax/{kind}"] for kind in ("none", "affine")}


def losses(builder: str, affine: bool, split: Split, device: Device) -> list[float]:
    """The mean loss of each of the first three steps."""
    run = engine.Engine(spec(builder, affine, seed=1), split, device)
    found = []
    for step in range(3):
        run.reset_sums()
        run.train(0, step, step + 1)
        found.append(run.sums()[0])
    return found


def second_epoch(builder: str, affine: bool, split: Split, device: Device) -> list[float]:
    """The numbers of SECOND_EPOCH."""
    run = engine.Engine(spec(builder, affine, seed=1), split, device)
    for epoch in range(2):
        run.reset_sums()
        run.train(epoch, 0, 3)
    evaluation = run.evaluate(1)
    found = [*run.sums()]
    for scores in (evaluation.validated, evaluation.clean):
        found += [scores.losses.mean(dtype=np.float64), np.mean(scores.classes == split.validation_labels)]
    return [float(value) for value in found]


def draws() -> dict[str, list[int]]:
    """The first four draws of each stream as the engine takes them."""
    dropout, warp = Draws(1, "dropout"), Draws(1, "augmentation")
    validation = Draws(1, "validation_augmentation")
    dropout.counter = warp.counter = validation.counter = moment(2, 3)
    return {
        "subset": randomness.generator(1, "subset").permutation(60000)[:4].tolist(),
        "initialiser": _bits(randomness.generator(1, "initialiser", 0).random(4, dtype=np.float32)),
        "shuffle": randomness.generator(1, "shuffle", 2).permutation(60000)[:4].tolist(),
        "dropout": dropout.bits(0, 4).numpy().tolist(),
        "augmentation": _bits(warp.uniform("rotation", 4).numpy()),
        "validation_augmentation": _bits(validation.uniform("rotation", 4).numpy()),
    }


def _bits(values: np.ndarray) -> list[int]:
    return values.view(np.uint32).tolist()


@pytest.fixture(scope="module")
def split(real_data) -> Split:
    return first_images(real_data, 192, 100)


def test_every_stream_draws_what_it_drew(device):
    assert draws() == DRAWS


@pytest.mark.parametrize("cell", LOSSES)
def test_first_losses_are_what_they_were(cell, split, device):
    builder, kind = cell.split("/")
    found = losses(builder, kind == "affine", split, device)
    normalised = builder in ("cnn4", "cnn4_same", "resnet_small")
    known = [table[cell] for table in (LOSSES, LOSSES_AVX512) if cell in table]
    later = 1e-3 if normalised else 2e-4
    assert any(
        found[0] == pytest.approx(one[0], rel=2e-4) and found[1:] == pytest.approx(one[1:], rel=later) for one in known
    ), (found, known)


@pytest.mark.parametrize("cell", SECOND_EPOCH)
def test_a_later_epoch_and_its_evaluation_are_what_they_were(cell, split, device):
    """Networks without batch normalisation: one image more or less may be right where rounding is another."""
    builder, kind = cell.split("/")
    found = second_epoch(builder, kind == "affine", split, device)
    known = SECOND_EPOCH[cell]
    assert found[0::2] == pytest.approx(known[0::2], rel=2e-4)
    assert np.abs(np.subtract(found[1::2], known[1::2])).max() <= 0.0101


def test_no_architecture_is_forgotten():
    assert set(LOSSES) == {f"{builder}/{kind}" for builder in architectures.BUILDERS for kind in ("none", "affine")}


def _write(split: Split) -> None:
    device = configure("cpu", threads=1)
    print("LOSSES")
    for builder in architectures.BUILDERS:
        for kind in ("none", "affine"):
            rounded = [float(f"{loss:.7g}") for loss in losses(builder, kind == "affine", split, device)]
            print(f'    "{builder}/{kind}": {rounded},', flush=True)
    print("SECOND_EPOCH")
    for cell in SECOND_EPOCH:
        builder, kind = cell.split("/")
        rounded = [float(f"{value:.7g}") for value in second_epoch(builder, kind == "affine", split, device)]
        print(f'    "{cell}": {rounded},', flush=True)
    print("DRAWS")
    for stream, values in draws().items():
        print(f'    "{stream}": {values},')


if __name__ == "__main__":
    _write(first_images(Path(sys.argv[1]), 192, 100))
