"""Resampling of images and masks onto the network's square grid.

The grid has `size` x `size` pixels. An image is resampled so that its longer side fills the grid.
The image lies centred, in its `Box`; beyond the box, the pixels of its edge are repeated.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from PIL import Image
from scipy import ndimage

from spheroid_jax.images import markers
from spheroid_jax.images.intensity import Gray, measured, stripes

# What a grid's label holds. Only labels with markers have `MARKER`, which is foreground, too.
BACKGROUND, FOREGROUND, OUTSIDE, MARKER = 0, 1, 2, 3
# Added to `FOREGROUND` or `MARKER` in the dense cores of bodies, where cores are known.
CORE = 4


class Box(NamedTuple):
    """The rectangle of the grid that an image covers, in grid pixels."""

    top: int
    left: int
    height: int
    width: int

    def crop(self, grid):
        """Cuts the part in a `Box` out of grids (..., H, W)."""
        return grid[..., self.top : self.top + self.height, self.left : self.left + self.width]


def grid_box(shape, size):
    """Computes the `Box` of an image of `shape` (H, W) on a grid of side `size`."""
    longer = max(shape)
    height, width = (max(1, round(side * size / longer)) for side in shape)
    return Box((size - height) // 2, (size - width) // 2, height, width)


def resample(array, shape):
    """Resamples (H, W) float32 to `shape` with a triangle filter, which avoids aliasing.

    First along the rows, then along the columns. The order decides the last bit, and Pillow's own
    order depends on the shape.
    """
    height, width = shape
    if array.shape == (height, width):
        return array
    picture = Image.fromarray(np.ascontiguousarray(array, np.float32))
    for size in ((width, picture.height), (width, height)):
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(picture)


def reduced(gray: Gray, shape: tuple[int, int]) -> Float32[np.ndarray, "h w"]:
    """Resamples the normalised gray of an image to `shape`, as `resample` does, in stripes.

    The filter goes along each row by itself first, so stripes of rows give the same bits as the
    whole image.
    """
    if gray.shape == tuple(shape):
        return gray.normalised()
    parts = [
        resample(gray.normalised(rows), (rows.stop - rows.start, shape[1]))
        for rows in stripes(gray.shape)
    ]
    return resample(np.concatenate(parts), shape)


@runtime_checkable
class ImageMap(Protocol):
    """A map at the size of an image, computed where asked for.

    Attributes:
      shape: height and width of the image in pixels.
    """

    shape: tuple[int, ...]

    def window(
        self, rows: slice = slice(None), columns: slice = slice(None)
    ) -> Float32[np.ndarray, "h w"]:
        """Returns the map in a window of the image."""
        ...


class Enlarged:
    """A map on the grid at the size of an image, computed where asked for; as by `resample`.

    Attributes:
      shape: height and width of the image in pixels.
    """

    def __init__(self, content: Float32[np.ndarray, "h w"], shape: tuple[int, int]):
        """Takes the part of the grid that the image fills, and the image's shape."""
        self.shape = tuple(shape)
        # The filter has gone along the rows; what is left, each column can do by itself.
        self._wide = resample(content, (content.shape[0], shape[1]))

    def window(
        self, rows: slice = slice(None), columns: slice = slice(None)
    ) -> Float32[np.ndarray, "h w"]:
        """Returns the map in a window of the image."""
        wide = self._wide[:, columns]
        return resample(wide, (self.shape[0], wide.shape[1]))[rows]


def nearest(array, shape):
    """Resamples (H, W) of any number type to `shape` by the nearest pixel."""
    rows, columns = (
        np.minimum(((np.arange(to) + 0.5) * (side / to)).astype(int), side - 1)
        for to, side in zip(shape, array.shape, strict=True)
    )
    return array[np.ix_(rows, columns)]


def to_grid(gray, size):
    """Resamples an image to the grid, and repeats its edge beyond its box.

    Args:
      gray: (H, W), float32.
      size: the grid's side in pixels.

    Returns:
      The grid, (size, size), float32, and the image's `Box`.
    """
    box = grid_box(gray.shape, size)
    content = resample(gray, (box.height, box.width))
    return np.pad(content, _margins(box, size), mode="edge"), box


def mask_to_grid(mask, size):
    """Resamples a mask to the grid; a pixel that is half covered becomes foreground.

    Args:
      mask: (H, W), boolean.
      size: the grid's side in pixels.

    Returns:
      Labels, (size, size), uint8: `BACKGROUND`, `FOREGROUND`, or `OUTSIDE` beyond the image.
    """
    box = grid_box(mask.shape, size)
    covered = resample(mask.astype(np.float32), (box.height, box.width))
    return np.pad((covered >= 0.5).astype(np.uint8), _margins(box, size), constant_values=OUTSIDE)


def labels_to_grid(labels, size, core=None):
    """Resamples a label image to the grid, and marks the bodies.

    Args:
      labels: (H, W), int: 0 in the background, and another number per body.
      size: the grid's side in pixels.
      core: (H, W), boolean: the dense cores of bodies; None where they are not known.

    Returns:
      Labels, (size, size), uint8, as returned by `mask_to_grid`, but with `MARKER` in the bodies'
      markers, and with `CORE` added in their cores.
    """
    grid = mask_to_grid(labels > 0, size)
    box = grid_box(labels.shape, size)
    content = box.crop(grid)
    numbers = nearest(labels, content.shape)
    # A pixel that is half covered has a body, even if the pixel of the image under its centre has
    # none.
    closest = ndimage.distance_transform_edt(
        numbers == 0, return_distances=False, return_indices=True
    )
    bodies = np.where(content == FOREGROUND, numbers[tuple(closest)], 0)
    content[markers.markers(bodies)] = MARKER
    if core is not None:
        dense = resample(core.astype(np.float32), content.shape) >= 0.5
        content[dense & (content != BACKGROUND)] += CORE
    return grid


def is_body(labels):
    """Returns where labels on the grid are foreground: `FOREGROUND` or `MARKER`, in cores or not.

    Args:
      labels: array of any kind (NumPy, JAX).
    """
    return (labels & FOREGROUND) > 0


def is_marker(labels):
    """Returns where labels on the grid are in a body's marker.

    Args:
      labels: array of any kind (NumPy, JAX).
    """
    return (labels & MARKER) == MARKER


def is_core(labels):
    """Returns where labels on the grid are in a body's dense core.

    Args:
      labels: array of any kind (NumPy, JAX).
    """
    return (labels & CORE) > 0


def preprocess(image, size):
    """Prepares an image for a network: converts to gray, normalises, and resamples to the grid.

    Args:
      image: (H, W) or (H, W, C), uint8, uint16 or float, sides >= 32 px.
      size: the grid's side in pixels.

    Returns:
      The grid, (size, size), float32 in [0, 1], and the image's `Box`.

    Raises:
      ImageError: the image cannot be used.
    """
    return gray_to_grid(measured(image), size)


def gray_to_grid(gray: Gray, size: int) -> tuple[Float32[np.ndarray, "S S"], Box]:
    """Resamples the normalised gray of an image to the grid, as `preprocess`."""
    box = grid_box(gray.shape, size)
    content = reduced(gray, (box.height, box.width))
    return np.pad(content, _margins(box, size), mode="edge"), box


def _margins(box, size):
    return ((box.top, size - box.height - box.top), (box.left, size - box.width - box.left))
