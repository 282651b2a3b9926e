"""How long a run takes: the images that it computes, and the speed of the nearest kind that was measured."""

from __future__ import annotations

import pytest

from refashion.study.config import load_study
from refashion.study.model import Cell, Run
from refashion.training.speeds import Sample, Speed, Speeds, Work, kinds, work


def spec_of(study, fraction="10k", images=None, **recipe):
    """The spec of a run of cnn1 with another number of images and another recipe."""
    spec = study.spec(Run(Cell("cnn1", fraction, "affine" if recipe.pop("random", False) else "none", "b256_e100"), 0))
    fraction = spec["fraction"] | ({"images": images} if images else {})
    return spec | {"fraction": fraction, "recipe": spec["recipe"] | recipe}


@pytest.mark.parametrize(
    ("images", "batch_size", "updates", "random", "expected"),
    [
        # 50 epochs of 60,000 images; 10,000 validation images each, augmented and clean; the training images once
        (60_000, 256, 11_750, True, Work(3_000_000, 50 * 20_000 + 60_000)),
        (10_000, 256, 4_000, False, Work(1_000_000, 100 * 10_000 + 10_000)),
        # two epochs of 5 batches (100 images, the last of 20) and 2 batches of a third epoch, which is validated, too
        (100, 20, 12, False, Work(240, 3 * 10_000 + 100)),
        (10, 20, 2, False, Work(20, 2 * 10_000 + 10)),  # a batch larger than the data
    ],
)
def test_the_work_of_a_run_is_counted_image_by_image(config, images, batch_size, updates, random, expected):
    study = load_study(config)
    spec = spec_of(study, images=images, batch_size=batch_size, updates=updates, random=random)
    assert work(spec, study) == expected


def test_a_fold_is_charged_for_its_own_images_and_not_for_the_test_images(config):
    """60,000 training images, so a fold of 10,000; here with 5,000 test images, as the two would else be alike."""
    for part in ("test_images", "test_labels"):
        config["datasets"]["fashion_mnist"]["files"][part]["shape"][0] = 5_000
    study = load_study(config)
    assert work(spec_of(study, "10k"), study) == Work(1_000_000, 100 * 5_000 + 10_000)
    assert work(spec_of(study, "10k_fold"), study) == Work(1_000_000, 100 * 10_000 + 10_000)


def test_seconds_are_a_fixed_cost_and_a_time_for_each_image(config):
    assert Speed(0.001, 0.0005, 5.0).seconds(Work(60_000, 10_000)) == pytest.approx(60 + 5 + 5)
    study, cell = load_study(config), Cell("cnn1", "10k", "none", "b256_e100")
    sample = Sample(kinds(study.spec(Run(cell, 0))), 1, Speed(0.001, 0.0005, 95.0))
    assert Speeds(study, {"runs": [sample]}).seconds(cell) == pytest.approx(1_000 + 505 + 95)
    assert Speeds(study, {"runs": []}).seconds(cell) is None
