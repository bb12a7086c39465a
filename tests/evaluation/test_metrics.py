"""Tests of the metrics: values computed by hand, empty masks, symmetry and bounds."""

import numpy as np
import pytest
from helpers import disk
from hypothesis import given
from hypothesis.extra import numpy as hnp
from scipy import spatial

from spheroid_jax.evaluation.metrics import (
    Scores,
    agreement,
    boundary_scores,
    pixel_scores,
    size_errors,
)

_MASKS = hnp.arrays(bool, (4, 5))


def test_example_of_the_docstring():
    # 2 of 3 predicted pixels are right; 2 of 4 true pixels are found.
    prediction = np.array([[1, 1, 1], [0, 0, 0]], bool)
    truth = np.array([[0, 1, 1], [0, 1, 1]], bool)
    scores = pixel_scores(prediction, truth)
    assert scores == Scores(2 / 3, 2 / 4, 4 / 7)
    assert (scores.precision, scores.recall) == (2 / 3, 2 / 4)
    assert scores.f_score == 4 / 7


def test_perfect_prediction_scores_one():
    mask = disk(16, (8, 7), 4)
    assert pixel_scores(mask, mask.copy()) == Scores(1, 1, 1)


def test_disjoint_masks_score_zero():
    mask = disk(16, (8, 7), 4)
    assert pixel_scores(mask, ~mask) == Scores(0, 0, 0)


def test_everything_predicted_has_full_recall():
    truth = np.zeros((10, 10), bool)
    truth[:2] = True
    scores = pixel_scores(np.ones((10, 10), bool), truth)
    assert scores == Scores(0.2, 1, pytest.approx(1 / 3))


@pytest.mark.parametrize(("found", "there", "score"), [(0, 0, 1), (0, 1, 0), (1, 0, 0)])
def test_empty_masks_score_as_documented(found, there, score):
    scores = pixel_scores(np.full((3, 3), found), np.full((3, 3), there))
    assert scores == Scores(score, score, score)


def test_masks_of_numbers_count_what_is_not_zero():
    truth = np.array([[0, 255], [255, 0]], np.uint8)
    prediction = np.array([[0.0, 1.0], [0.0, 1.0]])
    assert pixel_scores(prediction, truth) == Scores(0.5, 0.5, 0.5)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) .*\(3, 2\)"):
        pixel_scores(np.zeros((2, 3)), np.zeros((3, 2)))


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        pixel_scores(np.zeros((2, 3)), np.zeros((1, 3)))


@given(_MASKS, _MASKS)
def test_scores_agree_with_sets_of_pixels(prediction, truth):
    found = set(zip(*np.nonzero(prediction), strict=True))
    there = set(zip(*np.nonzero(truth), strict=True))
    scores = pixel_scores(prediction, truth)
    assert all(0 <= score <= 1 for score in scores)
    if found and there:
        precision = len(found & there) / len(found)
        recall = len(found & there) / len(there)
        assert scores.precision == pytest.approx(precision)
        assert scores.recall == pytest.approx(recall)
        if found & there:  # only then F is the harmonic mean
            harmonic = 2 / (1 / precision + 1 / recall)
            assert scores.f_score == pytest.approx(harmonic)


@given(_MASKS, _MASKS)
def test_exchanging_the_masks_exchanges_precision_and_recall(one, other):
    scores, exchanged = pixel_scores(one, other), pixel_scores(other, one)
    assert scores.precision == exchanged.recall
    assert scores.recall == exchanged.precision
    assert scores.f_score == exchanged.f_score


