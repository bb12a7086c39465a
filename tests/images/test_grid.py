"""Tests of resampling onto the network's grid."""

import numpy as np
import pytest
from helpers import disk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pictures import assert_same

from spheroid_jax import images
from spheroid_jax.images import BACKGROUND, FOREGROUND, OUTSIDE, Box, ImageError


@pytest.mark.parametrize(
    ("shape", "size", "box"),
    [
        ((100, 100), 48, (0, 0, 48, 48)),
        ((48, 48), 48, (0, 0, 48, 48)),
        ((40, 40), 96, (0, 0, 96, 96)),
        ((100, 50), 48, (0, 12, 48, 24)),
        ((50, 100), 48, (12, 0, 24, 48)),
        ((1080, 1440), 480, (60, 0, 360, 480)),
        ((32, 100_000), 48, (23, 0, 1, 48)),  # never without content
    ],
)
def test_box_keeps_the_proportions_and_is_centred(shape, size, box):
    assert images.grid_box(shape, size) == Box(*box)


@given(st.integers(32, 5000), st.integers(32, 5000), st.integers(16, 600))
def test_box_lies_on_the_grid_and_fills_one_side(height, width, size):
    box = images.grid_box((height, width), size)
    assert box.top >= 0
    assert box.left >= 0
    assert box.top + box.height <= size
    assert box.left + box.width <= size
    assert max(box.height, box.width) == size
    assert abs(size - box.height - 2 * box.top) <= 1
    assert abs(size - box.width - 2 * box.left) <= 1


def test_crop_cuts_the_content_out_of_any_leading_axes():
    grids = np.arange(2 * 3 * 6 * 6).reshape(2, 3, 6, 6)
    np.testing.assert_array_equal(Box(1, 2, 4, 3).crop(grids), grids[:, :, 1:5, 2:5])


def test_image_of_the_grids_size_is_untouched(rng):
    gray = rng.random((48, 48), np.float32)
    grid, box = images.to_grid(gray, 48)
    assert_same(grid, gray)
    assert box == Box(0, 0, 48, 48)


@pytest.mark.parametrize("transposed", [False, True], ids=["tall", "wide"])
def test_content_is_padded_with_its_edge_and_not_squashed(transposed):
    # A disk of radius 20 in 120 x 60 px is one of radius 8 on a grid of 48.
    gray = disk(120, (60, 30), 20)[:, :60].astype(np.float32)
    gray[:, 0], gray[:, -1] = 0.25, 0.75
    grid, box = images.to_grid(gray.T if transposed else gray, 48)
    assert grid.shape == (48, 48)
    assert grid.dtype == np.float32
    if transposed:
        assert box == Box(12, 0, 24, 48)
        grid = grid.T
    else:
        assert box == Box(0, 12, 48, 24)
    for column in range(12):
        np.testing.assert_array_equal(grid[:, column], grid[:, 12])
        np.testing.assert_array_equal(grid[:, 36 + column], grid[:, 35])
    rows, columns = np.nonzero(grid[:, 13:35] > 0.5)
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == 16
    assert rows.size == pytest.approx(np.pi * 8**2, rel=0.05)


@pytest.mark.parametrize("shape", [(96, 96), (90, 60), (50, 81)])
@pytest.mark.parametrize("size", [32, 48, 160])
def test_smooth_image_survives_the_round_trip(shape, size):
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    gray = 0.5 + 0.3 * np.sin(rows / 15) * np.cos(columns / 20)
    grid, box = images.to_grid(gray, size)
    back = images.resample(box.crop(grid), shape)
    assert back.shape == shape
    assert back.dtype == np.float32
    assert np.abs(back - gray).max() < 0.05
    assert np.abs(back - gray).mean() < 0.01


