"""Search for parts of a picture that were never written: straight blocks of exact zeros.

A program that sets a file aside before filling it leaves zeros where it stopped: the last rows, or
some strips or tiles. Zeros count only in a picture that has hardly any elsewhere, so a dark picture
has no missing parts. Nor do zeros with curved or slanted edges, as around a well, or along several
sides, as around a mosaic.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped
from scipy import ndimage

# Side of the cells in which pixels are counted.
_CELL = 16
# Share of the pixels outside missing parts that must not be 0.
_LEAST_WRITTEN = 0.9
# The smallest part: rows or columns as a share of all, and at least two; blocks in cells.
_FEWEST_LINES, _LEAST_LINES = 0.05, 2
_SMALLEST_BLOCK = 16
# An edge is straight if most cells along it have nearly the same share of zeros.
_MOST, _NEARLY = 0.75, 0.06


class _Counts(NamedTuple):
    """Numbers of pixels that are not 0: per row, per column and per cell."""

    rows: np.ndarray
    columns: np.ndarray
    cells: np.ndarray


def unwritten(pixels: Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W C"]) -> tuple[str, ...]:
    """Describes the parts of a picture that look as if they were never written.

    Args:
      pixels: of any number type.

    Returns:
      One sentence per part; () for a picture that looks whole.
    """
    counts = _counted(pixels)
    if counts.cells.all() and counts.rows.all() and counts.columns.all():
        return ()
    height, width = pixels.shape[:2]
    # Pixels of each cell outside rows and columns of zeros only.
    areas = np.outer(_per_cell(counts.rows > 0), _per_cell(counts.columns > 0))
    blocks = _blocks(counts.cells, areas)
    written = areas.sum() - areas[blocks].sum()
    if counts.cells.sum() < max(_LEAST_WRITTEN * written, 1):
        return ()
    found = [
        *_lines(counts.rows, "rows", others=counts.columns),
        *_lines(counts.columns, "columns", others=counts.rows),
    ]
    if blocks.any():
        share = 100 * areas[blocks].sum() / (height * width)
        found.append(f"blocks of {share:.2g} % of the picture are exactly 0: half-written?")
    return tuple(found)


def _counted(pixels):
    rows, cells = [], []
    columns = np.zeros(pixels.shape[1], np.int64)
    starts = np.arange(0, pixels.shape[1], _CELL)
    for top in range(0, len(pixels), _CELL):
        some = pixels[top : top + _CELL] != 0
        some = some.any(axis=2) if some.ndim == 3 else some
        rows.append(np.count_nonzero(some, axis=1))
        here = np.count_nonzero(some, axis=0)
        columns += here
        cells.append(np.add.reduceat(here, starts))
    return _Counts(np.concatenate(rows), columns, np.stack(cells))


def _per_cell(lines):
    """Number of true lines in each row or column of cells."""
    return np.add.reduceat(lines.astype(np.int64), np.arange(0, len(lines), _CELL))


def _lines(counts, name, others):
    """Yields a sentence per run of rows, or columns, of zeros beside lines that are written.

    Args:
      counts: per line, the number of pixels that are not 0.
      name: "rows" or "columns".
      others: the same numbers of the lines that go across.
    """
    margins = _margins(counts)
    # Zeros along several sides are a frame, unless they are most of the picture: a file of tiles
    # that ends in its first row of tiles.
    framed = len(margins) == 2 or (len(margins) == 1 and _margins(others))
    fewest = max(_FEWEST_LINES * len(counts), _LEAST_LINES)
    full = _LEAST_WRITTEN * counts.max()
    for start, stop in _runs(counts == 0):
        beside = np.r_[counts[max(start - _CELL, 0) : start], counts[stop : stop + _CELL]]
        is_frame = framed and (start, stop) in margins and stop - start < len(counts) / 2
        if stop - start < fewest or beside.mean() < full or is_frame:
            continue
        where = {0: "first", len(counts) - (stop - start): "last"}.get(start)
        which = f"the {where} {stop - start}" if where else f"{name} {start} to {stop - 1}"
        which += f" of {len(counts)}" + (f" {name}" if where else "")
        yield f"{which} are exactly 0: half-written?"


def _margins(counts):
    """Starts and ends of the runs of zeros at the two ends of the lines."""
    ends = [run for run in _runs(counts == 0) if run[0] == 0 or run[1] == len(counts)]
    return [(start, stop) for start, stop in ends if stop - start >= _LEAST_LINES]


def _runs(true):
    """Starts and ends of the runs of true values."""
    edges = np.flatnonzero(np.diff(np.r_[False, true, False].astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _blocks(cells, areas):
    """The cells of blocks of zeros that have straight edges, (rows, columns), boolean."""
    labels, count = ndimage.label((cells == 0) & (areas > 0))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    shares = cells / np.maximum(areas, 1)
    kept = [
        label
        for label in range(1, count + 1)
        if sizes[label] >= _SMALLEST_BLOCK and _is_straight(labels == label, shares, areas > 0)
    ]
    return np.isin(labels, kept)


def _is_straight(block, shares, live):
    """Whether the cells above, below, left and right of a block have nearly the same shares."""
    padded = np.pad(block, 1)
    for shifted in (padded[2:, 1:-1], padded[:-2, 1:-1], padded[1:-1, 2:], padded[1:-1, :-2]):
        along = shares[shifted & ~block & live]
        if along.size and np.mean(abs(along - np.median(along)) <= _NEARLY) < _MOST:
            return False
    return True
