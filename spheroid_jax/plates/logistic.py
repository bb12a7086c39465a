"""Fits of the Hill curve to standardised responses: plain or robust, F test, profile intervals.

Responses are standardised to mean 0 and standard deviation 1 by the caller, so that all tolerances
hold for any unit of the responses.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

from spheroid_jax.plates import hill, profile

PARAMETERS = 4
# Residuals above so many robust standard deviations count less (Huber 1964).
_TUNING = 1.345
# Makes the median absolute residual of normal noise a standard deviation.
_MAD_TO_SD = 1.4826
# In standard deviations of the responses; beyond, top and bottom are not bounded by the data.
_FAR = 1e3


class Solution(NamedTuple):
    """The best curve, and what its intervals need.

    Attributes:
      groups: responses by dose, with the weights of the fit.
      location: log10 EC50.
      log10_hill: log10 h.
      asymptotes: top and bottom.
      squares: weighted sum of squares.
      covariance: covariance of top, bottom, log10 EC50 and h.
      curvature: the same for a residual variance of 1, from the weighted sum of squares alone.
      residual_sd: standard deviation of the residuals; a robust one for a robust fit.
      p: p-value of the F test against a flat line.
    """

    groups: hill.Groups
    location: float
    log10_hill: float
    asymptotes: Float[np.ndarray, " 2"]
    squares: float
    covariance: Float[np.ndarray, "4 4"]
    curvature: Float[np.ndarray, "4 4"]
    residual_sd: float
    p: float

    @property
    def hill(self) -> float:
        """The Hill coefficient h."""
        return 10**self.log10_hill

    def allowed(self, by: Float[np.ndarray, " 4"]) -> profile.Threshold:
        """Returns the sums of squares within an interval.

        The residual variance is that of the quantity's own direction, as in the robust adjusted
        likelihood of Royall and Tsou (2003); for a plain fit it is the same in all directions.

        Args:
          by: derivatives of the quantity by top, bottom, log10 EC50 and h.
        """
        variance = float(by @ self.covariance @ by / (by @ self.curvature @ by))
        return profile.threshold(self.squares, variance, self.groups.count - PARAMETERS)

    def gradient(self, log10_dose: float) -> Float[np.ndarray, " 4"]:
        """Returns the derivatives of the curve at a dose by top, bottom, log10 EC50 and h."""
        top, bottom = (float(end) for end in self.asymptotes)
        return hill.gradient(np.array([log10_dose]), top, bottom, self.location, self.hill)[0]


def solve(
    log10_dose: Float[np.ndarray, " N"], response: Float[np.ndarray, " N"], *, robust: bool
) -> Solution:
    """Fits the curve to standardised responses, and tests it against a flat line."""
    groups = hill.group(log10_dose, response)
    begin = hill.starts(groups)
    best = hill.minimum(groups, begin, precision=1e-9)
    degrees = len(response) - PARAMETERS
    if robust:
        ends = hill.asymptotes(groups, best.parameters[0], 10 ** best.parameters[1])
        left = response - _at(log10_dose, [*ends, *best.parameters])
        sd = _MAD_TO_SD * float(np.median(np.abs(left))) * math.sqrt(len(response) / degrees)
        if sd > 0:
            return _solve_robustly(log10_dose, response, [best.parameters, *begin], sd)
    variance = best.squares / degrees
    about_mean = float(np.sum((response - response.mean()) ** 2))
    p = _p_value(about_mean - best.squares, variance, degrees)
    location, log10_hill = (float(each) for each in best.parameters)
    ends = hill.asymptotes(groups, location, 10**log10_hill)
    by = hill.gradient(groups.log10_dose, float(ends[0]), float(ends[1]), location, 10**log10_hill)
    curvature = _inverse((by.T * groups.weight) @ by)
    sd = math.sqrt(variance)
    return Solution(
        groups, location, log10_hill, ends, best.squares, variance * curvature, curvature, sd, p
    )


def interval(solution: Solution, quantity: str) -> tuple[float, float]:
    """Computes the profile interval of "log10_ec50", "log10_hill", "top" or "bottom"."""
    groups, both = solution.groups, np.array([solution.location, solution.log10_hill])
    sd = np.sqrt(np.diag(solution.covariance))
    if quantity == "log10_ec50":
        at, value, start = _with_one_fixed(groups, 0), both[0], both[1:]
        limits, step = hill.location_bounds(groups.log10_dose), sd[2]
    elif quantity == "log10_hill":
        at, value, start = _with_one_fixed(groups, 1), both[1], both[:1]
        limits, step = hill.LOG10_HILL, sd[3] / (solution.hill * math.log(10))
    else:
        index = ("top", "bottom").index(quantity)
        value, start, step = solution.asymptotes[index], both, sd[index]
        limits = (-_FAR, _FAR)
        at = _with_end_fixed(groups, index)

    unit = np.eye(PARAMETERS)[("top", "bottom", "log10_ec50", "log10_hill").index(quantity)]
    allowed = solution.allowed(unit)
    return profile.interval(at, float(value), start, limits, allowed, step=float(2 * step))


def crossing(solution: Solution, level: Callable[[float], hill.Constraint]) -> float:
    """Returns the log10 dose at which the curve crosses a level.

    It is inf if the curve does not get there, and -inf if it falls and begins below the level.

    Args:
      solution: the fit.
      level: function of the share g of the response that remains, which returns the constraint that
        the curve be at the level there.
    """
    # The constraint is linear in g, and so has one root.
    at_0, at_1 = (_miss(level(g), solution.asymptotes) for g in (0.0, 1.0))
    if at_0 == at_1 or not 0 < (g := at_0 / (at_0 - at_1)) < 1:
        top, bottom = solution.asymptotes
        return -math.inf if at_1 <= 0 and bottom < top else math.inf
    return solution.location + math.log10((1 - g) / g) / solution.hill


def crossing_profile(
    solution: Solution, level: Callable[[float], hill.Constraint]
) -> Callable[[float, Float[np.ndarray, " 2"]], profile.Minimum]:
    """Returns the profile of the log10 dose at which the curve crosses a level."""
    return lambda log10_dose, begin: hill.minimum(
        solution.groups,
        [begin],
        lambda location, slope: level(float(hill.remaining(log10_dose, location, slope))),
    )


def _miss(constraint, asymptotes):
    of_top, of_bottom, total = constraint
    return of_top * asymptotes[0] + of_bottom * asymptotes[1] - total


def _with_one_fixed(groups, index):
    """Returns the profile of log10 EC50 (index 0) or log10 h (index 1)."""
    low, high = hill.location_bounds(groups.log10_dose)
    bounds = ((low, high), hill.LOG10_HILL)[1 - index]
    ends = ((bounds[0],), (bounds[1],))
    both = (lambda q, p: (q, p)) if index == 0 else (lambda q, p: (p, q))
    return lambda q, begin: profile.minimise(
        lambda p: hill.linear(groups, both(q, p[0])[0], 10 ** both(q, p[0])[1])[1],
        [begin],
        ends,
        beside=groups.within,
    )


def _with_end_fixed(groups, index):
    """Returns the profile of top (index 0) or bottom (index 1)."""
    of_top, of_bottom = float(index == 0), float(index == 1)
    return lambda q, begin: hill.minimum(
        groups, [begin], lambda *_: hill.Constraint(of_top, of_bottom, q)
    )


def _solve_robustly(log10_dose, response, begin, sd):
    scale = _TUNING * sd
    degrees = len(response) - PARAMETERS
    best, cost = _robust_minimum(log10_dose, response, begin, scale)
    flat = optimize.least_squares(
        lambda p: response - p, [np.median(response)], loss="soft_l1", f_scale=scale
    )
    top, bottom, location, slope = *best[:3], 10 ** best[3]
    left = response - _at(log10_dose, best)
    # The weight is psi(r) / r, and its cube the derivative of psi.
    weight = 1 / np.sqrt(1 + (left / scale) ** 2)
    psi = weight * left
    ratio = float(np.sum(psi**2) / degrees / np.mean(weight**3))
    p = _p_value(2 * (flat.cost - cost), ratio, degrees)
    by = hill.gradient(log10_dose, top, bottom, location, slope)
    groups = hill.group(log10_dose, response, weight)
    squares = float(np.sum(weight * left**2))
    curvature = _inverse((by.T * weight) @ by)
    # A point of high leverage pulls the curve, and its residual is too small by that (HC2).
    leverage = np.clip(weight * np.sum(by @ curvature * by, axis=1), 0, 0.99)
    bread = _inverse((by.T * weight**3) @ by)
    covariance = bread @ (by.T * (psi**2 / (1 - leverage))) @ by @ bread
    asymptotes = np.array([top, bottom])
    return Solution(
        groups, float(location), float(best[3]), asymptotes, squares, covariance, curvature, sd, p
    )


def _robust_minimum(log10_dose, response, begin, scale):
    """Returns top, bottom, log10 EC50 and log10 h of the least soft L1 loss, and half this loss."""
    low, high = hill.location_bounds(log10_dose)
    bounds = ((-_FAR, -_FAR, low, hill.LOG10_HILL[0]), (_FAR, _FAR, high, hill.LOG10_HILL[1]))
    groups = hill.group(log10_dose, response)
    fits = []
    for start in begin:
        ends = hill.asymptotes(groups, start[0], 10 ** start[1]).clip(-_FAR, _FAR)
        first = np.clip([*ends, *start], *bounds)
        fits.append(
            optimize.least_squares(
                lambda p: response - _at(log10_dose, p),
                first,
                bounds=bounds,
                loss="soft_l1",
                f_scale=scale,
                max_nfev=50,
            )
        )
    best = min(fits, key=lambda found: found.cost)
    return best.x, float(best.cost)


def _inverse(information):
    """Inverts a matrix; a direction that the data do not bound gets 0, and its interval says so."""
    return np.linalg.pinv(information, hermitian=True)


def _at(log10_dose, p):
    """Returns the curve of top, bottom, log10 EC50 and log10 h."""
    return p[1] + (p[0] - p[1]) * hill.remaining(log10_dose, p[2], 10 ** p[3])


def _p_value(explained, variance, degrees):
    if variance <= 0:
        return 0.0
    return float(stats.f.sf(explained / (PARAMETERS - 1) / variance, PARAMETERS - 1, degrees))
