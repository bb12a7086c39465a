"""Fit of the GR curve with the bounds of GR calculator, F test, and profile intervals.

The curve GR = GRinf + (1 - GRinf) g with g = 1 / (1 + (c / GEC50)^h) has its top at 1. The growth
of the control is an estimate too, and all GR values share its error: with a relative error d of the
control's doublings the measured values are (1 + GR)^(1 + d) - 1. The relative error d is a further
parameter of the profiles, with the penalty (s d / e)^2, where e is its standard error and s the
residual standard deviation.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from spheroid_jax.plates import hill, profile
from spheroid_jax.plates.estimate import Estimate

PARAMETERS = 3
_NAMES = ("grinf", "log10_gec50", "log10_h")
_GRINF = (-1.0, 1.0)
_LOG10_H = (-1.0, math.log10(5))
# GR50 exists below; the margin keeps its logarithm finite.
_CROSSES = (-1.0, 0.5 - 1e-6)
_FARTHEST_ERRORS = 6.0
_STARTS = 2


class Curve(NamedTuple):
    """The best GR curve, and what its intervals need.

    Attributes:
      groups: GR values by dose.
      best: GRinf, log10 GEC50 and log10 h, and the sum of squares.
      bounds: least and greatest values of the parameters.
      degrees: n - 3.
      p: p-value of the F test against a flat line.
      control_error: relative standard error of the control's doublings.
    """

    groups: hill.Groups
    best: profile.Minimum
    bounds: tuple[tuple[float, ...], tuple[float, ...]]
    degrees: int
    p: float
    control_error: float

    @property
    def variance(self) -> float:
        """The residual variance."""
        return self.best.squares / self.degrees


def solve(
    log10_dose: Float[np.ndarray, " N"], gr: Float[np.ndarray, " N"], control_error: float
) -> Curve:
    """Fits the curve, and tests it against a flat line with 2 and n - 3 degrees of freedom."""
    groups = hill.group(log10_dose, gr)
    low, high = hill.location_bounds(groups.log10_dose)
    bounds = ((_GRINF[0], low, _LOG10_H[0]), (_GRINF[1], high, _LOG10_H[1]))
    root = np.sqrt(groups.weight)
    best = profile.minimise(
        lambda p: root * (groups.mean - _gr(groups, *p)),
        _begin(groups, bounds),
        bounds,
        beside=groups.within,
        precision=1e-9,
    )
    degrees = len(gr) - PARAMETERS
    gain = float(np.sum((gr - gr.mean()) ** 2)) - best.squares
    variance = best.squares / degrees
    # Without any residual a gain by rounding is none.
    tiny = 1e-20 * len(gr)
    p = float(stats.f.sf(gain / 2 / max(variance, tiny), 2, degrees))
    return Curve(groups, best, bounds, degrees, p, control_error)


def interval(curve: Curve, name: str) -> Estimate:
    """Returns "grinf", "log10_gec50" or "log10_h" with its profile interval."""
    index = _NAMES.index(name)
    free = [n for n in range(PARAMETERS) if n != index]
    value = float(curve.best.parameters[index])
    limits = (curve.bounds[0][index], curve.bounds[1][index])
    bounds = tuple(tuple(side[n] for n in free) for side in curve.bounds)
    low, high = _profile(
        curve,
        value,
        curve.best.parameters[free],
        limits,
        bounds,
        lambda q, p: np.insert(p, index, q),
    )
    if name == "grinf":
        # By definition, and not for want of data.
        low, high = max(low, _GRINF[0]), min(high, _GRINF[1])
    return Estimate(value, low, high)


def gr50(curve: Curve) -> Estimate:
    """Returns log10 GR50, where the curve is at 0.5; inf where the curve stays above."""
    grinf, location, log10_h = curve.best.parameters
    limits = (curve.bounds[0][1], curve.bounds[1][1])
    bounds = ((_CROSSES[0], _LOG10_H[0]), (_CROSSES[1], _LOG10_H[1]))
    parameters = _with_gr50
    start = np.array([min(grinf, _CROSSES[1]), log10_h])
    if grinf < _CROSSES[1]:
        value = float(location + _from_gec50(grinf, 10**log10_h))
        if limits[0] < value < limits[1]:
            return Estimate(value, *_profile(curve, value, start, limits, bounds, parameters))
        return Estimate(value, -math.inf, math.inf)
    # At least the highest dose, or less where a curve through 0.5 fits there too.
    highest = float(curve.groups.log10_dose[-1])
    at, allowed = _at(curve, bounds, parameters), _allowed(curve)
    low = highest
    if at(highest, start).squares < allowed.greatest:
        low = profile.end(at, highest, start, limits[0], allowed, step=0.1)
    return Estimate(math.inf, low, math.inf)


def _with_gr50(q, p):
    """Returns the parameters of the curve with log10 GR50 = q, from GRinf and log10 h."""
    return np.array([p[0], q - _from_gec50(p[0], 10 ** p[1]), p[1]])


def _from_gec50(grinf, slope):
    """Returns log10(GR50 / GEC50)."""
    return math.log10(0.5 / (0.5 - grinf)) / slope


def _gr(groups, grinf, location, log10_h, control=0.0):
    g = hill.remaining(groups.log10_dose, location, 10**log10_h)
    gr = grinf + (1 - grinf) * g
    return np.maximum(1 + gr, 0.0) ** (1 + control) - 1 if control else gr


def _profile(curve, value, start, limits, bounds, parameters):
    at = _at(curve, bounds, parameters)
    return profile.interval(at, value, np.asarray(start), limits, _allowed(curve))


def _allowed(curve):
    return profile.threshold(curve.best.squares, curve.variance, curve.degrees)


def _at(curve, bounds, parameters):
    """Returns the profile of the quantity q for which `parameters(q, p)` are those of the curve."""
    root, free = np.sqrt(curve.groups.weight), len(bounds[0])
    error = curve.control_error
    if error == 0:
        return lambda q, begin: profile.minimise(
            lambda p: root * (curve.groups.mean - _gr(curve.groups, *parameters(q, p))),
            [begin],
            bounds,
            beside=curve.groups.within,
        )
    penalty = math.sqrt(curve.variance)
    bounds = ((*bounds[0], -_FARTHEST_ERRORS), (*bounds[1], _FARTHEST_ERRORS))
    return lambda q, begin: profile.minimise(
        lambda p: np.append(
            root
            * (
                curve.groups.mean
                - _gr(curve.groups, *parameters(q, p[:free]), control=error * p[free])
            ),
            penalty * p[free],
        ),
        [np.append(begin, np.zeros(free + 1 - len(begin)))],
        bounds,
        beside=curve.groups.within,
    )


def _begin(groups, bounds):
    """Returns the best parameters on a grid, one for each of the best few values of h."""
    locations = np.linspace(bounds[0][1], bounds[1][1], 61)
    slopes = np.linspace(*_LOG10_H, 7)
    lost = 1 - hill.remaining(groups.log10_dose, locations[:, None, None], 10 ** slopes[:, None])
    square = np.sum(groups.weight * lost**2, axis=-1)
    shared = np.sum(groups.weight * lost * (groups.mean - 1), axis=-1)
    change = np.divide(shared, square, out=np.zeros_like(square), where=square > 1e-12)
    change = change.clip(-2, 0)
    cost = change**2 * square - 2 * change * shared
    best = cost.argmin(axis=0)
    order = np.argsort(cost.min(axis=0), kind="stable")[:_STARTS]
    return [np.array([1 + change[best[n], n], locations[best[n]], slopes[n]]) for n in order]
