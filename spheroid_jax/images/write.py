"""Writing of masks and gray pictures as PNG, and of small pictures as JPEG."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from spheroid_jax.images.grid import resample
from spheroid_jax.images.intensity import Gray, stripes


def write_mask(file, mask):
    """Writes a mask as 8-bit PNG, with 0 for background and 255 for foreground.

    Args:
      file: a path, or a file open for writing bytes.
      mask: (H, W), boolean.
    """
    write_gray(file, np.where(mask, np.uint8(255), np.uint8(0)))


def write_gray(file, gray):
    """Writes (H, W) uint8 as PNG, to a path or to a file open for writing bytes."""
    # Masks and probabilities are flat: a higher level takes long and saves little.
    Image.fromarray(gray).save(file, "PNG", compress_level=1)


def picture(gray: Gray, side: int) -> UInt8[np.ndarray, "h w"]:
    """Makes a small picture of an image, 8 bit, in stripes.

    Args:
      gray: the image; its normalised gray is shown.
      side: largest length of the longer side, in pixels.
    """
    shape = _within(gray.shape, side)
    show = _levels_of(gray)
    if shape == gray.shape:
        return show(slice(None))
    parts = [
        _shrunk(show(rows), (rows.stop - rows.start, shape[1])) for rows in stripes(gray.shape)
    ]
    return _shrunk(np.concatenate(parts), shape)


def jpeg(gray, side):
    """Makes a small JPEG picture of an image.

    Args:
      gray: (H, W), float with values that are clipped to [0, 1], or uint8.
      side: largest length of the longer side, in pixels.

    Returns:
      The bytes of a JPEG file.
    """
    shape = _within(gray.shape, side)
    if gray.dtype == np.uint8:
        levels = _shrunk(gray, shape)
    else:
        levels = _levels(resample(gray, shape).clip(0, 1))
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=80, optimize=True)
    return file.getvalue()


def _within(shape, side):
    """The shape of a picture whose longer side is at most `side`."""
    factor = min(1, side / max(shape))
    return tuple(max(1, round(length * factor)) for length in shape)


def _shrunk(levels, shape):
    """Resamples (H, W) uint8."""
    shown = Image.fromarray(levels)
    return np.asarray(shown.resize(shape[::-1], Image.Resampling.BILINEAR))


def _levels(normalised):
    return np.rint(255 * normalised).astype(np.uint8)


def _levels_of(gray):
    """Returns a function from rows to the 8-bit levels of an image."""
    pixels = gray.pixels
    if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
        return lambda rows: _levels(gray.normalised(rows))
    # Few values: each is converted once.
    every = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=pixels.dtype)
    table = _levels(gray._replace(pixels=every[np.newaxis]).normalised())[0]
    return lambda rows: table[pixels[rows]]
