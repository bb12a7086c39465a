"""Tests of overlay pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from spheroid_jax import images
from spheroid_jax.report import overlay
from spheroid_jax.report.overlay import Contour

SQUARE = np.array([[30.0, 20.0], [90.0, 20.0], [90.0, 70.0], [30.0, 70.0]])


def drawn(gray, contours=(), caption="ok", pixel_size_um=None):
    # The lowest and the highest level stay as they are.
    image = images.Gray(gray, np.float32(0), np.float32(1))
    shown = images.picture(image, overlay.SIDE_PX)
    factor = shown.shape[1] / gray.shape[1]
    content = overlay.draw(
        shown, contours, factor=factor, caption=caption, pixel_size_um=pixel_size_um
    )
    return np.asarray(Image.open(io.BytesIO(content))).astype(int)


def orange(pixels):
    """Pixels of the contour's color, as JPEG leaves it."""
    return (pixels[..., 0] > 180) & (pixels[..., 2] < 90) & (pixels[..., 1] > 90)


def test_a_contour_is_drawn_where_it_is():
    pixels = drawn(np.full((100, 120), 0.5, np.float32), [Contour(1, SQUARE)])
    assert pixels.shape == (100, 120, 3)
    rows, columns = np.nonzero(orange(pixels))
    assert abs(rows.min() - 20) <= 2 and abs(rows.max() - 70) <= 2
    assert abs(columns.min() - 30) <= 2 and abs(columns.max() - 90) <= 2
    assert not orange(pixels)[30:60, 40:80].any()


def test_a_large_picture_is_made_smaller_with_its_contour():
    gray = np.full((2000, 2400), 0.5, np.float32)
    pixels = drawn(gray, [Contour(1, 20 * SQUARE)])
    assert pixels.shape == (853, 1024, 3)
    columns = np.nonzero(orange(pixels))[1]
    assert columns.min() == pytest.approx(600 * 1024 / 2400, abs=4)


@pytest.mark.parametrize(
    ("width", "size_um", "length"),
    [(1000, 1.0, 200), (1000, 0.65, 100), (480, 1.3, 100), (100, 0.1, 2), (10, 0.1, 0.25)],
)
def test_a_scale_bar_is_a_round_number_below_a_quarter(width, size_um, length):
    assert overlay.scale_bar_um(width, size_um) == pytest.approx(length)


def test_a_scale_bar_has_its_length_and_is_there_only_with_a_pixel_size():
    gray = np.full((200, 400), 0.3, np.float32)
    without, with_ = drawn(gray), drawn(gray, pixel_size_um=1.0)
    changed = np.abs(without - with_).max(axis=2) > 60
    rows, columns = np.nonzero(changed)
    assert rows.min() > 150 and columns.min() > 250
    # The bar of 100 um is a white line of 100 px at the bottom of its box.
    white = (with_ > 200).all(axis=2)
    assert max(white[row].sum() for row in range(180, 200)) == pytest.approx(100, abs=3)
