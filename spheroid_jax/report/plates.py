"""Plate formats and names of wells: 6 to 1,536 wells, "A1" or "a-01" to "A01"."""

import re
from collections.abc import Iterable
from typing import NamedTuple

# Rows and columns of the standard plates, by the number of wells (ANSI SLAS 4-2004 for 96, 384 and
# 1,536 wells; the makers' common layouts for the smaller ones).
FORMATS = {
    6: (2, 3),
    12: (3, 4),
    24: (4, 6),
    48: (6, 8),
    96: (8, 12),
    384: (16, 24),
    1536: (32, 48),
}
# A letter, or two for the last rows of 1,536 wells; row and column are also one group each in WELL.
ROW = "[A-Z]|A[A-F]"
WELL = re.compile(rf"({ROW})[-_]?0*([1-9]\d?)", re.IGNORECASE | re.ASCII)
ROWS, COLUMNS = FORMATS[1536]


class Position(NamedTuple):
    """A well of a plate.

    Attributes:
      name: row and column, "A01".
      row: number of the row, from 0.
      column: number of the column, from 0.
    """

    name: str
    row: int
    column: int


def parse(text: str) -> Position:
    """Reads the name of a well: `A1`, `a01`, `A-01`, `A_1` or `AA05`.

    Raises:
      ValueError: not the name of a well, or no such well on a plate of up to 1,536 wells.
    """
    found = WELL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a well such as A01")
    name = well_name(found[1], int(found[2]))
    return Position(name, row_number(found[1]), int(found[2]) - 1)


def at(row: int, column: int) -> Position:
    """Returns the well in a row and a column, both from 0.

    Raises:
      ValueError: no such well on a plate of up to 1,536 wells.
    """
    if not 0 <= row < ROWS or not 0 <= column < COLUMNS:
        raise ValueError(f"no well in row {row} and column {column} on any plate")
    return Position(well_name(row_letters(row), column + 1), row, column)


def well_name(row: str, column: int) -> str:
    """Returns a well's name in one form, "A01", from its row's letters and its column from 1.

    Raises:
      ValueError: no such well on a plate of up to 1,536 wells.
    """
    if not re.fullmatch(ROW, row.upper()) or not 1 <= column <= COLUMNS:
        raise ValueError(f"no well {row}{column} on any plate")
    return f"{row.upper()}{column:02d}"


def row_letters(row: int) -> str:
    """Returns the letters of a row: 0 is A, 26 is AA."""
    return chr(65 + row) if row < 26 else "A" + chr(65 + row - 26)


def row_number(letters: str) -> int:
    """Returns the number of the row with these letters: A is 0, AA is 26."""
    *first, last = letters.upper()
    return 26 * len(first) + ord(last) - 65


def holds(wells: int, position: Position) -> bool:
    """Returns whether a plate of so many wells has a well."""
    rows, columns = FORMATS[wells]
    return position.row < rows and position.column < columns


def smallest(positions: Iterable[Position]) -> int:
    """Returns the number of wells of the smallest standard plate that has all of some wells."""
    positions = list(positions)
    return next(n for n in FORMATS if all(holds(n, position) for position in positions))


def last_well(wells: int) -> str:
    """Returns the name of the last well of a plate: "H12" of 96 wells."""
    rows, columns = FORMATS[wells]
    return at(rows - 1, columns - 1).name


def all_wells(wells: int) -> list[Position]:
    """Returns all wells of a plate, row by row."""
    rows, columns = FORMATS[wells]
    return [at(row, column) for row in range(rows) for column in range(columns)]
