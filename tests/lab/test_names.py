"""Tests of wells, days, hours and fields in the names of files and folders."""

import pytest

from spheroid_jax.lab import names
from spheroid_jax.lab.names import PlaceError


def place(name, pattern=None):
    (found,) = names.read_places([name], pattern and names.compile_pattern(pattern))
    return found


@pytest.mark.parametrize(
    ("name", "well", "day", "hour", "field"),
    [
        ("A01_d3.tif", "A01", 3, None, ""),
        ("day3/A1.tif", "A01", 3, None, ""),
        ("Day_10/B-3.tif", "B03", 10, None, ""),
        ("plate1_day7_C04.tif", "C04", 7, None, ""),
        ("spheroid d2.5 H12.tif", "H12", 2.5, None, ""),
        ("HCT116_A05_day3.tif", "A05", 3, None, ""),
        ("MCF7_5uM_B02.tif", "B02", None, None, ""),
        ("B16F10_C03.tif", "C03", None, None, ""),
        ("A01_D3.tif", "A01", 3, None, ""),
        ("A1_24h.tif", "A01", None, 24, ""),
        ("AF48_t72h.tif", "AF48", None, 72, ""),
        ("C4.tif", "C04", None, None, ""),
        ("a01.tif", "A01", None, None, ""),
        ("c4.tif", "", None, None, ""),
        ("image_14_16bit.tiff", "", None, None, ""),
        ("day 3/well A1 field 2.tif", "A01", 3, None, "2"),
        ("A1.ome.tif", "A01", None, None, ""),
        ("VID12_B2_1_00d06h30m.tif", "B02", 6.5 / 24, 6.5, "1"),
        ("TimePoint_3/plate_A01_s2_w1.tif", "A01", 3, None, "2"),
        ("r02c03f04p01-ch1sk2fk1fl1.tiff", "B03", None, None, "4"),
        ("U87_d4_G11_f03.tif", "G11", 4, None, "3"),
    ],
)
def test_names_as_microscopes_and_people_write_them(name, well, day, hour, field):
    found = place(name)
    assert (found.well, found.field) == (well, field)
    assert found.day == (None if day is None else pytest.approx(day))
    assert found.hour == hour


def test_hours_are_counted_from_the_first_date():
    places = names.read_places(
        ["V_B2_1_2024y05m03d_12h30m.tif", "V_B2_1_2024y05m04d_18h30m.tif", "V_B3_1_x.tif"]
    )
    assert [each.hour for each in places] == [0, 30, None]
    assert [each.day for each in places[:2]] == [0, 1.25]


def test_every_plate_in_an_incubator_has_a_first_date_of_its_own():
    """Plates are scanned one after another, and minutes apart at every time."""
    places = names.read_places(
        f"{plate}_A1_1_2024y05m{day:02d}d_12h{minute}m.tif"
        for plate, minute in (("VID1", "00"), ("VID2", "17"))
        for day in (3, 4)
    )
    assert [each.hour for each in places] == [0, 24, 0, 24]


def test_a_name_that_begins_with_a_well_or_a_day_gives_neither():
    found = place("d2_14_22.png")
    assert (found.well, found.day) == ("", None)
    assert "'d2' in the name may be a well or a day" in found.doubt
    assert place("d2_A01.png")._replace(doubt="") == place("A01_d2.png")
    assert place("day4/d2_14.png").day == 4
    for clear in ("day2_14.png", "x_d2.png", "d2/14.png", "d2.5_x.png"):
        assert place(clear).day is not None and place(clear).doubt == "", clear


def test_two_wells_in_a_name_are_an_error_that_shows_the_names():
    listed = [f"A{n:02d}_B{n:02d}.tif" for n in range(1, 9)] + ["C01.tif"]
    with pytest.raises(PlaceError) as caught:
        names.read_places(listed)
    said = str(caught.value)
    assert "8 of 9 names" in said and "A01_B01.tif: has 2 wells: A01, B01" in said
    assert "and 3 more" in said and "--pattern" in said


def test_a_pattern_says_what_names_mean():
    pattern = r"(?P<row>\d+)-(?P<column>\d+)_(?P<day>\d+(?:\.\d+)?)"
    found = place("x/02-11_3.5.tif", pattern)
    assert (found.well, found.day) == ("B11", 3.5)
    assert place("A01_B02.tif", "_(?P<well>[A-Z][0-9]+)").well == "B02"
    with pytest.raises(PlaceError, match="does not fit the pattern"):
        place("other.tif", pattern)


@pytest.mark.parametrize("pattern", ["(", "A.*", "(?P<wel>A1)"])
def test_a_pattern_that_cannot_work_is_refused(pattern):
    with pytest.raises(PlaceError, match="--pattern"):
        names.compile_pattern(pattern)


def test_a_well_beyond_any_plate_is_none():
    assert place("A49.tif").well == ""
    with pytest.raises(ValueError, match="no well"):
        names.well_name("AG", 1)
