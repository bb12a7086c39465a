"""Small pictures, and files of them, for tests of images."""

import numpy as np
from PIL import Image

H, W = 36, 44


def saved(path, pixels, **options):
    """Writes pixels with Pillow, and returns the path."""
    Image.fromarray(pixels).save(path, **options)
    return path


def assert_same(actual, expected):
    """Fails unless both arrays have one number type and the same numbers."""
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)
