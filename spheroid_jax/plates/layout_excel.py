"""Plate maps from Excel files: a tidy first sheet, or grids in the shape of the plate."""

import datetime
import os
import pathlib
import warnings
from typing import Any, NamedTuple

from spheroid_jax.plates import layout_fields, layout_grids, layout_table
from spheroid_jax.plates.layout_fields import Cell, LayoutError, Row
from spheroid_jax.plates.layout_grids import Sheet
from spheroid_jax.plates.layout_table import Record
from spheroid_jax.runtime import extras

# A cell far from all others makes a sheet that takes hours to go through.
_MOST_CELLS = 5_000_000


def read(path: str | os.PathLike) -> tuple[list[Row], list[str]]:
    """Reads an Excel file: grids where a sheet has one, else the first sheet as a tidy table.

    Sheets whose name begins with # are comments, as are rows whose first text does.

    Returns:
      One row per well, and notes.

    Raises:
      LayoutError: not such a file.
      MissingPackage: openpyxl is not installed.
      OSError: the file cannot be read.
    """
    sheets = [sheet for sheet in _sheets(path) if sheet.cells]
    if not sheets:
        raise LayoutError(f"{path}: is empty; `spheroid plate template` writes a map to fill in")
    if any(layout_grids.found(sheet) for sheet in sheets):
        return layout_grids.rows(str(path), sheets), []
    first, *others = sheets
    otherwise = "; a grid has 1, 2 and so on at its top, and A, B and so on at its left"
    records = _records(first)
    rows = layout_table.rows(first.where, records, otherwise)
    notes = layout_table.said_comments([n for n in first.comments if n > records[0].line])
    names = ", ".join(layout_fields.shown(sheet.name) for sheet in others)
    if others:
        notes.append(f"only the sheet {layout_fields.shown(first.name)} is read, not {names}")
    return rows, notes


class _Books(NamedTuple):
    """A workbook with the values that formulas had when it was saved, and with the formulas."""

    values: Any
    formulas: Any


def _sheets(path):
    books = _opened(path)
    return [
        _sheet(path, sheet, books.formulas[sheet.title])
        for sheet in books.values.worksheets
        if not sheet.title.startswith("#")
    ]


def _opened(path):
    with extras.needed("a plate map from Excel", "plate", "; or save it as 'CSV UTF-8'"):
        import openpyxl
    head = pathlib.Path(path).read_bytes()[:4]
    if head == b"\xd0\xcf\x11\xe0":
        raise LayoutError(f"{path}: is an old Excel file or has a password; save it as .xlsx")
    try:
        # What the package cannot keep, such as drop-down lists, is no part of a map.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _Books(*(openpyxl.load_workbook(path, data_only=only) for only in (True, False)))
    except OSError:
        raise
    except Exception as error:  # A damaged file raises whatever its damage leads to.
        raise LayoutError(
            f"{path}: is no Excel file, or is damaged ({type(error).__name__}); save it again as "
            ".xlsx"
        ) from error


def _sheet(path, values, formulas):
    where = f"{path}, sheet {layout_fields.shown(values.title)}"
    if values.merged_cells.ranges:
        merged = min(values.merged_cells.ranges, key=lambda each: (each.min_row, each.min_col))
        raise LayoutError(
            f"{where}, line {merged.min_row}: the cells {merged.coord} are merged; unmerge them, "
            "and write the value into each cell it is meant for"
        )
    if values.max_row * values.max_column > _MOST_CELLS:
        raise LayoutError(
            f"{where}, line {values.max_row}: has a cell in column {values.max_column}, far from "
            "the others; delete what is outside the map"
        )
    cells = {}
    for line in values.iter_rows():
        for cell in line:
            at = f"{where}, line {cell.row}, column {cell.column_letter}"
            text = _text(cell, formulas[cell.coordinate], at)
            if text:
                cells[cell.row, cell.column] = Cell(text, at)
    comments = _comments(cells)
    kept = {at: cell for at, cell in cells.items() if at[0] not in comments}
    return Sheet(values.title, where, kept, comments)


def _text(cell, formula, where):
    """The text of a cell; numbers with 15 digits, as Excel has them, whole ones without a point."""
    value = cell.value
    if value is None and formula.data_type == "f":
        raise LayoutError(f"{where}: is a formula without a value; save the file in Excel first")
    if cell.data_type == "e":
        raise LayoutError(f"{where}: has the error {value}; write the value itself")
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        raise LayoutError(
            f"{where}: is a date or a time, {value}; format the cell as text and write it again"
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else layout_fields.cell_text(str(value))
    if "%" in cell.number_format:
        # Excel turns 0.1% into 0.001, and the unit % would make 0.001 % of it.
        raise LayoutError(
            f"{where}: is a percentage; format the cell as a number, and write % as the unit"
        )
    return f"{value:.15g}"


def _comments(cells):
    """The numbers of the rows whose first text begins with #."""
    first = {}
    for row, column in sorted(cells):
        first.setdefault(row, cells[row, column].text)
    return [row for row, text in first.items() if text.startswith("#")]


def _records(sheet):
    """The lines of a tidy sheet, as wide as its headings or wider."""
    width = max(column for _, column in sheet.cells)
    lines = dict.fromkeys(line for line, _ in sorted(sheet.cells))
    return [
        Record(line, f"{sheet.where}, line {line}", _line(sheet, line, width)) for line in lines
    ]


def _line(sheet, line, width):
    return [sheet.cell(line, column) for column in range(1, width + 1)]
