"""Orientation tags of TIFF and EXIF, by which stored pixels are turned upright."""

import numpy as np
from jaxtyping import Shaped

TAG = 274
# By the tag's value: where the first row and the first column lie.
_TURNS = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}


def turned(pixels: Shaped[np.ndarray, "..."], orientation: int) -> Shaped[np.ndarray, "..."]:
    """Turns pixels (H, W) or (H, W, C) upright; an invalid orientation changes nothing."""
    return _TURNS[orientation](pixels) if orientation in _TURNS else pixels


def swaps_sides(orientation: int) -> bool:
    """Returns whether height and width are swapped when pixels are turned upright."""
    return orientation in (5, 6, 7, 8)
