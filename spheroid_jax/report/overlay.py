"""Overlay pictures: contours, numbers, a scale bar and a verdict on an image."""

import io
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

# Longest side of an overlay in pixels; contours are drawn after the image is made smaller.
SIDE_PX = 1024
# A contour is seen on dark and on bright ground: a coloured line on a wider black one.
_LINE, _EDGE = (255, 176, 0), (0, 0, 0)
_TEXT, _GROUND = (255, 255, 255), (0, 0, 0)
# Lengths of scale bars in micrometres; the longest one below a quarter of the width is taken.
_BARS_UM = [step * 10**power for power in range(5) for step in (1, 2, 5)]


class Contour(NamedTuple):
    """The contour of one body.

    Attributes:
      number: number of the body.
      points: x and y of the corners in pixels of the image, from its upper left corner.
    """

    number: int
    points: Float[np.ndarray, "N 2"]


def draw(
    shown: UInt8[np.ndarray, "h w"],
    contours: Sequence[Contour],
    *,
    factor: float,
    caption: str,
    pixel_size_um: float | None,
) -> bytes:
    """Draws an overlay.

    Args:
      shown: the image, as made by `images.picture` with `SIDE_PX`.
      contours: one per body, in pixels of the image before it was made smaller.
      factor: side of `shown` over the side of the image, <= 1.
      caption: the verdict, at the upper left.
      pixel_size_um: side of a pixel of the image; without it there is no scale bar.

    Returns:
      The bytes of a JPEG file.
    """
    shape = shown.shape
    picture = Image.fromarray(shown).convert("RGB")
    pen = ImageDraw.Draw(picture)
    thick = max(2, round(max(shape) / 400))
    size = max(11, round(max(shape) / 45))
    for contour in contours:
        line = [tuple(point) for point in contour.points * factor]
        line.append(line[0])
        pen.line(line, fill=_EDGE, width=thick + 2, joint="curve")
        pen.line(line, fill=_LINE, width=thick, joint="curve")
    if len(contours) > 1:
        for contour in contours:
            _label(pen, tuple(contour.points.mean(axis=0) * factor), str(contour.number), size)
    _box(pen, (4, 4), caption, size)
    if pixel_size_um:
        _scale_bar(pen, shape, pixel_size_um / factor, size)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def scale_bar_um(width_px: int, pixel_size_um: float) -> float:
    """Chooses the length of a scale bar: a round number, at most a quarter of the width."""
    longest = width_px * pixel_size_um / 4
    fitting = [length for length in _BARS_UM if length <= longest]
    return fitting[-1] if fitting else longest


def _scale_bar(pen, shape, pixel_size_um, size):
    height, width = shape
    length_um = scale_bar_um(width, pixel_size_um)
    length = length_um / pixel_size_um
    right, low = width - size, height - size
    # Pillow's own font has no Greek letter.
    text = f"{length_um:g} um"
    pen.rectangle((right - length - 4, low - 1.9 * size, right + 4, low + 6), fill=_GROUND)
    pen.rectangle((right - length, low - size / 4, right, low), fill=_TEXT)
    pen.text((right - length / 2, low - 0.5 * size), text, fill=_TEXT, font_size=size, anchor="ms")


def _box(pen, at, text, size):
    left, top, right, bottom = pen.textbbox(at, text, font_size=size)
    pen.rectangle((left - 3, top - 3, right + 3, bottom + 3), fill=_GROUND)
    pen.text(at, text, fill=_TEXT, font_size=size)


def _label(pen, at, text, size):
    pen.text(
        at,
        text,
        fill=_TEXT,
        font_size=size,
        anchor="mm",
        stroke_width=max(1, math.ceil(size / 12)),
        stroke_fill=_GROUND,
    )
