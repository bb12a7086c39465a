"""Samples of a data root in memory, and the training stream in NumPy (without TensorFlow)."""

from typing import NamedTuple

import numpy as np

from spheroid_jax.data import folder


class Samples(NamedTuple):
    """All images of a data root on the grid; N is the number of images.

    Attributes:
      pairs: list of N `folder.Pair`s, sorted by dataset and stem.
      images: (N, S, S), float32 in [0, 1].
      labels: (N, S, S), uint8: `BACKGROUND`, `FOREGROUND`, `OUTSIDE` or `MARKER`.
      digests: N hashes, each of an image file and its mask file.
    """

    pairs: list
    images: np.ndarray
    labels: np.ndarray
    digests: list

    def positions(self, dataset, stems):
        """Returns the positions of the named images of a dataset, an integer array."""
        at = {pair.stem: n for n, pair in enumerate(self.pairs) if pair.dataset == dataset}
        return np.array([at[stem] for stem in stems], np.int64)


def empty_samples(pairs, size):
    """Allocates `Samples` whose arrays are still to be filled."""
    shape = (len(pairs), size, size)
    return Samples(pairs, np.empty(shape, np.float32), np.empty(shape, np.uint8), [""] * len(pairs))


def load(root, datasets, size, *, markers=False):
    """Reads a data root into memory.

    Args:
      root: the data root.
      datasets: names of the folders to read.
      size: side of the grid in pixels.
      markers: as for `folder.read_samples`.

    Returns:
      `Samples`.

    Raises:
      folder.DataRootError: the root has problems; the message names all of them.
    """
    pairs, problems = folder.find_pairs(root, datasets)
    samples = empty_samples(pairs, size)
    stream = folder.read_samples(root, pairs, size, problems, markers=markers)
    for n, (_, sample) in enumerate(stream):
        samples.images[n] = sample.image
        samples.labels[n] = sample.label
        samples.digests[n] = sample.digest
    return samples


def augment(array, flip_vertical, flip_horizontal, quarter_turns):
    """Flips and rotates one (H, W) array; the other arguments are one row of `sampling.Draws`."""
    if flip_vertical:
        array = array[::-1]
    if flip_horizontal:
        array = array[:, ::-1]
    return np.rot90(array, quarter_turns)


def batches(samples, draws, batch_size):
    """Streams augmented batches.

    Args:
      samples: `Samples`.
      draws: `sampling.Draws`; draws that do not fill a last batch are left out.
      batch_size: number of images per batch.

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
