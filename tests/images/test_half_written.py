"""Tests of TIFF files that were not written to their end: refused or told, never a silent half."""

import pathlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from spheroid_jax import images
from spheroid_jax.commands import measure, segment
from spheroid_jax.images import ImageError
from spheroid_jax.report import sheets

SIDE = 64
RESULTS = pathlib.Path("results")
READERS = pytest.mark.parametrize("read", [images.read_image, images.read_mask])


@pytest.fixture
def mask():
    """A mask of a body in the upper half."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return (np.hypot(rows - 20, columns - 32) < 12).astype(np.uint8) * 255


def written(path, pixels, compression, layout):
    options = {"tile": (16, 16)} if layout == "tiles" else {"rowsperstrip": 8}
    tifffile.imwrite(path, pixels, compression=compression, photometric="minisblack", **options)
    return path


def emptied(path, layout, which, what):
    """Sets places or lengths of strips or tiles to 0, as before these are written."""
    codes = {"strips": {"place": 273, "length": 279}, "tiles": {"place": 324, "length": 325}}
    with tifffile.TiffFile(path, mode="r+") as file:
        for each in what:
            tag = file.pages[0].tags[codes[layout][each]]
            values = [0 if n in which else value for n, value in enumerate(tag.value)]
            tag.overwrite(values, erase=False)


@READERS
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits", "jpeg"])
@pytest.mark.parametrize("layout", ["strips", "tiles"])
@pytest.mark.parametrize("what", [["place", "length"], ["length"], ["place"]])
@pytest.mark.parametrize("which", [[0], [6, 7]])
def test_missing_strips_and_tiles_are_refused(
    tmp_path, mask, read, compression, layout, what, which
):
    path = written(tmp_path / "a.tif", mask, compression, layout)
    emptied(path, layout, which, what)
    said = rf"a\.tif: half-written: {len(which)} of (8|16) strips or tiles are missing"
    with pytest.raises(ImageError, match=said):
        read(path)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "jpeg"])
def test_a_list_of_places_that_is_too_short_is_refused(tmp_path, mask, compression):
    path = written(tmp_path / "a.tif", mask, compression, "tiles")
    with tifffile.TiffFile(path, mode="r+") as file:
        for code in (324, 325):
            tag = file.pages[0].tags[code]
            tag.overwrite(tag.value[:11], erase=False)
    with pytest.raises(ImageError, match="half-written: 5 of 16 strips or tiles are missing"):
        images.read_mask(path)


@READERS
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits", "jpeg"])
@pytest.mark.parametrize("layout", ["strips", "tiles"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_that_ends_early_is_refused(tmp_path, mask, read, compression, layout, share, rng):
    pixels = mask if read is not images.read_image else rng.integers(0, 255, mask.shape, np.uint8)
    path = written(tmp_path / "a.tif", pixels, compression, layout)
    with tifffile.TiffFile(path) as file:
        places = file.pages[0].dataoffsets
        end = places[-1] + file.pages[0].databytecounts[-1]
    # The tags come first in these files, so only pixels are lost.
    path.write_bytes(path.read_bytes()[: int(places[0] + share * (end - places[0]))])
    with pytest.raises(ImageError, match=r"a\.tif: "):
        read(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_stack_of_imagej_that_ends_early_is_refused(tmp_path, rng, share):
    pixels = rng.integers(0, 999, (5, SIDE, SIDE), np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "ZYX"})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ImageError, match=r"a\.tif: "):
        images.read(path, z=4)


def test_what_is_half_written_is_a_flag_and_a_line(plate, capsys):
    path = plate / "day1" / "A01.tif"
    pixels = images.read_image(path)
    pixels[-12:] = 0
    tifffile.imwrite(path, pixels)
    said = "the last 12 of 64 rows are exactly 0: half-written?"
    assert measure.main(["plate"]) == 0
    (row,) = [r for r in sheets.read_csv(RESULTS / "images.csv") if r["image"] == "day1/A01.tif"]
    assert said in row["notes"]
    flags = {r["image"]: r["flags"] for r in sheets.read_csv(RESULTS / "measurements.csv")}
    assert [image for image, flag in flags.items() if said in flag] == ["day1/A01.tif"]
    capsys.readouterr()
    assert segment.main(["plate"]) == 0
    assert f"1 image is damaged: {path.relative_to(plate.parent)} ({said})." in (
        capsys.readouterr().out
    )


def test_pixels_without_a_number_are_a_flag(plate):
    path = plate / "day1" / "A01.tif"
    pixels = np.array(Image.open(path)).astype(np.float32)
    pixels[3, 5] = np.nan
    tifffile.imwrite(path, pixels)
    assert measure.main(["plate"]) == 0
    flags = {r["image"]: r["flags"] for r in sheets.read_csv(RESULTS / "measurements.csv")}
    assert "1 pixel without a number was filled from the nearest" in flags["day1/A01.tif"]
    assert "without a number" not in flags["day3/A01.tif"]
