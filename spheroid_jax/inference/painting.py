"""Bodies and probability of an image at its own size, from the best view of each body."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from skimage import segmentation

from spheroid_jax import images
from spheroid_jax.inference import objects, postprocess
from spheroid_jax.inference.objects import Cutout
from spheroid_jax.inference.views import Seen, View, side_of


def cutouts(found: Sequence[Seen], shape: tuple[int, int]) -> list[tuple[Cutout, Seen]]:
    """Returns bodies with their masks at the size of the image, the largest first; none overlap.

    The contour of a body is that of the enlarged probability map of its view. A seam between
    bodies that touch is that of the labels.

    Args:
      found: bodies, as returned by `look`.
      shape: height and width of the image in pixels.
    """
    views = {id(seen.view): seen.view for seen in found}
    # Two pixels of the grid around each body, so that its own contour is inside.
    numbers = {key: segmentation.expand_labels(view.labels, 2) for key, view in views.items()}
    taken: list[tuple[Cutout, Seen]] = []
    for seen in found:
        (rows, columns), mask = _mask_in_image(seen, numbers[id(seen.view)])
        for other, _ in taken:
            mask &= ~other.window(rows, columns)
        if mask.any():
            taken.append((_placed(mask, rows.start, columns.start, shape), seen))
    return sorted(taken, key=lambda each: -np.count_nonzero(each[0].inside))


def _placed(mask, top, left, shape):
    """Cuts a body out of a part of its image that begins at `top` and `left`."""
    own = objects.cut(mask)
    return own._replace(top=top + own.top, left=left + own.left, shape=shape)


def _mask_in_image(seen, numbers):
    """Returns the part of the image around a body, and the body's mask in it."""
    view = seen.view
    window = tuple(
        _grown(at, margin=2 * view.step, within=whole)
        for at, whole in zip(seen.frame, view.window, strict=True)
    )
    part = objects.relative(window, view.window)
    shape = side_of(view.window)
    probability = images.Enlarged(view.maps.probability, shape).window(*part)
    foreground = postprocess.eight_bit(probability) > postprocess.THRESHOLD
    own = images.nearest(numbers, shape)[part] == seen.number
    return window, postprocess.fill_holes(foreground & own)


def _grown(frame, margin, within):
    """Returns the rows or columns of a frame with a margin, inside a window."""
    start, stop = frame
    return slice(
        max(math.floor(start - margin), within.start), min(math.ceil(stop + margin), within.stop)
    )


class Painted:
    """A map of an image at its own size: that of the whole frame, and better views in it.

    It is computed where asked for, as an `images.Enlarged`.

    Attributes:
      shape: height and width of the image in pixels.
    """

    def __init__(self, whole: View, found: Sequence[Seen], name: str = "probability"):
        """Takes the view of the whole frame, the bodies, and the name of one of their `Maps`."""
        self.shape = side_of(whole.window)
        self._whole = images.Enlarged(getattr(whole.maps, name), self.shape)
        self._parts = [
            (
                tuple(
                    _grown(at, margin=4 * seen.view.step, within=window)
                    for at, window in zip(seen.frame, seen.view.window, strict=True)
                ),
                seen.view.window,
                images.Enlarged(getattr(seen.view.maps, name), side_of(seen.view.window)),
            )
            for seen in found
            if seen.view is not whole
        ]

    def window(
        self, rows: slice = slice(None), columns: slice = slice(None)
    ) -> Float32[np.ndarray, "h w"]:
        """Returns the map in a window of the image."""
        asked = tuple(
            slice(*at.indices(side)) for at, side in zip((rows, columns), self.shape, strict=True)
        )
        painted = self._whole.window(*asked).copy()
        for part, window, enlarged in self._parts:
            common = objects.common(asked, part)
            if common is not None:
                here, there = (objects.relative(common, frame) for frame in (asked, window))
                painted[here] = enlarged.window(*there)
        return painted
