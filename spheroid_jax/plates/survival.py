"""Kaplan-Meier curves, medians and the log-rank test of times until an event."""

import math
import warnings
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from spheroid_jax.plates.estimate import Estimate

_TAIL = 0.025
# Products of fractions such as 2/3 x 3/4 miss 1/2 by a rounding error.
_ROUNDING = 1e-12


class TimeToEvent(NamedTuple):
    """The time from treatment to an event in one well.

    Attributes:
      after_h: hours from treatment to the event, or to the last image that could have shown it;
        NaN where the well cannot be followed from treatment on.
      observed: whether the event was seen; if not, the time is right-censored.
      note: why the time is censored or missing, in words; empty where there is nothing to say.
    """

    after_h: float
    observed: bool
    note: str = ""


class Curve(NamedTuple):
    """A Kaplan-Meier curve, a step function that begins with 1 at time 0.

    Attributes:
      time: 0, then all distinct times, of events and of censoring, ascending.
      survival: probability that the event comes later than each time.
      low: lower end of the pointwise 95 % interval; NaN where `survival` is 1 or 0.
      high: upper end of that interval.
      at_risk: number of units without event and under observation just before each time.
      events: number of events at each time.
      note: "no events" where no event was observed.
    """

    time: Float[np.ndarray, " T"]
    survival: Float[np.ndarray, " T"]
    low: Float[np.ndarray, " T"]
    high: Float[np.ndarray, " T"]
    at_risk: Int[np.ndarray, " T"]
    events: Int[np.ndarray, " T"]
    note: str = ""


class Probability(NamedTuple):
    """The probability that no event has come by a time.

    Attributes:
      probability: with its 95 % interval.
      at_risk: number of units still under observation and without event at that time.
      note: why there is no probability, or which interval it has if not the log-log one.
    """

    probability: Estimate
    at_risk: int
    note: str = ""


class LogRank(NamedTuple):
    """A log-rank test of two groups.

    Attributes:
      z: standard normal statistic; its square is the chi-square statistic of one degree of
        freedom. Negative if the first group has fewer events than expected.
      p: two-sided p-value.
      note: "no events" where there is nothing to compare; `z` and `p` are NaN then.
    """

    z: float
    p: float
    note: str = ""


def followed(
    times: Iterable[TimeToEvent],
) -> tuple[Float[np.ndarray, " N"], Bool[np.ndarray, " N"]]:
    """Returns the times in hours, and whether each was observed, of all wells with a time."""
    known = [one for one in times if not math.isnan(one.after_h)]
    hours = np.array([one.after_h for one in known], float)
    return hours, np.array([one.observed for one in known], bool)


def kaplan_meier(times: Float[np.ndarray, " N"], observed: Bool[np.ndarray, " N"]) -> Curve:
    """Estimates the probability that the event has not come, as a function of time.

    S(t) is the product over the event times t_i <= t of 1 - d_i / n_i, with d_i events among n_i
    units at risk. Units that are censored at an event's time are at risk at that time. The
    pointwise 95 % interval is

        S^exp(+-1.96 s),  s^2 = sum of d_i / (n_i (n_i - d_i)) / (ln S)^2,

    which stays within [0, 1].

    Args:
      times: times to the event or to censoring, at least 0.
      observed: whether each time is that of an event.

    Raises:
      ValueError: the arrays differ in length or are empty, or a time is negative or not finite.

    Source: Kaplan and Meier, J. Am. Stat. Assoc. 53, 457, 1958; the log-log interval: Kalbfleisch
    and Prentice, The Statistical Analysis of Failure Time Data, 1980 (not read; the formula is
    that of SciPy's documentation, which cites Sawyer, and of lifelines).
    """
    _check(times, observed)
    curve = stats.ecdf(_censored(times, observed)).sf
    with warnings.catch_warnings():
        # SciPy says that the interval is undefined at 1 and at 0.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = curve.confidence_interval(method="log-log")
    survival = np.asarray(curve.probabilities, float)
    defined = (survival > 0) & (survival < 1)
    at = curve.quantiles
    events = np.array([np.sum(observed & (times == t)) for t in at])
    at_risk = np.array([np.sum(times >= t) for t in at])
    return Curve(
        time=np.append(0.0, at),
        survival=np.append(1.0, survival),
        low=np.append(math.nan, np.where(defined, interval.low.probabilities, math.nan)),
        high=np.append(math.nan, np.where(defined, interval.high.probabilities, math.nan)),
        at_risk=np.append(len(times), at_risk),
        events=np.append(0, events),
        note="" if observed.any() else "no events",
    )


