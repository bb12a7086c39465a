"""Run-length codes of masks: connected components, filling of holes, and distances in few bytes.

A run is a row's longest stretch of foreground: row, first column, and the column after the last. A
mask of one body has about one run per row, so that work on runs hardly depends on the size of the
image, where an image of labels needs four bytes per pixel.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Shaped
from scipy import sparse
from scipy.sparse import csgraph

from spheroid_jax import images


class Runs(NamedTuple):
    """The runs of a mask in reading order.

    Attributes:
      row: row of each run.
      start: first column.
      stop: column after the last.
      shape: height and width of the mask.
    """

    row: Int[np.ndarray, " N"]
    start: Int[np.ndarray, " N"]
    stop: Int[np.ndarray, " N"]
    shape: tuple[int, int]

    def moved(self, rows: int, columns: int, shape: tuple[int, int]) -> "Runs":
        """Returns the same runs elsewhere in a mask of another shape."""
        return Runs(self.row + rows, self.start + columns, self.stop + columns, shape)

    def select(self, chosen) -> "Runs":
        """Returns the runs that an index or a boolean array chooses."""
        return Runs(self.row[chosen], self.start[chosen], self.stop[chosen], self.shape)


def encode(values: Shaped[np.ndarray, "H W"], above: int = 0) -> Runs:
    """Finds the runs of a mask, or of the pixels whose value is larger than `above`."""
    is_mask = values.dtype == bool
    return encode_parts(
        values.shape, lambda rows: values[rows] if is_mask else values[rows] > above
    )


def encode_parts(shape: tuple[int, int], part: Callable[[slice], np.ndarray]) -> Runs:
    """Finds the runs of a mask that is computed stripe by stripe.

    Args:
      shape: height and width of the mask.
      part: function from rows to the mask there.
    """
    height, width = shape
    found = []
    for rows in images.stripes(shape):
        mask = part(rows)
        # A column of background on each side gives every run both ends.
        changes = np.zeros((len(mask), width + 1), bool)
        np.not_equal(mask[:, 1:], mask[:, :-1], out=changes[:, 1:-1])
        changes[:, 0], changes[:, -1] = mask[:, 0], mask[:, -1]
        found.append(np.flatnonzero(changes) + rows.start * (width + 1))
    row, column = np.divmod(np.concatenate(found), width + 1)
    return Runs(row[::2], column[::2], column[1::2], (height, width))


def paint(runs: Runs) -> Bool[np.ndarray, "H W"]:
    """Returns the mask of runs."""
    height, width = runs.shape
    ends = np.stack([runs.row * width + runs.start, runs.row * width + runs.stop], axis=1)
    lengths = np.diff(ends.ravel(), prepend=0, append=height * width)
    return np.repeat(np.arange(lengths.size) % 2 == 1, lengths).reshape(height, width)


def complement(runs: Runs) -> Runs:
    """Returns the runs of the background."""
    height, width = runs.shape
    # Rows lie one behind the other; between two of them lies a pixel that is foreground.
    rows, step = np.arange(height), width + 1
    start = np.concatenate([runs.row * step + runs.start, rows * step + width])
    stop = np.concatenate([runs.row * step + runs.stop, (rows + 1) * step])
    order = np.argsort(start)
    first, after = np.concatenate([[0], stop[order][:-1]]), start[order]
    kept = after > first
    row, column = np.divmod(first[kept], step)
    return Runs(row, column, after[kept] - row * step, runs.shape)


def areas(runs: Runs, labels: Int[np.ndarray, " N"]) -> Int[np.ndarray, " M"]:
    """Counts the pixels of each component, numbered as by `components`."""
    return np.bincount(labels, weights=runs.stop - runs.start).astype(np.int64)


def filled(runs: Runs) -> Runs:
    """Fills the holes of a mask: background that is not 4-connected to the border of the frame."""
    height, width = runs.shape
    background = complement(runs)
    if not len(background.row):
        return runs
    labels = components(background, diagonal=False)
    outside = np.zeros(labels.max() + 1, bool)
    at_edge = (background.row == 0) | (background.row == height - 1)
    at_edge |= (background.start == 0) | (background.stop == width)
    outside[labels[at_edge]] = True
    return complement(background.select(outside[labels]))


def shared(runs: Runs, other: Runs) -> Int[np.ndarray, " N"]:
    """Counts the pixels of each run that belong to another mask of the same shape, too."""
    width = runs.shape[1]
    first = other.row * width + other.start
    lengths = other.stop - other.start
    before = np.concatenate([[0], np.cumsum(lengths)])

    def count_before(position):
        at = np.searchsorted(first, position, "right")
        inside = np.minimum(position - first[at - 1], lengths[at - 1])
        return np.where(at, before[at - 1] + inside, 0)

    if not len(first):
        return np.zeros(len(runs.row), int)
    start, stop = (runs.row * width + each for each in (runs.start, runs.stop))
    return count_before(stop) - count_before(start)


def components(runs: Runs, *, diagonal: bool) -> Int[np.ndarray, " N"]:
    """Returns the number of each run's connected component, from 0, in reading order.

    Args:
      runs: the runs of a mask.
      diagonal: whether pixels are neighbours that touch at a corner.
    """
    count = len(runs.row)
    if not count:
        return np.zeros(0, int)
    # A run of the next row is a neighbour if it ends behind this one's start and begins before its
    # end; with diagonals both may be equal. Positions in reading order make the rows one axis.
    width = runs.shape[1] + 2
    below = (runs.row + 1) * width
    first = np.searchsorted(
        runs.row * width + runs.stop, below + runs.start, "left" if diagonal else "right"
    )
    after = np.searchsorted(
        runs.row * width + runs.start, below + runs.stop, "right" if diagonal else "left"
    )
    number = np.maximum(after - first, 0)
    upper = np.repeat(np.arange(count), number)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(number) - number, number)
    lower += np.repeat(first, number)
    graph = sparse.coo_array((np.ones(len(upper), bool), (upper, lower)), shape=(count, count))
    labels = csgraph.connected_components(graph, directed=False)[1]
    # By the first run of each, which is in reading order the first of its component.
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def within(mask: Bool[np.ndarray, "H W"], radius: float) -> Bool[np.ndarray, "H W"]:
    """Dilates a mask with a disc, as `near` does for runs."""
    found = encode(mask)
    return np.concatenate([near(found, radius, rows) for rows in images.stripes(mask.shape)])


def near(runs: Runs, radius: float, rows: slice) -> Bool[np.ndarray, "h W"]:
    """Dilates a mask with a disc, and returns some rows of the outcome.

    Args:
      runs: the runs of the mask.
      radius: distance of two pixels' centres, >= 0.
      rows: the rows to return.

    Returns:
      The pixels whose distance to the nearest pixel of the mask is at most `radius`, as
      `scipy.ndimage.distance_transform_edt(~mask) <= radius`, in a few bytes per pixel.
    """
    width, count = runs.shape[1], rows.stop - rows.start
    reach = min(int(radius), runs.shape[0])
    chosen = slice(*np.searchsorted(runs.row, (rows.start - reach, rows.stop + reach)))
    row, start, stop = (each[chosen, np.newaxis] for each in (runs.row, runs.start, runs.stop))
    # Each run reaches into the rows around it: by distance, or where these are fewer, by row.
    if 2 * reach < count:
        offset = np.broadcast_to(np.arange(-reach, reach + 1), (len(row), 2 * reach + 1))
        at = row + offset - rows.start
    else:
        at = np.broadcast_to(np.arange(count), (len(row), count))
        offset = at + rows.start - row
    kept = (at >= 0) & (at < count) & (np.abs(offset) <= reach)
    half = _half_widths(reach, radius)[np.abs(offset[kept])]
    first = at[kept] * (width + 1)
    starts = np.maximum(np.broadcast_to(start, kept.shape)[kept] - half, 0)
    stops = np.minimum(np.broadcast_to(stop, kept.shape)[kept] + half, width)
    size = count * (width + 1)
    steps = np.bincount(first + starts, minlength=size)
    steps -= np.bincount(first + stops, minlength=size)
    return np.cumsum(steps.reshape(count, width + 1), axis=1)[:, :-1] > 0


def _half_widths(reach, radius):
    """How far a disc reaches to each side, by the distance of a row from its middle."""
    offsets = np.arange(reach + 1)
    half = np.sqrt(np.maximum(radius**2 - offsets.astype(np.float64) ** 2, 0)).astype(np.int64)
    # The root is rounded; distances are compared as the distance transform has them.
    half += np.sqrt(offsets**2 + (half + 1) ** 2) <= radius
    half -= np.sqrt(offsets**2 + half**2) > radius
    return half
