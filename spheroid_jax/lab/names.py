"""Wells, days, hours and fields from the names of files and folders.

Names are read token by token: a token is what stands between separators (anything but letters and
digits), so `plate1_day7_C04.tif` is well C04 and not E1. The file's name counts before its folder's
name, and that before the folder above. Known layouts of microscopes come first:

    A01_d3.tif   day3/A1.tif   A1_24h.tif              a well, and a day or an hour
    VID12_B2_1_00d06h00m.tif                           Incucyte: well, field, time since the start
    VID12_B2_1_2024y05m03d_12h30m.tif                  Incucyte: well, field, date
    plate_A01_s1_w2.tif   TimePoint_3/...              ImageXpress: well, field; its w is a channel
    r02c03f04p01-ch1sk2fk1fl1.tiff                     Operetta: row, column, field

A name that begins with a token such as `d2`, where no well is named, may mean the well D02 or the
second day: neither is taken, and `Place.doubt` says so.
"""

import datetime
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from spheroid_jax.errors import UserError
from spheroid_jax.report.plates import COLUMNS, ROW, WELL, row_letters, well_name

_OPERETTA = re.compile(r"r(\d{2})c(\d{2})f(\d+)p\d+", re.I)
_INCUCYTE_SINCE = re.compile(r"(\d+)d(\d{1,2})h(\d{1,2})m")
_INCUCYTE_DATE = re.compile(r"(\d{4})y(\d{1,2})m(\d{1,2})d[-_](\d{1,2})h(\d{1,2})m")
_INCUCYTE_FIELD = re.compile(rf"(?:^|_)(?:{ROW})\d{{1,2}}_(\d{{1,2}})_")
_NUMBER = r"0*(\d+(?:[.,]\d+)?)"


def _token(pattern):
    """Compiles a pattern for a whole token."""
    return re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", re.I)


_DAY = _token(rf"(?:days?|tag)[-_ ]?{_NUMBER}|d{_NUMBER}")
_HOUR = _token(rf"(?:hours?|hrs?)[-_ ]?{_NUMBER}|[ht]?{_NUMBER}(?:h|hr|hrs|hours?)")
_FIELD = _token(rf"(?:fields?|site|pos|position)[-_ ]?{_NUMBER}|[sf]{_NUMBER}")
# One-letter tokens that programs write for channel, day, field, hour, plane, site, time, wavelength
# and depth: a well only where nothing else can be one, and never in lower case.
_AXES = "cdfhpstwz"
# At the beginning of a name a well as well as a day.
_WELL_OR_DAY = re.compile(r"d\d{1,2}(?![A-Za-z0-9]|[.,]\d)")
# Names that a message shows.
_SHOWN = 5


class PlaceError(UserError, ValueError):
    """Names from which wells or times cannot be read."""


class Place(NamedTuple):
    """Where and when an image was taken, as far as its name says.

    Attributes:
      well: row and column, "A01"; "" if not known.
      day: days since the start; None if not known.
      hour: hours since the start; None if not known.
      field: name of the field in the well; "" if not known.
      taken: date and time; None if not known.
      doubt: what the name may mean, and was not taken; "" where nothing is in doubt.
    """

    well: str = ""
    day: float | None = None
    hour: float | None = None
    field: str = ""
    taken: datetime.datetime | None = None
    doubt: str = ""


