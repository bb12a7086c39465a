"""The numbers behind the figures' curves."""

from typing import NamedTuple

import numpy as np

# The paper's 100 regular intervals; exact hundredths, as linspace's are not.
THRESHOLDS = np.arange(101) / 100
# A body segmented worse than this is measured wrongly (our choice).
USABLE_F = 0.7


class Interval(NamedTuple):
    """Percentages of images at each of T thresholds."""

    folds: np.ndarray  # (folds, T)
    minimum: np.ndarray  # (T,), as the next two
    median: np.ndarray
    maximum: np.ndarray


def percentage_above(f_scores, thresholds=THRESHOLDS):
    """The percentage of images above each threshold (paper, figure 5).

    Above means strictly above. So the curve starts below 100 by the images
    that were missed (F = 0), and at threshold 1 it is 0 even where every
    image is perfect.

    Args:
      f_scores: (folds, images), each in [0, 1].
      thresholds: (T,).

    Returns:
      `Interval`, its extremes and median over the folds.

    Raises:
      ValueError: there is no score, or one is not in [0, 1].
    """
    f_scores = _checked(f_scores)
    above = f_scores[:, np.newaxis] > np.asarray(thresholds)[:, np.newaxis]
    folds = 100 * above.mean(axis=-1)
    return Interval(folds, folds.min(axis=0), np.median(folds, axis=0), folds.max(axis=0))


def image_means(f_scores):
    """The mean over the folds of each image's F-score.

    Args:
      f_scores: (folds, images), each in [0, 1].

    Returns:
      (images,).

    Raises:
      ValueError: there is no score, or one is not in [0, 1].
    """
    return _checked(f_scores).mean(axis=0)


def median_curve(curves):
    """The median at the steps that more than half of the curves have.

    A fold that stopped early thus leaves the median, and does not end it.

    Args:
      curves: at least one pair (steps, values), steps without repeats.

    Returns:
      (steps, values).
    """
    steps = np.concatenate([steps for steps, _ in curves])
    values = np.concatenate([values for _, values in curves])
    common, counts = np.unique(steps, return_counts=True)
    common = common[counts > len(curves) / 2]
    return common, np.array([np.median(values[steps == s]) for s in common])


def by_metric(records):
    """Turns the records of one fold's training into curves.

    Args:
      records: dicts of "step" and numbers by name, as returned by `workdir.Fold.read_metrics`.

    Returns:
      dict from a metric's name to (steps, values), two arrays.
    """
    points = {}
    for record in records:
        for name, value in record.items():
            if name != "step":
                points.setdefault(name, []).append((record["step"], value))
    return {
        name: tuple(map(np.asarray, zip(*pairs, strict=True))) for name, pairs in points.items()
    }


def _checked(f_scores):
    f_scores = np.asarray(f_scores, float)
    if f_scores.ndim != 2 or not f_scores.size:
        raise ValueError(f"F-scores are {f_scores.shape}, not (folds, images)")
    outside = ~((f_scores >= 0) & (f_scores <= 1))
    if outside.any():
        raise ValueError(f"F-score {f_scores[outside][0]} is not in [0, 1]")
    return f_scores
