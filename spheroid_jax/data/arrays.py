"""Samples and training stream in NumPy, for machines without TensorFlow."""

from typing import NamedTuple

import numpy as np

from spheroid_jax.data import folder


class Samples(NamedTuple):
    """All images of a data root on the grid, in the order of `pairs`.

    Attributes:
      pairs: list of `folder.Pair`, sorted by dataset and stem.
      images: (N, S, S), float32 in [0, 1].
      labels: (N, S, S), uint8: `BACKGROUND`, `FOREGROUND` or `OUTSIDE`.
      digests: N hashes of the files they were read from.
    """

    pairs: list
    images: np.ndarray
    labels: np.ndarray
    digests: list

    def positions(self, dataset, stems):
        """Where the named images of a dataset are, as an integer array."""
        at = {pair.stem: n for n, pair in enumerate(self.pairs) if pair.dataset == dataset}
        return np.array([at[stem] for stem in stems], np.int64)


def empty_samples(pairs, size):
    """Allocates `Samples` to be filled."""
    shape = (len(pairs), size, size)
    return Samples(pairs, np.empty(shape, np.float32), np.empty(shape, np.uint8), [""] * len(pairs))


def load(root, datasets, size):
    """Reads a data root into memory.

    Raises:
      folder.DataRootError: naming everything that is wrong with it.
    """
    pairs, problems = folder.find_pairs(root, datasets)
    samples = empty_samples(pairs, size)
    stream = folder.read_samples(root, pairs, size, problems)
    for n, (_, sample) in enumerate(stream):
        samples.images[n] = sample.image
        samples.labels[n] = sample.label
        samples.digests[n] = sample.digest
    return samples


def augment(array, flip_vertical, flip_horizontal, quarter_turns):
    """Flips and rotates one (H, W) array, as `sampling.Draws` says."""
    if flip_vertical:
        array = array[::-1]
    if flip_horizontal:
        array = array[:, ::-1]
    return np.rot90(array, quarter_turns)


def batches(samples, draws, batch_size):
    """Streams augmented batches.

    Args:
      samples: `Samples`.
      draws: `sampling.Draws`; a last, partial batch is left out.
      batch_size: images a batch.

    Yields:
      dict of `image` (B, S, S), float32, and `label` (B, S, S), uint8.
    """
    for start in range(0, len(draws.index) - batch_size + 1, batch_size):
        chosen = [
            _sample(samples, *(column[n] for column in draws))
            for n in range(start, start + batch_size)
        ]
        yield {name: np.stack([sample[name] for sample in chosen]) for name in chosen[0]}


def _sample(samples, index, *transform):
    return {
        "image": augment(samples.images[index], *transform),
        "label": augment(samples.labels[index], *transform),
    }
