"""The bodies in a probability map: their masks, each in its own frame, and their labels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from spheroid_jax.inference import postprocess, runs

# A component counts as a body from this share of the largest one's area; smaller ones are debris.
LEAST_SHARE = 0.1


class Cutout(NamedTuple):
    """The mask of a body in its own frame, the smallest one that holds it.

    Attributes:
      inside: (h, w), boolean.
      top: first row of the frame in the image.
      left: first column of the frame in the image.
      shape: height and width of the image.
    """

    inside: Bool[np.ndarray, "h w"]
    top: int
    left: int
    shape: tuple[int, int]

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the frame in the image."""
        height, width = self.inside.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def around(self, margins: tuple[int, int]) -> tuple[slice, ...]:
        """Rows and columns of the frame and margins above, below and beside it, in the image."""
        return tuple(
            slice(max(at.start - margin, 0), min(at.stop + margin, side))
            for at, margin, side in zip(self.slices, margins, self.shape, strict=True)
        )

    def window(self, rows: slice, columns: slice) -> Bool[np.ndarray, "h w"]:
        """Returns the mask in a window of the image."""
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), bool)
        shared = common((rows, columns), self.slices)
        if shared is not None:
            here, there = (relative(shared, frame) for frame in ((rows, columns), self.slices))
            mask[here] = self.inside[there]
        return mask

    def mask(self) -> Bool[np.ndarray, "H W"]:
        """Returns the mask at the size of the image."""
        return self.window(*(slice(0, side) for side in self.shape))


def common(one: Sequence[slice], other: Sequence[slice]) -> tuple[slice, ...] | None:
    """Returns the rows and columns that two frames share; None if they share none."""
    shared = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return shared if all(at.start < at.stop for at in shared) else None


def relative(frame: Sequence[slice], origin: Sequence[slice]) -> tuple[slice, ...]:
    """Returns the rows and columns of a frame, counted from those of another."""
    return tuple(
        slice(at.start - start.start, at.stop - start.start)
        for at, start in zip(frame, origin, strict=True)
    )


def cut(mask: Bool[np.ndarray, "H W"]) -> Cutout:
    """Cuts a body out of its image; the mask must not be empty."""
    return cut_runs(runs.encode(mask))


def cut_runs(body: runs.Runs) -> Cutout:
    """Cuts a body out of its image, as `cut`."""
    top, left = int(body.row[0]), int(body.start.min())
    shape = int(body.row[-1]) + 1 - top, int(body.stop.max()) - left
    own = runs.Runs(body.row - top, body.start - left, body.stop - left, shape)
    return Cutout(runs.paint(own), top, left, body.shape)


def find_bodies(
    eight_bit: UInt8[np.ndarray, "H W"], *, threshold: int = postprocess.THRESHOLD
) -> list[Cutout]:
    """Finds the bodies of an image, the largest first.

    The mask of the first body is the mask that `postprocess.largest_body` gives.

    Args:
      eight_bit: foreground probability, as returned by `postprocess.eight_bit`.
      threshold: value above which a pixel is foreground.
    """
    return _components(runs.encode(eight_bit, threshold), least_share=LEAST_SHARE)


def label_bodies(
    probability: Float32[np.ndarray, "H W"], *, threshold: int = postprocess.THRESHOLD
) -> Int32[np.ndarray, "H W"]:
    """Labels the bodies of an image, as found by `find_bodies`.

    Args:
      probability: foreground probability in [0, 1].
      threshold: 8-bit value above which a pixel is foreground.

    Returns:
      0 in the background, and from 1 on the number of the body by falling area.
    """
    found = find_bodies(postprocess.eight_bit(probability), threshold=threshold)
    return numbered(found, probability.shape)


def label_components(mask: Bool[np.ndarray, "H W"]) -> Int32[np.ndarray, "H W"]:
    """Labels the connected components of a mask, with their holes filled.

    Components below the smallest area of post-processing are left out, but none for being much
    smaller than the largest one.

    Returns:
      0 in the background, and from 1 on the number of the component by falling area.
    """
    return numbered(_components(runs.encode(mask), least_share=0), mask.shape)


def numbered(bodies: Sequence[Cutout], shape: tuple[int, int]) -> Int32[np.ndarray, "H W"]:
    """Returns the labels of bodies: 0 in the background, and from 1 on the number of the body."""
    labels = np.zeros(shape, np.int32)
    for number, body in enumerate(bodies, start=1):
        labels[body.slices][body.inside] = number
    return labels


def _components(foreground, *, least_share):
    """Cuts out each component, the largest first.

    Args:
      foreground: runs of a mask.
      least_share: smallest area of a component over that of the largest.
    """
    found = runs.filled(foreground)
    labels = runs.components(found, diagonal=True)
    areas = runs.areas(found, labels)
    if not areas.size:
        return []
    least = max(postprocess.scaled_min_area_px(max(found.shape)), least_share * areas.max(), 1)
    # A stable sort: of two equally large bodies the first in reading order comes first.
    order = np.argsort(-areas, kind="stable")
    return [cut_runs(found.select(labels == label)) for label in order if areas[label] >= least]
