"""Views: what the network says of windows of an image, and the bodies in them."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32

from spheroid_jax import images
from spheroid_jax.inference import instances
from spheroid_jax.inference.instances import Maps

# Area of the smallest body, in pixels of the grid.
LEAST_PX = 4
# Probability above which a pixel of a body belongs to its dense core.
_CORE = 0.5

# From grids to the maps of foreground, markers and, if it has them, cores.
Network = Callable[[Float32[np.ndarray, "B S S"]], Float32[np.ndarray, "B M S S"]]
# Rows and columns.
Window = tuple[slice, ...]


class View(NamedTuple):
    """What the network says of a window of the image.

    Attributes:
      window: rows and columns of the window in the image.
      image: the window as the network sees it, without what lies beyond it.
      maps: the network's maps of the same pixels.
      labels: the bodies of the window, on the same grid.
    """

    window: Window
    image: Float32[np.ndarray, "h w"]
    maps: Maps
    labels: Int32[np.ndarray, "h w"]

    @property
    def step(self) -> float:
        """Pixels of the image per pixel of the grid."""
        return max(side_of(self.window)) / max(self.labels.shape)


class Seen(NamedTuple):
    """One body in one view.

    Attributes:
      view: where it was seen.
      number: its number in the view's labels.
      frame: rows and columns of its own frame in the image, as floats.
      diameter: equivalent diameter in pixels of the image.
      looks: number of views of this body so far.
    """

    view: View
    number: int
    frame: tuple[tuple[float, float], ...]
    diameter: float
    looks: int

    @property
    def mask(self) -> Bool[np.ndarray, "h w"]:
        """Its mask on the grid of the view."""
        return self.view.labels == self.number

    @property
    def confidence(self) -> float:
        """Mean foreground probability in the body times the largest marker probability in it."""
        mask = self.mask
        return float(self.view.maps.probability[mask].mean() * self.view.maps.marker[mask].max())

    @property
    def core_share(self) -> float | None:
        """Share of its area that is dense core; None if the network does not say so."""
        core = self.view.maps.core
        return None if core is None else float(np.mean(core[self.mask] > _CORE))


def side_of(window: Window) -> tuple[int, int]:
    """Returns the height and width of a window in pixels."""
    rows, columns = window
    return rows.stop - rows.start, columns.stop - columns.start


def see(network: Network, gray: images.Gray, size: int, windows: Sequence[Window]) -> list[View]:
    """Lets the network look at windows of the image.

    Args:
      network: computes maps.
      gray: the image.
      size: side of the grid in pixels.
      windows: at least one.
    """
    grids, boxes = [], []
    for window in windows:
        grid, box = images.to_grid(_normalised(gray.window(*window)), size)
        grids.append(grid)
        boxes.append(box)
    found = maps_of(network, grids, boxes)
    return [
        labelled(window, box.crop(grid), maps)
        for window, box, grid, maps in zip(windows, boxes, grids, found, strict=True)
    ]


def maps_of(
    network: Network, grids: Sequence[np.ndarray], boxes: Sequence[images.Box]
) -> list[Maps]:
    """Returns what the network says of grids, without what lies beyond their images.

    Args:
      network: computes maps.
      grids: images on the grid, (S, S) each.
      boxes: part of each grid that its image fills.
    """
    found = network(np.stack(grids))
    return [Maps(*map(box.crop, maps)) for box, maps in zip(boxes, found, strict=True)]


def labelled(window: Window, image: Float32[np.ndarray, "h w"], maps: Maps) -> View:
    """Labels the bodies in the maps of a window."""
    return View(window, image, maps, instances.label_instances(maps, least_px=LEAST_PX))


def _normalised(gray):
    """Normalises a window by its own percentiles, as in training; a flat window is black."""
    return images.normalise(gray) if np.ptp(gray) > 0 else np.zeros_like(gray)


def bodies_of(view: View, *, looks: int) -> list[Seen]:
    """Returns the bodies of a view, each seen for the time `looks`."""
    found = []
    step = view.step
    for number, area in enumerate(np.bincount(view.labels.ravel())[1:], start=1):
        rows, columns = np.nonzero(view.labels == number)
        frame = tuple(
            (at.start + float(line.min()) * step, at.start + float(line.max() + 1) * step)
            for at, line in zip(view.window, (rows, columns), strict=True)
        )
        diameter = 2 * math.sqrt(float(area) / math.pi) * step
        found.append(Seen(view, number, frame, diameter, looks))
    return found


def projected(seen: Seen, view: View) -> Bool[np.ndarray, "h w"]:
    """Returns a body's mask in its own view on the grid of another view."""
    lines, mask = [], seen.mask
    for axis in (0, 1):
        at, length = view.window[axis], view.labels.shape[axis]
        places = at.start + (np.arange(length) + 0.5) * (at.stop - at.start) / length
        own, own_length = seen.view.window[axis], seen.view.labels.shape[axis]
        lines.append((places - own.start) * own_length / (own.stop - own.start))
    inside = [(line >= 0) & (line < side) for line, side in zip(lines, mask.shape, strict=True)]
    rows, columns = (
        np.clip(line.astype(int), 0, side - 1) for line, side in zip(lines, mask.shape, strict=True)
    )
    return mask[np.ix_(rows, columns)] & np.outer(*inside)
