"""Intensity measurements of one body: gray levels, contrast to the surroundings, rim sharpness."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

# Width of the ring of surroundings, over the body's equivalent radius, and its least width.
_RING = 0.25
_LEAST_RING_PX = 3
# The ring begins this far from the contour, where the contour's own blur ends.
_GAP_PX = 1
_BLUR_PX = 1.0
_RIM_PX = 1.5


class Intensity(NamedTuple):
    """Intensity of one body.

    Attributes:
      mean: mean gray level, in the file's own units.
      sd: standard deviation of the gray levels, in the file's own units.
      min: smallest gray level, in the file's own units.
      contrast: mean of the surroundings - mean of the body, over the difference of the image's 99th
        and 1st percentile; positive for a body that is darker; NaN without surroundings.
      rim_sharpness: mean steepness of the normalised gray at the contour, per pixel.
    """

    mean: float
    sd: float
    min: float
    contrast: float
    rim_sharpness: float


def measure_intensity(
    gray: Float32[np.ndarray, "H W"],
    normalised: Float32[np.ndarray, "H W"],
    mask: Bool[np.ndarray, "H W"],
    others: Bool[np.ndarray, "H W"],
) -> Intensity:
    """Measures the intensity of one body.

    Args:
      gray: the image, in the file's own units.
      normalised: the same with its 1st and 99th percentile at 0 and 1.
      mask: the body.
      others: pixels of other bodies, which are no surroundings.
    """
    width = max(_LEAST_RING_PX, _RING * math.sqrt(np.count_nonzero(mask) / math.pi))
    frame = _frame(mask, math.ceil(width) + _GAP_PX + 2)
    gray, normalised, mask, others = (array[frame] for array in (gray, normalised, mask, others))
    outside = ndimage.distance_transform_edt(~mask)
    ring = (outside > _GAP_PX) & (outside <= _GAP_PX + width) & ~others
    inside = gray[mask]
    contrast = math.nan
    if ring.any():
        contrast = float(normalised[ring].mean() - normalised[mask].mean())
    return Intensity(
        mean=float(inside.mean(dtype=np.float64)),
        sd=float(inside.std(dtype=np.float64)),
        min=float(inside.min()),
        contrast=contrast,
        rim_sharpness=_rim_sharpness(normalised, mask, outside),
    )


def _frame(mask, margin):
    """The slices of a body's own frame with a margin, within the image."""
    return tuple(
        slice(max(int(at[0]) - margin, 0), int(at[-1]) + margin + 1)
        for at in (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    )


def _rim_sharpness(normalised, mask, outside):
    """Mean gradient of the blurred image within `_RIM_PX` of the contour."""
    rim = (outside <= _RIM_PX) & ~ndimage.binary_erosion(mask, iterations=2, border_value=1)
    steepness = ndimage.gaussian_gradient_magnitude(normalised, _BLUR_PX)
    return float(steepness[rim].mean()) if rim.any() else math.nan
