"""Tests of gray and of the normalisation of intensities."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import assert_same

from spheroid_jax import images
from spheroid_jax.images import ImageError


def test_gray_of_three_channels_is_their_luminance():
    image = np.zeros((32, 32, 3), np.uint8)
    image[0, 0] = 100, 0, 0
    image[0, 1] = 0, 100, 0
    image[0, 2] = 0, 0, 100
    image[0, 3] = 10, 20, 30  # 2.99 + 11.74 + 3.42
    gray = images.to_gray(image)
    assert gray.dtype == np.float32
    assert gray.shape == (32, 32)
    np.testing.assert_allclose(gray[0, :4], [29.9, 58.7, 11.4, 18.15], 1e-6)


def test_gray_of_four_channels_drops_the_alpha(rng):
    image = rng.random((32, 33, 4))
    np.testing.assert_array_equal(images.to_gray(image), images.to_gray(image[..., :3]))


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_gray_of_any_other_number_of_channels_is_their_mean(channels):
    image = np.zeros((32, 32, channels), np.uint16)
    image[..., -1] = 60_000
    np.testing.assert_array_equal(
        images.to_gray(image), np.full((32, 32), 60_000 / channels, np.float32)
    )


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int16, np.uint16, np.float16, np.float64])
def test_gray_of_a_plane_keeps_its_units(rng, dtype):
    plane = (rng.random((32, 40)) * 2).astype(dtype)
    gray = images.to_gray(plane)
    assert_same(gray, plane.astype(np.float32))


def test_gray_leaves_its_argument_alone(rng):
    image = rng.random((32, 32, 3)).astype(np.float32)
    before = image.copy()
    images.normalise(images.to_gray(image))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_pixels_that_are_not_finite_in_float32_are_counted(bad):
    image = np.zeros((32, 32))
    image[3, 4] = image[5, 6] = bad
    with pytest.raises(ImageError, match="^2 pixels are NaN, infinite"):
        images.to_gray(image)


@pytest.mark.parametrize("shape", [(31, 40), (40, 31), (3, 64, 64), (0, 40)])
def test_side_under_32_px_is_refused(shape):
    with pytest.raises(ImageError, match=f"{shape[1]} x {shape[0]} px"):
        images.to_gray(np.zeros(shape))


def test_side_of_32_px_is_enough():
    assert images.to_gray(np.zeros((32, 32))).shape == (32, 32)


@pytest.mark.parametrize("shape", [(), (64,), (1, 64, 64, 3)])
def test_wrong_number_of_axes_is_refused(shape):
    with pytest.raises(ImageError, match=re.escape(f"not {shape}")):
        images.to_gray(np.zeros(shape))


@pytest.mark.parametrize("dtype", [np.complex64, "U1", object])
def test_pixels_that_are_not_numbers_are_refused(dtype):
    with pytest.raises(ImageError, match="are not numbers"):
        images.to_gray(np.zeros((32, 32), dtype))


def test_image_error_is_a_value_error():
    assert issubclass(ImageError, ValueError)


def test_normalised_by_hand():
    # 0, 1, ..., 200: the 1st and 99th percentiles are 2 and 198.
    gray = np.arange(201, dtype=np.float32).reshape(3, 67)
    normalised = images.normalise(gray)
    assert normalised.dtype == np.float32
    expected = ((np.arange(201) - 2) / 196).clip(0, 1).reshape(3, 67)
    np.testing.assert_allclose(normalised, expected, atol=1e-6)
    assert normalised.ravel()[[0, 2, 198, 200]].tolist() == [0, 0, 1, 1]
    assert normalised[1, 33] == pytest.approx(0.5)  # 100


def test_extremes_stand_in_where_the_percentiles_are_equal():
    gray = np.full((64, 64), 7, np.float32)
    gray[0, :4] = 3, 5, 9, 11
    normalised = images.normalise(gray)
    np.testing.assert_allclose(normalised[0, :5], [0, 0.25, 0.75, 1, 0.5])


@pytest.mark.parametrize("value", [0, -2.5, 255, 3e38])
def test_constant_image_is_refused(value):
    with pytest.raises(ImageError, match="same value") as caught:
        images.normalise(np.full((32, 32), value, np.float32))
    assert f"({value:g})" in str(caught.value)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(2**-20, 2**20), st.floats(-100, 100))
def test_gain_and_offset_of_the_camera_do_not_matter(seed, gain, offset):
    gray = np.random.default_rng(seed).random((32, 40), np.float32)
    changed = (gray.astype(np.float64) + offset) * gain
    np.testing.assert_allclose(
        images.normalise(changed.astype(np.float32)), images.normalise(gray), atol=1e-4
    )


def test_negated_image_gives_the_complement(rng):
    gray = rng.normal(size=(40, 32)).astype(np.float32)
    np.testing.assert_allclose(images.normalise(-gray), 1 - images.normalise(gray), atol=1e-6)


@pytest.mark.parametrize("bright", [16, 17, 500])  # 16 of 1600 are 1 percent
@pytest.mark.parametrize("low", [-3e38, -1e38, 0.0, 2e38])
def test_huge_floats_do_not_overflow(bright, low):
    gray = np.full((40, 40), low, np.float32)
    gray.ravel()[:bright] = 3e38
    normalised = images.normalise(gray)
    np.testing.assert_array_equal(normalised, gray == np.float32(3e38))


@pytest.mark.parametrize("outlier", [-3e38, 3e38])
def test_outlier_far_from_a_faint_image_is_clipped(rng, outlier):
    gray = rng.random((40, 40), np.float32) * np.float32(1e-9)
    expected = images.normalise(gray)
    gray[0, 0] = outlier
    normalised = images.normalise(gray)
    assert normalised[0, 0] == (outlier > 0)
    np.testing.assert_allclose(normalised[1:], expected[1:], atol=0.01, rtol=0)


@pytest.mark.parametrize("channels", [2, 3, 4, 6])
def test_huge_channels_do_not_overflow(channels):
    image = np.zeros((40, 40, channels), np.float32)
    image[:20] = np.finfo(np.float32).max
    normalised = images.normalise(images.to_gray(image))
    np.testing.assert_array_equal(normalised, np.mgrid[:40, :40][0] < 20)
