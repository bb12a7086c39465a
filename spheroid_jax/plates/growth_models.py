"""Exponential, logistic and Gompertz growth, fitted by least squares and compared by AICc."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

from spheroid_jax.plates.estimate import Estimate
from spheroid_jax.plates.growth import HOURS_PER_DAY, checked, line

# Time runs from 0 to 1 and ln size begins near 0 in all fits, so these are without units. Fits
# begin at the best of these rates and of these values of ln(Vmax / V0).
_RATES = (0.3, 1.0, 3.0, 10.0, 30.0)
_RISES = (0.3, 1.0, 3.0, 6.0)
_STARTS = 4
# Beyond these logarithms and rates, a value counts as 0 or inf.
_FAR_LOG, _FAR_RATE = 60.0, 1e3
# Slower or faster, a curve is a straight line or a step at the first time.
_SLOWEST, _FASTEST = -16.0, 7.0
_STEP = 0.02
# Residuals of ln size below this are rounding errors.
_ROUNDING = 1e-9


class GrowthFit(NamedTuple):
    """A growth model fitted to all points.

    Attributes:
      model: "exponential", "logistic" or "gompertz".
      size_0: size at `start_h`, in the unit of the sizes.
      rate_per_day: exponential and logistic: r; Gompertz: alpha, the decay of the growth rate.
      size_max: final size; inf where the fit has no plateau; NaN for exponential growth.
      initial_rate_per_day: specific growth rate at `start_h`, comparable between models:
        exponential r, logistic r (1 - size_0 / size_max), Gompertz alpha ln(size_max / size_0).
      start_h: the first time.
      residual_sd: standard deviation of ln size about the curve, n - number of curve parameters
        in the denominator.
      count: n, the number of points.
      parameters: k, the number of parameters of the curve and 1 for the residual variance.
      aicc: n ln(RSS / n) + 2k + 2k (k + 1) / (n - k - 1).
      delta_aicc: `aicc` above that of the best model; 0 for the best.
      weight: Akaike weight, exp(-delta / 2), normalised to the sum 1 over the models fitted.
      note: why there is no fit, or that the plateau is not reached; empty otherwise.
    """

    model: str
    size_0: Estimate = Estimate()
    rate_per_day: Estimate = Estimate()
    size_max: Estimate = Estimate()
    initial_rate_per_day: Estimate = Estimate()
    start_h: float = math.nan
    residual_sd: float = math.nan
    count: int = 0
    parameters: int = 0
    aicc: float = math.nan
    delta_aicc: float = math.nan
    weight: float = math.nan
    note: str = ""


def fit_models(
    time_h: Float[np.ndarray, " N"], size: Float[np.ndarray, " N"]
) -> tuple[GrowthFit, ...]:
    """Fits exponential, logistic and Gompertz growth to all points, and compares them by AICc.

        exponential  ln V = ln V0 + r t
        logistic     V = Vmax / (1 + (Vmax / V0 - 1) exp(-r t))
        Gompertz     ln(V / V0) = ln(Vmax / V0) (1 - exp(-alpha t))

    with t in days since the first time. The residuals are those of ln V, because errors of size
    are proportional to size: unweighted residuals of V would fit the last, largest points only.

    The 95 % interval of each quantity is by profile likelihood: it holds all values for which the
    least residual sum of squares RSS, over the other parameters, is at most
    RSS_min (1 + F(0.95; 1, n - p) / (n - p)), p = number of curve parameters. For exponential
    growth this is the t interval. An end that the data do not bound is inf, -inf, or 0 for a rate.
    The intervals take the points as independent; those of several wells are not if the wells
    differ, and the intervals are then too narrow for statements on other wells.

    Args:
      time_h: times of all points in hours, of one well or of several wells of one condition.
      size: sizes, such as volumes; NaN where there is none.

    Returns:
      One fit per model, in the order above; `best` returns that of the least AICc. A model with
      fewer than k + 2 points, for which AICc does not exist, or with fewer times than curve
      parameters, has a note instead.

    Raises:
      ValueError: lengths differ, or a time is not finite.

    Source: Gompertz: bio-protocol r8622118 (read); logistic and Gompertz: Sci. Rep. 7, 6217, 2017,
    table 3 (read); the logarithmic scale: Demidenko, Int. J. Radiat. Biol. 86, 164, 2010 (abstract
    read); profiles with the F criterion: documentation of lmfit (read); AICc: Hurvich and Tsai,
    Biometrika 76, 297, 1989, Burnham and Anderson, Model Selection, 2002 (not read; the formula
    is that of the R package MuMIn's documentation).
    """
    fits = tuple(fit_model(model, time_h, size) for model in ("exponential", *_CURVED))
    least = min((fit.aicc for fit in fits if not math.isnan(fit.aicc)), default=math.nan)
    deltas = [fit.aicc - least for fit in fits]
    total = sum(math.exp(-delta / 2) for delta in deltas if not math.isnan(delta))
    return tuple(
        fit._replace(delta_aicc=delta, weight=math.exp(-delta / 2) / total if total else math.nan)
        for fit, delta in zip(fits, deltas, strict=True)
    )


def best(fits: tuple[GrowthFit, ...]) -> GrowthFit | None:
    """Returns the fit with the least AICc; None where no model could be fitted."""
    known = [fit for fit in fits if not math.isnan(fit.aicc)]
    return min(known, key=lambda fit: fit.aicc) if known else None


def predict(fit: GrowthFit, time_h: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Returns the sizes of a fitted model at times in hours.

    Raises:
      ValueError: the model was not fitted.
    """
    if math.isnan(fit.aicc):
        raise ValueError(f"the model {fit.model} was not fitted: {fit.note}")
    days = (time_h - fit.start_h) / HOURS_PER_DAY
    start, rate, largest = fit.size_0.value, fit.rate_per_day.value, fit.size_max.value
    if fit.model == "exponential" or not math.isfinite(largest):
        return start * np.exp(fit.initial_rate_per_day.value * days)
    if fit.model == "logistic":
        return largest / (1 + (largest / start - 1) * np.exp(-rate * days))
    return start * np.exp(math.log(largest / start) * (1 - np.exp(-rate * days)))


def fit_model(
    model: str, time_h: Float[np.ndarray, " N"], size: Float[np.ndarray, " N"]
) -> GrowthFit:
    """Fits one growth model, as `fit_models` does; AICc is not compared.

    Raises:
      ValueError: as `fit_models`, or the model is unknown.
    """
    if model not in ("exponential", *_CURVED):
        raise ValueError(f"model is {model!r}, and must be exponential, logistic or gompertz")
    time_h, size = checked(time_h, size)
    time_h, size = time_h[~np.isnan(size)], size[~np.isnan(size)]
    curve_parameters = 2 if model == "exponential" else 3
    found = GrowthFit(model, count=len(size), parameters=curve_parameters + 1)
    if note := _unfit(time_h, size, curve_parameters):
        return found._replace(note=note)
    found = found._replace(start_h=float(time_h[0]))
    days = (time_h - time_h[0]) / HOURS_PER_DAY
    fit = line(days, np.log(size))
    if model == "exponential":
        size_0 = Estimate(*(math.exp(end) for end in fit.intercept))
        found = _with_residuals(found, fit.rss)
        return found._replace(size_0=size_0, rate_per_day=fit.slope, initial_rate_per_day=fit.slope)
    if fit.slope.value <= 0:
        return found._replace(note="not growing")
    return _curved(found, _CURVED[model], days, np.log(size))


def _unfit(time_h, size, curve_parameters):
    """Returns why a model cannot be fitted; empty where it can."""
    needed = curve_parameters + 3
    if len(size) < needed:
        return f"too few points ({needed} needed)"
    if len(np.unique(time_h)) < curve_parameters:
        return f"too few times ({curve_parameters} needed)"
    return "a size of 0 or less has no logarithm" if np.min(size) <= 0 else ""


def _with_residuals(found, rss):
    n, k = found.count, found.parameters
    rss = max(float(rss), n * _ROUNDING**2)
    aicc = n * math.log(rss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    return found._replace(residual_sd=math.sqrt(rss / (n - k + 1)), aicc=aicc)


def _logistic(time, parameters):
    """Returns ln V for (ln V0, ln r, ln(Vmax / V0))."""
    start, log_rate, rise = parameters
    decay = np.exp(log_rate) * time
    with np.errstate(divide="ignore"):  # ln 0 at the first time
        saturation = np.log(-np.expm1(-decay)) - rise
    return start - np.logaddexp(saturation, -decay)


def _gompertz(time, parameters):
    """Returns ln V for (ln V0, ln alpha, initial rate)."""
    start, log_alpha, initial = parameters
    return start - initial * np.expm1(-np.exp(log_alpha) * time) * np.exp(-log_alpha)


def _logistic_of_initial_rate(value, free):
    # With r = max(value, 0) + exp(z), all z have a Vmax, which asks for r > 0 and r > value.
    extra = math.exp(min(max(free[1], -_FAR_LOG), _FAR_LOG))
    log_rate = math.log(extra + max(value, 0.0))
    return free[0], log_rate, log_rate - math.log(extra + max(-value, 0.0))


def _initial_rate_of_logistic(p):
    rate, initial = math.exp(p[1]), -math.exp(p[1]) * math.expm1(-p[2])
    return initial, (p[0], math.log(max(rate - max(initial, 0.0), 1e-300)))


def _size_max_of_logistic(p):
    # A profile begins at the largest size that counts as finite, with the same initial rate.
    return p[0] + p[2], (p[1], min(p[2], _FAR_LOG - p[0]))


def _size_max_of_gompertz(p):
    size_max = p[0] + p[2] * math.exp(-p[1])
    if size_max <= _FAR_LOG:
        return size_max, (p[0], p[1])
    return size_max, (p[0], math.log(p[2] / (_FAR_LOG - p[0])))


def _seen(log_rate):
    """Returns the nearest ln rate that a curve can show."""
    return min(max(log_rate, _SLOWEST), _FASTEST)


class _View(NamedTuple):
    """A quantity of a model, as a coordinate.

    A profile fixes the quantity's value and fits the two other coordinates.

    Attributes:
      split: the value and the other coordinates, from the parameters of the curve.
      join: the parameters, from the value and the other coordinates.
      far: the value counts as unbounded beyond this.
    """

    split: Callable
    join: Callable
    far: float = _FAR_LOG


class _Model(NamedTuple):
    """A curve, and its quantities.

    Attributes:
      curve: ln V from time and three parameters.
      first: the parameters from ln rate and ln(Vmax / V0), where fits begin.
      views: ln size_0, ln rate, ln size_max and the initial rate.
    """

    curve: Callable
    first: Callable
    views: dict[str, _View]


_START = _View(lambda p: (p[0], p[1:]), lambda v, z: (v, z[0], z[1]))
_RATE = _View(lambda p: (p[1], (p[0], p[2])), lambda v, z: (z[0], v, z[1]))
_CURVED = {
    "logistic": _Model(
        curve=_logistic,
        first=lambda log_rate, rise: (0.0, log_rate, rise),
        views={
            "size_0": _START,
            "rate": _RATE,
            "size_max": _View(_size_max_of_logistic, lambda v, z: (v - z[1], z[0], z[1])),
            "initial": _View(_initial_rate_of_logistic, _logistic_of_initial_rate, _FAR_RATE),
        },
    ),
    "gompertz": _Model(
        curve=_gompertz,
        first=lambda log_rate, rise: (0.0, log_rate, rise * math.exp(log_rate)),
        views={
            "size_0": _START,
            "rate": _RATE,
            "size_max": _View(
                _size_max_of_gompertz,
                lambda v, z: (z[0], z[1], (v - z[0]) * math.exp(_seen(z[1]))),
            ),
            "initial": _View(
                lambda p: (p[2], (p[0], p[1])), lambda v, z: (z[0], z[1], v), _FAR_RATE
            ),
        },
    ),
}


def _curved(found, model, days, logs):
    """Fits a curve of three parameters, with profile intervals."""
    time, middle = days / days[-1], float(np.mean(logs))

    def residuals(parameters):
        start, log_rate, third = parameters
        return model.curve(time, (start, _seen(log_rate), third)) - (logs - middle)

    start, log_rate, third = _least(residuals, _starts(model, residuals))[0]
    best_fit = (start, _seen(log_rate), third)
    found = _with_residuals(found, np.sum(residuals(best_fit) ** 2))
    home = model.first(0.0, 1.0)
    ends = {n: _profile(residuals, v, best_fit, home) for n, v in model.views.items()}
    return found._replace(
        size_0=_exponentials(ends["size_0"], middle),
        rate_per_day=_exponentials(ends["rate"], -math.log(days[-1])),
        size_max=_exponentials(ends["size_max"], middle),
        initial_rate_per_day=Estimate(*(end / float(days[-1]) for end in ends["initial"])),
        note="" if math.isfinite(ends["size_max"].high) else "plateau not reached",
    )


def _starts(model, residuals):
    """Returns the best few of a lattice of parameters."""
    lattice = [
        np.array(model.first(math.log(rate), rise), float) for rate in _RATES for rise in _RISES
    ]
    return sorted(lattice, key=lambda one: float(np.sum(residuals(one) ** 2)))[:_STARTS]


def _least(residuals, starts):
    """Returns the parameters of the least sum of squares from several starts, and that sum."""
    # MINPACK through `leastsq`: `least_squares` calls the same code, and takes 4 times as long.
    fits = [optimize.leastsq(residuals, one, full_output=True) for one in starts]
    sums = [float(fit[2]["fvec"] @ fit[2]["fvec"]) for fit in fits]
    chosen = int(np.argmin(sums))
    return fits[chosen][0], sums[chosen]


def _profile(residuals, view, best_fit, home):
    """Returns a quantity and its profile interval.

    Each fit of the other coordinates begins at those of the value before, and at those of `home`,
    because a fit that has come to a limit may not find back.
    """
    value, free = view.split(best_fit)
    rss = float(np.sum(residuals(best_fit) ** 2))
    freedom = len(residuals(best_fit)) - 3
    rise = max(rss, _ROUNDING**2) * stats.f.ppf(0.95, 1, freedom) / freedom
    at_home = np.array(view.split(home)[1])

    def beyond(at, begin):
        # The root is nearly linear in the quantity, as its square is nearly a parabola.
        others, least = _least(lambda z: residuals(view.join(at, z)), [begin, at_home])
        return math.sqrt(max(least - rss, 0.0) / rise) - 1, others

    def end(sign):
        near, begin, step = min(max(value, -view.far), view.far), np.array(free), sign * _STEP
        if beyond(near, begin)[0] > 0:
            return shown  # Only for points without noise.
        while sign * near < view.far:
            far = near + step
            excess, others = beyond(far, begin)
            if excess > 0:
                root = lambda at, begin=begin: beyond(at, begin)[0]  # noqa: E731
                return float(optimize.brentq(root, near, far, xtol=1e-7, rtol=1e-7))
            near, begin, step = far, others, 2 * step
        return sign * math.inf

    shown = float(value) if value <= view.far else math.inf
    return Estimate(shown, end(-1), end(1))


def _exponentials(logs, shift):
    return Estimate(*(math.exp(value + shift) for value in logs))
