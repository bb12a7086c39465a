"""Tests of drawn images without a body."""

import numpy as np
import pytest

from spheroid_jax.synthetic import failures


@pytest.mark.parametrize("kind", failures.EMPTY)
def test_an_image_is_a_function_of_its_arguments(kind):
    image = failures.make_empty(kind, 3, seed=1, shape=(60, 80))
    assert image.shape == (60, 80)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, failures.make_empty(kind, 3, seed=1, shape=(60, 80)))
    assert (image != failures.make_empty(kind, 4, seed=1, shape=(60, 80))).any()
    assert (image != failures.make_empty(kind, 3, seed=2, shape=(60, 80))).any()


def test_kinds_differ():
    images = [failures.make_empty(kind, 0) for kind in failures.EMPTY]
    assert len({image.tobytes() for image in images}) == len(failures.EMPTY)


def test_black_is_dark_and_saturated_is_bright():
    assert failures.make_empty("black", 0).mean() < 15
    assert failures.make_empty("saturated", 0).mean() > 250
