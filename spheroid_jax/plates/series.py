"""Time series of wells, gathered by condition: cell line, treatment, concentration and role."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from spheroid_jax.plates.joined import Row
from spheroid_jax.plates.layout import Well

# Doses that agree in so many significant digits are one dose.
_DIGITS = 9
SAME_H = 1e-6  # times that agree so well are one


class Series(NamedTuple):
    """One well over time.

    Attributes:
      well: the well of the map.
      time_h: times of its images in hours, ascending; empty for a well without an image.
      size: size at each time; NaN where there is none.
      refused: whether the images at each time were not measured.
      reasons: why there is no size at each time; "" where there is one.
    """

    well: Well
    time_h: Float[np.ndarray, " T"]
    size: Float[np.ndarray, " T"]
    refused: Bool[np.ndarray, " T"]
    reasons: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the well, unique in the analysis."""
        return f"{self.well.plate} {self.well.well}".strip()

    @property
    def measured(self) -> bool:
        """Whether the well has a size at any time."""
        return bool(np.any(~np.isnan(self.size)))

    def at(self, time_h: float) -> float:
        """Size at a time; NaN where there is none."""
        found = self.size[np.abs(self.time_h - time_h) <= SAME_H]
        return float(found[0]) if len(found) else math.nan

    def refused_at(self, time_h: float) -> bool:
        """Whether there are images at a time, and none of them was measured."""
        here = np.abs(self.time_h - time_h) <= SAME_H
        return bool(np.any(here & np.isnan(self.size)))


class Key(NamedTuple):
    """What makes a condition.

    Attributes:
      cell_line: name of the cell line; may be "".
      treatment: name of the treatment; may be "".
      concentration: NaN where the map has none.
      unit: unit of the concentration.
      role: role of the wells.
      label: name of the condition in tables and figures, unique in an analysis.
    """

    cell_line: str
    treatment: str
    concentration: float
    unit: str
    role: str
    label: str = ""


class Group(NamedTuple):
    """All wells of one condition."""

    key: Key
    wells: tuple[Series, ...]

    @property
    def experiments(self) -> tuple[str, ...]:
        """Names of the experiments, sorted."""
        return tuple(sorted({series.well.experiment for series in self.wells}))

    def sizes_at(self, time_h: float) -> Float[np.ndarray, " N"]:
        """Size of each well at a time."""
        return np.array([series.at(time_h) for series in self.wells], float)

    @property
    def measured(self) -> int:
        """Number of wells with a size at any time."""
        return sum(series.measured for series in self.wells)

    def points(self):
        """Returns time, size, well and experiment of all points with a size."""
        parts = [
            (time, size, series.name, series.well.experiment)
            for series in self.wells
            for time, size in zip(series.time_h, series.size, strict=True)
            if not math.isnan(size)
        ]
        times, sizes, wells, units = zip(*parts, strict=True) if parts else ((), (), (), ())
        return np.array(times, float), np.array(sizes, float), np.array(wells), np.array(units)


def of_rows(rows: Iterable[Row]) -> list[Series]:
    """Gathers the rows of each well; a well without an image has an empty series."""
    by_well: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_well.setdefault((row.well.plate, row.well.well), []).append(row)
    return [_series(found) for found in by_well.values()]


def _series(rows):
    # A well whose images have no time has one row, at time 0.
    seen = [row for row in rows if row.images]
    times = np.array([0.0 if math.isnan(row.time_h) else row.time_h for row in seen], float)
    order = np.argsort(times, kind="stable")
    seen = [seen[place] for place in order]
    well = rows[0].well
    # 0.30000000000000004 is the dose 0.3.
    dose = float(f"{well.concentration:.{_DIGITS}g}")
    return Series(
        dataclasses.replace(well, concentration=dose),
        times[order],
        np.array([row.value for row in seen], float),
        np.array([row.refused == row.images for row in seen], bool),
        tuple(row.reason for row in seen),
    )


def groups(series: Sequence[Series]) -> list[Group]:
    """Gathers the wells of each condition, controls first, then by treatment and concentration."""
    by_key: dict[tuple, list[Series]] = {}
    for one in series:
        well = one.well
        dose = None if math.isnan(well.concentration) else well.concentration
        names = (well.cell_line, well.treatment, dose, well.concentration_unit, well.role)
        by_key.setdefault(names, []).append(one)
    found = [
        Group(Key(line, treatment, math.nan if dose is None else dose, unit, role), tuple(wells))
        for (line, treatment, dose, unit, role), wells in by_key.items()
    ]
    return sorted(_labelled(found), key=lambda group: _order(group.key))


def _labelled(found):
    """Names the conditions: with the cell line or the role only where one name needs it."""
    lines = len({group.key.cell_line for group in found}) > 1
    names = [_name(group.key, lines) for group in found]
    for group, name in zip(found, names, strict=True):
        role = f" ({group.key.role})" if names.count(name) > 1 else ""
        yield group._replace(key=group.key._replace(label=name + role))


def _name(key, lines):
    dose = "" if math.isnan(key.concentration) else f"{key.concentration:.9g} {key.unit}"
    name = " ".join(filter(None, (key.treatment or key.role, dose.strip())))
    return f"{key.cell_line}: {name}" if lines and key.cell_line else name


_ROLES = ("negative", "positive", "sample", "blank", "empty")


def _order(key):
    dose = -math.inf if math.isnan(key.concentration) else key.concentration
    return key.cell_line, _ROLES.index(key.role), key.treatment, dose


def times_of(series: Sequence[Series]) -> Float[np.ndarray, " T"]:
    """Returns all times of an analysis, ascending."""
    found = [one.time_h for one in series if len(one.time_h)]
    return np.unique(np.concatenate(found)) if found else np.array([])
