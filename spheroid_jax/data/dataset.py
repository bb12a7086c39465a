"""Datasets opened for training: samples, partitions, and streams of training batches."""

import collections
from typing import NamedTuple

import numpy as np

from spheroid_jax.data import arrays, partitions, sampling
from spheroid_jax.runtime import extras


class Dataset(NamedTuple):
    """The data that all folds of a work directory share.

    Attributes:
      samples: `arrays.Samples`.
      shares: dict from dataset to its share of the training samples.
      partitions: dict from dataset to six lists of stems, one list per partition.
      stream: "tf" (tf.data) or "numpy".
    """

    samples: arrays.Samples
    shares: dict
    partitions: dict
    stream: str

    def partition(self, number):
        """Returns the images of one partition, from all datasets.

        Returns:
          grids, (N, S, S) float32; labels, (N, S, S) uint8; and N pairs (dataset, stem).
        """
        names = [(name, stem) for name, parts in self.partitions.items() for stem in parts[number]]
        at = np.concatenate(
            [self.samples.positions(name, parts[number]) for name, parts in self.partitions.items()]
        )
        return self.samples.images[at], self.samples.labels[at], names

    def batches(self, *, seed, fold, start, stop, batch_size):
        """Returns the training stream of a fold.

        Args:
          seed: non-negative integer, which together with the fold determines all samples.
          fold: number of the fold.
          start: number of the first batch.
          stop: number of the last batch plus 1.
          batch_size: number of images per batch.

        Returns:
          Iterator of batches, as made by `arrays.batches`.
        """
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


def open_dataset(root, shares, *, size, stream, cache, workdir, markers=False):
    """Reads a data root, and the partitions of its images.

    A work directory without partitions gets new ones; later calls read those.

    Args:
      root: the data root.
      shares: dict from dataset (the name of a folder in the root) to its share of the samples.
      size: side of the grid in pixels.
      stream: "tf" reads TensorFlow records, made in `cache`; "numpy" reads the image files.
      cache: folder of the TensorFlow records.
      workdir: `Workdir`.
      markers: whether the labels have the markers of the bodies; masks may then be label images.

    Returns:
      `Dataset`.

    Raises:
      folder.DataRootError: the root has problems; the message names all of them.
      partitions.PartitionError: a dataset is too small, or its images have changed since the
        work directory was begun.
      extras.MissingPackage: `stream` is "tf" and TensorFlow is not installed.
    """
    if stream == "tf":
        purpose = 'config.data.stream = "tf"'
        with extras.needed(purpose, "train", ", or set --config.data.stream=numpy"):
            from spheroid_jax.data import records

        samples = records.load(root, list(shares), size, cache, markers=markers)
    else:
        samples = arrays.load(root, list(shares), size, markers=markers)
    groups = collections.defaultdict(dict)
    digests = collections.defaultdict(dict)
    for pair, digest in zip(samples.pairs, samples.digests, strict=True):
        groups[pair.dataset][pair.stem] = pair.group
        digests[pair.dataset][pair.stem] = digest
    parts = partitions.assign(workdir, groups, digests)
    return Dataset(samples, shares, parts, stream)
