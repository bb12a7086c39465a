"""Segmentation without a network: candidates, and how well they fit edges.

Baselines for comparisons, and proposals for semi-automatic ground truth
(paper, section 2.2). `gray` is (H, W) float32, normalised to [0, 1] as
`images.normalise` does; a body may be darker or brighter than its background.
A method turns gray to foreground, (H, W) boolean, from which `segment` keeps
one body. Lengths are shares of the image's longer side.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage import feature, filters, measure, morphology, segmentation, transform

from spheroid_jax.inference import postprocess

# Contours are found, and judged, on images of at most this side; the search
# over levels, whose contour is refined afterwards, on smaller ones.
_SIDE_PX = postprocess.PAPER_SIDE_PX
_SEARCH_SIDE_PX = _SIDE_PX // 2
_EDGE_WIDTH = 0.005
_BACKGROUND_WIDTH = 0.15
_SAUVOLA_WINDOW = 0.2
# Gaps in an edge that are closed, and bridges between objects that are cut.
_GAP = 0.012
# How far a refined contour may move.
_REACH = 0.02
_LEVELS = np.linspace(0.06, 0.94, 23)
_OBJECTS_A_LEVEL = 3
# Shares of the image, and of the object's own convex hull.
_LEAST_AREA, _LEAST_SOLIDITY = 0.01, 0.75


class Proposal(NamedTuple):
    """The mask (H, W) of the method whose contour fits the edges best."""

    method: str
    agreement: float
    mask: np.ndarray


def segment(gray, method):
    """Segments one body by a conventional method.

    Args:
      gray: (H, W), float32 in [0, 1].
      method: a name in `METHODS`.

    Returns:
      (H, W), boolean: one body without holes, or empty.

    Raises:
      ValueError: no such method.
    """
    if method not in METHODS:
        raise ValueError(f"no method {method!r}: one of {', '.join(METHODS)}")
    return _enlarged(_body(_reduced(gray, _SIDE_PX), method), gray.shape)


def propose(gray):
    """Segments by every method and keeps the best by `edge_agreement`.

    Args:
      gray: (H, W), float32 in [0, 1].

    Returns:
      `Proposal`; of equally good methods the first in `METHODS`.
    """
    small = _reduced(gray, _SIDE_PX)
    edges = _edges(small)
    masks = {method: _body(small, method) for method in METHODS}
    scores = {name: _agreement(edges, mask) for name, mask in masks.items()}
    best = max(scores, key=lambda method: scores[method])
    return Proposal(best, scores[best], _enlarged(masks[best], gray.shape))


def edge_agreement(gray, mask):
    """Scores how well a mask's contour lies on the edges of its image.

    With g the image smoothed by a Gaussian of 0.5 % of its longer side, n the
    mask's outward normal, and C the pixels on either side of the contour that
    are not on the frame's border:

        steep = |sum over C of dg/dn| / sum of the |C| + |F| largest |grad g|
        alike = share of the mask that is on its own side of g's mean over C

    and the score is steep x alike. F counts what is bounded by the frame
    alone, so a mask that leaves the image scores less. The sum keeps the sign:
    a contour that is brighter inside here and darker there scores little.
    `alike` tells a body from a ring around it, whose inside is as bright as
    its outside. Images of more than 480 px are reduced to that first.

    Args:
      gray: (H, W), float32 in [0, 1].
      mask: (H, W), boolean.

    Returns:
      In [0, 1]; 0 for a mask that is empty or fills the frame.
    """
    small = _reduced(mask.astype(np.float32), _SIDE_PX) >= 0.5
    return _agreement(_edges(_reduced(gray, _SIDE_PX)), small)


class _Edges(NamedTuple):
    """A smoothed image and its gradient: along rows, along columns, length."""

    smooth: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    steepness: np.ndarray


def _edges(gray):
    smooth = _smoothed(gray)
    rows, columns = np.gradient(smooth)
    return _Edges(smooth, rows, columns, np.hypot(rows, columns))


def _smoothed(gray):
    return ndimage.gaussian_filter(gray, max(1, _EDGE_WIDTH * max(gray.shape)))


def _agreement(edges, mask):
    contour, on_frame = _contour(mask)
    if not contour.any():
        return 0.0
    inside = _edges(mask.astype(np.float32))
    slope = edges.rows * inside.rows + edges.columns * inside.columns
    tiny = np.finfo(np.float32).tiny
    slope = slope[contour] / np.maximum(inside.steepness[contour], tiny)
    count = min(len(slope) + on_frame, mask.size)
    steepest = np.partition(edges.steepness, -count, axis=None)[-count:].sum()
    if steepest == 0:
        return 0.0
    inward = slope.sum()
    level = edges.smooth[contour].mean()
    alike = (edges.smooth[mask] - level) * inward > 0
    return float(min(abs(inward) / steepest, 1) * alike.mean())


def _contour(mask):
    """The pixels on either side of the contour; a count for the frame."""
    contour = mask & ~ndimage.binary_erosion(mask, border_value=1)
    contour |= ~mask & ndimage.binary_dilation(mask)
    border = np.ones(mask.shape, bool)
    border[1:-1, 1:-1] = False
    # Twice: the frame has no pixels on its other side.
    return contour & ~border, 2 * np.count_nonzero(mask & border)


def _body(gray, method):
    if gray.min() == gray.max():
        return np.zeros(gray.shape, bool)
    return postprocess.single_body(
        METHODS[method](gray), min_area_px=postprocess.scaled_min_area_px(max(gray.shape))
    )


def _reduced(gray, side_px):
    longer = max(gray.shape)
    if longer <= side_px:
        return gray
    shape = [max(1, round(side * side_px / longer)) for side in gray.shape]
    return transform.resize(gray, shape, order=1, anti_aliasing=True)


def _enlarged(mask, shape):
    if mask.shape == tuple(shape):
        return mask
    return transform.resize(mask.astype(np.float32), shape, order=1) >= 0.5


def _off_background(gray, level):
    """The side of a level that does not dominate the frame's border."""
    brighter = gray > level
    border = np.concatenate((brighter[0], brighter[-1], brighter[1:-1, 0], brighter[1:-1, -1]))
    return ~brighter if 2 * np.count_nonzero(border) > len(border) else brighter


