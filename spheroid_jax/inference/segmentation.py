"""Segmentation of an image with a trained model: the largest body, or all bodies.

A model that has learned from images without a body says whether there is one at all (`presence`).
Where it says no, there is no mask.
"""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32
from numpy.typing import ArrayLike

from spheroid_jax import images
from spheroid_jax.inference import evidence, objects, postprocess, predict, presence
from spheroid_jax.inference.model_file import Ensemble, Params
from spheroid_jax.inference.predict import Bodies, Prepared


class Segmentation(NamedTuple):
    """The result of `segment`, with the height and width of the image.

    Attributes:
      mask: true in the largest body; all false if the image has no body.
      probability: probability in [0, 1] that a pixel is foreground.
    """

    mask: Bool[np.ndarray, "H W"]
    probability: Float32[np.ndarray, "H W"]


class Objects(NamedTuple):
    """The result of `segment_objects`, with the height and width of the image.

    Attributes:
      labels: 0 in the background, and from 1 on the number of the body by falling area.
      confidence: for each body, how sure the network is of it, in [0, 1].
      probability: probability in [0, 1] that a pixel is foreground.
      core: probability in [0, 1] that a pixel of a body is in its dense core; of the background it
        says nothing. None for a model that does not tell cores.
    """

    labels: Int32[np.ndarray, "H W"]
    confidence: Float32[np.ndarray, " N"]
    probability: Float32[np.ndarray, "H W"]
    core: Float32[np.ndarray, "H W"] | None = None


def segment(params: Params | Ensemble, image: ArrayLike) -> Segmentation:
    """Segments the spheroid in one image.

    The image is normalised and resampled onto the square grid of the model, so the network is
    compiled once for images of all sizes. The probability map is resampled to the size of the
    image. Thresholding, filling of holes and removal of small objects follow at this size (paper,
    section 2.5); the smallest area is scaled to the resolution of the image.

    A model with markers looks again at bodies that are small in the frame (`inference.look`), and
    the mask is the largest body's, without others that touch it. It has no mask for an image in
    which it says that there is no body.

    Args:
      params: model or ensemble, as returned by `load`.
      image: (H, W) or (H, W, C), uint8, uint16 or float; H and W at least 32.

    Returns:
      The mask and the probability map.

    Raises:
      ImageError: the image cannot be used (also a ValueError).
    """
    prepared = predict.prepare(params, image)
    maps = np.asarray(predict.grid_maps(params, prepared.grid[np.newaxis]))[0]
    return finish(params, image, prepared, maps)


def segment_objects(params: Params | Ensemble, image: ArrayLike) -> Objects:
    """Segments all bodies of one image.

    A model with markers tells bodies apart that touch; for another model, each connected part of
    the foreground is a body.

    Args:
      params: model or ensemble, as returned by `load`.
      image: as for `segment`.

    Returns:
      The labels, the confidence in each body, and the probability map.

    Raises:
      ImageError: the image cannot be used (also a ValueError).
    """
    prepared = predict.prepare(params, image)
    maps = np.asarray(predict.grid_maps(params, prepared.grid[np.newaxis]))[0]
    found = find_bodies(params, image, prepared, maps)
    labels = objects.numbered(found.cutouts, prepared.shape)
    confidence = np.array(found.confidence, np.float32)
    core = None if found.core is None else found.core.window()
    return Objects(labels, confidence, found.probability.window(), core)


def finish(
    params: Params | Ensemble,
    image: ArrayLike | images.Gray,
    prepared: Prepared,
    maps: Float32[np.ndarray, "M S S"],
) -> Segmentation:
    """Makes a mask from the maps on the grid: the part of `segment` after the network.

    Args:
      params: model or ensemble.
      image: as for `segment`.
      prepared: the image, as returned by `predict.prepare`.
      maps: one image's maps, as returned by `predict.grid_maps`.

    Returns:
      The mask and the probability map, at the size of the image.
    """
    if predict.has_markers(params):
        found = find_bodies(params, image, prepared, maps)
        return Segmentation(found.mask(), found.probability.window())
    probability = images.resample(prepared.box.crop(maps[0]), prepared.shape)
    mask = postprocess.largest_body(
        probability, min_area_px=postprocess.scaled_min_area_px(max(prepared.shape))
    )
    return Segmentation(mask, probability)


def find_bodies(
    params: Params | Ensemble,
    image: ArrayLike | images.Gray,
    prepared: Prepared,
    maps: Float32[np.ndarray, "M S S"],
) -> Bodies:
    """Finds the bodies of an image; none where the model says that there is none.

    Arguments are those of `predict.find_bodies`.
    """
    return kept(params, prepared, maps, predict.find_bodies(params, image, prepared, maps))


def kept(
    params: Params | Ensemble,
    prepared: Prepared,
    maps: Float32[np.ndarray, "M S S"],
    found: Bodies,
) -> Bodies:
    """Returns the bodies that were found, or none where the model says that there is none.

    Args:
      params: model or ensemble.
      prepared: the image, as returned by `predict.prepare`.
      maps: one image's maps, as returned by `predict.grid_maps`.
      found: the bodies, as returned by `predict.find_bodies`.
    """
    if params.presence is None or not 0 < len(found.cutouts) <= presence.FEW:
        return found
    least_px = math.pi / 4 * (presence.CLEAR_WIDTH * max(prepared.shape)) ** 2
    for cutout, confidence in zip(found.cutouts, found.confidence, strict=True):
        if confidence >= presence.CLEAR and np.count_nonzero(cutout.inside) >= least_px:
            return found
    scores = dataclasses.asdict(evidence.of_bodies(prepared, maps, found))
    if presence.log_odds(scores, params.presence) >= params.presence.threshold:
        return found
    return found.emptied()
