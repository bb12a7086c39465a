"""Tests of plate maps that can be used: CSV, Excel, TOML, and notes."""

import csv
import io
import math
import pathlib
import sys
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maps import said, write_book

from spheroid_jax.plates import layout, layout_fields
from spheroid_jax.plates.layout_fields import LayoutError
from spheroid_jax.report import plates
from spheroid_jax.runtime.extras import MissingPackage

CSV = """\
# Monday
plate,well,Cell line,treatment,concentration,concentration_unit,role,replicate,seeding,excluded,note
P1,a1,HCT116,DMSO,0.1,%,negative,1,500,,
P1,A-02,HCT116,cisplatin,10,µM,sample,1,500,no,"one, two"
P1,A03,HCT116,cisplatin,1e2,uM,Sample,1,500,x,
P1,B_1,,,,,blank,,,,
P1,B02,,,,,,,,,
P1,B03,,,,,empty,,,,dropped
"""
TOML = """\
[defaults]
plate = "P1"
cell_line = "HCT116"
seeding = 500
replicate = 1

[[wells]]
wells = "A1"
role = "negative"
treatment = "DMSO"
concentration = 0.1
concentration_unit = "%"

[[wells]]
wells = "A02:A03"
role = "sample"
treatment = "cisplatin"
concentration = [10, 1e2]
concentration_unit = "μM"
excluded = [false, true]
note = ["one, two", ""]

[[wells]]
wells = ["B01"]
role = "blank"
cell_line = ""
seeding = ""
replicate = ""

[[wells]]
wells = ["B02:B03"]
role = ["", "empty"]
note = ["", "dropped"]
"""
TIDY = [
    layout_fields.NAMES,
    ("P1", None, "A1", "HCT116", "DMSO", 0.1, "%", "negative", 1, 500, None, None),
    ("P1", None, "A2", "HCT116", "cisplatin", 10, "uM", "sample", 1.0, 500.0, False, "one, two"),
    ("P1", None, "A3", "HCT116", "cisplatin", 1e2, "uM", "sample", "1", "500", True, None),
    ("P1", None, "B1", None, None, None, None, "blank"),
    ("P1", None, "B2"),
    ("P1", None, "B3", None, None, None, None, "empty", None, None, None, "dropped"),
]


def write(folder, text, name="map.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder, text, name="map.csv", **options):
    return layout.read(write(folder, text, name), **options)


# One map in each format.


def test_a_tidy_csv_is_read_cell_by_cell(tmp_path):
    found = read(tmp_path, CSV)
    assert (found.format, found.source) == (6, str(tmp_path / "map.csv"))
    assert [well.line for well in found.wells] == [3, 4, 5, 6, 7, 8]
    assert said(found)[1] == {
        "plate": "P1",
        "experiment": "P1",
        "well": "A02",
        "row": 0,
        "column": 1,
        "cell_line": "HCT116",
        "treatment": "cisplatin",
        "concentration": 10,
        "concentration_unit": "uM",
        "role": "sample",
        "replicate": "1",
        "seeding": 500,
        "excluded": False,
        "note": "one, two",
    }
    roles = [well.role for well in found.wells]
    assert roles == ["negative", "sample", "sample", "blank", "empty", "empty"]
    assert [well.excluded for well in found.wells] == [False, False, True, False, False, False]
    assert math.isnan(found.wells[3].concentration) and math.isnan(found.wells[3].seeding)


def test_all_formats_say_the_same(tmp_path):
    from_csv = read(tmp_path, CSV)
    from_toml = read(tmp_path, TOML, "map.toml")
    from_excel = layout.read(write_book(tmp_path / "map.xlsx", {"plate": TIDY}))
    assert said(from_toml) == said(from_csv) == said(from_excel)
    assert from_toml.notes == from_csv.notes == from_excel.notes
    assert [well.line for well in from_toml.wells] == [7, 14, 14, 23, 30, 30]


def test_grids_say_the_same_as_a_table(tmp_path):
    """Grids named by their corner, by the cell above, and by the sheet, and what wells share."""
    sheets = {
        "role": [
            [None, 1, 2, 3, None, "plate", "P1"],
            ["A", "negative", "sample", "sample"],
            ["B", "blank", None, "empty"],
        ],
        "all": [
            ["# the drug, and its dose"],
            ["treatment", 1, 2, 3, None, "concentration", 1, 2, 3],
            ["A", "DMSO", "cisplatin", "cisplatin", None, "A", 0.1, 10, 100],
            ["B", None, None, None, None, "B"],
            [],
            ["concentration unit"],
            [None, 1, 2, 3],
            ["a", "%", "uM", "uM"],
            ["b"],
            [],
            ["cell_line", None, 1, 2, 3],
        ],
        "excluded": [[None, 1, 2, 3], ["A", None, None, "x"], ["B"]],
        "note": [["", 1, 2, 3], ["A", None, "one, two"], ["B", None, None, "dropped"]],
        "# not read": [["anything"]],
    }
    sheets["all"][-1] = ["cell_line", "HCT116", "replicate", 1, "seeding", 500]
    found = layout.read(write_book(tmp_path / "map.xlsx", sheets))
    expected = said(read(tmp_path, CSV))
    expected[3] |= {"cell_line": "HCT116", "replicate": "1", "seeding": 500}
    assert said(found) == expected
    assert [well.line for well in found.wells] == [2, 2, 2, 3, 3, 3]


# Ways of writing a CSV file.


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_line_ends_and_marks_make_no_difference(tmp_path, separator, end, mark):
    rows = list(csv.reader(io.StringIO(CSV)))[1:]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=end).writerows(rows)
    assert said(read(tmp_path, mark + file.getvalue())) == said(read(tmp_path, CSV, "other.csv"))


