"""Markers of bodies: one connected inner part per body, by which touching bodies are told apart.

The marker of a body is the body eroded by half of its inner radius, or by less where that would
break the marker of a lobed body apart. Two bodies that touch have two markers with a gap between
them; a body with a waist has one marker that runs through the waist. A network that learns markers
learns this difference, which no watershed on distances alone can make.
"""

import numpy as np
from jaxtyping import Bool, Integer
from scipy import ndimage

# Depths at which a body is cut off, as shares of its largest depth, tried in this order.
_CUTS = (0.5, 0.4, 0.3, 0.22, 0.15, 0.1, 0.05)
# Other parts than the largest may have this share of its area: they are dropped.
_LOOSE = 0.05
# Where a marker runs through a waist, the cut is this much shallower, so that the bridge is wide.
_BRIDGE = 0.7


def markers(labels: Integer[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Returns the markers of all bodies.

    A body that the frame cuts is taken to go on beyond the frame.

    Args:
      labels: 0 in the background, and another number per body.
    """
    found = np.zeros(labels.shape, bool)
    for number, frame in enumerate(ndimage.find_objects(labels), start=1):
        if frame is not None:
            body = labels[frame] == number
            found[frame] |= _marker(body, _continued(body.shape, frame, labels.shape))
    return found


def _continued(shape, frame, image_shape):
    """Returns by how many pixels a body goes on beyond its own frame, on the sides of each axis."""
    return [
        (max(shape) if at.start == 0 else 0, max(shape) if at.stop == side else 0)
        for at, side in zip(frame, image_shape, strict=True)
    ]


def _marker(body, continued):
    """Returns the marker of one body, given in its own frame."""
    inside = tuple(
        slice(before + 1, before + 1 + side)
        for (before, _), side in zip(continued, body.shape, strict=True)
    )
    padded = np.pad(np.pad(body, continued, mode="edge"), 1)
    depth = ndimage.distance_transform_edt(padded)[inside]
    for cut in _CUTS:
        marker, loose = _largest_part(depth > cut * depth.max())
        if loose <= _LOOSE:
            break
    if cut == _CUTS[0]:
        return marker
    return _largest_part(depth > _BRIDGE * cut * depth.max())[0]


def _largest_part(mask):
    """Returns a mask's largest part, and the area of the other parts over that of this part."""
    parts, _ = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(parts.ravel())[1:]
    return parts == 1 + areas.argmax(), areas.sum() / areas.max() - 1
