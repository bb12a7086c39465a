"""Tests of TOML files that are no plate map."""

import pathlib
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maps import refused_text

from spheroid_jax.plates import layout
from spheroid_jax.plates.layout_fields import LayoutError

# Kind of fault, content of the file, and what the message says after the file's name.
BAD = [
    ("a number of 5,000 digits", "a = " + "1" * 5000, ": is not TOML: "),
    ("5,000 brackets", "a = " + "[" * 5000, ": is not TOML: "),
    (
        "a line end in a name",
        '[[wells]]\n"a\\nb" = 1\n',
        ", line 1, column a\\nb: 'a\\nb' is not known",
    ),
    ("wells as a table", '[wells]\nA1 = "blank"\n', ": has no entry [[wells]]; write"),
    (
        "wells as words",
        'wells = ["A1"]\n',
        ", entry 1 of wells: is no table; write [[wells]] above",
    ),
    (
        "defaults as a word",
        'defaults = 1\n[[wells]]\nwells = "A1"\n',
        ": defaults is no table; wri",
    ),
    (
        "no TOML",
        "[[wells]]\nwells = A01\n",
        ", line 2, column 9: is not TOML: Invalid v",
    ),
    ("an unfinished TOML", '[[wells]]\nwells = "A01', ": is not TOML: "),
    (
        "TOML without wells",
        '[defaults]\nrole = "blank"\n',
        ": has no entry [[wells]]; wr",
    ),
    (
        "an unknown table",
        '[default]\nrole = ""\n',
        ", line 1: 'default' is not known here;",
    ),
    (
        "an unknown field",
        '[[wells]]\nwells = "A1"\n\n[[wells]]\nwells = "A2"\nrol = "blank"\n',
        ", line 6, column rol: 'rol' is not known in entry 2 of wells; did you mean role?",
    ),
    (
        "an entry without wells",
        '[[wells]]\nrole = "blank"\n',
        ", line 1: has no wells; wri",
    ),
    (
        "a number for wells",
        "[[wells]]\nwells = 3\n",
        ", line 2, column wells: is no list of wells; write",
    ),
    (
        "a range from its end",
        '[[wells]]\nwells = "B1:A3"\nrole = "blank"\n',
        ", line 2, column wells: 'B1:A3' is no range; write its top left well, a colon and its bot",
    ),
    (
        "too few values",
        '[[wells]]\nwells = "A1:A3"\nrole = ["blank", "empty"]\n',
        ", line 3, column role: has 2 values for 3 wells; write one value per well, or a si",
    ),
    (
        "a date in TOML",
        '[[wells]]\nwells = "A1"\nrole = "blank"\nnote = 2024-01-01\n',
        ", line 4, column note: is neither a text nor a number; write one",
    ),
    (
        "a well in two entries",
        '[[wells]]\nwells = "A1:B2"\nrole = "blank"\n[[wells]]\nwells = "B2"\nrole = "blank"\n',
        ", line 5, column wells: well B02 is in line 1, too; keep one of the two",
    ),
    (
        "a default that is wrong",
        '[defaults]\nrole = "none"\n[[wells]]\nwells = "A1"\n',
        "2, col",
    ),
]


@pytest.mark.parametrize(("content", "said"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_toml_is_one_clear_line(tmp_path, content, said):
    assert said in refused_text(tmp_path, "map.toml", content)


LINES = [
    "[defaults]",
    "[[wells]]",
    "[wells]",
    "wells = []",
    'wells = "A1:B2"',
    'wells = ["C1", ""]',
]
LINES += ['role = "blank"', 'role = ["empty", "blank"]', "role = 1", "note = {a = 1}", "note = nan"]


@settings(max_examples=50)
@given(st.lists(st.sampled_from(LINES), max_size=8))
def test_whatever_is_in_a_file_it_is_a_map_or_one_line(lines):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "map.toml"
        path.write_text("\n".join(lines))
        try:
            assert layout.read(path).wells
        except LayoutError as error:
            assert str(error).startswith(str(path)) and str(error).isprintable()
