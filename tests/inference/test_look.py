"""Tests of closer looks: the whole frame on two grids, and small bodies in windows of their own."""

import math

import numpy as np
import pytest
from helpers import disk
from scipy import ndimage

from spheroid_jax import images
from spheroid_jax.images.markers import markers
from spheroid_jax.inference import instances, painting
from spheroid_jax.inference import look as closely

SIZE = 96
SIDE = 900


class Eyes:
    """A network that takes what is dark for bodies, one per connected part; counts its grids."""

    def __init__(self):
        self.grids = []

    def __call__(self, grids):
        self.grids += list(grids)
        bodies = [ndimage.label(grid < 0.5)[0] for grid in grids]
        maps = [np.stack([body > 0, markers(body)]) for body in bodies]
        return np.stack(maps).astype(np.float32)


def picture(*discs, side=SIDE):
    """Returns an image of black discs, given as (row, column, radius), and their labels."""
    labels = np.zeros((side, side), int)
    for number, (row, column, radius) in enumerate(discs, start=1):
        labels[disk(side, (row, column), radius)] = number
    image = np.where(labels > 0, 20, 220).astype(np.uint8)
    return images.measured(image), labels


def look(eyes, gray):
    """Returns the bodies of an image as its whole frame and windows show them."""
    grid, box = images.gray_to_grid(gray, SIZE)
    maps = instances.Maps(*map(box.crop, eyes(grid[np.newaxis])[0]))
    return closely.look(eyes, gray, maps, SIZE).bodies


def masks(found, shape):
    """Returns the masks of bodies at the size of the image."""
    return [cutout.mask() for cutout, _ in painting.cutouts(found, shape)]


def test_a_large_body_is_seen_on_two_grids_and_in_no_window():
    gray, labels = picture((450, 450, 200))
    eyes = Eyes()
    (seen,) = look(eyes, gray)
    assert len(eyes.grids) == 2
    (mask,) = masks([seen], gray.shape)
    assert np.mean(mask == (labels > 0)) > 0.99
    assert seen.diameter == pytest.approx(400, rel=0.03)


@pytest.mark.parametrize("radius", [12, 25, 60])
@pytest.mark.parametrize("place", [(450, 450), (120, 700), (20, 20)])
def test_a_small_body_is_measured_in_its_own_window(radius, place):
    gray, labels = picture((*place, radius))
    (seen,) = look(Eyes(), gray)
    (mask,) = masks([seen], gray.shape)
    area = np.count_nonzero(labels)
    assert np.count_nonzero(mask) == pytest.approx(area, rel=0.06)
    assert np.count_nonzero(mask & (labels > 0)) > 0.95 * area
    assert seen.view.step < SIDE / SIZE


def test_bodies_that_melt_in_the_whole_frame_come_apart_in_a_window():
    gray, labels = picture((450, 430, 16), (450, 464, 16))
    assert ndimage.label(images.gray_to_grid(gray, SIZE)[0] < 0.5)[1] == 1
    found = look(Eyes(), gray)
    assert len(found) == 2
    together = sum(masks(found, gray.shape), np.zeros(gray.shape, bool))
    assert np.mean(together[labels > 0]) > 0.93


def test_small_and_large_bodies_are_each_found_once():
    discs = [(300, 300, 180), (700, 150, 20), (720, 210, 24), (650, 700, 15), (120, 800, 40)]
    gray, labels = picture(*discs)
    found = look(Eyes(), gray)
    assert len(found) == len(discs)
    for mask in masks(found, gray.shape):
        numbers, counts = np.unique(labels[mask], return_counts=True)
        number = numbers[counts.argmax()]
        truth = labels == number
        assert number > 0
        assert np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth) > 0.9


def test_many_bodies_share_windows():
    places = [(60 + 95 * row, 60 + 95 * column, 17) for row in range(9) for column in range(9)]
    gray, labels = picture(*places)
    eyes = Eyes()
    found = look(eyes, gray)
    assert len(found) == 81
    assert len(eyes.grids) < 60
    whole = np.zeros(gray.shape, int)
    for mask in masks(found, gray.shape):
        assert not whole[mask].any()
        whole[mask] = 1
    assert np.mean((whole > 0) == (labels > 0)) > 0.99


def test_a_window_is_not_enlarged_without_end():
    gray, _ = picture((60, 60, 3), side=120)
    for seen in look(Eyes(), gray):
        assert seen.view.step >= 0.5


def test_an_oblong_image_and_a_body_at_its_end():
    labels = np.zeros((200, 800), bool)
    labels[:, 700:] = disk(200, (150, 30), 30)[:, :100]
    gray = images.measured(np.where(labels, 10, 200).astype(np.uint8))
    (seen,) = look(Eyes(), gray)
    (mask,) = masks([seen], gray.shape)
    assert np.count_nonzero(mask & labels) / np.count_nonzero(mask | labels) > 0.9
    assert seen.diameter == pytest.approx(2 * math.sqrt(labels.sum() / math.pi), rel=0.04)


def test_nothing_is_found_in_an_empty_frame():
    image = np.tile(np.linspace(100, 101, 300), (300, 1))
    image[0, 0] = 0
    assert look(lambda grids: np.stack([grids * 0] * 2, 1), images.measured(image)) == []


def test_the_probability_is_that_of_the_best_view_of_each_body():
    gray, labels = picture((300, 300, 180), (700, 150, 20))
    eyes = Eyes()
    grid, box = images.gray_to_grid(gray, SIZE)
    coarse = instances.Maps(*map(box.crop, eyes(grid[np.newaxis])[0]))
    findings = closely.look(eyes, gray, coarse, SIZE)
    painted = painting.Painted(findings.whole, findings.bodies)
    everything = painted.window()
    coarse = images.resample(findings.whole.maps.probability, gray.shape)
    far = disk(SIDE, (300, 300), 260)
    np.testing.assert_array_equal(everything[far], coarse[far])
    # The small body's contour is sharper than the grid of the whole frame can show.
    near = disk(SIDE, (700, 150), 40)
    truth = labels > 0
    wrong = [np.mean((each > 0.5)[near] != truth[near]) for each in (everything, coarse)]
    assert wrong[0] < wrong[1] / 2
    rows, columns = slice(660, 741), slice(100, 171)
    np.testing.assert_array_equal(painted.window(rows, columns), everything[rows, columns])


def test_bodies_in_the_image_never_overlap():
    gray, _ = picture((450, 430, 16), (450, 464, 16), (480, 447, 16))
    found = masks(look(Eyes(), gray), gray.shape)
    assert len(found) >= 2
    assert np.sum(found, axis=0).max() == 1


def test_a_crowd_that_is_one_body_in_the_whole_frame_is_taken_apart():
    places = [(150 + 64 * row, 150 + 64 * column, 30) for row in range(10) for column in range(10)]
    gray, labels = picture(*places)
    assert ndimage.label(images.gray_to_grid(gray, SIZE)[0] < 0.5)[1] < 60
    eyes = Eyes()
    found = masks(look(eyes, gray), gray.shape)
    assert len(found) == 100
    for mask in found:
        number = np.bincount(labels[mask]).argmax()
        truth = labels == number
        assert number and np.count_nonzero(mask & truth) > 0.85 * np.count_nonzero(mask | truth)
    assert len(eyes.grids) < 90
