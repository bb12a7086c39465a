"""Tests of reading images and masks and of bringing them onto the grid."""

import re

import numpy as np
import pytest
import tifffile
from helpers import disk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from spheroid_jax import images
from spheroid_jax.images import BACKGROUND, FOREGROUND, OUTSIDE, Box, ImageError

H, W = 36, 44


@pytest.fixture
def gray(rng):
    return rng.integers(0, 256, (H, W), np.uint8)


@pytest.fixture
def rgb(rng):
    return rng.integers(0, 256, (H, W, 3), np.uint8)


def saved(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def assert_same(actual, expected):
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)


# Files that Pillow reads.


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


# TIFF files.


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


@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_channels_of_a_named_axis_come_last(tmp_path, rng, kind):
    pixels = rng.integers(0, 999, (5, H, W), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata={"axes": "CYX"}, **{kind: True})
    actual = images.read_image(tmp_path / "a.tif")
    assert_same(actual, pixels.transpose(1, 2, 0))


@pytest.mark.parametrize("pages", [2, 3, 4])
def test_few_unnamed_pages_are_channels(tmp_path, rng, pages):
    pixels = rng.integers(0, 256, (pages, H, W), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    actual = images.read_image(tmp_path / "a.tif")
    assert_same(actual, pixels.transpose(1, 2, 0))


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


# Files that cannot be read.


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
    said = "cannot be read: not a TIFF" if ".tif" in suffix else "not an image"
    with pytest.raises(ImageError, match=rf"a\{suffix}: {said}"):
        images.read_image(path)


@pytest.mark.parametrize("suffix", images.SUFFIXES)
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


# Gray.


def test_gray_of_three_channels_is_their_luminance():
    image = np.zeros((32, 32, 3), np.uint8)
    image[0, 0] = 100, 0, 0
    image[0, 1] = 0, 100, 0
    image[0, 2] = 0, 0, 100
    image[0, 3] = 10, 20, 30  # 2.99 + 11.74 + 3.42
    gray = images.to_gray(image)
    assert gray.dtype == np.float32
    assert gray.shape == (32, 32)
    np.testing.assert_allclose(gray[0, :4], [29.9, 58.7, 11.4, 18.15], 1e-6)


def test_gray_of_four_channels_drops_the_alpha(rng):
    image = rng.random((32, 33, 4))
    np.testing.assert_array_equal(images.to_gray(image), images.to_gray(image[..., :3]))


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_gray_of_any_other_number_of_channels_is_their_mean(channels):
    image = np.zeros((32, 32, channels), np.uint16)
    image[..., -1] = 60_000
    np.testing.assert_array_equal(
        images.to_gray(image), np.full((32, 32), 60_000 / channels, np.float32)
    )


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int16, np.uint16, np.float16, np.float64])
def test_gray_of_a_plane_keeps_its_units(rng, dtype):
    plane = (rng.random((32, 40)) * 2).astype(dtype)
    gray = images.to_gray(plane)
    assert_same(gray, plane.astype(np.float32))


def test_gray_leaves_its_argument_alone(rng):
    image = rng.random((32, 32, 3)).astype(np.float32)
    before = image.copy()
    images.normalise(images.to_gray(image))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_pixels_that_are_not_finite_in_float32_are_counted(bad):
    image = np.zeros((32, 32))
    image[3, 4] = image[5, 6] = bad
    with pytest.raises(ImageError, match="^2 pixels are NaN, infinite"):
        images.to_gray(image)


@pytest.mark.parametrize("shape", [(31, 40), (40, 31), (3, 64, 64), (0, 40)])
def test_side_under_32_px_is_refused(shape):
    with pytest.raises(ImageError, match=f"{shape[1]} x {shape[0]} px"):
        images.to_gray(np.zeros(shape))


def test_side_of_32_px_is_enough():
    assert images.to_gray(np.zeros((32, 32))).shape == (32, 32)


