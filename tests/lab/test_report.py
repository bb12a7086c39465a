"""Tests of what the laboratory report shows."""

import json
import pathlib
import re

import pytest
import tifffile
from helpers import dark_disk

from spheroid_jax.lab import run


def shown(name="results/report.html"):
    """The data inside the page."""
    text = pathlib.Path(name).read_text("utf-8")
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', text)[1])


def test_diameters_are_in_micrometres_where_files_say_the_pixel_size(plate):
    run.measure_files(["plate"], "results")
    data = shown()
    assert data["unit"] == "µm"
    assert [picture["well"] for picture in data["pictures"]] == ["A01", "A02"] * 2
    assert data["pictures"][0]["diameter"] == pytest.approx(12, rel=0.05)
    assert data["pictures"][0]["time"] == "day 1"
    assert not any(column.endswith(("_px", "_px2")) for column in data["columns"][:9])


def test_without_a_pixel_size_of_any_body_they_are_in_pixels(plate, rng):
    for path in plate.rglob("*.tif"):
        tifffile.imwrite(path, dark_disk(64, (30, 30), 14, rng)[0])
    run.measure_files(["plate"], "results")
    data = shown()
    assert data["unit"] == "px"
    assert data["pictures"][0]["diameter"] == pytest.approx(28, rel=0.05)
    assert "The pixel size is not known" in pathlib.Path("results/report.html").read_text("utf-8")


def test_a_picture_says_why_it_was_not_read(plate):
    (plate / "bad.tif").write_bytes(b"no image")
    run.measure_files(["plate"], "results")
    (bad,) = [picture for picture in shown()["pictures"] if picture["reason"]]
    assert bad["name"] == "bad.tif" and bad["verdict"] == "unreadable"
    assert bad["jpeg"] == "" and bad["bodies"] == [] and bad["diameter"] is None


def test_damage_stands_on_the_picture(plate, rng):
    half = dark_disk(64, (26, 32), 12, rng)[0].astype("uint16") + 1
    half[48:] = 0
    tifffile.imwrite(plate / "half.tif", half)
    run.measure_files(["plate"], "results")
    doubts = {picture["name"]: picture["doubts"] for picture in shown()["pictures"]}
    assert doubts.pop("half.tif") == ["the last 16 of 64 rows are exactly 0: half-written?"]
    assert not any(doubts.values())
