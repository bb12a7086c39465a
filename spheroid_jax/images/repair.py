"""Repair of damaged pictures: filling of pixels without a number, notice of unwritten parts."""

import numpy as np
from jaxtyping import Shaped
from scipy import ndimage

from spheroid_jax.images.image import ImageError
from spheroid_jax.images.unwritten import unwritten

# From this share of pixels without a number on, a picture is refused.
_MOST_MISSING = 0.5


def repair(
    pixels: Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W C"],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Fills pixels without a number, and notices parts that were never written.

    Args:
      pixels: of any number type.

    Returns:
      The pixels, filled with the nearest number where they were NaN or infinite, and a note per
      finding; () where nothing is wrong.

    Raises:
      ImageError: half of the pixels or more have no number.
    """
    pixels, notes = _filled(pixels)
    return pixels, (*notes, *unwritten(pixels))


def _filled(pixels):
    """Fills NaN and infinity with the nearest number."""
    if pixels.dtype.kind != "f":
        return pixels, ()
    missing = ~np.isfinite(pixels)
    if pixels.ndim == 3:
        missing = missing.any(axis=2)
    count = int(np.count_nonzero(missing))
    if not count:
        return pixels, ()
    if count >= _MOST_MISSING * missing.size:
        raise ImageError(f"{count} of {missing.size} pixels are NaN or infinite")
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    which = (
        "1 pixel without a number was" if count == 1 else f"{count} pixels without a number were"
    )
    note = f"{which} filled from the nearest"
    return pixels[tuple(nearest)], (note,)
