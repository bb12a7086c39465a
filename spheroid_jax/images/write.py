"""Writing of masks and gray pictures as PNG, and of small pictures as JPEG."""

import io

import numpy as np
from PIL import Image

from spheroid_jax.images.grid import resample


def write_mask(file, mask):
    """Writes a mask as 8-bit PNG, with 0 for background and 255 for foreground.

    Args:
      file: a path, or a file open for writing bytes.
      mask: (H, W), boolean.
    """
    write_gray(file, np.where(mask, np.uint8(255), np.uint8(0)))


def write_gray(file, gray):
    """Writes (H, W) uint8 as PNG, to a path or to a file open for writing bytes."""
    Image.fromarray(gray).save(file, "PNG")


def jpeg(gray, side):
    """Makes a small JPEG picture of an image.

    Args:
      gray: (H, W), float; values are clipped to [0, 1].
      side: largest length of the longer side, in pixels.

    Returns:
      The bytes of a JPEG file.
    """
    factor = min(1, side / max(gray.shape))
    shape = [max(1, round(length * factor)) for length in gray.shape]
    levels = np.rint(255 * resample(gray, tuple(shape)).clip(0, 1))
    file = io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(file, "JPEG", quality=80, optimize=True)
    return file.getvalue()
