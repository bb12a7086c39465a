"""Segmentation of many images, with reading, network and post-processing at the same time.

While the network processes one batch, some threads read and prepare the next images, and other
threads post-process the batch before. The steps and the results are those of
`segmentation.segment`.
"""

import collections
import functools
import itertools
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent import futures
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float32

from spheroid_jax import images
from spheroid_jax.inference import predict, segmentation
from spheroid_jax.inference.model_file import Ensemble, Params

# Images per dispatch: enough to keep the platform busy. One is enough for a CPU.
_BATCH = {"cpu": 1}
_BATCH_ELSEWHERE = 32
# Bytes that all images in work may take together, beside the network and the libraries. An image
# that needs more has the machine for itself.
BUDGET_BYTES = 500_000_000


class Result(NamedTuple):
    """Segmentation of one image, or the error that prevented the segmentation.

    Attributes:
      source: path or array, as given.
      segmentation: mask and probability map; None if there is an error.
      error: reason why the image has no segmentation; None if it has one.
    """

    source: Any
    segmentation: segmentation.Segmentation | None
    error: Exception | None


class Finished(NamedTuple):
    """Result of one image in `finish_stream`.

    Attributes:
      source: what was given.
      value: what `finish` returned, or None.
      error: why there is no value, or None.
    """

    source: Any
    value: Any
    error: Exception | None


def segment_stream(
    params: Params | Ensemble,
    sources: Iterable[Any],
    *,
    batch_size: int = 0,
    threads: int = 0,
    read: Callable[[Any], Any] = images.read_image,
) -> Iterator[Result]:
    """Segments any number of images; only a limited number is in memory at the same time.

    Args:
      params: model or ensemble, as returned by `load`.
      sources: paths, or arrays as for `segment`; the iterable is consumed as needed.
      batch_size: number of images per batch; 0 chooses a number for the platform. A smaller last
        batch is filled up to a power of two, so that few programs are compiled.
      threads: number of threads that read, and also of threads that post-process; 0 means one per
        core.
      read: function from a path to pixels, (H, W) or (H, W, C).

    Yields:
      One `Result` per source, in the same order. An image that cannot be used gives a `Result`
      with an error, and the stream goes on.
    """

    def read_path(source):
        return read(source) if isinstance(source, str | os.PathLike) else source

    def finish(source, image, prepared, maps):
        return segmentation.finish(params, image, prepared, maps)

    options: dict[str, Any] = {"batch_size": batch_size, "threads": threads}
    for done in finish_stream(params, sources, read=read_path, finish=finish, **options):
        yield Result(done.source, done.value, done.error)


def finish_stream(
    params: Params | Ensemble,
    sources: Iterable[Any],
    *,
    read: Callable[[Any], Any],
    finish: Callable[[Any, Any, predict.Prepared, Float32[np.ndarray, "M S S"]], Any],
    batch_size: int = 0,
    threads: int = 0,
    cost: Callable[[Any], int] = lambda source: 0,
) -> Generator[Finished, None, None]:
    """Runs the network over any number of images, and a function over its maps.

    Args:
      params: a model, as returned by `load`.
      sources: any iterable, read as needed.
      read: function from a source to an array or an `images.Image`; called in threads.
      finish: function of the source, of what `read` returned, of the `predict.Prepared` and of the
        network's maps, as returned by `predict.grid_maps`; called in threads.
      batch_size: as for `segment_stream`.
      threads: as for `segment_stream`.
      cost: function from a source to the bytes that its image takes. A source waits until the
        images in work take at most `BUDGET_BYTES` with it, or until none is in work.

    Yields:
      `Finished`s in the order of the sources. An `ImageError` or `OSError` of `read` or `finish` is
      that source's, and does not stop the others.
    """
    threads = threads or os.cpu_count() or 1
    batch_size = batch_size or _BATCH.get(jax.default_backend(), _BATCH_ELSEWHERE)
    with (
        futures.ThreadPoolExecutor(threads) as readers,
        futures.ThreadPoolExecutor(threads) as finishers,
    ):
        room = _Room(BUDGET_BYTES)
        prepared = _read_ahead(
            readers,
            lambda source, size: _prepare(params, source, size, read),
            ((source, cost(source)) for source in sources),
            room,
            ahead=2 * batch_size + threads,
        )
        finishing = collections.deque()
        try:
            for batch in _batches(prepared, batch_size):
                finishing += [
                    finishers.submit(_finish, item, on_grid, finish, room)
                    for item, on_grid in _through_network(params, batch)
                ]
                while len(finishing) > 2 * batch_size:
                    yield finishing.popleft().result()
            for future in finishing:
                yield future.result()
        finally:
            # Ctrl-C, or a caller that stops: what has not begun need not be done.
            for pool in (readers, finishers):
                pool.shutdown(wait=False, cancel_futures=True)


