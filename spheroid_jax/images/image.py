"""Types of images: one plane as it was read, and the description of what a file holds.

Axes are letters: Y and X; S for the samples of a colour picture; C, Z and T for channels, depths
and times; Q for pages of which the file does not say what they are.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped

from spheroid_jax.errors import UserError


class ImageError(UserError, ValueError):
    """An image that cannot be used; the message says why."""


class Plane(NamedTuple):
    """The number of one plane of a scene along each axis, from 0; 0 where the scene lacks the axis.

    Attributes:
      channel: number of the channel.
      z: number of the depth.
      t: number of the time.
    """

    channel: int = 0
    z: int = 0
    t: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Image:
    """One plane of a file, and what the file says about it.

    Attributes:
      pixels: (H, W), or (H, W, 3) for a colour picture, in the file's own number type.
      axes: "YX", or "YXS" for a colour picture.
      channel_names: the name of the plane's channel as a tuple of one, or empty where it has none.
      pixel_size_um: side of a pixel in micrometres, or None where the file does not say.
      scene: the scene's name, or its number, from 0, where it has no name.
      plane: which plane of the scene was read.
      source: path of the file.
      notes: what was left out or assumed in reading, one sentence per entry.
    """

    pixels: Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W C"] = dataclasses.field(repr=False)
    axes: str
    channel_names: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    scene: str = "0"
    plane: Plane = Plane()
    source: str = ""
    notes: tuple[str, ...] = ()


class Scene(NamedTuple):
    """One of the pictures or stacks of a file, as described without reading its pixels.

    Attributes:
      name: the scene's name; empty where the file gives none.
      axes: letters of the axes that are longer than one, and of Y, X, in the order of `shape`.
      shape: length of each of the axes.
      dtype: number type of the pixels.
      channel_names: one name per channel, an empty one where a channel has none; or no names at
        all.
      pixel_size_um: side of a pixel in micrometres, or None where the file does not say.
      notes: what was left out or assumed, one sentence per entry.
    """

    name: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype
    channel_names: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()

    def length(self, axis: str) -> int:
        """Returns the length of an axis, 1 where the scene lacks it."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def unnamed(self) -> str:
        """Letter of the axis of pages of which the file does not say what they are; or empty."""
        return "".join(axis for axis in self.axes if axis not in "YXSCZT")
