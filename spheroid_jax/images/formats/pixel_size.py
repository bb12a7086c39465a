"""Pixel sizes in micrometres, from OME-XML, ImageJ's description and TIFF resolution tags.

A size is returned only if the file states a size that is plausible for a microscope. Resolutions of
printers and screens are ignored, because programs write 72, 96 or 300 dots per inch into any file.
"""

import math

# Micrometres per unit; OME-XML writes the symbols, ImageJ words as well.
_UM = {
    **dict.fromkeys(("\u00b5m", "\u03bcm", "um", "micron", "microns", "micrometer"), 1.0),
    **dict.fromkeys(("nm", "nanometer"), 1e-3),
    **dict.fromkeys(("pm",), 1e-6),
    **dict.fromkeys(("\u00c5", "angstrom"), 1e-4),
    **dict.fromkeys(("mm", "millimeter"), 1e3),
    **dict.fromkeys(("cm", "centimeter"), 1e4),
    **dict.fromkeys(("m", "meter"), 1e6),
    **dict.fromkeys(("in", "inch", '"'), 25_400.0),
}
# Resolutions of printers, in dots per inch, that would make a pixel of a possible size. All that
# are lower, as 72, 96 and 300, make a pixel larger than any microscope's.
_PRINTERS_DPI = (600, 720, 1200, 1440, 2400, 2880, 3600, 4800, 5760, 9600)
_SMALLEST_UM, _LARGEST_UM = 1e-3, 50.0
# How far the sides of a pixel may differ, as a share.
_SQUARE = 0.01


def from_sides(x_um: float | None, y_um: float | None) -> float | None:
    """Returns the side of a square pixel; None if a side is unknown or the two sides differ."""
    if x_um is None or y_um is None or abs(x_um - y_um) > _SQUARE * max(x_um, y_um):
        return None
    return (x_um + y_um) / 2


def from_length(length: str | float | None, unit: str) -> float | None:
    """Converts a length to micrometres; returns None if the value is not a length.

    Args:
      length: a positive number, or its text.
      unit: a unit of OME-XML or ImageJ; units of unknown length, such as "pixel", give None.
    """
    factor = _UM.get(unit if unit in _UM else unit.strip().lower())
    if length is None or factor is None:
        return None
    try:
        size = float(length) * factor
    except ValueError:
        return None
    return size if math.isfinite(size) and size > 0 else None


def from_resolution(pixels_per_unit: float, unit: str) -> float | None:
    """Converts a resolution to the side of a pixel; returns None if it is not plausible.

    Args:
      pixels_per_unit: value of a resolution tag.
      unit: "inch", "cm", or the unit of ImageJ's description.
    """
    if not pixels_per_unit or not math.isfinite(pixels_per_unit):
        return None
    size = from_length(1 / pixels_per_unit, unit)
    if size is None or not _SMALLEST_UM <= size <= _LARGEST_UM:
        return None
    dpi = _UM["inch"] / size
    # Rounding: 600 dpi are 236.22 pixels per cm.
    if any(abs(dpi - printer) < 1e-3 * printer for printer in _PRINTERS_DPI):
        return None
    return size
