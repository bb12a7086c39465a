"""Tests of bodies in wells."""

import numpy as np
import pytest

from spheroid_jax.synthetic import scenes
from spheroid_jax.synthetic.scenes import scene, vessels, wells

SIZE = 128


@pytest.mark.parametrize("draw", [vessels.draw_lit, vessels.draw_u_shaped, vessels.draw_micro])
def test_a_well_is_drawn_with_the_distance_from_its_wall(draw):
    for seed in range(6):
        well = draw(np.random.default_rng(seed), SIZE)
        assert well.light.shape == well.depth.shape == (SIZE, SIZE)
        assert np.isfinite(well.light).all() and well.light.min() >= 0
        row, column = (min(max(int(c * SIZE), 0), SIZE - 1) for c in (well.y, well.x))
        assert well.depth[row, column] > 0.8 * well.half


def test_a_lit_well_is_brighter_than_what_is_around_it():
    for seed in range(10):
        well = vessels.draw_lit(np.random.default_rng(seed), SIZE)
        inside, outside = well.light[well.depth > 0.02], well.light[well.depth < -0.05]
        if outside.size:
            assert inside.mean() > 3 * outside.mean()


def test_bodies_stay_in_their_wells_and_fill_10_to_90_percent():
    shares = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        well = vessels.draw_lit(rng, SIZE)
        labels = wells.fill(rng, well, share=(0.1, 0.9)).labels
        assert not labels[well.depth < 0].any()
        shares.append(np.count_nonzero(labels) / np.count_nonzero(well.depth > 0))
    assert min(shares) > 0.02 and max(shares) > 0.6
    assert np.mean(np.array(shares) > 0.4) > 0.2


def test_bodies_of_microwells_are_3_to_40_percent_of_the_frame_wide():
    widths = []
    for seed in range(30):
        labels = scenes.draw_scene(seed, SIZE, "microwell").labels
        widths.append(2 * np.sqrt(np.count_nonzero(labels) / np.pi) / SIZE)
    assert np.median(widths) < 0.2
    assert max(widths) > 0.25


def test_lit_wells_stay_bright_on_dark():
    # An inverted lit well would look like a dark disc.
    for seed in range(20):
        rng = np.random.default_rng(seed)
        well = vessels.draw_lit(rng, SIZE)
        outside = well.depth < -0.08
        if np.count_nonzero(outside) > 200:
            image = scene.finish(
                rng, scene.Sketch(well.light, scene.no_bodies(SIZE), inverted=0.0), "lit"
            ).image
            assert image[well.depth > 0.1].mean() > image[outside].mean()
