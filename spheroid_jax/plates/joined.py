"""Plate map and observations joined: one row per well and time.

A well of the map without an image is a row with its reason. A well with images that is not in the
map is listed and left out: it is never taken for a control.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from spheroid_jax.errors import UserError
from spheroid_jax.plates import nominal
from spheroid_jax.plates.layout import Layout, Well
from spheroid_jax.plates.observations import Observation, Observed

_SHOWN = 6
_ROUNDING_H = 1e-3


class JoinError(UserError, ValueError):
    """Images that fit no plate of the map, or several."""


class Row(NamedTuple):
    """One well at one time.

    Attributes:
      well: the well of the map.
      time_h: hours; NaN for a well without an image.
      value: mean size over the well's images at this time; NaN where there is none.
      images: number of images at this time.
      refused: number of images that were not measured.
      verdicts: verdicts on the images, "ok; several".
      flags: flags of the images.
      reason: why there is no value; "" if there is one.
    """

    well: Well
    time_h: float
    value: float
    images: int
    refused: int
    verdicts: str
    flags: str
    reason: str


class Joined(NamedTuple):
    """All rows of an analysis.

    Attributes:
      rows: by plate, well and time, those of excluded wells left out.
      measure: name of the size.
      unit: unit of the size.
      unmapped: wells with images that are not in the map, "plate A01" or "A01".
      notes: what was left out or assumed.
    """

    rows: tuple[Row, ...]
    measure: str
    unit: str
    unmapped: tuple[str, ...]
    notes: tuple[str, ...]


def join(observed: Observed, layout: Layout) -> Joined:
    """Joins the images with the wells of the map.

    Args:
      observed: images.
      layout: plate map; where it has several plates, the name of an image's plate stands in the
        path of the image or in the name of its folder of results.

    Raises:
      JoinError: no image has a well, or an image fits no plate or several.
    """
    if not any(row.well for row in observed.rows):
        raise JoinError(
            "no image has a well in its name; give names such as A01_d3.tif, --pattern to "
            "`spheroid measure`, or a table with the columns image, well and hour as --time"
        )
    plates = list(dict.fromkeys(well.plate for well in layout.wells))
    grouped, nowhere = {}, []
    for row in observed.rows:
        if not row.well:
            nowhere.append(row.image)
            continue
        grouped.setdefault((_plate_of(row, plates), row.well), []).append(row)
    grouped, apart = _in_rounds(grouped)
    wells = {(well.plate, well.well): well for well in layout.wells}
    rows = []
    for key, well in wells.items():
        if not well.excluded and well.role != "empty":
            rows += _rows_of_well(well, grouped.get(key, []))
    unmapped = sorted(" ".join(filter(None, key)) for key in grouped.keys() - wells.keys())
    left = _notes(rows, layout, grouped, nowhere, unmapped)
    notes = [*observed.notes, *layout.notes, *apart, *left]
    return Joined(tuple(rows), observed.measure, observed.unit, tuple(unmapped), tuple(notes))


def _in_rounds(grouped):
    """Gives the images of one round one time; returns them, and a note if times were changed."""
    hours = {
        key: [row.time_h for row in rows if not math.isnan(row.time_h)]
        for key, rows in grouped.items()
    }
    rounds = nominal.times(hours)
    farthest = max((abs(time - shown) for time, shown in rounds.items()), default=0.0)
    changed = {
        key: [row._replace(time_h=rounds.get(row.time_h, row.time_h)) for row in rows]
        for key, rows in grouped.items()
    }
    note = f"images of different wells up to {farthest:.2g} h apart count as of one time"
    return changed, [note] if farthest > _ROUNDING_H else []


def _plate_of(row: Observation, plates: Sequence[str]) -> str:
    """Returns the plate of an image, whose name stands in a path if there are several plates."""
    if len(plates) == 1:
        return plates[0]
    path = f"{row.folder}/{row.image}"
    found = [plate for plate in plates if _names(path, plate)]
    # The longest of "plate 1" and "plate 1 b" says more.
    found = [one for one in found if not any(one != other and one in other for other in found)]
    if len(found) != 1:
        fits = "no plate" if not found else f"the plates {', '.join(found)}"
        raise JoinError(
            f"{path}: fits {fits} of the map ({', '.join(plates[:_SHOWN])}); the name of one plate "
            "must stand in the folder or file name of each image, or of its folder of results"
        )
    return found[0]


def _names(path, plate):
    """Whether a plate's name stands in a path by itself, not as part of another word or number."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(plate)}(?![A-Za-z0-9])", path, re.I) is not None


def _rows_of_well(well, observations):
    """Returns one row per time of a well, or one row with a reason for a well without an image."""
    if not observations:
        return [Row(well, math.nan, math.nan, 0, 0, "", "", "no image")]
    by_time = {}
    for row in observations:
        # All images without a time are of one time.
        by_time.setdefault(None if math.isnan(row.time_h) else row.time_h, []).append(row)
    return [
        _row(well, math.nan if time is None else time, by_time[time])
        for time in sorted(by_time, key=lambda time: (time is None, time))
    ]


def _row(well, time_h, observations):
    # A size of 0, such as that of a missing core, has no logarithm and no percent.
    values = [row.value for row in observations if row.value > 0]
    reasons = dict.fromkeys(
        "the size is 0" if row.value == 0 else row.reason
        for row in observations
        if row.reason or row.value == 0
    )
    return Row(
        well=well,
        time_h=time_h,
        value=math.fsum(values) / len(values) if values else math.nan,
        images=len(observations),
        refused=len(observations) - len(values),
        verdicts="; ".join(dict.fromkeys(row.verdict for row in observations)),
        flags="; ".join(dict.fromkeys(row.flags for row in observations if row.flags)),
        reason="" if values else "; ".join(reasons),
    )


def _notes(rows, layout, grouped, nowhere, unmapped):
    """Yields what was left out, and what was averaged."""
    if unmapped:
        yield f"{_some(unmapped, 'well')} with images not in the map, left out"
    if nowhere:
        yield f"{_some(nowhere, 'image')} without a well in the name, left out"
    without = [_label(row.well) for row in rows if row.reason == "no image"]
    if without:
        yield f"{_some(without, 'well')} of the map without an image"
    excluded = [_label(well) for well in layout.wells if well.excluded]
    if excluded:
        yield f"{_some(excluded, 'well')} excluded by the map"
    several = sum(row.images > 1 for row in rows)
    if several:
        yield f"{several} times a well has several images at one time: their mean counts"
    flagged = Counter(row.verdicts for row in rows if not row.reason and row.verdicts != "ok")
    if flagged:
        names = ", ".join(
            f"{count} {name or 'without a verdict'}" for name, count in flagged.items()
        )
        yield f"values with a verdict other than ok are used ({names})"


def _label(well):
    return " ".join(filter(None, (well.plate, well.well)))


def _some(names, noun):
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    plural = noun if len(names) == 1 else f"{noun}s"
    return f"{len(names)} {plural} ({', '.join(names[:_SHOWN])}{more})"
