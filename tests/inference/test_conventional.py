"""Tests of conventional segmentation, and of the score for the fit of a mask to edges."""

import numpy as np
import pytest
from helpers import disk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from spheroid_jax import images
from spheroid_jax.evaluation import metrics
from spheroid_jax.inference import conventional

SIZE = 120
BODY = disk(SIZE, (64, 55), 24)


def picture(body, *, inside=0.2, outside=0.8, gradient=0.0, noise=0.02):
    """Returns a normalised image of a body; the background brightens to the right."""
    rng = np.random.default_rng(0)
    gray = np.where(body, inside, outside).astype(np.float32)
    gray += np.linspace(0, gradient, body.shape[1], dtype=np.float32)
    gray += rng.normal(0, noise, body.shape).astype(np.float32)
    return images.normalise(ndimage.gaussian_filter(gray, 1))


def f_score(gray, method, body):
    return metrics.pixel_scores(conventional.segment(gray, method), body).f_score


def ring(size, centre, radius, width):
    return disk(size, centre, radius) & ~disk(size, centre, radius - width)


def test_thresholds_are_methods():
    assert conventional.THRESHOLDS.items() <= conventional.METHODS.items()
    assert len(conventional.METHODS) > len(conventional.THRESHOLDS) >= 5


@pytest.mark.parametrize("method", conventional.METHODS)
@pytest.mark.parametrize("inside, outside", [(0.2, 0.8), (0.8, 0.2)])
def test_a_body_is_found_whichever_side_is_dark(method, inside, outside):
    gray = picture(BODY, inside=inside, outside=outside)
    assert f_score(gray, method, BODY) > 0.9


@pytest.mark.parametrize("inside, outside", [(0.1, 0.6), (1.1, 0.6)])
def test_flattening_removes_a_gradient_that_misleads_otsu(inside, outside):
    gray = picture(BODY, inside=inside, outside=outside, gradient=1.2)
    assert f_score(gray, "otsu", BODY) < 0.8
    assert f_score(gray, "flattened_otsu", BODY) > 0.9
    assert f_score(gray, "refined_otsu", BODY) > 0.95


def test_a_body_in_a_dark_ring_is_found_where_otsu_finds_the_ring():
    body = disk(SIZE, (62, 52), 15)
    well = ring(SIZE, (60, 55), 44, 14)
    gray = picture(body | well)
    assert f_score(gray, "otsu", body) < 0.3
    assert f_score(gray, "refined_level", body) > 0.95
    best = conventional.propose(gray)
    assert metrics.pixel_scores(best.mask, body).f_score > 0.95


def test_the_proposal_is_the_method_of_best_agreement():
    gray = picture(BODY, noise=0.3)
    best = conventional.propose(gray)
    scores = {
        method: conventional.edge_agreement(gray, conventional.segment(gray, method))
        for method in conventional.METHODS
    }
    assert best.agreement == max(scores.values()) == scores[best.method]
    assert (best.mask == conventional.segment(gray, best.method)).all()


@pytest.mark.parametrize("method", conventional.METHODS)
def test_a_flat_image_has_no_body(method):
    flat = np.full((64, 48), 0.5, np.float32)
    assert not conventional.segment(flat, method).any()


def test_an_unknown_method_is_named():
    with pytest.raises(ValueError, match="no method 'ostu'; choose one of otsu, "):
        conventional.segment(picture(BODY), "ostu")


def test_a_large_image_is_segmented_at_its_own_size():
    body = disk(900, (500, 400), 160)[:, :700]
    best = conventional.propose(picture(body))
    assert best.mask.shape == body.shape and best.mask.dtype == bool
    assert metrics.pixel_scores(best.mask, body).f_score > 0.98


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(32, 32), (40, 33)]))
def test_any_image_gives_one_body_or_none(seed, shape):
    rng = np.random.default_rng(seed)
    gray = ndimage.gaussian_filter(rng.random(shape), rng.uniform(0, 6))
    gray = images.normalise(gray.astype(np.float32))
    for method in conventional.METHODS:
        mask = conventional.segment(gray, method)
        assert mask.shape == shape and mask.dtype == bool
        assert ndimage.label(mask, np.ones((3, 3)))[1] <= 1
        assert 0 <= conventional.edge_agreement(gray, mask) <= 1


