"""CSV tables that a person edits: `proposals.csv`, with one row per image.

A spreadsheet may have saved such a table with semicolons or tabs, with a byte order mark, or with
more columns. Writing the table again keeps its columns and its delimiter.
"""

import csv
import os
import pathlib
from collections.abc import Iterable
from typing import NamedTuple

from spheroid_jax.errors import UserError
from spheroid_jax.runtime import files

NAME = "proposals.csv"
# `proposed` is the method that made the proposed mask; `method` is the column that a person edits.
COLUMNS = ("stem", "image", "method", "agreement", "decision", "proposed")
ACCEPT, REJECT, UNDECIDED = "accept", "reject", ""


class TableError(UserError, ValueError):
    """Raised if a table cannot be used; the message has one line per problem."""


class Table(NamedTuple):
    """A table, and how its file is written.

    Attributes:
      rows: one dict per row, from column to text.
      columns: names of the columns, in the order of the file.
      delimiter: the character between two cells.
    """

    rows: list
    columns: tuple = COLUMNS
    delimiter: str = ","


def read(path: str | os.PathLike, columns: Iterable[str] = COLUMNS) -> Table:
    """Reads a table; empty rows are left out, and cells lose leading and trailing blanks.

    Args:
      path: the CSV file.
      columns: names of the columns that the table must have.

    Raises:
      FileNotFoundError: the file does not exist.
      TableError: the file is no CSV file in UTF-8, lacks a column, or has a row that is too long.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            delimiter = max(",;\t", key=head.count)
            file.seek(0)
            lines = list(csv.reader(file, delimiter=delimiter))
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: not a CSV file in UTF-8 ({error})") from None
    lines = [[cell.strip() for cell in line] for line in lines]
    there = tuple(lines[0]) if lines else ()
    if missing := [column for column in columns if column not in there]:
        raise TableError(f"{path}: no column {', '.join(missing)}")
    rows = [_row(path, there, line) for line in lines[1:] if any(line)]
    return Table(rows, there, delimiter)


def write(path: str | os.PathLike, table: Table):
    """Writes a table; the file is replaced as a whole or not at all."""
    with files.replacing(path) as file:
        writer = csv.DictWriter(file, table.columns, restval="", delimiter=table.delimiter)
        writer.writeheader()
        writer.writerows(table.rows)


def put(path: str | os.PathLike, row: dict, columns: tuple = COLUMNS, *, key: str = "image"):
    """Adds a row to a table; a row with the same key is replaced.

    The file is read again at each call, so that changes that a person has saved meanwhile stay.

    Args:
      path: the CSV file, which is created if missing.
      row: dict from column to text.
      columns: names of the columns that the table must have, or gets if it is new.
      key: name of the column that identifies a row.
    """
    path = pathlib.Path(path)
    table = read(path, columns) if path.exists() else Table([], columns)
    others = [old for old in table.rows if old[key] != row[key]]
    write(path, table._replace(rows=[*others, row]))


def stem(row: dict) -> str:
    """Returns the stem of a row's image file.

    The column `stem` is not used, because a spreadsheet turns 007 into 7.
    """
    return pathlib.Path(row["image"]).stem


def _row(path, columns, cells):
    if len(cells) > len(columns):
        raise TableError(
            f"{path}: the row of {cells[0]!r} has {len(cells)} cells, but there are only "
            f"{len(columns)} columns"
        )
    cells += [""] * (len(columns) - len(cells))
    return dict(zip(columns, cells, strict=True))
