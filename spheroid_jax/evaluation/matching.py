"""Matching of predicted bodies with true bodies, and scores of the matches."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer

# Intersection over union above which a predicted body counts as a true one; at least 0.5, so that
# a body has no more than one match.
THRESHOLDS = (0.5, 0.8)


class InstanceScores(NamedTuple):
    """Scores of the bodies of one image.

    Attributes:
      f1_50: F1 of the bodies matched with an IoU above 0.5, in [0, 1].
      f1_80: F1 of the bodies matched with an IoU above 0.8, in [0, 1].
      matched_iou: mean IoU of the bodies matched with an IoU above 0.5; NaN without a match.
      true: number of true bodies.
      found: number of predicted bodies.
    """

    f1_50: float
    f1_80: float
    matched_iou: float
    true: int
    found: int


def instance_scores(
    prediction: Integer[np.ndarray, "H W"], truth: Integer[np.ndarray, "H W"]
) -> InstanceScores:
    """Scores the bodies of one image.

    F1 = 2 M / (T + P), with the number M of matched, T of true and P of predicted bodies; 1 if
    there is none of either. Two bodies match if their IoU is above the threshold. Each body then
    has at most one match: two bodies that do not overlap cannot both share more than half of it.

    Example: of two true bodies, one is found with an IoU of 0.9, and one is cut into two halves.
    Then T is 2, P is 3, M is 1, and F1 is 2 / 5.

    Args:
      prediction: labels, 0 in the background.
      truth: labels, 0 in the background.
    """
    ious = overlaps(prediction, truth)
    true, found = ious.shape
    f1_50, f1_80 = (_f1(np.count_nonzero(ious > least), true, found) for least in THRESHOLDS)
    matched = ious[ious > THRESHOLDS[0]]
    mean = float(matched.mean()) if matched.size else float("nan")
    return InstanceScores(f1_50, f1_80, mean, true, found)


def overlaps(
    prediction: Integer[np.ndarray, "H W"], truth: Integer[np.ndarray, "H W"]
) -> Float[np.ndarray, "true found"]:
    """Computes the intersection over union of each true body with each predicted body.

    Bodies are in the order of their labels.
    """
    numbers, ours = np.unique(prediction, return_inverse=True)
    true_numbers, theirs = np.unique(truth, return_inverse=True)
    counts = np.zeros((len(true_numbers), len(numbers)), np.int64)
    np.add.at(counts, (theirs.ravel(), ours.ravel()), 1)
    union = counts.sum(1, keepdims=True) + counts.sum(0, keepdims=True) - counts
    return (counts / union)[true_numbers != 0][:, numbers != 0]


def _f1(matched, true, found):
    return 2 * matched / (true + found) if true + found else 1.0
