"""The whole frame, seen on two grids: a coarse one and one twice as fine.

On the coarse grid, a body is seen as a whole, but its contour is coarse, and the bodies of a crowd
melt into one. On the fine grid it is the other way round: a large body can fall apart or get holes.
So the maps of the two are averaged where they agree. Where the fine grid shows bodies that are too
small for the coarse one, the fine grid alone decides; elsewhere the coarse one.
"""

import numpy as np
from jaxtyping import Bool, Int
from scipy import ndimage
from skimage import measure

from spheroid_jax import images
from spheroid_jax.inference import instances, postprocess, views
from spheroid_jax.inference.instances import Maps
from spheroid_jax.inference.views import Network, View

Mask = Bool[np.ndarray, "h w"]
# Side of the fine grid over that of the coarse one.
FINER = 2
# Equivalent diameter from which bodies are seen well on the coarse grid, over the grid's side.
_SEEN_WELL = 0.25
# Least IoU of a part on the two grids, and least mean probability on the fine one in what the
# coarse one sees, where both count.
_ALIKE, _SURE = 0.8, 0.92
# A part is hollow where its middle has less than this share of its full contrast with the ground,
# which is seen in so many pixels around it.
_HOLLOW, _RING = 0.5, 8
# A large part is a crowd from this number of bodies on, weighted by their areas.
_CROWD = 2.5
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
    image = box.crop(grid)
    return views.labelled(window, image, _both(coarse, fine, image))


def _both(coarse, fine, image):
    """Joins the maps of the two grids, on the fine one; `image` is the frame on it."""
    shape = fine.probability.shape
    coarse = Maps(*(images.resample(each, shape) for each in coarse.given()))
    parts, crowds, alike, filled = _compared(coarse, fine)
    # In a hole of a large even body, the fine grid has no clue. A hollow one may be a bubble.
    lost = (parts > 0) & ~crowds & (~alike | filled)
    lost &= ~_hollow(image, parts, lost)
    shares = np.where(crowds, 1.0, np.where(lost, 0.0, 0.5)).astype(np.float32)
    return Maps(
        *(
            shares * own + (1 - shares) * other
            for own, other in zip(fine.given(), coarse.given(), strict=True)
        )
    )


def _compared(coarse: Maps, fine: Maps) -> tuple[Int[np.ndarray, "h w"], Mask, Mask, Mask]:
    """Compares what is foreground on the two grids, part by part.

    A part is what is connected as foreground on either grid. It is a crowd if most of its
    foreground on the fine grid is in small bodies, so that debris beside a large body decides
    nothing, and if these are several or the part itself is small. It is alike where both grids see
    nearly the same; around the parts, the grids are alike.

    Returns:
      The number of each pixel's part, the pixels of crowds, those of parts that are alike, and the
      holes that are filled for that.
    """
    bodies = instances.label_instances(fine, least_px=views.LEAST_PX)
    least = postprocess.THRESHOLD / 255
    on_coarse, on_fine = coarse.probability > least, bodies > 0
    filled = on_fine & (fine.probability <= least)
    parts = measure.label(on_coarse | on_fine, connectivity=2)
    areas = np.bincount(bodies.ravel())
    diameters = _diameter(areas)
    seen_well = _SEEN_WELL * max(parts.shape)

    def total(inside, values=None):
        return np.bincount(parts[inside], values, minlength=parts.max() + 1)

    area, before = total(on_fine), total(on_coarse)
    some = np.maximum(area, 1)
    small = total(on_fine, diameters[bodies[on_fine]]) / some < seen_well
    number = area / np.maximum(total(on_fine, areas[bodies[on_fine]]) / some, 1)
    several = (number >= _CROWD) | (_diameter(before) < seen_well / 2)
    crowd = small & several & (area > 0) & (area >= _COVERED * before)
    crowd[0] = False
    alike = total(on_coarse & on_fine) >= _ALIKE * total(on_coarse | on_fine)
    alike &= total(on_coarse, fine.probability[on_coarse]) >= _SURE * before
    return parts, crowd[parts], alike[parts], filled


def _hollow(image, parts, chosen):
    """Returns the pixels of chosen parts whose middle is much like the ground around them."""
    hollow = np.zeros(parts.shape, bool)
    frames = ndimage.find_objects(parts)
    for number in np.unique(parts[chosen]):
        frame = frames[number - 1]
        around = tuple(slice(max(at.start - _RING, 0), at.stop + _RING) for at in frame)
        gray, inside = image[around], parts[around] == number
        depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
        ring = ~inside & (ndimage.distance_transform_edt(~inside) <= _RING)
        ground = np.median(gray[ring]) if ring.any() else np.median(gray)
        away = np.abs(gray - ground)
        middle = np.median(away[depth > 0.5 * depth.max()])
        hollow[around] |= inside & (middle < _HOLLOW * np.percentile(away[inside], 95))
    return hollow


def _diameter(area):
    return 2 * np.sqrt(area / np.pi)
