"""Closer looks at small bodies: windows around them, and what is seen there."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from skimage import measure

from spheroid_jax.inference import views
from spheroid_jax.inference.views import Seen, View, Window, side_of

# Equivalent diameter below which a body is looked at again, over the side of the grid.
SMALL = 0.15
# A body up to this diameter that fills less of its convex hull than this may be several that touch.
_RAGGED, _SOLID = 0.18, 0.93
# Diameter of the largest body of a window over the window's side: the first with which no more than
# `_MOST_WINDOWS` windows are needed, else the last.
_SHARES = (0.4, 0.3, 0.2, 0.14)
_MOST_WINDOWS = 24
# A window holds its bodies with all of their frames within this part of its side.
_HELD = 0.85
# A body joins the window of a larger one if its diameter is at least this share of the larger's.
_ALIKE = 0.4
# A window is not enlarged by more than this onto the grid: a blur seen larger looks like a body.
MOST_ENLARGED = 1.0
# Looks at the same body, and by how much each must enlarge it.
MOST_LOOKS = 3
_LEAST_GAIN = 1.3
# What is seen in a window is the same body where this share of it was seen before.
SAME = 0.5


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


def seen_again(view: View, held: Sequence[Seen], small: Sequence[Seen]) -> list[Seen]:
    """Returns the bodies of a window that replace those it is for.

    Args:
      view: the window.
      held: the bodies that the window is for.
      small: all bodies that are looked at again; what belongs to others of them is theirs.
    """
    before = np.zeros(view.labels.shape, bool)
    others = np.zeros(view.labels.shape, bool)
    for seen in small:
        (before if any(seen is one for one in held) else others)[:] |= views.projected(seen, view)
    looks = max(seen.looks for seen in held) + 1
    again = []
    for seen in views.bodies_of(view, looks=looks):
        mask = seen.mask
        share = np.mean(before[mask])
        if share >= np.mean(others[mask]) and np.mean((before | others)[mask]) > SAME:
            again.append(seen)
    return again


def is_small(seen: Seen, size: int) -> bool:
    """Whether another look would show a body larger, or perhaps as several."""
    if seen.looks >= MOST_LOOKS or seen.view.step <= 1 / MOST_ENLARGED:
        return False
    share = seen.diameter / seen.view.step / size
    return share < SMALL or (share < _RAGGED and _solidity(seen.mask) < _SOLID)


def _solidity(mask):
    """Share of the convex hull that a body fills."""
    return float(measure.regionprops(mask.astype(np.uint8))[0].solidity)


def gains(window: Window, held: Sequence[Seen], size: int) -> bool:
    """Whether a window shows its bodies larger than they were."""
    return max(side_of(window)) / size < min(seen.view.step for seen in held) / _LEAST_GAIN


def _cover(bodies, shape, size, share) -> Iterator[tuple[Window, list[Seen]]]:
    """Yields windows, the largest bodies' first, until each body has one."""
    waiting = sorted(bodies, key=lambda seen: -seen.diameter)
    while waiting:
        first = waiting[0]
        longest = max(last - start for start, last in first.frame)
        side = max(first.diameter / share, longest / _HELD, size / MOST_ENLARGED)
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
        moved = (
            (start + way * room, last + way * room)
            for (start, last), way, room in zip(frame, (down, across), free, strict=True)
        )
        yield window_around(moved, side, shape)


def window_around(
    frame: Iterable[tuple[float, float]], side: float, shape: tuple[int, int]
) -> Window:
    """Returns a square window around the middle of a frame, moved so that it lies in the image.

    Args:
      frame: first and last row, and first and last column.
      side: side of the window in pixels; where the image is shorter, the window is, too.
      shape: height and width of the image in pixels.
    """
    return tuple(
        _within((start + last) / 2, side, length)
        for (start, last), length in zip(frame, shape, strict=True)
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
