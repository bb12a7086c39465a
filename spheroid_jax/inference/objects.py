"""Labels of the bodies in a probability map."""

import numpy as np
from jaxtyping import Float32, Int32
from skimage import measure

from spheroid_jax.inference import postprocess

# A component counts as a body from this share of the largest one's area; smaller ones are debris.
LEAST_SHARE = 0.1


def label_bodies(
    probability: Float32[np.ndarray, "H W"], *, threshold: int = postprocess.THRESHOLD
) -> Int32[np.ndarray, "H W"]:
    """Labels the bodies of an image, the largest first.

    The mask of body 1 is the mask that `postprocess.largest_body` gives.

    Args:
      probability: foreground probability in [0, 1].
      threshold: 8-bit value above which a pixel is foreground.

    Returns:
      0 in the background, and from 1 on the number of the body by falling area.
    """
    foreground = postprocess.eight_bit(probability) > threshold
    labels = measure.label(postprocess.fill_holes(foreground), connectivity=2)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    least = max(
        postprocess.scaled_min_area_px(max(probability.shape)), LEAST_SHARE * areas.max(), 1
    )
    # A stable sort: of two equally large bodies the first in reading order comes first.
    order = np.argsort(-areas, kind="stable")
    number = np.zeros(areas.size, np.int32)
    kept = [label for label in order if areas[label] >= least]
    number[kept] = np.arange(1, len(kept) + 1)
    return number[labels]
