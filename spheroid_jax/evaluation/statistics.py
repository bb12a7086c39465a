"""Confidence intervals, Wilcoxon tests and Bland-Altman limits for differences between models.

Scores are arrays (folds, images). Images of one group, such as a well or a specimen, resemble each
other, and folds share most of their training images. So the tests compare groups, and the intervals
draw whole groups and whole folds, never single scores.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

DRAWS = 4000
# With fewer groups, bootstrap intervals are too narrow: for normal scores, "95 %" intervals cover
# the true mean in 50 % of the cases with 2 groups, in 74 % with 3 and in 85 % with 5.
BOOTSTRAP_GROUPS = 10
# With fewer groups, no Wilcoxon test reaches p < 0.05: the least p is 2 / 2 ** groups.
TEST_GROUPS = 6
_LEVEL = 0.95
# Bland and Altman's limits hold 95 % of normal differences.
_REACH = 1.96


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval; both ends are NaN if there is no interval."""

    mean: float
    low: float
    high: float


class Paired(NamedTuple):
    """A comparison of two models on the same images.

    Attributes:
      difference: `Interval` of the mean difference, first minus second.
      groups: number of independent pairs.
      p: p-value of the two-sided Wilcoxon signed-rank test over the groups' mean differences; zeros
        are treated as by Pratt (1959).
      effect: matched-pairs rank-biserial correlation (Kerby 2014), in [-1, 1]; 1 means that the
        first model is better on every group. Its value is (R1 - R2) / R, where R1 is the sum of the
        ranks of groups on which the first model is better, R2 is the same for the second model, and
        R is the sum of all ranks. Groups with equal scores have the lowest ranks, as in the test,
        and count neither in R1 nor in R2.
    """

    difference: Interval
    groups: int
    p: float
    effect: float


class Limits(NamedTuple):
    """Agreement of two methods that measured the same things, after Bland and Altman.

    Attributes:
      bias: mean difference, first minus second, with its interval.
      low: lower 95 % limit of agreement, in the field `mean`, with its interval.
      high: upper 95 % limit of agreement, likewise.
      sd: standard deviation of the differences.
      count: number of pairs.
    """

    bias: Interval
    low: Interval
    high: Interval
    sd: float
    count: int


def interval(
    scores: Float[np.ndarray, "folds images"],
    groups: Iterable,
    *,
    bounds: tuple[float, float] = (0, 1),
    draws: int = DRAWS,
) -> Interval:
    """Computes the mean over folds and images, and its 95 % interval.

    The interval is that of `bootstrap` if there are at least `BOOTSTRAP_GROUPS` groups, and that of
    `t_interval` if there are fewer. One group has no interval, because one group says nothing about
    other groups.

    Args:
      scores: scores of each fold on each image.
      groups: label of each image's group.
      bounds: least and greatest possible score; a t interval ends there.
      draws: number of resamples of the bootstrap.
    """
    count = len(set(groups))
    if count == 1:
        return Interval(float(np.mean(scores)), math.nan, math.nan)
    if count < BOOTSTRAP_GROUPS:
        return t_interval(scores, groups, bounds=bounds)
    return bootstrap(scores, groups, draws=draws)


def interval_name(group_counts: Iterable[int], *, over="groups"):
    """Returns the name of the intervals that `interval` computes, for a caption.

    Args:
      group_counts: number of groups of each interval that the caption is about.
      over: the units that vary, "groups" or "groups and folds".

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


def bootstrap(
    scores: Float[np.ndarray, "folds images"],
    groups: Iterable,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Computes the mean over folds and images, with a 95 % percentile interval of the bootstrap.

    Folds and groups are drawn with replacement, independently of each other. A drawn group brings
    all of its images.

    Args:
      scores: scores of each fold on each image.
      groups: label of each image's group.
      draws: number of resamples.
      seed: seed of the draws.
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


def t_interval(
    scores: Float[np.ndarray, "folds images"],
    groups: Iterable,
    *,
    bounds: tuple[float, float] = (0, 1),
) -> Interval:
    """Computes the mean over folds and images, with a 95 % t interval over groups and folds.

    The mean is a weighted mean of the groups' means m_g, where the weight w_g is the group's share
    of the images. Its standard error is

        s sqrt(sum of w_g^2),

    where s is the sample standard deviation of the m_g. For G groups of equal size this is
    s / sqrt(G). The formula assumes the same variance for every m_g, because wells differ more than
    the images of one well.

    The variance of the folds' means, divided by the number of folds, is added to the variance of
    the mean. The degrees of freedom follow from the formula of Welch and Satterthwaite. The
    interval is at least as wide as that of the groups alone, which has G - 1 degrees of freedom.

    For very skewed scores, of which nearly all are at their bound and a few are far from it, the
    interval covers the true mean in fewer than 95 % of the cases; the tests measure how often.

    Args:
      scores: scores of each fold on each image.
      groups: label of each image's group; at least two labels differ.
      bounds: least and greatest possible score; the interval ends there.
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


