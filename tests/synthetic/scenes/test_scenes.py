"""Tests of drawn scenes: determinism, exact instances, shares, visible bodies, speed."""

import functools
import time

import numpy as np
import pytest
from scipy import ndimage
from skimage import measure

from spheroid_jax.synthetic import scenes

SIZE, COUNT = 128, 12
WITH_BODIES = [name for name in scenes.KINDS if name != "empty"]


@functools.cache
def _draw(seed, kind=None, size=SIZE):
    return scenes.draw_scene(seed, size, kind)


@pytest.mark.parametrize("kind", scenes.KINDS)
@pytest.mark.parametrize("size", [64, 129])
def test_types_ranges_and_sizes(kind, size):
    image, labels, core, name = scenes.draw_scene(1, size, kind)
    assert image.shape == labels.shape == (size, size)
    assert (image.dtype, labels.dtype, name) == (np.uint8, np.int32, kind)
    if core is not None:
        assert core.shape == image.shape and core.dtype == bool
        assert labels[core].all()


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_a_scene_is_a_function_of_seed_size_and_kind(kind):
    first, again = _draw(5, kind), scenes.draw_scene(5, SIZE, kind)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert (_draw(6, kind).image != first.image).any()


def test_naming_the_drawn_kind_changes_nothing():
    drawn = _draw(11)
    np.testing.assert_array_equal(drawn.image, _draw(11, drawn.kind).image)


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_bodies_are_numbered_without_gaps_and_none_is_a_sliver(kind):
    for seed in range(COUNT):
        areas = np.bincount(_draw(seed, kind).labels.ravel())[1:]
        assert (areas >= 16).all()


def test_empty_frames_have_no_body_and_all_others_have_one():
    for seed in range(3 * COUNT):
        assert not _draw(seed, "empty").labels.any()
    for kind in WITH_BODIES:
        lacking = [seed for seed in range(COUNT) if not _draw(seed, kind).labels.any()]
        assert len(lacking) <= 1, (kind, lacking)


@pytest.mark.parametrize("kind", ["lit well", "U well", "microwell", "lobed", "discs"])
def test_a_body_that_no_other_hides_is_in_one_piece(kind):
    for seed in range(COUNT):
        labels = _draw(seed, kind).labels
        parts = measure.label(labels, background=0, connectivity=1)
        assert parts.max() == labels.max()


@pytest.mark.parametrize("kind", WITH_BODIES)
def test_contours_lie_where_the_image_changes(kind):
    ratios = []
    for seed in range(2 * COUNT):
        image, labels = _draw(seed, kind)[:2]
        steep = ndimage.gaussian_gradient_magnitude(image.astype(float), 1)
        mask = labels > 0
        near = ndimage.binary_dilation(mask) ^ ndimage.binary_erosion(mask, border_value=1)
        away = ~ndimage.binary_dilation(near, iterations=3)
        if near.any() and away.any():
            ratios.append(steep[near].mean() / max(steep[away].mean(), 0.1))
    assert np.median(ratios) > 2
    assert np.mean(np.array(ratios) > 1) > 0.8


def test_bodies_change_the_grey_level():
    # Bodies differ from their surroundings by level or by texture.
    weak = 0
    for seed in range(COUNT):
        for kind in WITH_BODIES:
            image, labels = _draw(seed, kind)[:2]
            mask = labels > 0
            near = ndimage.binary_dilation(mask, iterations=4) & ~mask
            if mask.any() and near.any():
                inside, around = image[mask].astype(float), image[near].astype(float)
                level = abs(inside.mean() - around.mean())
                weak += max(level, abs(inside.std() - around.std())) < 4
    assert weak <= COUNT * len(WITH_BODIES) // 20


def test_kinds_are_drawn_by_their_shares():
    assert sum(kind.share for kind in scenes.KINDS.values()) == pytest.approx(1)
    rng_only = [scenes.drawn_kind(seed) for seed in range(500)]
    for name, kind in scenes.KINDS.items():
        # Four standard deviations of a binomial count.
        spread = 4 * np.sqrt(kind.share * (1 - kind.share) / 500)
        assert abs(rng_only.count(name) / 500 - kind.share) < spread, name
    assert [_draw(seed).kind for seed in range(4)] == rng_only[:4]


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_a_scene_takes_a_fraction_of_a_second(kind):
    _draw(0, kind, 256)
    start = time.process_time()
    for seed in range(1, 4):
        scenes.draw_scene(seed, 256, kind)
    assert (time.process_time() - start) / 3 < 0.4


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="'wells'.*'lit well'"):
        scenes.draw_scene(0, 128, "wells")
    with pytest.raises(ValueError, match="size is 63, expected at least 64"):
        scenes.draw_scene(0, 63)
