"""Tests of pictures with pixels without a number, and of half-written ones."""

import numpy as np
import pytest

from spheroid_jax import images
from spheroid_jax.images import ImageError


def test_a_scattered_nan_is_filled_from_the_nearest():
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    pixels[1, 1] = np.nan
    pixels[0, 3] = np.inf
    filled, notes = images.repair(pixels)
    assert np.isfinite(filled).all()
    assert filled[1, 1] in (1, 4, 6, 9)
    assert filled[0, 3] in (2, 7)
    unchanged = np.isfinite(pixels)
    np.testing.assert_array_equal(filled[unchanged], pixels[unchanged])
    assert notes == ("2 pixels without a number were filled from the nearest",)


def test_half_without_a_number_is_refused():
    pixels = np.ones((4, 4), np.float32)
    pixels[:2] = np.nan
    with pytest.raises(ImageError, match="8 of 16 pixels are NaN or infinite"):
        images.repair(pixels)


def test_colours_are_filled_together(rng):
    pixels = rng.random((5, 6, 3))
    pixels[2, 3, 1] = np.nan
    filled, _ = images.repair(pixels)
    neighbours = [pixels[1, 3], pixels[3, 3], pixels[2, 2], pixels[2, 4]]
    assert any((filled[2, 3] == colour).all() for colour in neighbours)


def test_rows_that_were_never_written_are_noticed(rng):
    pixels = rng.integers(100, 200, (40, 30), np.uint16)
    pixels[-10:] = 0
    same, notes = images.repair(pixels)
    assert same is pixels
    assert notes == ("the last 10 of 40 rows are exactly 0: half-written?",)


@pytest.mark.parametrize("kind", ["whole", "one row", "dark all over"])
def test_ordinary_pictures_are_left_alone(rng, kind):
    pixels = rng.integers(100, 200, (40, 30), np.uint16)
    if kind == "one row":
        pixels[-1] = 0
    elif kind == "dark all over":
        pixels = (rng.random((40, 30)) > 0.7).astype(np.uint16)
        pixels[-10:] = 0
    same, notes = images.repair(pixels)
    assert same is pixels and notes == ()
