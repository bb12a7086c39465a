"""Marks on images: information bars, letters and arrows of programs, numbers of plates' makers."""

import string

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from PIL import Image, ImageDraw
from scipy import ndimage

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.drawing import Picture, Rng

_LETTERS = string.ascii_uppercase + string.digits


def information_bar(
    rng: Rng, image: UInt8[np.ndarray, "S S"]
) -> tuple[UInt8[np.ndarray, "S S"], Bool[np.ndarray, "S S"]]:
    """Draws a bar with text over the lower or upper end of an image.

    Returns:
      The image, and the pixels that the bar hides.
    """
    size = len(image)
    high = max(int(rng.uniform(0.04, 0.12) * size), 6)
    top = 0 if rng.random() < 0.2 else size - high
    ground = int(rng.choice([0, 0, 255, int(rng.integers(256))]))
    ink = 255 if ground < 128 else 0
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, top, size, top + high - 1), fill=ground)
    draw.text((0.02 * size, top + 0.15 * high), _words(rng, 4), fill=ink, font_size=0.6 * high)
    length = int(rng.uniform(0.1, 0.25) * size)
    right, middle = int(0.96 * size), top + high // 2
    draw.line((right - length, middle, right, middle), fill=ink, width=max(high // 8, 1))
    hidden = np.zeros((size, size), bool)
    hidden[top : top + high] = True
    return np.asarray(picture), hidden


def letters(rng: Rng, image: UInt8[np.ndarray, "S S"]) -> UInt8[np.ndarray, "S S"]:
    """Draws a few letters, a time stamp or an arrow onto an image."""
    size = len(image)
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    ink = int(rng.choice([0, 255, 255]))
    for _ in range(rng.integers(1, 3)):
        x, y = (size * rng.choice([0.03, 0.4, 0.8]), size * rng.choice([0.03, 0.88]))
        high = max(rng.uniform(0.03, 0.08) * size, 6)
        draw.text((x, y), _words(rng, 2), fill=ink, font_size=high)
    if rng.random() < 0.3:
        x, y = (size * rng.uniform(0.1, 0.9, 2)).tolist()
        dx, dy = (size * rng.uniform(-0.1, 0.1, 2)).tolist()
        draw.line((x, y, x + dx, y + dy), fill=ink, width=max(size // 120, 1))
    return np.asarray(picture)


def engraving(rng: Rng, light: Picture) -> None:
    """Draws a number or letters moulded into a plate, mostly out of focus, in place."""
    size = len(light)
    picture = Image.new("L", (size, size), 0)
    high = size * drawing.log_uniform(rng, 0.08, 0.5)
    x, y = (size * rng.uniform(-0.05, 0.7, 2)).tolist()
    word = "".join(rng.choice(list(_LETTERS), int(rng.integers(1, 4))))
    ImageDraw.Draw(picture).text((x, y), word, fill=255, font_size=high)
    picture = picture.rotate(float(rng.choice([0, rng.uniform(0, 360)])))
    ink: Float32[np.ndarray, "S S"] = np.asarray(picture, np.float32) / 255
    soft = drawing.log_uniform(rng, 0.001, 0.015) * size
    blurred = ndimage.gaussian_filter(ink, soft)
    if rng.random() < 0.6:  # only the letters' edges bend the light
        blurred = blurred - ndimage.gaussian_filter(ink, 2 * soft + 1)
    light *= np.maximum(1 - rng.uniform(-0.4, 0.8) * blurred, 0.05)


def _words(rng: Rng, count: int) -> str:
    """Draws what programs print: magnifications, times, names of wells, and numbers."""
    words = (
        f"{rng.choice([2, 4, 5, 10, 20])}x",
        f"{rng.integers(0, 15)}d {rng.integers(0, 24):02d}h",
        f"{rng.choice(list('ABCDEFGH'))}{rng.integers(1, 13)}",
        f"{rng.integers(1, 20) * 50} um",
        f"HV {rng.integers(1, 30)}.{rng.integers(0, 10)} kV",
        f"{rng.integers(1, 13)}/{rng.integers(1, 29)}/20{rng.integers(10, 27)}",
    )
    return "  ".join(rng.choice(words, int(rng.integers(1, count + 1)), replace=False))
