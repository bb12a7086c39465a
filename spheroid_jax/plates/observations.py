"""Observations: one measured size per image, read from the tables that `spheroid measure` writes.

    RESULTS/images.csv         one row per image, with its verdict
    RESULTS/measurements.csv   one row per body

An image that was not measured is an observation without a value, and says why. A body's size is in
micrometres; where no image has a pixel size, all sizes are in pixels.
"""

import csv
import math
import os
import pathlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from spheroid_jax.errors import UserError
from spheroid_jax.report import sheets

# Sizes by which plates are analysed, each with the power of its length. The first is the default.
MEASURES = {
    "volume_sphere": 3,
    "volume_prolate": 3,
    "volume_caliper": 3,
    "area": 2,
    "core_area": 2,
    "equivalent_diameter": 1,
    "feret_max": 1,
}
# Which bodies of an image count: the largest, or the mean or the sum of all.
BODIES = ("largest", "mean", "sum")
_UNITS = {1: ("um", "px"), 2: ("um2", "px2"), 3: ("um3", "px3")}
_FILES = ("images.csv", "measurements.csv")
_TIME_COLUMNS = {"hour": 1.0, "time_h": 1.0, "day": 24.0, "time_d": 24.0}
# Names that a message shows.
_SHOWN = 3


class ObservationsError(UserError, ValueError):
    """Tables that cannot be read or do not say where and when; the message names file and row."""


class Observation(NamedTuple):
    """One image.

    Attributes:
      folder: folder of results.
      image: path of the image, as in the tables.
      well: "A01"; "" if not known.
      time_h: hours; NaN if not known.
      value: size; NaN if not measured.
      verdict: verdict on the image.
      flags: what to keep in mind about the value; "" where there is nothing.
      reason: why there is no value; "" if there is one.
    """

    folder: str
    image: str
    well: str
    time_h: float
    value: float
    verdict: str
    flags: str
    reason: str


class Observed(NamedTuple):
    """All observations of a run.

    Attributes:
      rows: one per image.
      measure: name in `MEASURES`.
      unit: "um3", "um2", "um", or the same in "px".
      notes: what was chosen or assumed.
    """

    rows: tuple[Observation, ...]
    measure: str
    unit: str
    notes: tuple[str, ...]


def read(
    folders: Iterable[str | os.PathLike],
    *,
    measure: str = "volume_sphere",
    bodies: str = "largest",
    times: str | os.PathLike | None = None,
    interval_h: float | None = None,
    only_ok: bool = False,
) -> Observed:
    """Reads the observations of one or several folders of results.

    Args:
      folders: folders that `spheroid measure` wrote.
      measure: name in `MEASURES`.
      bodies: name in `BODIES`.
      times: CSV file with the columns `image`, and `hour` or `day`, and perhaps `well`; where it
        has a row for an image, this row counts. None: names of files and folders say it.
      interval_h: hours between the images of a series in one file.
      only_ok: whether values with a verdict other than "ok" are left out.

    Raises:
      ObservationsError: a table is missing, damaged, or lacks the measure.
    """
    if measure not in MEASURES or bodies not in BODIES:
        known = ", ".join(MEASURES if measure not in MEASURES else BODIES)
        raise ObservationsError(f"{measure if measure not in MEASURES else bodies!r}: not {known}")
    tables = [_read_tables(pathlib.Path(folder)) for folder in folders]
    if not tables:
        raise ObservationsError("no folder of results was given")
    given = {} if times is None else _read_times(pathlib.Path(times))
    unit, notes = _choose_unit(tables, measure)
    rows = [
        _observation(folder, image, found, f"{measure}_{unit}", bodies, given, interval_h, only_ok)
        for folder, images, bodies_of in tables
        for image in images
        for found in [bodies_of.get(_key(image), [])]
    ]
    return Observed(tuple(rows), measure, unit, (*notes, *_notes(rows, given, times, only_ok)))


def _read_tables(folder):
    """Reads the two tables of a run; returns the folder, its images, and the bodies by image."""
    for name in _FILES:
        if not (folder / name).is_file():
            raise ObservationsError(
                f"{folder}: no {name} in this folder; give the folder that `spheroid measure` wrote"
            )
    images, bodies = (_read_csv(folder / name) for name in _FILES)
    by_image = {}
    for row in bodies:
        by_image.setdefault(_key(row), []).append(row)
    return str(folder), images, by_image


