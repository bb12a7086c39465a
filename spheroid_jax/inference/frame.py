"""The whole frame, seen on two grids: a coarse one and one twice as fine.

On the coarse grid, a body is seen as a whole, but its contour is coarse, and the bodies of a crowd
melt into one. On the fine grid it is the other way round. So the maps of the two are averaged, but
where the fine grid shows bodies that are too small for the coarse one, the fine grid alone decides.
"""

import numpy as np
from jaxtyping import Bool
from skimage import measure

from spheroid_jax import images
from spheroid_jax.inference import instances, postprocess, views
from spheroid_jax.inference.instances import Maps
from spheroid_jax.inference.views import Network, View

# Side of the fine grid over that of the coarse one.
FINER = 2
# Equivalent diameter from which bodies are seen well on the coarse grid, over the grid's side.
_SEEN_WELL = 0.25
# Small bodies cover at least this share of what is foreground on the coarse grid; what covers less
# is the texture of a large body.
_COVERED = 0.4


def see(network: Network, gray: images.Gray, coarse: Maps, size: int) -> View:
    """Returns the view of the whole frame.

    An image with no more pixels than the coarse grid is not looked at again.

    Args:
      network: computes maps.
      gray: the image.
      coarse: the network's maps on the coarse grid, without what lies beyond the image.
      size: side of the coarse grid in pixels.
    """
    window = tuple(slice(0, side) for side in gray.shape)
    if max(gray.shape) <= size:
        grid, box = images.gray_to_grid(gray, size)
        return views.labelled(window, box.crop(grid), coarse)
    grid, box = images.gray_to_grid(gray, FINER * size)
    (fine,) = views.maps_of(network, [grid], [box])
    return views.labelled(window, box.crop(grid), _both(coarse, fine))


def _both(coarse, fine):
    """Joins the maps of the two grids, on the fine one."""
    shape = fine.probability.shape
    coarse = Maps(*(images.resample(each, shape) for each in coarse.given()))
    crowds = _crowds(coarse, fine)
    return Maps(
        *(
            np.where(crowds, own, (own + other) / 2)
            for own, other in zip(fine.given(), coarse.given(), strict=True)
        )
    )


def _crowds(coarse: Maps, fine: Maps) -> Bool[np.ndarray, "h w"]:
    """Returns the parts of the frame whose bodies are too small for the coarse grid.

    Parts are what is connected as foreground on either grid. Most of a part's foreground must be
    in small bodies, so that debris beside a large body decides nothing.
    """
    bodies = instances.label_instances(fine, least_px=views.LEAST_PX)
    least = postprocess.THRESHOLD / 255
    on_coarse, on_fine = coarse.probability > least, bodies > 0
    parts = measure.label(on_coarse | on_fine, connectivity=2)
    diameters = 2 * np.sqrt(np.bincount(bodies.ravel()) / np.pi)

    def total(inside, values=None):
        return np.bincount(parts[inside], values, minlength=parts.max() + 1)

    area = total(on_fine)
    mean = total(on_fine, diameters[bodies[on_fine]]) / np.maximum(area, 1)
    small = mean < _SEEN_WELL * max(parts.shape)
    crowd = small & (area > 0) & (area >= _COVERED * total(on_coarse))
    return crowd[parts] & (parts > 0)
