"""Tests of marks on images."""

import numpy as np

from spheroid_jax.synthetic import camera
from spheroid_jax.synthetic.scenes import marks


def test_an_information_bar_hides_one_end_and_leaves_the_rest():
    image = np.full((200, 200), 120, np.uint8)
    ends = set()
    for seed in range(30):
        barred, hidden = marks.information_bar(np.random.default_rng(seed), image)
        assert (barred[~hidden] == 120).all()
        assert 0.03 < hidden.mean() < 0.15
        assert hidden.all(axis=1).any()
        assert np.ptp(barred[hidden]) > 100  # text on the bar
        ends.add(bool(hidden[0].all()))
    assert ends == {True, False}


def test_letters_change_a_small_part_of_an_image():
    image = np.full((200, 200), 120, np.uint8)
    for seed in range(6):
        changed = marks.letters(np.random.default_rng(seed), image) != image
        assert 0 < changed.mean() < 0.2


def test_an_engraving_is_seen():
    for seed in range(6):
        light = np.ones((200, 200), np.float32)
        marks.engraving(np.random.default_rng(seed), light)
        assert np.isfinite(light).all() and light.min() > 0
    assert light.dtype == np.float32


def test_a_low_quality_changes_an_image_more_than_a_high_one():
    image = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    errors = [np.abs(camera.compress(image, q).astype(int) - image).mean() for q in (5, 50, 95)]
    assert errors[0] > errors[1] > errors[2]
    assert camera.compress(image, 50).shape == image.shape