def control_probability(curve: Curve, time_h: float) -> Probability:
    """Reads the probability that no event has come by a time from a Kaplan-Meier curve.

    For regrowth, this is the spheroid control probability (SCP). Where S is 1 or 0, the log-log
    interval does not exist, and the interval is the exact one for n of n units (Clopper and
    Pearson, Biometrika 26, 404, 1934): from 0.025^(1/n) to 1, with n the number of units still
    under observation, and from 0 to 1 - 0.025^(1/n), with n the number of events.

    Args:
      curve: curve of the times from treatment to regrowth, in hours.
      time_h: hours after treatment, at least 0; later than the last time of a curve that ends
        above 0, the probability is not known.

    Raises:
      ValueError: the time is negative or not finite.
    """
    if not (math.isfinite(time_h) and time_h >= 0):
        raise ValueError(f"time_h is {time_h}, and must be finite and at least 0")
    step = int(np.searchsorted(curve.time, time_h, side="right")) - 1
    value = float(curve.survival[step])
    if time_h > curve.time[-1] and value > 0:
        return Probability(Estimate(), 0, "later than the last image")
    # Those with a time of at least `time_h`, without those whose event comes at that time.
    at_risk = int(curve.at_risk[step] - curve.events[step])
    if curve.time[step] < time_h:
        at_risk = int(curve.at_risk[step + 1]) if step + 1 < len(curve.time) else 0
    exact = "exact binomial interval"
    if value == 1:
        return Probability(Estimate(1.0, _TAIL ** (1 / at_risk), 1.0), at_risk, exact)
    if value == 0:
        count = int(curve.events.sum())
        return Probability(Estimate(0.0, 0.0, 1 - _TAIL ** (1 / count)), at_risk, exact)
    found = Estimate(value, float(curve.low[step]), float(curve.high[step]))
    return Probability(found, at_risk)


def median(times: Float[np.ndarray, " N"], observed: Bool[np.ndarray, " N"]) -> float:
    """Returns the median of the Kaplan-Meier curve; inf where the curve stays above 1/2.

    The median is the first time at which S(t) <= 1/2. If S is exactly 1/2 until a later event, the
    median is midway between the two times, as it is for times without censoring.

    Raises:
      ValueError: as `kaplan_meier`.
    """
    _check(times, observed)
    return float(medians(times, observed, np.ones((1, len(times))))[0])


def medians(
    times: Float[np.ndarray, " N"],
    observed: Bool[np.ndarray, " N"],
    counts: Float[np.ndarray, "draws N"] | Int[np.ndarray, "draws N"],
) -> Float[np.ndarray, " draws"]:
    """Returns the `median` of each of several resamples.

    Args:
      times: times to the event or to censoring.
      observed: whether each time is that of an event.
      counts: how often each resample holds each unit.
    """
    # At the same time, events come before censoring.
    order = np.lexsort((~observed, times))
    times, counts = times[order], counts[:, order]
    at_risk = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    failed = np.where(observed[order], counts, 0) / np.maximum(at_risk, 1)
    survival = np.cumprod(1 - failed, axis=1)
    first = _first_time(times, survival <= 0.5 + _ROUNDING)
    below = _first_time(times, survival < 0.5 - _ROUNDING)
    return np.where(np.isfinite(below), (first + below) / 2, first)


def log_rank(
    times: Float[np.ndarray, " N"],
    observed: Bool[np.ndarray, " N"],
    other_times: Float[np.ndarray, " M"],
    other_observed: Bool[np.ndarray, " M"],
) -> LogRank:
    """Tests whether the times to the event of two groups come from one distribution.

    The statistic is (sum of d_1i - e_i) / sqrt(sum of v_i) over the event times of both groups,
    where e_i and v_i are the mean and variance of the hypergeometric distribution of the first
    group's events d_1i.

    Raises:
      ValueError: as `kaplan_meier`, for either group.

    Source: Mantel, Cancer Chemother. Rep. 50, 163, 1966 (not read; computed by SciPy).
    """
    _check(times, observed)
    _check(other_times, other_observed)
    events = np.append(times[observed], other_times[other_observed])
    # Without a time at which both groups are at risk, the variance of the statistic is 0.
    if not events.size or events.min() > min(times.max(), other_times.max()):
        return LogRank(math.nan, math.nan, "no events while both groups are observed")
    with np.errstate(invalid="ignore"):
        found = stats.logrank(_censored(times, observed), _censored(other_times, other_observed))
    if math.isnan(found.statistic):
        return LogRank(math.nan, math.nan, "all events come at one time, for all at risk")
    return LogRank(float(found.statistic), float(found.pvalue))


def _check(times, observed):
    if len(times) != len(observed) or len(times) == 0:
        raise ValueError(f"{len(times)} times with {len(observed)} values of observed")
    if not np.all(np.isfinite(times)) or np.min(times) < 0:
        raise ValueError(f"times must be finite and at least 0, and are {times}")


def _censored(times, observed):
    return stats.CensoredData.right_censored(times, ~observed)


def _first_time(times, reached):
    """Returns the first time at which each row is true, or inf."""
    first = times[np.argmax(reached, axis=1)]
    return np.where(reached.any(axis=1), first, math.inf)
