"""Thresholds as baselines of a comparison.

On easy images, Otsu's threshold can be better than a network; the tables must show that.
"""

import numpy as np

from spheroid_jax import images
from spheroid_jax.evaluation import metrics
from spheroid_jax.evaluation.compare import runs
from spheroid_jax.inference import conventional, predict


def entries(test: runs.Images, rest: runs.Images) -> tuple[list[runs.Entry], dict[str, str]]:
    """Makes two entries: Otsu's threshold, and the best of all thresholds.

    The best threshold of each dataset has the highest mean F-score on the five partitions that the
    networks were trained and validated on. The test images do not take part in the choice.

    Args:
      test: `runs.Images` of the sixth partition.
      rest: `runs.Images` of the other five partitions.

    Returns:
      list of `runs.Entry`s, and a dict from dataset to the name of the best threshold.
    """
    chosen = {dataset: _best(rest, rest.of(dataset)) for dataset in test.datasets}
    positions = range(len(test.names))
    otsu = [_mask(test, n, "otsu") for n in positions]
    best = [_mask(test, n, chosen[test.names[n][0]]) for n in positions]
    count = len(conventional.THRESHOLDS)
    return [
        runs.baseline_entry("Otsu", otsu, test),
        runs.baseline_entry(f"best of {count} thresholds", best, test),
    ], chosen


def _best(rest, positions):
    """Returns the threshold with the highest mean F-score on the images at some positions."""

    def mean_f_score(method):
        return np.mean(
            [
                metrics.pixel_scores(
                    _mask(rest, n, method), predict.grid_truth(rest.labels[n])
                ).f_score
                for n in positions
            ]
        )

    return max(conventional.THRESHOLDS, key=mean_f_score)


def _mask(of, position, method):
    """Returns the mask of a threshold on the grid; false outside the image."""
    inside = of.labels[position] != images.OUTSIDE
    box = np.ix_(inside.any(1), inside.any(0))
    mask = np.zeros(inside.shape, bool)
    mask[box] = conventional.segment(of.grids[position][box], method)
    return mask
