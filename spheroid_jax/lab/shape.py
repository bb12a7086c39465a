"""Shape measurements of one body: size, perimeter, calipers, axes, roughness.

All lengths are in pixels. A pixel is a square of side 1, so a body's corners lie half a pixel
beyond its pixels' centres. `lab.columns` gives the formula and the source of each measurement.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy import spatial

from spheroid_jax import images
from spheroid_jax.inference import objects, runs
from spheroid_jax.inference.objects import Cutout

# The smallest equivalent diameter whose Crofton perimeter is right within 3 %: see
# docs/evidence/measurements.md. Circularity, convexity and roughness are as uncertain below it.
LEAST_DIAMETER_PX = 26.0
_RAYS = 360
_RAY_STEP_PX = 0.25
# Radius of the disc that smooths the core of a body, over the body's equivalent radius.
_CORE = 0.5


class Shape(NamedTuple):
    """Shape of one body; lengths in pixels, areas in square pixels, the rest without a unit.

    Attributes:
      area: number of pixels.
      equivalent_diameter: diameter of the disc of this area.
      perimeter: Crofton perimeter; the frame's edge counts where it cuts the body.
      circularity: 4 pi area / perimeter^2; not clipped, so up to 1 + the perimeter's error.
      roundness: 4 area / (pi major_axis^2).
      solidity: area / area of the convex hull.
      convexity: perimeter of the convex hull / perimeter.
      aspect_ratio: major axis / minor axis.
      eccentricity: of the ellipse with the body's second moments.
      major_axis: long axis of that ellipse.
      minor_axis: short axis of that ellipse.
      feret_max: largest distance of two parallel lines that enclose the body.
      feret_min: smallest distance of two parallel lines that enclose the body.
      feret_90: distance of the two enclosing lines that are parallel to the largest diameter.
      radial_roughness: standard deviation / mean of the radius over 360 rays from the centroid.
      invasion_index: area outside of the smoothed core / area of the core; NaN without a core.
      centroid_x: column of the centroid, from 0.
      centroid_y: row of the centroid, from 0.
      border_contact: length of the frame's edge that the body touches.
    """

    area: float
    equivalent_diameter: float
    perimeter: float
    circularity: float
    roundness: float
    solidity: float
    convexity: float
    aspect_ratio: float
    eccentricity: float
    major_axis: float
    minor_axis: float
    feret_max: float
    feret_min: float
    feret_90: float
    radial_roughness: float
    invasion_index: float
    centroid_x: float
    centroid_y: float
    border_contact: float


def measure_shape(mask: Bool[np.ndarray, "H W"]) -> Shape:
    """Measures the shape of one body.

    Args:
      mask: the body, one 8-connected component.

    Raises:
      ValueError: the mask is empty.
    """
    if not mask.any():
        raise ValueError("an empty mask has no shape")
    return measure_cutout(objects.cut(mask))


def measure_cutout(body: Cutout) -> Shape:
    """Measures the shape of one body, as `measure_shape`, in the body's own frame.

    The cost does not depend on the image's size, and needs a few bytes per pixel of the frame.
    """
    found = runs.encode(body.inside)
    area = float(np.count_nonzero(body.inside))
    perimeter = crofton_perimeter(body.inside)
    hull = _hull(found)
    feret_max, feret_min, feret_90 = calipers(hull)
    row, column, major, minor = _ellipse(found)
    return Shape(
        area=area,
        equivalent_diameter=math.sqrt(4 * area / math.pi),
        perimeter=perimeter,
        circularity=4 * math.pi * area / perimeter**2 if perimeter else math.nan,
        roundness=4 * area / (math.pi * major**2) if major else math.nan,
        solidity=area / _area(hull),
        convexity=_length(hull) / perimeter if perimeter else math.nan,
        aspect_ratio=major / minor if minor else math.nan,
        eccentricity=math.sqrt(max(1 - (minor / major) ** 2, 0)) if major else 0.0,
        major_axis=major,
        minor_axis=minor,
        feret_max=feret_max,
        feret_min=feret_min,
        feret_90=feret_90,
        radial_roughness=_radial_roughness(body.inside, hull, row, column),
        invasion_index=_invasion_index(found, area),
        centroid_x=column + body.left,
        centroid_y=row + body.top,
        border_contact=float(_border_contact(body)),
    )


def circularity(mask: Bool[np.ndarray, "H W"]) -> float:
    """Circularity of a body, as in `Shape`; the mask must not be empty."""
    perimeter = crofton_perimeter(mask)
    return 4 * math.pi * np.count_nonzero(mask) / perimeter**2 if perimeter else math.nan


def crofton_perimeter(mask: Bool[np.ndarray, "H W"]) -> float:
    """Perimeter of a mask by Cauchy and Crofton's formula along four directions.

    As `skimage.measure.perimeter_crofton`, which needs a hundred bytes per pixel: the contour is
    as long as it is often crossed by lines along rows, columns and both diagonals.
    """
    body = np.pad(mask, 1)
    straight = oblique = 0
    for rows in images.stripes((body.shape[0] - 1, body.shape[1])):
        upper, lower = body[rows], body[rows.start + 1 : rows.stop + 1]
        straight += np.count_nonzero(upper ^ lower)
        straight += np.count_nonzero(upper[:, 1:] ^ upper[:, :-1])
        oblique += np.count_nonzero(upper[:, :-1] ^ lower[:, 1:])
        oblique += np.count_nonzero(upper[:, 1:] ^ lower[:, :-1])
    return math.pi / 8 * (straight + oblique / math.sqrt(2))


def _ellipse(found):
    """Centroid, and axes of the ellipse with a body's second moments, as `regionprops` has them.

    Returns:
      Row and column of the centroid, the long axis and the short axis.
    """
    length = (found.stop - found.start).astype(np.float64)
    area = length.sum()
    middle = (found.start + found.stop - 1) / 2
    row, column = (length * found.row).sum() / area, (length * middle).sum() / area
    rows, columns = found.row - row, middle - column
    along = (length * columns**2).sum() + (length * (length**2 - 1)).sum() / 12
    moments = np.array([[(length * rows**2).sum(), (length * rows * columns).sum()], [0, along]])
    # Only the lower half is looked at.
    short, long = np.linalg.eigvalsh(moments.T / area).clip(min=0)
    return float(row), float(column), 4 * math.sqrt(long), 4 * math.sqrt(short)


def calipers(hull: Float[np.ndarray, "N 2"]) -> tuple[float, float, float]:
    """Measures a convex polygon with calipers: two parallel lines that enclose it.

    The smallest width of a convex polygon is perpendicular to one of its sides, so a turn over the
    sides finds it exactly; the sides of a rectangle of minimum area need not.

    Args:
      hull: corners in order.

    Returns:
      The largest diameter, the smallest width, and the width across the largest diameter.
    """
    distances = spatial.distance.squareform(spatial.distance.pdist(hull))
    first, second = np.unravel_index(distances.argmax(), distances.shape)
    largest = float(distances[first, second])
    sides = np.roll(hull, -1, axis=0) - hull
    sides = sides[np.linalg.norm(sides, axis=1) > 0]
    smallest = min(_width(hull, _across(side)) for side in sides)
    return largest, smallest, _width(hull, _across(hull[second] - hull[first]))


def _across(direction):
    """The unit vector across a direction."""
    return np.array([-direction[1], direction[0]]) / np.linalg.norm(direction)


def _width(points, direction):
    return float(np.ptp(points @ direction))


def _length(polygon):
    """Length of a closed polygon."""
    return float(np.linalg.norm(np.roll(polygon, -1, axis=0) - polygon, axis=1).sum())


def _area(polygon):
    """Area of a polygon, by the shoelace formula."""
    rows, columns = polygon.T
    return abs(float(rows @ np.roll(columns, -1) - columns @ np.roll(rows, -1))) / 2


def _hull(found):
    """Corners (N, 2) of the convex hull of a body's pixels, in order."""
    rows = np.unique(found.row)
    first = np.full(rows.size, found.shape[1])
    last = np.zeros(rows.size, int)
    at = np.searchsorted(rows, found.row)
    np.minimum.at(first, at, found.start)
    np.maximum.at(last, at, found.stop)
    corners = np.concatenate(
        [np.stack([rows + r, ends - 0.5], axis=1) for r in (-0.5, 0.5) for ends in (first, last)]
    )
    return corners[spatial.ConvexHull(corners).vertices]


