"""Plate maps as grids: one grid in the shape of the plate per field, with what all wells share.

    treatment   1     2     3           cell_line            HCT116
    A           DMSO  DMSO  drug        concentration_unit   uM
    B           ...

A grid has the numbers of the columns at its top and the letters of the rows at its left. The text
in its corner names its field; where the corner is empty, the text above it or the sheet's name
does. Outside the grids, a field and the value to its right hold for all wells in use.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spheroid_jax.plates import layout_fields
from spheroid_jax.plates.layout_fields import Cell, LayoutError, Row
from spheroid_jax.report import plates


class Sheet(NamedTuple):
    """A sheet of a workbook.

    Attributes:
      name: the sheet's name.
      where: the sheet in the words of a message: "map.xlsx, sheet 'plate 1'".
      cells: the cells that are not empty, by row and column from 1; without comments.
      comments: numbers of the rows that are comments.
    """

    name: str
    where: str
    cells: Mapping[tuple[int, int], Cell]
    comments: Sequence[int] = ()

    def cell(self, row: int, column: int) -> Cell:
        """Returns a cell, which may be empty."""
        where = f"{self.where}, line {row}, column {_letters(column)}"
        return self.cells.get((row, column), Cell("", where))

    def text(self, row: int, column: int) -> str:
        """Returns the text of a cell; "" where the cell is empty."""
        return self.cell(row, column).text


class _Grid(NamedTuple):
    """A grid: its sheet, the place of its corner, and its size without the headings."""

    sheet: Sheet
    row: int
    column: int
    rows: int
    columns: int

    @property
    def corner(self):
        return self.sheet.cell(self.row, self.column)


def found(sheet: Sheet) -> bool:
    """Returns whether a sheet has a grid."""
    return bool(_grids(sheet))


def rows(where: str, sheets: Sequence[Sheet]) -> list[Row]:
    """Makes one row per well from the grids of all sheets.

    Args:
      where: the file in the words of a message.
      sheets: at least one of them has a grid.

    Raises:
      LayoutError: a grid without a known field or in no plate's shape, grids of several shapes, or
        cells outside the grids that say nothing of the wells.
    """
    grids, shared = _fields(where, sheets)
    if "role" not in grids:
        raise LayoutError(
            f"{where}: there is no grid for the field role; add one with one of "
            f"{layout_fields.one_of(layout_fields.ROLES)} for each well"
        )
    wells = _format(list(grids.values()))
    return [_row(position, grids, shared) for position in plates.all_wells(wells)]


def _fields(where, sheets):
    """The grid of each field, and the value of each field that all wells share."""
    grids, shared = {}, {}
    for sheet in sheets:
        inside, of_sheet = set(), _grids(sheet)
        for grid in of_sheet:
            field, named_at = _named(grid)
            if field in grids:
                raise grid.corner.error(
                    f"is a second grid for {field}; the first is at {_place(grids[field])}; keep "
                    "one, and write one file per plate"
                )
            grids[field] = grid
            inside |= named_at | _area(grid)
        for at, value in _shared(sheet, inside).items():
            if at in shared:
                raise value.error(f"{at} is said a second time; keep one of the two")
            shared[at] = value
    if both := sorted(grids.keys() & shared.keys()):
        raise shared[both[0]].error(f"{both[0]} has a grid, too; keep one of the two")
    return grids, shared


def _grids(sheet):
    """All grids of a sheet: a corner has 1, 2 to its right, and A, B below it."""
    corners = [
        (row, column - 1)
        for (row, column), cell in sheet.cells.items()
        if cell.text == "1"
        and column > 1
        and sheet.text(row, column + 1) == "2"
        and sheet.text(row + 1, column - 1).upper() == "A"
        and sheet.text(row + 2, column - 1).upper() == "B"
    ]
    return [_grid(sheet, row, column) for row, column in sorted(corners)]


def _grid(sheet, row, column):
    columns = sum(
        1
        for _ in itertools.takewhile(
            lambda n: sheet.text(row, column + n) == str(n), itertools.count(1)
        )
    )
    height = sum(
        1
        for _ in itertools.takewhile(
            lambda n: sheet.text(row + n, column).upper() == plates.row_letters(n - 1),
            range(1, plates.ROWS + 1),
        )
    )
    return _Grid(sheet, row, column, height, columns)


def _named(grid):
    """The field of a grid, and the place of the cell that names it, if there is one."""
    above = grid.sheet.cell(grid.row - 1, grid.column)
    for cell, at in ((grid.corner, (grid.row, grid.column)), (above, (grid.row - 1, grid.column))):
        if cell.text:
            field = layout_fields.field_name(cell.text)
            if field not in layout_fields.NAMES:
                raise cell.error(layout_fields.unknown_field(cell.text))
            return _allowed(field, cell), {at}
    field = layout_fields.field_name(grid.sheet.name)
    if field not in layout_fields.NAMES:
        raise grid.corner.error(
            "the grid does not say which field it has; write it into this corner, such as role"
        )
    return _allowed(field, grid.corner), set()


def _allowed(field, cell):
    if field in ("well", "plate"):
        raise cell.error(f"a grid cannot have the field {field}; write one file per plate")
    return field


def _area(grid):
    return {
        (grid.row + row, grid.column + column)
        for row in range(grid.rows + 1)
        for column in range(grid.columns + 1)
    }


def _shared(sheet, inside):
    """The fields that stand outside the grids, with the value to the right of each."""
    shared, values = {}, set()
    for at in sorted(sheet.cells.keys() - inside):
        if at in values:
            continue
        cell, right = sheet.cells[at], (at[0], at[1] + 1)
        field = layout_fields.field_name(cell.text)
        if field not in layout_fields.NAMES:
            near = layout_fields.did_you_mean(field, layout_fields.NAMES)
            raise cell.error(
                f"{layout_fields.shown(cell.text)} is outside the grids and names no field{near}; "
                "begin comments with #"
            )
        if right in inside or right not in sheet.cells:
            raise cell.error(f"{field} has neither a grid nor a value to its right")
        if field in shared or field == "well":
            raise cell.error(f"{field} cannot stand here a second time or for all wells")
        shared[field] = sheet.cells[right]
        values.add(right)
    return shared


def _format(grids):
    """The number of wells of a plate in the shape of all grids."""
    shapes = {shape: wells for wells, shape in plates.FORMATS.items()}
    for grid in grids:
        size = (grid.rows, grid.columns)
        if size not in shapes:
            raise grid.corner.error(
                f"the grid has {size[0]} rows and {size[1]} columns, as no plate has; a plate of "
                "96 wells has A to H and 1 to 12"
            )
        if size != (grids[0].rows, grids[0].columns):
            raise grid.corner.error(
                f"the grid has {size[0]} rows and {size[1]} columns, and the one at "
                f"{_place(grids[0])} has {grids[0].rows} and {grids[0].columns}; use one plate"
            )
    return shapes[grids[0].rows, grids[0].columns]


def _place(grid):
    return f"{_letters(grid.column)}{grid.row} of sheet {layout_fields.shown(grid.sheet.name)}"


def _row(position, grids, shared):
    cells = {field: _at(grid, position, field) for field, grid in grids.items()}
    where = cells["role"].where.removesuffix(" (role)")
    own = {"well": Cell(position.name, where), **cells}
    return Row(grids["role"].row + position.row + 1, where, layout_fields.with_shared(own, shared))


def _at(grid, position, field):
    cell = grid.sheet.cell(grid.row + position.row + 1, grid.column + position.column + 1)
    return cell._replace(where=f"{cell.where} ({field})")


def _letters(column):
    """The letters of a column of a sheet: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(65 + digit) + letters
    return letters
