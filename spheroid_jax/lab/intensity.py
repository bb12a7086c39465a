"""Intensity measurements of one body: gray levels, contrast to the surroundings, rim sharpness."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

from spheroid_jax import images
from spheroid_jax.inference import runs
from spheroid_jax.inference.objects import Cutout

# Width of the ring of surroundings, over the body's equivalent radius, and its least width.
_RING = 0.25
_LEAST_RING_PX = 3
# The ring begins this far from the contour, where the contour's own blur ends.
_GAP_PX = 1
_BLUR_PX = 1.0
_RIM_PX = 1.5
# Pixels on each side that the blur needs.
_REACH = 4


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


def measure_intensity(gray: images.Gray, body: Cutout, others: Sequence[Cutout]) -> Intensity:
    """Measures the intensity of one body.

    Args:
      gray: the image.
      body: the body.
      others: other bodies, which are no surroundings.
    """
    width = max(_LEAST_RING_PX, _RING * math.sqrt(np.count_nonzero(body.inside) / math.pi))
    margin = math.ceil(width) + _GAP_PX + 2
    parts = []
    for stripe in _stripes(body, margin):
        normalised = gray.normalised(*stripe.window)
        rim = stripe.rim()
        parts.append(
            {
                "inside": gray.window(*stripe.window)[stripe.mask],
                "normalised": normalised[stripe.mask],
                "around": normalised[stripe.ring(width, others)],
                "steepness": _steepness(gray, rim, *stripe.window) if rim.any() else np.zeros(0),
            }
        )
        # Only sums are kept: a large body has more pixels than there is memory for.
        parts[-1] = {name: _moments(values) for name, values in parts[-1].items()}
    mean, sd, least = _joined(parts, "inside")
    return Intensity(
        mean=mean,
        sd=sd,
        min=least,
        contrast=_joined(parts, "around")[0] - _joined(parts, "normalised")[0],
        rim_sharpness=_joined(parts, "steepness")[0],
    )


def _moments(values):
    """Number, mean, variance and least of values; 0, 0, 0 and infinity where there is none."""
    if not values.size:
        return 0, 0.0, 0.0, math.inf
    exact = values.astype(np.float64)
    return exact.size, float(exact.mean()), float(exact.var()), float(exact.min())


def _joined(parts, name):
    """Mean, standard deviation and least of all parts' values; NaN where there is none."""
    count, mean, variance, least = (
        np.array(each) for each in zip(*(part[name] for part in parts), strict=True)
    )
    if not count.any():
        return math.nan, math.nan, math.nan
    middle = (count * mean).sum() / count.sum()
    spread = (count * (variance + (mean - middle) ** 2)).sum() / count.sum()
    return float(middle), math.sqrt(spread), float(least.min())


class _Stripe(NamedTuple):
    """Some rows of the frame of a body and its surroundings.

    Attributes:
      window: rows and columns in the image.
      rows: the same rows in the frame.
      mask: the body in the window.
      found: the runs of the body in the frame.
    """

    window: tuple[slice, slice]
    rows: slice
    mask: Bool[np.ndarray, "h w"]
    found: runs.Runs

    def ring(self, width, others):
        """Pixels of the surroundings."""
        ring = runs.near(self.found, _GAP_PX + width, self.rows)
        ring &= ~runs.near(self.found, _GAP_PX, self.rows)
        for other in others:
            ring &= ~other.window(*self.window)
        return ring

    def rim(self):
        """Pixels at the contour: close to it outside, and up to two pixels inside."""
        height = self.found.shape[0]
        more = slice(max(self.rows.start - 2, 0), min(self.rows.stop + 2, height))
        core = _eroded(_eroded(runs.near(self.found, 0, more)))
        core = core[self.rows.start - more.start :][: len(self.mask)]
        return runs.near(self.found, _RIM_PX, self.rows) & ~core


def _stripes(body, margin):
    """Yields the frame of a body and a margin in stripes."""
    rows, columns = body.around((margin, margin))
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    found = runs.encode(body.inside).moved(body.top - rows.start, body.left - columns.start, shape)
    for part in images.stripes(shape):
        window = (slice(rows.start + part.start, rows.start + part.stop), columns)
        yield _Stripe(window, part, body.window(*window), found)


def _eroded(mask):
    """Takes away the pixels that touch the background along a side."""
    left = mask.copy()
    left[1:] &= mask[:-1]
    left[:-1] &= mask[1:]
    left[:, 1:] &= mask[:, :-1]
    left[:, :-1] &= mask[:, 1:]
    return left


def _steepness(gray, rim, rows, columns):
    """Gradient of the blurred image at the pixels of a mask in a window, a derivative of Gaussian.

    As `scipy.ndimage.gaussian_gradient_magnitude`, but only where the mask is.
    """
    where = np.nonzero(rim)
    window = [
        (max(at.start - _REACH, 0), min(at.stop + _REACH, side))
        for at, side in zip((rows, columns), gray.shape, strict=True)
    ]
    levels = gray.normalised(*(slice(*each) for each in window))
    # At the image's edge, the image goes on as its reflection.
    missing = [
        (_REACH - at.start + start, _REACH - stop + at.stop)
        for at, (start, stop) in zip((rows, columns), window, strict=True)
    ]
    levels = np.pad(levels, missing, mode="symmetric")
    patches = sliding_window_view(levels, (2 * _REACH + 1,) * 2)[where]
    smooth, slope = (
        ndimage.gaussian_filter1d(np.eye(2 * _REACH + 1)[_REACH], _BLUR_PX, order=order)
        for order in (0, 1)
    )
    kernels = np.stack([np.outer(slope, smooth).ravel(), np.outer(smooth, slope).ravel()], axis=1)
    gradient = patches.reshape(len(patches), len(kernels)) @ kernels.astype(np.float32)
    return np.hypot(*gradient.T)
