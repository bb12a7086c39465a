"""`segment` for many images: reading, network and post-processing overlap.

Threads read and prepare the images to come while the network works on a
batch and other threads finish the batch before. The steps, and so the
results, are those of `predict.segment`.
"""

import collections
import functools
import itertools
import os
from concurrent import futures
from typing import Any, NamedTuple

import jax
import numpy as np

from spheroid_jax import images
from spheroid_jax.inference import predict

# Images a dispatch: enough to keep the platform busy. A CPU is with one.
_BATCH = {"cpu": 1}
_BATCH_ELSEWHERE = 32


class Result(NamedTuple):
    """What became of one image.

    Attributes:
      source: what was given: a path or an array.
      segmentation: `predict.Segmentation`, or None.
      error: why there is none, or None.
    """

    source: Any
    segmentation: predict.Segmentation | None
    error: Exception | None


def segment_stream(params, sources, *, batch_size=0, threads=0, read=images.read_image):
    """Segments any number of images, with a bounded number in memory.

    Args:
      params: what `load` gives.
      sources: paths, or arrays as for `segment`; any iterable, read as needed.
      batch_size: images a dispatch; 0: what suits the platform. A last
        smaller batch is filled up to a power of two, so few programs are
        compiled.
      threads: number of threads that read, and number of threads that finish; 0: one per core.
      read: function from a path to pixels, (H, W) or (H, W, C).

    Yields:
      `Result`s in the order of the sources. An image that cannot be used is a
      result with an error, and does not stop the others.
    """
    threads = threads or os.cpu_count() or 1
    batch_size = batch_size or _BATCH.get(jax.default_backend(), _BATCH_ELSEWHERE)
    with (
        futures.ThreadPoolExecutor(threads) as readers,
        futures.ThreadPoolExecutor(threads) as finishers,
    ):
        prepared = _map_ahead(
            readers,
            lambda source: _prepare(params, source, read),
            sources,
            ahead=2 * batch_size + threads,
        )
        finishing = collections.deque()
        while batch := list(itertools.islice(prepared, batch_size)):
            finishing += [
                finishers.submit(_finish, item, on_grid)
                for item, on_grid in _through_network(params, batch)
            ]
            while len(finishing) > 2 * batch_size:
                yield finishing.popleft().result()
        for future in finishing:
            yield future.result()


def _map_ahead(pool, function, items, ahead):
    """Maps in the pool and in order, at most `ahead` items before the use."""
    running = collections.deque()
    for item in items:
        running.append(pool.submit(function, item))
        if len(running) > ahead:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


class _Read(NamedTuple):
    """A source and what reading gave: an image on the grid, or an error."""

    source: Any
    prepared: predict.Prepared | None
    error: Exception | None


def _prepare(params, source, read):
    try:
        image = read(source) if isinstance(source, str | os.PathLike) else source
        return _Read(source, predict.prepare(params, image), None)
    except (images.ImageError, OSError) as error:
        return _Read(source, None, error)


def _through_network(params, batch):
    """Starts the network; pairs each item with a function that waits for it."""
    grids = [item.prepared.grid for item in batch if item.prepared is not None]
    maps = None
    if grids:
        bucket = 1 << (len(grids) - 1).bit_length()
        grids += [np.zeros_like(grids[0])] * (bucket - len(grids))
        maps = predict.grid_probability(params, np.stack(grids))
    places = itertools.count()
    return [
        (item, None)
        if item.prepared is None
        else (item, functools.partial(_wait_for, maps, next(places)))
        for item in batch
    ]


def _wait_for(maps, place):
    return np.asarray(maps)[place]


def _finish(item, on_grid):
    """Waits for the network's output and post-processes one image."""
    if item.prepared is None:
        return Result(item.source, None, item.error)
    return Result(item.source, predict.finish(item.prepared, on_grid()), None)
