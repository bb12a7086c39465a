"""From an image to the network's maps, and from the maps to bodies.

All commands, training and evaluation use this path; `segmentation` has what users call.
"""

from typing import NamedTuple

import jax
import numpy as np
from jax import numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, UInt8
from numpy.typing import ArrayLike

from spheroid_jax import images
from spheroid_jax.inference import look, objects, painting, postprocess
from spheroid_jax.inference.instances import Maps
from spheroid_jax.inference.model_file import Ensemble, Params
from spheroid_jax.inference.objects import Cutout
from spheroid_jax.runtime import compilation

# Flips of (..., S, S); each flip is its own inverse.
_FLIPS = (
    lambda grids: grids,
    lambda grids: grids[..., ::-1, :],
    lambda grids: grids[..., ::-1],
    lambda grids: grids[..., ::-1, ::-1],
)


class Bodies(NamedTuple):
    """The bodies of an image, whose maps are computed where asked for.

    Attributes:
      cutouts: their masks, the largest first; none overlap.
      confidence: for each body, how sure the network is of it, in [0, 1].
      probability: the map of foreground probability at the size of the image.
      eight_bit: the same, as returned by `postprocess.eight_bit`.
      core_share: for each body, the share of its area that is dense core; None for a model that
        does not tell cores.
      core: the map of core probability at the size of the image; None for such a model.
    """

    cutouts: list[Cutout]
    confidence: list[float]
    probability: images.ImageMap
    eight_bit: UInt8[np.ndarray, "H W"]
    core_share: list[float] | None = None
    core: images.ImageMap | None = None

    def mask(self) -> Bool[np.ndarray, "H W"]:
        """Returns the mask of the largest body; all false without a body."""
        return self.cutouts[0].mask() if self.cutouts else np.zeros(self.eight_bit.shape, bool)

    def emptied(self) -> "Bodies":
        """Returns the same maps without any body."""
        return self._replace(
            cutouts=[], confidence=[], core_share=None if self.core_share is None else []
        )


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
    """Normalises an image and resamples it onto the grid, as the network needs it.

    Args:
      params: model or ensemble.
      image: as for `segment`, or measured already.

    Raises:
      ImageError: the image cannot be used.
    """
    gray = image if isinstance(image, images.Gray) else images.measured(image)
    grid, box = images.gray_to_grid(gray, params.size)
    return Prepared(grid, box, gray.shape, (gray.low, gray.high))


def find_bodies(
    params: Params | Ensemble,
    image: ArrayLike | images.Gray,
    prepared: Prepared,
    maps: Float32[np.ndarray, "M S S"],
) -> Bodies:
    """Finds the bodies of an image: the part of `segment_objects` after the network.

    Args:
      params: model or ensemble.
      image: as for `segment`, or measured already.
      prepared: the image, as returned by `prepare`.
      maps: one image's maps, as returned by `grid_maps`.
    """
    if not has_markers(params):
        return connected_bodies(prepared.enlarged(maps[0]))
    gray = image
    if not isinstance(gray, images.Gray):
        gray = images.Gray(np.asarray(image), *prepared.levels)

    def network(grids):
        # One after another: a window takes a CPU as long alone as in a batch.
        return np.concatenate([np.asarray(grid_maps(params, grid[np.newaxis])) for grid in grids])

    coarse = Maps(*map(prepared.box.crop, maps))
    findings = look.look(network, gray, coarse, params.size)
    painted = painting.Painted(findings.whole, findings.bodies)
    least = postprocess.scaled_min_area_px(max(prepared.shape))
    bodies = painting.cutouts(findings.bodies, prepared.shape)
    bodies = [each for each in bodies if np.count_nonzero(each[0].inside) >= least]
    found = Bodies(
        [cutout for cutout, _ in bodies],
        [seen.confidence for _, seen in bodies],
        painted,
        postprocess.eight_bit_map(painted),
    )
    if coarse.core is None:
        return found
    return found._replace(
        core_share=[seen.core_share for _, seen in bodies],
        core=painting.Painted(findings.whole, findings.bodies, "core"),
    )


def connected_bodies(probability: images.ImageMap) -> Bodies:
    """Takes each connected part of the foreground for a body.

    Args:
      probability: the map of foreground probability at the size of the image.
    """
    eight_bit = postprocess.eight_bit_map(probability)
    cutouts = objects.find_bodies(eight_bit)
    confidence = [float(eight_bit[each.slices][each.inside].mean()) / 255 for each in cutouts]
    return Bodies(cutouts, confidence, probability, eight_bit)


def has_markers(params: Params | Ensemble) -> bool:
    """Whether a model tells bodies apart that touch, and says how sure it is of each."""
    return _has_map(params, "markers")


def tells_cores(params: Params | Ensemble) -> bool:
    """Whether a model says which pixels of a body are in its dense core."""
    return _has_map(params, "cores")


def _has_map(params, name):
    return all(dict(member.fields).get(name, False) for member in params.members)


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
    return _mean([member_probability(member, grids) for member in params.members])


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
    return _over_flips(params, _probability, grids)


def grid_maps(
    params: Params | Ensemble, grids: Float32[Array | np.ndarray, "B S S"]
) -> Float32[Array, "B M S S"]:
    """Computes all maps of a model on the grid; those of an ensemble are averaged.

    Args:
      params: model or ensemble.
      grids: images on the grid, as returned by `images.preprocess`.

    Returns:
      Probabilities in [0, 1]: of foreground; for a model with markers, of markers; and if it has
      them, of cores.
    """
    if not has_markers(params):
        return grid_probability(params, grids)[:, jnp.newaxis]
    return _mean([member_maps(member, grids) for member in params.members])


@compilation.jit
def member_maps(
    params: Params, grids: Float32[Array | np.ndarray, "B S S"]
) -> Float32[Array, "B M S S"]:
    """Computes all maps on the grid with one model.

    Args:
      params: model with markers.
      grids: images on the grid, as returned by `images.preprocess`.

    Returns:
      Probabilities in [0, 1]; with `params.flips`, averaged as by `member_probability`.
    """
    return _over_flips(params, _all_maps, grids)


def _over_flips(params, maps_of, grids):
    """Computes maps (B, ..., S, S); where the model asks for that, their mean over the flips."""
    if not params.flips:
        return maps_of(params, grids)
    flipped = jnp.concatenate([flip(grids) for flip in _FLIPS])
    maps = jnp.split(maps_of(params, flipped), len(_FLIPS))
    return _mean([flip(each) for flip, each in zip(_FLIPS, maps, strict=True)])


def _mean(maps: list[Array]) -> Array:
    return sum(maps[1:], start=maps[0]) / len(maps)


def _probability(params, grids):
    return _foreground(_logits(params, grids))


def _all_maps(params, grids):
    logits = _logits(params, grids)
    parts = jnp.moveaxis(jax.nn.sigmoid(logits[..., 2:]), -1, 1)
    return jnp.concatenate([_foreground(logits)[:, jnp.newaxis], parts], axis=1)


def _logits(params, grids):
    return jnp.asarray(params.model().apply(params.variables, grids[..., jnp.newaxis]))


def _foreground(logits):
    return jax.nn.softmax(logits[..., :2])[..., 1]


def grid_truth(labels: UInt8[np.ndarray, "S S"]) -> Bool[np.ndarray, "S S"]:
    """Returns the true body on the grid, with which a prediction is compared.

    As in a prediction, only the largest body counts.

    Args:
      labels: labels, as returned by `images.mask_to_grid`.
    """
    return postprocess.single_body(images.is_body(labels), min_area_px=1)


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
