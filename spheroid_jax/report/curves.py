"""Curves that the figures draw: percentages above a threshold, medians over folds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Num
from numpy.typing import ArrayLike

# The paper's 100 regular intervals. These are exact hundredths, unlike those of linspace.
THRESHOLDS = np.arange(101) / 100
# Below this F-score, a body's size cannot be measured usefully (our choice).
USABLE_F = 0.7

# Steps and the values at these steps.
Curve = tuple[Num[np.ndarray, " _steps"], Num[np.ndarray, " _steps"]]


class Interval(NamedTuple):
    """Percentages of images at each of T thresholds: of each fold, and over the folds."""

    folds: Float[np.ndarray, "folds T"]
    minimum: Float[np.ndarray, " T"]
    median: Float[np.ndarray, " T"]
    maximum: Float[np.ndarray, " T"]


def percentage_above(f_scores: ArrayLike, thresholds: ArrayLike = THRESHOLDS) -> Interval:
    """Computes the percentage of images above each threshold (paper, figure 5).

    Above means strictly above: at threshold 0 the images that were missed (F = 0) do not count, and
    at threshold 1 the percentage is 0 even if every image is perfect.

    Args:
      f_scores: (folds, images), in [0, 1].
      thresholds: (T,), in [0, 1].

    Returns:
      `Interval`, with minimum, median and maximum over the folds.

    Raises:
      ValueError: there is no score, or a score is not in [0, 1].
    """
    f_scores = _checked(f_scores)
    above = f_scores[:, np.newaxis] > np.asarray(thresholds)[:, np.newaxis]
    folds = 100 * above.mean(axis=-1)
    return Interval(folds, folds.min(axis=0), np.median(folds, axis=0), folds.max(axis=0))


def image_means(f_scores: ArrayLike) -> Float[np.ndarray, " images"]:
    """Averages each image's F-score over the folds.

    Args:
      f_scores: (folds, images), in [0, 1].

    Returns:
      (images,).

    Raises:
      ValueError: there is no score, or a score is not in [0, 1].
    """
    return _checked(f_scores).mean(axis=0)


def median_curve(curves: Sequence[Curve]) -> Curve:
    """Computes the median of curves, at the steps that more than half of the curves have.

    So the median goes on where one fold stopped early.

    Args:
      curves: at least one pair (steps, values); no step repeats within a curve.

    Returns:
      A pair (steps, values).
    """
    steps = np.concatenate([steps for steps, _ in curves])
    values = np.concatenate([values for _, values in curves])
    common, counts = np.unique(steps, return_counts=True)
    common = common[counts > len(curves) / 2]
    return common, np.array([np.median(values[steps == s]) for s in common])


def by_metric(records: Iterable[Mapping[str, float]]) -> dict[str, Curve]:
    """Turns the records of one fold's training into curves.

    Args:
      records: dicts with "step" and metrics by name, as returned by `workdir.Fold.read_metrics`.

    Returns:
      dict from a metric's name to a pair of arrays (steps, values).
    """
    points = {}
    for record in records:
        for name, value in record.items():
            if name != "step":
                points.setdefault(name, []).append((record["step"], value))
    return {
        name: (np.array([step for step, _ in pairs]), np.array([value for _, value in pairs]))
        for name, pairs in points.items()
    }


def _checked(f_scores):
    """Returns F-scores as an array; raises ValueError for a wrong shape or value."""
    f_scores = np.asarray(f_scores, float)
    if f_scores.ndim != 2 or not f_scores.size:
        raise ValueError(f"F-scores are {f_scores.shape}, not (folds, images)")
    outside = ~((f_scores >= 0) & (f_scores <= 1))
    if outside.any():
        raise ValueError(f"F-score {f_scores[outside][0]} is not in [0, 1]")
    return f_scores
