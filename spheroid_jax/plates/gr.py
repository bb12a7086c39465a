"""Growth-rate inhibition (GR) values, their curve and metrics, and normalised drug response (NDR).

GR compares growth rates, not sizes, and so does not depend on how fast the control grows or how
long the experiment lasts: 1 is no effect, 0 no growth, and below 0 loss. Sizes may be volumes or
numbers of cells. Sources: Hafner et al. 2016 (Nature Methods 13, 521) and Clark et al. 2017 (BMC
Cancer 17, 698), with the bounds of GRmetrics and GR calculator; Gupta et al. 2020 (Communications
Biology 3, 42) for NDR, with the formula of the authors' scripts.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from spheroid_jax.plates import dose as dose_response
from spheroid_jax.plates import dose_groups, gr_curve
from spheroid_jax.plates.estimate import Estimate

NOT_GROWING = "control does not grow"
NO_KILLING = "positive control does not kill"
NEVER = "GR50 is not reached"


class GrResponse(NamedTuple):
    """GR metrics of one drug; doses have the unit they came in.

    Attributes:
      gr50: dose at which the fitted GR is 0.5; inf where it stays above, -inf where a flat response
        is at or below 0.5 at all doses.
      grmax: the lower of the mean GR at the two highest doses.
      gec50: dose at half of the effect GRinf; NaN for a flat response.
      grinf: fitted GR at infinite dose, in [-1, 1]; the mean GR of a flat response.
      gr_aoc: area over the GR curve, trapezoid over log10 dose divided by the log10 range.
      h_gr: Hill coefficient in [0.1, 5].
      n: number of GR values used.
      n_dropped: number of GR values that are NaN, and so not used.
      n_doses: number of distinct doses.
      r2: 1 - (sum of squared residuals) / (sum of squares about the mean).
      p: p-value of the F test of the curve against a flat line.
      effect: whether p < 0.05.
      note: what to know about the curve and GR50, or empty.
    """

    gr50: Estimate = Estimate()
    grmax: Estimate = Estimate()
    gec50: Estimate = Estimate()
    grinf: Estimate = Estimate()
    gr_aoc: Estimate = Estimate()
    h_gr: Estimate = Estimate()
    n: int = 0
    n_dropped: int = 0
    n_doses: int = 0
    r2: float = math.nan
    p: float = math.nan
    effect: bool = False
    note: str = ""


class Control(NamedTuple):
    """Growth of the control.

    Attributes:
      doublings: mean log2 fold change of the control's wells.
      relative_error: standard error of `doublings` divided by it; 0 for one well.
      note: why there are no GR values, or empty.
    """

    doublings: float
    relative_error: float
    note: str


class Row(NamedTuple):
    """A row of the table that GR calculator reads; the names are its columns."""

    cell_line: str
    treatment: str
    concentration: float
    cell_count: float
    cell_count__ctrl: float
    cell_count__time0: float


def control_growth(end: Float[np.ndarray, " N"], start: Float[np.ndarray, " N"] | float) -> Control:
    """Computes the mean doublings log2(end / start) of the control's wells, with their error.

    Args:
      end: sizes of the control's wells at the end.
      start: sizes of the same wells at treatment, or one size for all.
    """
    doublings = _doublings(end, start)
    doublings = doublings[~np.isnan(doublings)]
    if doublings.size == 0 or not (mean := float(np.mean(doublings))) > 0:
        return Control(math.nan, math.nan, NOT_GROWING)
    count = doublings.size
    error = float(np.std(doublings, ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    return Control(mean, error / mean, "")


def values(
    end: Float[np.ndarray, " N"],
    start: Float[np.ndarray, " N"] | float,
    control_doublings: float,
) -> Float[np.ndarray, " N"]:
    """Computes GR = 2^(log2(x / x0) / log2(x_ctrl / x0)) - 1 of each well.

    Args:
      end: sizes x at the end; an empty well of size 0 has GR = -1.
      start: sizes x0 at treatment, of the same wells or one for all.
      control_doublings: log2(x_ctrl / x0) of the control, such as `Control.doublings`.

    Returns:
      GR values; NaN for NaN sizes, and all NaN unless the control grows.
    """
    doublings = _doublings(end, start)
    if not control_doublings > 0:
        return np.full(doublings.shape, np.nan)
    return np.exp2(doublings / control_doublings) - 1


def fit(
    dose: Float[np.ndarray, " N"],
    gr: Float[np.ndarray, " N"],
    *,
    control_error: float = 0.0,
) -> GrResponse:
    """Fits GR = GRinf + (1 - GRinf) / (1 + (c / GEC50)^h), and tests it against a flat line.

    The bounds are those of GR calculator: GRinf in [-1, 1], h in [0.1, 5], and GEC50 within two
    decades of the doses. The F test compares the curve with the mean, with 2 and n - 3 degrees of
    freedom; where p >= 0.05 the response is flat. Intervals are profile-likelihood intervals; those
    of GRmax and GR_AOC are t intervals with the standard deviation within doses.

    Args:
      dose: dose of each well, at least 0.
      gr: GR value of each well; NaN is dropped, and counted.
      control_error: relative standard error of the control's doublings, which all GR values share
        (`Control.relative_error`); it widens the profile intervals.

    Raises:
      ValueError: lengths differ, or a dose is negative or not finite, or a GR value is infinite.
    """
    points = dose_response.usable(dose, gr)
    tested = points.log10_dose[np.isfinite(points.log10_dose)]
    basic = GrResponse(
        n=len(points.response),
        n_dropped=points.dropped,
        n_doses=len(np.unique(points.dose)),
        grmax=_grmax(points),
        gr_aoc=_area_over(points),
    )
    if basic.n == 0 and points.dropped:
        return basic._replace(note="no GR values")
    if basic.n_doses < gr_curve.PARAMETERS + 1:
        return basic._replace(note=dose_response.TOO_FEW)
    curve = gr_curve.solve(points.log10_dose, points.response, control_error)
    if not curve.p < dose_response.ALPHA:
        return _flat(points, basic, curve.p)
    location = gr_curve.interval(curve, "log10_gec50")
    gr50 = gr_curve.gr50(curve)
    notes = []
    if not tested.min() <= location.value <= tested.max():
        notes.append(f"GEC50 {dose_response.OUTSIDE}")
    if gr50.value == math.inf:
        notes.append(NEVER)
    elif not tested.min() <= gr50.value <= tested.max():
        notes.append(f"GR50 {dose_response.OUTSIDE}")
    about_mean = float(np.sum((points.response - points.response.mean()) ** 2))
    return basic._replace(
        gr50=dose_response.power_of_10(gr50),
        gec50=dose_response.power_of_10(location),
        grinf=gr_curve.interval(curve, "grinf"),
        h_gr=dose_response.power_of_10(gr_curve.interval(curve, "log10_h")),
        r2=1 - curve.best.squares / about_mean,
        p=curve.p,
        effect=True,
        note="; ".join(notes),
    )


def ndr(
    fold: Float[np.ndarray, " N"], negative_fold: float, positive_fold: float
) -> tuple[Float[np.ndarray, " N"], str]:
    """Computes the normalised drug response of each well.

    The formula is

        NDR = max(-1, (1 - 2^(log2 F / log2 F_pos)) / (1 - 2^(log2 F_neg / log2 F_pos))),

    where F = x / x0 is a well's fold change, and F_neg and F_pos are the medians of the fold
    changes of the negative and the positive controls. NDR is 1 for the negative control, 0 without
    growth, and -1 for death. NDR is defined only if the negative control grows (F_neg > 1) and the
    positive control kills (F_pos < 1).

    Args:
      fold: fold change of each well, at least 0.
      negative_fold: median fold change of the negative control.
      positive_fold: median fold change of the positive control.

    Returns:
      NDR values, and why all are NaN, or an empty note.
    """
    fold = np.asarray(fold, float)
    if not negative_fold > 1:
        return np.full(fold.shape, np.nan), NOT_GROWING
    if not 0 < positive_fold < 1:
        return np.full(fold.shape, np.nan), NO_KILLING
    kill = math.log2(positive_fold)
    growth = 1 - 2 ** (math.log2(negative_fold) / kill)
    # A well without anything left has log2 F = -inf, and so -1.
    with np.errstate(over="ignore"):
        ratio = (1 - np.exp2(_doublings(fold, 1.0) / kill)) / growth
    return np.maximum(-1.0, ratio), ""


def gr_calculator_rows(
    cell_line: str,
    treatment: str,
    dose: Float[np.ndarray, " N"],
    end: Float[np.ndarray, " N"],
    start: Float[np.ndarray, " N"] | float,
    control_end: float,
) -> list[Row]:
    """Returns rows that GR calculator reads, one per well with a positive dose and a size.

    Args:
      cell_line: name of the cell line.
      treatment: name of the drug.
      dose: dose of each well; GR calculator needs positive ones, and expects micromolar.
      end: sizes at the end, written as cell counts; NaN is left out.
      start: sizes at treatment.
      control_end: mean size of the control at the end.
    """
    arrays = (np.asarray(each, float) for each in (dose, end, start))
    dose, end, start = np.broadcast_arrays(*arrays)
    kept = (dose > 0) & ~np.isnan(end) & ~np.isnan(start)
    return [
        Row(cell_line, treatment, *(float(each) for each in row))
        for row in zip(
            dose[kept], end[kept], np.full(kept.sum(), control_end), start[kept], strict=True
        )
    ]


def _doublings(end, start):
    end, start = np.asarray(end, float), np.asarray(start, float)
    for name, sizes, least in (("end", end, end < 0), ("start", start, start <= 0)):
        if np.any(least) or np.any(np.isinf(sizes)):
            raise ValueError(f"sizes at the {name} must be positive and finite")
    ratio = end / start
    return np.log2(ratio, out=np.full(ratio.shape, -np.inf), where=ratio != 0)


def _flat(points, basic, p):
    mean = float(np.mean(points.response))
    half = float(stats.t.ppf(0.975, basic.n - 1) * stats.sem(points.response))
    return basic._replace(
        gr50=Estimate(math.inf if mean > 0.5 else -math.inf),
        grinf=Estimate(mean, mean - half, mean + half),
        r2=0.0,
        p=p,
        note=dose_response.NO_EFFECT,
    )


def _grmax(points):
    groups = dose_groups.summarise(points.dose, points.response)
    if len(groups.dose) < 2:
        return Estimate()
    lower = int(np.argmin(groups.mean[-2:])) - 2
    return dose_groups.combine(groups, np.eye(len(groups.dose))[lower])


def _area_over(points):
    area = dose_groups.auc(points.dose, points.response).value
    return Estimate(1 - area.value, 1 - area.high, 1 - area.low)