@pytest.mark.parametrize("shape", [(), (64,), (1, 64, 64, 3)])
def test_wrong_number_of_axes_is_refused(shape):
    with pytest.raises(ImageError, match=re.escape(f"not {shape}")):
        images.to_gray(np.zeros(shape))


@pytest.mark.parametrize("dtype", [np.complex64, "U1", object])
def test_pixels_that_are_not_numbers_are_refused(dtype):
    with pytest.raises(ImageError, match="are not numbers"):
        images.to_gray(np.zeros((32, 32), dtype))


def test_image_error_is_a_value_error():
    assert issubclass(ImageError, ValueError)


# Normalisation.


def test_normalised_by_hand():
    # 0, 1, ..., 200: the 1st and 99th percentiles are 2 and 198.
    gray = np.arange(201, dtype=np.float32).reshape(3, 67)
    normalised = images.normalise(gray)
    assert normalised.dtype == np.float32
    expected = ((np.arange(201) - 2) / 196).clip(0, 1).reshape(3, 67)
    np.testing.assert_allclose(normalised, expected, atol=1e-6)
    assert normalised.ravel()[[0, 2, 198, 200]].tolist() == [0, 0, 1, 1]
    assert normalised[1, 33] == pytest.approx(0.5)  # 100


def test_extremes_stand_in_where_the_percentiles_are_equal():
    gray = np.full((64, 64), 7, np.float32)
    gray[0, :4] = 3, 5, 9, 11
    normalised = images.normalise(gray)
    np.testing.assert_allclose(normalised[0, :5], [0, 0.25, 0.75, 1, 0.5])


@pytest.mark.parametrize("value", [0, -2.5, 255, 3e38])
def test_constant_image_is_refused(value):
    with pytest.raises(ImageError, match="same value") as caught:
        images.normalise(np.full((32, 32), value, np.float32))
    assert f"({value:g})" in str(caught.value)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(2**-20, 2**20), st.floats(-100, 100))
def test_gain_and_offset_of_the_camera_do_not_matter(seed, gain, offset):
    gray = np.random.default_rng(seed).random((32, 40), np.float32)
    changed = (gray.astype(np.float64) + offset) * gain
    np.testing.assert_allclose(
        images.normalise(changed.astype(np.float32)), images.normalise(gray), atol=1e-4
    )


def test_negated_image_gives_the_complement(rng):
    gray = rng.normal(size=(40, 32)).astype(np.float32)
    np.testing.assert_allclose(images.normalise(-gray), 1 - images.normalise(gray), atol=1e-6)


@pytest.mark.parametrize("bright", [16, 17, 500])  # 16 of 1600 are 1 percent
@pytest.mark.parametrize("low", [-3e38, -1e38, 0.0, 2e38])
def test_huge_floats_do_not_overflow(bright, low):
    gray = np.full((40, 40), low, np.float32)
    gray.ravel()[:bright] = 3e38
    normalised = images.normalise(gray)
    np.testing.assert_array_equal(normalised, gray == np.float32(3e38))


@pytest.mark.parametrize("outlier", [-3e38, 3e38])
def test_outlier_far_from_a_faint_image_is_clipped(rng, outlier):
    gray = rng.random((40, 40), np.float32) * np.float32(1e-9)
    expected = images.normalise(gray)
    gray[0, 0] = outlier
    normalised = images.normalise(gray)
    assert normalised[0, 0] == (outlier > 0)
    np.testing.assert_allclose(normalised[1:], expected[1:], atol=0.01, rtol=0)


@pytest.mark.parametrize("channels", [2, 3, 4, 6])
def test_huge_channels_do_not_overflow(channels):
    image = np.zeros((40, 40, channels), np.float32)
    image[:20] = np.finfo(np.float32).max
    normalised = images.normalise(images.to_gray(image))
    np.testing.assert_array_equal(normalised, np.mgrid[:40, :40][0] < 20)


# The grid.


