"""Garments from the files, as the page shows them."""

import io

import numpy as np
import pytest

from analysis_fixture import analysis
from refashion.errors import UserError
from refashion.telling import pictures


def test_garments_are_shown_dark_on_light(tmp_path):
    from base64 import b64decode

    from PIL import Image

    garment = np.zeros((28, 28), np.uint8)
    garment[4:9, 4:9] = 255
    address = pictures.png(garment)
    pixels = np.asarray(Image.open(io.BytesIO(b64decode(address.partition(",")[2]))))
    assert (pixels == 255 - garment).all()


def test_broken_image_files_give_one_sentence(tmp_path):
    data = tmp_path / "fashion_mnist.npz"
    data.write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"fashion_mnist\.npz"):
        pictures.load(analysis(n=1), [data], None)
    np.savez(data, other=np.zeros(1))
    with pytest.raises(UserError, match=r"fashion_mnist\.npz"):
        pictures.load(analysis(n=1), [data], None)


def test_an_augmentation_that_changes_nothing_has_no_row(tmp_path):
    examples = tmp_path / "examples.npz"
    plain = np.zeros((2, 28, 28), np.float32)
    np.savez(examples, none=plain, flip=plain + 1, originals=plain)
    shown = pictures.load(analysis(n=1), [], examples).augmentations
    assert [name for name, _ in shown] == ["originals", "flip"]
