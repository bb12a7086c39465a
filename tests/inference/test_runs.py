"""Tests of run-length codes against images of labels and distance transforms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import measure

from spheroid_jax.inference import objects, runs


@st.composite
def masks(draw):
    """Random masks, from empty to full."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0, 0.1, 0.4, 0.6, 0.9, 1]))
    return rng.random(rng.integers(1, 30, 2)) < share


def labelled(found, numbers):
    """Paints the number of each run, from 1."""
    labels = np.zeros(found.shape, int)
    for row, start, stop, number in zip(found.row, found.start, found.stop, numbers, strict=True):
        labels[row, start:stop] = number + 1
    return labels


def test_runs_by_hand():
    found = runs.encode(np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool))
    assert found.row.tolist() == [0, 0, 2]
    assert found.start.tolist() == [0, 3, 0]
    assert found.stop.tolist() == [2, 4, 4]
    other = runs.encode(np.array([[0, 1, 1, 1], [1, 1, 1, 1], [0, 1, 0, 1]], bool))
    assert runs.shared(found, other).tolist() == [1, 1, 2]


@settings(deadline=None, max_examples=200)
@given(masks())
def test_a_mask_comes_back_and_so_does_its_background(mask):
    found = runs.encode(mask)
    np.testing.assert_array_equal(runs.paint(found), mask)
    np.testing.assert_array_equal(runs.paint(runs.complement(found)), ~mask)
    levels = np.where(mask, 121, 120).astype(np.uint8)
    np.testing.assert_array_equal(runs.paint(runs.encode(levels, 120)), mask)


@settings(deadline=None, max_examples=200)
@given(masks(), st.booleans())
def test_components_and_areas_are_those_of_an_image_of_labels(mask, diagonal):
    found = runs.encode(mask)
    numbers = runs.components(found, diagonal=diagonal)
    expected = measure.label(mask, connectivity=2 if diagonal else 1)
    np.testing.assert_array_equal(labelled(found, numbers), expected)
    np.testing.assert_array_equal(
        runs.areas(found, numbers), np.bincount(expected.ravel(), minlength=1)[1:]
    )


@settings(deadline=None, max_examples=200)
@given(masks())
def test_holes_are_filled_as_by_dilation_from_the_border(mask):
    filled = runs.paint(runs.filled(runs.encode(mask)))
    np.testing.assert_array_equal(filled, ndimage.binary_fill_holes(mask))


@settings(deadline=None, max_examples=200)
@given(masks(), st.sampled_from([0, 0.9, 1, 2**0.5, 1.5, 2, 5**0.5, 3, 7.3, 13**0.5, 50]))
def test_pixels_near_a_mask_are_those_of_the_distance_transform(mask, radius):
    if mask.any():
        expected = ndimage.distance_transform_edt(~mask) <= radius
        np.testing.assert_array_equal(runs.within(mask, radius), expected)
    else:
        assert not runs.within(mask, radius).any()


@pytest.mark.parametrize("radius", [1.0, 6.5, 40.0])
def test_rows_of_a_dilation_are_those_of_the_whole(rng, radius):
    mask = rng.random((60, 50)) < 0.02
    whole = ndimage.distance_transform_edt(~mask) <= radius
    for rows in (slice(0, 7), slice(20, 45), slice(59, 60)):
        found = runs.near(runs.encode(mask), radius, rows)
        np.testing.assert_array_equal(found, whole[rows])


@pytest.mark.parametrize("window", [(0, 20, 0, 30), (4, 9, 10, 22), (15, 20, 0, 3), (2, 8, 7, 30)])
def test_a_cutout_has_its_mask_in_every_window(window):
    mask = np.zeros((20, 30), bool)
    mask[3:9, 8:21] = mask[5, 21] = True
    mask[4, 9] = False
    body = objects.cut(mask)
    top, bottom, left, right = window
    found = body.window(slice(top, bottom), slice(left, right))
    np.testing.assert_array_equal(found, mask[top:bottom, left:right])
    np.testing.assert_array_equal(body.mask(), mask)
    assert body.slices == (slice(3, 9), slice(8, 22))
    assert body.around((4, 10)) == (slice(0, 13), slice(0, 30))
