"""Tests of the whole frame on two grids: which of them decides."""

import numpy as np
import pytest
from helpers import disk

from spheroid_jax import images
from spheroid_jax.inference import frame
from spheroid_jax.inference.instances import Maps

SIZE = 64
GRAY = images.measured(np.arange(256 * 256, dtype=np.uint16).reshape(256, 256))
# A dark disc, and a ring in its place.
AWAY = np.hypot(*(np.mgrid[:256, :256] - 127.5))
DISC = images.measured(np.where(AWAY < 77, 60, 200).astype(np.uint8))
RING = images.measured(np.where(np.abs(AWAY - 70) < 7, 60, 200).astype(np.uint8))


def maps(probability, marker):
    return Maps(probability.astype(np.float32), marker.astype(np.float32))


def see(coarse, fine, gray=GRAY):
    """Returns the view of a frame of which the network says `coarse`, and then `fine`."""
    return frame.see(lambda grids: np.stack(fine.given())[np.newaxis], gray, coarse, SIZE)


def discs(side, *places):
    """Returns the foreground and the markers of discs, given in shares of the side."""
    given = [tuple(side * np.array(place)) for place in places]
    bodies = [disk(side, (row, column), radius) for row, column, radius in given]
    inner = [disk(side, (row, column), radius / 2) for row, column, radius in given]
    return np.any(bodies, axis=0), np.any(inner, axis=0)


def test_the_maps_of_a_large_body_are_the_mean_of_both_grids_where_they_agree():
    coarse = maps(*(0.8 * each for each in discs(SIZE, (0.5, 0.5, 0.3))))
    fine = maps(*(0.98 * each for each in discs(2 * SIZE, (0.5, 0.5, 0.3))))
    found = see(coarse, fine).maps
    assert found.probability.shape == (2 * SIZE, 2 * SIZE)
    assert found.probability[SIZE, SIZE] == pytest.approx(0.89)
    assert found.marker[SIZE, SIZE] == pytest.approx(0.89)


def test_a_large_body_that_the_fine_grid_loses_is_that_of_the_coarse_grid():
    coarse = maps(*(0.9 * each for each in discs(SIZE, (0.5, 0.5, 0.3))))
    whole, marker = discs(2 * SIZE, (0.5, 0.5, 0.3))
    inner, _ = discs(2 * SIZE, (0.5, 0.5, 0.25))
    broken = whole & ~inner
    broken[SIZE:] = False
    for lost in (broken, whole & False, 0.5 * whole):
        view = see(coarse, maps(lost, marker & (lost > 0)), DISC)
        assert view.maps.probability[SIZE, SIZE] == pytest.approx(0.9)
        assert view.labels.max() == 1


def test_a_ring_that_the_fine_grid_loses_is_in_doubt_as_it_may_be_a_bubble():
    coarse = maps(*(0.9 * each for each in discs(SIZE, (0.5, 0.5, 0.3))))
    nothing = np.zeros((2 * SIZE, 2 * SIZE))
    view = see(coarse, maps(nothing, nothing), RING)
    assert view.maps.probability[SIZE, SIZE] == pytest.approx(0.45)


def test_a_hole_that_the_fine_grid_sees_in_a_large_body_is_no_doubt():
    coarse = maps(*(0.9 * each for each in discs(SIZE, (0.5, 0.5, 0.3))))
    whole, marker = discs(2 * SIZE, (0.5, 0.5, 0.3))
    hole, _ = discs(2 * SIZE, (0.5, 0.5, 0.05))
    view = see(coarse, maps(whole & ~hole, marker & ~hole), DISC)
    assert view.maps.probability[SIZE, SIZE] == pytest.approx(0.9)


def test_a_large_body_that_the_fine_grid_cuts_in_two_stays_one():
    foreground, marker = discs(SIZE, (0.5, 0.5, 0.3))
    fine_foreground, _ = discs(2 * SIZE, (0.5, 0.5, 0.3))
    _, cut = discs(2 * SIZE, (0.5, 0.35, 0.2), (0.5, 0.65, 0.2))
    view = see(maps(foreground, marker), maps(fine_foreground, 0.8 * (cut & fine_foreground)))
    assert view.labels.max() == 1


def test_a_crowd_that_is_one_body_on_the_coarse_grid_is_what_the_fine_grid_shows():
    places = [(0.2 + 0.11 * i, 0.2 + 0.11 * j, 0.05) for i in range(6) for j in range(6)]
    foreground, marker = discs(2 * SIZE, *places)
    melted = np.zeros((SIZE, SIZE))
    melted[9:52, 9:52] = 0.9
    fine = maps(0.6 * foreground, 0.6 * marker)
    view = see(maps(melted, melted), fine)
    assert view.labels.max() == 36
    inside = (slice(24, 96),) * 2
    np.testing.assert_array_equal(view.maps.probability[inside], fine.probability[inside])


def test_debris_beside_a_large_body_does_not_make_it_a_crowd():
    coarse = maps(*discs(SIZE, (0.5, 0.5, 0.3)))
    fine = maps(*(0.96 * each for each in discs(2 * SIZE, (0.5, 0.5, 0.3), (0.5, 0.84, 0.03))))
    assert see(coarse, fine).maps.probability[SIZE, SIZE] == pytest.approx(0.98)


def test_the_texture_of_a_large_body_does_not_make_it_a_crowd():
    coarse = maps(*discs(SIZE, (0.5, 0.5, 0.4)))
    specks = [(0.3 + 0.1 * i, 0.3 + 0.1 * j, 0.02) for i in range(5) for j in range(5)]
    view = see(coarse, maps(*(0.8 * each for each in discs(2 * SIZE, *specks))), DISC)
    assert view.labels.max() == 1
    assert np.count_nonzero(view.labels) > 0.9 * np.pi * (0.4 * 2 * SIZE) ** 2


def test_an_image_no_larger_than_the_grid_is_not_looked_at_again():
    gray = images.measured(np.arange(60 * 50, dtype=np.uint16).reshape(60, 50))
    foreground, marker = discs(60, (0.5, 0.5, 0.2))
    coarse = maps(foreground[:, :50], marker[:, :50])

    def network(grids):
        raise AssertionError("looked again")

    assert frame.see(network, gray, coarse, SIZE).maps is coarse


def test_nothing_is_nothing():
    nothing = [maps(*[np.zeros((side, side))] * 2) for side in (SIZE, 2 * SIZE)]
    assert not see(*nothing).labels.any()
