"""Tests of cystic bodies, and of bodies with a dense core."""

import numpy as np
from scipy import ndimage

from spheroid_jax.synthetic import scenes

SIZE = 160


def test_most_cysts_are_paler_inside_than_at_their_rims():
    pale = []
    for seed in range(16):
        image, labels = scenes.draw_scene(seed, SIZE, "cysts")[:2]
        for number in range(1, labels.max() + 1):
            body = labels == number
            inner = ndimage.binary_erosion(body, iterations=4)
            if np.count_nonzero(inner) > 60:
                rim = body & ~ndimage.binary_erosion(body, iterations=3)
                # Some images are inverted, so the sign is that of the frame's majority.
                pale.append((seed, image[inner].mean() - image[rim].mean()))
    by_frame = [np.median([d for s, d in pale if s == seed]) for seed in {s for s, _ in pale}]
    assert np.mean(np.array(by_frame) > 0) > 0.6


def test_one_to_forty_cysts_overlap_and_are_cut_by_the_frame():
    counts, cut, overlapping = [], 0, 0
    for seed in range(30):
        labels = scenes.draw_scene(seed, SIZE, "cysts").labels
        counts.append(labels.max())
        edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        cut += edge.any()
        below, above = labels[1:], labels[:-1]
        overlapping += ((below != above) & (below > 0) & (above > 0)).any()
    assert min(counts) <= 2 and max(counts) >= 15
    assert cut >= 8 and overlapping >= 8


def test_a_core_lies_inside_its_body_and_differs_from_the_rim():
    shares, differs = [], []
    for seed in range(30):
        image, labels, core, _ = scenes.draw_scene(seed, SIZE, "core")
        assert core is not None and core.any()
        rim = (labels > 0) & ~core
        assert rim.any()
        shares.append(np.count_nonzero(core) / np.count_nonzero(labels))
        differs.append(abs(image[core].mean() - image[rim].mean()))
    assert min(shares) > 0.05 and max(shares) < 0.95
    assert np.median(differs) > 15


def test_only_bodies_with_a_core_have_one():
    assert scenes.draw_scene(0, SIZE, "crowd").core is None
    assert scenes.draw_scene(0, SIZE, "empty").core is None
