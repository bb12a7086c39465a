"""Scores of a predicted mask against the ground truth.

`pixel_scores` computes the scores in the paper (section 3.1). `agreement` adds scores that a
laboratory needs: the distance between the contours, and the errors of the measured sizes.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy.typing import ArrayLike
from scipy import ndimage


class Scores(NamedTuple):
    """Pixel scores of one image, each in [0, 1]."""

    precision: float
    recall: float
    f_score: float


def pixel_scores(prediction: ArrayLike, truth: ArrayLike) -> Scores:
    """Computes precision, recall and F-score of one image from counts of pixels.

    With true positives TP, false positives FP and false negatives FN:

        precision = TP / (TP + FP)
        recall = TP / (TP + FN)
        F = 2 TP / (2 TP + FP + FN)

    If a mask is empty, the scores are defined as follows:

    * both masks are empty: all scores are 1, because the prediction is right;
    * only the prediction is empty: all scores are 0, because the body was missed;
    * only the truth is empty: all scores are 0, because the predicted body does not exist.

    Example: the prediction has 3 pixels, the truth has 4, and 2 pixels are in both. Then precision
    is 2/3, recall is 2/4 and F is 4/7.

    Args:
      prediction: boolean array of any shape.
      truth: boolean array of the same shape.

    Returns:
      The three scores, each in [0, 1].

    Raises:
      ValueError: the shapes differ.
    """
    prediction = np.asarray(prediction, bool)
    truth = np.asarray(truth, bool)
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    true_positives = np.count_nonzero(prediction & truth)
    found, there = np.count_nonzero(prediction), np.count_nonzero(truth)
    if not found and not there:
        return Scores(1.0, 1.0, 1.0)
    if not found or not there:
        return Scores(0.0, 0.0, 0.0)
    return Scores(
        true_positives / found, true_positives / there, 2 * true_positives / (found + there)
    )


class Agreement(NamedTuple):
    """All scores of one image; the first three are those in the paper.

    Attributes:
      precision: share of the predicted pixels that are right, in [0, 1]; see `pixel_scores`.
      recall: share of the true pixels that are found, in [0, 1].
      f_score: harmonic mean of precision and recall, in [0, 1].
      iou: intersection over union, in [0, 1].
      boundary_f_score: F-score of the contours, in [0, 1]; see `boundary_scores`.
      hausdorff95_px: distance between the contours in pixels; see `boundary_scores`.
      area_error: (predicted area - true area) / true area; positive if the prediction is too
        large; NaN if only the truth is empty.
      diameter_error: relative error of the diameter of the circle with equal area, with the same
        sign and the same NaN.
    """

    precision: float
    recall: float
    f_score: float
    iou: float
    boundary_f_score: float
    hausdorff95_px: float
    area_error: float
    diameter_error: float


def agreement(prediction: Bool[np.ndarray, "H W"], truth: Bool[np.ndarray, "H W"]) -> Agreement:
    """Computes all scores of one image.

    Args:
      prediction: predicted mask.
      truth: true mask.
    """
    pixels = pixel_scores(prediction, truth)
    # With the areas P, T and their intersection I: F = 2 I / (P + T), IoU = I / (P + T - I).
    iou = pixels.f_score / (2 - pixels.f_score)
    return Agreement(
        *pixels, iou, *boundary_scores(prediction, truth), *size_errors(prediction, truth)
    )


def boundary_scores(
    prediction: Bool[np.ndarray, "H W"],
    truth: Bool[np.ndarray, "H W"],
    *,
    tolerance: float = 0.0075,
) -> tuple[float, float]:
    """Computes the boundary F-score and the 95 % Hausdorff distance between two contours.

    The boundary F-score is the harmonic mean of two shares: precision, the share of the predicted
    contour within `tolerance` of the true contour; and recall, the share of the true contour within
    `tolerance` of the predicted contour (Csurka et al. 2013, "What is a good evaluation measure for
    semantic segmentation?").

    The 95 % Hausdorff distance is the 95th percentile of the distances from the pixels of one
    contour to the other contour, in the direction that gives the larger value. Unlike the maximum,
    a percentile does not depend on a few stray pixels (Maier-Hein, Reinke et al. 2024, "Metrics
    reloaded").

    The contour is made of the pixels of a mask that share an edge with a pixel of the background;
    the border of the frame does not count as background. If both masks are empty, the score is 1
    and the distance is 0. If only one is empty, the score is 0 and the distance is the diagonal of
    the frame, which is the largest possible distance.

    Args:
      prediction: predicted mask.
      truth: true mask.
      tolerance: distance relative to the diagonal of the frame.

    Returns:
      The boundary F-score in [0, 1], and the distance in pixels.
    """
    diagonal = math.hypot(*truth.shape)
    contours = [_contour(prediction), _contour(truth)]
    there = [contour.any() for contour in contours]
    if not all(there):
        return (0.0, diagonal) if any(there) else (1.0, 0.0)
    # Distances are computed only in the part of the frame that holds both contours.
    box = ndimage.find_objects((contours[0] | contours[1]).astype(int))[0]
    ours, theirs = (contour[box] for contour in contours)
    to_truth = ndimage.distance_transform_edt(~theirs)[ours]
    to_prediction = ndimage.distance_transform_edt(~ours)[theirs]
    precision, recall = (
        float(np.mean(distances <= tolerance * diagonal)) for distances in (to_truth, to_prediction)
    )
    total = precision + recall
    f_score = 2 * precision * recall / total if total else 0.0
    distance = max(np.percentile(d, 95) for d in (to_truth, to_prediction))
    return f_score, float(distance)


def size_errors(
    prediction: Bool[np.ndarray, "H W"], truth: Bool[np.ndarray, "H W"]
) -> tuple[float, float]:
    """Computes the relative errors of the area and of the diameter of the circle of equal area.

    Args:
      prediction: predicted mask.
      truth: true mask.

    Returns:
      Both errors, (predicted - true) / true; 0 if both masks are empty, NaN if only the truth is
      empty.
    """
    found, there = np.count_nonzero(prediction), np.count_nonzero(truth)
    if not there:
        return (math.nan, math.nan) if found else (0.0, 0.0)
    return found / there - 1, math.sqrt(found / there) - 1


def _contour(mask):
    """Returns the pixels of the mask that share an edge with a pixel of the background.

    For a mask that fills the frame, the border of the frame is returned instead.
    """
    mask = np.asarray(mask, bool)
    contour = mask & ~ndimage.binary_erosion(mask, border_value=1)
    if mask.any() and not contour.any():
        return mask & ~ndimage.binary_erosion(mask)
    return contour