@given(st.integers(30, 90), st.integers(30, 90), st.integers(9, 22), st.booleans())
def test_agreement_is_highest_at_the_true_contour(row, column, radius, dark):
    body = disk(SIZE, (row, column), radius)
    inside, outside = (0.2, 0.8) if dark else (0.8, 0.2)
    gray = picture(body, inside=inside, outside=outside)
    true = conventional.edge_agreement(gray, body)
    others = [
        np.roll(body, 2, axis=0),
        np.roll(body, -3, axis=1),
        ndimage.binary_dilation(body, iterations=2),
        ndimage.binary_erosion(body, iterations=2),
        disk(SIZE, (row, column), radius + 6),
    ]
    scores = [conventional.edge_agreement(gray, other) for other in others]
    assert true > 0.9
    assert max(scores) < true - 0.03


def test_agreement_of_a_mask_without_contour_is_0():
    gray = picture(BODY)
    for mask in (np.zeros_like(BODY), np.ones_like(BODY)):
        assert conventional.edge_agreement(gray, mask) == 0


def test_agreement_in_a_flat_image_is_0():
    assert conventional.edge_agreement(np.zeros((64, 64)), BODY[:64, :64]) == 0


def test_agreement_is_of_one_sign():
    """A contour that is partly dark to bright and partly bright to dark gets a low score."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    gray = np.where(columns < 60, 0.2, 0.8).astype(np.float32)
    gray = np.where(BODY, 0.5, gray).astype(np.float32)
    assert conventional.edge_agreement(gray, BODY) < 0.15


def test_a_mask_bounded_by_the_frame_agrees_less():
    whole = disk(SIZE, (60, 60), 25)
    cut = disk(SIZE, (0, 60), 25)
    agreement = [
        conventional.edge_agreement(picture(body), body)
        for body in (whole, cut, np.arange(SIZE) < 60 * np.ones((SIZE, 1)))
    ]
    assert agreement[0] > agreement[1] + 0.2 > agreement[2] + 0.3


def test_a_ring_filled_agrees_less_than_its_body():
    body = disk(SIZE, (60, 55), 15)
    well = ring(SIZE, (60, 55), 44, 14)
    gray = picture(body | well)
    filled = disk(SIZE, (60, 55), 44)
    assert conventional.edge_agreement(gray, body) > 0.1 + conventional.edge_agreement(gray, filled)


def test_agreement_depends_neither_on_polarity_nor_on_contrast():
    gray = picture(BODY)
    score = conventional.edge_agreement(gray, BODY)
    for other in (1 - gray, 0.3 * gray + 0.2):
        assert conventional.edge_agreement(other, BODY) == pytest.approx(score, abs=0.01)


@pytest.mark.parametrize("method", conventional.THRESHOLDS)
def test_all_bodies_of_a_picture_are_labelled(method):
    first, second = disk(SIZE, (40, 40), 22), disk(SIZE, (90, 90), 11)
    gray = picture(first | second)
    labels = conventional.label_bodies(gray, method)
    for number, body in enumerate((first, second), 1):
        assert metrics.pixel_scores(labels == number, body).f_score > 0.8
    largest = conventional.segment(gray, method)
    np.testing.assert_array_equal(labels == 1, largest)


def test_labels_have_the_size_of_a_large_picture():
    body = disk(600, (300, 200), 90)
    labels = conventional.label_bodies(picture(body), "otsu")
    assert labels.max() == 1 and metrics.pixel_scores(labels == 1, body).f_score > 0.95


def test_a_flat_picture_has_no_bodies():
    assert not conventional.label_bodies(np.full((64, 64), 0.5, np.float32), "li").any()
    with pytest.raises(ValueError, match="no method 'ostu'"):
        conventional.label_bodies(picture(BODY), "ostu")
