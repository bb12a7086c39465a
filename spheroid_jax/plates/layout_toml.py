"""Plate maps from TOML: ranges of wells with what they share.

    [defaults]
    cell_line = "HCT116"
    concentration_unit = "uM"

    [[wells]]
    wells = "A01:H01"                  # or ["A01", "C01:D02"]
    role = "negative"

    [[wells]]
    wells = "A02:A04"
    role = "sample"
    treatment = "cisplatin"
    concentration = [0.1, 1, 10]       # one value per well, row by row

An entry counts before the defaults. A list has one value per well of the entry.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

from spheroid_jax.plates import layout_fields, layout_text
from spheroid_jax.plates.layout_fields import Cell, LayoutError, Row
from spheroid_jax.report import plates

_FIELDS = tuple(name for name in layout_fields.NAMES if name != "well")


class _Table(NamedTuple):
    """A table of the file: its values, the line of its heading (None if unknown) and its lines."""

    path: str | os.PathLike
    name: str
    values: Mapping[str, Any]
    line: int | None
    lines: list[str]

    def where(self, key=None):
        """Place of a key, or of the table, in the words of a message."""
        line = self.line
        for number, text in enumerate(self.lines, start=(self.line or 0) + 1):
            if key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", text):
                line = number
        place = self.name if line is None else f"line {line}"
        column = f", column {layout_fields.shown(key)[1:-1]}" if key else ""
        return f"{self.path}, {place}{column}"


def read(path: str | os.PathLike) -> tuple[list[Row], list[str]]:
    """Reads a TOML file.

    Returns:
      One row per well that an entry names, and no notes.

    Raises:
      LayoutError: not such a file.
      OSError: the file cannot be read.
    """
    text = layout_text.read(path)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise LayoutError(f"{path}{_toml_problem(str(error))}") from None
    for key in content:
        if key not in ("defaults", "wells"):
            near = layout_fields.did_you_mean(key, ("defaults", "wells"))
            raise LayoutError(
                f"{path}{_line_of_key(text, key)}: {layout_fields.shown(key)} is not known here"
                f"{near}; a plate map has [defaults] and [[wells]]"
            )
    entries = _tables(path, text, content.get("wells"))
    defaults = _defaults(path, text, content.get("defaults", {}))
    return [row for entry in entries for row in _rows(entry, defaults)], []


def _toml_problem(message):
    """Where and what, from "Invalid value (at line 3, column 8)"."""
    what, _, place = message.partition(" (at ")
    place = f", {place.rstrip(')')}" if place.startswith("line") else ""
    return f'{place}: is not TOML: {what}; texts stand in quotation marks: role = "sample"'


def _line_of_key(text, key):
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[\]=.]""", line):
            return f", line {number}"
    return ""


def _tables(path, text, entries):
    if not isinstance(entries, list) or not entries:
        raise LayoutError(
            f'{path}: has no entry [[wells]]; write [[wells]], and below it wells = "A01:H01" and '
            'role = "sample"'
        )
    lines = text.splitlines()
    starts = [n for n, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*wells\s*\]\]", line)]
    known = len(starts) == len(entries)
    tables = []
    for number, entry in enumerate(entries, start=1):
        name = f"entry {number} of wells"
        if not isinstance(entry, dict):
            raise LayoutError(f"{path}, {name}: is no table; write [[wells]] above each entry")
        start = starts[number - 1] if known else None
        tables.append(_Table(path, name, entry, start, _below(lines, start)))
    return tables


def _below(lines, start):
    """The lines below a heading, up to the next one."""
    if start is None:
        return []
    end = next((n for n, text in enumerate(lines[start:]) if text.lstrip().startswith("[")), None)
    return lines[start:] if end is None else lines[start : start + end]


def _defaults(path, text, values):
    lines = text.splitlines()
    start = next(
        (n for n, each in enumerate(lines, 1) if re.match(r"\s*\[\s*defaults", each)), None
    )
    if not isinstance(values, dict):
        raise LayoutError(f"{path}: defaults is no table; write [defaults] above its fields")
    table = _Table(path, "defaults", values, start, _below(lines, start))
    return {field: _cell(table, field, values[field]) for field in _checked(table, _FIELDS)}


def _checked(table, known):
    for key in table.values:
        if key not in known:
            near = layout_fields.did_you_mean(key, known)
            raise LayoutError(
                f"{table.where(key)}: {layout_fields.shown(key)} is not known in {table.name}"
                f"{near or '; known are ' + ', '.join(known)}"
            )
    return list(table.values)


def _rows(entry, defaults):
    """One row per well of an entry."""
    fields = [field for field in _checked(entry, ("wells", *_FIELDS)) if field != "wells"]
    names = _wells(entry)
    columns = {field: _column(entry, field, len(names)) for field in fields}
    rows = []
    for number, name in enumerate(names):
        own = {field: column[number] for field, column in columns.items()}
        own["well"] = Cell(name, entry.where("wells"))
        cells = layout_fields.with_shared(own, defaults)
        rows.append(Row(entry.line or 1, entry.where(), cells))
    return rows


def _column(entry, field, count):
    """The cells of a field for all wells of an entry."""
    value = entry.values[field]
    if not isinstance(value, list):
        return [_cell(entry, field, value)] * count
    if len(value) != count:
        raise LayoutError(
            f"{entry.where(field)}: has {len(value)} values for {count} wells; write one value per "
            "well, or a single one for all"
        )
    return [_cell(entry, field, each) for each in value]


def _cell(table, field, value):
    where = table.where(field)
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, str | int | float):
        raise LayoutError(f"{where}: is neither a text nor a number; write one")
    return Cell(layout_fields.cell_text(str(value)), where)


def _wells(entry):
    """The names of an entry's wells, range by range and row by row."""
    where, said = entry.where("wells"), entry.values.get("wells")
    if said is None:
        raise LayoutError(f'{entry.where()}: has no wells; write wells = "A01:H01", or a list')
    parts = said if isinstance(said, list) else [said]
    if not parts or not all(isinstance(part, str) for part in parts):
        raise LayoutError(f'{where}: is no list of wells; write "A01:H01" or ["A01", "B01:B03"]')
    return [position.name for part in parts for position in _range(Cell(part, where))]


def _range(cell):
    """The wells of a range such as "A01:B02", or the one well that is named."""
    ends = [layout_fields.well(cell._replace(text=end.strip())) for end in cell.text.split(":")]
    first, last = ends[0], ends[-1]
    if len(ends) > 2 or last.row < first.row or last.column < first.column:
        raise cell.error(
            f"{layout_fields.shown(cell.text)} is no range; write its top left well, a colon and "
            "its bottom right well"
        )
    rows, columns = range(first.row, last.row + 1), range(first.column, last.column + 1)
    return [plates.at(row, column) for row in rows for column in columns]
