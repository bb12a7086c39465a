"""Plate maps from CSV: commas, semicolons or tabs, in UTF-8, with comments after #."""

import csv
import io
import os
import re

from spheroid_jax.plates import layout_fields, layout_table, layout_text
from spheroid_jax.plates.layout_fields import Cell, LayoutError, Row
from spheroid_jax.plates.layout_table import Record

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}


def read(path: str | os.PathLike) -> tuple[list[Row], list[str]]:
    """Reads a tidy CSV file.

    The separator is the one of the headings, which have a single kind of separators.

    Returns:
      One row per well, and notes.

    Raises:
      LayoutError: not such a file.
      OSError: the file cannot be read.
    """
    lines, comments = _lines(path, layout_text.read(path))
    if not lines:
        return layout_table.rows(str(path), []), []
    separator = _separator(path, *lines[0])
    records = [_record(path, line, text, separator) for line, text in lines]
    # A plate may be called #1.
    between = [line for line in comments if line > lines[0][0]]
    return layout_table.rows(str(path), records), layout_table.said_comments(between)


def _lines(path, text):
    """Splits a text into records (line, text) and the numbers of lines that are comments.

    A record goes on while a quotation mark is open, because a quoted text may have several lines.
    """
    records, comments = [], []
    start, record = 0, ""
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        # Excel puts a comment with a comma into quotation marks, and fills up with separators.
        bare = line.strip(' \t\r\n,;"')
        if not record and bare.startswith("#"):
            comments.append(number)
        elif record or (bare and not (number == 1 and bare.startswith("sep="))):
            start, record = (start if record else number), record + line
        if record and record.count('"') % 2 == 0:
            records.append((start, record))
            record = ""
    if record:
        raise LayoutError(
            f"{path}, line {start}: a quotation mark is opened and never closed; add the other "
            "one, or write two for a mark that belongs to the text"
        )
    return records, comments


def _separator(path, line, heading):
    bare = re.sub(r'"[^"]*"', "", heading)
    found = [separator for separator in _SEPARATORS if separator in bare]
    if len(found) == 1:
        return found[0]
    kinds = layout_fields.one_of(_SEPARATORS.values())
    said = " and ".join(_SEPARATORS[separator] for separator in found)
    problem = f"the headings have {said} between them" if found else "there is only one column"
    raise LayoutError(f"{path}, line {line}: {problem}; separate columns by {kinds}, of one kind")


def _record(path, line, text, separator):
    where = f"{path}, line {line}"
    try:
        texts, *others = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    except csv.Error:
        texts, others = [], [text]
    # A mark inside a cell that does not begin with one was taken for an opened one, and several
    # lines for one.
    if others:
        raise LayoutError(
            f"{where}: quotation marks do not fit; put them around a whole cell, and write two for "
            "a mark that belongs to the text"
        )
    cells = [
        Cell(layout_fields.cell_text(each), f"{where}, column {column}")
        for column, each in enumerate(texts, start=1)
    ]
    return Record(line, where, cells)
