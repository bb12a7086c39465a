"""Dose response: four-parameter logistic fits to all replicates, EC50 and IC50 with intervals.

The relative EC50 is the dose half-way between the curve's top and bottom. The absolute IC50 is the
dose at which the curve crosses half of the control. The two differ unless the bottom is 0, and the
IC50 does not exist where the drug leaves more than half. EC50 and IC50 have the unit of the doses.
The module `hill` has the formula of the curve, and `profile` that of the intervals.
"""

import functools
import math
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from spheroid_jax.plates import hill, logistic, profile
from spheroid_jax.plates.estimate import Estimate

NO_EFFECT = "no effect within the doses"
OUTSIDE = "outside the doses tested"
NOT_REACHED = "not reached within the doses"
BELOW = "reached below the doses tested"
TOO_FEW = "too few doses (4 needed)"
TOO_FEW_POINTS = "too few points (5 needed)"
ALPHA = 0.05
QUANTITIES = ("log10_ec50", "ic50", "top", "bottom", "hill")
_SHAPE = ("top", "bottom", "log10_ec50", "log10_hill")


class DoseResponse(NamedTuple):
    """A fitted dose-response curve.

    Attributes:
      top: response at dose 0.
      bottom: response at infinite dose.
      log10_ec50: log10 of the relative EC50.
      ec50: relative EC50.
      hill: Hill coefficient h, positive.
      ic50: absolute IC50; its value is NaN where `ic50_note` says why.
      ic50_level: response at the IC50; NaN if it is half of a top that was not fitted.
      n: number of responses used.
      n_dropped: number of responses that are NaN, and so not used.
      n_doses: number of distinct doses.
      residual_sd: standard deviation of the residuals with n - 4 degrees of freedom, or n - 1 about
        the mean where there is no effect; for a robust fit, from the median absolute residual.
      r2: 1 - (sum of squared residuals) / (sum of squares about the mean).
      p: p-value of the F test of the curve against a flat line.
      effect: whether p < 0.05.
      robust: whether outlying responses count less; the intervals are approximate then.
      covariance: covariance of top, bottom, log10 EC50 and h, row by row; empty without an effect.
      note: what to know about the curve, or empty.
      ic50_note: what to know about the IC50, or empty.
    """

    top: Estimate = Estimate()
    bottom: Estimate = Estimate()
    log10_ec50: Estimate = Estimate()
    ec50: Estimate = Estimate()
    hill: Estimate = Estimate()
    ic50: Estimate = Estimate()
    ic50_level: float = math.nan
    n: int = 0
    n_dropped: int = 0
    n_doses: int = 0
    residual_sd: float = math.nan
    r2: float = math.nan
    p: float = math.nan
    effect: bool = False
    robust: bool = False
    covariance: tuple[tuple[float, ...], ...] = ()
    note: str = ""
    ic50_note: str = ""


class Band(NamedTuple):
    """A fitted curve at some doses, with a pointwise 95 % confidence band."""

    response: Float[np.ndarray, " N"]
    low: Float[np.ndarray, " N"]
    high: Float[np.ndarray, " N"]


class Points(NamedTuple):
    """Usable responses with their doses, and the number of dropped ones."""

    dose: Float[np.ndarray, " N"]
    log10_dose: Float[np.ndarray, " N"]
    response: Float[np.ndarray, " N"]
    dropped: int


def fit(
    dose: Float[np.ndarray, " N"],
    response: Float[np.ndarray, " N"],
    *,
    robust: bool = False,
    control: float | None = None,
    intervals: Collection[str] = QUANTITIES,
) -> DoseResponse:
    """Fits the four-parameter logistic curve to all replicates, and tests it against a flat line.

    The curve of `hill` is fitted by least squares from several starts, with log10 EC50 within two
    decades of the doses and h in [0.1, 10]. The F test compares it with the mean,

        F = ((S_flat - S_curve) / 3) / (S_curve / (n - 4)),

    with 3 and n - 4 degrees of freedom. Where p >= 0.05 there is no EC50, which is a regular result
    of a drug without effect. Intervals are profile-likelihood intervals.

    Args:
      dose: dose of each well, at least 0. A dose of 0 is the limit c -> 0, where the curve is at
        its top; wells of the control belong in the fit as dose 0.
      response: response of each well, such as volume; NaN is dropped, and counted.
      robust: whether responses far from the curve count less, by SciPy's loss "soft_l1", a smooth
        form of Huber's, with the scale of 1.345 robust standard deviations (Huber 1964). The
        intervals then keep the weights of the best fit, with a sandwich variance (Royall and Tsou
        2003); they and the test are approximate.
      control: response of the control, known without error, of which the IC50 is half; such as 100
        for responses in percent. By default the fitted top, whose error is in the interval.
      intervals: quantities of `QUANTITIES` whose intervals are wanted; the others' are NaN.

    Raises:
      ValueError: lengths differ, or a dose is negative or not finite, or a response is infinite.
    """
    points = usable(dose, response)
    basic = DoseResponse(
        n=len(points.response),
        n_dropped=points.dropped,
        n_doses=len(np.unique(points.dose)),
        robust=robust,
        ic50_level=math.nan if control is None else control / 2,
    )
    if basic.n_doses < logistic.PARAMETERS:
        return basic._replace(note=TOO_FEW)
    if basic.n <= logistic.PARAMETERS:
        return basic._replace(note=TOO_FEW_POINTS)
    return _fit(points, basic, intervals)


