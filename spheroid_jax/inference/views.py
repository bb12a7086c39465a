"""Views of an image: the whole frame first, then windows around bodies that are small in it.

The network sees a square grid. A body that covers few pixels of the grid is found, but its contour
is coarse, and bodies that touch may melt into one. So each body that is small on the grid is looked
at again in a window in which it is larger, and what is seen there replaces it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32

from spheroid_jax import images
from spheroid_jax.inference import instances
from spheroid_jax.inference.instances import Maps

# Equivalent diameter below which a body is looked at again, over the side of the grid.
_SMALL = 0.25
# Diameter of the largest body of a window over the window's side: the first with which no more than
# `_MOST_WINDOWS` windows are needed, else the last.
_SHARES = (0.4, 0.3, 0.2, 0.14)
_MOST_WINDOWS = 24
# A window holds its bodies with all of their frames within this part of its side.
_HELD = 0.85
# A body joins the window of a larger one if its diameter is at least this share of the larger's.
_ALIKE = 0.4
# A window is not enlarged by more than this onto the grid.
_MOST_ENLARGED = 2.0
# Looks at the same body, and by how much each must enlarge it.
_MOST_LOOKS = 3
_LEAST_GAIN = 1.3
# Area of the smallest body, in pixels of the grid.
_LEAST_PX = 4
# What is seen in a window is the same body where this share of it was seen before.
_SAME = 0.5

# From grids (B, S, S) to the maps of foreground and markers, each (B, S, S).
Network = Callable[[Float32[np.ndarray, "B S S"]], tuple[np.ndarray, np.ndarray]]
# Rows and columns.
Window = tuple[slice, ...]


class View(NamedTuple):
    """What the network says of a window of the image.

    Attributes:
      window: rows and columns of the window in the image.
      maps: the network's maps of the window, without what lies beyond it.
      labels: the bodies of the window, on the same grid.
    """

    window: Window
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


class Findings(NamedTuple):
    """What was found in an image.

    Attributes:
      whole: the view of the whole frame.
      bodies: the bodies, each in the best view of it, by falling area.
    """

    whole: View
    bodies: list[Seen]


def look(network: Network, gray: images.Gray, whole: Maps, size: int) -> Findings:
    """Finds the bodies of an image, each in the best view of it.

    Args:
      network: computes maps.
      gray: the image.
      whole: the network's maps of the whole frame, without what lies beyond it.
      size: side of the grid in pixels.
    """
    first = _labelled((slice(0, gray.shape[0]), slice(0, gray.shape[1])), whole)
    found = _bodies(first, gray.shape, looks=1)
    for _ in range(_MOST_LOOKS - 1):
        small = [seen for seen in found if _is_small(seen, size)]
        planned = plan_windows(small, gray.shape, size)
        planned = [(window, held) for window, held in planned if _gains(window, held, size)]
        if not planned:
            break
        views = _view(network, gray, size, [window for window, _ in planned])
        replaced = {id(seen) for _, held in planned for seen in held}
        found = [seen for seen in found if id(seen) not in replaced]
        for view, (_, held) in zip(views, planned, strict=True):
            found += _seen_again(view, held, small, gray.shape)
    return Findings(first, sorted(found, key=lambda seen: -seen.diameter))


def plan_windows(
    bodies: Sequence[Seen], shape: tuple[int, int], size: int
) -> list[tuple[Window, list[Seen]]]:
    """Plans windows in which bodies are larger on the grid.

    Args:
      bodies: what to look at again.
      shape: height and width of the image in pixels.
      size: side of the grid in pixels.

    Returns:
      The windows, each with the bodies that it is for; each body has one window.
    """
    planned: list[tuple[Window, list[Seen]]] = []
    for share in _SHARES:
        planned = list(_cover(bodies, shape, size, share))
        if len(planned) <= _MOST_WINDOWS:
            break
    return planned


def _cover(bodies, shape, size, share) -> Iterator[tuple[Window, list[Seen]]]:
    """Yields windows, the largest bodies' first, until each body has one."""
    waiting = sorted(bodies, key=lambda seen: -seen.diameter)
    while waiting:
        first = waiting[0]
        longest = max(last - start for start, last in first.frame)
        side = max(first.diameter / share, longest / _HELD, size / _MOST_ENLARGED)
        alike = [seen for seen in waiting if seen.diameter >= _ALIKE * first.diameter]
        choices = [
            (
                window,
                [seen for seen in alike if seen is first or _holds(window, seen.frame, shape)],
            )
            for window in _windows_around(first.frame, side, shape)
        ]
        window, held = max(choices, key=lambda choice: len(choice[1]))
        waiting = [seen for seen in waiting if not any(seen is other for other in held)]
        yield window, held


