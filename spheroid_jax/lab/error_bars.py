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
from jaxtyping import UInt8

from spheroid_jax.inference import runs
from spheroid_jax.inference.objects import Cutout, cut_runs
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
    eight_bit: UInt8[np.ndarray, "H W"],
    body: Cutout,
    shape: Shape,
    factors: dict[str, float],
) -> dict[str, Range]:
    """Computes the error bars of one body.

    Args:
      eight_bit: foreground probability of the image, as returned by `postprocess.eight_bit`.
      body: the body.
      shape: the body's shape.
      factors: as in `rules.Rules.error_bars`. The doubt of an area is in natural logarithms, that
        of a circularity in its own unit; the floors are for bodies without any doubt.

    Returns:
      Ranges of "area", "equivalent_diameter", "volume_sphere" and "circularity"; areas in square
      pixels, and so on.
    """
    doubt = doubts(eight_bit, body, shape)
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


def doubts(eight_bit: UInt8[np.ndarray, "H W"], body: Cutout, shape: Shape) -> Doubt:
    """Measures how much a body's size and circularity depend on the threshold."""
    rows, columns = _frame(body)
    levels, mask = eight_bit[rows, columns], runs.encode(body.window(rows, columns))
    narrow, wide = (_cut(levels, mask, threshold) for threshold in (_HIGH, _LOW))
    small = _area(narrow) or shape.area / math.e
    large = max(_area(wide), shape.area)
    round_small, round_large = (_circularity(each) for each in (narrow, wide))
    return Doubt(
        area=math.log(large / min(small, shape.area)) / 2,
        circularity=abs(round_large - round_small) / 2,
    )


def _frame(body):
    """Rows and columns of a body's own frame and half its size around, within the image."""
    margins = [(side - 1) // 2 + 2 for side in body.inside.shape]
    return tuple(
        slice(max(at.start - margin, 0), min(at.stop - 1 + margin, side))
        for at, margin, side in zip(body.slices, margins, body.shape, strict=True)
    )


def _cut(levels, mask, threshold):
    """The component at a threshold that shares most pixels with the body, its holes filled."""
    found = runs.filled(runs.encode(levels, threshold))
    labels = runs.components(found, diagonal=True)
    common = np.bincount(labels, weights=runs.shared(found, mask))
    return found.select(labels == common.argmax() if common.any() else slice(0))


def _area(found):
    return int((found.stop - found.start).sum())


def _circularity(found):
    return circularity(cut_runs(found).inside) if len(found.row) else 0.0
