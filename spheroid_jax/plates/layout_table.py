"""Tidy tables of plate maps, from CSV and Excel alike: a line of headings, then a line per well."""

from collections.abc import Sequence
from typing import NamedTuple

from spheroid_jax.plates import layout_fields
from spheroid_jax.plates.layout_fields import Cell, LayoutError, Row


class Record(NamedTuple):
    """One line of a table.

    Attributes:
      line: number of the line in the file, from 1.
      where: the line in the words of a message: "map.csv, line 3".
      cells: cells from left to right.
    """

    line: int
    where: str
    cells: Sequence[Cell]


def rows(where: str, records: Sequence[Record], otherwise: str = "") -> list[Row]:
    """Makes one row per well of a table.

    Args:
      where: the file in the words of a message.
      records: lines without comments; the first has the headings.
      otherwise: end of the message where there are no headings: what else could be meant.

    Raises:
      LayoutError: no headings, an unknown or missing column, or a line that does not fit them.
    """
    if not records:
        raise LayoutError(f"{where}: has comments only; the first line after them names columns")
    fields = _fields(records[0], otherwise)
    if len(records) == 1:
        raise LayoutError(f"{where}: has headings but no wells; add a line per well")
    return [_row(record, fields) for record in records[1:]]


def said_comments(lines: Sequence[int]) -> list[str]:
    """Returns the note about lines below the headings that begin with # and are not read."""
    if not lines:
        return []
    if len(lines) == 1:
        return [f"line {lines[0]} begins with # and counts as a comment"]
    return [f"{len(lines)} lines begin with # and count as comments, the first is line {lines[0]}"]


def _fields(heading, otherwise):
    """Names the field of each column; "" for a column without a heading."""
    names = [layout_fields.field_name(cell.text) for cell in heading.cells]
    if not set(names) & set(layout_fields.NAMES):
        raise LayoutError(
            f"{heading.where}: the columns have no headings; the first line of the table names "
            f"them: {', '.join(layout_fields.NAMES)}{otherwise}"
        )
    for name, cell in zip(names, heading.cells, strict=True):
        if name and name not in layout_fields.NAMES:
            raise cell.error(layout_fields.unknown_field(cell.text))
        if name and names.count(name) > 1:
            columns = [n for n, other in enumerate(names, start=1) if other == name]
            raise cell.error(
                f"the heading {name} is there {len(columns)} times; keep one of the columns"
            )
    for name in layout_fields.NEEDED:
        if name not in names:
            explained = f"one of {layout_fields.one_of(layout_fields.ROLES)}"
            meaning = {"role": explained, "well": "row and column such as A01"}[name]
            raise LayoutError(f"{heading.where}: the column {name} is missing; add it: {meaning}")
    return names


def _row(record, fields):
    cells = list(record.cells)
    while len(cells) > len(fields) and not cells[-1].text:
        cells.pop()
    if len(cells) != len(fields):
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        raise LayoutError(
            f"{record.where}: there are {len(fields)} headings and {count} here; a cell too many "
            "comes from a comma in a number or in a text without quotation marks, a cell too few "
            "from a missing separator"
        )
    for cell, field in zip(cells, fields, strict=True):
        if cell.text and not field:
            raise cell.error(f"{layout_fields.shown(cell.text)} has no heading above it")
    named = {
        field: cell._replace(where=f"{cell.where} ({field})")
        for cell, field in zip(cells, fields, strict=True)
        if field
    }
    return Row(record.line, record.where, named)
