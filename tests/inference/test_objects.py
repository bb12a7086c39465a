"""Tests of the labels of several bodies."""

import numpy as np
from helpers import disk

from spheroid_jax.inference import objects, postprocess


def test_bodies_are_numbered_by_area_and_specks_are_none():
    large, small = disk(120, (40, 40), 25), disk(120, (95, 95), 14)
    speck = disk(120, (95, 20), 3)
    labels = objects.label_bodies((large | small | speck).astype(np.float32))
    np.testing.assert_array_equal(labels == 1, large)
    np.testing.assert_array_equal(labels == 2, small)
    assert labels.max() == 2


def test_body_1_is_the_largest_body(rng):
    from scipy import ndimage

    for _ in range(20):
        noise = ndimage.gaussian_filter(rng.random((64, 80)), 4)
        probability = ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)
        least = postprocess.scaled_min_area_px(80)
        largest = postprocess.largest_body(probability, min_area_px=least)
        np.testing.assert_array_equal(objects.label_bodies(probability) == 1, largest)


def test_holes_are_filled():
    ring = disk(64, (32, 32), 20) & ~disk(64, (32, 32), 8)
    labels = objects.label_bodies(ring.astype(np.float32))
    np.testing.assert_array_equal(labels == 1, disk(64, (32, 32), 20))


def test_nothing_gives_no_bodies():
    assert objects.label_bodies(np.zeros((40, 40), np.float32)).max() == 0


def test_components_are_bodies_however_small_beside_the_largest():
    large, small = disk(480, (150, 200), 120), disk(480, (420, 420), 6)
    speck = disk(480, (400, 60), 4)  # 49 px; the smallest of 480 px has 64.
    hole = disk(480, (150, 200), 20)
    labels = objects.label_components((large & ~hole) | small | speck)
    np.testing.assert_array_equal(labels, large + 2 * small)
