"""Names of cells, and what they stand for."""

import synthetic
from refashion.telling import cells


def test_the_names_of_cells_are_explained_in_words_with_every_default_filled_in():
    """The page is given the checked config, with its defaults: what is not set (None) is left out."""
    study = synthetic.study(run=["original", "augmentations", "variance"], seeds=1)
    named = [
        dict(zip(("architecture", "fraction", "augmentation", "recipe"), cell, strict=True))
        for cell in (("cnn1", "10k", "horizontal_flip", "b256_e100"), ("cnn1", "10k_subset0", "none", "b256_e100"))
    ]
    told = dict(cells.names_of_cells({"cells": named}, study.config))
    assert study.config["fractions"]["10k"]["subset_seed"] is None
    assert told["10k"] == "10,000\xa0images, dataset fashion_mnist, validated on test images"
    assert "subset seed 0" in told["10k_subset0"]
    assert told["horizontal_flip"] == "rescale unit, horizontal flip"
    assert "learning rate 0.001" in told["b256_e100"]
