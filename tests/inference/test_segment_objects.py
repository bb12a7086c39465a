"""Tests of `segment_objects`, and of models with markers in every way from an image to bodies."""

import numpy as np
import pytest
from helpers import dark_disk, disk, marking, scaled, telling_cores, thresholding

import spheroid_jax as sj
from spheroid_jax.inference import model_file

SIDE = 400


def picture(*discs):
    """Returns an image of dark discs, given as (row, column, radius), and their masks."""
    masks = [disk(SIDE, (row, column), radius) for row, column, radius in discs]
    together = np.any(masks, axis=0)
    return np.where(together, 30, 220).astype(np.uint8), masks


@pytest.mark.parametrize("model", [thresholding(64), marking(64)], ids=["plain", "markers"])
def test_bodies_are_labelled_by_falling_area(model):
    image, (small, large) = picture((90, 90, 40), (260, 260, 90))
    found = sj.segment_objects(model, image)
    assert found.labels.shape == found.probability.shape == (SIDE, SIDE)
    assert found.labels.dtype == np.int32 and found.confidence.dtype == np.float32
    assert found.labels.max() == len(found.confidence) == 2
    for number, truth in ((1, large), (2, small)):
        mask = found.labels == number
        assert np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth) > 0.9
    assert (found.confidence > 0.9).all() and (found.confidence <= 1).all()
    np.testing.assert_array_equal(sj.segment(model, image).mask, found.labels == 1)


def test_a_model_with_markers_looks_closer_at_a_small_body():
    image, (truth,) = picture((200, 131, 10))
    errors = []
    for model in (thresholding(64), marking(64)):
        mask = sj.segment(model, image).mask
        errors.append(np.count_nonzero(mask != truth) / np.count_nonzero(truth))
    assert errors[1] < 0.06 < errors[0]


def test_a_core_is_told_from_its_rim():
    image, (body,) = picture((200, 200, 100))
    core = disk(SIDE, (200, 200), 50)
    # The first percentile is black, the last one white.
    image = np.where(core, 0, np.where(body, 100, 255)).astype(np.uint8)
    found = sj.segment_objects(telling_cores(64), image)
    assert found.labels.max() == 1
    told = (found.core > 0.5) & (found.labels > 0)
    assert np.count_nonzero(told & core) / np.count_nonzero(told | core) > 0.9
    assert sj.segment_objects(marking(64), image).core is None


def test_an_image_without_a_body_has_no_labels():
    image = np.full((SIDE, SIDE), 200, np.uint8)
    image[0, 0] = 0
    found = sj.segment_objects(marking(), image)
    assert not found.labels.any() and found.confidence.shape == (0,)
    assert not sj.segment(marking(), image).mask.any()


def test_debris_is_no_body():
    image, _ = picture((200, 200, 60), (40, 40, 2))
    assert sj.segment_objects(marking(), image).labels.max() == 1


def test_flips_and_an_ensemble_average_both_maps(tmp_path):
    image, _ = picture((200, 200, 60), (60, 300, 20))
    plain = sj.segment_objects(marking(), image)
    flipped = sj.segment_objects(marking(flips=True), image)
    np.testing.assert_array_equal(plain.labels, flipped.labels)
    np.testing.assert_allclose(plain.probability, flipped.probability, atol=1e-5)
    weak = marking()
    ensemble = model_file.Ensemble((weak, scaled(weak, 0.1)))
    both = sj.segment_objects(ensemble, image)
    assert 0.5 < both.confidence[0] < plain.confidence[0]


def test_the_stream_and_measure_see_the_same_bodies(rng):
    model = marking(64)
    image, _ = dark_disk(SIDE, (150, 220), 40, rng)
    mask = sj.segment(model, image).mask
    (result,) = sj.segment_stream(model, [image])
    np.testing.assert_array_equal(result.segmentation.mask, mask)
    (body,) = sj.measure(model, image)
    np.testing.assert_array_equal(body.mask, mask)
    assert body.shape.equivalent_diameter == pytest.approx(80, rel=0.06)
