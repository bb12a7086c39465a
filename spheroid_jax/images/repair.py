"""Repair of damaged pictures: filling of pixels without a number, notice of unwritten rows."""

import numpy as np
from jaxtyping import Shaped
from scipy import ndimage

from spheroid_jax.images.image import ImageError

# From this share of pixels without a number on, a picture is refused.
_MOST_MISSING = 0.5
# Rows of exact zeros at the end of a picture that are noticed, as a share of all rows.
_FEWEST_ROWS = 0.05
# Share of the other pixels that must not be 0.
_LEAST_WRITTEN = 0.9


def repair(
    pixels: Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W C"],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Fills pixels without a number, and notices rows that were never written.

    Args:
      pixels: of any number type.

    Returns:
      The pixels, filled with the nearest number where they were NaN or infinite, and a note per
      finding; () where nothing is wrong.

    Raises:
      ImageError: half of the pixels or more have no number.
    """
    pixels, notes = _filled(pixels)
    zeros = _zero_rows(pixels)
    if zeros:
        notes = (*notes, f"the last {zeros} of {len(pixels)} rows are exactly 0: half-written?")
    return pixels, notes


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
    note = f"{count} pixels without a number were filled from the nearest"
    return pixels[tuple(nearest)], (note,)


def _zero_rows(pixels):
    """Number of rows of exact zeros at the end, where the rest has none and they are many."""
    empty = ~pixels.reshape(len(pixels), -1).any(axis=1)
    count = int(np.argmin(empty[::-1])) if not empty.all() else 0
    if count < max(_FEWEST_ROWS * len(pixels), 2) or empty[: len(pixels) - count].any():
        return 0
    # A picture that is dark all over has rows of zeros for other reasons.
    written = pixels[: len(pixels) - count]
    return count if np.count_nonzero(written) > _LEAST_WRITTEN * written.size else 0
