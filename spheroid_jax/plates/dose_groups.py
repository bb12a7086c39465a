"""Dose groups without a curve: area under the dose response, and hormesis."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from spheroid_jax.plates.estimate import Estimate

ALPHA = 0.05
ONE_DOSE = "too few doses (2 above 0 needed)"
TOO_FEW_WELLS = "too few wells (2 per group needed)"


class Summary(NamedTuple):
    """Mean and number of responses at each distinct dose, and their pooled variance.

    Attributes:
      dose: distinct doses, ascending.
      mean: mean response at each dose.
      count: number of responses at each dose.
      variance: variance within doses; NaN without replicates.
      degrees: degrees of freedom of the variance.
    """

    dose: Float[np.ndarray, " D"]
    mean: Float[np.ndarray, " D"]
    count: Float[np.ndarray, " D"]
    variance: float
    degrees: int


class Auc(NamedTuple):
    """Normalised area under a dose response.

    Attributes:
      value: area divided by the log10 range; it is a mean response.
      low_dose: lowest dose of the range.
      high_dose: highest dose of the range.
      n_doses: number of doses in the range.
      note: why there is no area, or empty.
    """

    value: Estimate = Estimate()
    low_dose: float = math.nan
    high_dose: float = math.nan
    n_doses: int = 0
    note: str = ""


class Hormesis(NamedTuple):
    """Whether low doses stimulate and higher doses inhibit.

    Attributes:
      found: whether a dose is above the control and a higher dose below it.
      dose: the stimulating dose with the least p-value; NaN unless found.
      excess: mean response at this dose divided by the control's, minus 1.
      p: its p-value, adjusted by Holm's method over the doses.
      note: why there is no answer, or empty.
    """

    found: bool = False
    dose: float = math.nan
    excess: float = math.nan
    p: float = math.nan
    note: str = ""


def summarise(dose: Float[np.ndarray, " N"], response: Float[np.ndarray, " N"]) -> Summary:
    """Summarises finite responses by dose."""
    distinct, index, count = np.unique(dose, return_inverse=True, return_counts=True)
    mean = np.bincount(index, response, minlength=len(distinct)) / np.maximum(count, 1)
    degrees = len(response) - len(distinct)
    squares = float(np.sum((response - mean[index]) ** 2))
    return Summary(distinct, mean, count, squares / degrees if degrees else math.nan, degrees)


def combine(groups: Summary, weight: Float[np.ndarray, " D"]) -> Estimate:
    """Computes a weighted sum of the means, with its t interval from the variance within doses."""
    value = float(weight @ groups.mean)
    if not groups.degrees:
        return Estimate(value)
    error = math.sqrt(groups.variance * float(np.sum(weight**2 / groups.count)))
    half = float(stats.t.ppf(0.975, groups.degrees)) * error
    return Estimate(value, value - half, value + half)


def auc(dose: Float[np.ndarray, " N"], response: Float[np.ndarray, " N"]) -> Auc:
    """Computes the area under the mean response over log10 dose, divided by the log10 range.

    The area is that of the trapezoid rule, (1 / (x_D - x_1)) sum of (x_(i+1) - x_i) (m_i + m_(i+1))
    / 2 with x_i the log10 doses and m_i the mean responses. Dose 0 has no place on the axis and is
    left out, and NaN responses are too. Areas compare only over equal ranges (Pozdeyev et al. 2016,
    Oncotarget 7, 51619).

    Args:
      dose: dose of each well.
      response: response of each well.
    """
    dose, response = np.asarray(dose, float), np.asarray(response, float)
    kept = (dose > 0) & ~np.isnan(response)
    groups = summarise(dose[kept], response[kept])
    if len(groups.dose) < 2:
        return Auc(n_doses=len(groups.dose), note=ONE_DOSE)
    widths = np.diff(np.log10(groups.dose))
    weight = (np.append(widths, 0.0) + np.append(0.0, widths)) / 2 / widths.sum()
    return Auc(
        combine(groups, weight), float(groups.dose[0]), float(groups.dose[-1]), len(groups.dose)
    )


def hormesis(
    dose: Float[np.ndarray, " N"],
    response: Float[np.ndarray, " N"],
    control: Float[np.ndarray, " C"],
) -> Hormesis:
    """Tests whether a dose stimulates and a higher dose inhibits.

    Each dose is compared with the control by one-sided Welch tests in both directions, because
    large spheroids vary more than small ones do. The p-values of each direction are adjusted over
    the doses by Holm's method. Hormesis is one dose above the control with p < 0.05, and a higher
    dose below the control with p < 0.05.

    Args:
      dose: dose of each well; dose 0 is not compared.
      response: response of each well; NaN is left out.
      control: responses of the control's wells.
    """
    dose, response, control = (np.asarray(each, float) for each in (dose, response, control))
    control = control[~np.isnan(control)]
    kept = (dose > 0) & ~np.isnan(response)
    doses = np.unique(dose[kept])
    groups = [response[kept & (dose == each)] for each in doses]
    if len(control) < 2 or not groups or min(map(len, groups)) < 2:
        return Hormesis(note=TOO_FEW_WELLS)
    above = _holm([_welch(group, control) for group in groups])
    below = _holm([_welch(control, group) for group in groups])
    inhibited = doses[below < ALPHA]
    stimulated = (above < ALPHA) & np.array([np.any(inhibited > each) for each in doses])
    if not stimulated.any():
        return Hormesis()
    best = int(np.argmin(np.where(stimulated, above, np.inf)))
    excess = float(groups[best].mean() / control.mean() - 1)
    return Hormesis(True, float(doses[best]), excess, float(above[best]))


def _welch(larger, smaller):
    """Returns the one-sided p-value of Welch's test that the first mean is larger."""
    if np.ptp(larger) == 0 and np.ptp(smaller) == 0:
        return 0.0 if larger[0] > smaller[0] else 1.0
    return float(stats.ttest_ind(larger, smaller, equal_var=False, alternative="greater").pvalue)


def _holm(p_values):
    """Adjusts p-values by Holm's step-down method (Holm 1979)."""
    p = np.array(p_values)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
