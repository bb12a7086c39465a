"""From the scores of single images to the numbers of the tables.

`scores` is an array (folds, images, fields) with the fields of
`metrics.Agreement`, of one model on the images of one dataset.
"""

from typing import NamedTuple

import numpy as np

from spheroid_jax.evaluation import metrics
from spheroid_jax.report import curves


class OverFolds(NamedTuple):
    """Mean and sample standard deviation of the folds' means.

    The standard deviation of a single fold is NaN.
    """

    mean: float
    std: float


class Tail(NamedTuple):
    """The F-scores that a screen notices, of all pairs of fold and image.

    Attributes:
      median: of F.
      fifth_percentile: of F.
      failed: share of F below `curves.USABLE_F`.
    """

    median: float
    fifth_percentile: float
    failed: float


def field(scores, name):
    """(folds, images) of one field."""
    return scores[..., metrics.Agreement._fields.index(name)]


def over_folds(values):
    """Averages over images, then over folds (paper, section 3.1).

    Args:
      values: (folds, images); NaN where a score is not defined.

    Returns:
      `OverFolds`.
    """
    means = np.nanmean(values, axis=1)
    std = np.std(means, ddof=1) if len(means) > 1 else np.nan
    return OverFolds(float(np.mean(means)), float(std))


def table_2(scores):
    """Mean average F-score, precision and recall (paper, table 2).

    Returns:
      dict from "maF", "maP", "maR" to `OverFolds`.
    """
    names = {"maF": "f_score", "maP": "precision", "maR": "recall"}
    return {heading: over_folds(field(scores, name)) for heading, name in names.items()}


def tail(scores):
    """Computes the `Tail` of the F-scores."""
    f_scores = field(scores, "f_score").ravel()
    return Tail(
        float(np.median(f_scores)),
        float(np.percentile(f_scores, 5)),
        float(np.mean(f_scores < curves.USABLE_F)),
    )