def _windows_around(frame, side, shape) -> Iterator[Window]:
    """Yields windows that hold a body: in their middle first, then near each of their corners."""
    free = [max((_HELD * side - (last - start)) / 2, 0) for start, last in frame]
    for down, across in ((0, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
        yield tuple(
            _within((start + last) / 2 + way * room, side, length)
            for (start, last), way, room, length in zip(
                frame, (down, across), free, shape, strict=True
            )
        )


def _within(middle, side, length):
    """Returns the rows or columns of a window, moved so that they lie in the image."""
    side = min(math.ceil(side), length)
    start = min(max(round(middle - side / 2), 0), length - side)
    return slice(start, start + side)


def _holds(window, frame, shape):
    """Whether a frame lies in a window, with a margin where the image goes on."""
    margin = (1 - _HELD) / 2 * max(side_of(window))
    return all(
        start >= at.start + (margin if at.start else 0)
        and last <= at.stop - (margin if at.stop < length else 0)
        for at, (start, last), length in zip(window, frame, shape, strict=True)
    )


def side_of(window: Window) -> tuple[int, ...]:
    """Returns the height and width of a window in pixels."""
    return tuple(at.stop - at.start for at in window)


def _is_small(seen, size):
    """Whether another look would show a body larger."""
    grid_diameter = seen.diameter / seen.view.step
    return (
        seen.looks < _MOST_LOOKS
        and grid_diameter < _SMALL * size
        and seen.view.step > 1 / _MOST_ENLARGED
    )


def _gains(window, held, size):
    """Whether a window shows its bodies larger than they were."""
    return max(side_of(window)) / size < min(seen.view.step for seen in held) / _LEAST_GAIN


def _view(network, gray, size, windows):
    """Lets the network look at windows of the image."""
    grids, boxes = [], []
    for window in windows:
        grid, box = images.to_grid(_normalised(gray.window(*window)), size)
        grids.append(grid)
        boxes.append(box)
    probabilities, markers = network(np.stack(grids))
    views = []
    for window, box, probability, marker in zip(
        windows, boxes, probabilities, markers, strict=True
    ):
        views.append(_labelled(window, Maps(box.crop(probability), box.crop(marker))))
    return views


def _labelled(window, maps):
    return View(window, maps, instances.label_instances(maps, least_px=_LEAST_PX))


def _normalised(gray):
    """Normalises a window by its own percentiles, as in training; a flat window is black."""
    return images.normalise(gray) if np.ptp(gray) > 0 else np.zeros_like(gray)


def _bodies(view, shape, looks):
    """Returns the bodies of a view."""
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


def _seen_again(view, held, small, shape):
    """Returns the bodies of a window that replace those it is for."""
    before = np.zeros(view.labels.shape, bool)
    others = np.zeros(view.labels.shape, bool)
    for seen in small:
        (before if any(seen is one for one in held) else others)[:] |= _projected(seen, view)
    looks = max(seen.looks for seen in held) + 1
    again = []
    for seen in _bodies(view, shape, looks):
        mask = seen.mask
        share = np.mean(before[mask])
        if share >= np.mean(others[mask]) and np.mean((before | others)[mask]) > _SAME:
            again.append(seen)
    return again


def _projected(seen, view):
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
