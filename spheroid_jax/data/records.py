"""TensorFlow records of a data root: images preprocessed once and read many times."""

import contextlib
import hashlib
import io
import os
import pathlib
import shutil

# Without these settings TensorFlow logs that it uses oneDNN, which this package does not use.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

# ruff: noqa: E402  (TensorFlow reads the settings when it is imported)
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging

from spheroid_jax.data import arrays, folder
from spheroid_jax.runtime import locks, logs

# TensorFlow would take the memory of the GPU that JAX trains on.
tf.config.set_visible_devices([], "GPU")
tfds.disable_progress_bar()
logs.hide("tensorflow_datasets")


class Spheroids(tfds.core.GeneratorBasedBuilder):
    """TensorFlow dataset builder of images and labels on the grid; one split holds all images."""

    # Must be raised whenever the same files would give other records.
    VERSION = tfds.core.Version("1.0.0")

    def __init__(self, *, root, pairs, problems, size, markers, **kwargs):
        """Stores the arguments of `folder.read_samples`."""
        self._root, self._pairs, self._problems = root, pairs, problems
        self._size, self._markers = size, markers
        super().__init__(**kwargs)

    def _info(self):
        shape = (self._size, self._size)
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "position": np.int64,
                    "image": _raw(shape, np.float32),
                    "label": _raw(shape, np.uint8),
                    "digest": tfds.features.Text(),
                }
            ),
        )

    def _split_generators(self, download_manager):
        del download_manager
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        stream = folder.read_samples(
            self._root, self._pairs, self._size, self._problems, markers=self._markers
        )
        for position, (_, sample) in enumerate(stream):
            yield position, {"position": position, **sample._asdict()}


def _raw(shape, dtype):
    # Bytes are read several times as fast as the lists of floats in protocol buffers.
    return tfds.features.Tensor(shape=shape, dtype=dtype, encoding=tfds.features.Encoding.BYTES)


def load(root, datasets, size, cache, *, markers=False):
    """Reads a data root from its records, which the first call makes.

    When a file of the root was added, removed or changed (name, size or time), new records replace
    the old ones.

    Args:
      root: the data root.
      datasets: names of the folders to read.
      size: side of the grid in pixels.
      cache: folder for the records.
      markers: as for `folder.read_samples`.

    Returns:
      `arrays.Samples`.

    Raises:
      folder.DataRootError: the root has problems; the message names all of them.
      OSError: the records are damaged.
    """
    pairs, problems = folder.find_pairs(root, datasets)
    what = f"{pathlib.Path(root).resolve()} {' '.join(datasets)} {size}"
    what += " markers" if markers else ""
    place = hashlib.sha256(what.encode()).hexdigest()[:16]
    directory = pathlib.Path(cache).absolute() / "records" / place
    current = directory / folder.fingerprint(pairs, size)
    with locks.locked(directory / ".lock", busy=None):
        builder = Spheroids(
            root=root,
            pairs=pairs,
            problems=problems,
            size=size,
            markers=markers,
            data_dir=current,
        )
        if not builder.is_prepared():
            _prepare(builder, directory)
    # A problem outside all pairs, such as an image without a mask, can be newer than the records.
    if problems:
        raise folder.DataRootError(root, problems)
    try:
        return _read(builder, pairs, size)
    except tf.errors.OpError as error:
        raise OSError(
            f"{current}: damaged records; remove this folder, then new records will be made"
        ) from error


def _read(builder, pairs, size):
    samples = arrays.empty_samples(pairs, size)
    for record in builder.as_dataset(split="train").as_numpy_iterator():
        n = record["position"]
        samples.images[n] = record["image"]
        samples.labels[n] = record["label"]
        samples.digests[n] = record["digest"].decode()
    return samples


def _prepare(builder, directory):
    """Makes the records; removes outdated and unfinished ones first."""
    for outdated in directory.iterdir():
        if outdated.is_dir():
            shutil.rmtree(outdated)
    logging.info("Preparing the images once; the result is kept in %s", directory)
    # tfds prints a message about a download, although nothing is downloaded.
    with contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare()
