"""Contour of a body as a polygon along the corners of its pixels."""

import numpy as np
from jaxtyping import Bool, Float
from skimage import measure

# How far a simplified polygon may be from the contour, in pixels.
_TOLERANCE = 0.5


def polygon(mask: Bool[np.ndarray, "H W"]) -> Float[np.ndarray, "N 2"]:
    """Returns the outer contour of a body as a polygon.

    Args:
      mask: the body, one component without holes.

    Returns:
      (N, 2), float64: x and y of the corners, not closed.
    """
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    frame = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    contours = measure.find_contours(frame.astype(np.float32), 0.5)
    longest = max(contours, key=len)
    kept = measure.approximate_polygon(longest, _TOLERANCE)
    if len(kept) < 4:
        kept = longest
    # A pixel's centre is at a half; the margin of one pixel is taken away.
    offset = np.array([rows[0], columns[0]]) - 0.5
    return (kept[:-1] + offset)[:, ::-1]
