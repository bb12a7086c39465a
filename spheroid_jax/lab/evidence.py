"""Scores of one image that a verdict rests on, measured on the network's grid.

Every score is a pure function of the normalised image, the network's probability map and the mask
of the largest body, all on the grid, so that a score means the same at every size of file.
"""

import dataclasses
import math

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage
from skimage import measure
from skimage.filters import rank

from spheroid_jax.inference import objects, postprocess, runs

# Distances from the contour in grid pixels: the gap that the contour's own blur needs, the least
# width of the rings inside and outside, and their width over the body's equivalent radius.
_GAP = 2
_LEAST_RING = 4
_RING = 0.25
# Blur of the gradient, and the band of the texture, in grid pixels.
_BLUR = 1.5
_COARSE = 6.0
# A pixel between these probabilities is in doubt.
_DOUBT = (0.1, 0.9)
# MAD of a normal distribution to its standard deviation.
_MAD = 1.4826
# Pixels that a median needs.
_FEW = 20


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Scores of one image.

    Attributes:
      share: share of the image that the largest body covers.
      doubt: 1 - mean probability in the body.
      unsure: number of pixels in doubt over the body's number of pixels.
      contrast: absolute difference of the mean gray of the body's core and of the ring around it.
      edge_contrast: absolute difference of the median gray just inside and just outside.
      texture_ratio: granularity in the body's core over granularity in the ring.
      relief: median steepness in the body's core over mean steepness at the contour.
      ellipse_error: 1 - intersection over union of the body and the ellipse of its moments.
      noise: standard deviation of the pixel noise, robustly.
      signal_to_noise: edge contrast over noise.
      blur: width of the contour's blur, as the standard deviation of a Gaussian, in grid pixels.
      solidity: area over the area of the convex hull, of the body on the grid.
      border: share of the body's outline that lies on the image's edge.
      specks: share of the surroundings that are darker or brighter than their neighbourhood by more
        than half of the body's edge contrast.
      fragments: number of components that are too small for a body.
      bodies: number of bodies.
    """

    share: float
    doubt: float = math.nan
    unsure: float = math.nan
    contrast: float = math.nan
    edge_contrast: float = math.nan
    texture_ratio: float = math.nan
    relief: float = math.nan
    ellipse_error: float = math.nan
    noise: float = math.nan
    signal_to_noise: float = math.nan
    blur: float = math.nan
    solidity: float = math.nan
    border: float = math.nan
    specks: float = math.nan
    fragments: int = 0
    bodies: int = 0


def collect(grid: Float32[np.ndarray, "H W"], probability: Float32[np.ndarray, "H W"]) -> Evidence:
    """Computes all scores of one image.

    Args:
      grid: the normalised image on the grid, without what lies beyond the image.
      probability: the network's map of the same pixels.
    """
    labels = objects.label_bodies(probability)
    mask = labels == 1
    if not mask.any():
        return Evidence(share=0.0)
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
    texture = np.abs(ndimage.gaussian_filter(grid, _BLUR) - ndimage.gaussian_filter(grid, _COARSE))
    return Evidence(
        share=float(mask.mean()),
        doubt=1 - float(probability[mask].mean()),
        unsure=_unsure(probability, mask),
        contrast=abs(_mean(grid, core) - _mean(grid, ring)),
        edge_contrast=edge_contrast,
        texture_ratio=(_median(texture, core) + 1e-3) / (_median(texture, ring) + 1e-3),
        relief=_median(steepness, core) / (rim_steepness + 1e-3),
        ellipse_error=ellipse_error(mask),
        noise=noise,
        signal_to_noise=edge_contrast / (noise + 1e-3),
        blur=edge_contrast / (math.sqrt(2 * math.pi) * (rim_steepness + 1e-6)),
        solidity=_solidity(mask),
        border=_border(mask),
        specks=_specks(grid, ~mask & ~gap_outside & ~others, edge_contrast),
        fragments=components - int(labels.max()),
        bodies=int(labels.max()),
    )


def noise_level(grid: Float32[np.ndarray, "H W"]) -> float:
    """Standard deviation of what a blur of one pixel takes away, robustly."""
    return _MAD * float(np.median(np.abs(grid - ndimage.gaussian_filter(grid, 1.0))))


def ellipse_error(mask: Bool[np.ndarray, "H W"]) -> float:
    """1 - intersection over union of a body and the ellipse with the same second moments."""
    rows, columns = np.nonzero(mask)
    middle = np.array([rows.mean(), columns.mean()])
    # A pixel is a square with moments of its own.
    moments = np.cov(np.stack([rows, columns])) if len(rows) > 1 else np.zeros((2, 2))
    inverse = np.linalg.inv(moments + np.eye(2) / 12)
    offsets = np.moveaxis(np.indices(mask.shape), 0, -1) - middle
    ellipse = np.einsum("...i,ij,...j", offsets, inverse, offsets) <= 4
    return float(1 - np.count_nonzero(ellipse & mask) / np.count_nonzero(ellipse | mask))


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
