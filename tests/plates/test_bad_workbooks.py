"""Tests of Excel files that are no plate map: cells, merged cells, and grids."""

import datetime
import pathlib
import tempfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maps import refused, write_book

from spheroid_jax.plates import layout
from spheroid_jax.plates.layout_fields import LayoutError

GRID = [["role", 1, 2, 3], ["A", "negative", "sample", "sample"], ["B", None, "sample", None]]
DRUG = [["treatment", 1, 2, 3], ["A", None, "X", "X"], ["B", None, "X", None]]
# Kind of fault, the lines of each sheet, and what the message says after the file's name.
BAD = [
    ("empty sheets", {"Sheet1": []}, ": is empty"),
    (
        "an error of a formula",
        {"map": [["well", "role", "seeding"], ["A1", "negative", "#DIV/0!"]]},
        ", sheet 'map', line 2, column C: has the error #DIV/0!; write the value itself",
    ),
    (
        "a formula that was never computed",
        {"map": [["well", "role", "seeding"], ["A1", "negative", "=1+1"]]},
        ", sheet 'map', line 2, column C: is a formula without a value; save the file in Excel",
    ),
    (
        "a date, which Excel makes of 1-2",
        {"map": [["well", "role", "replicate"], ["A1", "blank", datetime.datetime(2024, 2, 1)]]},
        ", sheet 'map', line 2, column C: is a date or a time, 2024-02-01 00:00:00; format",
    ),
    (
        "a wrong role below a comment",
        {"map": [["# of Monday"], ["well", "role"], ["A1", "ctrl"]]},
        ", sheet 'map', line 3, column B (role): role 'ctrl' is not known; write sample",
    ),
    (
        "a decimal comma as text",
        {"map": [["well", "role", "seeding"], ["A1", "blank", "1,5"]]},
        ", sheet 'map', line 2, column C (seeding): '1,5' is not a number; write a decimal point",
    ),
    (
        "a part of a grid",
        {"role": [[None, 2, 3], ["B", "blank", "blank"]]},
        "note; a grid has 1, 2 and so on at its top, and A, B and so on at its left",
    ),
    (
        "a grid of no plate",
        {"role": [[None, 1, 2, 3, 4], ["A", "blank"], ["B", "blank"]]},
        ", sheet 'role', line 1, column A: the grid has 2 rows and 4 columns, as no plate has; a",
    ),
    (
        "a grid without a field",
        {"Sheet1": [["", *GRID[0][1:]], *GRID[1:]]},
        ", sheet 'Sheet1', line 1, column A: the grid does not say which field it has; write it",
    ),
    (
        "a grid with a misspelt field",
        {"a": [["rolle", *GRID[0][1:]], *GRID[1:]]},
        ", sheet 'a', line 1, column A: 'rolle' is not a column of a plate map; did you mean role?",
    ),
    (
        "a grid of wells",
        {"well": [[None, *GRID[0][1:]], *GRID[1:]]},
        "cannot have the field well; ",
    ),
    (
        "no grid of roles",
        {"treatment": DRUG},
        ": there is no grid for the field role; add one with o",
    ),
    (
        "two grids for a field",
        {"a": GRID, "b": GRID},
        ", sheet 'b', line 1, column A: is a second grid for role; the first is at A1 of sheet 'a'",
    ),
    (
        "grids of two sizes",
        {"a": GRID, "note": [[None, *range(1, 5)], *([letter] for letter in "ABC")]},
        ", sheet 'note', line 1, column A: the grid has 3 rows and 4 columns, and the one at A1 of",
    ),
    (
        "a word outside the grids",
        {"a": [*GRID, [], ["treatmnt", "X"]]},
        ", sheet 'a', line 5, column A: 'treatmnt' is outside the grids and names no field; d",
    ),
    (
        "a field without a value",
        {"a": [*GRID, [], ["cell_line"]]},
        ", sheet 'a', line 5, column A: cell_line has neither a grid nor a value to its right",
    ),
    (
        "a field said twice",
        {"a": [*GRID, [], ["cell_line", "X"]], "b": [["cell_line", "Y"]]},
        ", sheet 'b', line 1, column B: cell_line is said a second time; keep one of the two",
    ),
    (
        "a field with a grid and a value",
        {"a": [*GRID, [], ["treatment", "X"]], "b": DRUG},
        ", sheet 'a', line 5, column B: treatment has a grid, too; keep one of the two",
    ),
    (
        "a sample without a treatment in its grid",
        {"a": GRID, "b": [DRUG[0], DRUG[1], ["B"]]},
        ", sheet 'b', line 3, column C (treatment): the treatment of a sample is missing; write",
    ),
    (
        "a treatment without a role in its grid",
        {"a": GRID, "b": [*DRUG[:2], ["B", "X", "X"]]},
        ", sheet 'a', line 3, column B (role): the role is missing; write sample, negative",
    ),
]


@pytest.mark.parametrize(("sheets", "said"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_workbook_is_one_clear_line(tmp_path, sheets, said):
    assert said in refused(write_book(tmp_path / "map.xlsx", sheets))


def test_merged_cells_are_named(tmp_path):
    path = write_book(tmp_path / "map.xlsx", {"map": [["well", "role"]]}, ["B5:B6", "A2:A4"])
    assert refused(path).startswith(
        ", sheet 'map', line 2: the cells A2:A4 are merged; unmerge them, and write the value into"
    )


def test_a_cell_far_from_the_others_is_named_at_once(tmp_path):
    path = write_book(tmp_path / "map.xlsx", {"map": [["well"]]})
    book = openpyxl.load_workbook(path)
    book["map"]["XFD1048576"] = "x"
    book.save(path)
    assert ", line 1048576: has a cell in column 16384, far from" in refused(path)


def test_a_percentage_is_named_which_is_stored_as_a_hundredth(tmp_path):
    lines = [
        ["well", "role", "concentration", "concentration_unit"],
        ["A1", "negative", 0.001, "%"],
    ]
    path = write_book(tmp_path / "map.xlsx", {"map": lines})
    assert layout.read(path).wells[0].concentration == 0.001
    book = openpyxl.load_workbook(path)
    book["map"]["C2"].number_format = "0.00%"
    book.save(path)
    assert ", sheet 'map', line 2, column C: is a percentage; format the cell" in refused(path)


WORDS = ["well", "role", "A", "B", "A1", "blank", "negative", "#", "cell_line", 1, 2, 3, True, 0.5]
SHEET = st.lists(st.lists(st.sampled_from([None, *WORDS]), max_size=5), max_size=5)


@settings(max_examples=20)
@given(SHEET, SHEET)
def test_whatever_is_in_the_cells_it_is_a_map_or_one_line(below, beside):
    """A grid in the first sheet, with anything below it, and anything in the second sheet."""
    with tempfile.TemporaryDirectory() as folder:
        sheets = {"role": [[None, *GRID[0][1:]], ["A", "blank"], ["B"], *below], "x": beside}
        path = write_book(pathlib.Path(folder) / "map.xlsx", sheets)
        try:
            assert len(layout.read(path).wells) == 6
        except LayoutError as error:
            assert str(error).startswith(str(path)) and str(error).isprintable()