def _radial_roughness(body, hull, row, column):
    """Standard deviation over mean of the radius over rays from the centroid."""
    reach = float(np.hypot(hull[:, 0] - row, hull[:, 1] - column).max()) + 1
    radii = np.arange(0, reach, _RAY_STEP_PX)
    # Whatever lies beyond the frame is background.
    body = np.pad(body, 1)
    last = np.zeros(_RAYS, int)
    for rays in np.array_split(np.arange(_RAYS), 12):
        angles = rays * (2 * math.pi / _RAYS)
        rows, columns = (
            np.rint(middle + 1 + np.outer(turn(angles), radii)).clip(0, side - 1).astype(np.int32)
            for middle, turn, side in (
                (row, np.sin, body.shape[0]),
                (column, np.cos, body.shape[1]),
            )
        )
        inside = body[rows, columns]
        # The outermost pixel on each ray; a ray from a centroid outside of the body may meet none.
        last[rays] = np.where(inside.any(1), radii.size - 1 - inside[:, ::-1].argmax(1), 0)
    lengths = radii[last]
    return float(lengths.std() / lengths.mean()) if lengths.mean() > 0 else math.nan


def _invasion_index(found, area):
    """Area outside of the core over the core; the core is the body opened with a disc."""
    radius = _CORE * math.sqrt(area / math.pi)
    height, width = found.shape
    # With a margin: beyond the frame is background.
    body = found.moved(1, 1, (height + 2, width + 2))
    background = runs.complement(body)
    eroded = runs.encode_parts(body.shape, lambda rows: ~runs.near(background, radius, rows))
    core = runs.encode_parts(body.shape, lambda rows: runs.near(eroded, radius, rows))
    count = int(runs.shared(core, body).sum())
    return (area - count) / count if count else math.nan


def _border_contact(body):
    """Number of pixel sides on the frame's edge that belong to the body."""
    (top, left), inside = (body.top, body.left), body.inside
    height, width = inside.shape
    edges = (
        (top == 0, inside[0]),
        (top + height == body.shape[0], inside[-1]),
        (left == 0, inside[:, 0]),
        (left + width == body.shape[1], inside[:, -1]),
    )
    return sum(np.count_nonzero(edge) for touches, edge in edges if touches)
