"""Segmentation with a trained model: the only inference path."""

from typing import NamedTuple

import jax
import numpy as np
from jax import numpy as jnp

from spheroid_jax import images
from spheroid_jax.inference import postprocess
from spheroid_jax.runtime import compilation

# Of (B, S, S); each undoes itself.
_FLIPS = (
    lambda grids: grids,
    lambda grids: grids[:, ::-1],
    lambda grids: grids[:, :, ::-1],
    lambda grids: grids[:, ::-1, ::-1],
)


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
      params: what `load` gives, of one network or of an ensemble.
      image: (H, W) or (H, W, C), uint8, uint16 or float, sides >= 32 px.

    Returns:
      `Segmentation`.

    Raises:
      ImageError: the image cannot be used (a ValueError).
    """
    prepared = prepare(params, image)
    on_grid = np.asarray(grid_probability(params, prepared.grid[np.newaxis]))
    return finish(prepared, on_grid[0])


class Prepared(NamedTuple):
    """An image as the network sees it, and the way back.

    Attributes:
      grid: (S, S), float32 in [0, 1].
      box: where on the grid the image lies.
      shape: the image's own (H, W).
    """

    grid: np.ndarray
    box: images.Box
    shape: tuple


def prepare(params, image):
    """What `segment` does before the network; see there."""
    image = np.asarray(image)
    return Prepared(*images.preprocess(image, params.size), image.shape[:2])


def finish(prepared, on_grid):
    """What `segment` does after the network.

    Args:
      prepared: of `prepare`.
      on_grid: (S, S), float32, of `grid_probability`.

    Returns:
      `Segmentation`.
    """
    content = prepared.box.crop(on_grid)
    probability = images.resample(content, prepared.shape)
    mask = postprocess.largest_body(
        probability, min_area_px=postprocess.scaled_min_area_px(max(prepared.shape))
    )
    return Segmentation(mask, probability)


def grid_probability(params, grids):
    """Computes foreground probabilities on the grid.

    Args:
      params: `Params`, or `Ensemble`: the mean over its members.
      grids: (B, S, S), float32, what `images.preprocess` makes.

    Returns:
      (B, S, S), float32 in [0, 1].
    """
    # A member at a time: all run the same compiled program.
    maps = [member_probability(member, grids) for member in params.members]
    return sum(maps[1:], start=maps[0]) / len(maps)


@compilation.jit
def member_probability(params, grids):
    """What `grid_probability` computes, of one network (`Params`)."""
    if not params.flips:
        return _probability(params, grids)
    views = jnp.concatenate([flip(grids) for flip in _FLIPS])
    maps = jnp.split(_probability(params, views), len(_FLIPS))
    return sum(flip(each) for flip, each in zip(_FLIPS, maps, strict=True)) / len(_FLIPS)


def _probability(params, grids):
    logits = params.model().apply(params.variables, grids[..., jnp.newaxis])
    return jax.nn.softmax(logits)[..., 1]


def grid_truth(labels):
    """The body that a prediction on the grid is held against.

    Of a truth with several bodies it is the largest, as of a prediction.

    Args:
      labels: (S, S), uint8, of `images.mask_to_grid`.

    Returns:
      (S, S), boolean.
    """
    return postprocess.single_body(labels == images.FOREGROUND, min_area_px=1)


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