def _read_csv(path):
    try:
        rows = sheets.read_csv(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ObservationsError(f"{path}: cannot be read: {error}") from None
    if rows and "image" not in rows[0]:
        raise ObservationsError(f"{path}: has no column image; is it a table of another program?")
    return rows


def _key(row):
    return row["image"], row.get("scene") or "", row.get("time") or ""


def _choose_unit(tables, measure):
    """Returns the unit of the sizes, and a note where it needs one."""
    um, px = _UNITS[MEASURES[measure]]
    rows = [row for _, _, bodies in tables for found in bodies.values() for row in found]
    if rows and f"{measure}_px{um[2:]}" not in rows[0]:
        raise ObservationsError(
            f"{tables[0][0]}/measurements.csv: has no column {measure}_{um}; was it written by an "
            "older version? Measure again, or choose another size with --measure"
        )
    in_um = sum(bool(row[f"{measure}_{um}"]) for row in rows)
    measured = sum(bool(row[f"{measure}_{px}"]) for row in rows)
    if not in_um:
        return px, ["no image has a pixel size, so sizes are in pixels"] if measured else []
    if in_um < measured:
        return um, [f"{measured - in_um} bodies have no size in micrometres, and are left out"]
    return um, []


def _observation(folder, image, found, column, bodies, given, interval_h, only_ok):
    """Makes the observation of one image from its row and the rows of its bodies."""
    values = {
        int(row["body"]): _number(row[column], folder, column) for row in found if row["body"]
    }
    values = {body: value for body, value in values.items() if not math.isnan(value)}
    verdict = image.get("verdict", "")
    reason = ""
    if only_ok and verdict != "ok":
        reason = f"verdict: {verdict}"
    elif not values:
        measured = any(row["body"] for row in found)
        reason = "no pixel size" if measured else image.get("reason") or f"verdict: {verdict}"
    place = _place(folder, image, given, interval_h)
    return Observation(
        folder=folder,
        image=image["image"],
        well=place[0],
        time_h=place[1],
        value=math.nan if reason else _combined(values, bodies),
        verdict=verdict,
        flags=image.get("flags", ""),
        reason=reason,
    )


def _combined(values, bodies):
    """Returns the size of the largest body (number 1), or the mean or the sum of all."""
    if bodies == "largest":
        return values[min(values)]
    total = math.fsum(values.values())
    return total if bodies == "sum" else total / len(values)


def _place(folder, image, given, interval_h):
    """Returns the well and the hours of an image, from the table of times first."""
    well, hours = image.get("well") or "", math.nan
    if image["image"] in given:
        own_well, hours = given[image["image"]]
        return own_well or well, hours
    for column in ("hour", "day"):
        if image.get(column):
            hours = _number(image[column], folder, column) * _TIME_COLUMNS[column]
            break
    if image.get("time") and interval_h is not None:
        start = 0.0 if math.isnan(hours) else hours
        hours = start + _number(image["time"], folder, "time") * interval_h
    return well, hours


def _number(text, folder, column):
    """Reads a cell; an empty one is NaN."""
    try:
        return float(text) if text else math.nan
    except ValueError:
        raise ObservationsError(f"{folder}: column {column}: {text!r} is not a number") from None


def _read_times(path):
    """Reads a table of times; returns well and hours by image."""
    rows = _read_csv(path)
    columns = [name for name in _TIME_COLUMNS if rows and name in rows[0]]
    if len(columns) != 1:
        raise ObservationsError(
            f"{path}: needs the columns image and one of {', '.join(_TIME_COLUMNS)}"
        )
    given = {}
    for line, row in enumerate(rows, start=2):
        hours = _number(row[columns[0]], f"{path}, line {line}", columns[0])
        if row["image"] in given:
            raise ObservationsError(f"{path}, line {line}: {row['image']} has a row already")
        given[row["image"]] = (row.get("well") or "", hours * _TIME_COLUMNS[columns[0]])
    return given


def _notes(rows: Sequence[Observation], given, times, only_ok):
    """Yields what was left out or assumed."""
    unused = given.keys() - {row.image for row in rows}
    if unused:
        yield f"{times}: {_some(sorted(unused))} not among the images"
    untimed = [row.image for row in rows if math.isnan(row.time_h)]
    if untimed and len(untimed) < len(rows):
        yield f"no time is known of {_some(untimed)}: left out"
    if only_ok:
        left = Counter(row.verdict for row in rows if row.reason.startswith("verdict"))
        named = ", ".join(f"{count} {name}" for name, count in sorted(left.items()))
        yield f"only images with the verdict ok count; left out: {named or 'none'}"


def _some(names):
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} ({', '.join(names[:_SHOWN])}{more})"
