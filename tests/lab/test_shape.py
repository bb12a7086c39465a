"""Tests of shape measurements on analytic shapes, at any turn, place and border."""

import math

import numpy as np
import pytest
from scipy.special import ellipe

from spheroid_jax.lab import shape


def ellipse(long, short, turn=0.0, offset=(0.0, 0.0)):
    """A mask of an ellipse with these half axes in pixels; the turn is in radians."""
    side = int(2 * long + 12)
    rows, columns = np.mgrid[:side, :side]
    y, x = rows - side / 2 - offset[0], columns - side / 2 - offset[1]
    along = x * math.cos(turn) + y * math.sin(turn)
    across = y * math.cos(turn) - x * math.sin(turn)
    return (along / long) ** 2 + (across / short) ** 2 <= 1


@pytest.mark.parametrize("radius", [8, 10, 13, 20, 30, 100, 300])
def test_a_disc_has_the_measurements_of_a_disc(radius, rng):
    found = shape.measure_shape(ellipse(radius, radius, offset=rng.random(2)))
    assert found.area == pytest.approx(math.pi * radius**2, rel=3 / radius)
    assert found.equivalent_diameter == pytest.approx(2 * radius, rel=0.02)
    assert found.perimeter == pytest.approx(2 * math.pi * radius, rel=0.03)
    assert found.circularity == pytest.approx(1, abs=0.06 if radius < 13 else 0.03)
    assert found.roundness == pytest.approx(1, abs=0.06)
    assert found.aspect_ratio == pytest.approx(1, abs=0.06)
    # Over the corners of the pixels, so up to a pixel's diagonal too long.
    assert 0 <= found.feret_max - 2 * radius < 1.5
    assert abs(found.feret_min - 2 * radius) < 1
    assert found.radial_roughness < 0.4 / radius
    assert found.solidity > 1 - 1 / radius
    assert found.invasion_index < 0.1


@pytest.mark.parametrize("turn", [0.0, 0.3, math.pi / 4, 1.2, math.pi / 2])
@pytest.mark.parametrize("ratio", [1.5, 2, 3])
def test_an_ellipse_has_its_axes_at_any_turn(ratio, turn):
    long, short = 60.0, 60.0 / ratio
    found = shape.measure_shape(ellipse(long, short, turn))
    perimeter = 4 * long * ellipe(1 - (short / long) ** 2)
    assert found.major_axis == pytest.approx(2 * long, rel=0.01)
    assert found.minor_axis == pytest.approx(2 * short, rel=0.02)
    assert found.aspect_ratio == pytest.approx(ratio, rel=0.02)
    assert found.eccentricity == pytest.approx(math.sqrt(1 - 1 / ratio**2), abs=0.01)
    assert found.perimeter == pytest.approx(perimeter, rel=0.02)
    assert found.feret_max == pytest.approx(2 * long, abs=1.5)
    # The side of the rectangle of minimum area is up to 30 % larger for turned ellipses.
    assert found.feret_min == pytest.approx(2 * short, abs=1.5)
    assert found.feret_90 == pytest.approx(2 * short, rel=0.06)


@pytest.mark.parametrize("diameter", [shape.LEAST_DIAMETER_PX, 30.0, 40.0])
@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_from_the_least_diameter_on_the_perimeter_is_within_3_percent(diameter, ratio, rng):
    long = diameter / 2 * math.sqrt(ratio)
    true = 4 * long * ellipe(1 - 1 / ratio**2)
    for _ in range(30):
        mask = ellipse(long, long / ratio, rng.uniform(0, math.pi), rng.random(2))
        assert shape.measure_shape(mask).perimeter == pytest.approx(true, rel=0.03)


def test_a_square_by_hand():
    mask = np.zeros((60, 70), bool)
    mask[10:50, 20:60] = True
    found = shape.measure_shape(mask)
    assert found.area == 1600
    assert (found.centroid_x, found.centroid_y) == (39.5, 29.5)
    assert found.solidity == 1
    assert found.feret_max == pytest.approx(40 * math.sqrt(2))
    assert found.feret_min == pytest.approx(40)
    assert found.feret_90 == pytest.approx(40 * math.sqrt(2))
    # Crofton's formula in four directions is 5.5 % short on the sides of a square.
    assert found.perimeter == pytest.approx(160, rel=0.06)
    assert found.border_contact == 0


def test_the_frame_cuts_but_does_not_distort():
    whole = ellipse(40, 40)
    half = whole[:, 46:]
    found = shape.measure_shape(half)
    assert found.border_contact == whole[:, 46].sum()
    assert found.perimeter == pytest.approx(math.pi * 40 + 80, rel=0.04)
    inside = shape.measure_shape(np.pad(half, 5))
    assert inside.perimeter == found.perimeter
    assert inside.border_contact == 0
    assert inside.centroid_x == found.centroid_x + 5


def test_arms_are_rough_and_invade():
    body = ellipse(40, 40)
    arms = body.copy()
    arms[44:48, :] = True
    arms[:, 44:48] = True
    smooth, rough = shape.measure_shape(body), shape.measure_shape(arms)
    assert smooth.invasion_index < 0.05
    outside = np.count_nonzero(arms & ~body)
    assert rough.invasion_index == pytest.approx(outside / body.sum(), abs=0.05)
    assert rough.radial_roughness > 4 * smooth.radial_roughness
    assert rough.convexity < 0.95 < smooth.convexity


@pytest.mark.parametrize("mask", [np.ones((1, 1), bool), np.ones((1, 7), bool), np.eye(9) > 0])
def test_the_smallest_bodies_have_a_shape(mask):
    found = shape.measure_shape(mask)
    assert found.area == mask.sum()
    assert found.feret_max >= found.feret_min > 0


def test_an_empty_mask_is_refused():
    with pytest.raises(ValueError, match="empty"):
        shape.measure_shape(np.zeros((5, 5), bool))
