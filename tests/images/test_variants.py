"""Tests of one picture in many TIFF files: whatever the compression and layout, it is the same."""

import itertools
import json
import pathlib
import struct
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from helpers import ROOT
from pictures import assert_same
from PIL import Image
from scipy import ndimage

from spheroid_jax import images
from spheroid_jax.images import ImageError
from spheroid_jax.images.formats import orientation

H, W = 64, 80
# That keep every bit, of any number type.
LOSSLESS = [None, "zlib", "lzw", "packbits", "lzma", "zstd"]
TYPES = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32]
FLOATS = [np.float16, np.float32, np.float64]


@pytest.fixture
def smooth(rng):
    """A smooth picture in [0.1, 0.9], which codecs with losses keep."""
    drawn = ndimage.gaussian_filter(rng.random((H, W)), 6)
    return 0.1 + 0.8 * (drawn - drawn.min()) / np.ptp(drawn)


@pytest.fixture
def gray(smooth):
    return np.rint(255 * smooth).astype(np.uint8)


@pytest.fixture(params=["strips", "tiles"])
def layout(request):
    return {"tile": (16, 32)} if request.param == "tiles" else {"rowsperstrip": 24}


def scaled(smooth, dtype):
    """The picture in the range of a number type."""
    if np.dtype(dtype).kind == "f":
        return smooth.astype(dtype)
    limits = np.iinfo(dtype)
    return (limits.min + smooth * (limits.max - limits.min)).astype(dtype)


def assert_alike(path, expected, least=0.99):
    actual = images.to_gray(images.read_image(path))
    assert actual.shape == expected.shape
    assert np.corrcoef(actual.ravel(), expected.ravel())[0, 1] > least


@pytest.mark.parametrize("compression", LOSSLESS)
@pytest.mark.parametrize("dtype", TYPES + FLOATS)
def test_every_number_type_is_kept(tmp_path, smooth, layout, compression, dtype):
    pixels = scaled(smooth, dtype)
    predictors = [None] if compression in (None, "packbits", "lzma") else [None, True]
    for predictor, byteorder in itertools.product(predictors, "<>"):
        options = {"compression": compression, "predictor": predictor, "byteorder": byteorder}
        tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", **options, **layout)
        assert_same(images.read_image(tmp_path / "a.tif"), pixels)