def _otsu(gray):
    return _off_background(gray, filters.threshold_otsu(gray))


def _flattened_otsu(gray):
    width = _BACKGROUND_WIDTH * max(gray.shape)
    # Two widths reach far enough, and take half the time of four.
    return _otsu(gray - ndimage.gaussian_filter(gray, width, truncate=2))


def _is_brighter(gray):
    """Whether the body is brighter than the background around it."""
    body = _flattened_otsu(gray)
    return gray[body].mean() > gray[~body].mean()


def _li(gray):
    return _off_background(gray, filters.threshold_li(gray))


def _triangle(gray):
    return _off_background(gray, filters.threshold_triangle(gray))


def _sauvola(gray):
    # It is made for dark on bright.
    level = filters.threshold_otsu(gray)
    brighter = _off_background(gray, level)[gray > level].any()
    upright = 1 - gray if brighter else gray
    window = 2 * int(_SAUVOLA_WINDOW / 2 * max(gray.shape)) + 1  # Odd.
    return upright < filters.threshold_sauvola(upright, window, k=0.1, r=0.5)


def _filled_edges(gray):
    lines = feature.canny(gray, max(1, _EDGE_WIDTH * max(gray.shape)))
    gap = _GAP * max(gray.shape)
    filled = ndimage.binary_fill_holes(morphology.isotropic_closing(lines, gap))
    return morphology.isotropic_opening(filled, gap)


def _steepest_level(gray):
    """The object, at any of many thresholds, that fits the edges best."""
    small = _reduced(gray, _SEARCH_SIDE_PX)
    edges = _edges(small)
    sign = 1 if _is_brighter(small) else -1
    objects = [
        item for level in _LEVELS for item in _solid_objects(sign * (edges.smooth - level) > 0)
    ]
    if not objects:
        return np.zeros(gray.shape, bool)
    best = max(objects, key=lambda item: _agreement(edges, item))
    return _enlarged(best, gray.shape)


def _solid_objects(foreground):
    """The largest objects that nearly fill their convex hull, holes filled.

    A well's ring has a hole, and a bright body's dark rim a bay.
    """
    opened = morphology.isotropic_opening(foreground, _GAP * max(foreground.shape))
    found = measure.regionprops(measure.label(opened))
    found.sort(key=lambda item: item.area, reverse=True)
    for item in found[:_OBJECTS_A_LEVEL]:
        if item.area >= _LEAST_AREA * foreground.size and item.solidity >= _LEAST_SOLIDITY:
            yield _placed(item.image_filled, item.slice, foreground.shape)


def _placed(mask, where, shape):
    placed = np.zeros(shape, bool)
    placed[where] = mask
    return placed


def _refined(find):
    """A method that moves another's contour onto the ridge of steepness."""

    def method(gray):
        body = postprocess.single_body(find(gray))
        if not body.any() or body.all():
            return body
        reach = _REACH * max(gray.shape)
        inside = ndimage.distance_transform_edt(body)
        # A thin body keeps its core.
        core = inside > min(reach, inside.max() / 2)
        far = ndimage.distance_transform_edt(~body) > reach
        return segmentation.watershed(_edges(gray).steepness, core + 2 * far) == 1

    return method


# Single thresholds, the common baselines: gray to foreground.
THRESHOLDS = {
    "otsu": _otsu,
    "flattened_otsu": _flattened_otsu,
    "li": _li,
    "triangle": _triangle,
    "sauvola": _sauvola,
}
METHODS = THRESHOLDS | {
    "filled_edges": _filled_edges,
    "steepest_level": _steepest_level,
    "refined_otsu": _refined(_flattened_otsu),
    "refined_level": _refined(_steepest_level),
}
