"""Segmentation with a trained model: the only inference path."""

from typing import NamedTuple

import jax
import numpy as np

from spheroid_jax import images, postprocess


class Segmentation(NamedTuple):
    """What `segment` gives, at the image's own height and width.

    Attributes:
      mask: (H, W), boolean: the largest body; empty where there is none.
      probability: (H, W), float32 in [0, 1]: of being foreground.
    """

    mask: np.ndarray
    probability: np.ndarray


def segment(params, image):
    """Segments the spheroid in one image.

    The image is normalised and brought onto the model's square grid (one
    shape, so the network is compiled once a model, whatever the images'
    sizes); the probability map is brought back to the image's own size,
    thresholded, filled and cleaned there (paper, section 2.5), with the
    smallest area scaled to its resolution.

    Args:
      params: what `load` gives.
      image: (H, W) or (H, W, C), uint8, uint16 or float, sides >= 32 px.

    Returns:
      `Segmentation`.

    Raises:
      ImageError: the image cannot be used (a ValueError).
    """
    image = np.asarray(image)
    grid, box = images.preprocess(image, params.size)
    on_grid = np.asarray(grid_probability(params, grid[np.newaxis]))[0]
    shape = image.shape[:2]
    probability = images.resample(box.crop(on_grid), shape)
    mask = postprocess.largest_body(
        probability,
        min_area_px=postprocess.scaled_min_area_px(max(shape)),
    )
    return Segmentation(mask, probability)


@jax.jit
def grid_probability(params, grids):
    """Computes foreground probabilities on the grid.

    Args:
      params: `Params`.
      grids: (B, S, S), float32, what `images.preprocess` makes.

    Returns:
      (B, S, S), float32 in [0, 1].
    """
    logits = params.model().apply(params.variables, grids[..., np.newaxis])
    return jax.nn.softmax(logits)[..., 1]


def grid_mask(probability, labels):
    """Post-processes on the grid, as for the paper's tables.

    Args:
      probability: (S, S), of `grid_probability`.
      labels: (S, S), uint8; where `OUTSIDE`, there is no image.

    Returns:
      (S, S), boolean; false outside the image.
    """
    inside = labels != images.OUTSIDE
    rows, columns = np.ix_(inside.any(1), inside.any(0))
    mask = np.zeros(labels.shape, bool)
    mask[rows, columns] = postprocess.largest_body(
        np.asarray(probability)[rows, columns],
        min_area_px=postprocess.scaled_min_area_px(labels.shape[0]),
    )
    return mask
