"""The table that a person edits: proposals.csv, a row an image.

A spreadsheet may have saved it: with semicolons or tabs, a byte order mark,
columns added. What is written back keeps the columns and the delimiter.
"""

import csv
import pathlib
from typing import NamedTuple

from spheroid_jax.errors import UserError
from spheroid_jax.runtime import files

NAME = "proposals.csv"
# `proposed` is the method that made the mask; `method` is the person's to edit.
COLUMNS = ("stem", "image", "method", "agreement", "decision", "proposed")
ACCEPT, REJECT, UNDECIDED = "accept", "reject", ""


class TableError(UserError, ValueError):
    """A table that cannot be used; the message has one line per problem."""


class Table(NamedTuple):
    """Rows as dictionaries of strings, and how the file spells them."""

    rows: list
    columns: tuple = COLUMNS
    delimiter: str = ","


def read(path, columns=COLUMNS):
    """Reads a table.

    Args:
      path: the file.
      columns: those that it must have.

    Returns:
      `Table`; values without surrounding blanks, empty rows passed over.

    Raises:
      FileNotFoundError: no such file.
      ValueError: not such a table.
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


def write(path, table):
    """Writes a table, whole or not at all."""
    with files.replacing(path) as file:
        writer = csv.DictWriter(file, table.columns, restval="", delimiter=table.delimiter)
        writer.writeheader()
        writer.writerows(table.rows)


def put(path, row, columns=COLUMNS, *, key="image"):
    """Adds a row to the table at `path`, in place of one of the same key.

    The file is read anew each time, so what a person saved meanwhile stays.
    """
    path = pathlib.Path(path)
    table = read(path, columns) if path.exists() else Table([], columns)
    others = [old for old in table.rows if old[key] != row[key]]
    write(path, table._replace(rows=[*others, row]))


def stem(row):
    """An image's stem; a spreadsheet turns 007 in its own column into 7."""
    return pathlib.Path(row["image"]).stem


def _row(path, columns, cells):
    if len(cells) > len(columns):
        raise TableError(
            f"{path}: {len(cells)} cells in the row of {cells[0]!r}, under {len(columns)} columns"
        )
    cells += [""] * (len(columns) - len(cells))
    return dict(zip(columns, cells, strict=True))
