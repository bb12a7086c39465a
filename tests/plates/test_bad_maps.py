"""Tests of CSV files that are no plate map: encodings, separators, headings, formats."""

import pytest
from maps import HEAD, TWO, refused, refused_text, with_line

from spheroid_jax.plates import layout

# Kind of fault, name of the file, its content, and what the message says after the file's name.
BAD = [
    # The file.
    ("an empty file", "map.csv", "", ": is empty; `spheroid plate template`"),
    ("a byte order mark alone", "map.csv", b"\xef\xbb\xbf", ": is empty"),
    ("comments alone", "map.csv", "# role\n#\n", ": has comments only; the first line after"),
    ("headings alone", "map.csv", HEAD, ": has headings but no wells; add a line per well"),
    ("UTF-16", "map.csv", (HEAD + TWO).encode("utf-16"), ": is text in UTF-16 ('Unicode Text'); s"),
    (
        "UTF-16 of a Mac",
        "map.csv",
        b"\xfe\xff\0w\0e",
        ": is text in UTF-16; save it as 'CSV UTF-8'",
    ),
    ("UTF-16 without mark", "map.csv", (HEAD + TWO).encode("utf-16-le"), ": is neither text in U"),
    (
        "Windows-1252",
        "map.csv",
        with_line("C01,sample,drug,2,µM").encode("cp1252"),
        ", line 4, character 19: the byte 0xb5 is not UTF-8 (it may be Windows-1252); save it as",
    ),
    (
        "Excel named CSV",
        "map.csv",
        b"PK\x03\x04rest",
        ": is an Excel file or another archive; give",
    ),
    (
        "old Excel",
        "map.xlsx",
        b"\xd0\xcf\x11\xe0rest",
        ": is an old Excel file or has a password; ",
    ),
    (
        "old Excel by its name",
        "map.xls",
        "",
        ": a plate map is a .csv, .tsv, .txt, .xlsx, .xlsm or ",
    ),
    ("another format", "map.json", "{}", "file, not .json"),
    ("damaged Excel", "map.xlsx", b"PK\x03\x04rest", ": is no Excel file, or is damaged (BadZip"),
    # Separators and quotation marks.
    (
        "one column",
        "map.csv",
        "well role\nA01 sample\n",
        ", line 1: there is only one column; sepa",
    ),
    (
        "commas and semicolons",
        "map.csv",
        "# a\nwell,role;treatment\nA01;sample;X\n",
        ", line 2: the headings have commas and semicolons between them; separate columns by",
    ),
    (
        "semicolons below commas",
        "map.csv",
        with_line("C01;sample;drug;1;uM"),
        ", line 4: there are 5 headings and 1 cell here; a cell too many comes from a",
    ),
    (
        "a cell too few",
        "map.csv",
        with_line("C01,sample,drug,1"),
        ", line 4: there are 5 headings and 4",
    ),
    (
        "a decimal comma between commas",
        "map.csv",
        with_line("C01,sample,drug,1,5,uM"),
        ", line 4: there are 5 headings and 6 cells here; a cell too many comes from a",
    ),
    (
        "a decimal comma between semicolons",
        "map.csv",
        with_line("C01,sample,drug,1.5,uM").replace(",", ";").replace("1.5", "1,5"),
        ", line 4, column 4 (concentration): '1,5' is not a number; write a decimal point, and no",
    ),
    (
        "thousands",
        "map.csv",
        with_line('C01,sample,drug,"1,000",nM'),
        ", line 4, column 4 (concentration): '1,000' is not a number; write a decimal point, and",
    ),
    (
        "an open quotation mark",
        "map.csv",
        with_line('C01,sample,"drug,1,uM'),
        ", line 4: a quotation mark is opened and never closed; add the other one",
    ),
    (
        "text after a quotation mark",
        "map.csv",
        with_line('C01,sample,"dr"ug,1,uM'),
        ", line 4: quotation marks do not fit; put them around",
    ),
    ("quotation marks and tabs", "map.tsv", 'well\trole\n"A"1\tblank\n', ", line 2: quotation ma"),
    (
        "inch marks in two lines",
        "map.csv",
        with_line('C01,sample,5" dish,1,uM\nC02,sample,5" dish,2,uM'),
        ", line 4: quotation marks do not fit; put them around a whole cell",
    ),
    # Headings.
    ("no headings", "map.csv", TWO, ", line 1: the columns have no headings; the first line of"),
    (
        "a misspelt heading",
        "map.csv",
        HEAD.replace("treatment", "treatmnt") + TWO,
        ", line 1, column 3: 'treatmnt' is not a column of a plate map; did you mean treatment?",
    ),
    (
        "an unknown heading",
        "map.csv",
        HEAD.replace("treatment", "IC") + TWO,
        ", line 1, column 3: 'IC' is not a column of a plate map; known are plate, experiment, ",
    ),
    (
        "a heading with a unit",
        "map.csv",
        HEAD.replace("concentration,", "Concentration (uM),") + TWO,
        ", line 1, column 4: 'Concentration (uM)' is more than the name of a column; write conc",
    ),
    (
        "a heading twice",
        "map.csv",
        HEAD.replace("treatment", "Role") + TWO,
        ", line 1, column 2: the heading role is there 2 times; keep one of the columns",
    ),
    (
        "a cell without a heading",
        "map.csv",
        HEAD.replace("\n", ",\n") + "A01,negative,,,,DMSO\n",
        ", line 2, column 6: 'DMSO' has no heading above it",
    ),
    (
        "no wells",
        "map.csv",
        "role,note\nsample,a\n",
        ", line 1: the column well is missing; add it",
    ),
    (
        "no roles",
        "map.csv",
        "well,treatment\nA01,X\n",
        ", line 1: the column role is missing; add it: one of sample, negative, positive, blank or",
    ),
]


@pytest.mark.parametrize(("name", "content", "said"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_file_is_one_clear_line(tmp_path, name, content, said):
    assert said in refused_text(tmp_path, name, content)


def test_a_well_of_384_on_a_plate_of_96_is_named(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("well,role\nH12,negative\nH13,negative\n")
    assert refused(path, wells=96) == (
        ", line 3, column 1 (well): H13 is not on a plate of 96 wells, A01 to H12; correct the "
        "well, or say another number of wells"
    )
    assert layout.read(path).format == 384


def test_a_plate_that_nobody_makes_is_refused(tmp_path):
    said = refused(tmp_path / "map.csv", wells=100)
    assert said == ": there is no plate of 100 wells; plates have 6, 12, 24, 48, 96, 384 or 1536"
