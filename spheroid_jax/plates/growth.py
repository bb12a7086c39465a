"""Growth of spheroids: fold change, specific growth rate, doubling time, and radial speed.

Times come in hours, and rates are per day. A size that is missing is NaN and is left out.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from scipy import stats

from spheroid_jax.evaluation import statistics
from spheroid_jax.plates.estimate import Estimate

HOURS_PER_DAY = 24.0
_TOO_FEW = "too few points (3 needed)"


class Baseline(NamedTuple):
    """The size at a reference time.

    Attributes:
      time_h: the last time with a size at or before the reference time; NaN if there is none.
      size: the mean of the sizes at that time.
      note: "no size at or before t0" where there is none.
    """

    time_h: float
    size: float
    note: str = ""


class FoldChange(NamedTuple):
    """Sizes relative to the size at a reference time.

    Attributes:
      values: X_t / X_0 for each point.
      baseline: time and size of X_0.
      note: why the values are NaN; empty where they are not.
    """

    values: Float[np.ndarray, " N"]
    baseline: Baseline
    note: str = ""


class Rate(NamedTuple):
    """The specific growth rate of one well, by regression.

    Attributes:
      rate_per_day: relative growth of volume per day, 1/V dV/dt, with its interval.
      doubling_days: ln 2 / rate; NaN unless the interval of the rate lies above 0.
      count: number of points of the regression.
      window_h: first and last time of those points.
      residual_sd: standard deviation of ln size about the line, with n - 2 in the denominator.
      note: "not growing", "shrinking", or why there is no rate.
    """

    rate_per_day: Estimate = Estimate()
    doubling_days: Estimate = Estimate()
    count: int = 0
    window_h: tuple[float, float] = (math.nan, math.nan)
    residual_sd: float = math.nan
    note: str = ""


class MeanRate(NamedTuple):
    """The specific growth rate of one condition: the mean over its wells or experiments.

    Attributes:
      rate_per_day: mean of the units' rates, with its t interval over units.
      doubling_days: ln 2 / mean rate; NaN unless the interval of the rate lies above 0.
      count: number of units, the n of the interval.
      unit: what the units are, "wells" or "experiments".
      sd_per_day: standard deviation between the units' rates.
      wells: rate of each well, by its id, in the order of ids.
      note: "not growing", "shrinking", how many wells have no rate, or why there is no mean.
    """

    rate_per_day: Estimate
    doubling_days: Estimate
    count: int
    unit: str
    sd_per_day: float
    wells: dict
    note: str = ""


class RadialSpeed(NamedTuple):
    """Linear growth of the radius, R = R_0 + v t.

    Attributes:
      um_per_day: v, with its interval.
      radius_0_um: R_0 at the first time, with its interval.
      count: number of points.
      window_h: first and last time.
      residual_sd_um: standard deviation of the radius about the line.
      note: why there is no speed; empty where there is one.
    """

    um_per_day: Estimate = Estimate()
    radius_0_um: Estimate = Estimate()
    count: int = 0
    window_h: tuple[float, float] = (math.nan, math.nan)
    residual_sd_um: float = math.nan
    note: str = ""


def fold_change(
    time_h: Float[np.ndarray, " N"], size: Float[np.ndarray, " N"], t0_h: float
) -> FoldChange:
    """Divides the sizes of one well by its size at t0.

    X_t / X_0, where X_0 is the size at the last time with a size at or before t0. The percentage
    increase is 100 (X_t / X_0 - 1).

    Raises:
      ValueError: lengths differ, or a time is not finite.
    """
    start = baseline(*checked(time_h, size), t0_h)
    if not start.size > 0:
        return FoldChange(np.full(len(size), math.nan), start, start.note or "the size at t0 is 0")
    return FoldChange(size / start.size, start)


def specific_rate(
    time_h: Float[np.ndarray, " N"],
    size: Float[np.ndarray, " N"],
    *,
    window_h: tuple[float, float] | None = None,
    power: float = 3.0,
) -> Rate:
    """Computes the specific growth rate of one well by regression of ln size on time.

        ln X = a + b t  (ordinary least squares),  rate of volume = 3/power b,
        doubling time = ln 2 / rate.

    The 95 % interval is b +- t(0.975, n - 2) SE(b); the ends of the doubling time are those of the
    rate, transformed. Errors of size are proportional to size, so the logarithm has equal errors.
    Points of several wells are not independent: use `rate_of_wells` for them.

    Args:
      time_h: times in hours, in any order.
      size: sizes in any unit.
      window_h: first and last time of the points to use, both included; all by default. The rate
        is meant for the times of exponential growth: choose and state the window.
      power: the power of a length that `size` is: 3 for a volume, 2 for an area, 1 for a
        diameter. The rate is that of the volume in each case.

    Raises:
      ValueError: lengths differ, a time is not finite, or `power` or the window is out of range.

    Source: specific growth rate and doubling time: Mehrara et al., Cancer Res. 67, 3970, 2007
    (abstract read); the logarithmic scale: Demidenko, Int. J. Radiat. Biol. 86, 164, 2010
    (abstract read).
    """
    days, size, times = _window(time_h, size, window_h)
    found = Rate(count=len(size), window_h=_ends(times))
    if note := _unfit(days, size):
        return found._replace(note=note)
    fit = line(days, np.log(size))
    rate = to_volume_rate(fit.slope, power)
    doubling, note = doubling_days(rate)
    return found._replace(
        rate_per_day=rate, doubling_days=doubling, residual_sd=fit.residual_sd, note=note
    )


def rate_of_wells(
    time_h: Float[np.ndarray, " N"],
    size: Float[np.ndarray, " N"],
    well: Shaped[np.ndarray, " N"],
    *,
    unit: Shaped[np.ndarray, " N"] | None = None,
    window_h: tuple[float, float] | None = None,
    power: float = 3.0,
) -> MeanRate:
    """Computes the mean specific growth rate of a condition over its wells or experiments.

    Each well has its `specific_rate`. The wells' rates are averaged within each experiment, then
    over experiments, with the t interval mean +- t(0.975, n - 1) SD / sqrt(n), n = number of
    experiments. With one experiment, or without `unit`, n is the number of wells; such an interval
    says nothing about other experiments. Rates are averaged, not doubling times, whose mean is
    biased and undefined for wells that do not grow.

    Args:
      time_h: times of all points in hours.
      size: sizes of all points.
      well: id of each point's well, unique over all experiments.
      unit: id of each point's experiment (biological replicate).
      window_h: as in `specific_rate`.
      power: as in `specific_rate`.

    Raises:
      ValueError: as `specific_rate`, or a well belongs to several experiments.

    Source: mean rates instead of mean doubling times: Mehrara et al., Cancer Res. 67, 3970, 2007
    (abstract read).
    """
    if len(well) != len(time_h) or (unit is not None and len(unit) != len(time_h)):
        raise ValueError(f"{len(time_h)} times with {len(well)} wells and unit {unit}")
    wells = {
        _plain(one): specific_rate(
            time_h[well == one], size[well == one], window_h=window_h, power=power
        )
        for one in np.unique(well)
    }
    known = [one for one, rate in wells.items() if not math.isnan(rate.rate_per_day.value)]
    several = unit is not None and len(np.unique(unit)) > 1
    name = "experiments" if several else "wells"
    groups = [_unit_of(one, well, unit) for one in known] if several else known
    rates = np.array([wells[one].rate_per_day.value for one in known])
    means = np.array(
        [rates[[g == group for g in groups]].mean() for group in dict.fromkeys(groups)]
    )
    missing = len(wells) - len(known)
    notes = [f"{missing} of {len(wells)} wells without a rate"] if missing else []
    if not len(means):
        note = "; ".join(notes) or "no sizes"
        return MeanRate(Estimate(), Estimate(), 0, name, math.nan, wells, note)
    rate, sd = Estimate(float(means[0])), math.nan
    if len(means) > 1:
        bounds = (-math.inf, math.inf)
        rate = Estimate(*statistics.t_interval(means[np.newaxis], range(len(means)), bounds=bounds))
        sd = float(np.std(means, ddof=1))
    doubling, note = doubling_days(rate)
    notes = [note] * bool(note) + notes
    return MeanRate(rate, doubling, len(means), name, sd, wells, "; ".join(notes))


def to_volume_rate(rate: Estimate, power: float) -> Estimate:
    """Converts the specific rate of a length to some power to that of a volume.

    A volume is a length cubed, so its rate is 3/power times the rate: 1.5 times that of an area,
    3 times that of a diameter, if the shape stays the same.

    Raises:
      ValueError: the power is not above 0.
    """
    if not power > 0:
        raise ValueError(f"power is {power}, and must be above 0: 3 volume, 2 area, 1 diameter")
    return Estimate(*(3 / power * value for value in rate))


def doubling_days(rate: Estimate) -> tuple[Estimate, str]:
    """Converts a rate per day to a doubling time in days, ln 2 / rate.

    Returns:
      The doubling time, and a note: "not growing" where the interval of the rate holds 0,
      "shrinking" where it lies below 0; both have no doubling time. A rate without an interval has
      a doubling time without one if it is above 0.
    """
    if math.isnan(rate.low):
        grows = rate.value > 0
        doubling = Estimate(math.log(2) / rate.value) if grows else Estimate()
        return doubling, "no interval" if grows else "not growing; no interval"
    if rate.high < 0:
        return Estimate(), "shrinking"
    if rate.low <= 0:
        return Estimate(), "not growing"
    return Estimate(*(math.log(2) / end for end in (rate.value, rate.high, rate.low))), ""


def linear_radius(
    time_h: Float[np.ndarray, " N"], diameter_um: Float[np.ndarray, " N"]
) -> RadialSpeed:
    """Fits linear growth of the radius of one well, R = R_0 + v t, by ordinary least squares.

    Large spheroids grow in a rim of constant thickness, so their radius, and not their volume's
    logarithm, grows linearly. The 95 % intervals are t intervals with n - 2 degrees of freedom.

    Raises:
      ValueError: lengths differ, or a time is not finite.

    Source: linear radius as in SpheroidPy's code, which follows Grimes et al. (not read).
    """
    days, diameter, times = _window(time_h, diameter_um, None)
    found = RadialSpeed(count=len(diameter), window_h=_ends(times))
    if note := _too_few(days):
        return found._replace(note=note)
    fit = line(days - days[0], diameter / 2)
    return found._replace(
        um_per_day=fit.slope, radius_0_um=fit.intercept, residual_sd_um=fit.residual_sd
    )


class Line(NamedTuple):
    """A straight line y = a + b x, with 95 % t intervals of n - 2 degrees of freedom.

    Attributes:
      slope: b.
      intercept: a.
      rss: residual sum of squares.
      residual_sd: sqrt(rss / (n - 2)).
    """

    slope: Estimate
    intercept: Estimate
    rss: float
    residual_sd: float


def line(x: Float[np.ndarray, " N"], y: Float[np.ndarray, " N"]) -> Line:
    """Fits a line by ordinary least squares to at least 3 points at two or more x."""
    x_mean, y_mean = float(np.mean(x)), float(np.mean(y))
    # Differences below this are rounding errors: without them, equal sizes have the slope 0.
    rise = np.round(y - y_mean, 12)
    run = x - x_mean
    squares = float(run @ run)
    slope = float(run @ rise) / squares
    rss = float(np.sum((rise - slope * run) ** 2))
    sd = math.sqrt(rss / (len(x) - 2))
    reach = float(stats.t.ppf(0.975, len(x) - 2)) * sd
    of_slope = reach / math.sqrt(squares)
    of_intercept = reach * math.sqrt(1 / len(x) + x_mean**2 / squares)
    return Line(_around(slope, of_slope), _around(y_mean - slope * x_mean, of_intercept), rss, sd)


def checked(time_h, size):
    """Returns times and sizes in the order of time.

    Raises:
      ValueError: lengths differ, or a time is not finite.
    """
    if len(time_h) != len(size):
        raise ValueError(f"time_h has {len(time_h)} values and size has {len(size)}")
    if not np.all(np.isfinite(time_h)):
        raise ValueError(f"time_h must be finite, and is {time_h}")
    order = np.argsort(time_h, kind="stable")
    return time_h[order], size[order]


def baseline(time_h, size, t0_h: float) -> Baseline:
    """Returns the size at the last time with a size at or before t0."""
    before = (time_h <= t0_h) & ~np.isnan(size)
    if not before.any():
        return Baseline(math.nan, math.nan, "no size at or before t0")
    last = np.max(time_h[before])
    return Baseline(float(last), float(np.mean(size[before & (time_h == last)])))


def _window(time_h, size, window_h):
    """Returns days, sizes and hours of the points in a window that have a size."""
    time_h, size = checked(time_h, size)
    first, last = (-math.inf, math.inf) if window_h is None else window_h
    if not first < last:
        raise ValueError(f"window_h is {window_h}, and must begin before it ends")
    used = (time_h >= first) & (time_h <= last) & ~np.isnan(size)
    return time_h[used] / HOURS_PER_DAY, size[used], time_h[used]


def _ends(times):
    return (float(times[0]), float(times[-1])) if len(times) else (math.nan, math.nan)


def _too_few(days):
    if len(days) < 3:
        return _TOO_FEW
    return "all points at one time" if days[0] == days[-1] else ""


def _unfit(days, size):
    """Returns why there is no regression of ln size; empty where there is one."""
    return _too_few(days) or ("a size of 0 or less has no logarithm" if np.min(size) <= 0 else "")


def _unit_of(one, well, unit):
    found = np.unique(unit[well == one])
    if len(found) > 1:
        raise ValueError(f"well {one} belongs to several experiments: {found}")
    return found[0]


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _around(value, half):
    return Estimate(value, value - half, value + half)
