"""Sifting: what the network marks as bodies, and what is none.

A particle out of focus is a soft dark spot: its edge is as wide as itself. Seen larger, in a window
of its own, it looks like a body to the network. So a small body needs an edge, and every body some
confidence.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from spheroid_jax.inference.views import Seen

# Least confidence in a body, and in the surest body of a frame: below it, the frame has none.
LEAST_CONFIDENCE, LEAST_SUREST = 0.6, 0.75
# Least sharpness of a body whose diameter is below this share of the frame's longer side. A spot
# with a Gaussian profile has a sharpness of about 2.4, bodies in focus have 4.5 and more.
LEAST_SHARPNESS = 3.3
SMALL = 0.05
# Blur of the gradient in pixels of the grid.
_BLUR = 1.0
# Width of the ring around a body in which its ground is seen: in pixels of the grid, and over the
# body's diameter.
_LEAST_RING, _RING = 2, 0.25
# Percentile of the contrast in a body that counts as its full contrast.
_FULL = 95
_LEAST_CONTRAST = 1e-3


def sifted(found: Sequence[Seen], longest: int) -> list[Seen]:
    """Leaves out what is no body; leaves out all where none is sure.

    Args:
      found: what the network marks as bodies.
      longest: longer side of the image in pixels.
    """
    bodies = [seen for seen in found if is_body(seen, longest)]
    surest = max((seen.confidence for seen in bodies), default=0.0)
    return bodies if surest >= LEAST_SUREST else []


def is_body(seen: Seen, longest: int) -> bool:
    """Whether the network is sure enough of a body, and a small one has an edge.

    Args:
      seen: the body.
      longest: longer side of the image in pixels.
    """
    if seen.confidence < LEAST_CONFIDENCE:
        return False
    if seen.diameter >= SMALL * longest:
        return True
    view = seen.view
    return sharpness(view.image, seen.mask, view.labels > 0) >= LEAST_SHARPNESS


def sharpness(
    image: Float32[np.ndarray, "h w"],
    mask: Bool[np.ndarray, "h w"],
    bodies: Bool[np.ndarray, "h w"],
) -> float:
    """Returns the diameter of a body over the width of its edge.

    The width of the edge is the body's contrast over the mean gradient at its contour. The contrast
    is that of the body's darkest or brightest part against the ground around it.

    Args:
      image: gray in [0, 1] on the grid.
      mask: the body.
      bodies: this and all other bodies; no ground.
    """
    diameter = 2 * np.sqrt(np.count_nonzero(mask) / np.pi)
    ring = max(_LEAST_RING, round(_RING * diameter))
    (frame,) = ndimage.find_objects(mask.astype(int))
    margin = ring + _LEAST_RING + 2
    part = tuple(slice(max(at.start - margin, 0), at.stop + margin) for at in frame)
    image, mask, bodies = image[part], mask[part], bodies[part]
    away = ndimage.distance_transform_edt(~mask)
    near = (away > 1) & (away <= ring + _LEAST_RING) & ~bodies
    ground = np.median(image[near]) if near.any() else np.median(image)
    contrast = np.percentile(np.abs(image[mask] - ground), _FULL)
    steepness = ndimage.gaussian_gradient_magnitude(image, _BLUR)
    contour = mask & ~ndimage.binary_erosion(mask)
    return float(diameter * steepness[contour].mean() / max(contrast, _LEAST_CONTRAST))