@pytest.mark.parametrize(
    ("shape", "size", "box"),
    [
        ((100, 100), 48, (0, 0, 48, 48)),
        ((48, 48), 48, (0, 0, 48, 48)),
        ((40, 40), 96, (0, 0, 96, 96)),
        ((100, 50), 48, (0, 12, 48, 24)),
        ((50, 100), 48, (12, 0, 24, 48)),
        ((1080, 1440), 480, (60, 0, 360, 480)),
        ((32, 100_000), 48, (23, 0, 1, 48)),  # never without content
    ],
)
def test_box_keeps_the_proportions_and_is_centred(shape, size, box):
    assert images.grid_box(shape, size) == Box(*box)


@given(st.integers(32, 5000), st.integers(32, 5000), st.integers(16, 600))
def test_box_lies_on_the_grid_and_fills_one_side(height, width, size):
    box = images.grid_box((height, width), size)
    assert box.top >= 0
    assert box.left >= 0
    assert box.top + box.height <= size
    assert box.left + box.width <= size
    assert max(box.height, box.width) == size
    assert abs(size - box.height - 2 * box.top) <= 1
    assert abs(size - box.width - 2 * box.left) <= 1


def test_crop_cuts_the_content_out_of_any_leading_axes():
    grids = np.arange(2 * 3 * 6 * 6).reshape(2, 3, 6, 6)
    np.testing.assert_array_equal(Box(1, 2, 4, 3).crop(grids), grids[:, :, 1:5, 2:5])


def test_image_of_the_grids_size_is_untouched(rng):
    gray = rng.random((48, 48), np.float32)
    grid, box = images.to_grid(gray, 48)
    assert_same(grid, gray)
    assert box == Box(0, 0, 48, 48)


@pytest.mark.parametrize("transposed", [False, True], ids=["tall", "wide"])
def test_content_is_padded_with_its_edge_and_not_squashed(transposed):
    # A disk of radius 20 in 120 x 60 px is one of radius 8 on a grid of 48.
    gray = disk(120, (60, 30), 20)[:, :60].astype(np.float32)
    gray[:, 0], gray[:, -1] = 0.25, 0.75
    grid, box = images.to_grid(gray.T if transposed else gray, 48)
    assert grid.shape == (48, 48)
    assert grid.dtype == np.float32
    if transposed:
        assert box == Box(12, 0, 24, 48)
        grid = grid.T
    else:
        assert box == Box(0, 12, 48, 24)
    for column in range(12):
        np.testing.assert_array_equal(grid[:, column], grid[:, 12])
        np.testing.assert_array_equal(grid[:, 36 + column], grid[:, 35])
    rows, columns = np.nonzero(grid[:, 13:35] > 0.5)
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == 16
    assert rows.size == pytest.approx(np.pi * 8**2, rel=0.05)


@pytest.mark.parametrize("shape", [(96, 96), (90, 60), (50, 81)])
@pytest.mark.parametrize("size", [32, 48, 160])
def test_smooth_image_survives_the_round_trip(shape, size):
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    gray = 0.5 + 0.3 * np.sin(rows / 15) * np.cos(columns / 20)
    grid, box = images.to_grid(gray, size)
    back = images.resample(box.crop(grid), shape)
    assert back.shape == shape
    assert back.dtype == np.float32
    assert np.abs(back - gray).max() < 0.05
    assert np.abs(back - gray).mean() < 0.01


@pytest.mark.parametrize("side", [30, 47, 200])
def test_resampling_does_not_shift(side):
    # A body's centre of mass, in shares of the side, stays.
    gray = disk(120, (40, 75), 15).astype(np.float32)
    other = images.resample(gray, (side, side))
    rows, columns = (np.indices(other.shape) + 0.5) / side
    assert np.average(rows, weights=other) == pytest.approx(40.5 / 120, abs=1e-3)
    assert np.average(columns, weights=other) == pytest.approx(75.5 / 120, abs=1e-3)


