"""Tests of TIFF files of one picture."""

import numpy as np
import pytest
import tifffile
from pictures import H, W, assert_same
from PIL import Image

from spheroid_jax import images
from spheroid_jax.images import ImageError


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".TIF"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_gray_tiff_keeps_its_type(tmp_path, rng, dtype, suffix):
    pixels = (rng.random((H, W)) * 30_000).astype(dtype)
    tifffile.imwrite(tmp_path / f"a{suffix}", pixels)
    assert_same(images.read_image(tmp_path / f"a{suffix}"), pixels)


def test_compressed_tiled_tiff_is_read(tmp_path, gray):
    tifffile.imwrite(tmp_path / "a.tif", gray, compression="zlib", tile=(16, 16))
    assert_same(images.read_image(tmp_path / "a.tif"), gray)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_rgb_tiff_has_its_channels_last(tmp_path, rgb, planar):
    stored = rgb if planar == "contig" else rgb.transpose(2, 0, 1)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar)
    assert_same(images.read_image(tmp_path / "a.tif"), rgb)


def test_many_unnamed_pages_are_refused(tmp_path, rng):
    pixels = rng.integers(0, 256, (5, H, W), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    with pytest.raises(ImageError, match=rf"a\.tif: a stack .*5 x {H} x {W}"):
        images.read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("axes", ["ZYX", "TYX", "ZCYX"])
def test_z_or_time_stack_is_refused_however_short(tmp_path, axes):
    pixels = np.zeros((2,) * (len(axes) - 2) + (H, W), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata={"axes": axes})
    with pytest.raises(ImageError, match=rf"a\.tif: a stack .*axes {axes}"):
        images.read_image(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((1, 1, H, W), {"imagej": True, "metadata": {"axes": "ZCYX"}}),
        ((1, H, W), {"ome": True, "metadata": {"axes": "CYX"}}),
        ((1, 1, H, W), {}),
        ((H, W, 1), {}),
        ((1, H, W, 1), {}),
    ],
)
def test_axes_of_length_one_are_no_stack(tmp_path, gray, shape, options):
    tifffile.imwrite(tmp_path / "a.tif", gray.reshape(shape), **options)
    assert_same(images.read_image(tmp_path / "a.tif"), gray)


def test_image_one_pixel_wide_keeps_two_axes(tmp_path, gray):
    tifffile.imwrite(tmp_path / "a.tif", gray[:, :1])
    assert_same(images.read_image(tmp_path / "a.tif"), gray[:, :1])


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_compressed_tiff_as_microscopes_write_it(tmp_path, rng, compression, dtype):
    image = rng.integers(0, np.iinfo(dtype).max, (40, 50)).astype(dtype)
    path = tmp_path / "a.tif"
    Image.fromarray(image).save(path, compression=compression)
    np.testing.assert_array_equal(images.read_image(path), image)
