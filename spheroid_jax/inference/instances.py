"""Instances: from the network's maps of foreground and markers to one label per body."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32
from scipy import ndimage
from scipy.sparse import csgraph
from skimage import measure, segmentation

from spheroid_jax.inference import postprocess

# Probability above which a pixel belongs to a marker.
_MARKER = 0.5
# A seam between two parts of the foreground is no border between bodies where its half width is
# more than this share of the largest depth of the narrower part.
_SEAM = 0.92
# With more markers in a view, no pieces are joined.
_FEW = 2
# Pixels of the smallest marker.
_LEAST_MARKER_PX = 2


class Maps(NamedTuple):
    """What the network says of each pixel.

    Attributes:
      probability: foreground probability in [0, 1].
      marker: probability in [0, 1] that the pixel is in a body's marker (`images.markers`).
      core: probability in [0, 1] that a pixel of a body is in its dense core; None for a network
        that does not say so.
    """

    probability: Float32[np.ndarray, "H W"]
    marker: Float32[np.ndarray, "H W"]
    core: Float32[np.ndarray, "H W"] | None = None

    def given(self) -> list[Float32[np.ndarray, "H W"]]:
        """Returns the maps that the network has."""
        return [each for each in self if each is not None]


def label_instances(maps: Maps, *, least_px: float = 1) -> Int32[np.ndarray, "H W"]:
    """Labels the bodies, touching ones apart, the largest first.

    Each connected marker is a body, and gets the foreground that is nearest to it downhill of the
    distance to the background (marker-controlled watershed). Foreground without a marker is one
    body per connected part. Holes of a body belong to it.

    Args:
      maps: the network's maps.
      least_px: smaller bodies are dropped, in pixels.

    Returns:
      0 in the background, and from 1 on the number of the body by falling area.
    """
    foreground = postprocess.eight_bit(maps.probability) > postprocess.THRESHOLD
    parts = measure.label(foreground, connectivity=2)
    markers = _markers(foreground & (maps.marker > _MARKER))
    labels = _divided(parts, markers)
    return _by_area(_without_holes(labels), least_px)


def _markers(mask):
    """Numbers the markers; tiny ones are left out."""
    markers = measure.label(mask, connectivity=2)
    areas = np.bincount(markers.ravel())
    markers[areas[markers] < _LEAST_MARKER_PX] = 0
    return markers


def _divided(parts, markers):
    """Divides each connected part of the foreground among its markers."""
    inside = markers > 0
    of_marker = np.zeros(markers.max() + 1, int)
    of_marker[markers[inside]] = parts[inside]
    count = np.bincount(of_marker[np.unique(markers[inside])], minlength=parts.max() + 1)
    shared = count[parts] > 1
    if not shared.any():
        return parts
    depth = ndimage.distance_transform_edt(parts > 0)
    basins = segmentation.watershed(-depth, np.where(shared, markers, 0), mask=shared)
    # Where there are many bodies, two that touch are likelier than one in pieces.
    cut = _without_cuts(basins, depth) if markers.max() <= _FEW else basins
    return np.where(shared, np.where(cut > 0, cut + parts.max(), 0), parts)


def _without_cuts(labels, depth):
    """Joins parts whose seam is about as wide as the narrower of them: pieces of one long body."""
    count = int(labels.max()) + 1
    widest = np.zeros(count)
    np.maximum.at(widest, labels.ravel(), depth.ravel())
    joined = np.zeros((count, count), bool)
    for one, other, at, beside in (
        (labels[1:], labels[:-1], depth[1:], depth[:-1]),
        (labels[:, 1:], labels[:, :-1], depth[:, 1:], depth[:, :-1]),
    ):
        wide = np.minimum(at, beside) > _SEAM * np.minimum(widest[one], widest[other])
        seam = wide & (one != other) & (one > 0) & (other > 0)
        joined[one[seam], other[seam]] = True
    return csgraph.connected_components(joined, directed=False)[1][labels]


def _without_holes(labels):
    """Gives background that one body surrounds to this body."""
    filled = labels.copy()
    for number, frame in enumerate(ndimage.find_objects(labels), start=1):
        if frame is not None:
            body = postprocess.fill_holes(labels[frame] == number)
            filled[frame][body & (labels[frame] == 0)] = number
    return filled


def _by_area(labels, least_px):
    """Numbers bodies from 1 on by falling area, and drops small ones."""
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    # A stable sort: of two equally large bodies the first in reading order comes first.
    order = np.argsort(-areas, kind="stable")
    kept = [label for label in order if areas[label] >= max(least_px, 1)]
    numbers = np.zeros(areas.size, np.int32)
    numbers[kept] = np.arange(1, len(kept) + 1)
    return numbers[labels]