@pytest.mark.parametrize("size", [32, 37, 48])
def test_fine_checkerboard_becomes_its_mean(size):
    board = (np.indices((192, 192)).sum(0) % 2).astype(np.float32)
    small = images.resample(board, (size, size))
    assert small.mean() == pytest.approx(0.5, abs=1e-3)
    assert np.abs(small - 0.5).max() < 0.05  # no aliases either


def test_halving_weighs_neighbours_with_a_triangle():
    # Output pixel i is centred between 2i and 2i + 1; the triangle reaches 2
    # input pixels: weights 1/8, 3/8, 3/8, 1/8.
    line = np.zeros((1, 8), np.float32)
    line[0, 4] = 8
    np.testing.assert_allclose(images.resample(line, (1, 4)), [[0, 1, 3, 0]], atol=1e-6)


# Masks on the grid.


def test_labels_of_a_wide_mask():
    mask = np.zeros((32, 64), bool)
    mask[8:16, 16:40] = True
    labels = images.mask_to_grid(mask, 32)
    expected = np.full((32, 32), OUTSIDE, np.uint8)
    expected[8:24] = BACKGROUND
    expected[12:16, 8:20] = FOREGROUND
    assert_same(labels, expected)


def test_half_covered_pixel_is_foreground():
    mask = np.zeros((64, 64), bool)
    mask[:, :33] = True  # cuts the 17th column of 32 in two
    labels = images.mask_to_grid(mask, 32)
    assert (labels[:, :17] == FOREGROUND).all()
    assert (labels[:, 17:] == BACKGROUND).all()


@pytest.mark.parametrize("value", [False, True])
def test_uniform_mask_keeps_its_class(value):
    labels = images.mask_to_grid(np.full((50, 50), value), 48)
    assert (labels == (FOREGROUND if value else BACKGROUND)).all()


def test_outside_is_where_the_image_was_padded(rng):
    gray = rng.random((70, 41), np.float32)
    _, box = images.to_grid(gray, 48)
    labels = images.mask_to_grid(gray > 0.5, 48)
    assert (box.crop(labels) != OUTSIDE).all()
    assert (labels != OUTSIDE).sum() == box.height * box.width


# Reading masks.


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


# From any image to the grid.


def _numbers(dtype):
    if dtype == np.float32:
        return st.floats(width=32, allow_nan=False, allow_infinity=False)
    return st.integers(0, np.iinfo(dtype).max)


@st.composite
def _images(draw):
    dtype = draw(st.sampled_from([np.uint8, np.uint16, np.float32]))
    sides = st.integers(32, 80)
    shape = (draw(sides), draw(sides))
    channels = draw(st.sampled_from([None, 1, 2, 3, 4, 5]))
    if channels:
        shape += (channels,)
    if draw(st.booleans()):  # a few odd pixels on a flat ground
        numbers = _numbers(dtype)
        return draw(hnp.arrays(dtype, shape, elements=numbers, fill=numbers))
    low, high = sorted([draw(_numbers(dtype)), draw(_numbers(dtype))])
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = rng.random(shape)
    return (low * (1 - share) + high * share).astype(dtype)


@settings(deadline=None, max_examples=150)
@given(_images(), st.sampled_from([32, 48, 64]))
def test_any_image_gives_a_grid_in_0_to_1(image, size):
    if np.ptp(images.to_gray(image).astype(np.float64)) == 0:
        with pytest.raises(ImageError, match="same value"):
            images.preprocess(image, size)
        return
    grid, box = images.preprocess(image, size)
    assert grid.shape == (size, size)
    assert grid.dtype == np.float32
    assert np.isfinite(grid).all()
    assert grid.min() >= 0
    assert grid.max() <= 1
    assert box == images.grid_box(image.shape[:2], size)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_compressed_tiff_as_microscopes_write_it(tmp_path, rng, compression, dtype):
    image = rng.integers(0, np.iinfo(dtype).max, (40, 50)).astype(dtype)
    path = tmp_path / "a.tif"
    Image.fromarray(image).save(path, compression=compression)
    np.testing.assert_array_equal(images.read_image(path), image)
