"""Confidence intervals and Wilcoxon tests for differences between models.

Scores are arrays (folds, images). Images of one group (a well, a specimen) resemble each other, and
folds share most of their training images. So the group is the unit that is drawn and paired, never
the single pair of fold and image.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import stats

DRAWS = 4000
# The bootstrap's intervals are too narrow for fewer groups: its "95 %" intervals cover the true
# mean in 50 % of the cases with 2 groups, 74 % with 3 and 85 % with 5 (normal scores).
BOOTSTRAP_GROUPS = 10
# With fewer groups, no Wilcoxon test reaches p < 0.05: the least p is 2 / 2 ** groups.
TEST_GROUPS = 6
_LEVEL = 0.95


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval; both ends are NaN where there is no interval."""

    mean: float
    low: float
    high: float


class Paired(NamedTuple):
    """A comparison of two models on the same images.

    Attributes:
      difference: `Interval` of the mean difference, first minus second.
      groups: number of independent pairs.
      p: p-value of the two-sided Wilcoxon signed-rank test over the groups' mean differences, with
        zeros as in Pratt (1959).
      effect: matched-pairs rank-biserial correlation (Kerby 2014), in [-1, 1]: the rank sum of the
        groups on which the first model is better, minus the rank sum of those on which the second
        one is better, over the sum of all ranks. Groups with equal scores have the lowest ranks, as
        in the test, and count for neither model. So 1 means that the first model is better on every
        group.
    """

    difference: Interval
    groups: int
    p: float
    effect: float


def interval(scores, groups, *, bounds=(0, 1), draws=DRAWS):
    """Computes the mean over folds and images, and its 95 % interval.

    From `BOOTSTRAP_GROUPS` groups on, the interval is the percentile interval of `bootstrap`. With
    fewer groups, the interval is that of `t_interval`. With one group there is none, because
    nothing is known about other groups.

    Args:
      scores: (folds, images).
      groups: label of each image's group.
      bounds: least and greatest value that a score can have; the t interval ends there.
      draws: number of resamples of the bootstrap.

    Returns:
      `Interval`.
    """
    count = len(set(groups))
    if count == 1:
        return Interval(float(np.mean(scores)), math.nan, math.nan)
    if count < BOOTSTRAP_GROUPS:
        return t_interval(scores, groups, bounds=bounds)
    return bootstrap(scores, groups, draws=draws)


def interval_name(group_counts: Iterable[int], *, over="groups"):
    """Names the kinds of interval that `interval` computes, for a caption.

    Args:
      group_counts: number of groups behind each interval that the caption is about.
      over: what varies: "groups", or "groups and folds".

    Returns:
      A phrase such as "95 % t interval over groups".
    """
    counts = set(group_counts)
    kinds = []
    if any(count >= BOOTSTRAP_GROUPS for count in counts):
        kinds.append((f"bootstrap interval over {over}", f"from {BOOTSTRAP_GROUPS} groups on"))
    if any(1 < count < BOOTSTRAP_GROUPS for count in counts):
        kinds.append((f"t interval over {over}", "below"))
    if not kinds:
        return "no interval, because there is one group"
    without = "; none for one group" if 1 in counts else ""
    if len(kinds) == 1:
        return f"95 % {kinds[0][0]}{without}"
    return "95 % " + ", ".join(f"{kind} {when}" for kind, when in kinds) + without


def bootstrap(scores, groups, *, draws=DRAWS, seed=0):
    """Computes the mean over folds and images, with a 95 % percentile interval.

    Folds and groups are drawn with replacement, independently of each other. All images of a drawn
    group are taken.

    Args:
      scores: (folds, images).
      groups: label of each image's group.
      draws: number of resamples.
      seed: seed of the draws.

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


def t_interval(scores, groups, *, bounds=(0, 1)):
    """Computes the mean over folds and images, with a 95 % t interval over groups and folds.

    The mean is the groups' means m_g weighted by their shares w_g of the images. With s the sample
    standard deviation of the m_g, the mean's standard error is

        s sqrt(sum of w_g^2),

    which is s / sqrt(G) for G groups of one size, and larger otherwise. Every m_g is taken to have
    the same variance, because wells differ more than the images of one well. The variance of the
    folds' means, over the number of folds, is added; Welch and Satterthwaite's formula then gives
    the degrees of freedom. The interval is never narrower than that of the groups alone, with G - 1
    degrees of freedom.

    Scores that are very skewed, nearly all at their bound and a few far from it, are covered less
    often than in 95 % of the cases. The tests say how often.

    Args:
      scores: (folds, images).
      groups: label of each image's group; at least two differ.
      bounds: least and greatest value that a score can have; the interval ends there.

    Returns:
      `Interval`.
    """
    scores = np.asarray(scores)
    members = _membership(groups)
    sizes = members.sum(axis=1)
    shares = sizes / sizes.sum()
    group_means = members @ scores.mean(axis=0) / sizes
    of_groups = np.var(group_means, ddof=1) * np.sum(shares**2)
    half = _t_quantile(len(members) - 1) * math.sqrt(of_groups)
    if len(scores) > 1:
        of_folds = np.var(scores.mean(axis=1), ddof=1) / len(scores)
        half = max(half, _welch(of_groups, len(members), of_folds, len(scores)))
    mean = float(np.mean(scores))
    return Interval(mean, max(mean - half, bounds[0]), min(mean + half, bounds[1]))


def paired(first, second, groups):
    """Compares two models, image by image, each averaged over its folds.

    Args:
      first: (folds, images), scores in [0, 1] of which more is better.
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
    found = interval(difference[np.newaxis], groups, bounds=(-1, 1))
    return Paired(found, len(by_group), p, effect)


def adjusted(p_values):
    """Adjusts p-values for the number of comparisons (Benjamini and Hochberg)."""
    return stats.false_discovery_control(p_values, method="bh")


def _t_quantile(degrees):
    return stats.t.ppf((1 + _LEVEL) / 2, degrees)


def _welch(of_groups, groups, of_folds, folds):
    """Half the width of a t interval whose variance has two independent parts."""
    variance = of_groups + of_folds
    if not variance:
        return 0.0
    share = of_groups / variance
    degrees = 1 / (share**2 / (groups - 1) + (1 - share) ** 2 / (folds - 1))
    return _t_quantile(degrees) * math.sqrt(variance)


def _rank_biserial(differences):
    """The rank-biserial correlation of `Paired`; zeros take part in the ranking."""
    ranks = stats.rankdata(np.abs(differences))
    return float(np.sum(np.sign(differences) * ranks) / np.sum(ranks))


def _membership(groups):
    """(groups, images): 1 where the image belongs to the group, else 0."""
    _, index = np.unique(list(groups), return_inverse=True)
    return (np.arange(index.max() + 1)[:, np.newaxis] == index).astype(float)


def _resample(rng, count, draws):
    """(draws, count): how often each of `count` was drawn."""
    return rng.multinomial(count, np.full(count, 1 / count), size=draws)
