"""Windows at random zoom: where a crop is cut out of an image, so that bodies have any size in it.

Crops are cut around a body, off its middle, or anywhere.
"""

import numpy as np
from jaxtyping import Integer

# Diameter of the body that a window is put around, over the window's side; log-uniform. A window
# is no larger than the image.
_SHARES = (0.05, 1.1)
# Share of the windows that are put around a body; the rest is put anywhere.
_AROUND = 0.9
# Longest distance of that body's centre from the window's centre, over the side of the window.
_FARTHEST = 0.45


def draw_window(
    labels: Integer[np.ndarray, "H W"], rng: np.random.Generator, least_px: float
) -> tuple[slice, ...]:
    """Draws the place of a window.

    Args:
      labels: the bodies of the whole image.
      rng: generator.
      least_px: smallest side of a window, in pixels of the image.

    Returns:
      The slices of rows and columns, inside the image.
    """
    longest = max(labels.shape)
    bodies = np.unique(labels[labels > 0])
    middle, side = rng.random(2) * labels.shape, longest * rng.uniform(0.2, 1)
    if len(bodies) and rng.random() < _AROUND:
        rows, columns = np.nonzero(labels == rng.choice(bodies))
        diameter = 2 * np.sqrt(len(rows) / np.pi)
        least, largest = _SHARES
        shares = max(least, diameter / longest), max(largest, diameter / longest)
        side = diameter / np.exp(rng.uniform(*np.log(shares)))
        away = rng.uniform(-_FARTHEST, _FARTHEST, 2) * side
        middle = np.array([rows.mean(), columns.mean()]) + away
    side = float(np.clip(side, min(least_px, longest), longest))
    return tuple(_within(at, side, length) for at, length in zip(middle, labels.shape, strict=True))


def _within(middle, side, length):
    """Returns the slice of a window along one axis, moved so that it lies in the image."""
    side = min(round(side), length)
    start = int(np.clip(round(middle - side / 2), 0, length - side))
    return slice(start, start + side)
