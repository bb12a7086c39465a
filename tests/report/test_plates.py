"""Tests of plate formats and of names of wells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spheroid_jax.report import plates

WELLS = [(wells, position) for wells in plates.FORMATS for position in plates.all_wells(wells)]


@pytest.mark.parametrize(
    ("text", "name", "row", "column"),
    [
        ("A1", "A01", 0, 0),
        ("a01", "A01", 0, 0),
        ("A-01", "A01", 0, 0),
        ("A_1", "A01", 0, 0),
        ("A001", "A01", 0, 0),
        ("h12", "H12", 7, 11),
        ("P24", "P24", 15, 23),
        ("Z3", "Z03", 25, 2),
        ("AA05", "AA05", 26, 4),
        ("af48", "AF48", 31, 47),
    ],
)
def test_a_well_is_read_as_people_write_it(text, name, row, column):
    assert plates.parse(text) == (name, row, column)


@pytest.mark.parametrize(
    "text",
    [
        *("", "A", "1", "A0", "A00", "1A", "A1B", "A 1", "AG1", "A49", "A100", "BA1", "A1.0"),
        # A Kelvin sign, a long s, and an Arabic three, which case folding and \d let through.
        *("\u212a1", "\u017f1", "A\u0663", "A1\n", "A--1"),
    ],
)
def test_what_is_no_well_is_an_error_that_shows_it(text):
    with pytest.raises(ValueError, match="is not a well such as A01|no well .* on any plate"):
        plates.parse(text)


@given(st.sampled_from(WELLS), st.sampled_from(["", "-", "_", "0", "-0"]), st.booleans())
def test_every_well_of_every_plate_is_read_back_from_its_name(drawn, between, lower):
    wells, position = drawn
    written = f"{plates.row_letters(position.row)}{between}{position.column + 1}"
    found = plates.parse(written.lower() if lower else written)
    assert found == position == plates.parse(position.name)
    assert found == plates.at(found.row, found.column)
    assert plates.row_number(plates.row_letters(found.row)) == found.row
    assert plates.holds(wells, found)


def test_the_standard_plates_have_as_many_wells_as_their_names_say():
    for wells, (rows, columns) in plates.FORMATS.items():
        positions = plates.all_wells(wells)
        assert rows * columns == wells == len({position.name for position in positions})
        assert positions[-1].name == plates.last_well(wells)
    last = {n: plates.last_well(n) for n in plates.FORMATS}
    assert last == {
        6: "B03",
        12: "C04",
        24: "D06",
        48: "F08",
        96: "H12",
        384: "P24",
        1536: "AF48",
    }


@pytest.mark.parametrize(
    ("names", "wells"),
    [
        (["A1", "B3"], 6),
        (["C1"], 12),
        (["A5"], 24),
        (["H12"], 96),
        (["H13"], 384),
        (["I1"], 384),
        (["A1", "Q1"], 1536),
        ([], 6),
    ],
)
def test_the_smallest_plate_holds_all_wells(names, wells):
    assert plates.smallest(plates.parse(name) for name in names) == wells


def test_a_place_outside_every_plate_is_an_error():
    for row, column in ((-1, 0), (32, 0), (0, 48), (0, -1)):
        with pytest.raises(ValueError, match="on any plate"):
            plates.at(row, column)
