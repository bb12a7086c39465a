"""Comparisons of conditions: Welch and Mann-Whitney tests, Holm adjustment, effect sizes.

Wells are technical replicates, and experiments (or plates) are biological replicates. So where the
values come from two or more experiments, the values of a condition are first averaged within each
experiment, and n is the number of experiments. Where all values come from one experiment, n is the
number of wells, and the result says that these are technical replicates only.

A value of NaN is a missing well, such as a refused one; it counts in no group.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Num
from scipy import special, stats

from spheroid_jax.plates import effects
from spheroid_jax.plates.estimate import Estimate

Test = Literal["welch", "mann-whitney"]
Scale = Literal["difference", "ratio"]


class Comparison(NamedTuple):
    """Two conditions compared.

    Attributes:
      first: name of the condition.
      second: name of the condition it is compared with, such as the control.
      n_first: number of replicates of the first condition.
      n_second: number of replicates of the second condition.
      replicates: what n counts, such as "n = 3 experiments".
      change: first minus second, or first / second, with its 95 % interval.
      effect: Hedges' g (Welch) or Cliff's delta (Mann-Whitney), with its 95 % interval; above 0
        where the first condition is larger.
      p: two-sided p-value.
      p_holm: p adjusted by Holm's method for all comparisons that have a p.
      note: why there is no p, or empty.
    """

    first: str
    second: str
    n_first: int
    n_second: int
    replicates: str
    change: Estimate
    effect: Estimate
    p: float
    p_holm: float
    note: str = ""


class Overall(NamedTuple):
    """Test of all conditions together: Welch's ANOVA, or Kruskal and Wallis.

    Attributes:
      statistic: F of Welch's ANOVA, or H.
      p: p-value.
      conditions: number of conditions compared.
      note: why there is no p, or empty.
    """

    statistic: float
    p: float
    conditions: int
    note: str = ""


def compare(
    groups: Mapping[str, Num[np.ndarray, " _N"]],
    *,
    control: str | None,
    units: Mapping[str, Sequence[Hashable]] | None = None,
    test: Test = "welch",
    scale: Scale = "difference",
) -> tuple[Comparison, ...]:
    """Compares conditions with the control, or all pairs of conditions.

    Welch's t test goes with the difference of means, its interval with the degrees of freedom of
    Welch and Satterthwaite, and Hedges' g. Mann and Whitney's test (exact for up to 8 replicates
    without ties, and by permutation for few replicates with ties) goes with Hodges and Lehmann's
    shift and Cliff's delta. With the scale "ratio", which suits sizes, the logarithms are compared,
    and the change is a ratio, for Welch that of geometric means.

    The tests are unpaired: experiments that differ much widen the intervals.

    Source of the adjustment: S. Holm, Scand. J. Stat. 6, 65, 1979. Experiments as n: S. Lord et
    al., J. Cell Biol. 219, e202001064, 2020.

    Args:
      groups: values of each condition's wells; NaN where a well is missing.
      control: name of the control, or None for all pairs.
      units: experiment (or plate) of each value; None if all are of one experiment.
      test: "welch" or "mann-whitney".
      scale: "difference" or "ratio".

    Returns:
      One `Comparison` per condition other than the control, or per pair, in the order of `groups`.

    Raises:
      ValueError: there is no such control, lengths differ, or a value is infinite, or not above 0
        on the scale "ratio".
    """
    if control is not None and control not in groups:
        raise ValueError(f"control {control!r} is not among the conditions {sorted(groups)}")
    replicates, unit = _replicates(groups, units, scale)
    names = list(groups)
    if control is None:
        pairs = [(b, a) for n, a in enumerate(names) for b in names[n + 1 :]]
    else:
        pairs = [(name, control) for name in names if name != control]
    found = [_pair(a, b, replicates, unit, test, scale) for a, b in pairs]
    holm = adjusted(np.array([each.p for each in found], float))
    return tuple(each._replace(p_holm=float(p)) for each, p in zip(found, holm, strict=True))


def overall(
    groups: Mapping[str, Num[np.ndarray, " _N"]],
    *,
    units: Mapping[str, Sequence[Hashable]] | None = None,
    test: Test = "welch",
    scale: Scale = "difference",
) -> Overall:
    """Tests whether any condition differs: Welch's ANOVA, or Kruskal and Wallis.

    The replicates are those of `compare`; conditions with fewer than 2 are left out.

    Source: B. Welch, Biometrika 38, 330, 1951 (scipy.stats.f_oneway); W. Kruskal and W. Wallis, J.
    Am. Stat. Assoc. 47, 583, 1952 (scipy.stats.kruskal).

    Args:
      groups: values of each condition's wells; NaN where a well is missing.
      units: experiment (or plate) of each value; None if all are of one experiment.
      test: "welch" or "mann-whitney".
      scale: "difference" or "ratio".
    """
    replicates, unit = _replicates(groups, units, scale)
    enough = [values for values in replicates.values() if len(values) > 1]
    if len(enough) < 2:
        note = f"needs 2 conditions of 2 {unit}"
        return Overall(math.nan, math.nan, len(enough), note)
    if test == "welch" and any(np.ptp(values) == 0 for values in enough):
        return Overall(math.nan, math.nan, len(enough), "a condition does not vary")
    if np.ptp(np.concatenate(enough)) == 0:
        return Overall(math.nan, math.nan, len(enough), "the conditions do not vary")
    if test == "welch":
        statistic, p = stats.f_oneway(*enough, equal_var=False)
    else:
        statistic, p = stats.kruskal(*enough)
    return Overall(float(statistic), float(p), len(enough))


def adjusted(p_values: Float[np.ndarray, " C"]) -> Float[np.ndarray, " C"]:
    """Adjusts p-values for the number of comparisons, by Holm's step-down method.

    The i-th smallest of m p-values becomes max over j <= i of min(1, (m - j + 1) p_j). NaN is no
    comparison: it stays NaN and does not count in m.

    Source: S. Holm, Scand. J. Stat. 6, 65, 1979.

    Args:
      p_values: p-values in [0, 1], or NaN.
    """
    found = np.full(p_values.shape, math.nan)
    order = np.argsort(p_values)[: np.count_nonzero(~np.isnan(p_values))]
    factors = np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(factors * p_values[order]), 1)
    return found


def _replicates(groups, units, scale):
    """Returns the replicates of each condition, and what they are: experiments or wells."""
    values, labels = {}, {}
    for name, given in groups.items():
        given = np.asarray(given, float)
        of = list(units[name]) if units is not None else [None] * len(given)
        if len(of) != len(given):
            raise ValueError(f"{name}: {len(given)} values and {len(of)} units")
        wrong = given[np.isinf(given) | ((given <= 0) & (scale == "ratio"))]
        if len(wrong):
            expected = "a number above 0" if scale == "ratio" else "finite"
            raise ValueError(f"{name}: value {wrong[0]:g} is not {expected}")
        present = ~np.isnan(given)
        values[name] = np.log(given[present]) if scale == "ratio" else given[present]
        labels[name] = [label for label, there in zip(of, present, strict=True) if there]
    if len({label for of in labels.values() for label in of}) < 2:
        return values, "wells"
    return {name: _means(values[name], labels[name]) for name in groups}, "experiments"


def _means(values, labels):
    members = {}
    for value, label in zip(values, labels, strict=True):
        members.setdefault(label, []).append(value)
    return np.array([np.mean(each) for each in members.values()])


def _pair(first, second, replicates, unit, test, scale):
    x, y = replicates[first], replicates[second]
    none = Comparison(
        first,
        second,
        len(x),
        len(y),
        _count(len(x), len(y), unit),
        Estimate(),
        Estimate(),
        math.nan,
        math.nan,
    )
    if min(len(x), len(y)) < 2:
        return none._replace(change=_change(x, y, scale), note=f"needs 2 {unit} of each condition")
    if np.ptp(x) == np.ptp(y) == 0 and test == "welch":
        return none._replace(change=_change(x, y, scale), note="the conditions do not vary")
    compared = _welch(x, y) if test == "welch" else _mann_whitney(x, y)
    change, effect, p = compared
    if scale == "ratio":
        change = Estimate(*(_exp(end) for end in change))
    return none._replace(change=change, effect=effect, p=p)


def _change(x, y, scale):
    """Returns the difference or ratio of means without an interval."""
    if not (len(x) and len(y)):
        return Estimate()
    difference = float(np.mean(x) - np.mean(y))
    return Estimate(_exp(difference) if scale == "ratio" else difference)


def _exp(value):
    """Returns exp(value), which is inf where it is too large for a number."""
    return float(special.exp10(value / math.log(10)))


def _welch(x, y):
    result = stats.ttest_ind(x, y, equal_var=False)
    low, high = result.confidence_interval(0.95)
    difference = Estimate(float(np.mean(x) - np.mean(y)), float(low), float(high))
    return difference, effects.hedges_g(x, y), float(result.pvalue)


def _mann_whitney(x, y):
    tied = len(set(x) | set(y)) < len(x) + len(y)
    if tied and min(len(x), len(y)) <= 8:
        method = stats.PermutationMethod(n_resamples=9999, rng=np.random.default_rng(0))
    else:
        method = "auto"
    p = float(stats.mannwhitneyu(x, y, method=method).pvalue)
    return effects.shift(x, y), effects.cliffs_delta(x, y), p


def _count(n_first, n_second, unit):
    number = str(n_first) if n_first == n_second else f"{n_first} and {n_second}"
    if unit == "experiments":
        return f"n = {number} experiments"
    return f"n = {number} wells of one experiment: technical replicates only"