def square(size, top, left, side):
    mask = np.zeros((size, size), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_a_square_moved_by_known_pixels():
    # Two squares of 10 x 10 in 100 x 100, moved by 3: 70 pixels in common.
    found, truth = square(100, 20, 20, 10), square(100, 20, 23, 10)
    scores = agreement(found, truth)
    assert scores.f_score == 0.7
    assert scores.iou == pytest.approx(70 / 130)
    # The left and right sides are 3 px apart; both are more than 5 % of the contour.
    assert scores.hausdorff95_px == 3.0
    assert (scores.area_error, scores.diameter_error) == (0, 0)


def test_boundary_f_counts_contour_pixels_within_the_tolerance():
    # Concentric squares with sides of 10 and 12 px: the contours are 1 px apart, except at the
    # outer corners, which are sqrt(2) px from the inner corners.
    inner, outer = square(100, 20, 20, 10), square(100, 19, 19, 12)
    near = 1.01 / np.hypot(100, 100)
    f_score, distance = boundary_scores(outer, inner, tolerance=near)
    precision = 40 / 44  # the outer contour has 44 pixels; 4 of them are corners
    assert f_score == pytest.approx(2 * precision / (precision + 1))
    assert distance == pytest.approx(np.sqrt(2))


def test_sizes_are_relative_to_the_truth():
    found, truth = square(50, 5, 5, 12), square(50, 5, 5, 10)
    assert size_errors(found, truth) == pytest.approx((0.44, 0.2))
    assert size_errors(truth, found) == pytest.approx((100 / 144 - 1, 10 / 12 - 1))


def test_scores_of_empty_masks():
    empty, body = np.zeros((30, 40), bool), square(40, 5, 5, 9)[:30]
    assert agreement(empty, empty) == (1, 1, 1, 1, 1, 0, 0, 0)
    missed = agreement(empty, body)
    assert missed[:6] == (0, 0, 0, 0, 0, 50)  # 50 px is the diagonal of 30 x 40 px
    assert missed[6:] == (-1, -1)
    assert np.isnan(agreement(body, empty)[6:]).all()


def test_a_mask_that_fills_the_frame_has_a_contour():
    full = np.ones((20, 20), bool)
    assert boundary_scores(full, full) == (1.0, 0.0)
    f_score, distance = boundary_scores(full, square(20, 8, 8, 4))
    assert f_score == 0 and 8 < distance < 20


@given(_MASKS, _MASKS)
def test_all_scores_are_symmetric_and_bounded(first, second):
    there, back = agreement(first, second), agreement(second, first)
    for name in ("f_score", "iou", "boundary_f_score", "hausdorff95_px"):
        assert getattr(there, name) == pytest.approx(getattr(back, name))
    assert there.precision == back.recall
    assert 0 <= there.iou <= there.f_score <= 1
    assert 0 <= there.boundary_f_score <= 1
    assert 0 <= there.hausdorff95_px <= np.hypot(4, 5)
    if not np.isnan(there.area_error):
        assert (1 + there.diameter_error) ** 2 == pytest.approx(1 + there.area_error)


def contour_by_hand(mask):
    """Returns the pixels of the mask that have a neighbour in the frame outside the mask."""
    height, width = mask.shape
    points = [
        (r, c)
        for r, c in np.argwhere(mask)
        if any(
            0 <= r + dr < height and 0 <= c + dc < width and not mask[r + dr, c + dc]
            for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))
        )
    ]
    return np.array(points)


@given(hnp.arrays(bool, (7, 8)), hnp.arrays(bool, (7, 8)))
def test_boundary_scores_are_those_of_all_pairs_of_points(first, second):
    ours, theirs = contour_by_hand(first), contour_by_hand(second)
    if not (len(ours) and len(theirs)):
        return
    distances = spatial.distance.cdist(ours, theirs)
    there, back = distances.min(axis=1), distances.min(axis=0)
    near = 1.2 / np.hypot(7, 8)
    precision, recall = (there <= 1.2).mean(), (back <= 1.2).mean()
    expected = 0.0
    if precision + recall:
        expected = 2 * precision * recall / (precision + recall)
    f_score, distance = boundary_scores(first, second, tolerance=near)
    assert f_score == pytest.approx(expected)
    assert distance == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
