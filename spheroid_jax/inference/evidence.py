"""Scores of one image that a verdict rests on, measured on the network's grid.

Every score is a pure function of the normalised image, the network's probability map and the mask
of the largest body, all on the grid, so that a score means the same at every size of file.
"""

import dataclasses
import math

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy.typing import ArrayLike
from scipy import ndimage
from skimage import measure
from skimage.filters import rank

from spheroid_jax import images
from spheroid_jax.inference import objects, postprocess, predict, runs
from spheroid_jax.inference.model_file import Ensemble, Params

# Distances from the contour in grid pixels: the gap that the contour's own blur needs, the least
# width of the rings inside and outside, and their width over the body's equivalent radius.
_GAP = 2
_LEAST_RING = 4
_RING = 0.25
# Blur of the gradient, and the band of the grain, in grid pixels.
_BLUR = 1.5
_COARSE = 6.0
# A pixel between these probabilities is in doubt.
_DOUBT = (0.1, 0.9)
# MAD of a normal distribution to its standard deviation.
_MAD = 1.4826
# Least gray of a grain or a noise; a ratio of smaller ones says nothing.
_LEAST_GRAY = 0.004
# A pixel of a body is plain where it is less steep than this share of the contour.
_PLAIN = 0.05
# Shells between contour and middle in which a dark band is looked for.
_SHELLS = 5
# Pixels that a median needs.
_FEW = 20
# Marks of a crowd: widths in grid pixels of the Gaussians that find them (a disc answers most to
# its radius / 1.4), and the least answer in gray; the first width is for specks, which don't count.
_MARKS = (2.0, 3.0, 4.2, 6.0, 8.4, 12.0)
_LEAST_MARK = 0.12
# A bar of text covers at most this share of the frame's height or width, and at least this share of
# each of its lines is exactly black or white. So many lines more are the blur of its edge.
_LARGEST_BAR = 0.25
_BAR = 0.5
_BAR_BLUR = 2
# Width of a part behind a neck, over the body's.
_LEAST_PART = 0.5
# The middle of a frame, as a share of its height and width.
_MIDDLE = 0.5


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Scores of one image.

    Attributes:
      share: share of the image that the largest body covers; for a model with markers, that all
        bodies cover.
      doubt: 1 - mean probability in the body.
      unsure: number of pixels in doubt over the body's number of pixels.
      darkness: mean gray of the ring around the body - mean gray of the body's core.
      edge_contrast: absolute difference of the median gray just inside and just outside.
      grain: structure of 1.5 to 6 grid pixels in the body's core, over the noise there; about 0.2
        where there is nothing but noise.
      plain: share of the image that lies in the body and is less steep than 5 % of its contour.
      hollow: depth of a dark band between the body's middle and its surroundings, if both are
        brighter.
      noise: standard deviation of the pixel noise, robustly.
      signal_to_noise: edge contrast over noise.
      blur: width of the contour's blur, as the standard deviation of a Gaussian, in grid pixels.
      solidity: area over the area of the convex hull, of the body on the grid.
      border: share of the body's outline that lies on the image's edge.
      neck: width of the body's neck over that of the smaller part behind it; 1 without a neck.
      specks: share of the surroundings that are darker or brighter than their neighbourhood by more
        than half of the body's edge contrast.
      crowd: number of compact marks of one polarity in the image, whatever the network says.
      dome: mean gray near the frame's edges - mean gray in its middle.
      fragments: number of components that are too small for a body.
      bodies: number of bodies of at least a tenth of the largest one's area.
      disbelief: 1 - confidence in the largest body; NaN for a model without markers.
    """

    share: float
    doubt: float = math.nan
    unsure: float = math.nan
    darkness: float = math.nan
    edge_contrast: float = math.nan
    grain: float = math.nan
    plain: float = math.nan
    hollow: float = math.nan
    noise: float = math.nan
    signal_to_noise: float = math.nan
    blur: float = math.nan
    solidity: float = math.nan
    border: float = math.nan
    neck: float = math.nan
    specks: float = math.nan
    crowd: int = 0
    dome: float = math.nan
    fragments: int = 0
    bodies: int = 0
    disbelief: float = math.nan


def of_image(
    params: Params | Ensemble,
    image: ArrayLike | images.Gray,
    prepared: predict.Prepared,
    maps: Float32[np.ndarray, "M S S"],
) -> tuple[Evidence, predict.Bodies | None]:
    """Computes all scores of one image, with its bodies where the model tells them apart.

    Arguments are those of `predict.find_bodies`.

    Returns:
      The scores; and the bodies, for a model with markers, else None.
    """
    found = None
    if predict.has_markers(params):
        found = predict.find_bodies(params, image, prepared, maps)
    return of_bodies(prepared, maps, found), found


def of_bodies(
    prepared: predict.Prepared,
    maps: Float32[np.ndarray, "M S S"],
    found: predict.Bodies | None,
) -> Evidence:
    """Computes all scores of one image whose bodies are known.

    Args:
      prepared: the image, as returned by `predict.prepare`.
      maps: one image's maps, as returned by `predict.grid_maps`.
      found: the bodies, as a model with markers finds them; None for a model without.
    """
    return collect(prepared.box.crop(prepared.grid), prepared.box.crop(maps[0]), found)


def collect(
    grid: Float32[np.ndarray, "H W"],
    probability: Float32[np.ndarray, "H W"],
    found: predict.Bodies | None = None,
) -> Evidence:
    """Computes all scores of one image.

    Args:
      grid: the normalised image on the grid, without what lies beyond the image.
      probability: the network's map of the same pixels.
      found: the bodies, as a model with markers finds them; None for a model without.
    """
    scores = _on_the_grid(grid, probability)
    if found is None:
        return scores
    if not found.cutouts:
        return dataclasses.replace(scores, share=0.0, bodies=0)
    areas = [int(np.count_nonzero(each.inside)) for each in found.cutouts]
    return dataclasses.replace(
        scores,
        share=sum(areas) / math.prod(found.cutouts[0].shape),
        bodies=sum(area >= objects.LEAST_SHARE * areas[0] for area in areas),
        disbelief=float(1 - found.confidence[0]),
    )


def _on_the_grid(grid, probability):
    """Computes the scores that need no more than the grid."""
    labels = objects.label_bodies(probability)
    mask = labels == 1
    marks = crowd(grid)
    if not mask.any():
        return Evidence(share=0.0, crowd=marks, dome=dome(grid))
    foreground = runs.encode(postprocess.eight_bit(probability), postprocess.THRESHOLD)
    components = int(runs.components(foreground, diagonal=True).max()) + 1
    width = max(_LEAST_RING, _RING * math.sqrt(mask.sum() / math.pi))
    others = labels > 1
    # Pixels up to a distance from the background inside, and from the body outside.
    gap_inside, gap_outside = (runs.within(region, _GAP) & ~region for region in (~mask, mask))
    inner = runs.within(~mask, _GAP + width) & mask & ~gap_inside
    ring = runs.within(mask, _GAP + width) & ~mask & ~gap_outside & ~others
    core, inner = (_or(region, mask) for region in (mask & ~gap_inside, inner))
    ring = _or(ring, ~mask & ~others)
    noise = noise_level(grid)
    steepness = ndimage.gaussian_gradient_magnitude(grid, _BLUR)
    rim = gap_inside | gap_outside
    edge_contrast = abs(_median(grid, inner) - _median(grid, ring))
    rim_steepness = float(steepness[rim].mean())
    surroundings = ~mask & ~gap_outside & ~others & ~bars(grid)
    inside = ndimage.distance_transform_edt(mask)
    return Evidence(
        share=float(mask.mean()),
        doubt=1 - float(probability[mask].mean()),
        unsure=_unsure(probability, mask),
        darkness=_mean(grid, ring) - _mean(grid, core),
        edge_contrast=edge_contrast,
        grain=grain(grid, core),
        plain=float(np.mean(core & (steepness < _PLAIN * rim_steepness))),
        hollow=hollow(grid, inside, rim, ring),
        noise=noise,
        signal_to_noise=edge_contrast / (noise + 1e-3),
        blur=edge_contrast / (math.sqrt(2 * math.pi) * (rim_steepness + 1e-6)),
        solidity=_solidity(mask),
        border=_border(mask),
        neck=neck(inside),
        specks=_specks(grid, surroundings, edge_contrast),
        crowd=marks,
        dome=dome(grid),
        fragments=components - int(labels.max()),
        bodies=int(labels.max()),
    )


def noise_level(grid: Float32[np.ndarray, "H W"]) -> float:
    """Standard deviation of what a blur of one pixel takes away, robustly."""
    return _MAD * float(np.median(np.abs(grid - ndimage.gaussian_filter(grid, 1.0))))


def grain(grid: Float32[np.ndarray, "H W"], region: Bool[np.ndarray, "H W"]) -> float:
    """Structure of 1.5 to 6 grid pixels in a region, over the noise there; both robustly.

    What lies outside of the region has no part in the blurs, so a contour is no structure.
    """
    noise = np.abs(grid - _blur_within(grid, region, 1.0))
    band = np.abs(_blur_within(grid, region, _BLUR) - _blur_within(grid, region, _COARSE))
    structure, noise = (_MAD * _median(values, region) for values in (band, noise))
    return (structure + _LEAST_GRAY) / (noise + _LEAST_GRAY)


def _blur_within(grid, region, width):
    """Gaussian blur of the pixels of a region alone."""
    weight = ndimage.gaussian_filter(region.astype(np.float32), width)
    return ndimage.gaussian_filter(grid * region, width) / np.maximum(weight, 1e-6)


def hollow(
    grid: Float32[np.ndarray, "H W"],
    inside: Float[np.ndarray, "H W"],
    rim: Bool[np.ndarray, "H W"],
    ring: Bool[np.ndarray, "H W"],
) -> float:
    """Depth of a dark band between the body's middle and its surroundings, as of a bubble.

    Args:
      grid: the normalised image on the grid.
      inside: distance to the contour in the body; 0 outside.
      rim: the contour and what is near.
      ring: the surroundings.

    Returns:
      The darker one of middle and surroundings - the darkest shell; 0 where that is negative.
    """
    shell = np.minimum((_SHELLS * inside / inside.max()).astype(int), _SHELLS - 1)
    shells = [_median(grid, (inside > 0) & (shell == n)) for n in range(_SHELLS)]
    bright = min(shells[-1], _median(grid, ring))
    return max(bright - float(np.nanmin([*shells, _median(grid, rim)])), 0.0)


def neck(inside: Float[np.ndarray, "H W"]) -> float:
    """Width of a body's narrowest neck over that of the smaller part behind it, as of two discs.

    Args:
      inside: distance to the contour in the body; 0 outside.

    Returns:
      1 for a body without a neck, or with parts behind it of less than half the body's width.
    """
    narrowest = 1.0
    for distance in np.linspace(0.95, 0.05, 19) * inside.max():
        parts, count = ndimage.label(inside > distance)
        if count > 1:
            deepest = np.zeros(count + 1)
            np.maximum.at(deepest, parts[parts > 0], inside[parts > 0])
            second = np.sort(deepest)[-2]
            if second >= _LEAST_PART * inside.max():
                narrowest = min(narrowest, float(distance / second))
    return narrowest


def crowd(grid: Float32[np.ndarray, "H W"]) -> int:
    """Counts the compact marks of one polarity in an image, without the network.

    A mark is a peak of the smaller curvature, over places and over widths of a Gaussian: that
    answers to discs and not to lines or edges (the smaller eigenvalue of the Hessian matrix, times
    the width squared: T. Lindeberg, Int. J. Comput. Vis. 30, 1998). A disc counts from a diameter
    of about 7 grid pixels and a contrast of 0.3 on.

    Args:
      grid: the normalised image on the grid.
    """
    height, width = (side // 2 * 2 for side in grid.shape)
    half = grid[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    dark, bright = [], []
    for mark in _MARKS:
        along, across, both = (
            ndimage.gaussian_filter(half, mark / 2, order=order, mode="nearest", truncate=3.0)
            for order in ((2, 0), (0, 2), (1, 1))
        )
        mean = (along + across) / 2
        spread = np.hypot((along - across) / 2, both)
        dark.append((mark / 2) ** 2 * (mean - spread))
        bright.append((mark / 2) ** 2 * (-mean - spread))
    return max(_peaks(np.stack(answers)) for answers in (dark, bright))


def _peaks(answers):
    """Number of peaks over places whose best width is not the first."""
    best = answers.max(0)
    peak = (best == ndimage.maximum_filter(best, 5)) & (best >= _LEAST_MARK)
    return int(np.count_nonzero(peak & (answers.argmax(0) > 0)))


def bars(grid: Float32[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Finds bars of text or scale along an edge of the frame.

    Args:
      grid: the normalised image on the grid, where a bar is black or white.

    Returns:
      True in the rows from the upper or lower edge on, or columns from the left or right edge on,
      that are mostly exactly black or white.
    """
    found = np.zeros(grid.shape, bool)
    extreme = (grid == 0) | (grid == 1)
    for lines, marked in ((extreme, found), (extreme.T, found.T)):
        plain = lines.mean(axis=1) >= _BAR
        for order in (slice(None), slice(None, None, -1)):
            depth = int(np.argmin(np.append(plain[order], False)))
            if 0 < depth <= _LARGEST_BAR * len(plain):
                marked[order][: depth + _BAR_BLUR] = True
    return found


