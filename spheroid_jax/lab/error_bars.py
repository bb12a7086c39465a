"""Error bars: low and high of a body's size and circularity, from the network's own doubt.

The body is cut out of the probability map at a high and at a low threshold. Half the difference of
the two sizes is the doubt; multiplied by a factor, the doubt gives the range around the value. The
factors were chosen on images with true masks so that 90 % of the true values lie in their ranges
(split conformal prediction: A. N. Angelopoulos and S. Bates, Found. Trends Mach. Learn. 16, 2023).
docs/evidence/measurements.md has the coverage on images that did not choose them.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32
from skimage import measure

from spheroid_jax.inference import postprocess
from spheroid_jax.lab.shape import Shape, circularity

# 8-bit probabilities at which the body is cut out.
_HIGH, _LOW = 204, 51


class Range(NamedTuple):
    """Low and high end of an error bar, in the unit of its measurement."""

    low: float
    high: float


class Doubt(NamedTuple):
    """Half the differences between a body at the low and at the high threshold.

    Attributes:
      area: of the natural logarithm of the area.
      circularity: of the circularity.
    """

    area: float
    circularity: float


def ranges(
    probability: Float32[np.ndarray, "H W"],
    mask: Bool[np.ndarray, "H W"],
    shape: Shape,
    factors: dict[str, float],
) -> dict[str, Range]:
    """Computes the error bars of one body.

    Args:
      probability: foreground probability in [0, 1].
      mask: the body.
      shape: the body's shape.
      factors: as in `rules.Rules.error_bars`. The doubt of an area is in natural logarithms, that
        of a circularity in its own unit; the floors are for bodies without any doubt.

    Returns:
      Ranges of "area", "equivalent_diameter", "volume_sphere" and "circularity"; areas in square
      pixels, and so on.
    """
    doubt = doubts(probability, mask, shape)
    spread = factors["area_factor"] * (doubt.area + factors["area_floor"])
    reach = factors["circularity_factor"] * (doubt.circularity + factors["circularity_floor"])
    area = Range(shape.area * math.exp(-spread), shape.area * math.exp(spread))
    diameter = Range(*(math.sqrt(4 * end / math.pi) for end in area))
    return {
        "area": area,
        "equivalent_diameter": diameter,
        "volume_sphere": Range(*(math.pi / 6 * end**3 for end in diameter)),
        "circularity": Range(max(shape.circularity - reach, 0.0), shape.circularity + reach),
    }


def doubts(
    probability: Float32[np.ndarray, "H W"], mask: Bool[np.ndarray, "H W"], shape: Shape
) -> Doubt:
    """Measures how much a body's size and circularity depend on the threshold."""
    frame = _frame(mask)
    probability, mask = probability[frame], mask[frame]
    narrow, wide = (_cut(probability, mask, threshold) for threshold in (_HIGH, _LOW))
    small = np.count_nonzero(narrow) or shape.area / math.e
    large = max(np.count_nonzero(wide), shape.area)
    round_small, round_large = (circularity(body) if body.any() else 0.0 for body in (narrow, wide))
    return Doubt(
        area=math.log(large / min(small, shape.area)) / 2,
        circularity=abs(round_large - round_small) / 2,
    )


def _frame(mask):
    """The slices of a body's own frame and half its size around, within the image."""
    slices = []
    for axis in (1, 0):
        at = np.flatnonzero(mask.any(axis))
        margin = (at[-1] - at[0]) // 2 + 2
        slices.append(slice(max(int(at[0] - margin), 0), int(at[-1] + margin)))
    return tuple(slices)


def _cut(probability, mask, threshold):
    """The component at a threshold that shares most pixels with the body, its holes filled."""
    filled = postprocess.fill_holes(postprocess.eight_bit(probability) > threshold)
    labels = measure.label(filled, connectivity=2)
    shared = np.bincount(labels[mask])
    shared[:1] = 0
    return labels == shared.argmax() if shared.any() else np.zeros(mask.shape, bool)
