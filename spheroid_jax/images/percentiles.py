"""Exact percentiles of large arrays by counting, without a sorted or converted copy.

The value of a rank is found from counts. Integers of up to 16 bits are counted once. Floats are
counted twice: first by the upper 16 bits of their patterns, then, among the floats that share the
upper bits of the rank's, by the lower 16 bits (a radix selection). The memory is that of one block
and of the counts, 65,536 numbers.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

_HALF = 1 << 16


def percentiles(
    blocks: Callable[[], Iterable[np.ndarray]], count: int, at: Sequence[float]
) -> list[float]:
    """Computes percentiles, interpolated linearly as by `numpy.percentile` in float64.

    Args:
      blocks: function that yields the values in arrays of any shape; either all integers of up to
        16 bits, or all finite float32. Called once for integers and twice for floats.
      count: number of values.
      at: the percentiles, in [0, 100].
    """
    places = [percentile / 100 * (count - 1) for percentile in at]
    ranks = sorted({rank for place in places for rank in (math.floor(place), math.ceil(place))})
    values = dict(zip(ranks, _ranked(blocks, ranks), strict=True))
    return [
        _between(values[math.floor(place)], values[math.ceil(place)], place % 1) for place in places
    ]


def _between(low, high, share):
    """Interpolates from the nearer end, as numpy does: both ends are met exactly."""
    if share < 0.5:
        return low + (high - low) * share
    return high - (high - low) * (1 - share)


def _ranked(blocks, ranks):
    """Returns the values of ranks from 0."""
    first = next(iter(blocks()))
    if first.dtype.kind == "f":
        return _ranked_floats(blocks, ranks)
    least = np.iinfo(first.dtype).min
    counts = _counts(block.astype(np.int32) - least if least else block for block in blocks())
    return [float(key + least) for key, _ in _found(counts, ranks)]


def _ranked_floats(blocks, ranks):
    found = _found(_counts((key >> 16) + _HALF // 2 for key in _keys(blocks)), ranks)
    values = {}
    for upper in {upper for upper, _ in found}:
        at = upper - _HALF // 2
        lower = _counts(key[key >> 16 == at] & (_HALF - 1) for key in _keys(blocks))
        within = [
            (rank, below) for rank, (each, below) in zip(ranks, found, strict=True) if each == upper
        ]
        for rank, below in within:
            ((low, _),) = _found(lower, [rank - below])
            values[rank] = float(_float((at << 16) | low))
    return [values[rank] for rank in ranks]


def _keys(blocks) -> Iterator[np.ndarray]:
    """Yields int32 patterns that have the order of their float32 values."""
    for block in blocks():
        pattern = np.ascontiguousarray(block).ravel().view(np.int32)
        # The patterns of negative floats fall with the value.
        yield pattern ^ ((pattern >> 31) & 0x7FFFFFFF)


def _float(key):
    pattern = np.int32(key) ^ np.int32(0x7FFFFFFF if key < 0 else 0)
    return pattern.view(np.float32)


def _counts(keys):
    """Counts keys in [0, 65536)."""
    counts = np.zeros(_HALF, np.int64)
    for each in keys:
        part = np.bincount(each.ravel())
        counts[: part.size] += part
    return counts


def _found(counts, ranks):
    """Finds the key of each rank, and the number of values with smaller keys."""
    up_to = np.cumsum(counts)
    keys = np.searchsorted(up_to, ranks, side="right")
    return [(int(key), int(up_to[key] - counts[key])) for key in keys]