def test_a_table_saved_by_a_spreadsheet_program_is_read(tmp_path):
    """It names its separator, fills lines up, and puts quotation marks around comments."""
    lines = ["sep=;", '"# a; b";;;;', "well;role;note;;", ";;;;", 'A1;negative;"two\nlines";;']
    found = read(tmp_path, "\r\n".join([*lines, "A2;blank;;;", ""]))
    assert [(well.well, well.role, well.note) for well in found.wells] == [
        ("A01", "negative", "two lines"),
        ("A02", "blank", ""),
    ]
    assert [well.line for well in found.wells] == [5, 7]


def test_a_line_below_the_headings_that_counts_as_a_comment_is_said(tmp_path):
    """A plate may be called #1."""
    text = "# a\nplate,well,role\n#1,A01,negative\nP2,A01,negative\n"
    found = read(tmp_path, text)
    assert len(found.wells) == 1
    assert found.notes[0] == "line 3 begins with # and counts as a comment"
    more = read(tmp_path, text + "#,,\n").notes[0]
    assert more == "2 lines begin with # and count as comments, the first is line 3"


def test_a_row_of_a_sheet_that_counts_as_a_comment_is_said(tmp_path):
    sheet = [["# a"], ["plate", "well", "role"], ["#1", "A1", "blank"], ["P2", "A1", "blank"]]
    found = layout.read(write_book(tmp_path / "map.xlsx", {"plate": sheet}))
    assert len(found.wells) == 1
    assert found.notes[0] == "line 3 begins with # and counts as a comment"


def test_other_sheets_than_a_tidy_first_one_are_said(tmp_path):
    path = write_book(
        tmp_path / "map.xlsx", {"plate": TIDY, "raw": [["x"]], "blank": [], "# columns": [["y"]]}
    )
    assert layout.read(path).notes[0] == "only the sheet 'plate' is read, not 'raw'"


@pytest.mark.parametrize("name", ["map.csv", "map.xlsx", "map.toml"])
def test_a_file_that_is_not_there_is_the_system_s_error(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        layout.read(tmp_path / name)


def test_without_its_package_an_excel_file_is_refused_with_what_to_install(tmp_path, monkeypatch):
    path = write_book(tmp_path / "map.xlsx", {"plate": TIDY})
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingPackage, match=r"openpyxl.*spheroid-jax\[plate\].*CSV UTF-8"):
        layout.read(path)


# What a map means.


def test_a_sample_with_concentration_0_stays_a_sample(tmp_path):
    head = "well,role,treatment,concentration,concentration_unit\nA1,negative,,,\n"
    found = read(tmp_path, head + "A2,sample,X,0,uM\nA3,sample,X,1,uM\n")
    assert [well.role for well in found.wells] == ["negative", "sample", "sample"]
    (note,) = (note for note in found.notes if "concentration 0" in note)
    assert note.startswith("1 well (A02) with the role sample and concentration 0 count as samples")


