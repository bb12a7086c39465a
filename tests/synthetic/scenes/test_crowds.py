"""Tests of frames with many bodies."""

import numpy as np
import pytest
from skimage import measure

from spheroid_jax.synthetic import scenes
from spheroid_jax.synthetic.scenes import blobs, crowds

SIZE = 192


def _touching(labels):
    """Returns the number of pairs of neighbouring pixels that belong to two bodies."""
    count = 0
    for one, other in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        count += np.count_nonzero((one != other) & (one > 0) & (other > 0))
    return count


def test_from_one_body_to_about_eighty_and_from_small_to_large():
    counts, widths = [], []
    for seed in range(50):
        labels = scenes.draw_scene(seed, SIZE, "crowd").labels
        counts.append(labels.max())
        widths += [2 * np.sqrt(area / np.pi) / SIZE for area in np.bincount(labels.ravel())[1:]]
    assert min(counts) <= 3 and max(counts) >= 45
    assert np.quantile(widths, 0.02) < 0.05 and max(widths) > 0.3


def test_bodies_touch_in_many_crowds():
    touching = [_touching(scenes.draw_scene(n, SIZE, "crowd").labels) > 0 for n in range(40)]
    assert 0.3 < np.mean(touching) < 0.9


def test_pressed_discs_share_a_straight_line_half_way():
    rng = np.random.default_rng(0)
    pair = [
        blobs.draw(rng, 100, blobs.disc_family(), 0.2, x, 0.5, margin=0.05) for x in (0.35, 0.65)
    ]
    layer = blobs.press(100, pair)
    # Discs of radius 20 px around columns 35 and 65 meet in column 50.
    rows = np.flatnonzero(layer.labels[:, 49])
    assert (layer.labels[rows, 49] == 1).all() and (layer.labels[rows, 50] == 2).all()
    assert np.abs(layer.seam[rows, 50]).max() < 0.01
    half_chord = np.sqrt(20**2 - 15**2)
    assert len(rows) == pytest.approx(2 * half_chord, abs=2)


def test_a_body_of_several_lobes_is_one_body_and_not_convex():
    solid = []
    for seed in range(12):
        labels = scenes.draw_scene(seed, SIZE, "lobed").labels
        for region in measure.regionprops(labels):
            if region.bbox[0] > 0 and region.bbox[2] < SIZE and region.area > 300:
                solid.append(region.solidity)
    assert np.mean(np.array(solid) < 0.93) > 0.25


@pytest.mark.parametrize("width", [0.03, 0.1, 0.6])
def test_a_disc_has_the_area_that_was_asked_for(width):
    areas = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = rng.uniform(0.4, 0.6, 2)
        body = blobs.draw(rng, 400, blobs.disc_family(), width / 2, x, y, margin=0.01)
        areas.append(np.count_nonzero(body.depth > 0))
    assert np.mean(areas) == pytest.approx(np.pi * (200 * width) ** 2, rel=0.01)


def test_an_outline_has_the_area_of_its_disc_and_its_depth_is_a_distance():
    rng = np.random.default_rng(3)
    family = blobs.draw_family(rng)
    for _ in range(5):
        body = blobs.draw(rng, 400, family, 0.2, 0.5, 0.5, margin=0.05)
        area = np.count_nonzero(body.depth > 0)
        assert area == pytest.approx(np.pi * 80**2, rel=0.02)
        steps = np.hypot(*np.gradient(body.depth * 400))
        near = np.abs(body.depth) < 0.01
        assert np.median(steps[near]) == pytest.approx(1, abs=0.15)


def test_slivers_go_and_numbers_have_no_gaps():
    labels = np.zeros((10, 10), np.int32)
    labels[:4, :4] = 7
    labels[9, 9] = 7  # a part that another body has cut off
    labels[6:9, 1:4] = 3
    labels[0, 9] = 5  # a sliver
    kept = blobs.tidy(labels, least=4, whole=True)
    assert np.unique(kept).tolist() == [0, 1, 2]
    assert (kept[:4, :4] == 2).all() and (kept[6:9, 1:4] == 1).all()
    assert kept[9, 9] == kept[0, 9] == 0
    everywhere = blobs.tidy(np.full((4, 4), 9, np.int32), least=1, whole=False)
    assert (everywhere == 1).all()


def test_no_two_spots_are_closer_than_their_arrangement_says():
    radii = np.random.default_rng(1).uniform(0.02, 0.08, 30)
    for arrangement, least in (("apart", 1.12), ("pressed", 0.76)):
        spots = crowds.scatter(np.random.default_rng(2), radii, arrangement, 0.8)
        assert len(spots) > 10
        for n, one in enumerate(spots):
            for other in spots[:n]:
                away = np.hypot(one.x - other.x, one.y - other.y)
                assert away > (least - 1e-6) * (one.radius + other.radius)


def test_bodies_in_a_well_are_inside_the_well():
    radii = np.full(40, 0.04)
    wells = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        spots = crowds.scatter(rng, radii, "apart", 0.0)
        light, kept, inverted = crowds.in_field(rng, 96, spots)
        wells += inverted == 0
        assert kept and set(kept) <= set(spots)
        if inverted:
            assert kept == spots
        else:  # the light at each body is not that of black surroundings
            assert min(light[int(96 * s.y) % 96, int(96 * s.x) % 96] for s in kept) > 0.01
    assert 2 <= wells <= 18
