"""Tests of a run over files: rows, outputs, going on, and what a run must not destroy."""

import json
import math
import os
import pathlib
import shutil

import numpy as np
import pytest
import tifffile
from helpers import dark_disk, scaled, telling_cores, thresholding
from PIL import Image

from spheroid_jax import images
from spheroid_jax.errors import UserError
from spheroid_jax.inference import model_file, pretrained
from spheroid_jax.lab import plan, run
from spheroid_jax.lab.plan import Choice
from spheroid_jax.lab.run import MeasureOptions
from spheroid_jax.report import sheets

RESULTS = pathlib.Path("results")


def measured(inputs=("plate",), **options):
    return run.measure_files(inputs, "results", MeasureOptions(**options))


def rows(name="measurements"):
    return sheets.read_csv(RESULTS / f"{name}.csv")


def test_every_picture_has_its_rows_in_micrometres(plate):
    summary = measured()
    assert (summary.verdicts, summary.bodies, summary.failed) == ({"ok": 4}, 4, 0)
    found = {(row["well"], row["day"]): row for row in rows()}
    assert found.keys() == {("A01", "1"), ("A02", "1"), ("A01", "3"), ("A02", "3")}
    for (well, day), row in found.items():
        radius = 10 + float(day) + int(well[1:])
        assert float(row["equivalent_diameter_px"]) == pytest.approx(2 * radius, rel=0.03)
        diameter = float(row["equivalent_diameter_um"])
        assert diameter == pytest.approx(float(row["equivalent_diameter_px"]) / 2, rel=1e-4)
        assert float(row["area_um2"]) == pytest.approx(math.pi / 4 * diameter**2, rel=1e-4)
        assert float(row["volume_sphere_um3"]) == pytest.approx(math.pi / 6 * diameter**3, rel=1e-4)
        low, high = (float(row[f"area_{end}_um2"]) for end in ("low", "high"))
        assert low < float(row["area_um2"]) < high
        assert float(row["circularity"]) == pytest.approx(1, abs=0.05)
        assert row["body"] == "1"
    image_rows = rows("images")
    assert [row["image"] for row in image_rows] == [
        f"day{day}/A0{column}.tif" for day in (1, 3) for column in (1, 2)
    ]
    assert {row["pixel_size_um"] for row in image_rows} == {"0.5"}
    assert {row["pixel_size_source"] for row in image_rows} == {"file"}


def test_outputs_mirror_the_input_folders(plate):
    measured(formats=("xlsx", "parquet"))
    made = {
        path.relative_to("results").as_posix()
        for path in RESULTS.rglob("*")
        if path.is_file() and ".spheroid" not in path.parts
    }
    per_picture = {
        f"{kind}/day{day}/A0{column}.{suffix}"
        for day in (1, 3)
        for column in (1, 2)
        for kind, suffix in (
            ("labels", "ome.tif"),
            ("probability", "png"),
            ("overlays", "jpg"),
            ("rois", "zip"),
            ("outlines", "geojson"),
        )
    }
    assert made == per_picture | {
        *("measurements.csv", "images.csv", "columns.md", "run.json", "report.html"),
        *("measurements.xlsx", "measurements.parquet", "images.parquet"),
    }


def test_labels_are_the_masks_of_segment(plate, model):
    import spheroid_jax as sj

    measured()
    path = plate / "day1" / "A01.tif"
    mask = sj.segment(sj.load(pretrained.DEFAULT), sj.read_image(path)).mask
    with tifffile.TiffFile("results/labels/day1/A01.ome.tif") as file:
        np.testing.assert_array_equal(file.asarray() == 1, mask)
    assert images.read("results/labels/day1/A01.ome.tif").pixel_size_um == 0.5


def test_what_is_done_is_not_measured_again(plate, monkeypatch):
    measured()
    calls = []
    read = plan.read_picture
    monkeypatch.setattr(plan, "read_picture", lambda *args: calls.append(args) or read(*args))
    assert measured().earlier == 4
    assert calls == []
    image, _ = dark_disk(64, (30, 30), 20, np.random.default_rng(5))
    tifffile.imwrite(plate / "day1" / "A01.tif", image)
    summary = measured()
    assert (summary.earlier, len(calls)) == (3, 1)
    changed = {row["image"]: row for row in rows()}["day1/A01.tif"]
    assert float(changed["equivalent_diameter_px"]) == pytest.approx(40, rel=0.03)
    assert changed["equivalent_diameter_um"] == ""
    assert "pixel size unknown" in changed["flags"]
    assert measured(several=True).earlier == 0


