"""Scores of a predicted mask against the ground truth (paper, section 3.1)."""

from typing import NamedTuple

import numpy as np


class Scores(NamedTuple):
    """Pixel scores of one image, each in [0, 1]."""

    precision: float
    recall: float
    f_score: float


def pixel_scores(prediction, truth):
    """Counts pixels: precision, recall and F-score of one image.

    With true positives TP, false positives FP and false negatives FN:
    precision = TP / (TP + FP), recall = TP / (TP + FN) and
    F = 2 TP / (2 TP + FP + FN). Where a score has nothing to count:

    * both masks empty: all three are 1, the prediction is right;
    * only the prediction empty: all three are 0, the body was missed;
    * only the truth empty: all three are 0, what was found is not there.

    Example: a prediction of 3 pixels, of which 2 lie in a truth of 4, has
    precision 2/3, recall 2/4 and F = 4/7.

    Args:
      prediction: boolean array.
      truth: boolean array of the same shape.

    Returns:
      `Scores`.

    Raises:
      ValueError: the shapes differ.
    """
    prediction = np.asarray(prediction, bool)
    truth = np.asarray(truth, bool)
    if prediction.shape != truth.shape:
        raise ValueError(
            f"prediction {prediction.shape} and truth {truth.shape} differ "
            "in shape"
        )
    true_positives = np.count_nonzero(prediction & truth)
    found, there = np.count_nonzero(prediction), np.count_nonzero(truth)
    if not found and not there:
        return Scores(1.0, 1.0, 1.0)
    if not found or not there:
        return Scores(0.0, 0.0, 0.0)
    return Scores(
        true_positives / found,
        true_positives / there,
        2 * true_positives / (found + there),
    )
