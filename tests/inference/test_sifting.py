"""Tests of what is no body: soft spots, and what the network is not sure of."""

import numpy as np
import pytest
from helpers import disk

from spheroid_jax.inference import sifting, views
from spheroid_jax.inference.instances import Maps

SIZE = 96
rows, columns = np.mgrid[:SIZE, :SIZE]
away = np.hypot(rows - 40, columns - 50)


def gaussian(sigma):
    return (0.8 - 0.6 * np.exp(-(away**2) / (2 * sigma**2))).astype(np.float32)


def edged(radius, width):
    """A disc with an edge of a width, in pixels, from the ground to its full contrast."""
    return (0.8 - 0.6 * np.clip((radius - away) / width + 0.5, 0, 1)).astype(np.float32)


def seen(image, mask, *, confidence=0.9, diameter=30.0):
    side = slice(0, 1000)
    marker = np.where(mask, confidence, 0).astype(np.float32)
    maps = Maps(mask.astype(np.float32), marker)
    view = views.View((side, side), image, maps, mask.astype(np.int32))
    return views.Seen(view, 1, ((0.0, 1.0), (0.0, 1.0)), diameter, 1)


@pytest.mark.parametrize(("radius", "width"), [(12, 4), (12, 8), (20, 5)])
def test_the_sharpness_of_an_even_edge_is_diameter_over_width(radius, width):
    mask = away < radius
    found = sifting.sharpness(edged(radius, width), mask, mask)
    assert found == pytest.approx(2 * radius / width, rel=0.25)


@pytest.mark.parametrize("sigma", [4, 7, 10])
def test_a_gaussian_spot_is_softer_than_any_body_in_focus(sigma):
    # Its steepest contour is one sigma from the middle, the network's about 1.8.
    for reach in (1.2, 1.8):
        mask = away < reach * sigma
        assert sifting.sharpness(gaussian(sigma), mask, mask) < sifting.LEAST_SHARPNESS
    mask = away < 8
    assert sifting.sharpness(edged(8, 3), mask, mask) > sifting.LEAST_SHARPNESS


def test_contrast_and_polarity_make_no_difference():
    mask = away < 10
    image = edged(10, 4)
    expected = sifting.sharpness(image, mask, mask)
    for changed in (1 - image, 0.3 + 0.2 * image):
        assert sifting.sharpness(changed, mask, mask) == pytest.approx(expected, rel=1e-4)


def test_another_body_beside_it_is_no_ground():
    mask, other = away < 10, disk(SIZE, (40, 66), 5)
    image = edged(10, 4)
    alone = sifting.sharpness(image, mask, mask)
    image[other] = 0.0
    assert sifting.sharpness(image, mask, mask | other) == pytest.approx(alone, rel=0.05)


def test_a_soft_spot_is_no_body_unless_it_is_large():
    mask = away < 1.8 * 7
    assert not sifting.is_body(seen(gaussian(7), mask), 1000)
    assert sifting.is_body(seen(gaussian(7), mask, diameter=60.0), 1000)
    assert sifting.is_body(seen(edged(12.6, 4), mask), 1000)


def test_what_the_network_is_not_sure_of_is_no_body():
    mask = away < 12
    assert not sifting.is_body(seen(edged(12, 3), mask, confidence=0.5), 1000)


def test_a_frame_in_which_no_body_is_sure_has_none():
    mask = away < 12
    unsure, sure = (seen(edged(12, 3), mask, confidence=c) for c in (0.7, 0.9))
    assert sifting.sifted([unsure, unsure], 1000) == []
    assert len(sifting.sifted([unsure, sure], 1000)) == 2


def test_a_body_that_fills_the_view_has_a_sharpness():
    image = edged(12, 3)
    everything = np.ones_like(image, dtype=bool)
    assert np.isfinite(sifting.sharpness(image, everything, everything))