def test_a_plate_without_a_negative_control_is_said(tmp_path):
    text = "plate,well,role,treatment\nP1,A1,negative,\nP2,A1,sample,X\nP2,A2,positive,Y\n"
    notes = read(tmp_path, text).notes
    assert notes[1:] == (
        "plate 'P2' has no well with the role negative, so nothing is compared with a control",
    )


def test_the_number_of_wells_is_taken_from_the_wells_and_said(tmp_path):
    text = "well,role\nB2,negative\nC5,negative\n"
    found = read(tmp_path, text)
    assert found.format == 24
    assert found.notes == (
        "the plate is taken to have 24 wells, the smallest with rows A to C and columns 1 to 5",
    )
    given_format = read(tmp_path, text, wells=384)
    assert (given_format.format, given_format.notes) == (384, ())


def test_an_experiment_is_the_plate_unless_it_is_named(tmp_path):
    text = "plate,experiment,well,role\nP1,,A1,negative\nP2,E1,A1,negative\nP3,E1,A1,negative\n"
    assert [well.experiment for well in read(tmp_path, text).wells] == ["P1", "E1", "E1"]


@pytest.mark.parametrize(
    ("text", "unit"),
    [("µM", "uM"), ("μM", "uM"), ("uM", "uM"), ("µg/mL", "ug/mL"), ("mM", "mM"), ("", "")],
)
def test_the_sign_for_micro_is_read_as_u(tmp_path, text, unit):
    found = read(tmp_path, f"well,role,concentration_unit\nA1,negative,{text}\n")
    assert found.wells[0].concentration_unit == unit


@pytest.mark.parametrize("text", ["1", "1.", "1.0", "+1", "10e-1", "0.1E1"])
def test_numbers_are_read_as_they_are_commonly_written(tmp_path, text):
    assert read(tmp_path, f"well,role,seeding\nA1,blank,{text}\n").wells[0].seeding == 1


def test_treatments_may_have_units_of_their_own_and_an_excluded_well_has_no_say(tmp_path):
    head = "well,role,treatment,concentration,concentration_unit,excluded\n"
    lines = "A1,sample,X,1,uM,\nA2,sample,dose,2,Gy,\nA3,sample,X,5,nM,yes\nB1,sample,X,,,yes\n"
    assert len(read(tmp_path, head + lines).wells) == 4


def test_the_order_of_columns_and_lines_does_not_matter(tmp_path):
    head, *lines = csv.reader(io.StringIO(CSV.split("\n", 1)[1]))
    file = io.StringIO(newline="")
    csv.writer(file).writerows(line[::-1] for line in (head, *lines[::-1]))
    assert said(read(tmp_path, file.getvalue())) == said(read(tmp_path, CSV, "a.csv"))[::-1]


# What hypothesis writes.

NAME = st.text("abcXYZ 019-+,;#'\"µ", min_size=1, max_size=8).map(layout_fields.cell_text)
NAMES = st.sampled_from(["", "abc", "a,b", 'c"d', "e;f", "g#h"]) | NAME


@settings(max_examples=20)
@given(st.data())
def test_what_is_written_is_read(data):
    positions = data.draw(st.lists(st.sampled_from(plates.all_wells(96)), min_size=1, unique=True))
    written = [
        {
            "well": position.name,
            "role": data.draw(st.sampled_from([r for r in layout_fields.ROLES if r != "empty"])),
            "treatment": f"T {data.draw(NAMES)}".strip().lower(),
            "concentration": data.draw(st.floats(0, 1e9)),
            "note": data.draw(NAMES),
        }
        for position in positions
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = io.StringIO(newline="")
        table = csv.DictWriter(file, written[0])
        table.writeheader()
        table.writerows(written)
        found = read(pathlib.Path(folder), file.getvalue(), wells=96).wells
    assert [{k: getattr(well, k) for k in written[0]} for well in found] == written


@settings(max_examples=80)
@given(
    st.sampled_from([".csv", ".toml", ".xlsx"]),
    st.binary(max_size=60)
    | st.text(max_size=60).map(str.encode)
    | st.lists(st.sampled_from(["well", "role", "A1", "blank", ",", ";", "\n", '"', "#", "="]))
    .map("".join)
    .map(str.encode),
)
def test_whatever_is_in_a_file_it_is_a_map_or_one_line(suffix, content):
    with tempfile.TemporaryDirectory() as folder:
        path = write(pathlib.Path(folder), content, f"map{suffix}")
        try:
            assert layout.read(path).wells
        except LayoutError as error:
            assert str(error).startswith(str(path)) and str(error).isprintable()
