"""Crowds: a large body that a closer look shows to be many bodies is taken apart.

In the whole frame, neighbours can melt into one large body. So a large body is probed in a window
half as wide. Where that shows several bodies, what was one body is covered with windows in which
its parts are large enough, each of which gives the parts with their middle in its own cell.
"""

import math
from collections.abc import Iterator

import numpy as np

from spheroid_jax import images
from spheroid_jax.inference import closer, views
from spheroid_jax.inference.views import Network, Seen, View, Window, side_of

# Width of the probe over the longer side of the body's frame.
_PROBE = 0.5
# The body is a crowd where the probe shows at least so many parts, of at most this diameter over
# the probe's width, that cover at least this share of what the body covers of the probe.
_LEAST_PARTS = 4
_WIDEST_PART = 0.4
_COVERED = 0.4
# Diameter of a part over the side of its window, and the largest number of windows.
_SHARE = 0.2
_MOST_WINDOWS = 48


# First and last row and column, as floats.
Cell = tuple[tuple[float, float], ...]


def taken_apart(network: Network, gray: images.Gray, size: int, found: list[Seen]) -> list[Seen]:
    """Replaces large bodies that are crowds by their parts.

    Args:
      network: computes maps.
      gray: the image.
      size: side of the grid in pixels.
      found: bodies of the whole frame.
    """
    kept = []
    for seen in found:
        parts = []
        # Smaller ones are looked at in a window of their own anyway.
        if seen.diameter >= closer.SMALL * size * seen.view.step:
            parts = _parts(network, gray, size, seen)
        kept += parts or [seen]
    return kept


def _parts(network, gray, size, seen):
    """Returns the bodies that a body falls into; [] where it is one."""
    longest = max(last - start for start, last in seen.frame)
    side = max(_PROBE * longest, size / closer.MOST_ENLARGED)
    probe = closer.window_around(seen.frame, side, gray.shape)
    (view,) = views.see(network, gray, size, [probe])
    own = views.projected(seen, view)
    pieces = list(_pieces(view, own))
    diameters = [part.diameter for part in pieces]
    covered = sum(np.count_nonzero(part.mask) for part in pieces)
    if (
        len(pieces) < _LEAST_PARTS
        or max(diameters) > _WIDEST_PART * max(side_of(probe))
        or covered < _COVERED * np.count_nonzero(own)
    ):
        return []
    tiles = list(_tiles(seen, gray.shape, size, float(np.median(diameters)), max(diameters)))
    seen_in = views.see(network, gray, size, [window for window, _ in tiles])
    return [
        part
        for tile, (_, cell) in zip(seen_in, tiles, strict=True)
        for part in _in_cell(tile, cell, seen)
    ]


def _tiles(seen, shape, size, diameter, widest) -> Iterator[tuple[Window, Cell]]:
    """Yields windows that cover a body's frame, each with the cell that is its own."""
    height, width = (last - start for start, last in seen.frame)
    side = max(diameter / _SHARE, 2.5 * widest, size / closer.MOST_ENLARGED)
    margin = 1.2 * widest / 2
    side = max(side, math.sqrt(height * width / _MOST_WINDOWS) + 2 * margin)
    cells = [
        np.linspace(start, last, max(1, math.ceil((last - start) / (side - 2 * margin))) + 1)
        for start, last in seen.frame
    ]
    for top, bottom in zip(cells[0][:-1], cells[0][1:], strict=True):
        for left, right in zip(cells[1][:-1], cells[1][1:], strict=True):
            cell = ((top, bottom), (left, right))
            yield closer.window_around(cell, side, shape), cell


def _pieces(view, own) -> Iterator[Seen]:
    """Yields the bodies of a view that belong to the body whose mask there is `own`."""
    for part in views.bodies_of(view, looks=2):
        if np.mean(own[part.mask]) > closer.SAME:
            yield part


def _in_cell(tile: View, cell: Cell, seen: Seen) -> Iterator[Seen]:
    """Yields the parts of a body whose middle lies in a tile's own cell."""
    for part in _pieces(tile, views.projected(seen, tile)):
        middle = [(start + last) / 2 for start, last in part.frame]
        if all(start <= at < last for at, (start, last) in zip(middle, cell, strict=True)):
            yield part