def compile_pattern(pattern: str) -> re.Pattern:
    """Compiles a user's pattern, a regular expression with named groups.

    Args:
      pattern: with any of the groups `well`, `row`, `column`, `day`, `hour`, `field`, for example
        `(?P<well>[A-H][0-9]+)_day(?P<day>[0-9]+)`.

    Raises:
      PlaceError: not a regular expression, or without these groups.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise PlaceError(f"--pattern {pattern!r}: not a regular expression: {error}") from None
    known = {"well", "row", "column", "day", "hour", "field"}
    groups = compiled.groupindex.keys()
    if not groups or groups - known:
        wrong = ", ".join(sorted(groups - known)) or "none"
        raise PlaceError(
            f"--pattern {pattern!r}: has groups {wrong}; it takes (?P<NAME>...) with NAME one of "
            f"{', '.join(sorted(known))}"
        )
    return compiled


def read_places(names: Iterable[str], pattern: re.Pattern | None = None) -> list[Place]:
    """Reads where and when each image was taken.

    Where names give a date, hours are counted from the first date of the same series: of the names
    that begin alike up to the well, as those of one plate in an incubator do.

    Args:
      names: paths below the folder of all images, with forward slashes: "day3/A01.tif".
      pattern: as returned by `compile_pattern`; None for the layouts above.

    Returns:
      One `Place` per name.

    Raises:
      PlaceError: names have two wells each, or do not fit the pattern; the message shows some.
    """
    names = list(names)
    problems, places = [], []
    for name in names:
        try:
            places.append(_by_pattern(name, pattern) if pattern else _by_layout(name))
        except ValueError as problem:
            problems.append(f"{name}: {problem}")
    if problems:
        more = f", and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise PlaceError(
            f"wells cannot be read from {len(problems)} of {len(names)} names: "
            f"{'; '.join(problems[:_SHOWN])}{more}; say with --pattern what the names mean"
        )
    first: dict[str, Any] = {}
    for name, place in zip(names, places, strict=True):
        if (taken := place.taken) is not None:
            first[_series(name)] = min(taken, first.get(_series(name), taken))
    return [
        _since(place, first.get(_series(name))) for name, place in zip(names, places, strict=True)
    ]


def _series(name):
    """What stands before the well in an Incucyte name: the name of the plate."""
    stem = name.rpartition("/")[2]
    found = _INCUCYTE_FIELD.search(stem)
    return stem[: found.start()] if found else ""


def _since(place, first):
    if place.taken is None:
        return place
    hours = (place.taken - first).total_seconds() / 3600
    return place._replace(hour=hours, day=hours / 24)


def _by_pattern(name, pattern):
    found = pattern.search(name)
    if found is None:
        raise ValueError("does not fit the pattern")
    groups = {key: value for key, value in found.groupdict().items() if value is not None}
    well = ""
    if "well" in groups:
        match = WELL.fullmatch(groups["well"])
        if match is None:
            raise ValueError(f"{groups['well']!r} is not a well")
        well = well_name(match[1], int(match[2]))
    elif "row" in groups and "column" in groups:
        row = groups["row"]
        row = row_letters(int(row) - 1) if row.isdigit() else row
        well = well_name(row, int(groups["column"]))
    day, hour = (_float(groups[key]) if key in groups else None for key in ("day", "hour"))
    return Place(well, day, hour, groups.get("field", ""))


def _by_layout(name):
    """Reads a name by the known layouts; the file's name first, then its folders' names."""
    parts = name.split("/")
    stem = parts[-1].rpartition(".")[0] or parts[-1]
    parts = [stem, *reversed(parts[:-1])]
    if found := _OPERETTA.match(stem):
        well = well_name(row_letters(int(found[1]) - 1), int(found[2]))
        return Place(well, *_time(parts[1:]), field=str(int(found[3])))
    wells = [_wells(part) for part in parts]
    candidates = next((found for found in wells if found), [])
    if len(candidates) > 1:
        raise ValueError(f"has {len(candidates)} wells: {', '.join(candidates)}")
    well = candidates[0] if candidates else ""
    if found := _INCUCYTE_DATE.search(stem):
        year, month, day, hour, minute = map(int, found.groups())
        taken = datetime.datetime(year, month, day, hour, minute)
        return Place(well, field=_incucyte_field(stem), taken=taken)
    if found := _INCUCYTE_SINCE.search(stem):
        days, hours, minutes = map(int, found.groups())
        hour = 24 * days + hours + minutes / 60
        return Place(well, hour / 24, hour, _incucyte_field(stem))
    doubt, field = "", _first(_FIELD, parts[:1], str) or ""
    if not well and (found := _WELL_OR_DAY.match(stem)):
        doubt = f"{found[0]!r} in the name may be a well or a day, and is not read"
        parts[0] = stem[found.end() :]
    return Place(well, *_time(parts), field, doubt=doubt)


def _wells(part):
    """The wells that the tokens of one part of a path can mean, each once."""
    tokens = _tokens(part)
    found = {token: match for token in tokens if (match := WELL.fullmatch(token))}
    found = {t: m for t, m in found.items() if int(m[2]) <= COLUMNS}
    plain = {t: m for t, m in found.items() if m[1].lower() not in _AXES}
    # C04 beside nothing else is a well; beside A01 it is a channel, as d3 is a day.
    upper = {t: m for t, m in found.items() if t[0].isupper()}
    chosen = plain or upper
    if plain and any(t[0].isupper() for t in plain):
        chosen = {t: m for t, m in plain.items() if t[0].isupper()}
    return list(dict.fromkeys(well_name(m[1], int(m[2])) for m in chosen.values()))


def _tokens(part):
    return re.findall(r"[A-Za-z]+-\d+(?![A-Za-z0-9])|[A-Za-z0-9]+", part)


def _time(parts):
    """Day and hour, from the first part that has one of the two."""
    day, hour = _first(_DAY, parts, _float), _first(_HOUR, parts, _float)
    timepoint = next((m for part in parts if (m := re.fullmatch(r"TimePoint_(\d+)", part))), None)
    if day is None and hour is None and timepoint:
        day = float(timepoint[1])
    return day, hour


def _first(pattern, parts, kind):
    """The number of the first token that fits a pattern; the well's own token does not count."""
    for part in parts:
        wells = _wells(part)
        for found in pattern.finditer(part):
            own = WELL.fullmatch(found[0])
            if own is None or well_name(own[1], int(own[2])) not in wells:
                return kind(next(group for group in found.groups() if group is not None))
    return None


def _incucyte_field(stem):
    found = _INCUCYTE_FIELD.search(stem)
    return str(int(found[1])) if found else ""


def _float(text):
    return float(text.replace(",", "."))
