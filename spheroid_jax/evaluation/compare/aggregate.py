"""Averages of scores over images and folds, for the tables of a comparison.

`scores` is an array (folds, images, fields) of one model on one dataset, with the fields of
`metrics.Agreement`.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from spheroid_jax.evaluation import metrics
from spheroid_jax.report import curves

# Scores of one model on the images of one dataset.
Scores = Float[np.ndarray, "folds images fields"]


class OverFolds(NamedTuple):
    """Mean and sample standard deviation of the folds' means.

    With one fold, the standard deviation is NaN.
    """

    mean: float
    std: float


class Tail(NamedTuple):
    """The lower tail of the F-scores of all pairs of fold and image.

    Attributes:
      median: median of F.
      fifth_percentile: fifth percentile of F.
      failed: share of the pairs whose F is below `curves.USABLE_F`.
    """

    median: float
    fifth_percentile: float
    failed: float


def field(scores: Float[np.ndarray, "*axes fields"], name: str) -> Float[np.ndarray, "*axes"]:
    """Returns the values of one field, which is picked from the last axis."""
    return scores[..., metrics.Agreement._fields.index(name)]


def over_folds(values: Float[np.ndarray, "folds images"]) -> OverFolds:
    """Averages over images, then over folds (paper, section 3.1).

    Args:
      values: (folds, images); values that are NaN (not defined) are left out.

    Returns:
      `OverFolds`.
    """
    means = np.nanmean(values, axis=1)
    std = np.std(means, ddof=1) if len(means) > 1 else np.nan
    return OverFolds(float(np.mean(means)), float(std))


def table_2(scores: Scores) -> dict[str, OverFolds]:
    """Computes mean average F-score, precision and recall (paper, table 2).

    Returns:
      dict from "maF", "maP" and "maR" to `OverFolds`.
    """
    names = {"maF": "f_score", "maP": "precision", "maR": "recall"}
    return {heading: over_folds(field(scores, name)) for heading, name in names.items()}


def tail(scores: Scores) -> Tail:
    """Computes the `Tail` of the F-scores."""
    f_scores = field(scores, "f_score").ravel()
    return Tail(
        float(np.median(f_scores)),
        float(np.percentile(f_scores, 5)),
        float(np.mean(f_scores < curves.USABLE_F)),
    )
