"""Growth delay: the time to a multiple of the size at treatment, treated against control."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from spheroid_jax.plates import survival
from spheroid_jax.plates.estimate import Estimate
from spheroid_jax.plates.growth import baseline, checked
from spheroid_jax.plates.survival import TimeToEvent

# With fewer wells, the range of all wells covers the median in less than 95 % of the cases.
INTERVAL_WELLS = 6
_DRAWS = 4000


class Delay(NamedTuple):
    """Growth delay of treated wells.

    Attributes:
      hours: median time of the treated wells minus that of the control wells, with its interval.
      treated_h: median time of the treated wells; inf where fewer than half reach the size.
      control_h: median time of the control wells; inf likewise.
      treated: number of treated wells.
      control: number of control wells.
      note: "not reached" with the group, or why there is no interval.
    """

    hours: Estimate
    treated_h: float
    control_h: float
    treated: int
    control: int
    note: str = ""


def time_to_multiple(
    time_h: Float[np.ndarray, " N"],
    size: Float[np.ndarray, " N"],
    *,
    t0_h: float,
    multiple: float = 5.0,
) -> TimeToEvent:
    """Finds when one well first reaches a multiple of its size at treatment.

    The time of the first upward crossing, interpolated linearly in ln size between two images. A
    well that does not reach the multiple is censored at its last image with a size.

    Args:
      time_h: times in hours, in any order.
      size: sizes; those of 0 have no logarithm and are treated as the smallest number.
      t0_h: time of treatment; the size at treatment is that of the last image at or before it.
      multiple: above 1; 5 times the volume is customary.

    Returns:
      The time from `t0_h`.

    Raises:
      ValueError: lengths differ, a time is not finite, or `multiple` is not above 1.
    """
    if not multiple > 1:
        raise ValueError(f"multiple is {multiple}, and must be above 1")
    time_h, size = checked(time_h, size)
    start = baseline(time_h, size, t0_h)
    if not start.size > 0:
        return TimeToEvent(math.nan, False, start.note or "the size at t0 is 0")
    later = (time_h > start.time_h) & ~np.isnan(size)
    times = np.append(start.time_h, time_h[later])
    ratio = np.append(1.0, size[later] / start.size)
    logs = np.log(np.maximum(ratio, np.finfo(float).tiny))
    goal = math.log(multiple)
    crossed = (logs[1:] >= goal) & (logs[:-1] < goal)
    if not crossed.any():
        return TimeToEvent(max(float(times[-1]) - t0_h, 0.0), False, "not reached")
    i = int(np.argmax(crossed))
    share = (goal - logs[i]) / (logs[i + 1] - logs[i])
    # A steep rise from an image before treatment may cross before it.
    at = float(times[i] + share * (times[i + 1] - times[i]))
    return TimeToEvent(max(at - t0_h, 0.0), True)


def growth_delay(
    treated: Iterable[TimeToEvent], control: Iterable[TimeToEvent], *, seed: int = 0
) -> Delay:
    """Computes the growth delay: median time to a size, treated minus control.

    Medians are those of Kaplan-Meier curves, so wells that do not reach the size count as censored
    (`survival.median`). The 95 % interval is the percentile interval of a bootstrap over the wells
    of each group; it ends at inf where many draws have no median. Below 6 wells in a group there
    is no interval: even the range of 5 wells covers the median in 94 % of the cases only.

    Args:
      treated: times of the treated wells, as `time_to_multiple` or `regrowth.event` returns them.
      control: times of the control wells.
      seed: seed of the bootstrap.

    Source: delays of each well instead of those of averaged curves: Begg, Analysis of growth delay
    data, 1980 (abstract read); the medians with censoring are a choice of this package.
    """
    groups = [survival.followed(group) for group in (treated, control)]
    counts = [len(times) for times, _ in groups]
    found = Delay(Estimate(), math.nan, math.nan, counts[0], counts[1])
    if not all(counts):
        return found._replace(note="a group without wells")
    of_treated, of_control = (survival.median(*group) for group in groups)
    found = found._replace(treated_h=of_treated, control_h=of_control)
    names = {"treated": of_treated, "control": of_control}
    if late := [name for name, median in names.items() if median == math.inf]:
        return found._replace(note=f"not reached ({' and '.join(late)})")
    hours = of_treated - of_control
    if min(counts) < INTERVAL_WELLS:
        note = f"no interval below {INTERVAL_WELLS} wells per group"
        return found._replace(hours=Estimate(hours), note=note)
    low, high = _bootstrap(groups, counts, seed)
    return found._replace(hours=Estimate(hours, low, high))


def _bootstrap(groups, counts, seed):
    """Returns the ends of the percentile interval of the difference of the medians."""
    rng = np.random.default_rng(seed)
    first, second = (
        survival.medians(times, observed, rng.multinomial(n, np.full(n, 1 / n), size=_DRAWS))
        for (times, observed), n in zip(groups, counts, strict=True)
    )
    known = np.isfinite(first) | np.isfinite(second)
    # Order statistics, because between a number and inf there is nothing to interpolate.
    ends = np.quantile(first[known] - second[known], [0.025, 0.975], method="inverted_cdf")
    return float(ends[0]), float(ends[1])