def dome(grid: Float32[np.ndarray, "H W"]) -> float:
    """Mean gray near the frame's edges - mean gray in its middle.

    Light falls off towards the edges of an empty field, and a tilt cancels, so a dark middle is
    something in the field.
    """
    height, width = grid.shape
    top, left = (round((1 - _MIDDLE) / 2 * side) for side in grid.shape)
    middle = grid[top : height - top, left : width - left]
    margin = (grid.sum() - middle.sum()) / (grid.size - middle.size)
    return float(margin - middle.mean())


def _or(region, fallback):
    """The region, or where it has too few pixels the fallback."""
    return region if np.count_nonzero(region) >= _FEW else fallback


def _median(values, region):
    return float(np.median(values[region])) if region.any() else math.nan


def _mean(values, region):
    return float(values[region].mean()) if region.any() else math.nan


def _unsure(probability, mask):
    """Number of pixels in doubt over the body's number of pixels."""
    unsure = (probability > _DOUBT[0]) & (probability < _DOUBT[1])
    return float(np.count_nonzero(unsure) / np.count_nonzero(mask))


def _solidity(mask):
    return float(measure.regionprops(mask.astype(np.uint8))[0].solidity)


def _border(mask):
    outline = mask & ~ndimage.binary_erosion(mask, border_value=0)
    edge = np.zeros_like(mask)
    edge[0] = edge[-1] = edge[:, 0] = edge[:, -1] = True
    return float(np.count_nonzero(outline & edge) / np.count_nonzero(outline))


def _specks(grid, surroundings, edge_contrast):
    """Share of the surroundings that stand out from their neighbourhood."""
    if np.count_nonzero(surroundings) < _FEW:
        return 0.0
    # Rank filters of 8-bit images slide a histogram: a tenth of the time of a median of floats.
    levels = np.rint(255 * grid).astype(np.uint8)
    neighbourhood = rank.median(levels, np.ones((11, 11), np.uint8)).astype(np.float32) / 255
    stand_out = np.abs(ndimage.gaussian_filter(grid, 0.7) - neighbourhood)
    return float(np.mean(stand_out[surroundings] > 0.5 * edge_contrast))