def predict(found: DoseResponse, dose: Float[np.ndarray, " N"]) -> Band:
    """Computes a fitted curve with its pointwise 95 % confidence band, by the delta method.

    The band is y +- t sqrt(d' C d), where d is the gradient of the curve by its parameters, C their
    covariance, and t the 97.5 % quantile of the t distribution with n - 4 degrees of freedom. Where
    there is no effect, the curve is the mean of all responses, with the t interval of the mean.
    Without a fit all is NaN.
    """
    log10_dose = log10(np.asarray(dose, float))
    if not found.effect:
        ends = (np.full(len(log10_dose), each) for each in found.top)
        return Band(*ends)
    parameters = (found.top.value, found.bottom.value, found.log10_ec50.value, found.hill.value)
    top, bottom, location, slope = parameters
    response = bottom + (top - bottom) * hill.remaining(log10_dose, location, slope)
    by = hill.gradient(log10_dose, *parameters)
    covariance = np.array(found.covariance)
    half = _quantile(found.n - logistic.PARAMETERS) * np.sqrt(np.sum(by @ covariance * by, axis=1))
    return Band(response, response - half, response + half)


def usable(dose: Float[np.ndarray, " N"], response: Float[np.ndarray, " N"]) -> Points:
    """Checks doses and responses, and drops responses that are NaN."""
    dose, response = np.asarray(dose, float), np.asarray(response, float)
    if dose.shape != response.shape or dose.ndim != 1:
        raise ValueError(f"dose and response differ in shape: {dose.shape} and {response.shape}")
    if np.any(np.isinf(response)):
        raise ValueError("response has an infinite value")
    log10_dose = log10(dose)
    kept = ~np.isnan(response)
    return Points(dose[kept], log10_dose[kept], response[kept], int(np.sum(~kept)))


