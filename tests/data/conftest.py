"""Fixtures: a data root that several test files of this folder read."""

import numpy as np
import pytest
from PIL import Image

SHAPES = {"wide": (40, 64), "tall": (60, 36), "small": (32, 32)}


def _add_odd_shapes(root):
    """Adds 16-bit and colour images that are not square to dataset1."""
    rng = np.random.default_rng(5)
    for stem, (height, width) in SHAPES.items():
        pixels = rng.integers(0, 4000, (height, width), np.uint16)
        picture = Image.fromarray(pixels)
        if stem == "tall":
            picture = Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8))
        picture.save(root / f"dataset1/images/{stem}.png")
        mask = np.zeros((height, width), np.uint8)
        mask[8:20, 9:30] = 1
        Image.fromarray(mask).save(root / f"dataset1/masks/{stem}.bmp")
    return root


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A data root with two datasets of 11 and 8 images; no test changes the files."""
    from helpers import write_root

    root = tmp_path_factory.mktemp("data") / "root"
    return _add_odd_shapes(write_root(root, {"dataset1": 8, "dataset2": 8}))
