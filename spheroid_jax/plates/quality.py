"""Quality of a plate: Z', SSMD, CV of controls, edge effect, drift, and refused wells by dose.

A value of NaN is a missing well, such as a refused one; it counts in no group. Only wells whose
condition the caller names are compared: a well that is missing from the plate map has the condition
None and belongs to no group. A result that cannot be computed is NaN, and its `note` says why.
"""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, Num
from scipy import stats

# Of a normal distribution, 1.4826 MAD is the standard deviation.
_MAD_SCALE = 1.4826
_DRAWS = 4999
_WARNS_BELOW = 0.05


class Separation(NamedTuple):
    """How well the positive control differs from the negative control.

    Attributes:
      value: from means and standard deviations.
      robust: the same from medians and 1.4826 MAD.
      n_positive: number of wells of the positive control with a value.
      n_negative: number of wells of the negative control with a value.
      note: why a value is NaN, or empty.
    """

    value: float
    robust: float
    n_positive: int
    n_negative: int
    note: str = ""


class Spread(NamedTuple):
    """Coefficient of variation in percent, and its robust form, 100 x 1.4826 MAD / median."""

    percent: float
    robust_percent: float
    n: int
    note: str = ""


class Edge(NamedTuple):
    """Outer against inner wells.

    Attributes:
      ratio: outer / inner, within conditions; below 1 where outer wells are smaller.
      p: two-sided p-value of the stratified rank test.
      n_outer: number of outer wells compared.
      n_inner: number of inner wells compared.
      note: why a value is NaN, or empty.
    """

    ratio: float
    p: float
    n_outer: int
    n_inner: int
    note: str = ""


class Drift(NamedTuple):
    """Trend over the rows or the columns of a plate.

    Attributes:
      percent: change from the first to the last row (or column) of the wells compared.
      p: two-sided p-value of the stratified rank test.
      n: number of wells compared.
      note: why a value is NaN, or empty.
    """

    percent: float
    p: float
    n: int
    note: str = ""


class Refusals(NamedTuple):
    """Refused wells by dose; the three arrays have one entry per dose, in rising order.

    Attributes:
      doses: the doses; 0 is the negative control.
      refused: number of refused wells.
      wells: number of wells.
      p: one-sided p-value of a rising trend (Cochran and Armitage, by permutation).
      warning: one sentence for the reader if the share rises, or empty.
      note: why p is NaN, or empty.
    """

    doses: Float[np.ndarray, " D"]
    refused: Integer[np.ndarray, " D"]
    wells: Integer[np.ndarray, " D"]
    p: float
    warning: str = ""
    note: str = ""


def z_prime(positive: Num[np.ndarray, " P"], negative: Num[np.ndarray, " N"]) -> Separation:
    """Computes Z' of a plate's controls.

        Z' = 1 - 3 (sd_pos + sd_neg) / |mean_pos - mean_neg|

    Z' is at most 1; above 0.5 an assay is called excellent, and below 0 the controls overlap. Its
    limits were made for biochemical screens: spheroid controls often differ too little for 0.5.
    SSMD suits moderate controls better.

    Source: J.-H. Zhang, T. Chung and K. Oldenburg, J. Biomol. Screen. 4, 67, 1999. Robust form:
    A. Birmingham et al., Nat. Methods 6, 569, 2009.

    Args:
      positive: values of the positive control's wells; NaN where a well is missing.
      negative: values of the negative control's wells.
    """

    def formula(centre_p, spread_p, centre_n, spread_n):
        distance = abs(centre_p - centre_n)
        return 1 - 3 * (spread_p + spread_n) / distance if distance else math.nan

    return _separation(formula, positive, negative, "the controls do not differ")


def ssmd(positive: Num[np.ndarray, " P"], negative: Num[np.ndarray, " N"]) -> Separation:
    """Computes the strictly standardized mean difference, positive minus negative control.

        SSMD = (mean_pos - mean_neg) / sqrt(sd_pos^2 + sd_neg^2)

    SSMD is negative where the positive control shrinks spheroids. An absolute value of 2 or more is
    a strong effect, and 3 or more is very strong.

    Source: X. D. Zhang, Genomics 89, 552, 2007 (the formula as in the HCS tools of KNIME).

    Args:
      positive: values of the positive control's wells; NaN where a well is missing.
      negative: values of the negative control's wells.
    """

    def formula(centre_p, spread_p, centre_n, spread_n):
        spread = math.hypot(spread_p, spread_n)
        return (centre_p - centre_n) / spread if spread else math.nan

    return _separation(formula, positive, negative, "the controls do not vary")


