"""Tests of joining: which image belongs to which well of the map, and what is left out."""

import math

import pytest
from plate_tables import write_results

from spheroid_jax.plates import joined, layout, observations, series

MAP = "plate,well,role,treatment,concentration,concentration_unit\n"


def join(tmp_path, rows, images, results="results"):
    (tmp_path / "map.csv").write_text(MAP + "".join(f"{row}\n" for row in rows))
    folder = write_results(tmp_path / results, images)
    return joined.join(observations.read([folder]), layout.read(tmp_path / "map.csv"))


def image(name, well, volume=1.0, **more):
    return {"image": name, "well": well, "volumes": [volume] if volume else [], **more}


CONTROL, DRUG = "p,A01,negative,DMSO,,", "p,A02,sample,drug,1,uM"


def test_wells_of_the_map_and_images_meet_by_name(tmp_path):
    found = join(tmp_path, [CONTROL, DRUG], [image("A01.png", "A01", 2), image("A02.png", "A02")])
    assert [(row.well.well, row.well.role, row.value) for row in found.rows] == [
        ("A01", "negative", 2.0),
        ("A02", "sample", 1.0),
    ]


def test_a_well_that_is_not_in_the_map_is_listed_and_never_a_control(tmp_path):
    found = join(tmp_path, [CONTROL], [image("A01.png", "A01", 100), image("B07.png", "B07", 10)])
    assert [row.well.well for row in found.rows] == ["A01"]
    assert found.unmapped == ("p B07",)
    assert any(
        "1 well (p B07) with images not in the map, left out" in note for note in found.notes
    )


def test_a_mapped_well_without_an_image_is_a_row_with_its_reason(tmp_path):
    found = join(tmp_path, [CONTROL, DRUG], [image("A01.png", "A01")])
    assert (found.rows[1].reason, found.rows[1].images) == ("no image", 0)
    assert math.isnan(found.rows[1].value)


def test_several_images_of_one_time_are_averaged_and_a_refused_one_is_counted(tmp_path):
    images = [
        image("A01_f1.png", "A01", 2, day="1"),
        image("A01_f2.png", "A01", 4, day="1"),
        image("A01_f3.png", "A01", 0, day="1", verdict="empty"),
    ]
    (row,) = join(tmp_path, [CONTROL], images).rows
    assert (row.value, row.images, row.refused, row.time_h) == (3.0, 3, 1, 24.0)


def test_plates_are_told_apart_by_the_names_in_paths(tmp_path):
    rows = ["plate 1,A01,negative,DMSO,,", "plate 10,A01,negative,DMSO,,"]
    images = [image("plate 1/A01.png", "A01", 1), image("plate 10/A01.png", "A01", 10)]
    found = join(tmp_path, rows, images)
    assert [(row.well.plate, row.value) for row in found.rows] == [
        ("plate 1", 1.0),
        ("plate 10", 10.0),
    ]


@pytest.mark.parametrize(
    ("name", "fits"), [("c/A01.png", "fits no plate"), ("a/b/A01.png", "fits the plates a, b")]
)
def test_an_image_of_no_plate_or_of_two_is_refused(tmp_path, name, fits):
    rows = ["a,A01,negative,DMSO,,", "b,A01,negative,DMSO,,"]
    with pytest.raises(joined.JoinError, match=fits):
        join(tmp_path, rows, [image(name, "A01")])


def test_images_without_wells_are_refused_with_what_to_do(tmp_path):
    with pytest.raises(joined.JoinError, match="no image has a well in its name"):
        join(tmp_path, [CONTROL], [image("x.png", "")])


def test_a_series_has_its_times_in_order_and_knows_what_was_refused(tmp_path):
    images = [
        image("d2/A01.png", "A01", 4, day="2"),
        image("d1/A01.png", "A01", 0, day="1", verdict="empty"),
        image("d0/A01.png", "A01", 1, day="0"),
    ]
    (found,) = series.of_rows(join(tmp_path, [CONTROL], images).rows)
    assert found.time_h.tolist() == [0, 24, 48]
    assert (found.at(48), found.refused_at(24), found.refused_at(48)) == (4.0, True, False)
    assert math.isnan(found.at(24)) and math.isnan(found.at(12))


def test_conditions_gather_wells_and_controls_come_first(tmp_path):
    rows = [DRUG, "p,A03,sample,drug,1,uM", "p,A04,sample,drug,0.1,uM", CONTROL]
    images = [image(f"A0{n}.png", f"A0{n}") for n in (1, 2, 3, 4)]
    found = series.groups(series.of_rows(join(tmp_path, rows, images).rows))
    assert [(group.key.label, len(group.wells)) for group in found] == [
        ("DMSO", 1),
        ("drug 0.1 uM", 1),
        ("drug 1 uM", 2),
    ]
