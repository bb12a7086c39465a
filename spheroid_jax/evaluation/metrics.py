"""Scores of a predicted mask against the ground truth.

`pixel_scores` are the paper's (section 3.1); `agreement` adds what tells a
lab more: where the contour lies, and how wrong a size would be.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage


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
    """All scores of one image; the first three are the paper's.

    Attributes:
      precision: in [0, 1]; see `pixel_scores`.
      recall: in [0, 1].
      f_score: in [0, 1].
      iou: intersection over union, in [0, 1].
      boundary_f_score: in [0, 1]; see `boundary_scores`.
      hausdorff95_px: in pixels; see `boundary_scores`.
      area_error: (predicted area - true area) / true area; positive where the
        prediction is too large; NaN where only the truth is empty.
      diameter_error: the same of the diameter of the circle of equal area.
    """

    precision: float
    recall: float
    f_score: float
    iou: float
    boundary_f_score: float
    hausdorff95_px: float
    area_error: float
    diameter_error: float


def agreement(prediction, truth):
    """Computes all scores of one image.

    Args:
      prediction: (H, W), boolean.
      truth: (H, W), boolean.

    Returns:
      `Agreement`.
    """
    pixels = pixel_scores(prediction, truth)
    # Of F = 2 I / (P + T) and IoU = I / (P + T - I).
    iou = pixels.f_score / (2 - pixels.f_score)
    return Agreement(
        *pixels, iou, *boundary_scores(prediction, truth), *size_errors(prediction, truth)
    )


def boundary_scores(prediction, truth, *, tolerance=0.0075):
    """Scores the contours: boundary F-score and 95 % Hausdorff distance.

    The boundary F-score is F of precision, the share of predicted contour
    pixels within `tolerance` of the true contour, and recall, the share of
    true ones near the predicted contour (Csurka et al. 2013, "What is a good
    evaluation measure for semantic segmentation?"). The Hausdorff distance is
    taken at its 95th percentile, the larger of both directions, so that a few
    stray pixels do not decide it (Maier-Hein, Reinke et al. 2024, "Metrics
    reloaded"). Contour pixels are those of the mask that touch (by an edge)
    what is outside it; the frame is no outside.

    Where only one mask is empty, the score is 0 and the distance the frame's
    diagonal, the largest that there can be; both empty: 1 and 0.

    Args:
      prediction: (H, W), boolean.
      truth: (H, W), boolean.
      tolerance: distance that counts as near, as a share of the diagonal.

    Returns:
      The boundary F-score, in [0, 1], and the distance, in pixels.
    """
    diagonal = math.hypot(*truth.shape)
    contours = [_contour(prediction), _contour(truth)]
    there = [contour.any() for contour in contours]
    if not all(there):
        return (0.0, diagonal) if any(there) else (1.0, 0.0)
    # Distances need only the part of the frame that holds both contours.
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


def size_errors(prediction, truth):
    """Relative errors of the area and of the equivalent diameter.

    Args:
      prediction: boolean array.
      truth: boolean array.

    Returns:
      Both errors; 0 where both masks are empty, NaN where the truth is.
    """
    found, there = np.count_nonzero(prediction), np.count_nonzero(truth)
    if not there:
        return (math.nan, math.nan) if found else (0.0, 0.0)
    return found / there - 1, math.sqrt(found / there) - 1


def _contour(mask):
    """The mask's pixels that have an edge in common with the outside.

    A mask that fills the frame has none, so its frame takes their place.
    """
    mask = np.asarray(mask, bool)
    contour = mask & ~ndimage.binary_erosion(mask, border_value=1)
    if mask.any() and not contour.any():
        return mask & ~ndimage.binary_erosion(mask)
    return contour
