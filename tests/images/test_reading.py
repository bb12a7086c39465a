"""Tests of files that cannot be read, of masks and of label images."""

import re

import numpy as np
import pytest
import tifffile
from pictures import H, W, assert_same, saved
from PIL import Image

from spheroid_jax import images
from spheroid_jax.images import ImageError


def test_missing_file_is_named(tmp_path):
    for name in ("a.png", "a.tif"):
        with pytest.raises(FileNotFoundError, match=re.escape(name)):
            images.read_image(tmp_path / name)


def test_unsupported_suffix_lists_the_formats(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("words")
    with pytest.raises(ImageError, match=r"notes\.txt: .*\.png .*\.tiff"):
        images.read_image(path)


@pytest.mark.parametrize("suffix", images.SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"no image at all " * 40])
def test_file_that_is_no_image_is_named(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=rf"a\{suffix}: not an image"):
        images.read_image(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".gif", ".tif"])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_truncated_file_is_named(tmp_path, gray, suffix, share):
    path = saved(tmp_path / f"a{suffix}", gray)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageError, match=rf"a\{suffix}: (not|cannot|damaged)"):
        images.read_image(path)


def test_truncated_compressed_tiff_is_called_damaged(tmp_path, gray):
    # Pillow writes the directory at the end, so none is left.
    path = saved(tmp_path / "a.tif", gray, compression="tiff_adobe_deflate")
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(ImageError, match=r"a\.tif: damaged"):
        images.read_image(path)


def test_folder_with_an_image_suffix_is_named(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ImageError, match=r"a\.png: cannot be read"):
        images.read_image(tmp_path / "a.png")


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("value", [1, 7, 255])
def test_mask_of_0_and_another_value_is_read(tmp_path, gray, dtype, value):
    truth = gray > 100
    tifffile.imwrite(tmp_path / "a.tif", (truth * value).astype(dtype))
    assert_same(images.read_mask(tmp_path / "a.tif"), truth)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_mask_of_any_png_mode_is_read(tmp_path, gray, mode):
    truth = gray > 100
    picture = Image.fromarray(truth.astype(np.uint8) * 255).convert(mode)
    picture.save(tmp_path / "a.png")
    assert_same(images.read_mask(tmp_path / "a.png"), truth)


@pytest.mark.parametrize("value", [0, 1, 255])
def test_uniform_mask_is_empty_or_full(tmp_path, value):
    path = saved(tmp_path / "a.png", np.full((H, W), value, np.uint8))
    assert_same(images.read_mask(path), np.full((H, W), value > 0))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0, 128, 255), r"it has 3 \(0, 128, 255\)"),
        ((100, 255), r"it has 2 \(100, 255\)"),
        ((0, 1, 2, 3, 4), r"it has 5 \(0, 1, 2, 3, \.\.\.\)"),
    ],
)
def test_mask_of_other_values_is_refused(tmp_path, values, said):
    pixels = np.resize(np.array(values, np.uint8), (H, W))
    with pytest.raises(ImageError, match=rf"a\.png: not a mask .*{said}"):
        images.read_mask(saved(tmp_path / "a.png", pixels))


@pytest.mark.parametrize("other", [0, 1, np.nan])
def test_mask_with_nan_is_refused(tmp_path, other):
    # Some programs mark the background with NaN.
    pixels = np.full((H, W), np.nan, np.float32)
    pixels[:5] = other
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    with pytest.raises(ImageError, match=r"a\.tif: not a mask .*nan"):
        images.read_mask(tmp_path / "a.tif")


def test_coloured_picture_is_no_mask(tmp_path, rgb):
    with pytest.raises(ImageError, match=r"a\.png: a coloured picture"):
        images.read_mask(saved(tmp_path / "a.png", rgb))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_label_images_keep_their_numbers(tmp_path, dtype):
    labels = np.arange(H * W).reshape(H, W) % 7
    tifffile.imwrite(tmp_path / "a.tif", labels.astype(dtype))
    assert_same(images.read_labels(tmp_path / "a.tif"), labels)


@pytest.mark.parametrize("value", [0.5, -1.0, np.nan])
def test_label_images_are_whole_numbers_from_0(tmp_path, value):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.full((H, W), value, np.float32))
    with pytest.raises(images.ImageError, match="a.tif: not a label image"):
        images.read_labels(path)
