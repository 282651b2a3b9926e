"""The rules' scripts, where they do more than call the package."""

from __future__ import annotations

import io
import runpy

import numpy as np
import pytest

from project import PROJECT


def script(name):
    """The functions of a rule's script."""
    return runpy.run_path(str(PROJECT / "workflow" / "scripts" / f"{name}.py"))


@pytest.mark.parametrize("name", ["file", "allow_pickle", "args", "affine"])
def test_examples_of_an_augmentation_of_any_name_are_written_and_read(name):
    arrays = {"originals": np.zeros((2, 3, 3), np.float32), name: np.ones((2, 3, 3), np.float32)}
    stream = io.BytesIO()
    script("augmentation_examples")["write"](stream, arrays)
    stream.seek(0)
    with np.load(stream) as archive:
        assert archive.files == list(arrays)
        for key, array in arrays.items():
            np.testing.assert_array_equal(archive[key], array)
