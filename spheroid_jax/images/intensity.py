"""Conversion of images to gray, and normalisation of their intensity.

An image is (H, W), or (H, W, C) for colours, and has any number type. Gray is (H, W) float32 in the
units of the image. Normalised gray has its 1st and 99th percentiles at 0 and 1 and is clipped to
[0, 1].
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Shaped

from spheroid_jax.images.image import ImageError
from spheroid_jax.images.percentiles import percentiles

MIN_SIDE_PX = 32
PERCENTILES = (1.0, 99.0)
# ITU-R BT.601, as in most cameras and image libraries.
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_ALL = slice(None)
# Pixels that are converted at once: few enough for a core's cache.
_STRIPE_PX = 1 << 18


class Gray(NamedTuple):
    """An image in gray, computed where asked for: a large image has no whole copy in float32.

    Attributes:
      pixels: (H, W) or (H, W, C), as read.
      low: gray level that normalisation maps to 0.
      high: gray level that normalisation maps to 1.
    """

    pixels: Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W C"]
    low: np.float32
    high: np.float32

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        return self.pixels.shape[:2]

    def window(self, rows: slice = _ALL, columns: slice = _ALL) -> Float32[np.ndarray, "h w"]:
        """Returns the gray levels of a window, in the units of the image."""
        return _gray(self.pixels[rows, columns])

    def normalised(self, rows: slice = _ALL, columns: slice = _ALL) -> Float32[np.ndarray, "h w"]:
        """Returns the normalised gray of a window, in [0, 1]."""
        return _scaled(self.window(rows, columns), self.low, self.high)


def stripes(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yields the rows of an image (H, W, ...) in stripes that fit into a core's cache."""
    step = max(1, _STRIPE_PX // max(shape[1], 1))
    for top in range(0, shape[0], step):
        yield slice(top, min(top + step, shape[0]))


def measured(image) -> Gray:
    """Measures the percentiles by which the gray of an image is normalised, as by `normalise`.

    Args:
      image: as for `to_gray`.

    Raises:
      ImageError: as for `to_gray`, or all pixels have the same value.
    """
    image = _checked(np.asarray(image))
    return Gray(image, *_limits(image))


def to_gray(image):
    """Converts an image of any shape and number type to gray.

    Three channels are red, green and blue, and give the luminance; a fourth channel is alpha and is
    dropped. Any other number of channels gives the mean of the channels.

    Args:
      image: (H, W) or (H, W, C); integer, float or boolean.

    Returns:
      (H, W), float32, in the units of the image.

    Raises:
      ImageError: the image has another shape, a side under 32 px, no numbers, or pixels that are
        NaN or infinite.
    """
    return _gray(_checked(np.asarray(image)))


def normalise(gray):
    """Maps the 1st and 99th percentiles of the pixels to 0 and 1, and clips to [0, 1].

    If both percentiles are equal, as for a small body on a flat background, the smallest and the
    largest value are used instead.

    Args:
      gray: (H, W), float32, finite.

    Returns:
      (H, W), float32, in [0, 1].

    Raises:
      ImageError: all pixels have the same value.
    """
    low, high = _limits(gray)
    return _scaled(gray, low, high)


def _checked(image):
    """Returns an image that can be converted to gray."""
    if image.ndim not in (2, 3):
        raise ImageError(f"an image has shape (H, W) or (H, W, C), not {image.shape}")
    if min(image.shape[:2]) < MIN_SIDE_PX:
        raise ImageError(
            f"image of {image.shape[1]} x {image.shape[0]} px; each side "
            f"must have at least {MIN_SIDE_PX} px (channels come last)"
        )
    if image.dtype.kind not in "uifb":
        raise ImageError(f"pixels of type {image.dtype} are not numbers")
    if image.dtype.kind == "f":
        bad = sum(_count_bad(image[rows]) for rows in stripes(image.shape))
        if bad:
            raise ImageError(f"{bad} pixels are NaN, infinite or too large")
    return image


def _count_bad(image):
    """Counts the numbers that are not finite in float32."""
    with np.errstate(over="ignore"):
        return np.count_nonzero(~np.isfinite(image.astype(np.float32, copy=False)))


def _gray(image):
    """Converts an image, or a part of one, to gray."""
    image = image.astype(np.float32)
    if image.ndim == 2:
        return image
    if image.shape[2] in (3, 4):
        # Spelt out: a matrix product rounds by the array's layout.
        red, green, blue = np.moveaxis(image[..., :3], -1, 0)
        return LUMINANCE[0] * red + LUMINANCE[1] * green + LUMINANCE[2] * blue
    # Summed in float64: the sum of large floats can overflow.
    return image.mean(axis=2, dtype=np.float64).astype(np.float32)


def _limits(image):
    """Returns the gray levels that become 0 and 1."""
    # Integers of few values are counted as they are.
    counted = image.ndim == 2 and image.dtype.kind in "ui" and image.dtype.itemsize <= 2

    def blocks():
        for rows in stripes(image.shape):
            yield image[rows] if counted else _gray(image[rows])

    count = math.prod(image.shape[:2])
    low, high = (np.float32(value) for value in percentiles(blocks, count, PERCENTILES))
    if low == high:
        low = min(np.float32(block.min()) for block in blocks())
        high = max(np.float32(block.max()) for block in blocks())
    if low == high:
        raise ImageError(f"all pixels have the same value ({low:g})")
    return low, high


def _scaled(gray, low, high):
    # Clipped before scaling, and scaled before subtracting: large floats could overflow.
    gray = np.clip(gray, low, high)
    scale = max(abs(low), abs(high))
    low, high = low / scale, high / scale
    gray /= scale
    gray -= low
    gray /= high - low
    return gray
