"""Quality of each plate: separation and spread of controls, edge effect, drift, refused wells."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spheroid_jax.plates import controls, quality
from spheroid_jax.plates.layout import Layout
from spheroid_jax.plates.quality import Drift, Edge, Separation, Spread
from spheroid_jax.plates.series import Series
from spheroid_jax.report import plates


class PlateQuality(NamedTuple):
    """Quality of one plate at one time.

    Attributes:
      plate: name of the plate; may be "".
      wells: number of wells of the map, without excluded, blank and empty ones.
      refused: number of those whose images were not measured.
      z_prime: Z' of positive and negative controls.
      ssmd: SSMD of the same.
      negative: spread of the negative controls.
      positive: spread of the positive controls.
      edge: outer against inner wells.
      rows: drift over the rows.
      columns: drift over the columns.
    """

    plate: str
    wells: int
    refused: int
    z_prime: Separation
    ssmd: Separation
    negative: Spread
    positive: Spread
    edge: Edge
    rows: Drift
    columns: Drift


def of_plates(series: Sequence[Series], layout: Layout, time_h: float) -> list[PlateQuality]:
    """Computes the quality of each plate from the sizes at a time.

    Controls are those that are the reference of their wells, in percent of the mean of the negative
    controls of the same cell line, so that plates of several cell lines are judged as others are.
    """
    kept = [one for one in series if one.well.role not in ("blank", "empty")]
    names = dict.fromkeys(one.well.plate for one in kept)
    return [
        _of_plate([one for one in kept if one.well.plate == name], kept, layout, time_h)
        for name in names
    ]


def _of_plate(series, everything, layout, time_h):
    sizes = np.array([one.at(time_h) for one in series], float)
    # A size of 0 has no logarithm; it is a missing size here.
    sizes = np.where(sizes > 0, sizes, math.nan)
    roles = np.array([one.well.role for one in series])
    percents = controls.percent(series, everything, time_h)
    reference = np.array([_is_reference(one, everything) for one in series], bool)
    positive, negative = percents[roles == "positive"], percents[reference]
    rows, columns = (
        np.array([getattr(one.well, axis) for one in series], int) for axis in ("row", "column")
    )
    alike = [_condition(one) for one in series]
    return PlateQuality(
        series[0].well.plate,
        len(series),
        sum(one.refused_at(time_h) for one in series),
        quality.z_prime(positive, negative),
        quality.ssmd(positive, negative),
        quality.cv_percent(negative),
        quality.cv_percent(positive),
        quality.edge_effect(sizes, alike, rows, columns, shape=plates.FORMATS[layout.format]),
        quality.drift(sizes, alike, rows),
        quality.drift(sizes, alike, columns),
    )


def _is_reference(one, everything):
    return any(one is each for each in controls.of_well(one, everything))


def _condition(one):
    well = one.well
    dose = "" if math.isnan(well.concentration) else f"{well.concentration:g}"
    return well.cell_line, well.treatment, dose, well.role
