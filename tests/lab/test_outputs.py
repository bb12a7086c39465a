"""Tests of outlines, labels, tables and the report with readers of other projects."""

import csv
import io
import json
import math

import numpy as np
import openpyxl
import pytest
import roifile
import tifffile
from helpers import disk
from pyarrow import parquet
from shapely import geometry

from spheroid_jax import images
from spheroid_jax.inference import objects, predict
from spheroid_jax.lab import bodies, columns, contour, outlines
from spheroid_jax.report import sheets
from spheroid_jax.report.sheets import Column


@pytest.fixture
def body(trusting, rng):
    """A disk of radius 20 at x = 50, y = 40, measured."""
    mask = disk(100, (40, 50), 20)[:90]
    gray = np.where(mask, 60.0, 200.0).astype(np.float32)
    probability = np.where(mask, 0.98, 0.02).astype(np.float32)
    full = images.Enlarged(probability, probability.shape)
    (found,) = bodies.examine(
        images.measured(gray), predict.connected_bodies(full), trusting
    ).bodies
    return found


def test_a_polygon_has_the_area_and_the_place_of_its_body(body):
    polygon = geometry.Polygon(contour.polygon(body.cutout))
    assert polygon.is_valid
    assert polygon.area == pytest.approx(body.shape.area, rel=0.02)
    # The centre of pixel 50 lies at 50.5.
    assert polygon.centroid.x == pytest.approx(50.5, abs=0.1)
    assert polygon.centroid.y == pytest.approx(40.5, abs=0.1)


def test_a_body_at_the_frame_ends_at_the_frame():
    mask = disk(60, (0, 30), 15)
    points = contour.polygon(objects.cut(mask))
    assert points[:, 1].min() == 0
    assert geometry.Polygon(points).area == pytest.approx(mask.sum(), rel=0.03)


def test_imagej_opens_the_rois(body, tmp_path):
    (tmp_path / "a.zip").write_bytes(outlines.roi_set([body], "A01"))
    (region,) = roifile.roiread(tmp_path / "a.zip")
    assert region.name == "A01-1"
    polygon = geometry.Polygon(region.coordinates())
    assert polygon.area == pytest.approx(body.shape.area, rel=0.03)
    assert polygon.centroid.x == pytest.approx(50.5, abs=0.6)


def test_qupath_opens_the_outlines(body):
    values = columns.values(body, 0.5)
    (feature,) = json.loads(outlines.geojson([body], [values]))["features"]
    polygon = geometry.shape(feature["geometry"])
    assert polygon.is_valid and polygon.exterior.is_ring
    assert polygon.area == pytest.approx(body.shape.area, rel=0.02)
    measured = feature["properties"]["measurements"]
    assert measured["area_um2"] == pytest.approx(body.shape.area / 4)


def test_labels_carry_the_pixel_size(body):
    # More rows than a strip of the file has.
    shape = (1700, 2000)
    far = body._replace(number=2, cutout=body.cutout._replace(top=1000, left=1900, shape=shape))
    near = body._replace(cutout=body.cutout._replace(shape=shape))
    with tifffile.TiffFile(io.BytesIO(outlines.labels_tiff([near, far], shape, 0.65))) as file:
        assert file.is_ome and len(file.pages[0].dataoffsets) > 1
        labels = file.asarray()
        assert labels.dtype == np.uint16
        np.testing.assert_array_equal(labels, near.mask + 2 * far.mask.astype(int))
        pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
    assert pixels["PhysicalSizeX"] == pytest.approx(0.65)
    assert pixels["PhysicalSizeXUnit"] == "µm"


# Measurements by hand.


def test_volumes_and_error_bars_by_hand(body):
    values = columns.values(body, 2.0)
    diameter = values["equivalent_diameter_px"]
    assert values["volume_sphere_px3"] == pytest.approx(math.pi / 6 * diameter**3)
    assert values["volume_sphere_um3"] == pytest.approx(8 * values["volume_sphere_px3"])
    long, short = values["major_axis_px"], values["minor_axis_px"]
    assert values["volume_prolate_px3"] == pytest.approx(math.pi / 6 * long * short**2)
    caliper = 0.5 * values["feret_max_px"] * values["feret_90_px"] ** 2
    assert values["volume_caliper_px3"] == pytest.approx(caliper)
    # No doubt at all: the floor of 0.01 in the logarithm of the area.
    assert values["area_high_px2"] / values["area_px2"] == pytest.approx(math.exp(0.01))
    assert values["area_px2"] / values["area_low_px2"] == pytest.approx(math.exp(0.01))
    assert values["intensity_mean"] == values["intensity_min"] == 60
    assert values["contrast"] == pytest.approx(1.0)


def test_without_a_pixel_size_micrometres_are_empty(body):
    values = columns.values(body, None)
    assert all(value is None for name, value in values.items() if "_um" in name)
    assert values["area_px2"] == body.shape.area
    assert list(values) == [column.name for column in columns.columns()]


# Tables.

COLUMNS = (Column("name", "a name"), Column("value", "a number", "a / b", "a book"))
ROWS = [
    {"name": "=1+1", "value": 0.5},
    {"name": 'Zelle µ, "x"', "value": ""},
    {"name": "-", "value": 2},
]


def test_a_csv_file_is_safe_for_spreadsheets():
    content = sheets.csv_bytes(COLUMNS, ROWS)
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert lines == [["name", "value"], ["'=1+1", "0.5"], ['Zelle µ, "x"', ""], ["'-", "2"]]


def test_an_excel_file_has_numbers_and_no_formulas():
    content = sheets.xlsx_bytes({"a": (COLUMNS, ROWS)})
    sheet = openpyxl.load_workbook(io.BytesIO(content))["a"]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells == [["name", "value"], ["=1+1", 0.5], ['Zelle µ, "x"', None], ["-", 2]]
    assert sheet["A2"].data_type == "s"


def test_a_parquet_file_has_types_and_nulls():
    table = parquet.read_table(io.BytesIO(sheets.parquet_bytes(COLUMNS, ROWS)))
    assert table["value"].to_pylist() == [0.5, None, 2.0]
    assert table["name"].to_pylist()[0] == "=1+1"
    assert table.schema.field("value").metadata == {b"meaning": b"a number"}


def test_the_explanation_has_a_row_per_column():
    text = sheets.explanation({"a.csv": COLUMNS})
    assert "## a.csv" in text
    assert "| `value` | a number | a / b | a book |" in text
