"""Tests of instances: markers and foreground to one label per body."""

import numpy as np
from helpers import disk

from spheroid_jax.images.markers import markers
from spheroid_jax.inference.instances import Maps, label_instances

SIZE = 96


def maps_of(labels):
    """Returns the maps of a network that is right about everything."""
    return Maps((labels > 0).astype(np.float32), markers(labels).astype(np.float32))


def test_bodies_that_touch_come_apart_at_their_seam():
    left, right = disk(SIZE, (48, 30), 18), disk(SIZE, (48, 64), 18)
    truth = np.where(left, 2, np.where(right, 1, 0))
    found = label_instances(maps_of(truth))
    # Both have some thousand pixels; the one that lies over the other is the larger.
    assert found.max() == 2
    assert np.mean((found == 1) == (truth == 2)) > 0.99
    np.testing.assert_array_equal(found > 0, truth > 0)


def test_a_lobed_body_stays_one():
    truth = (disk(SIZE, (48, 30), 18) | disk(SIZE, (48, 62), 18)).astype(int)
    np.testing.assert_array_equal(label_instances(maps_of(truth)), truth)


def test_foreground_without_a_marker_is_a_body_and_numbers_follow_the_area():
    small, large = disk(SIZE, (20, 20), 6), disk(SIZE, (60, 60), 20)
    maps = maps_of(np.where(small, 1, np.where(large, 2, 0)))
    maps.marker[small] = 0
    found = label_instances(maps)
    np.testing.assert_array_equal(found, np.where(small, 2, np.where(large, 1, 0)))
    np.testing.assert_array_equal(label_instances(maps, least_px=200), large)


def test_a_hole_belongs_to_its_body_and_what_several_surround_does_not():
    ring = disk(SIZE, (48, 48), 30) & ~disk(SIZE, (48, 48), 10)
    found = label_instances(Maps(ring.astype(np.float32), np.zeros((SIZE, SIZE), np.float32)))
    np.testing.assert_array_equal(found, disk(SIZE, (48, 48), 30))
    wreath = np.zeros((SIZE, SIZE), int)
    for number, angle in enumerate(np.arange(6) * np.pi / 3, start=1):
        place = (48 + 24 * np.sin(angle), 48 + 24 * np.cos(angle))
        wreath[disk(SIZE, place, 12.5)] = number
    found = label_instances(maps_of(wreath))
    assert found.max() == 6 and found[48, 48] == 0


def test_nothing_is_found_in_nothing():
    nothing = np.zeros((SIZE, SIZE), np.float32)
    assert not label_instances(Maps(nothing, nothing)).any()
    # A marker counts only where there is foreground.
    assert not label_instances(Maps(nothing, nothing + 1)).any()


def test_markers_that_fall_apart_do_not_cut_a_long_body():
    truth = np.zeros((SIZE, SIZE), int)
    truth[40:56, 8:88] = 1
    maps = maps_of(truth)
    maps.marker[:, 40:56] = 0
    assert maps.marker[:, :40].any() and maps.marker[:, 56:].any()
    np.testing.assert_array_equal(label_instances(maps), truth)
