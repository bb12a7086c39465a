"""A data root opened for training: its samples, partitions and streams."""

import collections
from typing import NamedTuple

import numpy as np

from spheroid_jax.data import arrays, partitions, sampling
from spheroid_jax.runtime import extras


class Dataset(NamedTuple):
    """What the folds of one work directory share.

    Attributes:
      samples: `arrays.Samples`.
      shares: dict from dataset to its share of the training samples.
      partitions: dict from dataset to six lists of stems.
      stream: "tf" (tf.data) or "numpy".
    """

    samples: arrays.Samples
    shares: dict
    partitions: dict
    stream: str

    def partition(self, number):
        """The images of one partition, of all datasets.

        Returns:
          grids (N, S, S) float32, labels (N, S, S) uint8, and N names
          (dataset, stem).
        """
        names = [(name, stem) for name, parts in self.partitions.items() for stem in parts[number]]
        at = np.concatenate(
            [self.samples.positions(name, parts[number]) for name, parts in self.partitions.items()]
        )
        return self.samples.images[at], self.samples.labels[at], names

    def batches(self, *, seed, fold, start, stop, batch_size):
        """The training stream of a fold, from batch `start` to `stop` - 1."""
        pools = [
            self.samples.positions(name, partitions.training(parts, fold))
            for name, parts in self.partitions.items()
        ]
        draws = sampling.draw(
            pools,
            [self.shares[name] for name in self.partitions],
            seed=seed,
            fold=fold,
            start=start * batch_size,
            stop=stop * batch_size,
        )
        if self.stream == "numpy":
            return arrays.batches(self.samples, draws, batch_size)
        from spheroid_jax.data import pipeline

        return pipeline.batches(self.samples, draws, batch_size)


def open_dataset(root, shares, *, size, stream, cache, workdir):
    """Reads a data root and decides, or obeys, its partitions.

    Args:
      root: the data root.
      shares: dict from dataset, a folder of the root, to its share.
      size: the grid's side in pixels.
      stream: "tf" reads by way of TensorFlow records kept in `cache`;
        "numpy" reads the files, and needs no TensorFlow.
      cache: folder for the records.
      workdir: `Workdir`, which keeps the partitions.

    Returns:
      `Dataset`.

    Raises:
      folder.DataRootError: naming everything that is wrong with the root.
      ModuleNotFoundError: "tf" without TensorFlow.
    """
    if stream == "tf":
        purpose = 'config.data.stream = "tf"'
        with extras.needed(purpose, "train", ", or set --config.data.stream=numpy"):
            from spheroid_jax.data import records

        samples = records.load(root, list(shares), size, cache)
    else:
        samples = arrays.load(root, list(shares), size)
    groups = collections.defaultdict(dict)
    digests = collections.defaultdict(dict)
    for pair, digest in zip(samples.pairs, samples.digests, strict=True):
        groups[pair.dataset][pair.stem] = pair.group
        digests[pair.dataset][pair.stem] = digest
    parts = partitions.assign(workdir, groups, digests)
    return Dataset(samples, shares, parts, stream)