def paired(
    first: Float[np.ndarray, "folds_1 images"],
    second: Float[np.ndarray, "folds_2 images"],
    groups: Iterable,
) -> Paired:
    """Compares two models by their scores on the same images, averaged over folds.

    Args:
      first: scores of the first model in [0, 1]; higher is better.
      second: scores of the second model; its number of folds may differ.
      groups: label of each image's group.
    """
    difference = np.mean(first, axis=0) - np.mean(second, axis=0)
    members = _membership(groups)
    # Rounded, so that differences that differ by a rounding error have the same rank.
    by_group = np.round(members @ difference / members.sum(axis=1), 12)
    if not by_group.any():
        p, effect = 1.0, 0.0
    else:
        p = float(stats.wilcoxon(by_group, zero_method="pratt").pvalue)
        effect = _rank_biserial(by_group)
    found = interval(difference[np.newaxis], groups, bounds=(-1, 1))
    return Paired(found, len(by_group), p, effect)


def bland_altman(
    first: Float[np.ndarray, " N"],
    second: Float[np.ndarray, " N"],
    groups: Iterable | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Limits:
    """Computes the bias of one method against another, and the 95 % limits of agreement.

        bias = mean of d,   limits = bias +- 1.96 s,   d = first - second,
        SE(bias) = s / sqrt(n),   SE(limit) = s sqrt(1 / n + 1.96^2 / (2 (n - 1))),

    where s is the sample standard deviation of d. An interval is +- t(0.975, n - 1) SE. Of
    logarithms, the exponentials of all numbers are about the ratio first / second.

    Pairs of one group, such as images of one well, are not independent. With `groups`, the
    intervals are percentiles of a bootstrap that draws whole groups; bias and limits are the same.

    Args:
      first: values of one method.
      second: values of the other method for the same things.
      groups: label of each pair's group; None if all pairs are independent.
      draws: number of resamples of the bootstrap.
      seed: seed of the draws.

    Raises:
      ValueError: lengths differ, a value is not finite, or there are fewer than 3 pairs.

    Source: Bland and Altman, Lancet 327, 307, 1986, and Stat. Methods Med. Res. 8, 135, 1999 (not
    read; limits as in Carkeet, Optom. Vis. Sci. 92, e71, 2015, beginning read; errors as in the
    code of blandPower, which cites Lu et al., read).
    """
    if len(first) != len(second):
        raise ValueError(f"first has {len(first)} values and second has {len(second)}")
    difference = first - second
    count = len(difference)
    if count < 3 or not np.all(np.isfinite(difference)):
        raise ValueError(f"needs 3 or more finite pairs, and the differences are {difference}")
    values = _limits(difference, np.ones((1, count)))[0]
    sd = float(np.std(difference, ddof=1))
    if groups is None:
        errors = sd * np.sqrt(1 / count + np.array([0, 1, 1]) * _REACH**2 / (2 * (count - 1)))
        half = _t_quantile(count - 1) * errors
        lows, highs = values - half, values + half
    else:
        members = _membership(groups)
        counts = _resample(np.random.default_rng(seed), len(members), draws) @ members
        lows, highs = np.percentile(_limits(difference, counts), [2.5, 97.5], axis=0)
    ends = zip(values.tolist(), lows.tolist(), highs.tolist(), strict=True)
    bias, low, high = (Interval(*each) for each in ends)
    return Limits(bias, low, high, sd, count)


def adjusted(p_values: Iterable[float]) -> Float[np.ndarray, " comparisons"]:
    """Adjusts p-values for the number of comparisons, by the method of Benjamini and Hochberg."""
    return stats.false_discovery_control(p_values, method="bh")


def _limits(difference, counts):
    """Returns an array (draws, 3): bias, lower and upper limit where each pair counts so often."""
    totals = counts.sum(axis=1)
    bias = counts @ difference / totals
    squares = np.sum(counts * (difference - bias[:, np.newaxis]) ** 2, axis=1)
    reach = _REACH * np.sqrt(squares / np.maximum(totals - 1, 1))
    return np.stack([bias, bias - reach, bias + reach], axis=1)


def _t_quantile(degrees):
    return stats.t.ppf((1 + _LEVEL) / 2, degrees)


def _welch(of_groups, groups, of_folds, folds):
    """Returns half the width of a t interval for a variance of two independent parts."""
    variance = of_groups + of_folds
    if not variance:
        return 0.0
    share = of_groups / variance
    degrees = 1 / (share**2 / (groups - 1) + (1 - share) ** 2 / (folds - 1))
    return _t_quantile(degrees) * math.sqrt(variance)


def _rank_biserial(differences):
    """Returns the rank-biserial correlation, `Paired.effect`, of the groups' differences."""
    ranks = stats.rankdata(np.abs(differences))
    return float(np.sum(np.sign(differences) * ranks) / np.sum(ranks))


def _membership(groups):
    """Returns an array (groups, images): 1 if the image belongs to the group, else 0."""
    _, index = np.unique(list(groups), return_inverse=True)
    return (np.arange(index.max() + 1)[:, np.newaxis] == index).astype(float)


def _resample(rng, count, draws):
    """Returns an array (draws, count): how often each of `count` units was drawn."""
    return rng.multinomial(count, np.full(count, 1 / count), size=draws)
