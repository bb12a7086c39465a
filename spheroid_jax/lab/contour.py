"""Contour of a body as a polygon along the edges of its pixels."""

import numpy as np
from jaxtyping import Bool, Float

from spheroid_jax import images
from spheroid_jax.inference.objects import Cutout

# How far a simplified polygon may be from the contour, in pixels.
_TOLERANCE = 0.5
# Ways of the contour through a square of four pixels, of which bits 1, 2, 4 and 8 say which are
# foreground: upper left, upper right, lower left, lower right (marching squares). A way leads from
# one side of the square to another, with the foreground on the same hand. Foreground pixels that
# touch at a corner alone are apart.
_TOP, _BOTTOM, _LEFT, _RIGHT = range(4)
_WAYS = {
    1: [(_TOP, _LEFT)],
    2: [(_RIGHT, _TOP)],
    3: [(_RIGHT, _LEFT)],
    4: [(_LEFT, _BOTTOM)],
    5: [(_TOP, _BOTTOM)],
    6: [(_RIGHT, _TOP), (_LEFT, _BOTTOM)],
    7: [(_RIGHT, _BOTTOM)],
    8: [(_BOTTOM, _RIGHT)],
    9: [(_TOP, _LEFT), (_BOTTOM, _RIGHT)],
    10: [(_BOTTOM, _TOP)],
    11: [(_BOTTOM, _LEFT)],
    12: [(_LEFT, _RIGHT)],
    13: [(_TOP, _RIGHT)],
    14: [(_LEFT, _TOP)],
}


def polygon(body: Cutout) -> Float[np.ndarray, "N 2"]:
    """Returns the outer contour of a body as a polygon.

    Args:
      body: one component without holes.

    Returns:
      (N, 2), float64: x and y of the corners, not closed.
    """
    longest = max(_contours(np.pad(body.inside, 1)), key=len)
    closed = np.concatenate([longest, longest[:1]])
    kept = closed[_simplified(closed, _TOLERANCE)]
    if len(kept) < 4:
        kept = closed
    # A pixel's centre is at a half; the margin of one pixel is taken away.
    offset = np.array([body.top, body.left]) - 0.5
    return (kept[:-1] + offset)[:, ::-1]


def _contours(mask: Bool[np.ndarray, "H W"]):
    """Yields each closed contour: rows and columns of the middles between two pixels, in order."""
    width = 2 * mask.shape[1]
    parts = [_squares(mask, rows) for rows in images.stripes((len(mask) - 1, width))]
    rows, columns, code = (np.concatenate(each) for each in zip(*parts, strict=True))
    # Middles have even and odd coordinates in units of half a pixel, and so a number each.
    middles = np.array([[0, 1], [2, 1], [1, 0], [1, 2]]) @ [width, 1]
    corner = 2 * rows * width + 2 * columns
    follows = {}
    for which, ways in _WAYS.items():
        there = corner[code == which]
        for begin, end in ways:
            begins, ends = there + middles[begin], there + middles[end]
            follows.update(zip(begins.tolist(), ends.tolist(), strict=True))
    for start in sorted(follows):
        line = []
        while start in follows:
            line.append(start)
            start = follows.pop(start)
        if line:
            yield np.stack(np.divmod(np.array(line), width), axis=1) / 2


def _squares(mask, rows):
    """Rows, columns and bits of the squares that the contour goes through."""
    upper, lower = (mask[rows.start + n : rows.stop + n].view(np.uint8) for n in (0, 1))
    code = upper[:, :-1] | upper[:, 1:] << 1 | lower[:, :-1] << 2 | lower[:, 1:] << 3
    at = np.nonzero((code > 0) & (code < 15))
    return at[0] + rows.start, at[1], code[at]


def _simplified(points, tolerance):
    """Chooses the corners of a line so that no point is further than `tolerance` away from it.

    The algorithm of Douglas and Peucker (1973): a stretch is cut at its furthest point. All
    stretches of one depth are cut at once.

    Returns:
      (N,), boolean.
    """
    kept = np.zeros(len(points), bool)
    kept[[0, -1]] = True
    first, last = np.array([0]), np.array([len(points) - 1])
    while True:
        first, last = first[last - first > 1], last[last - first > 1]
        if not len(first):
            return kept
        number = last - first - 1
        begins = np.cumsum(number) - number
        of = np.repeat(np.arange(len(first)), number)
        at = np.arange(len(of)) - begins[of] + first[of] + 1
        distance = _distance(points[at], points[first][of], points[last][of])
        furthest = np.maximum.reduceat(distance, begins)
        # Of equally far points the first.
        found = np.flatnonzero(distance == furthest[of])
        found = found[np.unique(of[found], return_index=True)[1]]
        cut = at[found[furthest > tolerance]]
        kept[cut] = True
        far = furthest > tolerance
        first, last = (
            np.concatenate([first[far], cut]),
            np.concatenate([cut, last[far]]),
        )


def _distance(points, begin, end):
    """Distance of points (N, 2) to the stretches from `begin` to `end`, (N, 2) each."""
    along = end - begin
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    share = (((points - begin) * along).sum(axis=1) / length).clip(0, 1)
    return np.linalg.norm(points - begin - share[:, np.newaxis] * along, axis=1)
