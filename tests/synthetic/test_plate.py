"""Tests of the drawn plate: its truth, its images, and its map."""

import csv
import math

import numpy as np
import pytest

from spheroid_jax.synthetic import plate


def test_the_last_day_over_the_control_is_the_hill_curve():
    for well in plate.wells():
        if well.treatment == plate.ACTIVE:
            ratio = math.exp((plate.rate_per_day(well) - plate.RATE_PER_DAY) * plate.DAYS[-1])
            assert ratio == pytest.approx(plate.response(well.concentration_um))
    assert plate.response(plate.EC50_UM) == pytest.approx((1 + plate.BOTTOM) / 2)
    assert plate.response(0.0) == 1


def test_an_inactive_drug_grows_as_the_control():
    inactive = [well for well in plate.wells() if well.treatment == plate.INACTIVE]
    assert len(inactive) == 21
    assert {plate.rate_per_day(well) for well in inactive} == {plate.RATE_PER_DAY}


def test_the_plate_has_two_empty_wells_one_of_debris_and_no_well_twice():
    wells = plate.wells()
    content = [well.content for well in wells]
    assert (content.count("empty"), content.count("debris")) == (2, 1)
    assert len({well.well for well in wells}) == len(wells) == 51


def test_images_and_map_are_written_and_the_same_seed_gives_the_same(tmp_path, monkeypatch):
    few = [well for well in plate.wells() if well.well in ("B02", "H02")]
    monkeypatch.setattr(plate, "wells", lambda: few)
    monkeypatch.setattr(plate, "DAYS", (0, 6))
    first, again = dict(plate.draw(1)), dict(plate.draw(1))
    assert first.keys() == {f"day{day}/{well}.png" for day in (0, 6) for well in ("B02", "H02")}
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    # A spheroid is dark on a bright field, and has grown; an empty well has nothing.
    dark = {name: np.count_nonzero(image < 130) for name, image in first.items()}
    assert dark["day0/H02.png"] == 0 < dark["day0/B02.png"] < dark["day6/B02.png"]
    path = plate.write(tmp_path / "plate", seed=1)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["well"], row["role"]) for row in rows] == [("B02", "sample"), ("H02", "blank")]
    with pytest.raises(FileExistsError, match="holds files"):
        plate.write(tmp_path / "plate")
