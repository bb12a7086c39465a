"""From a probability map to the mask of one body (paper, section 2.5)."""

import numpy as np
from skimage import measure

# The paper's smallest object, and the grid that it is measured on.
MIN_AREA_PX = 64
PAPER_SIDE_PX = 480


def largest_body(probability, *, threshold=120, min_area_px=MIN_AREA_PX):
    """Makes the mask of the largest body.

    The paper's steps: store as 8 bit, threshold, fill holes, remove small
    objects, keep the largest connected component (`single_body`).

    Args:
      probability: (H, W), foreground probability in [0, 1].
      threshold: 8-bit value above which a pixel is foreground.
      min_area_px: objects of fewer pixels are removed.

    Returns:
      (H, W), boolean; empty where nothing is large enough.
    """
    return single_body(eight_bit(probability) > threshold, min_area_px=min_area_px)


def eight_bit(probability):
    """The paper's storage of a probability map: uint8, 255 for 1."""
    return np.round(np.asarray(probability) * 255).astype(np.uint8)


def single_body(foreground, *, min_area_px=MIN_AREA_PX):
    """Fills holes, and keeps the largest connected component.

    Holes are 4-connected (background that touches the frame through a
    diagonal gap only is filled), objects are 8-connected. Of two equally large
    objects the first in reading order is kept.

    Args:
      foreground: (H, W), boolean.
      min_area_px: objects of fewer pixels are removed.

    Returns:
      (H, W), boolean; empty where nothing is large enough.
    """
    filled = _fill_holes(foreground)
    labels = measure.label(filled, connectivity=2)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    largest = int(areas.argmax())
    if areas[largest] < max(min_area_px, 1):
        return np.zeros(filled.shape, bool)
    return labels == largest


def _fill_holes(mask):
    """Fills background that is not 4-connected to the frame's edge.

    By labels: one pass over the image, where
    `scipy.ndimage.binary_fill_holes` dilates from the border step by step.
    """
    labels = measure.label(~mask, connectivity=1)  # Foreground is 0.
    outside = np.zeros(labels.max() + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside[edge] = True
    outside[0] = False
    return ~outside[labels]


def scaled_min_area_px(side_px):
    """Scales the paper's 64 pixels to an image of another resolution.

    Args:
      side_px: the image's longer side, which the grid's side stands for.

    Returns:
      The area, in that image's pixels, of 64 pixels at 480 x 480.
    """
    return MIN_AREA_PX * (side_px / PAPER_SIDE_PX) ** 2
