"""How far a difference between models can be trusted.

Scores are arrays (folds, images). Images of one group (a well, a specimen)
resemble each other, and folds share most of their training images; so the
group is the unit that is drawn and paired, never the single pair of fold and
image.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

DRAWS = 4000


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


class Paired(NamedTuple):
    """A comparison of two models on the same images.

    Attributes:
      difference: `Interval` of the mean difference, first minus second.
      groups: how many independent pairs.
      p: two-sided Wilcoxon signed-rank test over the groups' means.
      effect: matched-pairs rank-biserial correlation, -1 to 1: 1 where the
        first is better on every group (Kerby 2014).
    """

    difference: Interval
    groups: int
    p: float
    effect: float


def bootstrap(scores, groups, *, draws=DRAWS, seed=0):
    """The mean over folds and images, with a 95 % percentile interval.

    Folds and groups are drawn with replacement, each on its own; all images of
    a group come along.

    Args:
      scores: (folds, images).
      groups: label of each image's group.
      draws: resamples.
      seed: of the draws.

    Returns:
      `Interval`.
    """
    members = _membership(groups)
    rng = np.random.default_rng(seed)
    fold_counts = _resample(rng, len(scores), draws)
    image_counts = _resample(rng, len(members), draws) @ members
    sums = np.einsum("df,fi,di->d", fold_counts, scores, image_counts)
    # A draw of large groups holds more images.
    means = sums / (len(scores) * image_counts.sum(axis=1))
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(np.mean(scores)), float(low), float(high))


def paired(first, second, groups):
    """Compares two models, image by image, each averaged over its folds.

    Args:
      first: (folds, images), scores of which more is better.
      second: likewise; the number of folds may differ.
      groups: label of each image's group.

    Returns:
      `Paired`.
    """
    difference = np.mean(first, axis=0) - np.mean(second, axis=0)
    members = _membership(groups)
    # What differs by rounding alone is equal, or of equal rank.
    by_group = np.round(members @ difference / members.sum(axis=1), 12)
    if not by_group.any():
        p, effect = 1.0, 0.0
    else:
        p = float(stats.wilcoxon(by_group, zero_method="pratt").pvalue)
        effect = _rank_biserial(by_group)
    interval = bootstrap(difference[np.newaxis], groups)
    return Paired(interval, len(by_group), p, effect)


def adjusted(p_values):
    """P-values for several comparisons at once (Benjamini and Hochberg)."""
    return stats.false_discovery_control(p_values, method="bh")


def _rank_biserial(differences):
    """(sum of positive ranks - of negative ones) / sum of all."""
    there = differences[differences != 0]
    ranks = stats.rankdata(np.abs(there))
    return float(np.sum(np.sign(there) * ranks) / np.sum(ranks))


def _membership(groups):
    """(groups, images): 1 where the image is of the group."""
    _, index = np.unique(list(groups), return_inverse=True)
    return (np.arange(index.max() + 1)[:, np.newaxis] == index).astype(float)


def _resample(rng, count, draws):
    """(draws, count): how often each of `count` was drawn."""
    return rng.multinomial(count, np.full(count, 1 / count), size=draws)