def cv_percent(controls: Num[np.ndarray, " N"]) -> Spread:
    """Computes the coefficient of variation of wells that should be alike, 100 sd / |mean|.

    Args:
      controls: values of one condition's wells; NaN where a well is missing.
    """
    values = _present(controls)
    if len(values) < 2:
        return Spread(math.nan, math.nan, len(values), "needs 2 wells")
    mean, sd = _moments(values)
    median, mad = _robust_moments(values)
    return Spread(
        100 * sd / abs(mean) if mean else math.nan,
        100 * mad / abs(median) if median else math.nan,
        len(values),
        "" if mean and median else "the mean or the median is 0",
    )


def edge_effect(
    values: Num[np.ndarray, " N"],
    conditions: Sequence[Hashable | None],
    rows: Integer[np.ndarray, " N"],
    columns: Integer[np.ndarray, " N"],
    *,
    shape: tuple[int, int],
) -> Edge:
    """Compares the outer wells of a plate with its inner wells of the same condition.

    Only conditions with wells of both kinds count, so the layout of the plate does not confound the
    result. The ratio is the weighted geometric mean over these conditions g of

        median of outer wells / median of inner wells

    with the weights n_outer n_inner / (n_outer + n_inner). The p-value is that of van Elteren's
    stratified rank test, by permutation within conditions.

    Source of the test: P. van Elteren, Bull. Int. Stat. Inst. 37, 351, 1960 (weights 1 / (n_g + 1),
    as in SAS NPAR1WAY).

    Args:
      values: sizes, above 0; NaN where a well is missing.
      conditions: condition of each well, such as (treatment, dose); None for a well that is not on
        the map.
      rows: row of each well, from 0.
      columns: column of each well, from 0.
      shape: numbers of rows and columns of the plate.

    Raises:
      ValueError: lengths differ, a size is not above 0, or a well is outside the plate.
    """
    place = np.stack([rows, columns])
    last = np.array(shape)[:, np.newaxis] - 1
    if ((place < 0) | (place > last)).any():
        raise ValueError(f"a well is outside the plate of {shape[0]} x {shape[1]} wells")
    outer = ((place == 0) | (place == last)).any(axis=0)
    strata = _strata(values, conditions, outer)
    if not strata:
        note = "needs a condition with outer and inner wells"
        return Edge(math.nan, math.nan, 0, 0, note)
    logs, weights = [], []
    for logarithms, is_outer in strata:
        logs.append(_log_median(logarithms[is_outer]) - _log_median(logarithms[~is_outer]))
        weights.append(is_outer.sum() * (~is_outer).sum() / len(is_outer))
    n_outer = sum(int(is_outer.sum()) for _, is_outer in strata)
    n = sum(len(is_outer) for _, is_outer in strata)
    ratio = math.exp(np.average(logs, weights=weights))
    return Edge(ratio, _permutation_p(strata), n_outer, n - n_outer)


def drift(
    values: Num[np.ndarray, " N"],
    conditions: Sequence[Hashable | None],
    places: Integer[np.ndarray, " N"],
) -> Drift:
    """Estimates the trend of sizes over the rows, or over the columns, of a plate.

    Only wells of the same condition are compared with each other, so a dose that rises over the
    columns is no drift. The slope is the median of (ln v_j - ln v_i) / (place_j - place_i) over all
    pairs of wells of one condition at different places, and

        percent = 100 (exp(slope x (last place - first place)) - 1).

    p is that of the sum over conditions of the covariance of ranks and places, by permutation
    within conditions.

    Source of the slope: R. Hirsch, J. Slack and R. Smith, Water Resour. Res. 18, 107, 1982 (Theil
    and Sen's slope within strata; source not read).

    Args:
      values: sizes, above 0; NaN where a well is missing.
      conditions: condition of each well; None for a well that is not on the map.
      places: row of each well, or column of each well.

    Raises:
      ValueError: lengths differ, or a size is not above 0.
    """
    strata = _strata(values, conditions, places)
    if not strata:
        note = "needs a condition at several places: else drift and conditions are the same"
        return Drift(math.nan, math.nan, 0, note)
    slopes = np.concatenate([_slopes(logarithms, at) for logarithms, at in strata])
    where = np.concatenate([at for _, at in strata])
    percent = 100 * math.expm1(np.median(slopes) * np.ptp(where))
    return Drift(percent, _permutation_p(strata), len(where))


