"""Plate maps of the tests: what a bad one says, and workbooks from lists."""

import dataclasses
import math

import openpyxl
import pytest

from spheroid_jax.plates import layout
from spheroid_jax.plates.layout_fields import LayoutError

# Three lines; the fourth is the one in question.
HEAD = "well,role,treatment,concentration,concentration_unit\n"
TWO = "A01,negative,DMSO,,\nB01,sample,drug,1,uM\n"


def with_line(line):
    """A map whose fourth line is the one in question."""
    return HEAD + TWO + line + "\n"


def refused(path, **options):
    """The message of the error, without the file's name at its beginning."""
    with pytest.raises(LayoutError) as caught:
        layout.read(path, **options)
    said = str(caught.value)
    assert said.startswith(str(path)) and said.isprintable(), said
    return said.removeprefix(str(path))


def refused_text(folder, name, content):
    """The message about a file with this content, text or bytes."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return refused(path)


def write_book(path, sheets, merged=()):
    """Writes a workbook: the lines of each sheet, and ranges of cells to merge in each."""
    book = openpyxl.Workbook()
    book.remove(book["Sheet"])
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
        for cells in merged:
            sheet.merge_cells(cells)
    book.save(path)
    return path


def said(read_layout):
    """The wells as dicts without their lines; a number that is not there is None."""
    wells = [dataclasses.asdict(well) for well in read_layout.wells]
    for well in wells:
        del well["line"]
    return [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in well.items()}
        for well in wells
    ]