def log10(dose: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Returns log10 of doses, -inf for 0; raises ValueError for negative or non-finite doses."""
    wrong = dose[~(np.isfinite(dose) & (dose >= 0))]
    if wrong.size:
        raise ValueError(f"dose must be finite and at least 0, and has {wrong[0]}")
    return np.log10(dose, out=np.full(dose.shape, -np.inf), where=dose > 0)


class _Units(NamedTuple):
    """What turns responses into standardised ones: y = centre + scale z."""

    centre: float
    scale: float


def _fit(points, basic, intervals):
    units = _Units(float(np.mean(points.response)), float(np.std(points.response)))
    if units.scale <= 1e-12 * abs(units.centre):
        mean = Estimate(units.centre, units.centre, units.centre)
        note = {"note": NO_EFFECT, "ic50_note": NO_EFFECT}
        return basic._replace(top=mean, bottom=mean, residual_sd=0.0, p=1.0, **note)
    standard = (points.response - units.centre) / units.scale
    solution = logistic.solve(points.log10_dose, standard, robust=basic.robust)
    if not solution.p < ALPHA:
        return _without_effect(points, basic, solution.p)
    found = {name: _estimate(solution, name, intervals, units) for name in _SHAPE}
    top, bottom, location, log10_hill = found.values()
    ic50, ic50_note = _ic50(solution, basic.ic50_level, units, wanted="ic50" in intervals)
    return basic._replace(
        ic50_level=top.value / 2 if math.isnan(basic.ic50_level) else basic.ic50_level,
        top=top,
        bottom=bottom,
        log10_ec50=location,
        ec50=power_of_10(location),
        hill=power_of_10(log10_hill),
        ic50=ic50,
        residual_sd=units.scale * solution.residual_sd,
        r2=_r2(points, top.value, bottom.value, solution),
        p=solution.p,
        effect=True,
        covariance=_covariance(solution, units.scale),
        note="" if _is_tested(solution, location.value) else OUTSIDE,
        ic50_note=ic50_note,
    )


def power_of_10(log10_value: Estimate) -> Estimate:
    """Transforms an estimate of a logarithm; an unbounded side stays -inf or inf."""
    low = log10_value.low
    return Estimate(
        10**log10_value.value, low if low == -math.inf else 10**low, 10**log10_value.high
    )


def _without_effect(points, basic, p):
    mean, sd = float(np.mean(points.response)), float(np.std(points.response, ddof=1))
    half = _quantile(basic.n - 1) * sd / math.sqrt(basic.n)
    level = Estimate(mean, mean - half, mean + half)
    note = {"note": NO_EFFECT, "ic50_note": NO_EFFECT}
    return basic._replace(top=level, bottom=level, residual_sd=sd, r2=0.0, p=p, **note)


def _estimate(solution, name, intervals, units):
    """Returns an estimate in the units of the responses."""
    values = (*solution.asymptotes, solution.location, solution.log10_hill)
    value = float(values[_SHAPE.index(name)])
    wanted = ("hill" if name == "log10_hill" else name) in intervals
    low, high = logistic.interval(solution, name) if wanted else (math.nan, math.nan)
    if name in ("top", "bottom"):
        value, low, high = (units.centre + units.scale * each for each in (value, low, high))
    return Estimate(value, low, high)


def _ic50(solution, given_level, units, *, wanted):
    """Returns the IC50, and why it has no value."""
    share, total = (0.5, 0.0) if math.isnan(given_level) else (0.0, given_level)
    rest = (total - (1 - share) * units.centre) / units.scale
    level = functools.partial(_level, share, rest)
    value = logistic.crossing(solution, level)
    least, greatest = _tested(solution)
    if least <= value <= greatest:
        note, near, beyond = "", value, (-1, 1)
    elif value < least:
        note, near, beyond = BELOW, least, (1,)
    else:
        note, near, beyond = NOT_REACHED, greatest, (-1,)
    ends = {-1: -math.inf, 1: math.inf} if wanted else {-1: math.nan, 1: math.nan}
    if wanted:
        by = solution.gradient(near) - np.array([share, 0, 0, 0])
        for side in beyond:
            ends[side] = _ic50_end(solution, level, near, side, solution.allowed(by))
    return power_of_10(Estimate(math.nan if note else value, ends[-1], ends[1])), note


def _level(share, rest, g):
    """Returns the constraint top g + bottom (1 - g) = share top + rest."""
    return hill.Constraint(g - share, 1 - g, rest)


def _ic50_end(solution, level, near, side, allowed):
    """Finds the end of the interval of log10 IC50 on one side of a dose."""
    at = logistic.crossing_profile(solution, level)
    start = np.array([solution.location, solution.log10_hill])
    if at(near, start).squares > allowed.greatest:
        # The IC50 is beyond this dose, which is itself excluded.
        return near
    limit = hill.location_bounds(solution.groups.log10_dose)[(side + 1) // 2]
    step = 2 * math.sqrt(solution.covariance[2, 2])
    return profile.end(at, near, start, limit, allowed, step=step)


def _tested(solution):
    """Returns log10 of the lowest and of the highest dose above 0."""
    doses = solution.groups.log10_dose[np.isfinite(solution.groups.log10_dose)]
    return float(doses[0]), float(doses[-1])


def _is_tested(solution, log10_dose):
    least, greatest = _tested(solution)
    return least <= log10_dose <= greatest


def _r2(points, top, bottom, solution):
    remaining = hill.remaining(points.log10_dose, solution.location, solution.hill)
    left = points.response - bottom - (top - bottom) * remaining
    about_mean = points.response - points.response.mean()
    return 1 - float(np.sum(left**2) / np.sum(about_mean**2))


def _covariance(solution, scale):
    units = np.array([scale, scale, 1.0, 1.0])
    return tuple(map(tuple, (solution.covariance * np.outer(units, units)).tolist()))


def _quantile(degrees):
    return float(stats.t.ppf(0.975, degrees))