def test_another_model_of_the_same_name_measures_anew(plate, model):
    measured()
    model_file.save(scaled(thresholding(64), 2.0), model, provenance={})
    assert measured().earlier == 0
    assert measured().earlier == 4


def test_what_a_person_edited_is_kept_and_said(plate):
    measured()
    label, table = RESULTS / "labels/day1/A01.ome.tif", RESULTS / "measurements.csv"
    tifffile.imwrite(label, np.ones((64, 64), np.uint16))
    mine = label.read_bytes()
    with open(table, "a") as file:
        file.write("my own row\n")
    edited = table.read_text()
    summary = measured(several=True)
    assert {"labels/day1/A01.ome.tif", "measurements.csv"} <= set(summary.kept)
    assert label.read_bytes() == mine
    assert table.read_text() == edited
    assert len(sheets.read_csv(RESULTS / "measurements.new.csv")) == 4


def test_a_strangers_file_is_not_overwritten(plate, capsys):
    stranger = RESULTS / "overlays/day1/A01.jpg"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"somebody's")
    summary = measured()
    assert summary.verdicts == {"ok": 3, "unreadable": 1}
    assert stranger.read_bytes() == b"somebody's"
    (row,) = [row for row in rows("images") if row["verdict"] == "unreadable"]
    assert "was not written by this command" in row["reason"]


def test_a_file_that_cannot_be_read_is_a_row_with_its_reason(plate):
    (plate / "day1" / "B01.tif").write_bytes(b"no image")
    (plate / "day1" / "B02.png").touch()
    summary = measured()
    assert (summary.failed, summary.verdicts) == (2, {"ok": 4, "unreadable": 2})
    reasons = {row["image"]: row["reason"] for row in rows("images") if row["reason"]}
    assert reasons["day1/B01.tif"].startswith("not an image")
    assert reasons["day1/B02.png"] == "not an image: the file is empty"
    bad = [row for row in rows() if row["verdict"] == "unreadable"]
    assert [row["well"] for row in bad] == ["B01", "B02"]
    assert all(row["area_px2"] == "" for row in bad)


def test_an_empty_picture_has_empty_measurements(plate, rng):
    flat = np.full((64, 64), 200, np.uint8)
    flat[0, 0] = 0  # The model takes dark pixels for a body, and one is too small.
    Image.fromarray(flat).save(plate / "day1" / "C01.png")
    assert measured().verdicts == {"ok": 4, "empty": 1}
    (row,) = [row for row in rows() if row["verdict"] == "empty"]
    assert row["well"] == "C01" and row["area_px2"] == row["body"] == ""
    assert images.read_labels("results/labels/day1/C01.ome.tif").max() == 0


def test_all_bodies_or_the_largest(plate, rng):
    image = np.minimum(dark_disk(64, (20, 20), 12, rng)[0], dark_disk(64, (48, 48), 8, rng)[0])
    Image.fromarray(image).save(plate / "two.png")
    measured()
    assert sum(row["image"] == "two.png" for row in rows()) == 1
    (about,) = [row for row in rows("images") if row["image"] == "two.png"]
    assert (about["bodies"], about["verdict"]) == ("2", "several")
    measured(several=True)
    both = [row for row in rows() if row["image"] == "two.png"]
    assert [row["body"] for row in both] == ["1", "2"]
    diameters = [float(row["equivalent_diameter_px"]) for row in both]
    assert diameters == pytest.approx([24, 16], rel=0.06)


def test_a_model_with_markers_counts_bodies_that_touch(plate, model, trusting, rng):
    model_file.save(telling_cores(64), model, provenance={})
    image = np.minimum(dark_disk(240, (90, 90), 40, rng)[0], dark_disk(240, (180, 60), 30, rng)[0])
    Image.fromarray(image).save(plate / "two.png")
    measured(("plate/two.png",), several=True)
    both = rows()
    assert [row["body"] for row in both] == ["1", "2"]
    assert all(0.5 < float(row["confidence"]) <= 1 for row in both)
    assert all(0 <= float(row["core_area_px2"]) <= float(row["area_px2"]) for row in both)
    (about,) = rows("images")
    assert (about["bodies"], about["verdict"]) == ("2", "several")
    assert 0 <= float(about["score_disbelief"]) < 0.5


