"""Columns, roles and units of a plate map, and how the texts of its cells are read.

The readers of all formats make `Row`s of texts, each with its place in the file; `layout` makes
wells of them. Every message of a `LayoutError` is one line: file, line, column, what is wrong, and
what to do.
"""

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from spheroid_jax.errors import UserError
from spheroid_jax.report import plates
from spheroid_jax.report.sheets import Column

ROLES = {
    "sample": "spheroids of the experiment; needs a treatment",
    "negative": "spheroids without treatment or with the vehicle alone",
    "positive": "spheroids with a treatment of known full effect",
    "blank": "medium without cells",
    "empty": "nothing, or a well that was not used",
}
# Kind of each unit. Within a kind, units differ by a factor.
UNITS = {
    **dict.fromkeys(("M", "mM", "uM", "nM", "pM"), "molar concentration"),
    **dict.fromkeys(("mg/mL", "ug/mL", "ng/mL"), "mass concentration"),
    "Gy": "radiation dose",
    "%": "percentage",
    "": "no unit",
}
COLUMNS = (
    Column("plate", "name of the plate; empty where there is one plate"),
    Column("experiment", "name of the biological replicate; the plate where it is empty"),
    Column("well", "row and column of the well such as A01; needed"),
    Column("cell_line", "name of the cell line"),
    Column("treatment", "name of the drug or other treatment; needed for samples"),
    Column("concentration", "concentration or dose of the treatment; 0 is a dose and no control"),
    Column("concentration_unit", f"one of {' '.join(filter(None, UNITS))}; one per treatment"),
    Column("role", f"one of {' '.join(ROLES)}; needed"),
    Column("replicate", "name of the technical replicate"),
    Column("seeding", "cells per well at seeding"),
    Column("excluded", "yes where the well is to be left out; no or empty otherwise"),
    Column("note", "anything worth keeping"),
)
NAMES = tuple(column.name for column in COLUMNS)
NEEDED = ("well", "role")
_IDENTITY = ("plate", "experiment", "well")
# Micro is a sign of its own or the Greek letter.
_MICRO = str.maketrans("\u00b5\u03bc", "uu")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_EXCLUDED = {
    **dict.fromkeys(("true", "yes", "1", "x"), True),
    **dict.fromkeys(("false", "no", "0", ""), False),
}
_SHOWN = 40


class LayoutError(UserError, ValueError):
    """A plate map that cannot be used; the message is one line that says where and what to do."""


class Cell(NamedTuple):
    """The text of a cell, and its place in the words of a message."""

    text: str
    where: str

    def error(self, problem: str) -> LayoutError:
        """Returns the error of a problem with this cell."""
        return LayoutError(f"{self.where}: {problem}")


class Row(NamedTuple):
    """What a map says of one well.

    Attributes:
      line: number of the line in the file, from 1.
      where: the line in the words of a message: "map.csv, line 3".
      cells: one `Cell` per field that the file has.
    """

    line: int
    where: str
    cells: Mapping[str, Cell]

    def cell(self, field: str) -> Cell:
        """Returns the cell of a field, which is empty where the file has no such field."""
        return self.cells.get(field, Cell("", f"{self.where}, column {field}"))

    def text(self, field: str) -> str:
        """Returns the text of a field; "" where the file has none."""
        return self.cell(field).text

    @property
    def unused(self) -> bool:
        """Whether the row says nothing but which well it is."""
        return not any(cell.text for name, cell in self.cells.items() if name not in _IDENTITY)


def cell_text(text: str) -> str:
    """Returns a text without white space at its ends, and with single spaces inside."""
    return " ".join(text.split())


