"""Numbers in words: estimates with their intervals, and replicates with what they are."""

import math
from collections.abc import Sequence

import numpy as np

from spheroid_jax.plates.estimate import Estimate
from spheroid_jax.plates.series import Series

# Units as a reader writes them.
_UNITS = {"um": "µm", "um2": "µm²", "um3": "µm³", "px2": "px²", "px3": "px³"}
_MEASURES = {
    "volume_sphere": "volume",
    "volume_prolate": "volume (prolate)",
    "volume_caliper": "volume (caliper)",
    "area": "area",
    "core_area": "area of the core",
    "equivalent_diameter": "diameter",
    "feret_max": "Feret diameter",
}


def number(value: float) -> str:
    """Returns a number with two to three digits, without an exponent where it is short."""
    if not math.isfinite(value):
        return {math.inf: "unbounded", -math.inf: "unbounded"}.get(value, "–")
    if value == 0 or 0.001 <= abs(value) < 1e5:
        # First rounded: 0.996 is 1.0 and not 1.00.
        digits = 2 if abs(value) < 100 else 3
        value = float(f"{value:.{digits - 1}e}")
        decimals = digits - 1 - math.floor(math.log10(abs(value))) if value else 0
        return f"{value:.{max(decimals, 0)}f}"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def estimate(found: Estimate, unit: str = "", *, least: float = -math.inf) -> str:
    """Returns an estimate and its interval: "3.2 uM [2.1, 4.8]".

    Args:
      found: the estimate.
      unit: unit, with a space before it in the text.
      least: least possible value; an end there is unbounded.
    """
    text = f"{number(found.value)} {unit}".strip()
    if math.isnan(found.low) and math.isnan(found.high):
        return text
    low = "unbounded" if found.low <= least else number(found.low)
    return f"{text} [{low}, {number(found.high)}]"


def unit(name: str) -> str:
    """Returns a unit as a reader writes it."""
    return _UNITS.get(name, name)


def measure(name: str) -> str:
    """Returns the name of a size in words."""
    return _MEASURES[name]


def hours(value: float) -> str:
    """Returns a time: "day 6", "6.5 h"."""
    days = value / 24
    return f"day {days:g}" if days == round(days) and days > 0 else f"{value:g} h"


def replicates(wells: Sequence[Series], at_h: float | None = None) -> str:
    """Returns what n is: experiments where there are several, else wells of one experiment.

    Args:
      wells: the wells; those without a size do not count.
      at_h: time at which they need a size; None for any time.
    """
    wells = [
        one
        for one in wells
        if not (math.isnan(one.at(at_h)) if at_h is not None else np.isnan(one.size).all())
    ]
    experiments = {one.well.experiment for one in wells}
    if len(experiments) > 1:
        return f"n = {len(experiments)} experiments"
    if not wells:
        return "no well measured"
    return f"{count(len(wells), 'well')} of one experiment"


def count(number: int, noun: str) -> str:
    """Returns a number with its noun: "1 well", "3 wells"."""
    return f"{number} {noun if number == 1 else f'{noun}s'}"
