"""Tests of what lies beside bodies."""

import numpy as np
import pytest

from spheroid_jax.synthetic.scenes import distractors


@pytest.mark.parametrize("name", distractors.ALL)
def test_a_distractor_is_seen_and_light_stays_finite(name):
    changed = []
    for seed in range(6):
        light = np.ones((96, 96), np.float32)
        distractors.ALL[name](np.random.default_rng(seed), light)
        assert np.isfinite(light).all()
        assert light.dtype == np.float32
        changed.append(np.ptp(light))
    assert np.median(changed) > 0.02


def test_some_of_them_are_added_in_place_and_light_stays_positive():
    light = np.ones((96, 96), np.float32)
    distractors.add_some(np.random.default_rng(0), light, most=4)
    assert np.ptp(light) > 0.02 and light.min() >= 0


def test_kinds_can_be_left_out():
    kinds = set(distractors.ALL)
    assert kinds > set(distractors.SPOTS) and kinds > set(distractors.GROUNDS)
    light = np.ones((96, 96), np.float32)
    for seed in range(20):  # seams are left, which change whole tiles
        light[:] = 1
        left_out = tuple(kinds - {"seams"})
        distractors.add_some(np.random.default_rng(seed), light, most=1, but=left_out)
        assert len(np.unique(light)) <= 30


def test_a_bubble_has_a_dark_rim_around_a_bright_middle():
    light = np.ones((200, 200), np.float32)
    rng = np.random.default_rng(1)
    distractors.draw_bubble(rng, light, 0.5, 0.5, 0.3, rim=0.2, dark=0.9)
    assert light[100, 100] > 0.8
    assert light[100, 100 + 55] < 0.7  # within the rim, which is 12 px wide
    assert light[100, 195] == pytest.approx(1, abs=0.01)
