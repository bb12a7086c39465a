"""Conventional segmentation without a network, and a score for the fit of a mask to edges.

The methods are baselines in comparisons, and propose masks for semi-automatic ground truth (paper,
section 2.2). `gray` is an image normalised to [0, 1] by `images.normalise`; a body may be darker or
brighter than its background. A method computes foreground from gray, and `segment` keeps one body
of the foreground. Lengths are relative to the longer side of the image.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int32
from scipy import ndimage
from skimage import feature, filters, measure, morphology, segmentation, transform

from spheroid_jax.inference import objects, postprocess

# Longer side of the reduced images on which contours are found and scored; the search over levels
# uses a smaller side, because its contour is refined afterwards.
_SIDE_PX = postprocess.PAPER_SIDE_PX
_SEARCH_SIDE_PX = _SIDE_PX // 2
_EDGE_WIDTH = 0.005
_BACKGROUND_WIDTH = 0.15
_SAUVOLA_WINDOW = 0.2
# Width of gaps in an edge that are closed, and of bridges between objects that are cut.
_GAP = 0.012
# Largest distance that a refined contour moves.
_REACH = 0.02
_LEVELS = np.linspace(0.06, 0.94, 23)
_OBJECTS_PER_LEVEL = 3
# Smallest area of an object relative to the image, and relative to its convex hull.
_LEAST_AREA, _LEAST_SOLIDITY = 0.01, 0.75


class Proposal(NamedTuple):
    """The mask that fits the edges best.

    Attributes:
      method: name of the method in `METHODS`.
      agreement: score of the mask, as returned by `edge_agreement`.
      mask: mask of one body.
    """

    method: str
    agreement: float
    mask: Bool[np.ndarray, "H W"]


def segment(gray: Float[np.ndarray, "H W"], method: str) -> Bool[np.ndarray, "H W"]:
    """Segments one body by a conventional method.

    Args:
      gray: normalised image, in [0, 1].
      method: name in `METHODS`.

    Returns:
      The mask of one body without holes; all false if no body is found.

    Raises:
      ValueError: there is no such method.
    """
    return _enlarged(_body(_reduced(gray, _SIDE_PX), method), gray.shape)


def label_bodies(gray: Float[np.ndarray, "H W"], method: str) -> Int32[np.ndarray, "H W"]:
    """Labels all bodies that a conventional method finds: the parts of its foreground.

    Args:
      gray: normalised image, in [0, 1].
      method: name in `METHODS`.

    Returns:
      Labels, as returned by `objects.label_components`.

    Raises:
      ValueError: there is no such method.
    """
    foreground = _foreground(_reduced(gray, _SIDE_PX), method)
    return objects.label_components(_enlarged(foreground, gray.shape))


def propose(gray: Float[np.ndarray, "H W"]) -> Proposal:
    """Segments an image by every method, and keeps the mask with the highest `edge_agreement`.

    Args:
      gray: normalised image, in [0, 1].

    Returns:
      The best proposal; if methods are equally good, that of the first in `METHODS`.
    """
    small = _reduced(gray, _SIDE_PX)
    edges = _edges(small)
    masks = {method: _body(small, method) for method in METHODS}
    scores = {name: _agreement(edges, mask) for name, mask in masks.items()}
    best = max(scores, key=lambda method: scores[method])
    return Proposal(best, scores[best], _enlarged(masks[best], gray.shape))


def edge_agreement(gray: Float[np.ndarray, "H W"], mask: Bool[np.ndarray, "H W"]) -> float:
    """Scores how well the contour of a mask follows the edges of an image.

    The score is the product of two shares:

        steep = |sum over C of dg/dn| / sum of the |C| + |F| largest |grad g|
        alike = share of the pixels of the mask where g is above the mean of g over C (bright body)
                or below this mean (dark body)

    Here g is the image, smoothed by a Gaussian with a standard deviation of 0.5 % of the longer
    side; n is the outward normal of the mask; C holds the pixels on both sides of the contour,
    without those on the border of the frame; and |F| is twice the number of pixels of the mask on
    that border.

    |F| lowers the score of a mask that is cut by the frame. The sum of dg/dn keeps its sign, so a
    contour that is partly bright to dark and partly dark to bright has a low score. `alike`
    distinguishes a body from a ring around a body, whose inside is as bright as its outside. Images
    of more than 480 px are first reduced to this size.

    Args:
      gray: normalised image, in [0, 1].
      mask: mask of one body.

    Returns:
      The score in [0, 1]; 0 for a mask that is empty or fills the frame.
    """
    small = _reduced(mask.astype(np.float32), _SIDE_PX) >= 0.5
    return _agreement(_edges(_reduced(gray, _SIDE_PX)), small)


class _Edges(NamedTuple):
    """A smoothed image and its gradient, four arrays (H, W).

    Attributes:
      smooth: the smoothed image.
      rows: derivative from row to row.
      columns: derivative from column to column.
      steepness: length of the gradient.
    """

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
    """Returns the pixels on both sides of the contour, and a count of pixels at the frame."""
    contour = mask & ~ndimage.binary_erosion(mask, border_value=1)
    contour |= ~mask & ndimage.binary_dilation(mask)
    border = np.ones(mask.shape, bool)
    border[1:-1, 1:-1] = False
    # Pixels at the frame count twice, because there are no pixels on the other side.
    return contour & ~border, 2 * np.count_nonzero(mask & border)


def _foreground(gray, method):
    if method not in METHODS:
        raise ValueError(f"no method {method!r}; choose one of {', '.join(METHODS)}")
    if gray.min() == gray.max():
        return np.zeros(gray.shape, bool)
    return METHODS[method](gray)


def _body(gray, method):
    return postprocess.single_body(
        _foreground(gray, method),
        min_area_px=postprocess.scaled_min_area_px(max(gray.shape)),
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
    """Returns the pixels above or below a level, whichever are fewer on the border of the frame."""
    brighter = gray > level
    border = np.concatenate((brighter[0], brighter[-1], brighter[1:-1, 0], brighter[1:-1, -1]))
    return ~brighter if 2 * np.count_nonzero(border) > len(border) else brighter


def _otsu(gray):
    return _off_background(gray, filters.threshold_otsu(gray))


def _flattened_otsu(gray):
    width = _BACKGROUND_WIDTH * max(gray.shape)
    # Cutting the Gaussian at two widths is accurate enough and takes half the time of four.
    return _otsu(gray - ndimage.gaussian_filter(gray, width, truncate=2))


def _is_brighter(gray):
    """Returns whether the body is brighter than the background."""
    body = _flattened_otsu(gray)
    return gray[body].mean() > gray[~body].mean()


def _li(gray):
    return _off_background(gray, filters.threshold_li(gray))


def _triangle(gray):
    return _off_background(gray, filters.threshold_triangle(gray))


def _sauvola(gray):
    # Sauvola's method finds dark bodies on a bright background.
    level = filters.threshold_otsu(gray)
    brighter = _off_background(gray, level)[gray > level].any()
    upright = 1 - gray if brighter else gray
    window = 2 * int(_SAUVOLA_WINDOW / 2 * max(gray.shape)) + 1  # must be odd
    return upright < filters.threshold_sauvola(upright, window, k=0.1, r=0.5)


def _filled_edges(gray):
    lines = feature.canny(gray, max(1, _EDGE_WIDTH * max(gray.shape)))
    gap = _GAP * max(gray.shape)
    filled = ndimage.binary_fill_holes(morphology.isotropic_closing(lines, gap))
    return morphology.isotropic_opening(filled, gap)


def _steepest_level(gray):
    """Applies many thresholds, and returns the one object that fits the edges best."""
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
    """Yields the largest objects that nearly fill their convex hulls, with holes filled.

    Other objects are not bodies: the ring of a well has a hole, and the dark rim of a bright body
    has a bay.
    """
    opened = morphology.isotropic_opening(foreground, _GAP * max(foreground.shape))
    found = measure.regionprops(measure.label(opened))
    found.sort(key=lambda item: item.area, reverse=True)
    for item in found[:_OBJECTS_PER_LEVEL]:
        if item.area >= _LEAST_AREA * foreground.size and item.solidity >= _LEAST_SOLIDITY:
            yield _placed(item.image_filled, item.slice, foreground.shape)


def _placed(mask, where, shape):
    placed = np.zeros(shape, bool)
    placed[where] = mask
    return placed


def _refined(find):
    """Makes a method that moves the contour found by `find` onto the steepest line nearby."""

    def method(gray):
        body = postprocess.single_body(find(gray))
        if not body.any() or body.all():
            return body
        reach = _REACH * max(gray.shape)
        inside = ndimage.distance_transform_edt(body)
        # Half of the largest depth, so that a thin body keeps its core.
        core = inside > min(reach, inside.max() / 2)
        far = ndimage.distance_transform_edt(~body) > reach
        return segmentation.watershed(_edges(gray).steepness, core + 2 * far) == 1

    return method


# Common baselines with a single threshold; each is a function from gray to foreground.
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
