"""Tests of the synthetic images: exact masks and two flavours."""

import functools

import numpy as np
import pytest
from scipy import ndimage
from skimage import filters

from spheroid_jax.synthetic import drawing, spheroids

SMALL, COUNT = 96, 40


@functools.cache
def _draw(flavour, index, seed=0, size=SMALL):
    image, mask = spheroids.make_image(flavour, index, seed=seed, size=size)
    image.setflags(write=False)
    mask.setflags(write=False)
    return image, mask


def _f_score(mask, truth):
    return 2 * np.sum(mask & truth) / (mask.sum() + truth.sum())


def _otsu(image):
    """Returns the largest component that is darker than Otsu's threshold."""
    labels, _ = ndimage.label(image < filters.threshold_otsu(image))
    return labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])


@pytest.mark.parametrize("flavour", spheroids.FLAVOURS)
@pytest.mark.parametrize("size", [64, 97])
def test_image_and_mask_have_their_types_and_size(flavour, size):
    image, mask = spheroids.make_image(flavour, 3, size=size)
    assert image.shape == mask.shape == (size, size)
    assert image.dtype == np.uint8
    assert mask.dtype == np.bool_
    assert np.ptp(image) > 40
    assert np.mean(image == 255) < 0.02  # the sensor is not saturated


@pytest.mark.parametrize("flavour", spheroids.FLAVOURS)
def test_same_arguments_give_the_same_bytes(flavour):
    image, mask = _draw(flavour, 5, seed=2)
    spheroids.make_image(flavour, 6, seed=2, size=SMALL)
    np.random.seed(1)  # the global generator must not matter
    again, mask_again = spheroids.make_image(flavour, 5, seed=2, size=SMALL)
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(mask, mask_again)


def test_another_index_seed_or_flavour_is_another_scene():
    scenes = [
        _draw("easy", 1, 0),
        _draw("easy", 2, 0),
        _draw("easy", 1, 2),
        _draw("easy", 2, 1),
        _draw("hard", 1, 0),
    ]
    for here, (image, mask) in enumerate(scenes):
        for other_image, other_mask in scenes[:here]:
            assert np.mean(image != other_image) > 0.5
            assert np.any(mask != other_mask)


@pytest.mark.parametrize("flavour", spheroids.FLAVOURS)
def test_mask_is_one_body_without_holes(flavour):
    for index in range(COUNT):
        _, mask = _draw(flavour, index)
        assert ndimage.label(mask)[1] == 1, index
        filled = ndimage.binary_fill_holes(mask)
        np.testing.assert_array_equal(filled, mask, f"index {index}")


def test_loose_pixels_and_holes_are_cleaned_away():
    drawn = np.array(
        [[0, 1, 1, 1, 0, 0], [0, 1, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1], [0, 0, 0, 1, 0, 0]], bool
    )
    body = np.array(
        [[0, 1, 1, 1, 0, 0], [0, 1, 1, 1, 0, 0], [0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]], bool
    )
    np.testing.assert_array_equal(drawing.solid(drawn), body)


@pytest.mark.parametrize(("flavour", "low", "high"), [("easy", 0.05, 0.45), ("hard", 0.01, 0.15)])
def test_bodies_have_the_flavours_areas_and_lie_in_the_frame(flavour, low, high):
    areas = []
    for index in range(COUNT):
        _, mask = _draw(flavour, index)
        areas.append(mask.mean())
        border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert not border.any(), index
    assert low <= min(areas) < max(areas) <= high
    assert max(areas) > 3 * min(areas)


@pytest.mark.parametrize("flavour", spheroids.FLAVOURS)
def test_body_is_darker_than_what_lies_around_it(flavour):
    for index in range(COUNT):
        image, mask = _draw(flavour, index)
        inner = ndimage.binary_erosion(mask, iterations=2)
        near = ndimage.binary_dilation(mask, iterations=5)
        around = near & ~ndimage.binary_dilation(mask, iterations=2)
        inside, outside = image[inner].mean(), image[around].mean()
        assert inside < 0.92 * outside, (index, inside, outside)


@pytest.mark.parametrize("flavour", spheroids.FLAVOURS)
def test_contour_lies_on_the_steepest_line_of_the_edge(flavour):
    """Averaged over all contours, the light falls most steeply within a pixel of the contour."""
    steps = np.arange(-8, 8)  # pixels inwards
    profiles = []
    for index in range(10):
        image, mask = _draw(flavour, index, size=192)
        signed = ndimage.distance_transform_edt(mask) - 0.5
        signed[~mask] = 0.5 - ndimage.distance_transform_edt(~mask)[~mask]
        ring = np.floor(signed).astype(int)
        profile = ndimage.mean(image.astype(float), ring, steps)
        profiles.append(profile / profile[0])
    fall = -np.diff(np.mean(profiles, axis=0))
    steepest = steps[np.argmax(fall)] + 1  # between two rings
    assert abs(steepest) <= 1, fall
    assert fall.max() > 0.1, fall


def test_otsu_nearly_solves_easy_and_fails_on_hard():
    scores = {
        flavour: np.mean(
            [
                _f_score(_otsu(image), mask)
                for image, mask in (_draw(flavour, i) for i in range(COUNT))
            ]
        )
        for flavour in spheroids.FLAVOURS
    }
    assert 0.85 < scores["easy"] < 0.99, scores
    assert scores["hard"] < 0.4, scores


@pytest.mark.parametrize("flavour", spheroids.FLAVOURS)
def test_size_changes_the_resolution_and_not_the_scene(flavour):
    for index in range(10):
        image, mask = _draw(flavour, index)
        large_image, large_mask = _draw(flavour, index, size=2 * SMALL)
        blocks = (SMALL, 2, SMALL, 2)
        halved = large_mask.reshape(blocks).mean(axis=(1, 3)) >= 0.5
        union = np.sum(mask | halved)
        assert np.sum(mask & halved) / union > 0.9, index
        halved_image = large_image.reshape(blocks).mean(axis=(1, 3))
        matched = np.corrcoef(image.ravel(), halved_image.ravel())[0, 1]
        assert matched > 0.95, (index, matched)


def test_unknown_flavour_and_small_size_are_value_errors():
    with pytest.raises(ValueError, match="'medium'.*'easy', 'hard'"):
        spheroids.make_image("medium", 0)
    with pytest.raises(ValueError, match="63.*at least 64"):
        spheroids.make_image("easy", 0, size=63)
