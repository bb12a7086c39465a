"""Tests of percentiles that are found by counting."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spheroid_jax import images
from spheroid_jax.images.percentiles import percentiles

AT = (0, 1, 12.5, 50, 99, 100)
DTYPES = (np.uint8, np.int8, np.uint16, np.int16, np.float32)


def drawn(seed, dtype, count):
    """Returns values of a random spread: all of the type's, a few, or equal ones."""
    rng = np.random.default_rng(seed)
    if dtype == np.float32:
        values = rng.normal(size=count) * 10.0 ** rng.uniform(-30, 30, rng.choice([1, count]))
        return values.astype(np.float32)
    info = np.iinfo(dtype)
    low, high = np.sort(rng.integers(info.min, info.max, 2, endpoint=True))
    return rng.integers(low, high, count, dtype, endpoint=True)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1), st.sampled_from(DTYPES), st.integers(1, 2000))
def test_percentiles_are_exactly_those_of_numpy(seed, dtype, count):
    values = drawn(seed, dtype, count)
    blocks = np.array_split(values, 3) if count >= 3 else [values]
    expected = np.percentile(values.astype(np.float64), AT)
    np.testing.assert_array_equal(percentiles(lambda: iter(blocks), count, AT), expected)


def test_zeros_of_both_signs_and_the_largest_floats_are_in_order():
    largest = np.finfo(np.float32).max
    values = np.array([largest, -0.0, 0.0, -largest, 1e-45, -1e-45], np.float32)
    found = percentiles(lambda: [values], 6, (0, 20, 40, 60, 80, 100))
    np.testing.assert_array_equal(found, np.sort(values.astype(np.float64)))


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(700, 900), (40, 33), (2100, 150)]),
    st.sampled_from([480, 64]),
    st.sampled_from([(np.uint16, ()), (np.uint8, (3,)), (np.float32, ()), (np.float64, (2,))]),
)
def test_an_image_in_stripes_is_the_whole_image_to_the_last_bit(seed, shape, size, kind):
    dtype, channels = kind
    rng = np.random.default_rng(seed)
    image = (rng.random((*shape, *channels)) * 200).astype(dtype)
    whole = images.normalise(images.to_gray(image))
    gray = images.measured(image)
    np.testing.assert_array_equal(gray.normalised(), whole)
    np.testing.assert_array_equal(gray.window(slice(5, 9)), images.to_gray(image)[5:9])
    np.testing.assert_array_equal(
        images.gray_to_grid(gray, size)[0], images.to_grid(whole, size)[0]
    )
    content = rng.random((64, 48), np.float32)
    full = images.resample(content, shape)
    window = (slice(3, 30), slice(7, 31))
    np.testing.assert_array_equal(images.Enlarged(content, shape).window(*window), full[window])


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_preparing_a_large_image_takes_a_small_part_of_its_memory(rng, dtype):
    image = rng.integers(0, 60_000, (3000, 3000), np.uint16).astype(dtype)
    tracemalloc.start()
    try:
        images.preprocess(image, 480)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The rows at the grid's width are 6 MB, one stripe in the making a few more; the image is 18.
    assert peak < 16e6