class _Room:
    """Bytes that images in work may take."""

    def __init__(self, limit):
        self._limit, self._taken = limit, 0
        self._changed = threading.Condition()

    def _fits(self, size):
        return not self._taken or self._taken + size <= self._limit

    def take(self, size, *, wait):
        """Takes bytes, if need be after waiting; returns whether there was room."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._fits(size))
            fits = self._fits(size)
            self._taken += size * fits
            return fits

    def give(self, size):
        """Gives bytes back."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()


def _read_ahead(pool, prepare, sources, room, ahead):
    """Prepares sources in the pool and in order, at most `ahead` of them before their use.

    Yields:
      What `prepare` returns. None, where a source waits for room: what was yielded before must be
      on its way, because only that makes room.
    """
    running = collections.deque()
    for source, size in sources:
        # In order: an image that waits for its turn must not hold what an earlier one waits for.
        while running and not room.take(size, wait=False):
            yield running.popleft().result()
        if not running and not room.take(size, wait=False):
            yield None
            room.take(size, wait=True)
        running.append(pool.submit(prepare, source, size))
        if len(running) > ahead:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


def _batches(prepared, size):
    """Yields lists of up to `size` items; a None ends a list early."""
    batch = []
    for item in prepared:
        if item is not None:
            batch.append(item)
        if batch and (item is None or len(batch) == size):
            yield batch
            batch = []
    if batch:
        yield batch


class _Read(NamedTuple):
    """A source, the bytes of its image, the image, and the image on the grid; or an error."""

    source: Any
    size: int
    image: Any
    prepared: predict.Prepared | None
    error: Exception | None


def _prepare(params, source, size, read):
    try:
        image = read(source)
        pixels = image.pixels if isinstance(image, images.Image) else image
        return _Read(source, size, image, predict.prepare(params, pixels), None)
    except (images.ImageError, OSError) as error:
        return _Read(source, size, None, None, error)


def _through_network(params, batch):
    """Starts the network; pairs each item with a function that waits for its map."""
    grids = [item.prepared.grid for item in batch if item.prepared is not None]
    maps = None
    if grids:
        bucket = 1 << (len(grids) - 1).bit_length()
        grids += [np.zeros_like(grids[0])] * (bucket - len(grids))
        maps = predict.grid_maps(params, np.stack(grids))
    places = itertools.count()
    return [
        (item, None)
        if item.prepared is None
        else (item, functools.partial(_wait_for, maps, next(places)))
        for item in batch
    ]


def _wait_for(maps, place):
    return np.asarray(maps)[place]


def _finish(item, on_grid, finish, room):
    """Waits for the network's map and finishes one image."""
    if item.prepared is None:
        room.give(item.size)
        return Finished(item.source, None, item.error)
    try:
        value = finish(item.source, item.image, item.prepared, on_grid())
        return Finished(item.source, value, None)
    except (images.ImageError, OSError) as error:
        return Finished(item.source, None, error)
    finally:
        room.give(item.size)