@pytest.mark.parametrize("compression", ["jpeg2000", "jpegxl", "jpeg", "png"])
@pytest.mark.parametrize("colour", [False, True])
def test_codecs_of_pictures_are_read(tmp_path, gray, layout, compression, colour):
    pixels = np.dstack([gray, np.roll(gray, 9), 255 - gray // 2]) if colour else gray
    photometric = "rgb" if colour else "minisblack"
    options = {"compression": compression, "photometric": photometric}
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options, **layout)
    assert_alike(tmp_path / "a.tif", images.to_gray(pixels), 0.98)


@pytest.mark.parametrize("compression", LOSSLESS)
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("alpha", [False, True])
def test_colours_are_kept(tmp_path, smooth, layout, compression, planar, dtype, alpha):
    parts = [scaled(each, dtype) for each in (smooth, 1 - smooth, smooth[::-1])]
    stored = parts + [np.full_like(parts[0], 9)] * alpha
    stored = np.dstack(stored) if planar == "contig" else np.stack(stored)
    options = {"photometric": "rgb", "planarconfig": planar, "compression": compression}
    extra = {"extrasamples": ["unassalpha"]} if alpha else {}
    tifffile.imwrite(tmp_path / "a.tif", stored, **options, **extra, **layout)
    assert_same(images.read_image(tmp_path / "a.tif"), np.dstack(parts))


@pytest.mark.parametrize("compression", [*LOSSLESS, "jpeg2000", "jpegxl"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_zero_as_white_is_one_rule(tmp_path, smooth, layout, compression, dtype):
    """Images by the tag, masks as stored, whatever the compression and depth."""
    top = np.iinfo(dtype).max
    path, shown = tmp_path / "a.tif", scaled(smooth, dtype)
    options = {"photometric": "miniswhite", "compression": compression, **layout}
    tifffile.imwrite(path, top - shown, **options)
    assert_same(images.read_image(path), shown)
    mask = (smooth > 0.5).astype(dtype) * 255
    tifffile.imwrite(path, mask, **options)
    assert_same(images.read_mask(path), mask > 0)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "packbits", "tiff_lzw"])
def test_bits_are_black_and_white_in_images_and_masks(tmp_path, smooth, compression):
    bits = smooth > 0.5
    Image.fromarray(bits).save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(images.read_image(tmp_path / "a.tif") > 0, bits)
    read = images.read_mask(tmp_path / "a.tif")
    assert (read == bits).all() or (read == ~bits).all()


@pytest.mark.parametrize("compression", LOSSLESS)
def test_palettes_are_looked_up(tmp_path, gray, rng, layout, compression):
    order = rng.permutation(256)
    colours = np.zeros((3, 256), np.uint16)
    colours[:, order] = np.arange(256) * 257
    options = {"photometric": "palette", "colormap": colours, "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", order[gray].astype(np.uint8), **options, **layout)
    np.testing.assert_array_equal(images.read_image(tmp_path / "a.tif"), np.dstack([gray] * 3))


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_palettes_of_few_colours_are_looked_up(tmp_path, gray, suffix, bits):
    count = 2**bits
    levels = (gray.astype(int) * count // 256).astype(np.uint8)
    picture = Image.fromarray(count - 1 - levels)
    picture.putpalette([255 - 255 * n // (count - 1) for n in range(count) for _ in "rgb"])
    picture.save(tmp_path / f"a.{suffix}", **({"bits": bits} if suffix == "png" else {}))
    assert_alike(tmp_path / f"a.{suffix}", levels, 0.999)


@pytest.mark.parametrize("compression", LOSSLESS)
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("inks", ["three", "black"])
def test_inks_are_no_gray_levels(tmp_path, gray, layout, compression, planar, dtype, inks):
    none = np.zeros_like(gray)
    parts = [255 - gray] * 3 + [none] if inks == "three" else [none] * 3 + [255 - gray]
    stored = np.stack(parts).astype(dtype) * (257 if dtype == np.uint16 else 1)
    stored = np.moveaxis(stored, 0, -1) if planar == "contig" else stored
    options = {"photometric": "separated", "planarconfig": planar, "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", stored, **options, **layout)
    assert_alike(tmp_path / "a.tif", gray)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_of_lab_the_lightness_is_read(tmp_path, gray, compression):
    neutral = Image.new("L", (W, H), 128)
    picture = Image.merge("LAB", [Image.fromarray(gray), neutral, neutral])
    options = {"compression": compression} if compression else {}
    picture.save(tmp_path / "a.tif", **options)
    assert_alike(tmp_path / "a.tif", gray)


@pytest.mark.parametrize("compression", [*LOSSLESS, "jpeg", "jpeg2000"])
def test_luminance_and_chroma_become_colours(tmp_path, gray, layout, compression):
    stored = np.dstack([gray, np.full_like(gray, 128), np.full_like(gray, 128)])
    options = {"photometric": "ycbcr", "subsampling": (1, 1), "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", stored, **options, **layout)
    assert_alike(tmp_path / "a.tif", gray)


@pytest.mark.parametrize("compression", [*LOSSLESS, "jpeg", "jpeg2000"])
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("colour", [False, True])
def test_orientation_is_obeyed(tmp_path, gray, layout, compression, turn, colour):
    upright = np.dstack([gray] * 3) if colour else gray
    inverse = {6: 8, 8: 6}.get(turn, turn)
    stored = np.ascontiguousarray(orientation.turned(upright, inverse))
    photometric = "rgb" if colour else "minisblack"
    options = {"compression": compression, "photometric": photometric, **layout}
    extra = [(274, 3, 1, turn, True)]
    tifffile.imwrite(tmp_path / "a.tif", stored, extratags=extra, **options)
    assert_alike(tmp_path / "a.tif", gray)


def test_webp_in_a_tiff_file_is_read(tmp_path, gray, layout):
    pixels = np.dstack([gray, np.roll(gray, 9), 255 - gray // 2])
    options = {"compression": "webp", "photometric": "rgb", **layout}
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    assert_alike(tmp_path / "a.tif", images.to_gray(pixels), 0.98)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_packed_bits_are_unpacked(tmp_path, smooth, bits, byteorder, photometric):
    """Written by hand: bits follow each other in one order, whatever the order of bytes."""
    levels = np.rint(smooth * (2**bits - 1)).astype(np.uint16)
    stored = levels if photometric else 2**bits - 1 - levels
    rows = (stored[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    data = np.packbits(rows.astype(np.uint8).reshape(H, -1), axis=1).tobytes()
    values = [(256, W), (257, H), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1)]
    values += [(278, H), (279, len(data))]
    start = b"II" if byteorder == "<" else b"MM"
    content = struct.pack(f"{byteorder}2sHI", start, 42, 8 + len(data)) + data
    content += struct.pack(f"{byteorder}H", len(values))
    content += b"".join(struct.pack(f"{byteorder}HHII", c, 4, 1, value) for c, value in values)
    (tmp_path / "a.tif").write_bytes(content + bytes(4))
    assert_same(images.read_image(tmp_path / "a.tif"), levels)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("colour", [False, True])
def test_jpeg_is_read_in_every_kind_of_tiff(tmp_path, gray, layout, byteorder, bigtiff, colour):
    pixels = np.dstack([gray, np.roll(gray, 9), 255 - gray // 2]) if colour else gray
    options = {"bigtiff": bigtiff, "byteorder": byteorder, "compression": "jpeg", **layout}
    photometric = "rgb" if colour else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric=photometric, **options)
    assert_alike(tmp_path / "a.tif", images.to_gray(pixels), 0.98)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_jpeg_of_12_bits_is_read(tmp_path, smooth, photometric):
    shown = np.rint(smooth * 4095).astype(np.uint16)
    stored = 4095 - shown if photometric == "miniswhite" else shown
    options = {"compression": "jpeg", "bitspersample": 12, "photometric": photometric}
    tifffile.imwrite(tmp_path / "a.tif", stored, **options)
    assert_alike(tmp_path / "a.tif", shown)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "jpeg", "jpeg2000"])
@pytest.mark.parametrize("pages", range(2, 7))
@pytest.mark.parametrize("described", ["by shape", "not at all", "one by one"])
def test_pages_have_one_outcome(tmp_path, gray, compression, pages, described):
    stack = np.stack([np.roll(gray, 9 * n, 0) for n in range(pages)])
    options = {"compression": compression, "photometric": "minisblack"}
    options |= {} if described == "by shape" else {"metadata": None}
    path = tmp_path / "a.tif"
    if described == "one by one":
        with tifffile.TiffWriter(path) as file:
            for page in stack:
                file.write(page, contiguous=False, **options)
    else:
        tifffile.imwrite(path, stack, **options)
    with pytest.raises(ImageError, match=rf"stack of {pages} images.*0 to {pages - 1}"):
        images.read_image(path)
    shown = images.read(path, channel=pages - 1).pixels
    assert np.corrcoef(shown.ravel(), stack[-1].ravel())[0, 1] > 0.98


WITHOUT = """
import importlib.abc, importlib.util, json, sys

class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "imagecodecs":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hide())
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "imagecodecs" else find(name, *more)
from spheroid_jax import images

said = {}
for path in sys.argv[1:]:
    try:
        said[path] = images.read_image(path).tolist()
    except images.ImageError as error:
        said[path] = str(error)
print(json.dumps(said))
"""


def test_without_imagecodecs_files_are_read_or_the_message_names_the_extra(tmp_path, smooth):
    gray, floats = scaled(smooth, np.uint8), scaled(smooth, np.float32)
    read = {
        **{f"{each}.tif": (gray, {"compression": each}) for each in LOSSLESS[:-1]},
        "tiles.tif": (gray, {"compression": "lzw", "tile": (16, 32), "predictor": True}),
    }
    refused = {
        "zstd.tif": (gray, {"compression": "zstd"}),
        "jpeg2000.tif": (gray, {"compression": "jpeg2000"}),
        "predictor.tif": (floats, {"compression": "lzw", "predictor": True}),
        "zlib_predictor.tif": (floats, {"compression": "zlib", "predictor": True}),
        "bits.tif": (scaled(smooth, np.uint16) >> 4, {"bitspersample": 12}),
        "jpeg.tif": (scaled(smooth, np.uint16) >> 4, {"bitspersample": 12, "compression": "jpeg"}),
    }
    for name, (pixels, options) in (read | refused).items():
        tifffile.imwrite(tmp_path / name, pixels, photometric="minisblack", **options)
    paths = [str(tmp_path / name) for name in read | refused]
    command = [sys.executable, "-c", WITHOUT, *paths]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    said = {pathlib.Path(path).name: value for path, value in json.loads(result.stdout).items()}
    for name, (pixels, _) in read.items():
        np.testing.assert_array_equal(said[name], pixels)
    for name in refused:
        assert 'pip install "spheroid-jax[formats]"' in said[name], said[name]
