"""Segmentation of an image with a trained model.

All commands, training and evaluation use this path from an image to a mask.
"""

from typing import NamedTuple

import jax
import numpy as np
from jax import numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, UInt8
from numpy.typing import ArrayLike

from spheroid_jax import images
from spheroid_jax.inference import postprocess
from spheroid_jax.inference.model_file import Ensemble, Params
from spheroid_jax.runtime import compilation

# Flips of (B, S, S); each flip is its own inverse.
_FLIPS = (
    lambda grids: grids,
    lambda grids: grids[:, ::-1],
    lambda grids: grids[:, :, ::-1],
    lambda grids: grids[:, ::-1, ::-1],
)


class Segmentation(NamedTuple):
    """The result of `segment`, with the height and width of the image.

    Attributes:
      mask: true in the largest body; all false if the image has no body.
      probability: probability in [0, 1] that a pixel is foreground.
    """

    mask: Bool[np.ndarray, "H W"]
    probability: Float32[np.ndarray, "H W"]


def segment(params: Params | Ensemble, image: ArrayLike) -> Segmentation:
    """Segments the spheroid in one image.

    The image is normalised and resampled onto the square grid of the model, so the network is
    compiled once for images of all sizes. The probability map is resampled to the size of the
    image. Thresholding, filling of holes and removal of small objects follow at this size (paper,
    section 2.5); the smallest area is scaled to the resolution of the image.

    Args:
      params: model or ensemble, as returned by `load`.
      image: (H, W) or (H, W, C), uint8, uint16 or float; H and W at least 32.

    Returns:
      The mask and the probability map.

    Raises:
      ImageError: the image cannot be used (also a ValueError).
    """
    prepared = prepare(params, image)
    on_grid = np.asarray(grid_probability(params, prepared.grid[np.newaxis]))
    return finish(prepared, on_grid[0])


class Prepared(NamedTuple):
    """An image on the grid, and where to find it there.

    Attributes:
      grid: input of the network, in [0, 1].
      box: part of the grid that the image fills.
      shape: height and width of the image in pixels.
      levels: gray levels of the image that the grid has as 0 and 1.
    """

    grid: Float32[np.ndarray, "S S"]
    box: images.Box
    shape: tuple[int, int]
    levels: tuple[np.float32, np.float32]

    def enlarged(self, on_grid: Float32[np.ndarray, "S S"]) -> images.Enlarged:
        """Returns a map on the grid at the size of the image, computed where asked for."""
        return images.Enlarged(self.box.crop(on_grid), self.shape)


def prepare(params: Params | Ensemble, image: ArrayLike | images.Gray) -> Prepared:
    """Normalises an image and resamples it onto the grid: the part of `segment` before the network.

    Args:
      params: model or ensemble.
      image: as for `segment`, or measured already.

    Raises:
      ImageError: the image cannot be used.
    """
    gray = image if isinstance(image, images.Gray) else images.measured(image)
    grid, box = images.gray_to_grid(gray, params.size)
    return Prepared(grid, box, gray.shape, (gray.low, gray.high))


def finish(prepared: Prepared, on_grid: Float32[np.ndarray, "S S"]) -> Segmentation:
    """Makes a mask from a probability map on the grid: the part of `segment` after the network.

    Args:
      prepared: image, as returned by `prepare`.
      on_grid: foreground probability, as returned by `grid_probability`.

    Returns:
      The mask and the probability map, at the size of the image.
    """
    content = prepared.box.crop(on_grid)
    probability = images.resample(content, prepared.shape)
    mask = postprocess.largest_body(
        probability, min_area_px=postprocess.scaled_min_area_px(max(prepared.shape))
    )
    return Segmentation(mask, probability)


def grid_probability(
    params: Params | Ensemble, grids: Float32[Array | np.ndarray, "B S S"]
) -> Float32[Array, "B S S"]:
    """Computes foreground probabilities on the grid; those of an ensemble are averaged.

    Args:
      params: model or ensemble.
      grids: images on the grid, as returned by `images.preprocess`.

    Returns:
      Probabilities in [0, 1].
    """
    # Members run one after another, because they share one compiled program.
    maps = [member_probability(member, grids) for member in params.members]
    return sum(maps[1:], start=maps[0]) / len(maps)


@compilation.jit
def member_probability(
    params: Params, grids: Float32[Array | np.ndarray, "B S S"]
) -> Float32[Array, "B S S"]:
    """Computes foreground probabilities on the grid with one model.

    If `params.flips` is set, the probabilities of an image and of its three flips are averaged.

    Args:
      params: model.
      grids: images on the grid, as returned by `images.preprocess`.

    Returns:
      Probabilities in [0, 1].
    """
    if not params.flips:
        return _probability(params, grids)
    views = jnp.concatenate([flip(grids) for flip in _FLIPS])
    maps = jnp.split(_probability(params, views), len(_FLIPS))
    upright = [flip(each) for flip, each in zip(_FLIPS, maps, strict=True)]
    return sum(upright[1:], start=upright[0]) / len(_FLIPS)


def _probability(params, grids):
    logits = params.model().apply(params.variables, grids[..., jnp.newaxis])
    return jax.nn.softmax(logits)[..., 1]


def grid_truth(labels: UInt8[np.ndarray, "S S"]) -> Bool[np.ndarray, "S S"]:
    """Returns the true body on the grid, with which a prediction is compared.

    As in a prediction, only the largest body counts.

    Args:
      labels: labels, as returned by `images.mask_to_grid`.
    """
    return postprocess.single_body(labels == images.FOREGROUND, min_area_px=1)


def grid_mask(
    probability: Float[Array | np.ndarray, "S S"], labels: UInt8[np.ndarray, "S S"]
) -> Bool[np.ndarray, "S S"]:
    """Makes a mask on the grid, as for the tables in the paper.

    Args:
      probability: foreground probability, as returned by `grid_probability`.
      labels: labels; where a label is `OUTSIDE`, there is no image.

    Returns:
      The mask of the largest body; false outside the image.
    """
    inside = labels != images.OUTSIDE
    rows, columns = np.ix_(inside.any(1), inside.any(0))
    mask = np.zeros(labels.shape, bool)
    mask[rows, columns] = postprocess.largest_body(
        np.asarray(probability)[rows, columns],
        min_area_px=postprocess.scaled_min_area_px(labels.shape[0]),
    )
    return mask
