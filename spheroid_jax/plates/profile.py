"""Bounded least squares from several starts, and profile-likelihood intervals.

The profile of a quantity is the least sum of squares S(q) of all curves on which the quantity has
the value q. Its 95 % interval holds the values with

    S(q) <= S_min + s^2 F,

where s^2 is the residual variance with n - p degrees of freedom, and F is the 95 % quantile of the
F distribution with 1 and n - p degrees of freedom (Bates and Watts 1988, "Nonlinear Regression
Analysis", chapter 6; the same rule as of `conf_interval` in lmfit).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

LEVEL = 0.95
# Each next step outwards is so much longer than the last.
_GROWTH = 1.6
_FIRST_STEP = 0.05
# Relative precision of a least sum of squares; an interval's end is at S_min (1 + F / (n - p)).
PRECISION = 1e-5
# Towards a bound the search creeps, and gains nothing more.
_EVALUATIONS = 20
# Precision of an end, relative to its distance from the estimate.
_END = 1e-3


class Minimum(NamedTuple):
    """The parameters of the best fit, and its sum of squares."""

    parameters: Float[np.ndarray, " P"]
    squares: float


class Threshold(NamedTuple):
    """The least sum of squares, and the greatest one within the interval."""

    least: float
    greatest: float


def threshold(least: float, variance: float, degrees: float) -> Threshold:
    """Computes the sum of squares at the ends of a 95 % interval.

    Args:
      least: sum of squares of the best fit.
      variance: residual variance.
      degrees: degrees of freedom of the variance.
    """
    return Threshold(least, least + variance * float(stats.f.ppf(LEVEL, 1, degrees)))


def minimise(
    residuals: Callable,
    starts: list[Float[np.ndarray, " P"]],
    bounds: tuple[tuple[float, ...], tuple[float, ...]],
    *,
    beside: float = 0.0,
    precision: float = PRECISION,
) -> Minimum:
    """Minimises the sum of squared residuals within bounds, from each start; returns the best.

    Args:
      residuals: function of the parameters.
      starts: parameters to start from.
      bounds: least and greatest values of the parameters.
      beside: a constant to add to the sum of squares.
      precision: relative precision of the sum of squares.
    """
    fits = [
        optimize.least_squares(
            residuals,
            np.clip(start, *bounds),
            bounds=bounds,
            ftol=precision,
            max_nfev=_EVALUATIONS,
        )
        for start in starts
    ]
    best = min(fits, key=lambda fit: fit.cost)
    return Minimum(best.x, 2 * float(best.cost) + beside)


def interval(
    at: Callable[[float, Float[np.ndarray, " P"]], Minimum],
    value: float,
    start: Float[np.ndarray, " P"],
    limits: tuple[float, float],
    allowed: Threshold,
    *,
    step: float = math.nan,
) -> tuple[float, float]:
    """Finds the ends of a profile-likelihood interval.

    Args:
      at: function of the quantity's value and of parameters to start from, which returns the best
        fit with this value.
      value: the estimate.
      start: parameters of the fit at the estimate.
      limits: values beyond which no end is searched for.
      allowed: sums of squares of the best fit, and at the ends.
      step: about half the length of the interval.

    Returns:
      The ends; -inf or inf where there is none within the limits.
    """
    return (
        end(at, value, start, limits[0], allowed, step=step),
        end(at, value, start, limits[1], allowed, step=step),
    )


def end(
    at: Callable[[float, Float[np.ndarray, " P"]], Minimum],
    value: float,
    start: Float[np.ndarray, " P"],
    limit: float,
    allowed: Threshold,
    *,
    step: float,
) -> float:
    """Finds one end of a profile-likelihood interval, between a value within and a limit."""
    step = step if 0 < step < math.inf else _FIRST_STEP
    sign = math.copysign(1.0, limit - value)

    inside, outside, warm = value, value, start
    while inside != limit:
        outside = inside + sign * min(step, abs(limit - inside))
        above, parameters = _height(at(outside, warm), allowed)
        if above > 0:
            break
        inside, warm, step = outside, parameters, step * _GROWTH
    else:
        return sign * math.inf
    # A repeated fit may differ by its precision; where that matters, the end is found.
    if _height(at(inside, warm), allowed)[0] >= 0:
        return inside
    precision = _END * abs(outside - value)
    found = optimize.brentq(
        lambda q: _height(at(q, warm), allowed)[0], inside, outside, xtol=precision
    )
    return float(found)


def _height(fit, allowed):
    """Returns by how much a fit is outside the interval, and its parameters.

    The root of the profile is almost straight, so that few steps find where it crosses 0.
    """
    edge = math.sqrt(allowed.greatest - allowed.least)
    return math.sqrt(max(fit.squares - allowed.least, 0.0)) - edge, fit.parameters
