"""Sizes relative to the negative controls of the same plate, cell line and time."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from spheroid_jax.plates.series import Series


def of_well(series: Series, everything: Sequence[Series]) -> list[Series]:
    """Lists the negative controls of a well: by role alone, on its plate, and of its cell line.

    Where there are several, such as DMSO and medium, those of `order` that come first on the plate.
    """
    found = [
        one
        for one in _of_line(everything, series.well.cell_line)
        if one.well.plate == series.well.plate
    ]
    if len({_kind(one) for one in found}) < 2:
        return found
    ranks = order(everything, series.well.cell_line)
    first = min((_kind(one) for one in found if one.measured), key=ranks.index, default=None)
    return [one for one in found if _kind(one) == first]


def order(everything: Sequence[Series], cell_line: str) -> list[tuple[str, float]]:
    """Lists treatment and dose of a cell line's negative controls, most measured wells first.

    The first is the reference of all comparisons. A control without a dose has the dose -inf.
    """
    found = _of_line(everything, cell_line)
    count = {kind: 0 for kind in sorted({_kind(one) for one in found})}
    for one in found:
        count[_kind(one)] += one.measured
    return sorted(count, key=lambda kind: -count[kind])


def _of_line(everything, cell_line):
    return [
        one for one in everything if one.well.role == "negative" and one.well.cell_line == cell_line
    ]


def _kind(one):
    dose = one.well.concentration
    return one.well.treatment, -math.inf if math.isnan(dose) else dose


def mean_at(controls: Sequence[Series], time_h: float) -> float:
    """Returns the mean size of controls at a time; NaN without one."""
    sizes = np.array([one.at(time_h) for one in controls], float)
    return float(np.nanmean(sizes)) if np.any(~np.isnan(sizes)) else math.nan


def percent(
    wells: Sequence[Series], everything: Sequence[Series], time_h: float
) -> Float[np.ndarray, " N"]:
    """Returns 100 x size / mean size of the negative controls of the same plate, for each well.

    NaN where the well has no size at this time, or its plate no control.
    """
    return np.array(
        [100 * one.at(time_h) / mean_at(of_well(one, everything), time_h) for one in wells], float
    )


def fold(series: Series, t0_h: float, time_h: float) -> float:
    """Returns the size at a time over that at t0; NaN where one is missing."""
    start = series.at(t0_h)
    return series.at(time_h) / start if start > 0 else math.nan


def mean_log2_fold(controls: Sequence[Series], t0_h: float, time_h: float) -> float:
    """Returns the mean log2 fold change of controls from t0 to a time; NaN without one."""
    folds = np.array([fold(one, t0_h, time_h) for one in controls], float)
    folds = folds[folds > 0]
    return float(np.log2(folds).mean()) if len(folds) else math.nan
