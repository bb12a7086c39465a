"""Tests of what a file's content says: its format, upright pixels, colours, and pixel size."""

import os
import struct

import numpy as np
import pytest
import tifffile
from pictures import H, W, assert_same, saved
from PIL import Image

from spheroid_jax import images
from spheroid_jax.images import ImageError
from spheroid_jax.images.formats import pixel_size


class _Path(os.PathLike):
    """A path that is neither a string nor a `pathlib.Path`."""

    def __init__(self, path):
        self._path = path

    def __fspath__(self):
        return str(self._path)


# Names and formats.


def test_a_path_may_be_of_any_kind(tmp_path, gray):
    path = saved(tmp_path / "a.png", gray)
    for given in (path, str(path), _Path(path)):
        assert_same(images.read_image(given), gray)
        assert images.read(given).source == str(path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.dat", "a"])
def test_a_format_is_known_by_content_and_not_by_name(tmp_path, gray, name):
    tifffile.imwrite(tmp_path / name, gray)
    assert_same(images.read_image(tmp_path / name), gray)


def test_a_png_named_tif_is_read(tmp_path, gray):
    saved(tmp_path / "a.png", gray).rename(tmp_path / "a.tif")
    assert_same(images.read_image(tmp_path / "a.tif"), gray)


def test_what_is_no_image_is_called_by_its_kind(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "._a.png").write_bytes(b"\x00\x05\x16\x07 notes of a file system")
    os.mkfifo(tmp_path / "pipe.png")
    said = {"empty.png": "empty", "._a.png": "macOS", "pipe.png": "a pipe or a device"}
    for name, words in said.items():
        with pytest.raises(ImageError, match=words):
            images.read_image(tmp_path / name)


def test_a_phones_jpeg_with_a_preview_is_its_first_picture(tmp_path, gray):
    Image.fromarray(gray).save(
        tmp_path / "a.jpg", "MPO", save_all=True, append_images=[Image.fromarray(gray[::2, ::2])]
    )
    assert images.read_image(tmp_path / "a.jpg").shape == (H, W)


def test_a_compression_without_its_package_names_the_extra(tmp_path, gray, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", gray)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    at = content.index(struct.pack("<HHI", 259, 3, 1)) + 8
    content[at : at + 2] = struct.pack("<H", 50_000)  # ZSTD, by the tag.
    (tmp_path / "a.tif").write_bytes(content)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImageError, match=r"ZSTD.*spheroid-jax\[formats\]"):
        images.read_image(tmp_path / "a.tif")


# Orientation, zero as white, palettes: the same for every compression.


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["tif", "zlib", "lzw", "jpeg in tif", "png", "jpg"])
def test_the_orientation_tag_is_obeyed(tmp_path, orientation, kind):
    upright = np.zeros((H, W), np.uint8)
    upright[: H // 2, : W // 4] = 200  # Different under each of the eight.
    # `turned` by the inverse: only 6 and 8 are each other's.
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    stored = np.ascontiguousarray(_by_hand(upright, inverse))
    exif = Image.Exif()
    exif[274] = orientation
    if kind in ("png", "jpg"):
        saved(tmp_path / f"a.{kind}", stored, exif=exif)
    elif kind in ("lzw", "jpeg in tif"):
        options = {"lzw": "tiff_lzw", "jpeg in tif": "jpeg"}
        saved(tmp_path / "a.tif", stored, compression=options[kind], tiffinfo={274: orientation})
    else:
        extra = [(274, 3, 1, orientation, True)]
        compression = None if kind == "tif" else kind
        tifffile.imwrite(tmp_path / "a.tif", stored, extratags=extra, compression=compression)
    (path,) = tmp_path.iterdir()
    actual = images.read_image(path)
    assert actual.shape == upright.shape
    assert np.abs(actual.astype(int) - upright).mean() < 2
    (scene,) = images.describe(path)
    assert scene.shape == upright.shape


def _by_hand(pixels, orientation):
    """Shows stored pixels upright, by the TIFF standard's table of row 0 and column 0."""
    rows_and_columns = {
        1: pixels,
        2: np.fliplr(pixels),
        3: np.rot90(pixels, 2),
        4: np.flipud(pixels),
        5: pixels.T,
        6: np.rot90(pixels, -1),
        7: np.rot90(pixels, 2).T,
        8: np.rot90(pixels, 1),
    }
    return rows_and_columns[orientation]


@pytest.mark.parametrize("compression", [None, "zlib", "packbits"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_zero_as_white_is_inverted_in_images_and_not_in_masks(tmp_path, rng, compression, dtype):
    pixels = rng.integers(0, 2, (H, W), dtype) * 255
    options = {"photometric": "miniswhite", "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    assert_same(images.read_image(tmp_path / "a.tif"), np.iinfo(dtype).max - pixels)
    assert_same(images.read_mask(tmp_path / "a.tif"), pixels == 255)


@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_lzw_is_read_without_another_package(tmp_path, rng, predictor, tile):
    pixels = rng.integers(0, 999, (H, W), np.uint16)
    options = {"compression": "lzw", "predictor": predictor, "tile": tile}
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    assert_same(images.read_image(tmp_path / "a.tif"), pixels)


def test_a_palette_is_looked_up_in_images_and_its_numbers_count_in_labels(tmp_path, rng):
    indices = rng.integers(0, 4, (H, W), np.uint8)
    colours = np.zeros((3, 256), np.uint16)
    colours[:, :4] = np.array([[0, 10, 20, 30], [0, 40, 50, 60], [0, 70, 80, 90]]) << 8
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=colours)
    expected = (colours >> 8).T.astype(np.uint8)[indices]
    assert_same(images.read_image(tmp_path / "a.tif"), expected)
    assert_same(images.read_labels(tmp_path / "a.tif"), indices.astype(np.int64))


# Pixel size.


@pytest.mark.parametrize(
    ("unit", "per_unit", "size_um"),
    [
        ("CENTIMETER", 15_384.6, 0.65),
        ("INCH", 25_400 / 1.3, 1.3),
        ("INCH", 72, None),
        ("INCH", 96, None),
        ("INCH", 300, None),
        ("CENTIMETER", 118.11, None),  # 300 dots per inch.
        ("INCH", 1200, None),
        ("NONE", 15_384.6, None),
    ],
)
def test_a_pixel_size_is_read_from_resolution_tags(tmp_path, gray, unit, per_unit, size_um):
    tifffile.imwrite(tmp_path / "a.tif", gray, resolution=(per_unit, per_unit), resolutionunit=unit)
    actual = images.read(tmp_path / "a.tif").pixel_size_um
    assert actual == (size_um if size_um is None else pytest.approx(size_um, rel=1e-4))


@pytest.mark.parametrize(
    ("unit", "size_um"), [("micron", 0.65), ("um", 0.65), ("\\u00B5m", 0.65), ("pixel", None)]
)
def test_a_pixel_size_is_read_in_imagejs_unit(tmp_path, gray, unit, size_um):
    options = {"imagej": True, "resolution": (1 / 0.65, 1 / 0.65), "metadata": {"unit": unit}}
    tifffile.imwrite(tmp_path / "a.tif", gray, **options)
    actual = images.read(tmp_path / "a.tif").pixel_size_um
    assert actual == (size_um if size_um is None else pytest.approx(size_um, rel=1e-4))


@pytest.mark.parametrize(
    ("length", "unit", "size_um"),
    [
        ("0.65", "\u00b5m", 0.65),
        ("650", "nm", 0.65),
        ("0.00065", "mm", 0.65),
        ("1", "pixel", None),
        ("0", "\u00b5m", None),
        ("nan", "\u00b5m", None),
        (None, "\u00b5m", None),
    ],
)
def test_a_pixel_size_of_ome_is_in_its_unit(length, unit, size_um):
    actual = pixel_size.from_length(length, unit)
    assert actual == (size_um if size_um is None else pytest.approx(size_um))


def test_a_file_that_says_nothing_has_no_pixel_size(tmp_path, gray):
    tifffile.imwrite(tmp_path / "a.tif", gray)
    assert images.read(tmp_path / "a.tif").pixel_size_um is None
    assert images.read(saved(tmp_path / "a.png", gray, dpi=(96, 96))).pixel_size_um is None


def test_pixels_that_are_not_square_have_no_size(tmp_path, gray):
    options = {"resolution": (15_000, 10_000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(tmp_path / "a.tif", gray, **options)
    assert images.read(tmp_path / "a.tif").pixel_size_um is None
