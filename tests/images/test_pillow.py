"""Tests of PNG, JPEG, BMP and GIF files."""

import numpy as np
import pytest
from pictures import H, W, assert_same, saved
from PIL import Image

from spheroid_jax import images
from spheroid_jax.images import ImageError


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".PNG"])
def test_8_bit_gray_is_read_unchanged(tmp_path, gray, suffix):
    path = saved(tmp_path / f"a{suffix}", gray)
    assert_same(images.read_image(path), gray)


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_8_bit_colour_is_read_unchanged(tmp_path, rgb, suffix):
    assert_same(images.read_image(saved(tmp_path / f"a{suffix}", rgb)), rgb)


def test_path_may_be_a_string(tmp_path, gray):
    path = saved(tmp_path / "a.png", gray)
    assert_same(images.read_image(str(path)), gray)


def test_16_bit_png_keeps_its_16_bits(tmp_path, rng):
    pixels = rng.integers(0, 2**16, (H, W), np.uint16)
    pixels[0, :2] = 0, 2**16 - 1
    assert_same(images.read_image(saved(tmp_path / "a.png", pixels)), pixels)


def test_1_bit_png_is_boolean(tmp_path, gray):
    bits = gray > 100
    assert_same(images.read_image(saved(tmp_path / "a.png", bits)), bits)


@pytest.mark.parametrize("transparency", [None, 3, bytes([0, 128, 255])], ids=repr)
def test_palette_is_looked_up(tmp_path, gray, transparency):
    indexed = Image.fromarray(gray % 4)
    indexed.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 1, 2, 3])
    options = {} if transparency is None else {"transparency": transparency}
    indexed.save(tmp_path / "a.png", **options)
    colours = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90], [1, 2, 3]], np.uint8)
    actual = images.read_image(tmp_path / "a.png")
    assert_same(actual, colours[gray % 4])


def test_alpha_beside_gray_is_dropped(tmp_path, rng):
    pixels = rng.integers(0, 256, (H, W, 2), np.uint8)
    path = saved(tmp_path / "a.png", pixels)
    assert_same(images.read_image(path), pixels[..., 0])


def test_alpha_beside_colour_is_dropped(tmp_path, rng):
    pixels = rng.integers(0, 256, (H, W, 4), np.uint8)
    path = saved(tmp_path / "a.png", pixels)
    assert_same(images.read_image(path), pixels[..., :3])


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
@pytest.mark.parametrize("colour", [False, True], ids=["gray", "colour"])
def test_jpeg_is_read_within_its_loss(tmp_path, suffix, colour):
    ramp = np.indices((H, W)).sum(0).astype(np.uint8) * 2
    pixels = np.dstack([ramp] * 3) if colour else ramp
    path = saved(tmp_path / f"a{suffix}", pixels, quality=95)
    actual = images.read_image(path)
    assert actual.dtype == np.uint8
    assert actual.shape == pixels.shape
    assert np.abs(actual.astype(int) - pixels).max() <= 6


def test_gif_is_read_as_its_colours(tmp_path, gray):
    actual = images.read_image(saved(tmp_path / "a.gif", gray))
    assert actual.shape in ((H, W), (H, W, 3))
    np.testing.assert_array_equal(images.to_gray(actual).round(), gray)


@pytest.mark.parametrize("name", ["a.gif", "a.png"])
def test_animation_is_refused(tmp_path, gray, name):
    more = [Image.fromarray(255 - gray), Image.fromarray(gray // 2)]
    path = saved(tmp_path / name, gray, save_all=True, append_images=more)
    with pytest.raises(ImageError, match=rf"{name}: a stack of 3 images"):
        images.read_image(path)
