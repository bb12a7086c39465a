"""Tests of post-processing, step by step from a probability map to one body."""

import numpy as np
import pytest
from helpers import disk
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import measure

from spheroid_jax.inference.postprocess import largest_body, scaled_min_area_px


def drawn(*rows):
    """Returns a boolean mask from text; # is true."""
    return np.array([[mark == "#" for mark in row] for row in rows])


def body(mask, **options):
    return largest_body(mask.astype(np.float32), **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("eight_bit", "foreground"),
    [
        (0, False),
        (119.5, False),  # stored as 120
        (120, False),
        (120.49, False),
        (120.51, True),  # stored as 121
        (121, True),
        (255, True),
    ],
)
def test_pixel_is_foreground_above_120_on_the_8_bit_map(eight_bit, foreground, dtype):
    probability = np.full((8, 8), eight_bit / 255, dtype)
    mask = largest_body(probability)
    assert mask.dtype == bool
    assert mask.tolist() == [[foreground] * 8] * 8


def test_all_8_bit_values_are_stored_exactly():
    # One row of 64 pixels per value: exactly the rows above 120 remain.
    values = np.arange(256, dtype=np.float32) / 255
    mask = largest_body(np.tile(values[:, None], 64))
    assert mask.any(1).tolist() == [value > 120 for value in range(256)]


def test_another_threshold_can_be_chosen():
    probability = np.full((8, 8), 200 / 255)
    assert largest_body(probability, threshold=199).all()
    assert not largest_body(probability, threshold=200).any()


def test_object_of_64_pixels_stays_and_of_63_goes():
    mask = np.zeros((20, 20), bool)
    mask[5:13, 6:14] = True
    assert mask.sum() == 64
    np.testing.assert_array_equal(body(mask), mask)
    mask[5, 6] = False
    assert not body(mask).any()


def test_area_counts_the_filled_holes():
    mask = np.zeros((20, 20), bool)
    mask[5:13, 6:14] = True
    ring = mask.copy()
    ring[6:12, 7:13] = False
    np.testing.assert_array_equal(body(ring), mask)


@pytest.mark.parametrize("min_area_px", [0, 0.3, 1])
def test_empty_map_gives_an_empty_mask(min_area_px):
    mask = largest_body(np.zeros((9, 7)), min_area_px=min_area_px)
    assert mask.shape == (9, 7)
    assert mask.dtype == bool
    assert not mask.any()


def test_area_may_be_a_fraction():
    mask = drawn("....", ".##.", ".##.")
    assert body(mask, min_area_px=4.0).sum() == 4
    assert not body(mask, min_area_px=4.01).any()


def test_largest_of_several_objects_is_kept():
    large, small = disk(64, (40, 40), 12), disk(64, (10, 10), 8)
    np.testing.assert_array_equal(body(large | small), large)


def test_pixels_that_touch_by_a_corner_are_one_object():
    mask = drawn("##....", "##....", "..##..", "..##..", ".....#")
    kept = body(mask, min_area_px=5)
    assert kept[:4].sum() == 8
    assert not kept[4, 5]  # which is two columns away


def test_hole_behind_a_diagonal_gap_is_filled():
    mask = drawn(
        ".......",
        ".####..",
        ".#..#..",
        ".#..#..",
        ".###...",  # (4, 4) is open, and touches the hole by a corner
        ".......",
    )
    expected = mask.copy()
    expected[2:4, 2:4] = True
    np.testing.assert_array_equal(body(mask, min_area_px=1), expected)


def test_hole_with_an_open_side_is_not_filled():
    mask = drawn(".......", ".####..", ".#..#..", ".#.....", ".####..", ".......")
    np.testing.assert_array_equal(body(mask, min_area_px=1), mask)


def test_bay_at_the_frame_is_not_a_hole():
    mask = drawn("#.#", "#.#", "###")
    np.testing.assert_array_equal(body(mask, min_area_px=1), mask)


def test_filling_may_decide_which_is_the_largest():
    ring = disk(64, (20, 20), 14) & ~disk(64, (20, 20), 12)
    full = disk(64, (48, 48), 10)
    assert ring.sum() < full.sum()
    np.testing.assert_array_equal(body(ring | full), disk(64, (20, 20), 14))


@pytest.mark.parametrize(
    ("mask", "first"),
    [
        (drawn("##..", "....", "..##"), (0, 0)),
        (drawn("...##", "##..."), (0, 3)),
        (drawn("..#.#", "#.#.#", "#...."), (0, 2)),
    ],
)
def test_of_equal_objects_the_first_in_reading_order_is_kept(mask, first):
    kept = body(mask, min_area_px=2)
    assert kept.sum() == 2
    assert kept[first]
    assert (kept <= mask).all()


def _reference(probability, min_area_px):
    """Computes the expected result with other functions: labels of the background, regionprops."""
    mask = np.rint(probability * 255) > 120
    outside = np.pad(~mask, 1, constant_values=True)
    labels, _ = ndimage.label(outside)  # 4-connected
    mask = (labels != labels[0, 0])[1:-1, 1:-1]
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    bodies = [b for b in measure.regionprops(labels) if b.area >= min_area_px]
    kept = np.zeros(mask.shape, bool)
    if bodies:
        largest = max(bodies, key=lambda b: (b.area, *-np.array(min(map(tuple, b.coords)))))
        kept[tuple(largest.coords.T)] = True
    return kept


@given(st.integers(0, 2**32 - 1), st.floats(0, 2), st.integers(1, 12))
def test_noise_is_cleaned_as_by_an_independent_reference(seed, blur, area):
    noise = np.random.default_rng(seed).random((17, 21))
    smooth = ndimage.gaussian_filter(noise, blur)
    probability = (smooth - smooth.min()) / np.ptp(smooth)
    mask = largest_body(probability, min_area_px=area)
    np.testing.assert_array_equal(mask, _reference(probability, area))


def test_clean_mask_stays_as_it_is(rng):
    smooth = ndimage.gaussian_filter(rng.random((64, 64)), 3)
    once = largest_body((smooth - smooth.min()) / np.ptp(smooth))
    assert once.any()
    np.testing.assert_array_equal(body(once), once)


def test_flipping_the_map_flips_the_mask(rng):
    smooth = ndimage.gaussian_filter(rng.random((64, 64)), 3)
    probability = (smooth - smooth.min()) / np.ptp(smooth)
    np.testing.assert_array_equal(largest_body(probability[::-1]), largest_body(probability)[::-1])


@pytest.mark.parametrize(("side_px", "area_px"), [(480, 64), (960, 256), (1080, 324), (240, 16)])
def test_smallest_area_scales_with_the_square_of_the_side(side_px, area_px):
    assert scaled_min_area_px(side_px) == pytest.approx(area_px)
