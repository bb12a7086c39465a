"""Regrowth of treated spheroids, and the dose that controls half of them (SCD50)."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from spheroid_jax.plates import firth
from spheroid_jax.plates.estimate import Estimate
from spheroid_jax.plates.growth import baseline, checked
from spheroid_jax.plates.survival import TimeToEvent


class Rule(NamedTuple):
    """What counts as regrowth.

    Attributes:
      level: size to exceed, as a multiple of the size at treatment.
      rising: number of successive images that are each larger than the image before.
    """

    level: float = 1.0
    rising: int = 2


BACK_AND_RISING = Rule()


class ControlDose(NamedTuple):
    """The dose that controls half of the spheroids.

    Attributes:
      dose: SCD50 in the unit of the doses, with its 95 % interval; NaN where control does not
        depend on dose.
      slope: coefficient of dose in the logistic regression, per unit of dose.
      count: number of spheroids.
      controlled: number of controlled spheroids.
      note: "no dose dependence", or what else limits the result; empty where nothing does.
    """

    dose: Estimate
    slope: Estimate
    count: int
    controlled: int
    note: str = ""


def event(
    time_h: Float[np.ndarray, " N"],
    size: Float[np.ndarray, " N"],
    *,
    t0_h: float,
    rule: Rule = BACK_AND_RISING,
    good: Bool[np.ndarray, " N"] | None = None,
) -> TimeToEvent:
    """Finds when one spheroid has regrown after treatment.

    Regrowth is the first image at which the size is above `rule.level` times the size at treatment
    and has risen in `rule.rising` successive images, that image being the last of them. Images
    that rise one after the other come after the smallest size so far, so regrowth follows the
    nadir. A later image never undoes a regrowth.

    A spheroid that never fell below its size at treatment counts as regrown at the first image
    that meets the same rule, as an untreated one does; the note says so.

    There is no single standard for regrowth: state the rule with the result. A spheroid that has
    dissolved is controlled: give it the size 0, for as missing it would be censored.

    Args:
      time_h: times of one well's images in hours, in any order.
      size: volume, or another size, at least 0; NaN where there is none.
      t0_h: time of treatment; the size at treatment is that of the last image at or before it.
      rule: what counts as regrowth; by default, above the size at treatment and two rises.
      good: whether each image can be trusted; all by default. Images that cannot, and images
        without a size, are left out. For a well that is lost or contaminated, set False from then
        on: the time is censored at the last good image.

    Returns:
      The time from `t0_h` to regrowth, or to the last good image.

    Raises:
      ValueError: lengths differ, a time is not finite, a size is negative, or the rule is out of
        range.
    """
    if rule.rising < 1 or not rule.level > 0:
        raise ValueError(f"{rule}: rising must be at least 1, and level above 0")
    good = np.ones(len(time_h), bool) if good is None else good
    if not len(good) == len(size) == len(time_h):
        raise ValueError(f"{len(time_h)} times with {len(size)} sizes and {len(good)} of good")
    time_h, size = checked(time_h, np.where(good, size, math.nan))
    if np.any(size < 0):
        raise ValueError(f"size must be at least 0, and is {np.nanmin(size)}")
    start = baseline(time_h, size, t0_h)
    if math.isnan(start.size):
        return TimeToEvent(math.nan, False, start.note)
    later = (time_h > start.time_h) & ~np.isnan(size)
    times, sizes = time_h[later], np.append(start.size, size[later])
    # Number of successive rises that end at each image after the baseline.
    risen, rises = [], 0
    for rise in np.diff(sizes) > 0:
        rises = rises + 1 if rise else 0
        risen.append(rises)
    back = (np.array(risen) >= rule.rising) & (sizes[1:] > rule.level * start.size)
    if back.any():
        first = int(np.argmax(back))
        fell = np.min(sizes[: first + 2]) < start.size
        note = "" if fell else "never below its size at treatment"
        return TimeToEvent(float(times[first] - t0_h), True, note)
    last = float(times[-1]) if len(times) else start.time_h
    lost = np.max(time_h) > last
    note = "not followed after its last good image" if lost else "not regrown by the last image"
    return TimeToEvent(max(last - t0_h, 0.0), False, note)


def scd50(dose: Float[np.ndarray, " N"], controlled: Bool[np.ndarray, " N"]) -> ControlDose:
    """Estimates the dose that controls half of the spheroids.

    Logistic regression with Firth's penalty (`firth.firth_logistic`) of control on dose,

        logit P(control) = b0 + b1 dose,  SCD50 = -b0 / b1.

    The 95 % interval holds all doses for which twice the fall of the penalised log-likelihood,
    maximised along b0 = -b1 SCD50, is at most 3.84. It is bounded if and only if b1 differs from 0
    by the penalised likelihood-ratio test at 5 %; otherwise, or if fewer spheroids are controlled
    at higher doses, the result is "no dose dependence".

    Args:
      dose: dose of each spheroid, such as Gy; give log10 of a concentration to get the logarithm
        of SCD50. Spheroids censored before the time of assessment are to be left out.
      controlled: whether each spheroid did not regrow by the time of assessment.

    Raises:
      ValueError: lengths differ, or a dose is not finite.

    Source: SCD50 as a dose: Stuschke et al., Radiosensitivity, repair capacity, and stem cell
    fraction in human soft tissue tumors (abstract read); the logistic form and the interval
    are a choice of this package. References of the regression: `firth.firth_logistic`.
    """
    if len(dose) != len(controlled):
        raise ValueError(f"{len(dose)} doses with {len(controlled)} values of controlled")
    if not np.all(np.isfinite(dose)):
        raise ValueError("dose must be finite")
    counts = len(dose), int(np.sum(controlled))
    if len(np.unique(dose)) < 2:
        return ControlDose(Estimate(), Estimate(), *counts, "too few doses (2 needed)")
    middle, spread = float(np.mean(dose)), float(np.ptp(dose))
    x = (dose - middle) / spread
    fit = firth.firth_logistic(x[:, np.newaxis], controlled)
    intercept, slope = (one.value for one in fit.coefficients)
    of_dose = Estimate(*(v / spread for v in fit.coefficients[1]))
    if not fit.coefficients[1].low > 0:
        note = "no dose dependence"
        if 0 < counts[1] < counts[0]:
            note += ": control falls with dose" if fit.coefficients[1].high < 0 else ""
        else:
            note += ": all controlled" if counts[1] else ": none controlled"
        return ControlDose(Estimate(), of_dose, *counts, note)
    design = np.column_stack([np.ones(len(x)), x])

    def fall(half):
        # The direction is scaled, so that it has a limit for a far dose.
        direction = np.array([[-half], [1.0]]) / math.hypot(half, 1)
        top = firth.maximised(design, controlled, direction)[1]
        return 2 * (fit.log_likelihood - top) - firth.DROP

    half = -intercept / slope
    ends = (firth.interval_end(fall, half, direction / 16) for direction in (-1, 1))
    found = Estimate(*(middle + spread * float(v) for v in (half, *ends)))
    inside = np.min(dose) <= found.value <= np.max(dose)
    return ControlDose(found, of_dose, *counts, "" if inside else "outside the doses")
