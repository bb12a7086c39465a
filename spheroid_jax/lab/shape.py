"""Shape measurements of one body: size, perimeter, calipers, axes, roughness.

All lengths are in pixels. A pixel is a square of side 1, so a body's corners lie half a pixel
beyond its pixels' centres. `lab.columns` gives the formula and the source of each measurement.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage, spatial
from skimage import measure

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
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    # Of the body's own frame and a margin: the cost does not depend on the image's size, and the
    # image's edge is a contour like any other.
    body = np.pad(mask[top : rows[-1] + 1, left : columns[-1] + 1], 1)
    props = measure.regionprops(body.astype(np.uint8))[0]
    area = float(props.area)
    perimeter = float(measure.perimeter_crofton(body, directions=4))
    hull = _hull(body)
    feret_max, feret_min, feret_90 = calipers(hull)
    row, column = props.centroid
    major, minor = float(props.axis_major_length), float(props.axis_minor_length)
    return Shape(
        area=area,
        equivalent_diameter=math.sqrt(4 * area / math.pi),
        perimeter=perimeter,
        circularity=4 * math.pi * area / perimeter**2 if perimeter else math.nan,
        roundness=4 * area / (math.pi * major**2) if major else math.nan,
        solidity=area / _area(hull),
        convexity=_length(hull) / perimeter if perimeter else math.nan,
        aspect_ratio=major / minor if minor else math.nan,
        eccentricity=float(props.eccentricity),
        major_axis=major,
        minor_axis=minor,
        feret_max=feret_max,
        feret_min=feret_min,
        feret_90=feret_90,
        radial_roughness=_radial_roughness(body, row, column),
        invasion_index=_invasion_index(body, area),
        centroid_x=column - 1 + left,
        centroid_y=row - 1 + top,
        border_contact=float(_border_contact(mask)),
    )


def circularity(mask: Bool[np.ndarray, "H W"]) -> float:
    """Circularity of a body, as in `Shape`; the mask must not be empty."""
    body = np.pad(mask, 1)
    perimeter = float(measure.perimeter_crofton(body, directions=4))
    return 4 * math.pi * np.count_nonzero(body) / perimeter**2 if perimeter else math.nan


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


def _hull(body):
    """Corners (N, 2) of the convex hull of a body's pixels, in order."""
    rows, columns = np.nonzero(body ^ ndimage.binary_erosion(body))
    corners = np.concatenate(
        [np.stack([rows + r, columns + c], axis=1) for r in (-0.5, 0.5) for c in (-0.5, 0.5)]
    )
    return corners[spatial.ConvexHull(corners).vertices]


def _radial_roughness(body, row, column):
    """Standard deviation over mean of the radius over rays from the centroid."""
    rows, columns = np.nonzero(body)
    reach = float(np.hypot(rows - row, columns - column).max()) + 1
    radii = np.arange(0, reach, _RAY_STEP_PX)
    angles = np.arange(_RAYS) * (2 * math.pi / _RAYS)
    at = [
        np.rint(middle + np.outer(turn(angles), radii)).astype(np.intp)
        for middle, turn in ((row, np.sin), (column, np.cos))
    ]
    inside = np.zeros((_RAYS, radii.size), bool)
    on = np.logical_and.reduce(
        [(a >= 0) & (a < side) for a, side in zip(at, body.shape, strict=True)]
    )
    inside[on] = body[at[0][on], at[1][on]]
    # The outermost pixel on each ray; a ray from a centroid outside of the body may meet none.
    last = np.where(inside.any(1), radii.size - 1 - inside[:, ::-1].argmax(1), 0)
    lengths = radii[last]
    return float(lengths.std() / lengths.mean()) if lengths.mean() > 0 else math.nan


def _invasion_index(body, area):
    """Area outside of the core over the core; the core is the body opened with a disc."""
    radius = _CORE * math.sqrt(area / math.pi)
    eroded = ndimage.distance_transform_edt(body) > radius
    if not eroded.any():
        return math.nan
    core = (ndimage.distance_transform_edt(~eroded) <= radius) & body
    count = int(core.sum())
    return (area - count) / count


def _border_contact(mask):
    """Number of pixel sides on the frame's edge that belong to the body."""
    edges = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    return sum(int(edge.sum()) for edge in edges)
