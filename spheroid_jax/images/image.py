"""Types of images: a plane that was read, and the description of a scene in a file.

Axes are letters: Y and X; S for the samples of a colour picture; C, Z and T for channels, depths
and times; Q for pages that the file does not describe.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped

from spheroid_jax.errors import UserError


class ImageError(UserError, ValueError):
    """An image that cannot be used; the message says why."""


class Plane(NamedTuple):
    """The numbers of a plane along the axes of its scene, from 0; 0 if the scene lacks the axis.

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
      channel_names: tuple with the name of the plane's channel; empty if the channel has no name.
      pixel_size_um: side of a pixel in micrometres, or None if the file does not say.
      scene: name of the scene, or its number, from 0, if the scene has no name.
      plane: the plane of the scene that was read.
      source: path of the file.
      notes: what was left out or assumed in reading, one sentence per entry.
      doubts: those of the notes that concern the trust in measurements.
    """

    pixels: Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W C"] = dataclasses.field(repr=False)
    axes: str
    channel_names: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    scene: str = "0"
    plane: Plane = Plane()
    source: str = ""
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


class Scene(NamedTuple):
    """The description of one picture or stack of a file, made without reading its pixels.

    Attributes:
      name: name of the scene; "" if the scene has no name.
      axes: letters of the axes that are longer than one, and always Y and X, as in `shape`.
      shape: length of each of the axes.
      dtype: number type of the pixels.
      channel_names: one name per channel, "" for a channel without a name; empty if the file has
        no names.
      pixel_size_um: side of a pixel in micrometres, or None if the file does not say.
      notes: what was left out or assumed, one sentence per entry.
      decoded: how many numbers are decoded to read one plane, where a file has tiles, chunks or
        samples beyond the plane; 0 for those of the plane alone.
    """

    name: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype
    channel_names: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()
    decoded: int = 0

    def length(self, axis: str) -> int:
        """Returns the length of an axis; 1 if the scene lacks the axis."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    def memory(self, planes: int = 1) -> int:
        """Estimates the bytes that planes take in work: pixels, 8-bit probability, masks."""
        pixels = self.length("Y") * self.length("X")
        return pixels * (planes * self.length("S") * self.dtype.itemsize + 3)

    @property
    def unnamed(self) -> str:
        """Letter of the axis of pages that the file does not describe; "" without such an axis."""
        return "".join(axis for axis in self.axes if axis not in "YXSCZT")
