"""Tests of the pixel scores: counts by hand, empties, symmetry, bounds."""

import numpy as np
import pytest
from conftest import disk
from hypothesis import given
from hypothesis.extra import numpy as hnp

from spheroid_jax.metrics import Scores, pixel_scores

_MASKS = hnp.arrays(bool, (4, 5))


def test_example_of_the_docstring():
    # 2 of 3 found pixels are right; 2 of 4 true ones are found.
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


@pytest.mark.parametrize(
    ("found", "there", "score"), [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
)
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
        if found & there:  # then F is the harmonic mean
            harmonic = 2 / (1 / precision + 1 / recall)
            assert scores.f_score == pytest.approx(harmonic)


@given(_MASKS, _MASKS)
def test_exchanging_the_masks_exchanges_precision_and_recall(one, other):
    scores, exchanged = pixel_scores(one, other), pixel_scores(other, one)
    assert scores.precision == exchanged.recall
    assert scores.recall == exchanged.precision
    assert scores.f_score == exchanged.f_score