def shown(text: str) -> str:
    """Returns a text in quotation marks, on one line, and not too long."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")


def field_name(heading: str) -> str:
    """Returns a heading as a field is written: "Cell line" is cell_line."""
    return re.sub(r"[\s_-]+", "_", heading.strip().lower())


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Returns "; did you mean X?" where a word is near a known one, else ""."""
    known = {word.lower(): word for word in known if word}
    text = text.lower()
    begun = [word for word in known if len(text) >= 3 and word.startswith(text)]
    near = begun or difflib.get_close_matches(text, known, 1, 0.7)
    return f"; did you mean {known[near[0]]}?" if near else ""


def unknown_field(text: str) -> str:
    """Returns what is wrong with a name that is not a field's."""
    bare = field_name(text.partition("(")[0].strip())
    if bare in NAMES:
        return (
            f"{shown(text)} is more than the name of a column; write {bare}, and a unit into the "
            "column concentration_unit"
        )
    near = did_you_mean(field_name(text), NAMES)
    return (
        f"{shown(text)} is not a column of a plate map{near or '; known are ' + ', '.join(NAMES)}"
    )


def well(cell: Cell) -> plates.Position:
    """Reads a well.

    Raises:
      LayoutError: not a well of a plate of up to 1,536 wells.
    """
    if not cell.text:
        raise cell.error("the well is missing; write its row and column, such as A01")
    try:
        return plates.parse(cell.text)
    except ValueError:
        raise cell.error(
            f"{shown(cell.text)} is not a well; write row and column, from A01 to AF48"
        ) from None


def role(cell: Cell) -> str:
    """Reads a role, which is never guessed.

    Raises:
      LayoutError: empty, or not one of `ROLES`.
    """
    name = cell.text.lower()
    if not name:
        raise cell.error(f"the role is missing; write {one_of(ROLES)}")
    if name not in ROLES:
        near = did_you_mean(name, ROLES)
        raise cell.error(f"role {shown(cell.text)} is not known; write {one_of(ROLES)}{near}")
    return name


def unit(cell: Cell) -> str:
    """Reads a unit of concentrations; the signs for micro become u.

    Raises:
      LayoutError: not one of `UNITS`.
    """
    name = cell.text.translate(_MICRO)
    if name not in UNITS:
        near = did_you_mean(name, UNITS)
        raise cell.error(f"unit {shown(cell.text)} is not known; write {one_of(UNITS)}{near}")
    return name


def number(cell: Cell) -> float:
    """Reads a number that is not negative; NaN where the cell is empty.

    Raises:
      LayoutError: not a number with a decimal point, negative, or too large.
    """
    text = cell.text
    if not text:
        return math.nan
    if not _NUMBER.fullmatch(text):
        hint = "write a number such as 2.5 without its unit, or leave the cell empty"
        if re.search(r"\d,\d", text):
            hint = "write a decimal point, and nothing between thousands"
        raise cell.error(f"{shown(text)} is not a number; {hint}")
    value = float(text)
    if value < 0:
        raise cell.error(f"{shown(text)} is negative; write 0 or more")
    if math.isinf(value):
        raise cell.error(f"{shown(text)} is too large for a number")
    return abs(value)


def excluded(cell: Cell) -> bool:
    """Reads whether a well is left out.

    Raises:
      LayoutError: neither yes nor no.
    """
    text = cell.text.lower()
    if text not in _EXCLUDED:
        known = "yes, true, 1 or x, or no, false, 0 or nothing"
        raise cell.error(f"excluded is {shown(cell.text)}; write {known}")
    return _EXCLUDED[text]


def with_shared(cells: Mapping[str, Cell], shared: Mapping[str, Cell]) -> dict[str, Cell]:
    """Adds to a well's cells what a file says once for all its wells.

    A well that is empty or not used has a plate and nothing else.
    """
    said = cells.get("role", shared.get("role"))
    if said is None or said.text.lower() in ("", "empty"):
        shared = {name: cell for name, cell in shared.items() if name in _IDENTITY}
    return {**shared, **cells}


def one_of(words: Iterable[str]) -> str:
    """Returns "a, b or c"; an empty word is nothing."""
    *first, last = [word or "nothing" for word in words]
    return f"{', '.join(first)} or {last}"
