"""Columns of the tables: name, unit, meaning, formula and source of each, in one place.

`docs/reference/columns.md` and the `columns.md` beside every table are made from this module. Sizes
have a column in pixels and one in micrometres, which is empty where the pixel size is unknown.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from spheroid_jax.lab.bodies import Body
from spheroid_jax.report.sheets import Column

# What a column in pixels is called in micrometres, by the power of the length.
_UNITS = {1: ("px", "um"), 2: ("px2", "um2"), 3: ("px3", "um3")}


class Measurement(NamedTuple):
    """A measurement of a body: a column, or two where it is a length, an area or a volume.

    Attributes:
      column: its name has no unit yet where `power` is not 0.
      power: 1 for a length, 2 for an area, 3 for a volume, else 0.
      value: function of a `Body` that gives the value, with lengths in pixels.
    """

    column: Column
    power: int
    value: Callable[[Body], float]


def _shape(name):
    return lambda body: getattr(body.shape, name)


def _intensity(name):
    return lambda body: getattr(body.intensity, name)


def _end(name, end):
    return lambda body: getattr(body.ranges[name], end)


def _volume(scale, *lengths):
    return lambda body: scale * math.prod(getattr(body.shape, name) for name in lengths)


def _bars(name, power, of):
    return [
        Measurement(
            Column(
                f"{name}_{end}",
                f"{end} end of the error bar of the {of}",
                "network's doubt x a calibrated factor; see measurements.md",
            ),
            power,
            _end(name, end),
        )
        for end in ("low", "high")
    ]


_IMAGEJ = "ImageJ, Analyze > Set Measurements"
_SPHEROID_SIZER = "SpheroidSizer, W. Chen et al., J. Vis. Exp. 89, e51639, 2014"
MEASUREMENTS = (
    Measurement(
        Column("area", "area of the body", "number of pixels, holes filled"), 2, _shape("area")
    ),
    *_bars("area", 2, "area"),
    Measurement(
        Column(
            "core_area",
            "area of the dense core in a pale rim or halo, where `area` counts both; empty for a "
            "model that does not tell cores",
            "share of the body's pixels whose core probability is above 0.5, x area",
        ),
        2,
        lambda body: body.core_area,
    ),
    Measurement(
        Column("equivalent_diameter", "diameter of the disc of this area", "sqrt(4 area / pi)"),
        1,
        _shape("equivalent_diameter"),
    ),
    *_bars("equivalent_diameter", 1, "equivalent diameter"),
    Measurement(
        Column(
            "volume_sphere",
            "volume of the sphere with the equivalent diameter; the default volume",
            "pi / 6 x equivalent_diameter^3",
        ),
        3,
        _volume(math.pi / 6, *["equivalent_diameter"] * 3),
    ),
    *_bars("volume_sphere", 3, "volume of the sphere"),
    Measurement(
        Column(
            "volume_prolate",
            "volume of the ellipsoid with one long and two short axes",
            "pi / 6 x major_axis x minor_axis^2",
        ),
        3,
        _volume(math.pi / 6, "major_axis", "minor_axis", "minor_axis"),
    ),
    Measurement(
        Column(
            "volume_caliper",
            "volume as with a caliper; 4.5 % below that of the ellipsoid of the same axes",
            "0.5 x feret_max x feret_90^2",
            _SPHEROID_SIZER,
        ),
        3,
        _volume(0.5, "feret_max", "feret_90", "feret_90"),
    ),
    Measurement(
        Column(
            "perimeter",
            "length of the contour; where the frame cuts the body, along the frame",
            "Crofton's formula in four directions",
            "scikit-image, perimeter_crofton",
        ),
        1,
        _shape("perimeter"),
    ),
    Measurement(
        Column(
            "circularity",
            "1 for a disc, less for any other shape; not clipped",
            "4 pi area / perimeter^2",
            _IMAGEJ,
        ),
        0,
        _shape("circularity"),
    ),
    *_bars("circularity", 0, "circularity"),
    Measurement(
        Column(
            "roundness",
            "1 for a disc, less for elongated shapes",
            "4 area / (pi major_axis^2)",
            _IMAGEJ,
        ),
        0,
        _shape("roundness"),
    ),
    Measurement(
        Column(
            "solidity",
            "share of the convex hull that the body fills",
            "area / area of the hull",
            _IMAGEJ,
        ),
        0,
        _shape("solidity"),
    ),
    Measurement(
        Column(
            "convexity",
            "1 for a smooth contour, less for a rough one",
            "perimeter of the hull / perimeter",
        ),
        0,
        _shape("convexity"),
    ),
    Measurement(
        Column("aspect_ratio", "elongation, 1 for a disc", "major_axis / minor_axis", _IMAGEJ),
        0,
        _shape("aspect_ratio"),
    ),
    Measurement(
        Column(
            "eccentricity",
            "elongation, 0 for a disc, below 1",
            "sqrt(1 - (minor_axis / major_axis)^2)",
        ),
        0,
        _shape("eccentricity"),
    ),
    Measurement(
        Column(
            "major_axis",
            "long axis of the ellipse with the same second moments",
            "",
            "scikit-image, regionprops",
        ),
        1,
        _shape("major_axis"),
    ),
    Measurement(
        Column("minor_axis", "short axis of that ellipse", "", "scikit-image, regionprops"),
        1,
        _shape("minor_axis"),
    ),
    Measurement(
        Column("feret_max", "largest caliper diameter", "over the corners of the pixels", _IMAGEJ),
        1,
        _shape("feret_max"),
    ),
    Measurement(
        Column("feret_min", "smallest caliper diameter", "over the corners of the pixels", _IMAGEJ),
        1,
        _shape("feret_min"),
    ),
    Measurement(
        Column(
            "feret_90",
            "caliper diameter across the largest one",
            "over the corners of the pixels",
            _SPHEROID_SIZER,
        ),
        1,
        _shape("feret_90"),
    ),
    Measurement(
        Column(
            "radial_roughness",
            "0 for a disc; how much the radius varies",
            "standard deviation / mean of the radius over 360 rays from the centroid",
        ),
        0,
        _shape("radial_roughness"),
    ),
    Measurement(
        Column(
            "invasion_index",
            "how much of the body lies outside of its smooth core",
            "(area - core) / core; the core is the body opened with a disc of half its radius",
        ),
        0,
        _shape("invasion_index"),
    ),
    Measurement(
        Column("centroid_x_px", "column of the centroid, from 0 at the left"),
        0,
        _shape("centroid_x"),
    ),
    Measurement(
        Column("centroid_y_px", "row of the centroid, from 0 at the top"), 0, _shape("centroid_y")
    ),
    Measurement(
        Column("border_contact", "length of the frame's edge that cuts the body"),
        1,
        _shape("border_contact"),
    ),
    Measurement(
        Column("intensity_mean", "mean gray level, in the file's own units"), 0, _intensity("mean")
    ),
    Measurement(
        Column("intensity_sd", "standard deviation of the gray levels"), 0, _intensity("sd")
    ),
    Measurement(Column("intensity_min", "smallest gray level"), 0, _intensity("min")),
    Measurement(
        Column(
            "contrast",
            "how much darker the body is than a ring around it; negative for a brighter one",
            "(mean of the ring - mean of the body) / (99th - 1st percentile of the image)",
        ),
        0,
        _intensity("contrast"),
    ),
    Measurement(
        Column(
            "rim_sharpness_per_px",
            "steepness of the contour; low where it is out of focus",
            "mean gradient at the contour / (99th - 1st percentile of the image)",
        ),
        0,
        _intensity("rim_sharpness"),
    ),
    Measurement(
        Column("probability_mean", "mean foreground probability in the body, 0 to 1"),
        0,
        lambda body: body.probability,
    ),
    Measurement(
        Column(
            "confidence",
            "how sure the network is of the body, 0 to 1",
            "probability_mean x the largest marker probability in the body; for a model without "
            "markers, probability_mean",
        ),
        0,
        lambda body: body.confidence,
    ),
)


def columns() -> list[Column]:
    """Lists the columns of all measurements, in the order of the tables."""
    return [
        measurement.column._replace(name=name)
        for measurement in MEASUREMENTS
        for name in _names(measurement)
    ]


def values(body: Body, pixel_size_um: float | None) -> dict[str, float | None]:
    """Computes the row of one body.

    Args:
      body: the body.
      pixel_size_um: side of a pixel, or None.

    Returns:
      Values by column; None in micrometres where the pixel size is unknown, and where a value is
      not a number.
    """
    row = {}
    for measurement in MEASUREMENTS:
        names = _names(measurement)
        value = measurement.value(body)
        scales: Iterable[Any] = (1.0,)
        if measurement.power:
            scales = (pixel_size_um and pixel_size_um**measurement.power, 1.0)
        for name, scale in zip(names, scales, strict=True):
            row[name] = value * scale if scale and math.isfinite(value) else None
    return row


def _names(measurement):
    """One name, or the names in micrometres and in pixels, in this order."""
    if not measurement.power:
        return (measurement.column.name,)
    px, um = _UNITS[measurement.power]
    name = measurement.column.name
    return (f"{name}_{um}", f"{name}_{px}")