def refused_by_dose(
    doses: Num[np.ndarray, " N"], refused: Bool[np.ndarray, " N"], *, unit: str = ""
) -> Refusals:
    """Tests whether the share of refused wells rises with the dose.

    A drug that dissolves spheroids leaves bodies that are refused. To drop these wells in silence
    would make the drug look harmless. The test is that of Cochran and Armitage with the scores 0,
    1, 2, ... in order of the doses, one-sided; its p-value is by permutation, because the counts
    are small.

    Source: P. Armitage, Biometrics 11, 375, 1955 (the statistic as in SAS FREQ).

    Args:
      doses: dose of each well of one drug; 0 for the wells of the negative control.
      refused: whether the well was refused.
      unit: unit of the doses, for the warning.

    Raises:
      ValueError: a dose is negative or not finite.
    """
    doses = np.asarray(doses, float)
    wrong = doses[~(np.isfinite(doses) & (doses >= 0))]
    if len(wrong):
        raise ValueError(f"dose {wrong[0]:g} is not a number from 0 on")
    levels, score = np.unique(doses, return_inverse=True)
    wells = np.bincount(score, minlength=len(levels))
    lost = np.bincount(score[refused], minlength=len(levels))
    if len(levels) < 2 or not lost.any() or lost.sum() == len(doses):
        many = "every well was refused" if lost.any() else "no well was refused"
        note = many if len(levels) > 1 else "needs 2 doses"
        return Refusals(levels, lost, wells, math.nan, note=note)
    p = _permutation_p([(refused.astype(float), score)], rising=True)
    found = Refusals(levels, lost, wells, p)
    return found._replace(warning=_warning(found, unit)) if p < _WARNS_BELOW else found


def _warning(found, unit):
    shares = ", ".join(
        f"{lost} of {wells} at {dose:g}{f' {unit}' if unit and dose else ''}"
        for dose, lost, wells in zip(found.doses, found.refused, found.wells, strict=True)
        if lost or dose in (found.doses[0], found.doses[-1])
    )
    return (
        f"refused wells rise with dose: {shares} (p = {found.p:.2g}): the drug may dissolve "
        "spheroids; refused wells are missing, not zero"
    )


def _separation(formula, positive, negative, degenerate):
    positive, negative = _present(positive), _present(negative)
    sizes = len(positive), len(negative)
    if min(sizes) < 2:
        return Separation(math.nan, math.nan, *sizes, "needs 2 wells of each control")
    value = formula(*_moments(positive), *_moments(negative))
    robust = formula(*_robust_moments(positive), *_robust_moments(negative))
    return Separation(
        value, robust, *sizes, degenerate if math.isnan(value) or math.isnan(robust) else ""
    )


def _present(values):
    values = np.asarray(values, float)
    return values[~np.isnan(values)]


def _moments(values):
    return float(np.mean(values)), float(np.std(values, ddof=1))


def _robust_moments(values):
    return float(np.median(values)), _MAD_SCALE * float(stats.median_abs_deviation(values))


def _strata(values, conditions, places):
    """Returns pairs (logarithms, places), one per condition with wells at several places.

    Wells are sorted, so that the order in which they are given does not change any result.
    """
    if not len(values) == len(conditions) == len(places):
        lengths = f"{len(values)} values, {len(conditions)} conditions, {len(places)} places"
        raise ValueError(f"one condition and one place per value: {lengths}")
    wrong = np.asarray(values)[np.asarray(values) <= 0]
    if len(wrong):
        raise ValueError(f"size {wrong[0]:g} is not above 0")
    groups = {}
    for value, condition, place in zip(values, conditions, places, strict=True):
        if condition is not None and not np.isnan(value):
            groups.setdefault(condition, []).append((place, math.log(value)))
    strata = []
    for _, wells in sorted(groups.items(), key=lambda group: str(group[0])):
        at, logarithms = (np.array(part) for part in zip(*sorted(wells), strict=True))
        if len(set(at)) > 1:
            strata.append((logarithms, at))
    return strata


def _log_median(logarithms):
    """Returns the logarithm of the median size, which is not the median of the logarithms."""
    return math.log(np.median(np.exp(logarithms)))


def _slopes(logarithms, places):
    first, second = np.triu_indices(len(places), 1)
    apart = places[second] - places[first]
    rise = logarithms[second] - logarithms[first]
    return rise[apart != 0] / apart[apart != 0]


def _permutation_p(strata, *, rising=False):
    """Returns the p-value of a trend of values over places within strata.

    The statistic is the sum over strata g of sum(rank x (place - mean place)) / (n_g + 1), where
    the ranks are within the stratum. Places of 0 and 1 make it that of van Elteren.
    """
    rng = np.random.default_rng(0)
    observed, drawn = 0.0, np.zeros(_DRAWS)
    for values, places in strata:
        ranks = stats.rankdata(values) / (len(values) + 1)
        centred = places - np.mean(places)
        observed += ranks @ centred
        drawn += rng.permuted(np.tile(ranks, (_DRAWS, 1)), axis=1) @ centred
    if not rising:
        observed, drawn = abs(observed), np.abs(drawn)
    # A rounding error must not part draws that are as extreme as the plate itself.
    reached = np.sum(drawn >= observed - 1e-9 * max(abs(observed), 1))
    return float((1 + reached) / (1 + _DRAWS))
