"""Tests of the bodies' markers: one connected inner part per body, and how they reach the grid."""

import numpy as np
import pytest
from helpers import disk
from scipy import ndimage

from spheroid_jax import images
from spheroid_jax.images.markers import markers

SIZE = 128


def parts(mask):
    return ndimage.label(mask, np.ones((3, 3)))[1]


@pytest.mark.parametrize("radius", [5, 12, 40])
def test_the_marker_of_a_disc_is_a_disc_of_half_its_radius(radius):
    marked = markers(disk(SIZE, (64, 64), radius).astype(int))
    # The distance to the background counts from the centre of the nearest background pixel.
    inner = disk(SIZE, (64, 64), (radius - 1) / 2)
    outer = disk(SIZE, (64, 64), (radius + 1) / 2 + 0.5)
    assert not (inner & ~marked).any() and not (marked & ~outer).any()


def test_bodies_that_touch_have_markers_with_a_gap_between_them():
    left, right = disk(SIZE, (64, 44), 20), disk(SIZE, (64, 82), 20)
    labels = np.where(left, 1, np.where(right, 2, 0))
    marked = markers(labels)
    assert parts(labels > 0) == 1 and parts(marked) == 2
    gap = ndimage.distance_transform_edt(~(marked & (labels == 1)))[marked & (labels == 2)].min()
    assert gap > 12


def test_a_body_with_a_waist_has_one_marker_that_runs_through_the_waist():
    labels = (disk(SIZE, (64, 44), 20) | disk(SIZE, (64, 80), 20)).astype(int)
    marked = markers(labels)
    assert parts(marked) == 1
    assert marked[64, 44] and marked[64, 62] and marked[64, 80]


def test_a_body_that_the_frame_cuts_goes_on_beyond_the_frame():
    whole = markers(disk(SIZE, (64, 64), 30).astype(int))
    cut = markers(disk(SIZE, (64, 64), 30)[:, :64].astype(int))
    assert cut[64, 63]
    assert np.mean(whole[:, :64] == cut) > 0.99


def test_the_smallest_bodies_have_a_marker_too_and_the_background_has_none():
    labels = np.zeros((16, 16), int)
    labels[2, 2] = 1
    labels[8:10, 8:10] = 2
    marked = markers(labels)
    assert marked[2, 2] and marked[8:10, 8:10].any() and not marked[labels == 0].any()
    assert not markers(np.zeros((16, 16), int)).any()


def test_labels_on_the_grid_are_the_mask_with_markers_in_it():
    labels = np.zeros((90, 120), int)
    labels[20:60, 30:80] = 7
    labels[20:60, 80:110] = 300
    grid = images.labels_to_grid(labels, 60)
    plain = images.mask_to_grid(labels > 0, 60)
    np.testing.assert_array_equal(images.is_body(grid), images.is_body(plain))
    np.testing.assert_array_equal(grid == images.OUTSIDE, plain == images.OUTSIDE)
    assert parts(grid == images.MARKER) == 2


def test_cores_are_added_to_the_labels_on_the_grid():
    labels, core = np.zeros((90, 120), int), np.zeros((90, 120), bool)
    labels[20:60, 30:80] = 7
    core[40:80, 40:60] = True  # The part outside the body does not count.
    grid = images.labels_to_grid(labels, 60, core)
    without = images.labels_to_grid(labels, 60)
    for told in (images.is_body, images.is_marker, lambda grid: grid == images.OUTSIDE):
        np.testing.assert_array_equal(told(grid), told(without))
    assert not images.is_core(without).any()
    assert images.is_core(grid).sum() == 20 * 20 / 4
    assert (images.is_core(grid) & images.is_marker(grid)).any()


def test_nearest_takes_the_pixel_under_each_centre():
    array = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(images.nearest(array, (6, 8)), array.repeat(2, 0).repeat(2, 1))
    np.testing.assert_array_equal(images.nearest(array, (1, 2)), [[5, 7]])
