"""Tests of matching: hand-computed scores of bodies."""

import math

import numpy as np
import pytest

from spheroid_jax.evaluation.matching import instance_scores, overlaps


def test_the_example_of_the_docstring():
    truth = np.zeros((10, 30), int)
    truth[:, :10], truth[:, 20:] = 4, 9
    prediction = np.zeros_like(truth)
    prediction[:9, :10] = 1
    prediction[:, 20:25], prediction[:, 25:] = 2, 3
    scores = instance_scores(prediction, truth)
    assert scores.f1_50 == scores.f1_80 == pytest.approx(2 / 5)
    assert scores.matched_iou == pytest.approx(0.9)
    assert (scores.true, scores.found) == (2, 3)


def test_overlaps_are_intersections_over_unions():
    truth = np.array([[1, 1, 1, 0, 5]])
    prediction = np.array([[0, 2, 2, 2, 0]])
    np.testing.assert_allclose(overlaps(prediction, truth), [[2 / 4], [0]])


def test_an_iou_of_one_half_is_no_match():
    truth = np.array([[1, 1, 0, 0]])
    assert instance_scores(np.array([[1, 1, 1, 1]]), truth).f1_50 == 0
    assert instance_scores(np.array([[1, 1, 1, 0]]), truth).f1_50 == 1
    assert instance_scores(np.array([[1, 1, 1, 0]]), truth).f1_80 == 0


def test_images_without_bodies():
    nothing, body = np.zeros((4, 4), int), np.eye(4, dtype=int)
    scores = instance_scores(nothing, nothing)
    assert scores.f1_50 == scores.f1_80 == 1 and math.isnan(scores.matched_iou)
    assert instance_scores(body, nothing).f1_50 == 0
    assert instance_scores(nothing, body).f1_50 == 0


def test_the_numbers_of_the_labels_do_not_matter():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 6, (20, 20))
    prediction = np.where(rng.random((20, 20)) < 0.9, truth, 0)
    renumbered = np.array([0, 70, 3, 12, 5, 40])[prediction]
    assert instance_scores(renumbered, truth) == instance_scores(prediction, truth)


def test_a_match_is_not_given_up_for_two_overlaps_that_sum_to_more():
    truth = np.array([[2] * 30 + [1] * 107])
    prediction = np.array([[1] * 100 + [2] * 37])
    # 70 / 137 = 0.51 match; 30 / 100 and 37 / 107 would be 0.65 together.
    scores = instance_scores(prediction, truth)
    assert scores.f1_50 == 0.5 and scores.matched_iou == pytest.approx(70 / 137)


def test_no_body_has_two_matches():
    rng = np.random.default_rng(0)
    counts = []
    for kept in np.linspace(0.6, 1, 20):
        truth, other = rng.integers(0, 6, (2, 20, 20))
        matches = overlaps(np.where(rng.random((20, 20)) < kept, truth, other), truth) > 0.5
        assert matches.sum(0).max() <= 1 and matches.sum(1).max() <= 1
        counts.append(matches.sum())
    assert min(counts) < 5 == max(counts)