@pytest.mark.parametrize("side", [30, 47, 200])
def test_resampling_does_not_shift(side):
    # A body's centre of mass, in shares of the side, stays.
    gray = disk(120, (40, 75), 15).astype(np.float32)
    other = images.resample(gray, (side, side))
    rows, columns = (np.indices(other.shape) + 0.5) / side
    assert np.average(rows, weights=other) == pytest.approx(40.5 / 120, abs=1e-3)
    assert np.average(columns, weights=other) == pytest.approx(75.5 / 120, abs=1e-3)


@pytest.mark.parametrize("size", [32, 37, 48])
def test_fine_checkerboard_becomes_its_mean(size):
    board = (np.indices((192, 192)).sum(0) % 2).astype(np.float32)
    small = images.resample(board, (size, size))
    assert small.mean() == pytest.approx(0.5, abs=1e-3)
    assert np.abs(small - 0.5).max() < 0.05  # no aliases either


def test_halving_weighs_neighbours_with_a_triangle():
    # Output pixel i is centred between 2i and 2i + 1; the triangle reaches 2
    # input pixels: weights 1/8, 3/8, 3/8, 1/8.
    line = np.zeros((1, 8), np.float32)
    line[0, 4] = 8
    np.testing.assert_allclose(images.resample(line, (1, 4)), [[0, 1, 3, 0]], atol=1e-6)


def test_labels_of_a_wide_mask():
    mask = np.zeros((32, 64), bool)
    mask[8:16, 16:40] = True
    labels = images.mask_to_grid(mask, 32)
    expected = np.full((32, 32), OUTSIDE, np.uint8)
    expected[8:24] = BACKGROUND
    expected[12:16, 8:20] = FOREGROUND
    assert_same(labels, expected)


def test_half_covered_pixel_is_foreground():
    mask = np.zeros((64, 64), bool)
    mask[:, :33] = True  # cuts the 17th column of 32 in two
    labels = images.mask_to_grid(mask, 32)
    assert (labels[:, :17] == FOREGROUND).all()
    assert (labels[:, 17:] == BACKGROUND).all()


@pytest.mark.parametrize("value", [False, True])
def test_uniform_mask_keeps_its_class(value):
    labels = images.mask_to_grid(np.full((50, 50), value), 48)
    assert (labels == (FOREGROUND if value else BACKGROUND)).all()


def test_outside_is_where_the_image_was_padded(rng):
    gray = rng.random((70, 41), np.float32)
    _, box = images.to_grid(gray, 48)
    labels = images.mask_to_grid(gray > 0.5, 48)
    assert (box.crop(labels) != OUTSIDE).all()
    assert (labels != OUTSIDE).sum() == box.height * box.width


def _numbers(dtype):
    if dtype == np.float32:
        return st.floats(width=32, allow_nan=False, allow_infinity=False)
    return st.integers(0, np.iinfo(dtype).max)


@st.composite
def _images(draw):
    dtype = draw(st.sampled_from([np.uint8, np.uint16, np.float32]))
    sides = st.integers(32, 80)
    shape = (draw(sides), draw(sides))
    channels = draw(st.sampled_from([None, 1, 2, 3, 4, 5]))
    if channels:
        shape += (channels,)
    if draw(st.booleans()):  # a few odd pixels on a flat ground
        numbers = _numbers(dtype)
        return draw(hnp.arrays(dtype, shape, elements=numbers, fill=numbers))
    low, high = sorted([draw(_numbers(dtype)), draw(_numbers(dtype))])
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = rng.random(shape)
    return (low * (1 - share) + high * share).astype(dtype)


@settings(deadline=None, max_examples=150)
@given(_images(), st.sampled_from([32, 48, 64]))
def test_any_image_gives_a_grid_in_0_to_1(image, size):
    if np.ptp(images.to_gray(image).astype(np.float64)) == 0:
        with pytest.raises(ImageError, match="same value"):
            images.preprocess(image, size)
        return
    grid, box = images.preprocess(image, size)
    assert grid.shape == (size, size)
    assert grid.dtype == np.float32
    assert np.isfinite(grid).all()
    assert grid.min() >= 0
    assert grid.max() <= 1
    assert box == images.grid_box(image.shape[:2], size)