def test_a_model_without_cores_leaves_their_column_empty(plate):
    measured()
    assert {row["core_area_px2"] for row in rows()} == {""}


def test_times_and_scenes_are_rows(plate, rng):
    shutil.rmtree(plate)
    plate.mkdir()
    stack = np.stack([dark_disk(64, (32, 32), r, rng)[0] for r in (10, 14, 18)])
    tifffile.imwrite(plate / "t.tif", stack, imagej=True, metadata={"axes": "TYX"})
    with tifffile.TiffWriter(plate / "s.ome.tif", ome=True) as file:
        for name, pixels in zip(("B03", "B04"), stack, strict=False):
            file.write(pixels, metadata={"Name": name, "axes": "YX"})
    assert measured().bodies == 5
    times = [row for row in rows() if row["image"] == "t.tif"]
    assert [row["time"] for row in times] == ["0", "1", "2"]
    diameters = [float(row["equivalent_diameter_px"]) for row in times]
    assert diameters == pytest.approx([20, 28, 36], rel=0.05)
    scenes = [row for row in rows() if row["image"] == "s.ome.tif"]
    assert [(row["scene"], row["well"]) for row in scenes] == [("B03", "B03"), ("B04", "B04")]


def test_an_interrupted_run_has_its_rows_and_goes_on(plate):
    def stop(progress):
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.measure_files(["plate"], "results", on_progress=stop)
    assert len(rows()) == 2
    summary = measured()
    assert summary.earlier >= 2 and summary.bodies == 4


def test_a_half_written_journal_loses_one_picture(plate):
    measured()
    path = RESULTS / ".spheroid/journal.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[:-40])
    assert measured().earlier == 3


def test_files_are_included_excluded_and_thumbnails_left_out(plate):
    shutil.copy(plate / "day1" / "A01.tif", plate / "day1" / "A01_thumb.tif")
    planned = run.plan_run(["plate"], "results", MeasureOptions(exclude=("day3/*",)))
    assert [item.place.well for item in planned.items] == ["A01", "A02"]
    reasons = {path.name: reason for path, reason in planned.left_out}
    assert reasons["A01_thumb.tif"] == "named like a thumbnail"
    only = run.plan_run(["plate"], "results", MeasureOptions(include=("A02*",)))
    assert {item.place.well for item in only.items} == {"A02"}
    with pytest.raises(UserError, match="no images are left"):
        run.plan_run(["plate"], "results", MeasureOptions(include=("*.png",)))


def test_an_option_for_the_pixel_size_counts_more_than_the_file(plate):
    measured(choice=Choice(pixel_size_um=2.0))
    assert {row["pixel_size_source"] for row in rows("images")} == {"option"}
    row = rows()[0]
    ratio = float(row["feret_max_um"]) / float(row["feret_max_px"])
    assert ratio == pytest.approx(2, rel=1e-4)


def test_what_is_wrong_with_a_file_is_a_flag_of_its_rows(plate, rng):
    """A number of a repaired or half-written picture is not to be taken as it stands."""
    image, _ = dark_disk(64, (26, 32), 12, rng)
    damaged = image.astype(np.float32)
    damaged[3, 4] = np.nan
    tifffile.imwrite(plate / "nan.tif", damaged)
    half = image.astype(np.uint16) + 1
    half[48:] = 0
    tifffile.imwrite(plate / "half.tif", half)
    measured()
    for name, said in (
        ("nan.tif", "1 pixel without a number was filled"),
        ("half.tif", "the last 16 of 64 rows are exactly 0"),
    ):
        for table in ("images", "measurements"):
            (row,) = [row for row in rows(table) if row["image"] == name]
            assert said in row["flags"], (name, table)
    clean = "".join(row["flags"] for row in rows() if row["image"].startswith("day"))
    assert "filled" not in clean and "rows" not in clean


def test_run_json_says_what_was_used(plate):
    measured(several=True)
    about = json.loads((RESULTS / "run.json").read_text())
    assert about["options"]["several"] is True
    assert about["model"].startswith(f"{pretrained.DEFAULT} (")
    assert {"spheroid_jax", "jax", "python", "numpy"} <= about.keys()


def test_an_output_that_is_a_file_is_refused_before_work(plate):
    RESULTS.write_text("mine")
    with pytest.raises(NotADirectoryError, match="results: not a folder"):
        measured()
    assert os.path.isfile("results")
