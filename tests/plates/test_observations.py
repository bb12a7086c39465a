"""Tests of observations: sizes, wells and times from the tables of `spheroid measure`."""

import math

import pytest
from plate_tables import write_results

from spheroid_jax.plates import observations


def one(tmp_path, **image):
    return write_results(tmp_path / "results", [{"image": "A01.png", "well": "A01", **image}])


def test_a_volume_is_read_with_its_well_and_hours(tmp_path):
    found = observations.read([one(tmp_path, day="2", volumes=[8.0, 3.0])])
    (row,) = found.rows
    assert (row.well, row.time_h, row.value, row.verdict, row.reason) == (
        "A01",
        48.0,
        8.0,
        "ok",
        "",
    )
    assert (found.unit, found.notes) == ("um3", ())


@pytest.mark.parametrize(("bodies", "value"), [("largest", 8.0), ("sum", 11.0), ("mean", 5.5)])
def test_which_bodies_count_is_an_option(tmp_path, bodies, value):
    found = observations.read([one(tmp_path, volumes=[8.0, 3.0])], bodies=bodies)
    assert found.rows[0].value == value


def test_an_hour_counts_before_a_day(tmp_path):
    assert observations.read([one(tmp_path, hour="6", day="2")]).rows[0].time_h == 6


def test_an_image_that_was_not_measured_is_missing_with_its_reason(tmp_path):
    for image, reason in (
        ({"verdict": "empty"}, "verdict: empty"),
        ({"verdict": "unreadable", "reason": "cut off"}, "cut off"),
    ):
        (row,) = observations.read([one(tmp_path, **image)]).rows
        assert math.isnan(row.value) and row.reason == reason


def test_without_any_pixel_size_sizes_are_in_pixels_and_a_note_says_so(tmp_path):
    found = observations.read([one(tmp_path, px=[27.0])])
    assert (found.unit, found.rows[0].value) == ("px3", 27.0)
    assert "no image has a pixel size" in found.notes[0]


def test_pixels_and_micrometres_are_never_mixed(tmp_path):
    images = [
        {"image": "A01.png", "well": "A01", "volumes": [8.0]},
        {"image": "A02.png", "well": "A02", "px": [27.0]},
    ]
    found = observations.read([write_results(tmp_path / "results", images)])
    assert found.unit == "um3"
    assert math.isnan(found.rows[1].value) and found.rows[1].reason == "no pixel size"
    assert "1 bodies have no size in micrometres" in found.notes[0]


def test_only_ok_leaves_out_what_is_flagged(tmp_path):
    found = observations.read([one(tmp_path, verdict="several", volumes=[8.0])], only_ok=True)
    assert math.isnan(found.rows[0].value) and found.rows[0].reason == "verdict: several"
    assert "left out: 1 several" in found.notes[0]


def test_a_series_in_one_file_has_an_interval(tmp_path):
    images = [
        {"image": "A01.tif", "well": "A01", "time": str(time), "volumes": [1.0]} for time in (0, 3)
    ]
    results = write_results(tmp_path / "results", images)
    found = observations.read([results], interval_h=2.0)
    assert [row.time_h for row in found.rows] == [0.0, 6.0]


def test_a_table_of_times_counts_before_names(tmp_path):
    results = one(tmp_path, day="2", volumes=[1.0])
    table = tmp_path / "times.csv"
    table.write_text("image,day,well\nA01.png,3,B02\nother.png,1,\n")
    found = observations.read([results], times=table)
    assert (found.rows[0].well, found.rows[0].time_h) == ("B02", 72.0)
    assert "1 (other.png) not among the images" in found.notes[0]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("image,well\nA01.png,B02\n", "needs the columns image and one of hour"),
        ("image,hour,day\nA01.png,1,2\n", "needs the columns image and one of hour"),
        ("image,hour\nA01.png,noon\n", "line 2: column hour: 'noon' is not a number"),
        ("image,hour\nA01.png,1\nA01.png,2\n", "line 3: A01.png has a row already"),
        ("file,hour\nA01.png,1\n", "has no column image"),
    ],
)
def test_a_wrong_table_of_times_is_named(tmp_path, table, problem):
    (tmp_path / "times.csv").write_text(table)
    with pytest.raises(observations.ObservationsError) as error:
        observations.read([one(tmp_path, volumes=[1.0])], times=tmp_path / "times.csv")
    assert problem in str(error.value) and "times.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_without_tables_and_a_missing_measure_are_named(tmp_path):
    with pytest.raises(observations.ObservationsError, match=r"no images\.csv in this folder"):
        observations.read([tmp_path])
    results = one(tmp_path, volumes=[1.0])
    with pytest.raises(observations.ObservationsError, match="has no column area_um2"):
        observations.read([results], measure="area")
    with pytest.raises(observations.ObservationsError, match="'weight': not volume_sphere"):
        observations.read([results], measure="weight")
