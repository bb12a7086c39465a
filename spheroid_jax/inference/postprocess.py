"""Post-processing: from a probability map to the mask of one body (paper, section 2.5)."""

import numpy as np
from jaxtyping import Array, Bool, Float, UInt8

from spheroid_jax import images
from spheroid_jax.inference import runs

# Area of the smallest object in the paper, and the side of the grid that this area refers to.
MIN_AREA_PX = 64
# The 8-bit probability above which a pixel is foreground.
THRESHOLD = 120
PAPER_SIDE_PX = 480


def largest_body(
    probability: Float[np.ndarray, "H W"],
    *,
    threshold: int = THRESHOLD,
    min_area_px: float = MIN_AREA_PX,
) -> Bool[np.ndarray, "H W"]:
    """Makes the mask of the largest body from a probability map.

    The steps are those in the paper: round to 8 bits, apply the threshold, fill holes, remove small
    objects, and keep the largest connected component (`single_body`).

    Args:
      probability: foreground probability in [0, 1].
      threshold: pixels with a larger 8-bit value are foreground.
      min_area_px: objects with fewer pixels are removed.

    Returns:
      The mask; all false if no object is large enough.
    """
    return single_body(eight_bit(probability) > threshold, min_area_px=min_area_px)


def eight_bit(probability: Float[Array | np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Rounds probabilities to 8 bits, as in the paper: 0 to 0 and 1 to 255."""
    return np.round(np.asarray(probability) * 255).astype(np.uint8)


def eight_bit_map(probability: images.ImageMap) -> UInt8[np.ndarray, "H W"]:
    """Rounds a probability map at the size of its image to 8 bits, in stripes of columns."""
    height, width = probability.shape
    rounded = np.empty((height, width), np.uint8)
    for columns in images.stripes((width, height)):
        rounded[:, columns] = eight_bit(probability.window(columns=columns))
    return rounded


def single_body(
    foreground: Bool[np.ndarray, "H W"], *, min_area_px: float = MIN_AREA_PX
) -> Bool[np.ndarray, "H W"]:
    """Fills holes, and keeps the largest connected component.

    Objects are 8-connected and background is 4-connected, so background that reaches the frame
    only through a diagonal gap is a hole. If two objects are equally large, the first one in
    reading order is kept.

    Args:
      foreground: any mask.
      min_area_px: objects with fewer pixels are removed.

    Returns:
      The mask of one object; all false if no object is large enough.
    """
    found = runs.filled(runs.encode(foreground))
    labels = runs.components(found, diagonal=True)
    areas = runs.areas(found, labels)
    if not areas.size or areas.max() < max(min_area_px, 1):
        return np.zeros(foreground.shape, bool)
    return runs.paint(found.select(labels == areas.argmax()))


def fill_holes(mask: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Fills background that is not 4-connected to the border of the frame."""
    return runs.paint(runs.filled(runs.encode(mask)))


def scaled_min_area_px(side_px: int) -> float:
    """Scales the area of the smallest object to the resolution of an image.

    Args:
      side_px: longer side of the image.

    Returns:
      64 pixels, the area on a grid of 480 x 480, converted to pixels of the image.
    """
    return MIN_AREA_PX * (side_px / PAPER_SIDE_PX) ** 2
