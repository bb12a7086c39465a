"""Simulated cameras: turn light into grey levels, as many microscopes and programs do.

Focus, exposure, contrast, noise, resolution, compression and marks in the image are drawn anew for
every image. `drawing` defines the units.
"""

import io
import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw
from scipy import ndimage

from spheroid_jax.synthetic import drawing
from spheroid_jax.synthetic.drawing import Mask, Picture, Rng


def expose(
    rng: Rng,
    light: Picture,
    *,
    detail: float = math.inf,
    subject: Mask | None = None,
    unused: float = 0.6,
    inverted: float = 0.12,
) -> UInt8[np.ndarray, "S S"]:
    """Draws a camera, and the image that the camera takes.

    Args:
      rng: generator.
      light: light that reaches the camera, above 0.
      detail: width of the smallest thing that must stay visible, in sides of the frame; limits
        blur and loss of resolution.
      subject: pixels for which the exposure is set, besides the whole frame; None for none.
      unused: largest range of grey levels left unused below the darkest light, divided by the
        range of the light.
      inverted: share of the images with inverted contrast.

    Returns:
      The image, grey levels 0 to 255.
    """
    size = light.shape[0]
    light = ndimage.gaussian_filter(light, min(_blur(rng), detail / 8) * size)
    image = _tone(rng, light, subject, unused, inverted)
    coarse = max(rng.uniform(0.3, 1.0), min(8 / (detail * size), 1.0))
    if rng.random() < 0.3:
        image = _resample(_resample(image, round(coarse * size)), size)
    image = _noise(rng, image)
    if rng.random() < 0.35:  # smoothed by a program, noise and all
        image = ndimage.gaussian_filter(image, rng.uniform(0.3, 1.0))
    if rng.random() < 0.15:  # few grey levels
        levels = rng.integers(24, 100)
        image = np.round(image * levels) / levels
    picture = Image.fromarray(np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8))
    if rng.random() < 0.2:
        _mark(rng, picture)
    if rng.random() < 0.35:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(rng.integers(20, 95)))
        picture = Image.open(file)
    return np.asarray(picture)


def compress(image: UInt8[np.ndarray, "S S"], quality: int) -> UInt8[np.ndarray, "S S"]:
    """Writes an image as a JPEG of this quality, 1 to 95, and reads the image back."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _blur(rng: Rng) -> float:
    """Draws the standard deviation of the blur; most blurs are small."""
    return drawing.log_uniform(rng, 0.0006, 0.006)


def _tone(
    rng: Rng, light: Picture, subject: Mask | None, unused: float, inverted: float
) -> Picture:
    """Draws exposure, gamma and, in some images, inverted contrast; the result is in [0, 1]."""
    low, high = np.percentile(light, (0.5, 99.5))
    if subject is not None and subject.any():
        dark, bright = np.percentile(light[subject], (5, 95))
        low, high = min(low, dark), max(high, bright)
    spread = max(float(high - low), 0.02)
    # Some cameras leave grey levels unused; others clip highlights or shadows.
    black = low - rng.uniform(-0.03, unused) * spread
    white = high + rng.uniform(-0.08, 0.5) * spread
    image = np.clip((light - black) / (white - black), 0, 1)
    image = image ** math.exp(rng.uniform(-0.5, 0.5))
    return 1 - image if rng.random() < inverted else image


def _noise(rng: Rng, image: Picture) -> Picture:
    """Adds shot noise and read noise."""
    electrons = drawing.log_uniform(rng, 300, 60_000)  # of a white pixel
    read = rng.uniform(0, 0.012)
    sigma = np.sqrt(np.clip(image, 0, 1) / electrons + read**2)
    return image + sigma * rng.standard_normal(image.shape, dtype=np.float32)


def _resample(image: Picture, side: int) -> Float[np.ndarray, "T T"]:
    picture = Image.fromarray(image.astype(np.float32))
    method = Image.Resampling.BILINEAR
    return np.asarray(picture.resize((side, side), method))


def _mark(rng: Rng, picture: Image.Image) -> None:
    """Draws a scale bar onto the image, with or without text, in place."""
    size = picture.width
    draw = ImageDraw.Draw(picture)
    level = int(rng.choice([0, 255, int(rng.integers(256))]))
    length = int(rng.uniform(0.08, 0.3) * size)
    thick = max(1, int(rng.uniform(0.004, 0.02) * size))
    x = int(rng.choice([0.04, 0.94 - length / size]) * size)
    y = int(rng.choice([0.05, 0.92]) * size)
    draw.rectangle((x, y, x + length, y + thick), fill=level)
    if rng.random() < 0.6:
        text = f"{rng.integers(1, 10) * 100} um"
        side = rng.uniform(0.03, 0.06) * size
        draw.text((x, y - 1.4 * side), text, fill=level, font_size=side)
